/** How a program asks for a run of tasks, and what it is given. */
import type { RunListener, RunSummary, TaskOutcome } from './tasks/outcome.ts';
import type { Reads } from './watch/reads.ts';

/** How a program asks for a run. */
export interface RunOptions {
  /** Names of the wanted tasks; without any, those of `[default] tasks`. What they need comes along. */
  readonly tasks?: readonly string[];
  /** The project is the nearest one around this folder; by default around the current one. */
  readonly cwd?: string;
  /** The environment of tasks; by default that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How many tasks may run at once, at least 1; by default what is configured, else one a processor. */
  readonly jobs?: number;
  /** Runs every task, whatever is on file. */
  readonly force?: boolean;
  /** Runs nothing: what is not on file is skipped. */
  readonly frozen?: boolean;
  /** After a failure goes on with everything that does not need the failed task. */
  readonly keepGoing?: boolean;
  /** Ends the tasks at work and begins no more. */
  readonly signal?: AbortSignal;
  /** Told everything that happens, at once. */
  readonly onEvent?: RunListener;
}

/** What a task that is up to date made. */
export interface Made {
  /** Its outputs, absolute, sorted; they are in the workspace. */
  readonly files: readonly string[];
  /** What a function returned; undefined for a command. */
  readonly value: unknown;
  readonly isFunction: boolean;
  /** The module of a function, absolute, and its export; null for a command. */
  readonly source: { readonly module: string; readonly export: string } | null;
}

/** A run that is over. */
export interface Run {
  /** The folder of the project. */
  readonly root: string;
  /** Of the wanted tasks and what they need, each before what needs it. */
  readonly outcomes: readonly TaskOutcome[];
  readonly summary: RunSummary;
  /** What was made, by task; a task that failed or was skipped is not among them. */
  readonly made: ReadonlyMap<string, Made>;
  /** What all of these tasks read, and do not make themselves. */
  readonly reads: Reads;
  /** Whether it was ended before its end. */
  readonly interrupted: boolean;
}
