/** What a task reads by what is written of it: everything in its folder, named lists, packages below, ignore files. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadConfig } from '../../../../core/app/config/load.ts';
import type { Task } from '../../../../core/graph/tasks/task.ts';
import { inHome, thrown } from '../_project.ts';

const WORKSPACE = '[workspace]\npackages = ["packages/*"]\n';
const FILES = {
  'p/packages/a/package.json': '{ "name": "a", "scripts": { "t": "x" } }',
  'p/packages/b/package.json': '{ "name": "b", "scripts": { "t": "x" }, "dependencies": { "a": "*" } }',
};

function tasksOf(config: string, files: Readonly<Record<string, string>> = {}): ReadonlyMap<string, Task> {
  const all = { ...FILES, 'p/fleche.config.toml': config, ...files };
  return inHome(all, (home) => loadConfig(join(home, 'p'), { home }).tasks);
}

function task(name: string, config: string, files?: Readonly<Record<string, string>>): Task {
  const found = tasksOf(config, files).get(name);
  if (found === undefined) throw new Error(`no task ${name}`);
  return found;
}

const inputs = (config: string, name = 'b#t'): readonly string[] => task(name, `${WORKSPACE}${config}`).inputs;
const B = ['packages/b/**', '!packages/b/**/fleche.config.toml'];
const A = ['packages/a/**', '!packages/a/**/fleche.config.toml'];

test('a command without inputs has everything in its folder', () => {
  const { inputs, whole } = task('b#t', `${WORKSPACE}[templates.t]`);
  assert.equal([inputs, whole], [B, { folders: ['packages/b'], patterns: 2 }]);
  assert.equal(task('t', 'tasks.t = "x"').inputs, ['**', '!**/fleche.config.toml']);
});

test('a command with an empty list has none, nor has a function, nor a command that tells what it reads', () => {
  for (const keys of ['run = "x"\ninputs = []', 'call = "./a.ts#b"', 'run = "x"\ndiscovered = { tsc = true }']) {
    const { inputs, whole } = task('t', `[tasks.t]\n${keys}`);
    assert.equal([inputs, whole], [[], undefined], keys);
  }
});

test('what comes after everything adds and takes away', () => {
  const { inputs, whole } = task('b#t', `${WORKSPACE}[templates.t]\ninputs = ["@default", "//x.json", "!*.md"]`);
  assert.equal(inputs, [...B, 'x.json', '!packages/b/*.md']);
  assert.equal(whole, { folders: ['packages/b'], patterns: 2 });
});

test('named lists stand for their patterns, relative to who uses them', () => {
  const lists = '[inputs]\nsrc = ["src/**", "@config", "!**/*.md"]\nconfig = ["//tsconfig.json"]\n';
  assert.equal(inputs(`${lists}[templates.t]\ninputs = ["@src", "x"]`), [
    'packages/b/src/**',
    'tsconfig.json',
    '!packages/b/**/*.md',
    'packages/b/x',
  ]);
  const own = { 'p/packages/b/fleche.config.toml': '[inputs]\nsrc = ["lib/**"]' };
  const { inputs: ofB } = task('b#t', `${WORKSPACE}${lists}[templates.t]\ninputs = ["@src"]`, own);
  assert.equal(ofB, ['packages/b/lib/**'], 'a list of the package comes before one of the root');
});

test('^ means the packages below', () => {
  assert.equal(inputs('[templates.t]\ninputs = ["src/**", "^src/**"]'), ['packages/b/src/**', 'packages/a/src/**']);
  assert.equal(inputs('[inputs]\ns = ["src/*"]\n[templates.t]\ninputs = ["^@s"]'), ['packages/a/src/*']);
  assert.equal(inputs('[templates.t]\ninputs = ["@default", "^@default"]'), [...B, ...A]);
  assert.equal(inputs('[tasks.r]\nrun = "x"\ninputs = ["^src"]', 'r'), ['packages/a/src', 'packages/b/src']);
});

test('what is wrong with named lists is told where it is used', () => {
  const said = (config: string): readonly string[] => {
    const { errors, hints } = thrown(() => tasksOf(config));
    return [...errors, ...hints];
  };
  const t = (list: string): string => `[tasks.t]\nrun = "x"\ninputs = [${list}]\n`;
  assert.equal(said(`${t('"@sorces"')}[inputs]\nsources = ["x"]`), [
    'CONFIG_INVALID 3:11 tasks.t.inputs[0]: there is no list of inputs "@sorces"',
    'Did you mean "sources"?',
  ]);
  assert.equal(said(`${t('"a", "@a"')}[inputs]\na = ["@b"]\nb = ["@a"]`), [
    'CONFIG_INVALID 3:16 tasks.t.inputs[1]: "@a" contains itself',
    'Remove one of the two.',
  ]);
  assert.match(said(t('"a", "@default"'))[0] ?? '', /"@default" comes after other patterns$/);
  assert.match(
    said(`${t('"a", "!@a"')}inputs.a = ["b"]`.replace('inputs.a', '[inputs]\na'))[0] ?? '',
    /cannot be taken away$/,
  );
  assert.match(said('[inputs]\ndefault = ["x"]')[0] ?? '', /the name "default" is reserved/);
  assert.match(said('[inputs]\n"a b" = ["x"]')[0] ?? '', /is not the name of a list/);
});

/** Everything that is taken away from, or given back to, the folder of `b`, by ignore files in the root and the package. */
function ignored(root: string, own = ''): readonly string[] {
  const files = { 'p/.gitignore': root, 'p/packages/b/.gitignore': own, 'p/packages/a/.gitignore': 'not-b' };
  return task('b#t', `${WORKSPACE}[templates.t]`, files).inputs.slice(2);
}

test('lines of ignore files become patterns', () => {
  assert.equal(ignored('# all\n\nnode_modules\n*.log \n/out\ndoc/*.pdf\n'), [
    '!**/node_modules',
    '!**/*.log',
    '!out',
    '!doc/*.pdf',
  ]);
  assert.equal(ignored('dist/\n/tmp/\n'), ['!**/dist/*', '!tmp/*'], 'a line for folders spares a file of that name');
  assert.equal(ignored('', '/gen\ncache\n'), ['!packages/b/gen', '!packages/b/**/cache']);
});

test('what is given back is not more than was there', () => {
  assert.equal(ignored('*.log\n!keep.log\n!/packages/b/x.log\n!/other/y.log\n'), [
    '!**/*.log',
    'packages/b/**/keep.log',
    'packages/b/x.log',
  ]);
  assert.equal(ignored('', '*\n!src/\n'), ['!packages/b/**/*', 'packages/b/**/src/*']);
});

test('a line that patterns cannot say takes nothing away', () => {
  assert.equal(ignored('\\#x\n{a,b}\nx\\ y\n!\n/\n'), []);
});

test('ignore files around the project count up to the root of the repository', () => {
  const files = { '.gitignore': '*.far', 'r/.git/HEAD': '', 'r/.gitignore': '*.near\n/p/out\n/q/out\n' };
  const all = { ...files, 'r/p/fleche.config.toml': 'tasks.t = "x"' };
  const { tasks } = inHome(all, (home) => loadConfig(join(home, 'r/p'), { home }));
  assert.equal(tasks.get('t')?.inputs.slice(2), ['!**/*.near', '!out']);
});

test('a command of a workspace has what is installed for its package in its key', () => {
  const tasks = tasksOf(`${WORKSPACE}[templates.t]\n[templates.u]\nrun = "x"\nlock = false\n[tasks.r]\nrun = "x"`);
  const of = (name: string): string | undefined => tasks.get(name)?.installed?.folder;
  assert.equal(['b#t', 'b#u', 'r'].map(of), ['packages/b', undefined, '.']);
  assert.is(task('t', 'tasks.t = "x"').installed, undefined);
  const names = (name: string): readonly string[] | undefined =>
    tasks
      .get(name)
      ?.installed?.manifests.split('\n')
      .map((line) => line.replace(/\t[0-9a-f]{16}$/, ' ok'));
  assert.equal([names('a#t'), names('b#t')], [['a ok'], ['b ok', 'a ok']], 'and the manifests of what it can load');
});

test.run();
