/**
 * What may stand in the files of a configuration, table by table, as plain data; tasks and caches have files of their own.
 * A new key is added to its table and where it is used, nowhere else.
 */
import { CACHE, NAMED_CACHES, STORAGE } from './cache-schema.ts';
import { LIMITS } from './scheduling-schema.ts';
import {
  ANY,
  FLAG,
  type Key,
  listOf,
  patterns,
  type Shape,
  type ShapeName,
  type TableShape,
  type TextShape,
  text,
} from './shape.ts';
import { ARGUMENT, PACKAGE_TASKS, TASKS, TEMPLATES } from './task-schema.ts';

/** Files of package managers from which the folders of packages can be read. */
export const PACKAGES_FILES = { npm: 'package.json', pnpm: 'pnpm-workspace.yaml' } as const;

const METADATA: TextShape = {
  kind: 'text',
  format: 'name',
  values: {
    Runtime: 'Start, stop, wall time and processor times.',
    CallInfo: 'Name and module of what was called.',
    Environment: 'Host, user, Node version and platform.',
    Git: 'Commit, branch and whether the tree was dirty.',
  },
  refused: { Tags: 'Tags need arguments; set them in code with tags(…).' },
};

/** What a file of settings may say beside what the project's own file may. */
const SETTINGS: Readonly<Record<string, Key>> = {
  cache: {
    shape: { kind: 'text', format: 'name', refers: 'cache' },
    doc: 'The cache to use: one of [caches], or "memory" or "void". Without it an LMDB cache in .fleche beside the file.',
    example: 'cache = "local"',
  },
  metadata: {
    shape: listOf(METADATA),
    doc: 'What is noted about every call.',
    example: 'metadata = ["Runtime", "CallInfo"]',
    default: ['Runtime'],
  },
  jobs: {
    shape: { kind: 'count', min: 1 },
    doc: 'How many tasks may run at once. Without it as many as the machine has processors.',
    example: 'jobs = 4',
  },
  strict: {
    shape: FLAG,
    doc: 'Whether trouble with a cache is an error instead of a warning.',
    example: 'strict = true',
    default: false,
  },
};

/** `[default]` of a project. */
export const DEFAULTS: TableShape = {
  kind: 'table',
  keys: {
    tasks: {
      shape: listOf({ kind: 'text', format: 'need', refers: 'task' }),
      doc: 'What a run without names wants.',
      example: 'tasks = ["build"]',
      default: [],
    },
    env: {
      shape: listOf(text('variables')),
      doc: 'Environment variables that all tasks have in their keys and are passed, beside their own.',
      example: 'env = ["NODE_ENV"]',
      default: [],
    },
    pass_env: {
      shape: listOf(text('variables')),
      doc: 'Environment variables that all tasks are passed without having them in their keys, beside their own.',
      example: 'pass_env = ["SENTRY_TOKEN"]',
      default: [],
    },
    ...SETTINGS,
    root: {
      shape: FLAG,
      doc: 'Whether files in folders above, and the user-wide file, are left alone.',
      example: 'root = true',
      default: false,
    },
  },
};

/** Shapes that have a name of their own, here and in the JSON Schema. */
export const SHAPES: Readonly<Record<ShapeName, Shape>> = {
  task: { kind: 'either', of: [text('text'), TASKS] },
  template: { kind: 'either', of: [text('text'), TEMPLATES] },
  argument: ARGUMENT,
  cache: CACHE,
  storage: STORAGE,
};

const INPUTS: Key = {
  shape: {
    kind: 'table',
    keys: {},
    rest: {
      shape: patterns('pattern'),
      format: 'list',
      reserved: { default: 'everything in the folder' },
      doc: 'A list of ordered patterns, by its name; relative to the package that uses it.',
      example: 'sources = ["src/**", "!**/*.test.ts"]',
    },
  },
  doc: 'Named lists of inputs: "@name" among the inputs of a task stands for the list.',
  example: '[inputs]',
};

/** `fleche.config.toml`. */
export const PROJECT_FILE: TableShape = {
  kind: 'table',
  keys: {
    default: { shape: DEFAULTS, doc: 'What holds where nothing else is said.', example: '[default]' },
    caches: {
      shape: { kind: 'table', keys: {}, rest: NAMED_CACHES },
      doc: 'Caches by name.',
      example: '[caches.local]',
    },
    limits: LIMITS,
    workspace: {
      shape: {
        kind: 'table',
        keys: {
          packages: {
            shape: {
              kind: 'either',
              of: [
                { ...patterns('output'), nonEmpty: true },
                {
                  kind: 'text',
                  format: 'name',
                  values: {
                    [PACKAGES_FILES.npm]: 'The `workspaces` of package.json, as npm, yarn and bun read them.',
                    [PACKAGES_FILES.pnpm]: 'The `packages` of pnpm-workspace.yaml.',
                  },
                },
              ],
            },
            doc: 'The folders of the packages: ordered patterns, "!" takes away; or the file that has them.',
            example: 'packages = ["packages/*"]',
            required: true,
          },
        },
      },
      doc: 'The packages of the project.',
      example: '[workspace]',
    },
    templates: {
      shape: {
        kind: 'table',
        keys: {},
        rest: {
          shape: { kind: 'shape', name: 'template' },
          format: 'task',
          doc: 'What packages share of a task, by its name.',
          example: 'lint = "biome check ."',
        },
      },
      doc: 'Tasks of packages by name. One without "run" or "call" is for every package with a script of its name.',
      example: '[templates.build]',
    },
    inputs: INPUTS,
    tasks: tasksOf({ kind: 'shape', name: 'task' }),
  },
};

function tasksOf(shape: Shape): Key {
  const rest = { shape, format: 'task', doc: 'A task, by its name.', example: 'lint = "biome check ."' } as const;
  return {
    shape: { kind: 'table', keys: {}, rest },
    doc: 'Tasks by name. A text is a command without anything else.',
    example: '[tasks.build]',
  };
}

/** `fleche.config.toml` of a package: settings and caches are those of the workspace. */
export const PACKAGE_FILE: TableShape = {
  kind: 'table',
  keys: { inputs: INPUTS, tasks: tasksOf({ kind: 'either', of: [text('text'), PACKAGE_TASKS] }) },
};

const OF_THE_PROJECT: readonly string[] = ['inputs', 'limits', 'tasks', 'templates', 'workspace'];

/** A `fleche.config.toml` in a folder above the project: it lends its caches and settings, its tasks stay its own. */
export const OUTER_FILE: TableShape = {
  kind: 'table',
  keys: Object.fromEntries(Object.entries(PROJECT_FILE.keys).filter(([name]) => !OF_THE_PROJECT.includes(name))),
  rest: { shape: ANY, format: 'free', doc: 'Of no meaning here.', example: '' },
};

/** The user-wide file of caches. */
export const USER_FILE: TableShape = {
  kind: 'table',
  keys: {
    default: {
      shape: { kind: 'table', keys: SETTINGS },
      doc: 'What holds where a project says nothing.',
      example: '[default]',
    },
  },
  rest: NAMED_CACHES,
};
