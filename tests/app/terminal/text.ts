/** Text from elsewhere, made fit for a terminal. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cut, harmless, padded, squeezed, tameLine, widthOf } from '../../../core/app/terminal/text.ts';

test('a name keeps what can be read and spells out the rest', () => {
  assert.is(harmless('päth/名.ts'), 'päth/名.ts');
  assert.is(harmless('a\u001b[31m\n\u202e\u009b'), 'a\\x1b[31m\\x0a\\u202e\\x9b');
});

test('colours are kept where they are wanted and end with the line', () => {
  const line = '\u001b[1;31mbad\u001b[K\u001b]8;;http://x\u0007link\u001b]8;;\u0007';
  assert.is(tameLine(line, true), '\u001b[1;31mbadlink\u001b[0m');
  assert.is(tameLine(line, false), 'badlink');
});

test('of what a carriage return overwrites the last is kept', () => {
  assert.is(tameLine('10%\r50%\r100%', true), '100%');
  assert.is(tameLine('windows\r', true), 'windows');
});

test('nothing that acts on a terminal but colours survives', () => {
  const unit = fc.constantFrom(
    '\u001b',
    '[',
    ']',
    '2',
    'J',
    'm',
    ';',
    '\u0007',
    '\\',
    '\u009b',
    'P',
    'x',
    '\u0008',
    '(',
  );
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 30 }), (line) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      assert.not.match(tameLine(line, false), /[\u0000-\u001f\u007f-\u009f]/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      assert.not.match(tameLine(line, true).replace(/\u001b\[[0-9;:]*m/g, ''), /[\u0000-\u001f\u007f-\u009f]/);
    }),
  );
});

test('widths count cells', () => {
  assert.is(widthOf('abc'), 3);
  assert.is(widthOf('漢字'), 4);
  assert.is(widthOf('e\u0301'), 1);
  assert.is(widthOf('✓ ok'), 4);
  assert.is(widthOf('🚀'), 2);
});

test('a text that is cut fits, and one that fits is not cut', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', '漢', 'é', '🚀') }),
      fc.integer({ min: 0, max: 12 }),
      (text, width) => {
        const short = cut(text, width);
        assert.ok(widthOf(short) <= width);
        if (widthOf(text) <= width) assert.is(short, text);
        assert.ok(widthOf(padded(short, width)) === width);
      },
    ),
  );
});

test('the middle of a text is left out where it does not fit, and never more than that', () => {
  assert.is(squeezed('packages/app#build', 10), 'pack…build');
  assert.is(squeezed('漢字漢字漢字', 6), '漢…字');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 12 }), (text, width) => {
      const short = squeezed(text, width);
      assert.ok(widthOf(short) <= width);
      if (widthOf(text) <= width) assert.is(short, text);
    }),
  );
});

test.run();
