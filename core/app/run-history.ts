/**
 * How the runs of one workspace went: one line of JSON a run, in a file beside its cache. Nothing but statistics depends
 * on it, so trouble with it is passed over, and a line that was cut short is left out.
 */
import { renameSync, statSync, writeFileSync } from 'node:fs';
import type { RunSummary } from '../graph/tasks/outcome.ts';
import { appendOwn, readOwn } from '../store/own-file.ts';

export interface PastRun {
  /** When it ended, ms since the epoch. */
  readonly at: number;
  readonly ran: number;
  readonly cached: number;
  readonly failed: number;
  /** Time that the run took, and time that its answers from the cache took when they were made, ms. */
  readonly ms: number;
  readonly saved: number;
}

/** A longer file loses its older half, bytes. */
const LONGEST = 256 * 1024;

/** Adds a run to those of `file`. Runs in which there was nothing to do do not count. */
export function noteRun(file: string, { ran, cached, failed, ms, saved }: RunSummary, at: number): void {
  if (ran + cached + failed === 0) return;
  const run: PastRun = { at, ran, cached, failed, ms: Math.round(ms), saved: Math.round(saved) };
  try {
    appendOwn(file, `${JSON.stringify(run)}\n`);
  } catch {
    // A workspace that cannot be written: its runs are not counted.
  }
}

/** Oldest first. */
export function readRuns(file: string): readonly PastRun[] {
  let text: string;
  try {
    text = readOwn(file).toString();
  } catch {
    return [];
  }
  return text.split('\n').flatMap((line) => {
    try {
      const run: unknown = JSON.parse(line);
      return isRun(run) ? [run] : [];
    } catch {
      return [];
    }
  });
}

function isRun(value: unknown): value is PastRun {
  if (typeof value !== 'object' || value === null) return false;
  const run: Partial<Record<string, unknown>> = { ...value };
  return ['at', 'ran', 'cached', 'failed', 'ms', 'saved'].every((key) => typeof run[key] === 'number');
}

/** Shortens a file that has grown too long. Returns the bytes that are, or would be, won. */
export function trimRuns(file: string, dryRun: boolean): number {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= LONGEST) return 0;
  const runs = readRuns(file);
  const kept = runs.slice(Math.ceil(runs.length / 2)).map((run) => `${JSON.stringify(run)}\n`);
  const text = kept.join('');
  if (!dryRun) {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  }
  return size - Buffer.byteLength(text);
}
