/** The keys of tasks that say when and how often they run, as plain data. None of them is part of a task's key. */
import { type FormsShape, type Key, type Shape, text } from './shape.ts';

const count = (min: number): Shape => ({ kind: 'count', min });

export const SCHEDULING_KEYS: Readonly<Record<string, Key>> = {
  weight: {
    shape: count(1),
    doc: 'How many of the jobs the task takes while it runs.',
    example: 'weight = 2',
    default: 1,
  },
  limit: {
    shape: {
      kind: 'table',
      keys: {
        group: { shape: text('name'), doc: 'The group.', example: 'group = "database"', required: true },
        slots: {
          shape: count(1),
          doc: 'How many places of the group the task takes.',
          example: 'slots = 2',
          default: 1,
        },
      },
    },
    doc: 'Places that the task takes of a group of tasks that share something. [limits] says how many a group has.',
    example: 'limit = { group = "database" }',
  },
  retries: {
    shape: count(0),
    doc: 'How often the task is tried again after it failed.',
    example: 'retries = 2',
    default: 0,
  },
  retry_delay: {
    shape: text('duration'),
    doc: 'Time until the task is tried again; twice as long before each further try.',
    example: 'retry_delay = "5s"',
    default: '1s',
  },
  timeout: {
    shape: text('duration'),
    doc: 'Time after which the task is ended and has failed. Without it, it may take as long as it likes.',
    example: 'timeout = "5m"',
  },
};

const READY_TIMEOUT: Key = {
  shape: text('duration'),
  doc: 'Time after which the service has failed if it is not ready by then.',
  example: 'timeout = "30s"',
  default: '1m',
};

function readyWhen(name: string, key: Key): FormsShape['forms'][number] {
  return {
    tags: [name],
    shape: { kind: 'table', keys: { [name]: { ...key, required: true }, timeout: READY_TIMEOUT } },
  };
}

export const SERVICE_KEYS: Readonly<Record<string, Key>> = {
  persistent: {
    shape: { kind: 'flag' },
    doc: 'Whether the command is a service: it is up while tasks run that need it, and is ended after them. What has to be ready is one.',
    example: 'persistent = true',
  },
  ready: {
    shape: {
      kind: 'forms',
      forms: [
        readyWhen('port', { shape: count(1), doc: 'A port of this machine that answers.', example: 'port = 3000' }),
        readyWhen('log', { shape: text('text'), doc: 'A text that it prints.', example: 'log = "listening"' }),
        readyWhen('command', {
          shape: text('text'),
          doc: 'A shell command that succeeds; it is tried again and again.',
          example: 'command = "curl -sf localhost:3000"',
        }),
      ],
      otherwise: { hint: 'Say when it is ready: by a port, a log or a command.' },
    },
    doc: 'When a service may be used. Without it, as soon as it is started.',
    example: 'ready = { port = 3000 }',
  },
};

/** The table `[limits]`. */
export const LIMITS: Key = {
  shape: {
    kind: 'table',
    keys: {},
    rest: { shape: count(1), format: 'name', doc: 'The places of a group, by its name.', example: 'database = 1' },
  },
  doc: 'How many places each group has that tasks name in "limit". A group that is not here has as many as there are jobs.',
  example: '[limits]',
};
