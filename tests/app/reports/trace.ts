import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type TraceEvent, traceReport } from '../../../core/app/reports/trace.ts';
import type { Span } from '../../../core/graph/tasks/timeline.ts';
import { traceFaults } from './_trace-format.ts';

type Complete = Extract<TraceEvent, { readonly ph: 'X' }>;

const span = (task: string, kind: Span['kind'], start: number, end: number, lane?: number): Span => ({
  task,
  kind,
  start,
  end,
  lane,
});

function complete(events: readonly TraceEvent[]): readonly Complete[] {
  return events.filter((event) => event.ph === 'X');
}

test('work is in the lane of its place, with times in microseconds from the first event', () => {
  const spans = [
    span('a', 'lookup', 1000, 1000.5),
    span('a', 'run', 1001, 1003, 1),
    span('b', 'run', 1002, 1002.25, 0),
  ];
  const { traceEvents } = traceReport(spans, undefined, new Set(['a']));
  const events = complete(traceEvents);
  const work = events.filter(({ cat }) => cat === 'run');
  assert.equal(
    work.map(({ name, tid, ts, dur }) => [name, tid, ts, dur]),
    [
      ['a', 1, 1000, 2000],
      ['b', 0, 2000, 250],
    ],
  );
  assert.is(work[0]?.args['critical'], true);
  assert.is(work[1]?.args['critical'], false);
  assert.equal(
    traceEvents.flatMap(({ name, args }) => (name === 'thread_name' ? [args['name']] : [])),
    ['place 1', 'place 2', 'lookup 1'],
  );
});

test('no two spans of a lane overlap', () => {
  const spans = Array.from({ length: 40 }, (_, at) => span(`t${at}`, 'lookup', (at * 7) % 31, ((at * 7) % 31) + 5));
  const events = complete(traceReport(spans, undefined, new Set()).traceEvents);
  assert.is(events.length, 40);
  for (const one of events) {
    const others = events.filter((other) => other !== one && other.tid === one.tid && other.pid === one.pid);
    assert.not.ok(others.some((other) => other.ts < one.ts + one.dur && one.ts < other.ts + other.dur));
  }
});

test('whatever the times, the trace is one that viewers draw as it is', () => {
  // One place does one thing after the other; fractions of a microsecond are what rounding could turn into overlaps.
  const step = fc.record({
    lane: fc.nat(2),
    pause: fc.nat(3000),
    time: fc.nat(3000),
    kind: fc.constantFrom('run', 'wait'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const ends = [0.0004, 0.0011, 0.0007];
      const spans = steps.map(({ lane, pause, time, kind }, at): Span => {
        const start = (ends[lane] ?? 0) + pause / 10_000;
        const end = start + time / 10_000;
        ends[lane] = end;
        return kind === 'run' ? span(`t${at}`, 'run', start, end, lane) : span(`t${at}`, 'wait', start, end);
      });
      assert.equal(traceFaults(traceReport(spans, undefined, new Set())), []);
    }),
  );
});

test('of nothing there is nothing to show', () => {
  assert.equal(traceReport([], undefined, new Set()), { displayTimeUnit: 'ms', traceEvents: [] });
});

test.run();
