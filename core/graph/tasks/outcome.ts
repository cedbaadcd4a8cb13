/** What became of a task in one run, why, and the events that tell of it while it happens. Plain JSON-able data. */
import type { Digest, Key } from '../../base/hash.ts';
import type { Timeline } from './timeline.ts';

/**
 * Why a call was not answered from the cache. `path` is relative to the project root. Values of environment variables
 * never appear.
 */
export type Reason =
  | { readonly kind: 'first' }
  | { readonly kind: 'forced' }
  | { readonly kind: 'uncached' }
  | { readonly kind: 'file'; readonly change: 'added' | 'removed' | 'changed' | 'mode'; readonly path: string }
  | { readonly kind: 'env'; readonly name: string; readonly change: 'added' | 'removed' | 'changed' }
  | { readonly kind: 'argument'; readonly name: string; readonly change: 'added' | 'removed' | 'changed' }
  | { readonly kind: 'upstream'; readonly task: string; readonly change: 'added' | 'removed' | 'changed' }
  | { readonly kind: 'tool'; readonly name: string; readonly from: string | null; readonly to: string | null }
  | { readonly kind: 'runtime'; readonly from: string | null; readonly to: string | null }
  | { readonly kind: 'command' }
  | { readonly kind: 'code' }
  | { readonly kind: 'option'; readonly name: string }
  | { readonly kind: 'failed-before' }
  /** The answer on file is older, in ms, than the task lets answers grow. */
  | { readonly kind: 'expired'; readonly age: number }
  | { readonly kind: 'lost'; readonly what: string }
  /** Of a service: this task needs it. */
  | { readonly kind: 'needed'; readonly task: string }
  | { readonly kind: 'pending'; readonly task: string };

/** `skipped` means: not started, because something it needs failed or the run was cut short. */
export type OutcomeKind = 'ran' | 'cached' | 'failed' | 'skipped';

/** What became of the items of a task that is done for each of many. */
export interface ItemCounts {
  readonly total: number;
  readonly ran: number;
  readonly cached: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface TaskOutcome {
  readonly type: 'task';
  readonly name: string;
  readonly outcome: OutcomeKind;
  /** The call's key; null for a task that was skipped, or planned behind one that must run first. */
  readonly key: Key | null;
  /** Why it ran (or would run); for `skipped`, the task that stands in the way. Empty for `cached`. */
  readonly reasons: readonly Reason[];
  /** Time that this task took itself in this run, without waiting for a place, for other tasks or other processes, ms. */
  readonly ms: number;
  /** What dependents see: digest of the result value or of the output tree; null if there is none. */
  readonly result: Digest | null;
  /** Exit code of a failed command, else null. */
  readonly exitCode: number | null;
  /** One sentence about the failure or about something that went wrong beside a success; null if there is none. */
  readonly message: string | null;
  /** Output files put right on a hit (written or removed). */
  readonly restored: number;
  /** Run time that its answer from the cache took when it was made, ms; 0 if it was not answered from there. */
  readonly saved: number;
  /** How often it was begun in this run: 0 if it was not, more than 1 if it was tried again after it failed. */
  readonly attempts: number;
  /** The shared cache that a hit came from in this run; absent if it was on file here. */
  readonly shared?: string;
  /** Absent if the task has no `foreach`, or was not asked for. */
  readonly items?: ItemCounts;
}

export interface RunSummary {
  readonly type: 'summary';
  readonly ran: number;
  readonly cached: number;
  readonly failed: number;
  readonly skipped: number;
  readonly ms: number;
  /** Run time that the answers from the cache took when they were made, ms. */
  readonly saved: number;
  /** How many of the cached came from a shared cache in this run; absent for none. */
  readonly shared?: number;
}

/** `ms`: how long it took; `saved`: the run time that answers saved, ms. */
export function summaryOf(outcomes: readonly TaskOutcome[], ms: number, saved: number): RunSummary {
  const count = (kind: OutcomeKind): number => outcomes.filter(({ outcome }) => outcome === kind).length;
  return {
    type: 'summary',
    ran: count('ran'),
    cached: count('cached'),
    failed: count('failed'),
    skipped: count('skipped'),
    ms,
    saved,
  };
}

/** What happens during a run, in order. */
export type RunEvent =
  /**
   * `isOpen`: of those that have nothing to tell nothing will be told. `staying`: services that were told to stay before,
   * and do.
   */
  | {
      readonly type: 'plan';
      readonly tasks: readonly string[];
      readonly isOpen?: boolean;
      readonly staying?: Iterable<string>;
    }
  /** `stays`: a service whose end nobody waits for. */
  | {
      readonly type: 'start';
      readonly name: string;
      readonly reasons: readonly Reason[];
      readonly stays?: true;
    }
  /** Output of a running task, as it comes, or of a hit, replayed whole just before its `done`. */
  | { readonly type: 'output'; readonly name: string; readonly chunk: Uint8Array; readonly replayed: boolean }
  /** An attempt failed, as `message` says, and the next begins in so many ms. What follows is printed by that. */
  | {
      readonly type: 'retry';
      readonly name: string;
      readonly attempt: number;
      readonly attempts: number;
      readonly message: string;
      readonly ms: number;
    }
  /** Of a task that is at work for each of many items: one of them is over. */
  | { readonly type: 'progress'; readonly name: string; readonly items: ItemCounts }
  | { readonly type: 'warning'; readonly name: string | null; readonly message: string }
  /** A second time for a task that had to be done again, because what it wrote or read was changed from outside. */
  | { readonly type: 'done'; readonly outcome: TaskOutcome }
  | { readonly type: 'end'; readonly summary: RunSummary };

/** A promise that it gives back for output is waited for before more of that task is told; all else is of no matter. */
export type RunListener = (event: RunEvent) => unknown;

export interface RunRequest {
  /** Names of the wanted tasks; what they need comes along. */
  readonly targets: readonly string[];
  /** How many tasks may run at once, at least 1. */
  readonly jobs: number;
  /** Run these tasks, or all, whatever is on file. */
  readonly force: boolean | ReadonlySet<string>;
  /** Run nothing: a task that is not on file is skipped and makes the report's `frozenStale` true. */
  readonly frozen: boolean;
  /** After a failure go on with everything that does not need the failed task. */
  readonly keepGoing: boolean;
  readonly signal: AbortSignal;
  readonly listener: RunListener;
  /** Where it is noted what happens when. */
  readonly timeline?: Timeline | undefined;
}

export interface RunReport {
  /** In an order in which the tasks could have run. */
  readonly outcomes: readonly TaskOutcome[];
  readonly summary: RunSummary;
  readonly frozenStale: boolean;
  readonly interrupted: boolean;
}
