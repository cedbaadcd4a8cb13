import { test } from 'uvu';
import { assertErrors } from '../_project.ts';

const RUN = '[tasks.t]\nrun = "x"\n';
const CALL = '[tasks.t]\ncall = "./t.ts#t"\n';
const TWICE = 'Remove one of them.';

test('a key that is not known is an error that names the nearest one', () => {
  assertErrors([
    [`[▸task.t]\nrun = "x"\n`, ['CONFIG_UNKNOWN_KEY', 'unknown key "task" at the top', 'Did you mean "tasks"?']],
    [
      `▸a.b.c = 1`,
      [
        'CONFIG_UNKNOWN_KEY',
        'unknown key "a" at the top',
        'Known: default, caches, limits, workspace, templates, inputs, tasks.',
      ],
    ],
    [`[default]\n▸task = []`, ['CONFIG_UNKNOWN_KEY', 'unknown key "task" in default', 'Did you mean "tasks"?']],
    [`${RUN}▸imputs = []`, ['CONFIG_UNKNOWN_KEY', 'unknown key "imputs" in tasks.t', 'Did you mean "inputs"?']],
    [
      `tasks.t = { run = "x", ▸passEnv = [] }`,
      ['CONFIG_UNKNOWN_KEY', 'unknown key "passEnv" in tasks.t', 'Did you mean "pass_env"?'],
    ],
    [
      `${CALL}args = { a = { env = "A", ▸constructor = 1 } }`,
      [
        'CONFIG_UNKNOWN_KEY',
        'unknown key "constructor" in tasks.t.args.a',
        'Known: env, default. To pass a table as it is written, put it in { value = … }.',
      ],
    ],
    [
      `["tasks"."my task"]\nrun = "x"\n▸zzzzzzzzzz = 1`,
      [
        'CONFIG_UNKNOWN_KEY',
        'unknown key "zzzzzzzzzz" in tasks."my task"',
        'Known: run, stdin, needs, inputs, foreach, discovered, outputs, optional_outputs, env, pass_env, tools, dir, ….',
      ],
    ],
  ]);
});

test('a value of another type is an error that says how to write it', () => {
  assertErrors([
    [`default = ▸1`, ['CONFIG_TYPE', 'default must be a table, not 1', 'Write it like this: [default]']],
    [`tasks = ▸[]`, ['CONFIG_TYPE', 'tasks must be a table, not a list', 'Write it like this: [tasks.build]']],
    [`caches = ▸"x"`, ['CONFIG_TYPE', 'caches must be a table, not a string', 'Write it like this: [caches.local]']],
    [
      `tasks.t = ▸5`,
      ['CONFIG_TYPE', 'tasks.t must be a string or a table, not 5', 'Write it like this: lint = "biome check ."'],
    ],
    [
      `▸[[tasks.t]]\nrun = "x"`,
      ['CONFIG_TYPE', 'tasks.t must be a string or a table, not a list', 'Write it like this: lint = "biome check ."'],
    ],
    [`[tasks.t]\nrun = ▸true`, ['CONFIG_TYPE', 'tasks.t.run must be a string, not true', 'Put it in quotes: "true"']],
    [
      `[tasks.t]\nrun = ▸["a", "b"]`,
      ['CONFIG_TYPE', 'tasks.t.run must be a string, not a list', 'Write it like this: run = "tsc --noEmit"'],
    ],
    [`[tasks.t]\ncall = ▸1.5`, ['CONFIG_TYPE', 'tasks.t.call must be a string, not 1.5', 'Put it in quotes: "1.5"']],
    [
      `${RUN}needs = ▸"a"`,
      ['CONFIG_TYPE', 'tasks.t.needs must be a list of strings, not a string', 'Put it in brackets: ["a"]'],
    ],
    [
      `${RUN}needs = [▸{ task = "a" }]`,
      ['CONFIG_TYPE', 'tasks.t.needs[0] must be a string, not a table', 'Write it like this: needs = ["codegen"]'],
    ],
    [
      `${RUN}inputs = ▸"src"`,
      ['CONFIG_TYPE', 'tasks.t.inputs must be a list of strings, not a string', 'Put it in brackets: ["src"]'],
    ],
    [`${RUN}inputs = ["a", ▸1]`, ['CONFIG_TYPE', 'tasks.t.inputs[1] must be a string, not 1', 'Put it in quotes: "1"']],
    [
      `${RUN}outputs = ▸{}`,
      [
        'CONFIG_TYPE',
        'tasks.t.outputs must be a list of strings, not a table',
        'Write it like this: outputs = ["dist/**"]',
      ],
    ],
    [
      `${RUN}outputs = [▸["a"]]`,
      ['CONFIG_TYPE', 'tasks.t.outputs[0] must be a string, not a list', 'Write it like this: outputs = ["dist/**"]'],
    ],
    [
      `${RUN}env = ▸{ A = "1" }`,
      [
        'CONFIG_TYPE',
        'tasks.t.env must be a list of strings, not a table',
        'Write it like this: env = ["NODE_ENV", "VITE_*"]',
      ],
    ],
    [
      `${RUN}tools = [▸1979-05-27]`,
      ['CONFIG_TYPE', 'tasks.t.tools[0] must be a string, not a date', 'Write it like this: tools = ["esbuild"]'],
    ],
    [
      `${RUN}timeout = ▸5`,
      ['CONFIG_TYPE', 'tasks.t.timeout must be a string, not 5', 'Put it in quotes, with its unit: "5s"'],
    ],
    [`${RUN}dir = ▸7`, ['CONFIG_TYPE', 'tasks.t.dir must be a string, not 7', 'Put it in quotes: "7"']],
    [
      `${RUN}clean = ▸"true"`,
      ['CONFIG_TYPE', 'tasks.t.clean must be true or false, not a string', 'Write true without quotes.'],
    ],
    [
      `${RUN}cache = ▸"local"`,
      ['CONFIG_TYPE', 'tasks.t.cache must be true or false, not a string', 'Write it like this: cache = false'],
    ],
    [
      `${CALL}args = ▸["a"]`,
      [
        'CONFIG_TYPE',
        'tasks.t.args must be a table, not a list',
        'Write it like this: args = { data = { file = "data.json" } }',
      ],
    ],
    [
      `default.strict = ▸1`,
      ['CONFIG_TYPE', 'default.strict must be true or false, not 1', 'Write it like this: strict = true'],
    ],
    [
      `default.metadata = ▸"Runtime"`,
      ['CONFIG_TYPE', 'default.metadata must be a list of strings, not a string', 'Put it in brackets: ["Runtime"]'],
    ],
  ]);
});

test('a number of jobs is a whole number of at least one', () => {
  const message = (value: string): string => `default.jobs must be a whole number, 1 or more, not ${value}`;
  assertErrors([
    ['default.jobs = ▸0', ['CONFIG_TYPE', message('0'), 'Write it like this: jobs = 4']],
    ['default.jobs = ▸-1', ['CONFIG_TYPE', message('-1'), 'Write it like this: jobs = 4']],
    ['default.jobs = ▸1.5', ['CONFIG_TYPE', message('1.5'), 'Write it like this: jobs = 4']],
    ['default.jobs = ▸inf', ['CONFIG_TYPE', message('Infinity'), 'Write it like this: jobs = 4']],
    ['default.jobs = ▸"4"', ['CONFIG_TYPE', message('a string'), 'Write 4 without quotes.']],
    ['default.jobs = ▸"many"', ['CONFIG_TYPE', message('a string'), 'Write it like this: jobs = 4']],
  ]);
});

test('a text that is empty or blank is an error', () => {
  const hint = 'Write something, or remove it.';
  const pattern = 'Write a pattern, such as "src/**", or remove it.';
  assertErrors([
    ['tasks.t = ▸""', ['CONFIG_INVALID', 'tasks.t is empty', hint]],
    ['[tasks.t]\nrun = ▸" \\t"', ['CONFIG_INVALID', 'tasks.t.run is empty', hint]],
    ['[tasks.t]\ncall = ▸""', ['CONFIG_INVALID', 'tasks.t.call is empty', hint]],
    ['[tasks]\n▸"" = "x"', ['CONFIG_INVALID', 'tasks."" is empty', hint]],
    [`${RUN}needs = [▸""]`, ['CONFIG_INVALID', 'tasks.t.needs[0] is empty', hint]],
    [`${RUN}inputs = [▸""]`, ['CONFIG_INVALID', 'tasks.t.inputs[0] is empty', pattern]],
    [`${RUN}inputs = ["a", ▸"!"]`, ['CONFIG_INVALID', 'tasks.t.inputs[1]: "!" is empty', pattern]],
    [`${RUN}outputs = [▸" "]`, ['CONFIG_INVALID', 'tasks.t.outputs[0] is empty', pattern]],
    [`${RUN}env = [▸""]`, ['CONFIG_INVALID', 'tasks.t.env[0] is empty', hint]],
    [`${RUN}pass_env = [▸""]`, ['CONFIG_INVALID', 'tasks.t.pass_env[0] is empty', hint]],
    [`${RUN}tools = [▸""]`, ['CONFIG_INVALID', 'tasks.t.tools[0] is empty', hint]],
    [`${RUN}dir = ▸""`, ['CONFIG_INVALID', 'tasks.t.dir is empty', hint]],
    [`${RUN}description = ▸""`, ['CONFIG_INVALID', 'tasks.t.description is empty', hint]],
    ['default.tasks = [▸""]', ['CONFIG_INVALID', 'default.tasks[0] is empty', hint]],
    ['default.cache = ▸""', ['CONFIG_INVALID', 'default.cache is empty', hint]],
  ]);
});

test('an element that stands twice is an error', () => {
  assertErrors([
    [`${RUN}env = ["A", "B", ▸"A"]`, ['CONFIG_INVALID', 'tasks.t.env[2]: "A" is there already', TWICE]],
    [
      `${RUN}tools = ["a", ▸"a", ▸"a"]`,
      ['CONFIG_INVALID', 'tasks.t.tools[1]: "a" is there already', TWICE],
      ['CONFIG_INVALID', 'tasks.t.tools[2]: "a" is there already', TWICE],
    ],
    [
      'tasks.a = "x"\n[tasks.t]\nrun = "x"\nneeds = ["a", ▸"a"]',
      ['CONFIG_INVALID', 'tasks.t.needs[1]: "a" is there already', TWICE],
    ],
    ['default.metadata = ["Git", ▸"Git"]', ['CONFIG_INVALID', 'default.metadata[1]: "Git" is there already', TWICE]],
  ]);
});

test('names are names', () => {
  const hint = 'A name does not begin with "-", neither begins nor ends with a space, and has no control characters.';
  assertErrors([
    ['[tasks]\n▸-t = "x"', ['CONFIG_INVALID', 'tasks.-t is not a name', hint]],
    ['[tasks]\n▸" t" = "x"', ['CONFIG_INVALID', 'tasks." t" is not a name', hint]],
    ['[tasks]\n▸"a\\nb" = "x"', ['CONFIG_INVALID', 'tasks."a\\nb" is not a name', hint]],
    ['[caches.▸"a "]\ntype = "Memory"', ['CONFIG_INVALID', 'caches."a " is not a name', hint]],
  ]);
});

test('a variable is named, not set', () => {
  const hint = 'Write a name without a value, such as "NODE_ENV"; a "*" may only stand at its end.';
  assertErrors([
    [`${RUN}env = [▸"A=1"]`, ['CONFIG_INVALID', 'tasks.t.env[0]: "A=1" is not the name of a variable', hint]],
    [`${RUN}env = [▸"*_TOKEN"]`, ['CONFIG_INVALID', 'tasks.t.env[0]: "*_TOKEN" is not the name of a variable', hint]],
    [`${RUN}pass_env = [▸"A B"]`, ['CONFIG_INVALID', 'tasks.t.pass_env[0]: "A B" is not the name of a variable', hint]],
  ]);
});

test('a tool is a package without a version', () => {
  const hint = 'Write the name of an npm package without a version, such as "esbuild".';
  assertErrors([
    [
      `${RUN}tools = [▸"esbuild@0.28"]`,
      ['CONFIG_INVALID', 'tasks.t.tools[0]: "esbuild@0.28" is not the name of a package', hint],
    ],
    [`${RUN}tools = [▸"./a"]`, ['CONFIG_INVALID', 'tasks.t.tools[0]: "./a" is not the name of a package', hint]],
  ]);
});

test('metadata are named by what there is', () => {
  assertErrors([
    [
      'default.metadata = [▸"Runtme"]',
      ['CONFIG_INVALID', 'default.metadata[0]: "Runtme" is not known', 'Did you mean "Runtime"?'],
    ],
    [
      'default.metadata = [▸"Tags"]',
      [
        'CONFIG_INVALID',
        'default.metadata[0]: "Tags" cannot stand here',
        'Tags need arguments; set them in code with tags(…).',
      ],
    ],
    [
      'default.metadata = [▸"toString"]',
      ['CONFIG_INVALID', 'default.metadata[0]: "toString" is not known', 'Known: Runtime, CallInfo, Environment, Git.'],
    ],
  ]);
});

test('all errors of a file are told at once, in the order of the text', () => {
  assertErrors([
    [
      '[tasks.b]\nrun = ▸""\ninputs = [▸"/x", ▸1]\n▸outptus = []\n[tasks.a]\nneeds = [▸"c"]\nrun = "x"\n[default]\ntasks = [▸"d"]',
      ['CONFIG_INVALID', 'tasks.b.run is empty', 'Write something, or remove it.'],
      [
        'CONFIG_INVALID',
        'tasks.b.inputs[0]: "/x" is an absolute path',
        'Paths are relative to the folder of fleche.config.toml; "//" at the beginning stands for the root of the project.',
      ],
      ['CONFIG_TYPE', 'tasks.b.inputs[1] must be a string, not 1', 'Put it in quotes: "1"'],
      ['CONFIG_UNKNOWN_KEY', 'unknown key "outptus" in tasks.b', 'Did you mean "outputs"?'],
      ['CONFIG_UNKNOWN_TASK', 'tasks.a.needs[0]: there is no task "c"', 'Did you mean "b"?'],
      ['CONFIG_UNKNOWN_TASK', 'default.tasks[0]: there is no task "d"', 'Did you mean "b"?'],
    ],
  ]);
});

test.run();
