import { join, resolve, sep } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { escapes, isWithin, normalRel, toAbs, toRel } from '../../core/base/paths.ts';

/** A root in the form of this machine. */
const BASE = resolve('/base/project');
const steps = fc.array(fc.constantFrom('a', 'b c', 'é', '.x', 'node_modules'), { minLength: 1, maxLength: 4 });

test('a relative path leads back to the absolute one, with slashes alone', () => {
  fc.assert(
    fc.property(steps, (names) => {
      const path = join(BASE, ...names);
      assert.is(toRel(BASE, path), names.join('/'));
      assert.is(toAbs(BASE, toRel(BASE, path)), path);
    }),
  );
});

test('the root itself is a dot, what lies outside begins with two', () => {
  assert.is(toRel(BASE, BASE), '.');
  assert.is(toRel(BASE, join(BASE, '..', 'x')), '../x');
  assert.is(toRel(BASE, join(BASE, '..', '..')), '../..');
});

test('an absolute path stays what it is', () => {
  assert.is(toAbs(BASE, resolve('/elsewhere')), resolve('/elsewhere'));
  assert.is(toAbs(BASE, '.'), BASE);
});

test('a written path is brought to its normal form', () => {
  const forms = {
    './a//b/../c': 'a/c',
    'a/': 'a',
    '.': '.',
    './': '.',
    '': '.',
    '../a': '../a',
    'a/../../b': '../b',
    'a/./b': 'a/b',
    '/': '/',
  };
  for (const [written, normal] of Object.entries(forms)) assert.is(normalRel(written), normal, JSON.stringify(written));
});

test('a normal form is its own normal form', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b', '.', '..', '')), (parts) => {
      const normal = normalRel(parts.join('/'));
      assert.is(normalRel(normal), normal);
    }),
  );
});

test('a backslash parts names on Windows and is a letter elsewhere', () => {
  assert.is(normalRel('a\\b'), sep === '\\' ? 'a/b' : 'a\\b');
});

test('what leaves its folder is found out', () => {
  for (const path of ['..', '../a', resolve('/a')]) assert.ok(escapes(path), path);
  for (const path of ['.', 'a', '..a', '...', 'a/..b', '.../a']) assert.not.ok(escapes(path), path);
});

test('within a folder is the folder and what lies below, not what begins like it', () => {
  assert.ok(isWithin('a', 'a'));
  assert.ok(isWithin('a', 'a/b'));
  assert.ok(isWithin('.', 'a'));
  assert.not.ok(isWithin('a', 'ab'));
  assert.not.ok(isWithin('a/b', 'a'));
});

test.run();
