/** The page about error codes, beside the code that throws them. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { explanations } from '../core/app/verbs/explain.ts';
import { filesBelow } from './_source.ts';

const ROOT = resolve(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(resolve(ROOT, path), 'utf8');
const [, union = ''] = /export type ErrorCode =([^;]*);/.exec(read('core/base/errors.ts')) ?? [];
const codes = union.match(/[A-Z_]+/g) ?? [];
const sources = filesBelow(ROOT, ['core', 'plugins'], /\.ts$/).filter((path) => path !== 'core/base/errors.ts');

test('every code has one row, and no row is about nothing', () => {
  const rows = explanations(read('core/ERRORS.md')).map(({ code }) => code);
  assert.equal([...rows].sort(), [...codes].sort());
});

test('every code is thrown somewhere', () => {
  const text = sources.map(read).join('\n');
  assert.equal(
    codes.filter((code) => !text.includes(`'${code}'`)),
    [],
  );
});

test('whoever meets an error at the command line is told what to do', () => {
  const met = sources.filter((path) => /^core\/(app|files|graph)\//.test(path));
  const silent = met.flatMap((path) => {
    const text = read(path);
    return [...text.matchAll(/new FlecheError\(\s*'([A-Z_]+)'/g)].flatMap(({ 1: code = '', index }) => {
      if (code === 'BUG' || /\bhint\b/.test(callAt(text, index))) return [];
      return `${path}:${text.slice(0, index).split('\n').length} ${code}`;
    });
  });
  assert.equal(silent, []);
});

/** From `new` to the end of the arguments. */
function callAt(text: string, from: number): string {
  let depth = 0;
  for (let at = text.indexOf('(', from); at < text.length; at++) {
    if (text[at] === '(') depth++;
    else if (text[at] === ')' && --depth === 0) return text.slice(from, at);
  }
  return text.slice(from);
}

test.run();
