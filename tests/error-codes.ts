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

test.run();
