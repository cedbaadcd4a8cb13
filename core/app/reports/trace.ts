/**
 * A run in the Trace Event Format, which Perfetto and Chrome's tracing show: one lane for each place where tasks run, and
 * as many as there are at a time for lookups, waiting, restoring and services. Pure.
 */
import { byCodeUnit } from '../../base/order.ts';
import type { RunReport, TaskOutcome } from '../../graph/tasks/outcome.ts';
import type { Span, SpanKind } from '../../graph/tasks/timeline.ts';

interface TraceReport {
  readonly displayTimeUnit: 'ms';
  readonly traceEvents: readonly TraceEvent[];
}

/** A complete event (`X`) with times in µs, or the name of a lane or a group of lanes (`M`). */
export type TraceEvent =
  | {
      readonly ph: 'X';
      readonly name: string;
      readonly cat: SpanKind;
      readonly pid: number;
      readonly tid: number;
      readonly ts: number;
      readonly dur: number;
      readonly args: Readonly<Record<string, unknown>>;
    }
  | {
      readonly ph: 'M';
      readonly name: 'process_name' | 'process_sort_index' | 'thread_name';
      readonly pid: number;
      readonly tid: number;
      readonly args: Readonly<Record<string, unknown>>;
    };

/** The groups of lanes, from the top. */
const GROUPS: readonly SpanKind[] = ['run', 'service', 'restore', 'lookup', 'wait'];
const NAMES: Readonly<Record<SpanKind, readonly [group: string, lane: string]>> = {
  run: ['tasks', 'place'],
  service: ['services', 'service'],
  restore: ['restored', 'restore'],
  lookup: ['looked up', 'lookup'],
  wait: ['waiting', 'wait'],
};

/** `critical` are the tasks on the critical path. */
export function traceReport(
  spans: readonly Span[],
  report: RunReport | undefined,
  critical: ReadonlySet<string>,
): TraceReport {
  const began = spans.reduce((first, { start }) => Math.min(first, start), Number.POSITIVE_INFINITY);
  const outcomes = new Map(report?.outcomes.map((outcome) => [outcome.name, outcome]));
  const traceEvents = GROUPS.flatMap((kind, pid) => {
    const own = spans
      .filter((span) => span.kind === kind)
      .sort((a, b) => a.start - b.start || byCodeUnit(a.task, b.task));
    const lanes = lanesOf(own);
    const width = lanes.reduce((most, lane) => Math.max(most, lane + 1), 0);
    const [group, lane] = NAMES[kind];
    return own.length === 0
      ? []
      : [
          meta('process_name', pid, 0, { name: group }),
          meta('process_sort_index', pid, 0, { sort_index: pid }),
          ...Array.from({ length: width }, (_, tid) => meta('thread_name', pid, tid, { name: `${lane} ${tid + 1}` })),
          ...own.map(({ task, start, end }, at): TraceEvent => {
            const args = argsOf(outcomes.get(task), critical.has(task));
            // Both ends are rounded, not the duration: what follows in the lane begins where this one ends.
            const ts = Math.round((start - began) * 1000);
            const dur = Math.round((end - began) * 1000) - ts;
            return { ph: 'X', name: task, cat: kind, pid, tid: lanes[at] ?? 0, ts, dur, args };
          }),
        ];
  });
  return { displayTimeUnit: 'ms', traceEvents };
}

function meta(
  name: Extract<TraceEvent, { readonly ph: 'M' }>['name'],
  pid: number,
  tid: number,
  args: TraceEvent['args'],
): TraceEvent {
  return { ph: 'M', name, pid, tid, args };
}

function argsOf(outcome: TaskOutcome | undefined, critical: boolean): TraceEvent['args'] {
  if (outcome === undefined) return { critical };
  const { outcome: kind, key, reasons, attempts } = outcome;
  return { outcome: kind, key, reasons, attempts, critical };
}

/** The lane of each span: its own, or the first in which nothing else happens at the time. Sorted by start. */
function lanesOf(spans: readonly Span[]): readonly number[] {
  const ends: number[] = [];
  return spans.map(({ lane, start, end }) => {
    if (lane !== undefined) return lane;
    const free = ends.findIndex((other) => other <= start);
    const at = free < 0 ? ends.length : free;
    ends[at] = end;
    return at;
  });
}
