/**
 * What memoised functions did in this process: plain counters, for each function and in total. A call counts once, when
 * it is answered, as exactly one of hit, miss, coalesced and bypassed; so these four add up to the calls. Work that no
 * caller waits for is counted apart.
 */
import { byCodeUnit } from '../../base/order.ts';

/**
 * `hit`: answered from the cache. `miss`: the call was made, or asked for with `only` and not there. `coalesced`:
 * answered by somebody else's execution, in this process or another. `bypassed`: made without looking.
 */
export type CallOutcome = 'hit' | 'miss' | 'coalesced' | 'bypassed';

const OUTCOMES: readonly CallOutcome[] = ['hit', 'miss', 'coalesced', 'bypassed'];

/** Upper bounds of the buckets of a latency histogram, ms; a last one takes the rest. */
export const LATENCY_BOUNDS: readonly number[] = [
  0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000,
];

/** How long calls took, from call to answer. */
export interface Latency {
  readonly count: number;
  /** ms. */
  readonly sum: number;
  /** How many took at most as long as each of `LATENCY_BOUNDS`. */
  readonly buckets: readonly number[];
}

/** What can be counted beside calls. */
export interface Counts {
  /** Times an answer was served past its `staleAfter`: while it was made anew, after an error or a time-out. */
  staleServed: number;
  /** Answers made anew behind the callers' back, and attempts at it that failed. */
  refreshes: number;
  refreshFailures: number;
  /** Times somebody stopped waiting for another's execution because it took too long. */
  waitTimeouts: number;
  /** Results that were not filed because they were larger than `maxEntrySize`. */
  sizeRejections: number;
  /** Encoded bytes of the results that were filed. */
  bytes: number;
}

/** Counters of one function, or of all. */
export interface MetricsSummary extends Readonly<Counts> {
  readonly calls: number;
  readonly hits: number;
  readonly misses: number;
  readonly coalesced: number;
  readonly bypassed: number;
  readonly latency: Readonly<Record<CallOutcome, Latency>>;
}

export interface FunctionMetrics extends MetricsSummary {
  readonly name: string;
  readonly module: string | null;
}

export interface MetricsSnapshot {
  /** Sorted by module and name. */
  readonly functions: readonly FunctionMetrics[];
  readonly total: MetricsSummary;
}

class Histogram {
  count = 0;
  sum = 0;
  readonly #buckets: number[] = Array.from({ length: LATENCY_BOUNDS.length + 1 }, () => 0);

  add(ms: number): void {
    this.count++;
    this.sum += ms;
    let at = 0;
    while (ms > (LATENCY_BOUNDS[at] ?? Number.POSITIVE_INFINITY)) at++;
    this.#buckets[at] = (this.#buckets[at] ?? 0) + 1;
  }

  snapshot(): Latency {
    let below = 0;
    const buckets = LATENCY_BOUNDS.map((_, at) => {
      below += this.#buckets[at] ?? 0;
      return below;
    });
    return { count: this.count, sum: this.sum, buckets };
  }
}

const nothing = (): Counts => ({
  staleServed: 0,
  refreshes: 0,
  refreshFailures: 0,
  waitTimeouts: 0,
  sizeRejections: 0,
  bytes: 0,
});

/** The counters of one function, to count with. */
export class Tally {
  readonly name: string;
  readonly module: string | null;
  counts: Counts = nothing();
  #latency = histograms();

  constructor(name: string, module: string | null) {
    this.name = name;
    this.module = module;
  }

  /** Counts a call that was answered after `ms`. */
  add(outcome: CallOutcome, ms: number): void {
    this.#latency[outcome].add(ms);
  }

  snapshot(): FunctionMetrics {
    const { name, module, counts } = this;
    const { hit, miss, coalesced, bypassed } = this.#latency;
    const latency = {
      hit: hit.snapshot(),
      miss: miss.snapshot(),
      coalesced: coalesced.snapshot(),
      bypassed: bypassed.snapshot(),
    };
    return { name, module, ...summary(latency, { ...counts }) };
  }

  reset(): void {
    this.counts = nothing();
    this.#latency = histograms();
  }
}

function histograms(): Readonly<Record<CallOutcome, Histogram>> {
  return { hit: new Histogram(), miss: new Histogram(), coalesced: new Histogram(), bypassed: new Histogram() };
}

function summary(latency: Readonly<Record<CallOutcome, Latency>>, counts: Counts): MetricsSummary {
  const { hit, miss, coalesced, bypassed } = latency;
  return {
    calls: hit.count + miss.count + coalesced.count + bypassed.count,
    hits: hit.count,
    misses: miss.count,
    coalesced: coalesced.count,
    bypassed: bypassed.count,
    ...counts,
    latency,
  };
}

/** The counters of all memoised functions of this process. */
export class Metrics {
  readonly #tallies = new Map<string, Tally>();

  /** The counters of a function, the same ones whenever it is defined. */
  tally(name: string, module: string | null): Tally {
    const id = JSON.stringify([module, name]);
    const known = this.#tallies.get(id);
    if (known !== undefined) return known;
    const tally = new Tally(name, module);
    this.#tallies.set(id, tally);
    return tally;
  }

  /** As it is now. Functions that were never called are left out. */
  snapshot(): MetricsSnapshot {
    const functions = [...this.#tallies.values()]
      .map((tally) => tally.snapshot())
      .filter(({ calls, refreshes, refreshFailures }) => calls + refreshes + refreshFailures > 0)
      .sort((a, b) => byCodeUnit(a.module ?? '', b.module ?? '') || byCodeUnit(a.name, b.name));
    return { functions, total: totalOf(functions) };
  }

  /** Everything is counted from 0 again. */
  reset(): void {
    for (const tally of this.#tallies.values()) tally.reset();
  }
}

function totalOf(parts: readonly MetricsSummary[]): MetricsSummary {
  const counts = nothing();
  for (const name of Object.keys(counts) as (keyof Counts)[]) {
    for (const part of parts) counts[name] += part[name];
  }
  const added = (outcome: CallOutcome): Latency => {
    const latencies = parts.map(({ latency }) => latency[outcome]);
    return {
      count: latencies.reduce((sum, { count }) => sum + count, 0),
      sum: latencies.reduce((sum, each) => sum + each.sum, 0),
      buckets: LATENCY_BOUNDS.map((_, at) => latencies.reduce((sum, { buckets }) => sum + (buckets[at] ?? 0), 0)),
    };
  };
  const [hit, miss, coalesced, bypassed] = OUTCOMES.map(added) as [Latency, Latency, Latency, Latency];
  return summary({ hit, miss, coalesced, bypassed }, counts);
}

const ofThisProcess = new Metrics();

/** The counters of this process. */
export function metrics(): Metrics {
  return ofThisProcess;
}
