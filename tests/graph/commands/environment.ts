/** The environment of a command and what of it is keyed. */
import { delimiter, join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { byCodeUnit } from '../../../core/base/order.ts';
import { normalRel, toAbs } from '../../../core/base/paths.ts';
import { type CommandEnvOptions, commandEnv, keyedEnv } from '../../../core/graph/commands/environment.ts';

const root = toAbs('/', 'project');

function environment(options: Partial<CommandEnvOptions>): Record<string, string> {
  return commandEnv({ root, dir: normalRel('.'), env: {}, declared: [], passed: [], windows: false, ...options });
}

test('what nobody declared does not reach a command', () => {
  const env = { HOME: '/home/x', SECRET: '1', NODE_ENV: 'test', TZ: 'UTC', LC_ALL: 'C', LC: 'no' };
  assert.equal(Object.keys(environment({ env })), ['HOME', 'LC_ALL', 'PATH']);
});

test('declared and passed variables reach it, by name and by prefix', () => {
  const env = { NODE_ENV: 'test', VITE_A: '1', VITE_B: '2', VIT: 'no', TOKEN: 't', UNSET: undefined };
  const found = environment({ env, declared: ['NODE_ENV', 'VITE_*', 'MISSING', 'UNSET'], passed: ['TOKEN'] });
  assert.equal(found, {
    NODE_ENV: 'test',
    PATH: join(root, 'node_modules', '.bin'),
    TOKEN: 't',
    VITE_A: '1',
    VITE_B: '2',
  });
});

test('installed programs come first on PATH, the nearest folder foremost', () => {
  const { PATH } = environment({ env: { PATH: '/usr/bin' }, dir: normalRel('packages/a') });
  const bin = (...folder: string[]): string => join(root, ...folder, 'node_modules', '.bin');
  assert.is(PATH, [bin('packages', 'a'), bin('packages'), bin(), '/usr/bin'].join(delimiter));
});

test('a folder outside the root has the programs of the root', () => {
  assert.is(environment({ dir: normalRel('../other') })['PATH'], join(root, 'node_modules', '.bin'));
});

test('on Windows the case of a name does not matter and is kept', () => {
  const env = { Path: 'C:\\bin', systemroot: 'C:\\Windows', node_env: 'test', 'ProgramFiles(x86)': 'P' };
  const found = environment({ env, declared: ['NODE_ENV'], windows: true });
  assert.equal(Object.keys(found), ['Path', 'ProgramFiles(x86)', 'node_env', 'systemroot']);
  assert.ok(found['Path']?.endsWith('C:\\bin'));
});

test('elsewhere it does', () => {
  assert.equal(Object.keys(environment({ env: { path: 'x', home: 'y' } })), ['PATH']);
});

test('the keyed variables are sorted, a declared one that is unset is recorded as unset', () => {
  const env = { B: '', A: '1', VITE_Z: 'z', VITE_A: 'a', OTHER: 'o' };
  assert.equal(keyedEnv(['VITE_*', 'B', 'NOT_SET', 'A', 'A'], env, false), [
    ['A', '1'],
    ['B', ''],
    ['NOT_SET', undefined],
    ['VITE_A', 'a'],
    ['VITE_Z', 'z'],
  ]);
});

test('a literal name that a wildcard matches too is there once', () => {
  assert.equal(keyedEnv(['V*', 'V1'], { V1: '1', V2: '2' }, false), [
    ['V1', '1'],
    ['V2', '2'],
  ]);
});

test('on Windows a declared name keeps its case, whatever the case of the variable', () => {
  assert.equal(keyedEnv(['Node_Env', 'vite_*'], { NODE_ENV: 'x', Vite_a: '1' }, true), [
    ['Node_Env', 'x'],
    ['VITE_A', '1'],
  ]);
});

test('everything that is keyed is passed on with the same value', () => {
  const name = fc.stringMatching(/^[A-C_]{1,3}$/);
  const patterns = fc.array(fc.tuple(name, fc.boolean()).map(([text, wild]) => (wild ? `${text}*` : text)));
  fc.assert(
    fc.property(patterns, fc.dictionary(name, fc.string()), (declared, env) => {
      const passed = environment({ env, declared });
      const keyed = keyedEnv(declared, env, false);
      for (const [key, value] of keyed) assert.is(Object.hasOwn(passed, key) ? passed[key] : undefined, value);
      const names = keyed.map(([key]) => key);
      assert.equal(names, [...new Set(names)].sort(byCodeUnit));
    }),
  );
});

test.run();
