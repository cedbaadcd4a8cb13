/** What passes between a function task's worker thread and the thread that started it, and what the function is given. */
import type { Digest } from '../../base/hash.ts';
import type { AbsPath, RelPath } from '../../base/paths.ts';

/** The second argument of a function task; the first has its arguments by name. */
export interface TaskContext {
  /** The task's name. */
  readonly task: string;
  /** Root of the project. */
  readonly root: AbsPath;
  /** The folder that all outputs of the task are in, if there is one; it is there. */
  readonly outDir: AbsPath | undefined;
  /** Aborted when the run is interrupted; a moment later the thread is ended. */
  readonly signal: AbortSignal;
  /** Prints like console.log. What is printed is shown again when the task is answered from the cache. */
  log(...values: unknown[]): void;
}

/** What a worker is given to do: the first when it starts, others when it is done with the one before. */
export interface FunctionJob {
  /** URL of the bundle. */
  readonly bundle: string;
  /** How messages call the function. */
  readonly label: string;
  /** Arguments by name, encoded. */
  readonly args: readonly (readonly [name: string, bytes: Uint8Array])[];
  readonly context: { readonly task: string; readonly root: AbsPath; readonly outDir: AbsPath | undefined };
  /** Descriptor for everything that is printed. */
  readonly log: number;
}

/** What a worker says once of each job. */
export type FunctionReply =
  | {
      readonly kind: 'returned';
      readonly digest: Digest;
      readonly bytes: Uint8Array;
      /** Whether nothing goes on in the thread, so that it can take another job. */
      readonly isIdle: boolean;
    }
  | {
      readonly kind: 'threw';
      readonly message: string;
      /** With the lines of the sources; empty if there is none. */
      readonly stack: string;
      /** The code of a FlecheError or a system error. */
      readonly code: string | null;
    };

/** How a function is called in messages. */
export function labelOf(module: RelPath, name: string): string {
  return `${module}#${name}`;
}
