/** Events of runs that never happened. */
import { asKey, type Key } from '../../core/base/hash.ts';
import type { Reason, RunEvent, RunSummary, TaskOutcome } from '../../core/graph/tasks/outcome.ts';

export const KEY: Key = asKey('ab'.repeat(32));
export const CHANGED: Reason = { kind: 'file', change: 'changed', path: 'src/a.ts' };

export function outcome(name: string, kind: TaskOutcome['outcome'], more: Partial<TaskOutcome> = {}): TaskOutcome {
  return {
    type: 'task',
    name,
    outcome: kind,
    key: KEY,
    reasons: [],
    ms: 12,
    result: null,
    exitCode: null,
    message: null,
    restored: 0,
    saved: 0,
    attempts: 0,
    ...more,
  };
}

export function done(...args: Parameters<typeof outcome>): RunEvent {
  return { type: 'done', outcome: outcome(...args) };
}

export function output(name: string, text: string | Uint8Array, replayed = false): RunEvent {
  return { type: 'output', name, chunk: Buffer.from(text), replayed };
}

export function start(name: string): RunEvent {
  return { type: 'start', name, reasons: [] };
}

export function end(counts: Partial<RunSummary>): RunEvent {
  const nothing = { ran: 0, cached: 0, failed: 0, skipped: 0, ms: 1234, saved: 0 };
  return { type: 'end', summary: { type: 'summary', ...nothing, ...counts } };
}
