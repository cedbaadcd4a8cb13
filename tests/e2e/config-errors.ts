/** A wrong configuration is refused with its place and a way out, before anything is touched. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ErrorCode } from '../../core/base/errors.ts';
import { CHAIN, CONFIG } from './_chain.ts';
import { withRig } from './_rig.ts';

interface Case {
  readonly name: string;
  /** What is put in the place of what, in the configuration of the chain. */
  readonly from: string;
  readonly to: string;
  readonly code: ErrorCode;
  /** Where the error is, as the text that begins there. */
  readonly at: string;
  readonly says: RegExp;
  readonly hint: RegExp;
}

const CASES: readonly Case[] = [
  { name: 'a text that is not TOML', from: 'tasks = ["count"]', to: 'tasks = ["count"', code: 'CONFIG_SYNTAX', at: '', says: /./, hint: /./ },
  { name: 'an unknown table', from: '[tasks.count]', to: '[task.count]', code: 'CONFIG_UNKNOWN_KEY', at: 'task.count', says: /"task"/, hint: /"tasks"/ },
  { name: 'an unknown key', from: 'inputs = ["src', to: 'input = ["src', code: 'CONFIG_UNKNOWN_KEY', at: 'input = ', says: /"input"/, hint: /"inputs"/ },
  { name: 'a value of the wrong type', from: 'inputs = ["src/**/*.txt", "scripts/strip.mjs"]', to: 'inputs = "src/**"', code: 'CONFIG_TYPE', at: '"src/**"', says: /list/, hint: /\["src\/\*\*"\]/ },
  { name: 'a number where text belongs', from: 'run = "node scripts/join.mjs"', to: 'run = 7', code: 'CONFIG_TYPE', at: '7', says: /string/, hint: /"7"/ },
  { name: 'a task that is not there', from: 'needs = ["join"]', to: 'needs = ["jion"]', code: 'CONFIG_UNKNOWN_TASK', at: '"jion"', says: /"jion"/, hint: /"join"/ },
  { name: 'a default task that is not there', from: 'tasks = ["count"]', to: 'tasks = ["cuont"]', code: 'CONFIG_UNKNOWN_TASK', at: '"cuont"', says: /"cuont"/, hint: /"count"/ },
  { name: 'a cache that is not there', from: 'root = true', to: 'root = true\ncache = "loacl"\n[caches.local]\ntype = "Lmdb"\n[default.x]', code: 'CONFIG_UNKNOWN_CACHE', at: '"loacl"', says: /"loacl"/, hint: /"local"/ },
  { name: 'a storage that is not there', from: '[tasks.strip]', to: '[caches.local]\ntype = "Lmbd"\n\n[tasks.strip]', code: 'CONFIG_INVALID', at: '"Lmbd"', says: /Lmbd/, hint: /"Lmdb"/ },
  { name: 'a circle', from: 'outputs = ["gen/**"]', to: 'outputs = ["gen/**"]\nneeds = ["count"]', code: 'CONFIG_CYCLE', at: '', says: /strip.*count.*join|count.*join.*strip|join.*strip.*count/s, hint: /./ },
  { name: 'two tasks that write one file', from: 'outputs = ["report.json"]', to: 'outputs = ["build/all.txt"]', code: 'CONFIG_OVERLAP', at: '', says: /build/, hint: /./ },
  { name: 'a task without a body', from: 'run = "node scripts/count.mjs"\n', to: '', code: 'CONFIG_INVALID', at: 'count]', says: /"run"/, hint: /run = / },
  { name: 'an output outside the project', from: 'outputs = ["report.json"]', to: 'outputs = ["../report.json"]', code: 'CONFIG_INVALID', at: '"../report.json"', says: /\.\.\/report\.json/, hint: /./ },
]; // biome-ignore format: one table

/** Line and column, from 1, of the last occurrence of a text. */
function placeOf(text: string, part: string): [line: number, column: number] {
  const before = text.slice(0, text.lastIndexOf(part)).split('\n');
  return [before.length, (before.at(-1) ?? '').length + 1];
}

for (const { name, from, to, code, at, says, hint } of CASES) {
  test(`refused with place and hint: ${name}`, async () => {
    const config = CONFIG.replace(from, () => to);
    assert.is.not(config, CONFIG);
    await withRig({ ...CHAIN, 'fleche.config.toml': config }, async (rig) => {
      const before = rig.snapshot();
      const person = await rig.fleche(['run']);
      assert.is(person.code, 3, person.stderr);
      assert.is(person.stdout, '');
      assert.match(person.stderr, new RegExp(`error\\[${code}\\]: fleche\\.config\\.toml:\\d+:\\d+: `));
      assert.match(person.stderr, /hint: /);

      const program = await rig.fleche(['run', '--json']);
      assert.is(program.code, 3);
      const reported = JSON.parse(program.stdout);
      const error = [reported, ...(reported.errors ?? [])].find((one: { code: string }) => one.code === code);
      assert.ok(error !== undefined, program.stdout);
      assert.match(error.message, says);
      assert.match(error.hint, hint);
      if (at !== '') assert.equal([error.at.line, error.at.column], placeOf(config, at));

      assert.equal(rig.snapshot(), before);
      assert.equal(rig.log(), []);
      assert.not.ok(rig.exists('.fleche'), 'nothing is created');
    });
  });
}

test('several errors are told at once', async () => {
  const config = CONFIG.replace('needs = ["join"]', 'needs = ["jion"]').replace('outputs = ["gen', 'output = ["gen');
  await withRig({ ...CHAIN, 'fleche.config.toml': config }, async (rig) => {
    const { code, stderr } = await rig.fleche(['run']);
    assert.is(code, 3);
    assert.match(stderr, /CONFIG_UNKNOWN_TASK/);
    assert.match(stderr, /CONFIG_UNKNOWN_KEY/);
  });
});

test('a folder without a configuration says how to begin', async () => {
  await withRig({}, async (rig) => {
    const { code, stderr } = await rig.fleche(['run']);
    assert.is(code, 3);
    assert.match(stderr, /CONFIG_NOT_FOUND/);
    assert.equal(rig.snapshot(), {});
  });
});

test('a misspelt verb, option or task is told with what was meant', async () => {
  await withRig(CHAIN, async (rig) => {
    for (const [words, meant] of [
      [['rnu'], 'run'],
      [['run', '--jbos', '1'], '--jobs'],
      [['run', 'cuont'], 'count'],
    ] as const) {
      // biome-ignore format: short
      const { code, stderr } = await rig.fleche(words);
      assert.is(code, 3, words.join(' '));
      assert.ok(stderr.includes(meant), stderr);
    }
    assert.equal(rig.log(), []);
  });
});

test.run();
