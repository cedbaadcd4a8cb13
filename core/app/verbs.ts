/** All verbs, in the order of the help. Their code is loaded when they are called. */
import { JOBS_OPTION, JSON_OPTION, LOG_OPTION, RUN_OPTIONS } from './options.ts';
import type { VerbSpec } from './verb.ts';

const MANY = Number.POSITIVE_INFINITY;
const DRY_RUN = 'dry-run';

export const VERBS: readonly VerbSpec[] = [
  {
    name: 'run',
    args: '[tasks…]',
    least: 0,
    most: MANY,
    text: 'bring tasks, and what they need, up to date',
    options: [...RUN_OPTIONS, { name: DRY_RUN, text: 'the same as plan' }],
    load: async () => (await import('./verbs/run.ts')).run,
  },
  {
    name: 'watch',
    args: '[tasks…]',
    least: 0,
    most: MANY,
    text: 'bring tasks up to date again whenever something changes',
    options: [
      JSON_OPTION,
      JOBS_OPTION,
      LOG_OPTION,
      { name: 'exec', value: 'COMMAND', text: 'run this after every round in which nothing failed' },
      { name: 'poll', value: 'MS', optional: true, text: 'look for changes at this interval instead of being told' },
    ],
    load: async () => (await import('./verbs/watch.ts')).watch,
  },
  {
    name: 'plan',
    args: '[tasks…]',
    least: 0,
    most: MANY,
    text: 'say what run would do, and why',
    options: RUN_OPTIONS,
    load: async () => (await import('./verbs/plan.ts')).plan,
  },
  {
    name: 'why',
    args: '<task>',
    least: 1,
    most: 1,
    text: 'compare a task with the last time it ran',
    options: [JSON_OPTION],
    load: async () => (await import('./verbs/why.ts')).why,
  },
  {
    name: 'graph',
    args: '[tasks…]',
    least: 0,
    most: MANY,
    text: 'show which task needs which',
    options: [
      { name: 'format', value: 'FORMAT', choices: ['text', 'dot', 'mermaid', 'json'], text: 'how to show it' },
      JSON_OPTION,
    ],
    load: async () => (await import('./verbs/graph.ts')).graph,
  },
  {
    name: 'clean',
    args: '[tasks…]',
    least: 0,
    most: MANY,
    text: 'remove what tasks have written',
    options: [
      { name: 'cache', text: 'remove the cache in .fleche too' },
      { name: DRY_RUN, text: 'only say what would be removed' },
      JSON_OPTION,
    ],
    load: async () => (await import('./verbs/clean.ts')).clean,
  },
  {
    name: 'show',
    args: '<task|key>',
    least: 1,
    most: 1,
    text: 'show what is on file for a task or under a key',
    options: [JSON_OPTION],
    load: async () => (await import('./verbs/show.ts')).show,
  },
  {
    name: 'cat',
    args: '<digest>',
    least: 1,
    most: 1,
    text: 'print a stored value, file, list of outputs or log',
    options: [{ name: 'output', short: 'o', value: 'FILE', text: 'write the bytes to a file' }],
    load: async () => (await import('./verbs/cat.ts')).cat,
  },
  {
    name: 'gc',
    args: '',
    least: 0,
    most: 0,
    text: 'remove what no record needs, and old records',
    options: [
      {
        name: 'older-than',
        value: 'AGE',
        text: 'forget records older than this, such as 30d, but for the newest of each task',
      },
      { name: 'max-size', value: 'SIZE', text: 'forget the oldest records until the rest fits, such as 5GB' },
      { name: DRY_RUN, text: 'only say what would be removed' },
      JSON_OPTION,
    ],
    load: async () => (await import('./verbs/gc.ts')).gc,
  },
  {
    name: 'doctor',
    args: '',
    least: 0,
    most: 0,
    text: 'look the cache over; end with 1 if something is wrong',
    options: [JSON_OPTION],
    load: async () => (await import('./verbs/doctor.ts')).doctor,
  },
];
