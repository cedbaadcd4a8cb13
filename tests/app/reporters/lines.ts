/** Lines from bytes, wherever chunks end. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LineSplitter, Log } from '../../../core/app/reporters/lines.ts';

test('where chunks end changes no line, not even within a character', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'ü', '漢', '😀', '\n', '\r') }),
      fc.array(fc.nat(5)),
      (text, sizes) => {
        const bytes = Buffer.from(text);
        const splitter = new LineSplitter();
        const lines: string[] = [];
        let at = 0;
        for (const size of sizes) {
          lines.push(...splitter.push(bytes.subarray(at, at + size)));
          at += size;
        }
        lines.push(...splitter.push(bytes.subarray(at)), ...splitter.end());
        const expected = text.split('\n');
        if (expected.at(-1) === '') expected.pop();
        assert.equal(lines, expected);
      },
    ),
  );
});

test('bytes that are no UTF-8 are replaced and lose nothing else', () => {
  const splitter = new LineSplitter();
  assert.equal(splitter.push(Uint8Array.of(0x61, 0xff, 0x62, 0x0a, 0xe6)), ['a\ufffdb']);
  assert.equal(splitter.end(), ['\ufffd']);
});

test('a line without end is handed out in pieces', () => {
  const splitter = new LineSplitter();
  const lines = Array.from({ length: 5 }, () => splitter.push(Buffer.alloc(30_000, 'x'))).flat();
  assert.ok(lines.length > 0);
  assert.is([...lines, ...splitter.end()].join('').length, 150_000);
});

test('a log keeps its lines in order', () => {
  const log = new Log();
  log.push(Buffer.from('a\nb'));
  log.push(Buffer.from('c\n\nd'));
  assert.equal(log.end(), ['a', 'bc', '', 'd']);
});

test('a log that is very long keeps its beginning and its end and says what is gone', () => {
  const log = new Log();
  const total = 200_000;
  for (let at = 0; at < total; at += 1000) {
    const lines = Array.from({ length: 1000 }, (_, i) => `line number ${at + i}\n`);
    log.push(Buffer.from(lines.join('')));
  }
  const lines = log.end();
  const gap = lines.findIndex((line) => line.startsWith('…'));
  const left = Number(/^… (\d+) lines left out …$/.exec(lines[gap] ?? '')?.[1]);
  assert.is(lines[0], 'line number 0');
  assert.is(lines[gap - 1], `line number ${gap - 1}`);
  assert.is(lines[gap + 1], `line number ${gap + left}`);
  assert.is(lines.at(-1), `line number ${total - 1}`);
  assert.is(lines.length - 1 + left, total);
  assert.ok(lines.join('\n').length < 1_500_000);
});

test.run();
