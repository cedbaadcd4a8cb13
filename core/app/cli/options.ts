/** What can be written on the command line, as data: one table for parsing, for help and for suggestions. */

export interface OptionSpec {
  /** Without the dashes. An option of one name means the same kind of thing with every verb. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** How the value is called in the help; an option without one is a flag. */
  readonly value?: string;
  /** Whether it can be written without its value. */
  readonly optional?: true;
  /** Whether it can be written several times, each with another value. */
  readonly many?: true;
  /** The only values it can have. */
  readonly choices?: readonly string[];
  /** For the help: a phrase that begins small. */
  readonly text: string;
}

/** Options that every verb takes. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  { name: 'cwd', value: 'DIR', text: 'work in this folder instead of the current one' },
  { name: 'config', value: 'FILE', text: 'read this configuration instead of the nearest fleche.config.toml' },
  { name: 'color', value: 'WHEN', choices: ['auto', 'always', 'never'], text: 'when to use colours' },
  { name: 'no-color', text: 'the same as --color never' },
  { name: 'strict', text: 'treat trouble with the cache as an error' },
  { name: 'help', short: 'h', text: 'show help and do nothing else' },
  { name: 'version', short: 'v', text: 'show the version and do nothing else' },
];

export const JSON_OPTION: OptionSpec = { name: 'json', text: 'print JSON objects, one a line, for programs' };

export const JOBS_OPTION: OptionSpec = {
  name: 'jobs',
  short: 'j',
  value: 'N|P%',
  text: 'run so many tasks at once; 50% is half the processors',
};

export const LOG_OPTION: OptionSpec = {
  name: 'log',
  value: 'MODE',
  choices: ['stream', 'grouped', 'quiet'],
  text: 'when to show what tasks print',
};

/** Options that choose among tasks by what changed. */
export const SINCE_OPTIONS: readonly OptionSpec[] = [
  { name: 'affected', text: 'only what files changed since the main branch can matter to' },
  { name: 'since', value: 'REF', text: 'the same, since this commit or branch' },
];

/** Options that choose among tasks. */
export const SELECT_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'filter',
    short: 'F',
    value: 'FILTER',
    many: true,
    text: 'only packages that match, such as app, ./apps/*, app..., ...app, !docs',
  },
  ...SINCE_OPTIONS,
];

/** Options of everything that runs tasks or says what it would run. */
export const RUN_OPTIONS: readonly OptionSpec[] = [
  ...SELECT_OPTIONS,
  JSON_OPTION,
  { name: 'force', text: 'run every task, whatever is in the cache' },
  { name: 'frozen', text: 'run nothing; end with 2 if something would have to run' },
  { name: 'keep-going', short: 'k', text: 'after a failure go on with what does not depend on it' },
  JOBS_OPTION,
  LOG_OPTION,
];

/** What is told of a run beside what is shown. */
export const REPORT_OPTIONS: readonly OptionSpec[] = [
  { name: 'summary', value: 'FILE', text: 'write what became of every task, as JSON' },
  { name: 'trace', value: 'FILE', text: 'write what happened when, for Perfetto or chrome://tracing' },
  { name: 'critical-path', text: 'show the tasks that the run could not have been shorter than' },
];
