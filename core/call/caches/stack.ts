/** Several caches as one: a stack, which is written at the front, and a pool, which is only read. */
import { type Awaitable, chain } from '../../base/awaitable.ts';
import { FlecheError } from '../../base/errors.ts';
import type { Digest, Key } from '../../base/hash.ts';
import { byCodeUnit } from '../../base/order.ts';
import type { CallTerms } from '../../store/calls.ts';
import type { CallRecord, StoredValue } from '../../store/record.ts';
import { BaseCache } from './base-cache.ts';
import type { CacheCore, Exclusion, Found, Records } from './cache-core.ts';
import { copyCall } from './transfer.ts';
import { describeValue } from './views.ts';

/** Asks caches in order until one has an answer that is not `none`. */
function firstOf<T>(
  layers: readonly CacheCore[],
  ask: (layer: CacheCore) => Awaitable<T>,
  none: (answer: T) => boolean,
  at = 0,
): Awaitable<T> {
  const layer = layers[at];
  if (layer === undefined) throw new FlecheError('BUG', 'bug: a stack without layers');
  return chain(ask(layer), (answer) =>
    none(answer) && at + 1 < layers.length ? firstOf(layers, ask, none, at + 1) : answer,
  );
}

/** Records of all layers, each key once (the frontmost wins), newest first. */
function union(layers: readonly CacheCore[], terms: CallTerms): Records {
  const listings = layers.map((layer) => layer.find(terms));
  const sync = listings.every((listing): listing is Iterable<CallRecord> => Symbol.iterator in listing);
  return sync ? mergeSync(listings) : mergeAsync(listings);
}

function newestFirst(byKey: ReadonlyMap<Key, CallRecord>): readonly CallRecord[] {
  return [...byKey.values()].sort((a, b) => b.filed - a.filed || byCodeUnit(a.key, b.key));
}

function* mergeSync(listings: readonly Iterable<CallRecord>[]): Iterable<CallRecord> {
  const byKey = new Map<Key, CallRecord>();
  for (const listing of listings)
    for (const record of listing) if (!byKey.has(record.key)) byKey.set(record.key, record);
  yield* newestFirst(byKey);
}

async function* mergeAsync(listings: readonly Records[]): AsyncIterable<CallRecord> {
  const byKey = new Map<Key, CallRecord>();
  for (const listing of listings) {
    for await (const record of listing) if (!byKey.has(record.key)) byKey.set(record.key, record);
  }
  yield* newestFirst(byKey);
}

/** Digests of several layers as one sorted list of at most `limit`. */
function mergeDigests<D extends Digest>(
  layers: readonly CacheCore[],
  ask: (layer: CacheCore) => Awaitable<readonly D[]>,
  limit: number,
): Awaitable<readonly D[]> {
  const all = layers.reduce<Awaitable<readonly D[]>>(
    (before, layer) => chain(before, (found) => chain(ask(layer), (more) => [...found, ...more])),
    [],
  );
  return chain(all, (found) => [...new Set(found)].sort(byCodeUnit).slice(0, limit));
}

/** What stack and pool share: layers that are asked from the front to the back. */
abstract class Layered extends BaseCache {
  readonly layers: readonly BaseCache[];

  constructor(layers: readonly BaseCache[]) {
    super();
    if (layers.length === 0)
      throw new FlecheError('USAGE', 'a stack or pool needs at least one cache', {
        hint: 'List its caches, the nearest first.',
      });
    this.layers = layers;
  }

  get location(): string | undefined {
    return this.layers[0]?.location;
  }

  value(blob: Digest): Awaitable<Found> {
    return firstOf(
      this.layers,
      (layer) => layer.value(blob),
      (found) => !found.found,
    );
  }

  target(value: Digest): Awaitable<Digest | undefined> {
    return firstOf(
      this.layers,
      (layer) => layer.target(value),
      (found) => found === undefined,
    );
  }

  bytes(blob: Digest): Awaitable<Uint8Array | undefined> {
    return firstOf(
      this.layers,
      (layer) => layer.bytes(blob),
      (found) => found === undefined,
    );
  }

  find(terms: CallTerms): Records {
    return union(this.layers, terms);
  }

  keysMatching(prefix: string, limit: number): Awaitable<readonly Key[]> {
    return mergeDigests(this.layers, (layer) => layer.keysMatching(prefix, limit), limit);
  }

  valuesMatching(prefix: string, limit: number): Awaitable<readonly Digest[]> {
    return mergeDigests(this.layers, (layer) => layer.valuesMatching(prefix, limit), limit);
  }

  flush(): Awaitable<void> {
    return this.flushed(() => each(this.layers, (layer) => layer.flush()));
  }

  close(): Awaitable<void> {
    return chain(this.idle(), () => each(this.layers, (layer) => layer.close()));
  }
}

function each(layers: readonly CacheCore[], act: (layer: CacheCore) => Awaitable<void>): Awaitable<void> {
  return layers.reduce<Awaitable<void>>((before, layer) => chain(before, () => act(layer)), undefined);
}

/**
 * Caches behind one another: read in order, written at the front. A hit further back is copied to the front at once, so
 * that what is used moves to the fastest cache. Evicting removes a call from every layer. Stacks given as layers are
 * spread out.
 */
export class CacheStack extends Layered {
  constructor(layers: Iterable<BaseCache>) {
    super([...layers].flatMap((layer) => (layer instanceof CacheStack ? layer.layers : [layer])));
  }

  /** The cache that is written to. */
  get front(): BaseCache {
    return this.layers[0] as BaseCache;
  }

  /** A stack with one more cache in front. */
  push(cache: BaseCache): CacheStack {
    return new CacheStack([cache, ...this.layers]);
  }

  lookup(key: Key): Awaitable<CallRecord | undefined> {
    return this.#lookup(key, 0);
  }

  #lookup(key: Key, at: number): Awaitable<CallRecord | undefined> {
    const layer = this.layers[at];
    if (layer === undefined) return undefined;
    return chain(layer.lookup(key), (record) => {
      if (record === undefined || record.failure !== null) {
        return chain(this.#lookup(key, at + 1), (further) => further ?? record);
      }
      if (at === 0) return record;
      return chain(copyCall(record, layer, this.front), () => record);
    });
  }

  /** That of the cache where new answers go. */
  override get exclusion(): Exclusion | undefined {
    return this.front.exclusion;
  }

  override encode(value: unknown): Uint8Array {
    return this.front.encode(value);
  }

  keep(value: unknown, digest: Digest): Awaitable<StoredValue> {
    return this.front.keep(value, digest);
  }

  keepBytes(blob: Digest, bytes: Uint8Array, value: Digest | null): Awaitable<void> {
    return this.front.keepBytes(blob, bytes, value);
  }

  file(record: CallRecord): Awaitable<boolean> {
    return this.front.file(record);
  }

  /** Removes the call from every layer; true if any had it. */
  evict(key: Key): Awaitable<boolean> {
    return this.layers.reduce<Awaitable<boolean>>(
      (before, layer) => chain(before, (any) => chain(layer.evict(key), (had) => any || had)),
      false,
    );
  }

  /** Removes the calls from every layer. Returns the most that any had. */
  evictAll(keys: Iterable<Key>): Awaitable<number> {
    const all = [...keys];
    return this.layers.reduce<Awaitable<number>>(
      (before, layer) => chain(before, (most) => chain(layer.evictAll(all), (count) => Math.max(most, count))),
      0,
    );
  }
}

/** Several caches read as one; takes no records and copies nothing. */
export class CachePool extends Layered {
  constructor(members: Iterable<BaseCache>) {
    super([...members]);
  }

  lookup(key: Key): Awaitable<CallRecord | undefined> {
    return firstOf(
      this.layers,
      (layer) => layer.lookup(key),
      (record) => record === undefined,
    );
  }

  evictAll(): Awaitable<number> {
    return 0;
  }

  keep(value: unknown, digest: Digest): Awaitable<StoredValue> {
    return describeValue(value, digest);
  }

  keepBytes(_blob: Digest, _bytes: Uint8Array, _value: Digest | null): Awaitable<void> {}

  file(_record: CallRecord): Awaitable<boolean> {
    return false;
  }

  evict(_key: Key): Awaitable<boolean> {
    return false;
  }
}
