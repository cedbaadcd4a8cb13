/** How a history has its runs done. */
import type { OutcomeKind } from '../../core/graph/tasks/outcome.ts';

export interface RunOptions {
  readonly jobs: number;
  readonly target?: string | undefined;
  readonly force?: boolean;
  readonly level: string | undefined;
  /** Cut the run short after so many ms: asked to end, or killed. */
  readonly abortAfter?: number;
  readonly killAfter?: number;
}

export interface RunEnd {
  /** Null if the run did not get so far as to tell. */
  readonly outcomes: Readonly<Record<string, OutcomeKind>>;
  /** What a task printed, replayed or not; undefined if that is not known. */
  readonly printed: Readonly<Record<string, string>> | undefined;
  /** For messages. */
  readonly told: string;
}

/** How runs are done. */
export interface Driver {
  readonly root: string;
  readonly logFile: string;
  run(options: RunOptions): Promise<RunEnd>;
  /**
   * The next end, if there is any to come: a watch that has seen all edits may have to look again at folders that were
   * made a moment ago.
   */
  later(): Promise<RunEnd | undefined>;
  /** The configuration with what the driver needs beside the pipeline. */
  configure(text: string): string;
  /** Whether a question is not asked again while nothing it depends on has changed, even if its answer is not filed. */
  readonly isWatch: boolean;
  /** Whether a task may be writing its outputs just now, which nobody can tell from another's writing there. */
  isAtWork(name: string): boolean;
  /** All is done and stays so for a while. */
  rest?(level: string | undefined): Promise<void>;
  /** Takes a line about what is done, for messages. */
  note(text: string): void;
  /** Removes some of the stored blobs. */
  halve(root: string, isGone: (digest: string) => boolean): Promise<void>;
}
