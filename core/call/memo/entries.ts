/** What a function has on file, for people who look after it. */
import { type Awaitable, chain } from '../../base/awaitable.ts';
import type { Digest, Key } from '../../base/hash.ts';
import type { CallRecord } from '../../store/record.ts';
import type { BaseCache } from '../caches/base-cache.ts';
import type { FunctionMetrics } from '../metrics/metrics.ts';
import { all } from '../references.ts';
import type { FreshnessState } from './answering/freshness.ts';
import { ARGUMENT } from './answering/question.ts';
import type { Memo } from './memo.ts';

export type EntryState = FreshnessState | 'failed';

/** A call on file. */
export interface Entry {
  readonly key: Key;
  /** Argument name to digest, in declared order. */
  readonly arguments: Readonly<Record<string, Digest>>;
  /** ms since the epoch. */
  readonly filed: number;
  /** ms. */
  readonly age: number;
  readonly state: EntryState;
  /** Encoded bytes of the result; null if there is none, or it is gone. */
  readonly size: number | null;
  /** Whether it is being made anew, in this process or another. */
  readonly calculating: boolean;
}

export interface Stats {
  /** Calls on file, and the encoded bytes of their results; results that several calls share count for each. */
  readonly entries: number;
  readonly bytes: number;
  readonly states: Readonly<Record<EntryState, number>>;
  /** Calls under way, on file or not. */
  readonly calculating: number;
  /** What this function did in this process. */
  readonly metrics: FunctionMetrics;
}

export function entriesOf(memo: Memo, cache: BaseCache, records: readonly CallRecord[]): Awaitable<readonly Entry[]> {
  const underWay = memo.underWay(cache);
  return all(
    records.map((record) => {
      const { key, filed, failure, result, parts } = record;
      const { age, state } = memo.freshnessOf(record);
      const args = parts.filter(({ name }) => name.startsWith(ARGUMENT));
      const bytes = result === null ? undefined : cache.bytes(result.blob);
      return chain(
        bytes,
        (bytes): Entry => ({
          key,
          arguments: Object.fromEntries(args.map(({ name, digest }) => [name.slice(ARGUMENT.length), digest])),
          filed,
          age,
          state: failure === null ? state : 'failed',
          size: bytes?.length ?? null,
          calculating: underWay.has(key),
        }),
      );
    }),
  );
}

export function statsOf(memo: Memo, cache: BaseCache, entries: readonly Entry[]): Stats {
  const states = { fresh: 0, stale: 0, expired: 0, failed: 0 };
  for (const { state } of entries) states[state]++;
  return {
    entries: entries.length,
    bytes: entries.reduce((sum, { size }) => sum + (size ?? 0), 0),
    states,
    calculating: memo.underWay(cache).size,
    metrics: memo.tally.snapshot(),
  };
}
