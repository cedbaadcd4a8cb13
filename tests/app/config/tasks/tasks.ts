import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Task, TaskArg } from '../../../../core/graph/tasks/task.ts';
import { assertErrors, load } from '../_project.ts';

const CALL = '[tasks.t]\ncall = "./t.ts#t"\n';
const RUN = '[tasks.t]\nrun = "x"\n';
const AS_WRITTEN = 'To pass a table as it is written, put it in { value = … }.';

function only(text: string): Task {
  const task = load(text).tasks.get('t');
  if (task === undefined) throw new Error('no task t');
  return task;
}

function args(toml: string): Readonly<Record<string, TaskArg>> {
  const { body } = only(`tasks.up = "x"\n${CALL}args = ${toml}`);
  return body.kind === 'function' ? body.args : {};
}

test('a text is a command with defaults for everything else', () => {
  const task = only('[tasks]\nt = "biome check ."');
  assert.equal(
    { ...task, at: { ...task.at } },
    {
      name: 't',
      body: { kind: 'command', command: 'biome check .' },
      dir: '.',
      needs: [],
      inputs: ['**', '!**/fleche.config.toml'],
      whole: { folders: ['.'], patterns: 2 },
      outputs: [],
      env: [],
      passEnv: [],
      tools: [],
      clean: true,
      cache: true,
      at: { file: task.at.file, line: 2, column: 1 },
    },
  );
  assert.match(task.at.file, /fleche\.config\.toml$/);
});

test('how a task tells what it read', () => {
  const discovered = (toml: string): unknown => only(`${RUN}discovered = ${toml}`).discovered;
  assert.equal(discovered('{ depfile = "./out//a.d" }'), { form: 'depfile', file: 'out/a.d' });
  assert.equal(discovered('{ metafile = "meta.json" }'), { form: 'metafile', file: 'meta.json' });
  assert.equal(discovered('{ list = "read.txt" }'), { form: 'list', file: 'read.txt' });
  assert.equal(discovered('{ tsc = "files.txt" }'), { form: 'tsc', file: 'files.txt' });
  assert.equal(discovered('{ tsc = true }'), { form: 'tsc', file: null });
  assert.is(discovered('{ tsc = false }'), undefined);
});

test('what a command reads from its standard input', () => {
  const stdin = (toml: string): unknown => {
    const { body } = only(`${RUN}stdin = ${toml}`);
    return body.kind === 'command' ? body.stdin : undefined;
  };
  assert.equal(stdin('"a\\nb"'), { kind: 'text', text: 'a\nb' });
  assert.equal(stdin('{ file = "./a//b.sql" }'), { kind: 'file', path: 'a/b.sql' });
});

test('what all tasks have of the environment comes before their own, each name once', () => {
  const config = load(`[default]
env = ["NODE_ENV", "MODE"]
pass_env = ["TOKEN"]
[tasks.a]
run = "a"
env = ["LEVEL", "MODE"]
pass_env = ["HOME_DIR"]
[tasks.b]
call = "./b.ts#b"
`);
  const seen = [...config.tasks.values()].map(({ env, passEnv }) => [env, passEnv]);
  assert.equal(seen, [
    [
      ['NODE_ENV', 'MODE', 'LEVEL'],
      ['TOKEN', 'HOME_DIR'],
    ],
    [['NODE_ENV', 'MODE'], ['TOKEN']],
  ]);
});

test('every key of a task arrives', () => {
  const task = only(`tasks.a = "x"
[tasks.t]
run = "make"
stale_after = "1h30m"
description = "Makes it"
needs = ["a"]
inputs = ["./src//**", "!src/gen/", "..\\\\shared\\\\*.ts", "."]
outputs = ["dist/", "!dist/*.tmp"]
env = ["NODE_ENV", "VITE_*"]
pass_env = ["*"]
tools = ["esbuild", "@scope/tool"]
dir = "./packages//a/"
clean = false
cache = false
`);
  assert.equal(task, {
    name: 't',
    body: { kind: 'command', command: 'make' },
    dir: 'packages/a',
    needs: ['a'],
    inputs: ['src/**', '!src/gen', '../shared/*.ts', '**'],
    outputs: ['dist', '!dist/*.tmp'],
    env: ['NODE_ENV', 'VITE_*'],
    passEnv: ['*'],
    tools: ['esbuild', '@scope/tool'],
    clean: false,
    cache: false,
    staleAfter: 5_400_000,
    description: 'Makes it',
    at: { file: task.at.file, line: 2, column: 8 },
  });
});

test('tasks keep the order of the file', () => {
  assert.equal([...load('[tasks]\nz = "1"\na = "2"\n[tasks.m]\nrun = "3"').tasks.keys()], ['z', 'a', 'm']);
});

test('a function has arguments from everywhere', () => {
  const task = only(`tasks.up = "x"\ntasks.first = "y"
[tasks.t]
call = "./tasks/report.ts#report"
needs = ["first"]
args.a = { from = "up" }
args.b = { file = "./data//a.json" }
args.c = { glob = "./data/*.csv" }
args.d = { glob = ["data/**", "!**/*.tmp"] }
args.e = { env = "LEVEL" }
args.f = { env = "LEVEL", default = "" }
args.g = { digest = "60079f79" }
args.h = { value = { file = "not a file" } }
args.i = "text"
`);
  assert.equal(task.body, {
    kind: 'function',
    module: 'tasks/report.ts',
    export: 'report',
    args: {
      a: { kind: 'from', task: 'up' },
      b: { kind: 'file', path: 'data/a.json' },
      c: { kind: 'glob', patterns: ['data/*.csv'] },
      d: { kind: 'glob', patterns: ['data/**', '!**/*.tmp'] },
      e: { kind: 'env', name: 'LEVEL', default: undefined },
      f: { kind: 'env', name: 'LEVEL', default: '' },
      g: { kind: 'digest', prefix: '60079f79' },
      h: { kind: 'value', value: { file: 'not a file' } },
      i: { kind: 'value', value: 'text' },
    },
  });
  assert.equal(task.needs, ['first', 'up'], 'what an argument comes from is needed');
});

test('a need that is an argument too is needed once', () => {
  assert.equal(
    only(`tasks.up = "x"\n${CALL}needs = ["up"]\nargs = { a = { from = "up" }, b = { from = "up" } }`).needs,
    ['up'],
  );
});

test('values are of everyday types', () => {
  const { a } = args('{ a = { n = 1, f = 1.5, b = true, l = [1, [2]], t = { x = "y" }, "__proto__" = 1 } }');
  assert.is(a?.kind, 'value');
  const value: unknown = a?.kind === 'value' ? a.value : undefined;
  assert.is(JSON.stringify(value), '{"n":1,"f":1.5,"b":true,"l":[1,[2]],"t":{"x":"y"},"__proto__":1}');
  assert.is(Object.getPrototypeOf(value), Object.prototype);
  assert.equal(args('{ a = {} }'), { a: { kind: 'value', value: {} } });
});

test('a value that only resembles a source is a value', () => {
  for (const value of [
    '[{ value = 1 }, { value = 2 }]',
    '{ a = { from = 1 } }',
    '{ a = { file = "x", mode = 1 } }',
    '{ b = { other = "x" } }',
  ]) {
    assert.is(args(`{ a = ${value} }`)['a']?.kind, 'value', value);
  }
});

test('a date with an offset is a date, a local one is text', () => {
  const found = args(
    '{ a = 1979-05-27T07:32:00Z, b = 1979-05-27T00:32:00-07:00, c = 1979-05-27, d = 07:32:00, e = 1979-05-27T07:32:00 }',
  );
  const value = (name: string): unknown => {
    const arg = found[name];
    return arg?.kind === 'value' ? arg.value : undefined;
  };
  const moment = new Date('1979-05-27T07:32:00Z');
  for (const name of ['a', 'b']) {
    assert.equal(value(name), moment);
    assert.is(Object.getPrototypeOf(value(name)), Date.prototype);
  }
  assert.equal([value('c'), value('d'), value('e')], ['1979-05-27', '07:32:00.000', '1979-05-27T07:32:00.000']);
});

test('a task is a command or a function', () => {
  const neither = 'Add a command, such as run = "tsc --noEmit", or a function, such as call = "./file.ts#export".';
  assertErrors([
    [
      '[tasks.t]\nrun = "x"\n▸call = "./a.ts#b"',
      ['CONFIG_INVALID', 'tasks.t has both "run" and "call"', 'Keep one of them.'],
    ],
    ['[tasks.▸t]\ninputs = []', ['CONFIG_INVALID', 'tasks.t has neither "run" nor "call"', neither]],
    ['[tasks]\n▸t = {}', ['CONFIG_INVALID', 'tasks.t has neither "run" nor "call"', neither]],
    [
      `${RUN}▸args = {}`,
      ['CONFIG_INVALID', 'tasks.t: "args" does not go with "run"', 'Remove it, or use "call" instead.'],
    ],
  ]);
});

test('a function is named by its module and export', () => {
  const hint = 'Write "./file.ts#export", relative to the project.';
  const wrong = [
    'tasks/a.ts#b',
    './a.ts',
    './a.ts#',
    './a#b',
    './a.ts#b c',
    './a.ts#b#c',
    '/a.ts#b',
    '#b',
    './a.py#b',
    'a',
  ];
  for (const call of wrong) {
    assertErrors([
      [`tasks.t.call = ▸"${call}"`, ['CONFIG_INVALID', `tasks.t.call: "${call}" is not a module and its export`, hint]],
    ]);
  }
  assertErrors([
    [
      'tasks.t.call = ▸"./../a.ts#b"',
      [
        'CONFIG_INVALID',
        'tasks.t.call: "./../a.ts#b" leaves the project',
        'Write a path below the folder of fleche.config.toml, without "..".',
      ],
    ],
  ]);
  for (const call of ['./a.ts#default', './a/b c.mts#b', './a.jsx#$x_1', './ä.cjs#größe'])
    assert.ok(only(`tasks.t.call = "${call}"`));
});

test('an argument has one source, and nothing beside it', () => {
  const inner =
    'Make it an argument of its own, or put the whole argument in { value = … } to pass it as it is written.';
  assertErrors([
    [
      `${CALL}args.a = { file = "x", ▸env = "y" }`,
      ['CONFIG_INVALID', 'tasks.t.args.a has both "file" and "env"', AS_WRITTEN],
    ],
    [
      `${CALL}args.a = { env = "X", ▸defalt = "y" }`,
      ['CONFIG_UNKNOWN_KEY', 'unknown key "defalt" in tasks.t.args.a', `Did you mean "default"? ${AS_WRITTEN}`],
    ],
    [
      `${CALL}args.a = { file = "x", ▸default = "y" }`,
      ['CONFIG_INVALID', 'tasks.t.args.a: "default" does not go with "file"', 'Remove it, or use "env" instead.'],
    ],
    [
      `${CALL}args.a = [▸{ file = "x" }]`,
      ['CONFIG_INVALID', 'tasks.t.args.a[0]: { file = … } would be passed as it is written', inner],
    ],
    [
      `${CALL}args.a = { b = { c = ▸{ env = "X", default = "y" } } }`,
      ['CONFIG_INVALID', 'tasks.t.args.a.b.c: { env = … } would be passed as it is written', inner],
    ],
    [
      `${CALL}args.a = { from = ▸"up" }`,
      ['CONFIG_UNKNOWN_TASK', 'tasks.t.args.a.from: there is no task "up"', 'Known: t.'],
    ],
    [
      `${CALL}args.a = { file = ▸1 }`,
      ['CONFIG_TYPE', 'tasks.t.args.a.file must be a string, not 1', 'Put it in quotes: "1"'],
    ],
    [
      `${CALL}args.a = { file = ▸"data/*.csv" }`,
      [
        'CONFIG_INVALID',
        'tasks.t.args.a.file: "data/*.csv" is a pattern, not a file',
        'Use glob = … for the files that a pattern matches.',
      ],
    ],
    [
      `${CALL}args.a = { file = ▸"/etc/passwd" }`,
      [
        'CONFIG_INVALID',
        'tasks.t.args.a.file: "/etc/passwd" is an absolute path',
        'Paths are relative to the folder of fleche.config.toml; "//" at the beginning stands for the root of the project.',
      ],
    ],
    [
      `${CALL}args.a = { glob = ▸1 }`,
      [
        'CONFIG_TYPE',
        'tasks.t.args.a.glob must be a string or a list of strings, not 1',
        'Write it like this: glob = "data/*.csv"',
      ],
    ],
    [
      `${CALL}args.a = { glob = ▸[] }`,
      ['CONFIG_INVALID', 'tasks.t.args.a.glob is empty', 'Write it like this: glob = "data/*.csv"'],
    ],
    [
      `${CALL}args.a = { env = ▸"A*" }`,
      [
        'CONFIG_INVALID',
        'tasks.t.args.a.env: "A*" is not the name of a variable',
        'Write the name of one environment variable, such as "LEVEL".',
      ],
    ],
    [
      `${CALL}args.a = { env = "A", default = ▸1 }`,
      ['CONFIG_TYPE', 'tasks.t.args.a.default must be a string, not 1', 'Put it in quotes: "1"'],
    ],
    [
      `${CALL}args.a = { digest = ▸"xyz" }`,
      [
        'CONFIG_INVALID',
        'tasks.t.args.a.digest: "xyz" is not a digest',
        'Write 4 to 64 of the characters 0-9 and a-f.',
      ],
    ],
  ]);
});

test('a pattern is relative, and an output stays in the project', () => {
  const relative =
    'Paths are relative to the folder of fleche.config.toml; "//" at the beginning stands for the root of the project.';
  const inside = 'Write a path below the folder of fleche.config.toml, without "..".';
  for (const key of ['inputs', 'outputs']) {
    for (const pattern of ['/abs', '!/abs', '\\\\\\\\server/x', 'C:/x', 'c:\\\\x']) {
      const shown = `tasks.t.${key}[1]: "${pattern}" is an absolute path`;
      assertErrors([[`${RUN}${key} = ["a", ▸"${pattern}"]`, ['CONFIG_INVALID', shown, relative]]]);
    }
  }
  for (const pattern of ['..', '../x', '!../x', 'a/../../x', 'a/..', '{../a,b}/c', '{a,..}/x', 'a\\\\..\\\\b']) {
    const shown = `tasks.t.outputs[1]: "${pattern}" leaves the project`;
    assertErrors([[`${RUN}outputs = ["a", ▸"${pattern}"]`, ['CONFIG_INVALID', shown, inside]]]);
  }
  for (const dir of ['..', '../x', 'a/../..']) {
    assertErrors([[`${RUN}dir = ▸"${dir}"`, ['CONFIG_INVALID', `tasks.t.dir: "${dir}" leaves the project`, inside]]]);
  }
  assertErrors([[`${RUN}dir = ▸"/x"`, ['CONFIG_INVALID', 'tasks.t.dir: "/x" is an absolute path', relative]]]);
});

test('an input may lie outside the project, but a pattern does not step back', () => {
  const hint = 'Write the path without "..", which may only stand at the beginning.';
  const fine = ['../x', '../../shared/**', './../y', '..a/b', 'a..b/c', 'v{1..3}', '...'];
  assert.equal(only(`${RUN}inputs = ${JSON.stringify(fine)}`).inputs, [...fine.slice(0, 2), '../y', ...fine.slice(3)]);
  for (const pattern of ['a/../b', '../a/../b', '**/../x', '!a/..', 'a/./../b', 'a\\\\..\\\\b']) {
    const shown = `tasks.t.inputs[1]: "${pattern}" steps back out of a folder`;
    assertErrors([[`${RUN}inputs = ["a", ▸"${pattern}"]`, ['CONFIG_INVALID', shown, hint]]]);
  }
});

test('no pattern walks through everything around the project', () => {
  const hint =
    'Patterns end at the root of the project; beside it a file or folder has to be named, such as "../shared/*.json".';
  for (const pattern of ['..', '../..', '../**', '../../**', '!../*.ts', '../*/src', '../{a,b}/x', '../[ab]']) {
    const shown = (at: string): string => `tasks.t.${at}: "${pattern}" walks through everything around the project`;
    assertErrors([
      [`${RUN}inputs = ["a", ▸"${pattern}"]`, ['CONFIG_INVALID', shown('inputs[1]'), hint]],
      [
        `[tasks.t]\ncall = "./a.ts#a"\nargs.x = { glob = ["a", ▸"${pattern}"] }`,
        ['CONFIG_INVALID', shown('args.x.glob[1]'), hint],
      ],
    ]);
  }
});

test('patterns that only take away, and those of too many words, are errors', () => {
  const away = 'Put a pattern without "!" before the others, such as "**".';
  assertErrors([
    [`${RUN}inputs = ▸["!a", "!b"]`, ['CONFIG_INVALID', 'tasks.t.inputs only takes files away', away]],
    [`${RUN}outputs = ▸["!a"]`, ['CONFIG_INVALID', 'tasks.t.outputs only takes files away', away]],
    [
      `${RUN}inputs = ["a{1..1000}", ▸"a{1..1001}"]`,
      [
        'CONFIG_INVALID',
        'tasks.t.inputs[1] stands for too many words',
        'Use * or ** instead of so many alternatives in braces.',
      ],
    ],
  ]);
});

const needs = (graph: Readonly<Record<string, string>>): string =>
  Object.entries(graph)
    .map(([name, list]) => `[tasks.${name}]\nrun = "x"\nneeds = [${list}]\n`)
    .join('');
const circle = (path: string, hint = 'Remove one of these needs.'): readonly [string, string, string] => [
  'CONFIG_CYCLE',
  `tasks need each other in a circle: ${path}`,
  hint,
];

test('a task that needs itself, or is needed by what it needs, is an error with the whole path', () => {
  const itself = 'A task cannot need itself.';
  assertErrors([
    [needs({ a: '▸"a"' }), circle('a → a', itself)],
    [needs({ a: '"b"', b: '▸"a"' }), circle('a → b → a')],
    [needs({ a: '"b"', b: '"c"', c: '▸"a"' }), circle('a → b → c → a')],
    [needs({ a: '▸"a"', b: '▸"b"' }), circle('a → a', itself), circle('b → b', itself)],
    [needs({ lead: '"a"', a: '"b"', b: '"out", ▸"a"', out: '' }), circle('a → b → a')],
    [needs({ a: '"b", "c"', b: '▸"a"', c: '▸"a"' }), circle('a → b → a'), circle('a → c → a')],
    [needs({ b: '"a"', a: '"c"', c: '▸"b"' }), circle('b → a → c → b')],
    [
      needs({ a: '▸1, ▸"a"' }),
      ['CONFIG_TYPE', 'tasks.a.needs[0] must be a string, not 1', 'Put it in quotes: "1"'],
      circle('a → a', itself),
    ],
  ]);
});

test('a circle through an argument is found at the argument', () => {
  assertErrors([
    [`${needs({ a: '"t"' })}${CALL}args.x = { from = ▸"a" }`, circle('a → t → a')],
    [`tasks.up = "x"\n${CALL}args.x = { from = ▸"t" }`, circle('t → t', 'A task cannot need itself.')],
  ]);
});

test('a need that is no task is an error that names the nearest one', () => {
  assertErrors([
    [
      needs({ build: '▸"biuld"' }),
      ['CONFIG_UNKNOWN_TASK', 'tasks.build.needs[0]: there is no task "biuld"', 'Did you mean "build"?'],
    ],
    [
      `tasks.constructor_ = "x"\n${RUN}needs = [▸"toString"]`,
      ['CONFIG_UNKNOWN_TASK', 'tasks.t.needs[0]: there is no task "toString"', 'Known: constructor_, t.'],
    ],
    [
      '[default]\ntasks = [▸"x"]',
      ['CONFIG_UNKNOWN_TASK', 'default.tasks[0]: there is no task "x"', 'There is none to choose from.'],
    ],
  ]);
});

test('a task that is wrong in itself is still one that others can need', () => {
  assertErrors([
    [
      `[tasks.▸a]\ninputs = []\n${RUN}needs = ["a"]`,
      [
        'CONFIG_INVALID',
        'tasks.a has neither "run" nor "call"',
        'Add a command, such as run = "tsc --noEmit", or a function, such as call = "./file.ts#export".',
      ],
    ],
  ]);
});

test.run();
