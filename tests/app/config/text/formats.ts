import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { brokenRule, FORMATS, type Format } from '../../../../core/app/config/text/formats.ts';
import { parseDuration } from '../../../../core/base/duration.ts';
import { parseSize } from '../../../../core/base/size.ts';

const parses = (parse: (text: string) => number, text: string): boolean => {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
};

test('durations and sizes have the form that their parsers read', () => {
  const pieces = fc.constantFrom(
    '1',
    '20',
    '1.5',
    '.',
    ' ',
    'ms',
    's',
    'm',
    'h',
    'd',
    'w',
    'k',
    'K',
    'GB',
    'iB',
    'B',
    '-',
    'x',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 6 }), (parts) => {
      const text = parts.join('');
      assert.is(brokenRule('duration', text) === undefined, parses(parseDuration, text), text);
      assert.is(brokenRule('size', text) === undefined, parses(parseSize, text), text);
    }),
    { numRuns: 2000 },
  );
  assert.is(brokenRule('duration', 'soon')?.code, 'INVALID_DURATION');
  assert.is(brokenRule('size', 'big')?.code, 'INVALID_SIZE');
});

test('no format takes long over a long text', () => {
  const texts = ['../', 'a/', './', '!', '{', '\\', '/', '1', '1h', ' ', '..', '@a/', 'a.'].map((piece) =>
    piece.repeat(5000),
  );
  const start = performance.now();
  for (const format of Object.keys(FORMATS) as Format[]) {
    for (const text of texts) {
      brokenRule(format, text);
      brokenRule(format, `${text}\n/..`);
    }
  }
  assert.ok(performance.now() - start < 5000, `${performance.now() - start} ms`);
});

test('every rule says what is wrong and what to do', () => {
  for (const rule of Object.values(FORMATS).flat()) {
    assert.match(rule.says, /^[a-z][^.]*$/);
    assert.match(rule.hint, /^[A-Z].*\.$/);
  }
});

test.run();
