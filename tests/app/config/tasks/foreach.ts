import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Task } from '../../../../core/graph/tasks/task.ts';
import { assertErrors, load } from '../_project.ts';

function read(text: string, name = 't'): Task | undefined {
  return load(text).tasks.get(name);
}

test('files, the values of a list, and what another task made', () => {
  const of = (foreach: string): unknown =>
    read(`[tasks.t]\nrun = "x"\nforeach = ${foreach}\n[tasks.u]\ncall = "./u.ts#u"`)?.foreach?.of;
  assert.equal(of('{ glob = "docs/*.md" }'), { kind: 'files', patterns: ['docs/*.md'] });
  assert.equal(of('{ glob = ["docs/*.md", "!docs/_*"] }'), { kind: 'files', patterns: ['docs/*.md', '!docs/_*'] });
  assert.equal(of('["en", { b = 1 }]'), { kind: 'values', values: ['en', { b: 1 }] });
  assert.equal(of('{ from = "u" }'), { kind: 'from', task: 'u', isNeeded: false });
});

test('what another task made is needed as a whole only where that is said', () => {
  const task = (more: string): Task | undefined =>
    read(`[tasks.t]\nrun = "x"\nforeach = { from = "u" }\n${more}\n[tasks.u]\ncall = "./u.ts#u"`);
  assert.equal(task('')?.needs, ['u']);
  assert.equal(task('needs = ["u"]')?.needs, ['u']);
  assert.equal(task('needs = ["u"]')?.foreach?.of, { kind: 'from', task: 'u', isNeeded: true });
});

test('the outputs of the task cover those of its items', () => {
  const outputs = (pattern: string): unknown =>
    read(`[tasks.t]\nrun = "x"\nforeach = { glob = "docs/**/*.md" }\noutputs = ["${pattern}"]`)?.outputs;
  assert.equal(outputs('build/{name}.html'), ['build/*.html']);
  assert.equal(outputs('build/{dir}/{name}{ext}'), ['build/**/**']);
  assert.equal(outputs('build/{path}.json'), ['build/**/*.json']);
  assert.equal(outputs('build/{name}/**'), ['build/*/**']);
});

test('where items tell what they read is named after them, or what they print tells it', () => {
  const discovered = (text: string): unknown =>
    read(`[tasks.t]\nrun = "x"\nforeach = { glob = "src/**/*.c" }\ndiscovered = ${text}`)?.discovered;
  assert.equal(discovered('{ depfile = "build/{dir}/{name}.d" }'), { form: 'depfile', file: 'build/{dir}/{name}.d' });
  assert.equal(discovered('{ tsc = true }'), { form: 'tsc', file: null });
});

test('a command that is done for each item reads nothing else unless that is said', () => {
  assert.equal(read('[tasks.t]\nrun = "x"\nforeach = ["a"]')?.inputs, []);
  assert.equal(read('[tasks.t]\nrun = "x"\nforeach = ["a"]\ninputs = ["x.sh"]')?.inputs, ['x.sh']);
});

test('what cannot be is an error at its place', () => {
  const REMOVE = 'Remove it, or remove foreach.';
  const each = '[tasks.t]\nrun = "x"\nforeach = { glob = "*.md" }\n';
  assertErrors([
    [
      `${each}▸clean = false\n▸persistent = true`,
      ['CONFIG_INVALID', 'tasks.t.clean: earlier outputs of an item are always removed before it runs', REMOVE],
      ['CONFIG_INVALID', 'tasks.t.persistent: a service is not done for each of many items', REMOVE],
    ],
    [
      `${each}discovered = { depfile = ▸"a.d" }`,
      [
        'CONFIG_INVALID',
        'tasks.t.discovered.depfile: all items would write it',
        'Name it after the item, with a placeholder such as {name}.',
      ],
    ],
    [
      `${each}discovered = { list = ▸"build/{key}.txt" }`,
      [
        'CONFIG_INVALID',
        'tasks.t.discovered.list: {key} stands for nothing',
        'Known: path, dir, name, ext. There are {path}, {dir}, {name}, {ext}.',
      ],
    ],
    [
      '[tasks.t]\nrun = "x"\nforeach = ["a"]\ndiscovered = { metafile = ▸"x{dir}/a.json" }',
      [
        'CONFIG_INVALID',
        'tasks.t.discovered.metafile: {dir} stands for nothing',
        'Known: item, key. There are {item}, {key}.',
      ],
    ],
    [
      `${each}outputs = [▸"build/all.html"]`,
      [
        'CONFIG_INVALID',
        'tasks.t.outputs[0]: all items would write it',
        'Name it after the item, with a placeholder such as {name}.',
      ],
    ],
    [
      `${each}outputs = [▸"build/{nmae}.html"]`,
      [
        'CONFIG_INVALID',
        'tasks.t.outputs[0]: {nmae} stands for nothing',
        'Did you mean "name"? There are {path}, {dir}, {name}, {ext}.',
      ],
    ],
    [
      `${each}outputs = [▸"build/{key}.html"]`,
      [
        'CONFIG_INVALID',
        'tasks.t.outputs[0]: {key} stands for nothing',
        'Known: path, dir, name, ext. There are {path}, {dir}, {name}, {ext}.',
      ],
    ],
    [
      `${each}outputs = [▸"build/x{dir}/a"]`,
      [
        'CONFIG_INVALID',
        'tasks.t.outputs[0]: {dir} and {path} begin a step of a path',
        'Put a "/" in front of it, and behind {dir}.',
      ],
    ],
    [
      `[tasks.t]\n▸run = "echo '{path}'"\nforeach = { glob = "*.md" }`.replace('▸run = ', 'run = ▸'),
      [
        'CONFIG_INVALID',
        'tasks.t.run: a placeholder stands in single quotes, where nothing is replaced',
        'Use double quotes, or none: it is quoted by itself.',
      ],
    ],
    [
      '[tasks.t]\ncall = "./a.ts#a"\nforeach = ["a"]\nargs = { ▸item = 1 }',
      ['CONFIG_INVALID', 'tasks.t.args.item: the item is passed as "item" already', 'Choose another name.'],
    ],
    [
      '[tasks.t]\nrun = "x"\nforeach = { from = ▸"u" }\n[tasks.u]\nrun = "x"\ninputs = []',
      ['CONFIG_INVALID', 'tasks.t.foreach.from: "u" has no outputs', 'Name a task that writes files, or a function.'],
    ],
    [
      '[tasks.tea]\nrun = "x"\nforeach = { from = ▸"tee" }',
      ['CONFIG_UNKNOWN_TASK', 'tasks.tea.foreach.from: there is no task "tee"', 'Did you mean "tea"?'],
    ],
    [
      '[tasks.t]\nrun = "x"\nforeach = { from = ▸"t" }',
      ['CONFIG_CYCLE', 'tasks need each other in a circle: t → t', 'A task cannot need itself.'],
    ],
    [
      '[tasks.▸"t[1]"]\nrun = "x"\nforeach = ["a"]',
      [
        'CONFIG_INVALID',
        'tasks."t[1]": its name has a bracket, and its items are called after it',
        'Choose another name.',
      ],
    ],
  ]);
});

test.run();
