/** Counters of calls: they add up, whatever happens at the same time, and are told to others as they are. */
import type { Meter } from '@opentelemetry/api';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cache } from '../../../core/call/context.ts';
import { fleche } from '../../../core/call/memo/fleche.ts';
import { type FunctionMetrics, LATENCY_BOUNDS, metrics } from '../../../core/call/metrics/metrics.ts';
import {
  type ObservableResult,
  type ObservingMeter,
  observeMetrics,
} from '../../../core/call/metrics/opentelemetry.ts';
import { prometheusText } from '../../../core/call/metrics/prometheus.ts';
import { caching } from '../../../core/call/switch.ts';
import { turn } from '../../_test-clock.ts';
import { laterCache, memoryCache } from '../_caches.ts';
import { fakeClock, SECOND } from '../_clock.ts';
import { SharedCache } from '../_shared.ts';
import { warningsOf } from '../_warnings.ts';

function of(name: string): FunctionMetrics {
  const found = metrics()
    .snapshot()
    .functions.find((each) => each.name === name);
  assert.ok(found !== undefined);
  return found as FunctionMetrics;
}

const outcomes = ({ calls, hits, misses, coalesced, bypassed }: FunctionMetrics): readonly number[] => [
  calls,
  hits,
  misses,
  coalesced,
  bypassed,
];

test('each call counts once', async () => {
  const plain = fleche((x: number) => x, { name: 'plain' });
  const later = fleche(async (x: number) => x, { name: 'later' });
  const failing = fleche(
    (x: number) => {
      if (x > 0) throw new Error('no');
      return x;
    },
    { name: 'failing' },
  );
  await cache(memoryCache(), async () => {
    plain(1);
    plain(1);
    plain(2);
    plain.with({ cache: 'refresh' })(2);
    plain.with({ cache: 'bypass' })(3);
    assert.throws(() => plain.with({ cache: 'only' })(4));
    await Promise.all([later(1), later(1), later(1)]);
    await later(1);
    for (let i = 0; i < 2; i++) assert.throws(() => failing(1));
  });
  assert.equal(outcomes(of('plain')), [6, 1, 4, 0, 1]);
  assert.equal(outcomes(of('later')), [4, 1, 1, 2, 0]);
  assert.equal(outcomes(of('failing')), [2, 0, 2, 0, 0]);
});

test('a call that cannot be asked is no call', () => {
  const strict = fleche((x: unknown) => x, { name: 'strict' });
  cache(memoryCache(), () => {
    assert.throws(() => strict(new WeakMap()));
    strict(1);
  });
  assert.equal(outcomes(of('strict')), [1, 0, 1, 0, 0]);
});

/** A generator of numbers that is the same every time. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

for (const [kind, makeCache] of [
  ['at once', memoryCache],
  ['later', laterCache],
] as const) {
  test(`point 17: calls are hits, misses, coalesced and bypassed ones, under concurrency (cache answers ${kind})`, async () => {
    const random = numbers(7);
    const clock = fakeClock();
    const store = makeCache();
    const name = `busy ${kind}`;
    let executions = 0;
    const busy = fleche(
      async (x: number) => {
        executions++;
        for (let turns = 0; turns < x; turns++) await new Promise((resolve) => setImmediate(resolve));
        if (x === 3 && random() < 0.5) throw new Error('no');
        clock.ms += 10;
        return x;
      },
      { name, staleAfter: SECOND, staleWhileRevalidate: SECOND, staleIfError: true, now: clock.now },
    );
    const modes = ['default', 'default', 'default', 'refresh', 'bypass', 'only'] as const;
    let made = 0;
    await cache(store, async () => {
      for (let round = 0; round < 40; round++) {
        const calls = Array.from({ length: 10 }, async () => {
          made++;
          if (random() < 0.05) {
            const off = caching(false);
            const answer = busy(1);
            off.restore();
            return answer;
          }
          const mode = modes[Math.floor(random() * modes.length)] ?? 'default';
          const x = Math.floor(random() * 5);
          return busy.with({ cache: mode, ...(random() < 0.3 ? { maxAge: 500 } : {}) })(x);
        });
        await Promise.allSettled(calls);
        clock.ms += Math.floor(random() * 800);
      }
      await store.flush();
    });
    const counted = of(name);
    const { calls, hits, misses, coalesced, bypassed, latency, refreshes, refreshFailures } = counted;
    assert.is(calls, made);
    assert.is(hits + misses + coalesced + bypassed, made);
    for (const count of [hits, misses, coalesced, bypassed, refreshes]) assert.ok(count > 0);
    // Nothing is run that is not counted; misses that ask with `only` run nothing.
    assert.ok(executions <= misses + bypassed + refreshes + refreshFailures);
    for (const { count, buckets, sum } of Object.values(latency)) {
      assert.ok((buckets.at(-1) ?? 0) <= count);
      assert.ok(sum >= 0);
      assert.ok(buckets.every((each, at) => each >= (buckets[at - 1] ?? 0)));
    }
  });
}

/** What a caller does. */
interface Step {
  readonly mode: 'default' | 'refresh' | 'bypass' | 'only';
  readonly x: unknown;
  readonly fails: boolean;
  readonly maxAge: number | undefined;
  readonly signal: 'none' | 'late' | 'early';
  readonly off: boolean;
  /** How much time passes, and whether everybody is waited for, before the next step. */
  readonly wait: number;
  readonly settles: boolean;
}

const STEP: fc.Arbitrary<Step> = fc.record({
  mode: fc.constantFrom('default', 'default', 'default', 'refresh', 'bypass', 'only'),
  x: fc.constantFrom(1, 2, 3, null, undefined, 'large', 'unwanted', new WeakMap()),
  fails: fc.boolean(),
  maxAge: fc.option(fc.constantFrom(0, 500, 5000), { nil: undefined }),
  signal: fc.constantFrom('none', 'none', 'none', 'late', 'early'),
  off: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
  wait: fc.constantFrom(0, 0, 400, 1500),
  settles: fc.boolean(),
});

let runsOfAll = 0;

test('point 17: calls = hits + misses + coalesced + bypassed, whatever the options, callers and outcomes', async () => {
  await warningsOf(() =>
    fc.assert(
      fc.asyncProperty(
        fc.array(STEP, { minLength: 1, maxLength: 25 }),
        fc.constantFrom(memoryCache, laterCache, () => new SharedCache()),
        fc.record({
          isAsync: fc.boolean(),
          staleWhileRevalidate: fc.constantFrom(false, true, 800),
          staleIfError: fc.constantFrom(false, true, 800),
          onWaitTimeout: fc.constantFrom('compute', 'stale', 'throw'),
          waits: fc.boolean(),
          onIndigestible: fc.constantFrom('throw', 'run'),
        }),
        async (steps, makeCache, { isAsync, waits, ...options }) => {
          const clock = fakeClock();
          const store = makeCache();
          let fails = false;
          let ran = 0;
          const body = (x: unknown): unknown => {
            ran++;
            if (fails) throw new Error('no');
            return x === 'large' ? 'x'.repeat(1000) : x;
          };
          const name = `counted ${runsOfAll++}`;
          const counted = fleche(
            isAsync
              ? async (x: unknown) => {
                  const result = body(x);
                  await turn();
                  return result;
                }
              : body,
            {
              ...options,
              name,
              code: 'manual',
              staleAfter: SECOND,
              maxEntrySize: 500,
              shouldCache: (value) => value !== 'unwanted',
              now: clock.now,
              ...(waits ? { waitTimeout: 0 } : {}),
            },
          );
          let made = 0;
          let onlies = 0;
          await cache(store, async () => {
            const answers: Promise<unknown>[] = [];
            for (const { mode, x, fails: failing, maxAge, signal, off, wait, settles } of steps) {
              fails = failing;
              const abort = new AbortController();
              if (signal === 'early') abort.abort();
              const wishes = { cache: mode, ...(maxAge === undefined ? {} : { maxAge }), signal: abort.signal };
              const call = counted.with(wishes);
              const isAsked = signal !== 'early' && (!(x instanceof WeakMap) || options.onIndigestible === 'run');
              if (isAsked || (signal !== 'early' && (off || mode === 'bypass'))) made++;
              const switched = caching(!off);
              if (mode === 'only') onlies++;
              const answer = (async () => call(x))().catch(() => {});
              switched.restore();
              if (signal === 'late') abort.abort();
              answers.push(answer);
              clock.ms += wait;
              if (settles) await Promise.all(answers.splice(0));
            }
            await Promise.all(answers);
            // Those who did not wait for their answer are counted when it is there.
            for (let turns = 0; turns < 20; turns++) await turn();
            await store.flush();
          });
          const all = metrics()
            .snapshot()
            .functions.find((each) => each.name === name);
          if (all === undefined) return assert.is(made, 0);
          const { calls, hits, misses, coalesced, bypassed, refreshes, refreshFailures, waitTimeouts } = all;
          assert.is(calls, made);
          assert.is(hits + misses + coalesced + bypassed, made);
          assert.is(
            Object.values(all.latency).reduce((sum, { count }) => sum + count, 0),
            made,
          );
          // Nothing is run that is not counted, and what is counted as run was.
          assert.ok(ran <= misses + bypassed + refreshes + refreshFailures, 'runs that are not counted');
          assert.ok(ran >= misses - onlies - waitTimeouts + bypassed, 'counted, but not run');
        },
      ),
      { numRuns: 300 },
    ),
  );
  const { functions, total } = metrics().snapshot();
  assert.is(
    total.calls,
    functions.reduce((sum, { calls }) => sum + calls, 0),
  );
});

test('point 17: work in the background is visible', async () => {
  const clock = fakeClock();
  const store = memoryCache();
  let fails = false;
  const aging = fleche(
    async () => {
      if (fails) throw new Error('no');
      return 'x'.repeat(100);
    },
    { name: 'aging', staleAfter: SECOND, staleWhileRevalidate: true, now: clock.now },
  );
  const { emitWarning } = process;
  process.emitWarning = () => {};
  await cache(store, async () => {
    await aging();
    for (const failing of [false, true]) {
      fails = failing;
      clock.ms += 2 * SECOND;
      await aging();
      await store.flush();
    }
  });
  process.emitWarning = emitWarning;
  const { staleServed, refreshes, refreshFailures, bytes, hits, misses } = of('aging');
  assert.equal([staleServed, refreshes, refreshFailures, hits, misses], [2, 1, 1, 2, 1]);
  assert.ok(bytes > 200 && bytes < 250);
});

test('the total is the sum, and everything can be counted from 0 again', () => {
  const { functions, total } = metrics().snapshot();
  assert.is(
    total.calls,
    functions.reduce((sum, { calls }) => sum + calls, 0),
  );
  assert.is(
    total.bytes,
    functions.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  assert.is(total.calls, total.hits + total.misses + total.coalesced + total.bypassed);
  const names = functions.map(({ name }) => name);
  assert.equal(names, [...names].sort());
  const { metrics: own } = cache(memoryCache(), () => fleche(() => 1, { name: 'own' }).stats());
  assert.is(own.calls, 0);
  metrics().reset();
  assert.equal(metrics().snapshot().functions, []);
  assert.is(metrics().snapshot().total.calls, 0);
});

test('Prometheus is told in its own format, names escaped', () => {
  metrics().reset();
  const odd = fleche((x: number) => x, { name: 'a "strange"\\name\n', module: 'm' });
  cache(memoryCache(), () => {
    odd(1);
    odd(1);
  });
  const text = prometheusText(metrics().snapshot());
  const labels = 'function="a \\"strange\\"\\\\name\\n",module="m"';
  const lines = text.split('\n');
  assert.ok(lines.includes(`fleche_calls_total{${labels},outcome="hit"} 1`));
  assert.ok(lines.includes(`fleche_calls_total{${labels},outcome="coalesced"} 0`));
  assert.ok(lines.includes(`fleche_refreshes_total{${labels}} 0`));
  assert.ok(lines.includes(`fleche_call_duration_seconds_bucket{${labels},outcome="miss",le="+Inf"} 1`));
  assert.ok(lines.includes(`fleche_call_duration_seconds_count{${labels},outcome="miss"} 1`));
  assert.is(
    lines.filter((line) => line.startsWith('fleche_call_duration_seconds_bucket')).length,
    2 * (LATENCY_BOUNDS.length + 1),
  );
  // Every line is a comment or a sample, every sample belongs to the family before it.
  let family = '';
  for (const line of lines.slice(0, -1)) {
    const type = /^# TYPE (\w+) (counter|histogram)$/.exec(line);
    if (type !== null) family = type[1] ?? '';
    else if (!line.startsWith('# HELP ')) {
      assert.match(line, /^[a-z_]+\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+\} [0-9.e+-]+$/);
      assert.ok(line.startsWith(family), line);
    }
  }
  assert.is(lines.at(-1), '');
});

test('OpenTelemetry reads the counters when it wants them', async () => {
  metrics().reset();
  const told = fleche((x: number) => x, { name: 'told', module: 'm' });
  type Callback = (result: ObservableResult) => void;
  const instruments = new Map<string, Set<Callback>>();
  const meter: ObservingMeter = {
    createObservableCounter: (name) => {
      const callbacks = new Set<Callback>();
      instruments.set(name, callbacks);
      return {
        addCallback: (callback) => void callbacks.add(callback),
        removeCallback: (callback) => void callbacks.delete(callback),
      };
    },
  };
  const stop = await observeMetrics(meter);
  cache(memoryCache(), () => {
    told(1);
    told(1);
    told(1);
  });
  const observed: unknown[] = [];
  for (const callback of instruments.get('fleche_calls') ?? []) {
    callback({ observe: (value, attributes) => observed.push([value, attributes]) });
  }
  const of = { function: 'told', module: 'm' };
  assert.equal(observed, [
    [2, { ...of, outcome: 'hit' }],
    [1, { ...of, outcome: 'miss' }],
    [0, { ...of, outcome: 'coalesced' }],
    [0, { ...of, outcome: 'bypassed' }],
  ]);
  stop();
  assert.ok([...instruments.values()].every(({ size }) => size === 0));
});

test('the interface of OpenTelemetry fits, and is found by itself', async () => {
  const fits = (meter: Meter): ObservingMeter => meter;
  assert.type(fits, 'function');
  const stop = await observeMetrics();
  stop();
});

test.run();
