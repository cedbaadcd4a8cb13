/** All verbs, in the order of the help. Their code is loaded when they are called. */
import { JSON_OPTION, RUN_OPTIONS } from './options.ts';
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
];
