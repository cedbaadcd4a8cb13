import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { parse } from 'smol-toml';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type KeyPath, Positions } from '../../../../core/app/config/text/positions.ts';
import { parseJson } from '../../../../core/base/json.ts';
import { documents } from '../_toml.ts';

const places = (text: string): ((path: KeyPath) => string) => {
  const positions = new Positions('f', text);
  return (path) => {
    const key = positions.key(path);
    const value = positions.value(path);
    return `${key.line}:${key.column} ${value.line}:${value.column}`;
  };
};

/** Without prototypes, and without the difference between 0 and -0. */
const plain = (value: unknown): unknown => parseJson(JSON.stringify(value));

test('every key and value of a document is found where it is written', () => {
  fc.assert(
    fc.property(documents, ({ text, model, marks }) => {
      assert.ok(isDeepStrictEqual(plain(parse(text)), plain(model)), `the writer is wrong: ${text}`);
      const positions = new Positions('f', text);
      const place = (offset: number): object => {
        const before = text.slice(0, offset).split('\n');
        return { file: 'f', line: before.length, column: (before.at(-1) ?? '').length + 1 };
      };
      for (const { path, key, value } of marks.values()) {
        assert.equal(positions.key(path), place(key), `key of ${JSON.stringify(path)} in ${JSON.stringify(text)}`);
        assert.equal(
          positions.value(path),
          place(value),
          `value of ${JSON.stringify(path)} in ${JSON.stringify(text)}`,
        );
      }
    }),
    { numRuns: 1000 },
  );
});

test('the scan of any text comes to an end', () => {
  const pieces = fc.constantFrom(
    '[',
    ']',
    '{',
    '}',
    '"',
    "'",
    '"""',
    "'''",
    '=',
    ',',
    '.',
    '#',
    '\n',
    ' ',
    'a',
    '\\',
    '1',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), (text) => {
      assert.ok(new Positions('f', text.join('')).key(['a', 0, 'b']).line >= 1);
    }),
    { numRuns: 1000 },
  );
});

test('tables by headers, dotted keys and inline are one', () => {
  const at = places('[tasks.a]\nrun = "x"\nargs.n = { file = "f" }\n\n[tasks.b.args]\nx = 1\n[tasks.b]\ncall = 2\n');
  assert.is(at(['tasks']), '1:2 1:2');
  assert.is(at(['tasks', 'a']), '1:8 1:1');
  assert.is(at(['tasks', 'a', 'run']), '2:1 2:7');
  assert.is(at(['tasks', 'a', 'args']), '3:1 3:1');
  assert.is(at(['tasks', 'a', 'args', 'n']), '3:6 3:10');
  assert.is(at(['tasks', 'a', 'args', 'n', 'file']), '3:12 3:19');
  assert.is(at(['tasks', 'b', 'args', 'x']), '6:1 6:5');
  assert.is(at(['tasks', 'b']), '7:8 7:1', 'the own header counts, not the one that came first');
});

test('an array of tables is found by its elements', () => {
  const at = places('[[a]]\nx = 1\n[a.b]\ny = 2\n[[a]]\nx = 3\n[[a.c]]\nz = [\n  1, # one\n  [2],\n]\n');
  assert.is(at(['a']), '1:3 1:1');
  assert.is(at(['a', 0]), '1:1 1:1');
  assert.is(at(['a', 0, 'b', 'y']), '4:1 4:5');
  assert.is(at(['a', 1]), '5:1 5:1');
  assert.is(at(['a', 1, 'x']), '6:1 6:5');
  assert.is(at(['a', 1, 'c', 0, 'z', 0]), '9:3 9:3');
  assert.is(at(['a', 1, 'c', 0, 'z', 1, 0]), '10:4 10:4');
});

test('dates with a space are one value', () => {
  const at = places('a = [1979-05-27 07:32:00, 07:32:00]\nb = { c = 1979-05-27 07:32:00Z, d = 1 }\n');
  assert.is(at(['a', 1]), '1:27 1:27');
  assert.is(at(['b', 'd']), '2:33 2:37');
});

test('what is not there has the place of what is around it', () => {
  const at = places('[a]\nb = [1]\n');
  assert.is(at(['a', 'x']), '1:2 1:2');
  assert.is(at(['a', 'b', 7, 'y']), '2:1 2:1');
  assert.is(at(['z']), '1:1 1:1');
  assert.is(at([]), '1:1 1:1');
});

test('a lazy position is equal to the one it stands for', () => {
  const positions = new Positions('f', '\n  a = 1\n');
  assert.equal({ ...positions.lazyKey(['a']) }, { file: 'f', line: 2, column: 3 });
  assert.is(JSON.stringify(positions.lazyKey(['a'])), '{"file":"f","line":2,"column":3}');
});

test.run();
