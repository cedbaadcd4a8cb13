/** The scanner that the architecture test and the test runner rely on. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates are what is scanned
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { codeOf, filesBelow, importsOf } from './_source.ts';

const specifiers = (text: string): string[] => importsOf(text).map((found) => found.specifier);

test('comments are blanked, offsets stay', () => {
  assert.is(codeOf('a /* b\n c */ d // e\nf'), `a     \n      d     \nf`);
  assert.is(codeOf('#!/usr/bin/env node\na'), `${' '.repeat(19)}\na`);
  assert.is(codeOf('a /* never closed'), `a${' '.repeat(16)}`);
});

test('strings keep their quotes alone', () => {
  assert.is(codeOf(`'http://x' + "a\\"b" + ''`), `'        ' + "    " + ''`);
});

test('a template keeps the code inside it', () => {
  assert.is(codeOf('`a ${b + `c ${{ d }} e`} f`'), '`  ${b + `  ${{ d }}  `}  `');
  assert.is(codeOf('`\\${a}` + b'), '`     ` + b');
});

test('a regular expression is told from a division', () => {
  assert.is(codeOf('x = /[/"]/g; y'), `x =        ; y`);
  assert.is(codeOf('a / b / c'), 'a / b / c');
  assert.is(codeOf('f(a) / 2 // c'), 'f(a) / 2     ');
  assert.is(codeOf('return /"/.test(a)'), 'return    .test(a)');
  assert.is(codeOf('typeof x === 1 && /`/.test(x)'), 'typeof x === 1 &&    .test(x)');
});

test('every form of import is found', () => {
  const text = `import a from './a.ts';
import type { B } from "./b.ts";
import {
  c, // from './not.ts'
} from './c.ts';
import './d.ts';
export { e } from './e.ts';
export * from './f.ts';
const g = await import('./g.ts');
type H = import('./h.ts').H;`;
  assert.equal(specifiers(text), ['./a.ts', './b.ts', './c.ts', './d.ts', './e.ts', './f.ts', './g.ts', './h.ts']);
});

test('what only looks like an import is not one', () => {
  const text = `// import a from './a.ts'
const b = "import b from './b.ts'";
const c = \`import c from './c.ts'\`;
export const from = 'x';
import.meta.url; 'y'`;
  assert.equal(specifiers(text), []);
});

test('every file of the repository is read to its end', () => {
  // A scanner that loses its way takes the rest of a file for a string: then the last brackets would not balance.
  const root = resolve(import.meta.dirname, '..');
  for (const path of filesBelow(root, ['core', 'plugins', 'tests'], /\.ts$/)) {
    const code = codeOf(readFileSync(join(root, path), 'utf8'));
    for (const [open, close] of ['()', '[]', '{}']) {
      assert.is(code.split(open ?? '').length, code.split(close ?? '').length, `${path}: ${open}${close}`);
    }
  }
});

test.run();
