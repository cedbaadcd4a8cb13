/** What may be said of a task and of its arguments, as plain data: every key, type, default and form of text. */
import { SCHEDULING_KEYS, SERVICE_KEYS } from './scheduling-schema.ts';
import { ANY, FLAG, type FormsShape, type Key, listOf, patterns, type Shape, text } from './shape.ts';

const NEED: Shape = text('need');

/** One of several tables, told by the key that it has. */
function source(name: string, key: Key, more: Readonly<Record<string, Key>> = {}): FormsShape['forms'][number] {
  return { tags: [name], shape: { kind: 'table', keys: { [name]: { ...key, required: true }, ...more } } };
}

/** How a task tells what it read. */
const DISCOVERED: FormsShape = {
  kind: 'forms',
  forms: [
    source('depfile', {
      shape: text('report'),
      doc: 'Rules for make that the task writes, as compilers do with -MD.',
      example: 'depfile = "out/app.d"',
    }),
    source('metafile', {
      shape: text('report'),
      doc: 'A metafile of esbuild that the task writes.',
      example: 'metafile = "out/meta.json"',
    }),
    source('list', {
      shape: text('report'),
      doc: 'A list that the task writes: one path a line, with "?" in front of one that may be there or not.',
      example: 'list = "out/inputs.txt"',
    }),
    source('tsc', {
      shape: { kind: 'either', of: [FLAG, text('report')] },
      doc: 'What TypeScript prints with --listFiles: true if the task prints it, or the file that it is written to.',
      example: 'tsc = true',
    }),
  ],
  otherwise: { hint: 'Say how the task tells what it read, such as depfile = "out/app.d".' },
};

/** What a task is done for. */
const FOREACH: Shape = {
  kind: 'either',
  of: [
    { kind: 'list', of: ANY, ordered: true, nonEmpty: true },
    {
      kind: 'forms',
      forms: [
        source('glob', {
          shape: { kind: 'either', of: [text('pattern'), { ...patterns('pattern'), nonEmpty: true }] },
          doc: 'Each file that a pattern, or a list of ordered patterns, matches.',
          example: 'glob = "docs/**/*.md"',
        }),
        source('from', {
          shape: NEED,
          doc: 'Each element of the array that a function returned, or each file that a command wrote.',
          example: 'from = "pages"',
        }),
      ],
      otherwise: { hint: 'Say what it is done for, such as glob = "docs/**/*.md".' },
    },
  ],
};

/** Keys of commands and functions alike. */
export const TASK_KEYS: Readonly<Record<string, Key>> = {
  needs: {
    shape: listOf(NEED),
    doc: 'Tasks that must be done before: "name" of the same package, "package#name", "//#name" of the root, "^name" of all packages this one depends on. Their outputs join the key.',
    example: 'needs = ["codegen"]',
    default: [],
  },
  inputs: {
    shape: patterns('pattern'),
    doc: 'Files the task reads: ordered patterns relative to the folder of the configuration, to the root if they begin with "//"; "!" takes away, a later pattern wins. "@name" is a list of [inputs], "@default" everything there is but what git ignores and other tasks write, "^…" the same in all packages this one depends on. A command without it has "@default", unless it has `discovered`.',
    example: 'inputs = ["src/**/*.ts", "!**/*.test.ts"]',
  },
  foreach: {
    shape: FOREACH,
    doc: 'Does the task once for each file or value, each with its own answer in the cache. A function gets it as the argument `item`; `run` and `outputs` name it by {path}, {dir}, {name} and {ext} of a file, {item} and {key} of a value. A command without `inputs` reads its item alone.',
    example: 'foreach = { glob = "docs/**/*.md" }',
  },
  discovered: {
    shape: DISCOVERED,
    doc: 'How the task tells which files it read beside its inputs; paths in it start from the folder that it runs in. With `foreach` each item has a report of its own, named after it.',
    example: 'discovered = { depfile = "out/app.d" }',
  },
  outputs: {
    shape: patterns('output'),
    doc: 'Files the task writes: ordered patterns relative to the project. A file belongs to one task.',
    example: 'outputs = ["dist/**"]',
    default: [],
  },
  optional_outputs: {
    shape: patterns('output'),
    doc: 'Files the task may write: as `outputs`, but a task that writes none of them has not failed.',
    example: 'optional_outputs = ["coverage/**"]',
    default: [],
  },
  env: {
    shape: listOf(text('variables')),
    doc: 'Environment variables that are passed on and join the key; a trailing "*" is a wildcard.',
    example: 'env = ["NODE_ENV", "VITE_*"]',
    default: [],
  },
  pass_env: {
    shape: listOf(text('variables')),
    doc: 'Environment variables that are passed on without joining the key.',
    example: 'pass_env = ["HOME"]',
    default: [],
  },
  tools: {
    shape: listOf(text('package')),
    doc: 'npm packages whose installed version joins the key.',
    example: 'tools = ["esbuild"]',
    default: [],
  },
  dir: {
    shape: text('folder'),
    doc: 'The folder to run in, relative to the project.',
    example: 'dir = "packages/site"',
    default: '.',
  },
  clean: {
    shape: FLAG,
    doc: 'Whether earlier outputs are removed before the task runs.',
    example: 'clean = false',
    default: true,
  },
  cache: {
    shape: FLAG,
    doc: 'Whether the task is answered from the cache and filed in it.',
    example: 'cache = false',
    default: true,
  },
  lock: {
    shape: FLAG,
    doc: 'Whether the packages that can be loaded, by lock file and manifests, join the key of a command. Only in a workspace.',
    example: 'lock = false',
    default: true,
  },
  stale_after: {
    shape: text('duration'),
    doc: 'How old an answer from the cache may be. Without it answers never grow old.',
    example: 'stale_after = "1d"',
  },
  ...SCHEDULING_KEYS,
  ...SERVICE_KEYS,
  description: {
    shape: text('text'),
    doc: 'What the task is for, in a line.',
    example: 'description = "Builds the site"',
  },
};

const COMMAND: Readonly<Record<string, Key>> = {
  run: { shape: text('text'), doc: 'The shell command.', example: 'run = "tsc --noEmit"', required: true },
};

const STDIN: Readonly<Record<string, Key>> = {
  stdin: {
    shape: {
      kind: 'either',
      of: [
        text('free'),
        {
          kind: 'table',
          keys: { file: { shape: text('file'), doc: 'A file.', example: 'file = "a.sql"', required: true } },
        },
      ],
    },
    doc: 'What the command reads from its standard input: a text, or a file. Without it there is nothing to read.',
    example: 'stdin = { file = "schema.sql" }',
  },
};

const CALL: Readonly<Record<string, Key>> = {
  call: {
    shape: text('module'),
    doc: 'The exported function to call, as "./file.ts#export".',
    example: 'call = "./tasks/report.ts#report"',
    required: true,
  },
};

const ARGS: Readonly<Record<string, Key>> = {
  args: {
    shape: {
      kind: 'table',
      keys: {},
      rest: {
        shape: { kind: 'shape', name: 'argument' },
        format: 'free',
        doc: 'An argument, by its name.',
        example: 'title = "Sizes"',
      },
    },
    doc: 'The arguments, which the function receives as one object.',
    example: 'args = { data = { file = "data.json" } }',
    default: {},
  },
};

/** Commands and functions with further keys; `otherwise` is what a table without either is. */
function taskForms(more: Readonly<Record<string, Key>>, otherwise: FormsShape['otherwise']): FormsShape {
  const keys = { ...TASK_KEYS, ...more };
  return {
    kind: 'forms',
    forms: [
      { tags: ['run'], shape: { kind: 'table', keys: { ...COMMAND, ...STDIN, ...keys } } },
      { tags: ['call'], shape: { kind: 'table', keys: { ...CALL, ...ARGS, ...keys } } },
    ],
    otherwise,
  };
}

/** Commands and functions. */
export const TASKS: FormsShape = taskForms(
  {},
  { hint: 'Add a command, such as run = "tsc --noEmit", or a function, such as call = "./file.ts#export".' },
);

/** In a package a template or a script may say what a task does. */
export const PACKAGE_TASKS: FormsShape = taskForms(
  {},
  { table: { kind: 'table', keys: { ...STDIN, ...ARGS, ...TASK_KEYS } } },
);

const TEMPLATE_KEYS: Readonly<Record<string, Key>> = {
  packages: {
    shape: { ...patterns('text'), nonEmpty: true },
    doc: 'The packages that use it: ordered patterns over names, or over folders if they begin with "./"; "!" takes away.',
    example: 'packages = ["@app/*", "!@app/docs"]',
  },
};

/** What packages share of a task. */
export const TEMPLATES: FormsShape = taskForms(TEMPLATE_KEYS, {
  table: { kind: 'table', keys: { ...STDIN, ...TASK_KEYS, ...TEMPLATE_KEYS } },
});

/** Sources of an argument; any other value is the argument itself. */
export const ARGUMENT: FormsShape = {
  kind: 'forms',
  forms: [
    source('from', { shape: NEED, doc: 'The result of another task.', example: 'from = "bundle"' }),
    source('file', { shape: text('file'), doc: 'A file.', example: 'file = "data.json"' }),
    source('glob', {
      shape: { kind: 'either', of: [text('pattern'), { ...patterns('pattern'), nonEmpty: true }] },
      doc: 'All files that a pattern, or a list of ordered patterns, matches.',
      example: 'glob = "data/*.csv"',
    }),
    source(
      'env',
      { shape: text('variable'), doc: 'The value of an environment variable.', example: 'env = "LEVEL"' },
      { default: { shape: text('free'), doc: 'The value if the variable is not set.', example: 'default = "full"' } },
    ),
    source('digest', {
      shape: text('digest'),
      doc: 'The stored value with this digest; its first characters are enough.',
      example: 'digest = "60079f79"',
    }),
    source('value', {
      shape: ANY,
      doc: 'The value as it is written, even if it looks like one of these tables.',
      example: 'value = { file = "not a file" }',
    }),
  ],
  otherwise: { plain: true },
  escape: 'To pass a table as it is written, put it in { value = … }.',
};
