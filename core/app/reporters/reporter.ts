/** The contract of a reporter: it hears what happens during a run and tells someone. */
import type { RunListener } from '../../graph/tasks/outcome.ts';

/** What becomes of what tasks print: shown as it comes, under its task when that is over, or only on failure. */
export const LOG_MODES = ['stream', 'grouped', 'quiet'] as const;

export type LogMode = (typeof LOG_MODES)[number];

/** Whether tasks were run, or only looked at. */
export type ReportMode = 'run' | 'plan';

export interface Reporter {
  readonly listener: RunListener;
  /** Forgets a task that began: it was ended and begins again. */
  drop(name: string): void;
  /** Takes lines that change off the screen for a moment, where there are such: others are about to write there. */
  hide?(): void;
  /** Puts the terminal right. Safe to call twice, and needed when a run ends without an `end` event. */
  close(): void;
}
