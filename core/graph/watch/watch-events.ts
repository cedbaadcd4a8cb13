/** What a watch tells, and how a program asks for one. */
import type { RunEvent, RunSummary, TaskOutcome } from '../tasks/outcome.ts';
import type { Loop } from './loop-guard.ts';

/** Why a round began: the watch itself did, something changed, the configuration did, or somebody asked for it. */
export type RoundCause = 'start' | 'change' | 'configuration' | 'request';

/** A round that is over: everything wanted is up to date, or failed. */
export interface WatchRound {
  /** From 1. */
  readonly number: number;
  readonly cause: RoundCause;
  /** Files whose change made a task run, sorted; where that tells nothing, paths where something happened. At most 100. */
  readonly paths: readonly string[];
  /** The state of every wanted task. One with nothing to tell counts as cached, or as failed if it still does. */
  readonly outcomes: readonly TaskOutcome[];
  /** Tasks with something to tell: they ran, failed, or were answered otherwise than before. Sorted. */
  readonly told: readonly string[];
  readonly summary: RunSummary;
  /** How often it began anew because of further changes, itself included. */
  readonly passes: number;
}

/** What happens during a watch, in order. */
export type WatchEvent =
  /** A round has something to tell, which follows. */
  | { readonly type: 'round'; readonly number: number; readonly cause: RoundCause; readonly paths: readonly string[] }
  /** Of a task in the round that was told last: `start`, `output`, `warning` and `done`. */
  | { readonly type: 'task'; readonly event: RunEvent }
  /** A task that had begun was ended because of a newer state; it begins again. */
  | { readonly type: 'superseded'; readonly name: string }
  | { readonly type: 'rested'; readonly round: WatchRound }
  /** From now on no change is missed. */
  | { readonly type: 'watching' }
  /** Tasks change what they read, again and again; they are left alone until something else changes. */
  | { readonly type: 'loop'; readonly loops: readonly Loop[] }
  /** Watching does not work as it should. */
  | { readonly type: 'trouble'; readonly message: string }
  /** A file of the configuration may have changed: it is to be read, and the watch to be told the end of that. */
  | { readonly type: 'configuration' }
  /** The configuration is broken; the last good one holds. */
  | { readonly type: 'broken'; readonly error: unknown }
  /** The watch cannot go on: a fault of the program, or of the store under `strict`. */
  | { readonly type: 'fault'; readonly error: unknown };

/** A promise that it gives back for output is waited for before more of that task is told; all else is of no matter. */
export type WatchListener = (event: WatchEvent) => unknown;

export interface WatchOptions {
  /** Names of the wanted tasks; without any, those of `[default] tasks`. */
  readonly tasks?: readonly string[];
  /** The project is the nearest one around this folder; by default around the current one. */
  readonly cwd?: string;
  /** The environment of tasks; by default that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How many tasks may run at once, at least 1; by default what is configured, else one a processor. */
  readonly jobs?: number;
  /** Looks at everything at this interval instead of watching it, ms: for file systems that tell nothing. */
  readonly poll?: number;
  /** Ends the watch. */
  readonly signal?: AbortSignal;
  /** Told everything that happens, at once. */
  readonly onEvent?: WatchListener;
}

/**
 * A running watch. Iterating gives each round when it is over, beginning with the first that was not given yet; of rounds
 * that nobody waits for the latest hundred are kept. Iteration ends with the watch, or throws what the watch ended with:
 * `CONFIG_…` for a configuration that is broken from the start, `STORE_UNUSABLE` under `strict`.
 */
export interface Watcher extends AsyncIterable<WatchRound> {
  /** Runs everything once more. */
  rerun(): void;
  /** Ends the tasks at work and the watch. */
  close(): Promise<void>;
}
