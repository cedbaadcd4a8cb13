/**
 * What is wrong with a trace by the Trace Event Format, as Perfetto and Chrome's tracing read it: events they would drop
 * or draw in the wrong place.
 */

/** Events that a trace of this program may have: complete ones, and names of lanes and groups. */
const PHASES: ReadonlySet<unknown> = new Set(['X', 'M']);
const NAMINGS: ReadonlySet<unknown> = new Set(['process_name', 'process_sort_index', 'thread_name']);

interface Lane {
  readonly what: string;
  readonly start: number;
  readonly end: number;
}

/** One line for each fault; none for a sound trace. */
export function traceFaults(trace: unknown): readonly string[] {
  const { traceEvents, displayTimeUnit } = tableOf(trace);
  if (!Array.isArray(traceEvents)) return ['traceEvents is not a list'];
  const faults: string[] = [];
  if (displayTimeUnit !== 'ms' && displayTimeUnit !== 'ns') faults.push(`displayTimeUnit is ${displayTimeUnit}`);
  const lanes = new Map<string, Lane[]>();
  const named = new Set<string>();
  for (const [at, event] of traceEvents.entries()) {
    const { ph, name, pid, tid, ts, dur, cat, args } = tableOf(event);
    const what = `event ${at} (${String(ph)} ${String(name)})`;
    if (!PHASES.has(ph)) faults.push(`${what} is of no known phase`);
    if (typeof name !== 'string' || name === '') faults.push(`${what} has no name`);
    if (!isWhole(pid) || !isWhole(tid)) faults.push(`${what} is in no lane`);
    if (typeof args !== 'object' || args === null) faults.push(`${what} has no args`);
    const lane = `${String(pid)} ${String(tid)}`;
    if (ph === 'M') {
      if (!NAMINGS.has(name)) faults.push(`${what} names nothing`);
      if (name === 'thread_name') named.add(lane);
      continue;
    }
    if (typeof cat !== 'string' || cat === '') faults.push(`${what} has no category`);
    if (!isWhole(ts) || !isWhole(dur)) {
      faults.push(`${what} has no times, or negative ones`);
      continue;
    }
    const others = lanes.get(lane) ?? [];
    lanes.set(lane, [...others, { what, start: ts, end: ts + dur }]);
  }
  for (const [lane, events] of lanes) {
    if (!named.has(lane)) faults.push(`lane ${lane} has no name`);
    faults.push(...overlaps(events));
  }
  return faults;
}

/** Viewers draw an event within one that is around it; here a lane is a place where one thing happens after the other. */
function overlaps(events: readonly Lane[]): readonly string[] {
  const sorted = [...events].sort((a, b) => a.start - b.start || a.end - b.end);
  return sorted.flatMap((event, at) => {
    const before = sorted[at - 1];
    return before !== undefined && event.start < before.end ? [`${event.what} overlaps ${before.what}`] : [];
  });
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function tableOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
