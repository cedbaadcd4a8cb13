/** Caches seen through a rule: read-only, filtered, or never answering. Each forwards to one cache and owns nothing. */
import { type Awaitable, chain } from '../../base/awaitable.ts';
import { encode } from '../../base/encode.ts';
import { type Digest, type Key, sha256 } from '../../base/hash.ts';
import type { CallTerms } from '../../store/calls.ts';
import type { CallRecord, StoredValue } from '../../store/record.ts';
import { BaseCache } from './base-cache.ts';
import type { Exclusion, Found, Records } from './cache-core.ts';

/** Where a value would be stored, without storing it. */
export function describeValue(value: unknown, digest: Digest): StoredValue {
  return { digest, blob: sha256(encode(value)) };
}

/** Forwards everything; kinds of views override what they change. */
export abstract class CacheView extends BaseCache {
  readonly inner: BaseCache;

  constructor(inner: BaseCache) {
    super();
    this.inner = inner;
  }

  get location(): string | undefined {
    return this.inner.location;
  }

  override get exclusion(): Exclusion | undefined {
    return this.inner.exclusion;
  }

  lookup(key: Key): Awaitable<CallRecord | undefined> {
    return this.inner.lookup(key);
  }

  value(blob: Digest): Awaitable<Found> {
    return this.inner.value(blob);
  }

  target(value: Digest): Awaitable<Digest | undefined> {
    return this.inner.target(value);
  }

  bytes(blob: Digest): Awaitable<Uint8Array | undefined> {
    return this.inner.bytes(blob);
  }

  override encode(value: unknown): Uint8Array {
    return this.inner.encode(value);
  }

  keep(value: unknown, digest: Digest): Awaitable<StoredValue> {
    return this.inner.keep(value, digest);
  }

  keepBytes(blob: Digest, bytes: Uint8Array, value: Digest | null): Awaitable<void> {
    return this.inner.keepBytes(blob, bytes, value);
  }

  file(record: CallRecord): Awaitable<boolean> {
    return this.inner.file(record);
  }

  evict(key: Key): Awaitable<boolean> {
    return this.inner.evict(key);
  }

  evictAll(keys: Iterable<Key>): Awaitable<number> {
    return this.inner.evictAll(keys);
  }

  find(terms: CallTerms): Records {
    return this.inner.find(terms);
  }

  keysMatching(prefix: string, limit: number): Awaitable<readonly Key[]> {
    return this.inner.keysMatching(prefix, limit);
  }

  valuesMatching(prefix: string, limit: number): Awaitable<readonly Digest[]> {
    return this.inner.valuesMatching(prefix, limit);
  }

  flush(): Awaitable<void> {
    return this.flushed(() => this.inner.flush());
  }

  close(): Awaitable<void> {
    return chain(this.idle(), () => this.inner.close());
  }
}

/** Answers, and takes nothing. */
export class ReadOnlyCache extends CacheView {
  /** What is made here nobody else gets to see, so nobody waits for it. */
  override get exclusion(): undefined {
    return undefined;
  }

  override keep(value: unknown, digest: Digest): Awaitable<StoredValue> {
    return describeValue(value, digest);
  }

  override keepBytes(_blob: Digest, _bytes: Uint8Array, _value: Digest | null): Awaitable<void> {}

  override file(_record: CallRecord): Awaitable<boolean> {
    return false;
  }

  override evict(_key: Key): Awaitable<boolean> {
    return false;
  }

  override evictAll(): Awaitable<number> {
    return 0;
  }
}

/** Shows only the calls that `accepts` lets through, and takes nothing. */
export class FilteredCache extends ReadOnlyCache {
  readonly #accepts: (record: CallRecord) => boolean;

  constructor(inner: BaseCache, accepts: (record: CallRecord) => boolean) {
    super(inner);
    this.#accepts = accepts;
  }

  override lookup(key: Key): Awaitable<CallRecord | undefined> {
    return chain(this.inner.lookup(key), (record) =>
      record !== undefined && this.#accepts(record) ? record : undefined,
    );
  }

  override find(terms: CallTerms): Records {
    const records = this.inner.find(terms);
    return Symbol.iterator in records ? filterSync(records, this.#accepts) : filterAsync(records, this.#accepts);
  }
}

function* filterSync(records: Iterable<CallRecord>, accepts: (record: CallRecord) => boolean): Iterable<CallRecord> {
  for (const record of records) if (accepts(record)) yield record;
}

async function* filterAsync(
  records: AsyncIterable<CallRecord>,
  accepts: (record: CallRecord) => boolean,
): AsyncIterable<CallRecord> {
  for await (const record of records) if (accepts(record)) yield record;
}

/** Never answers, so that every call is made; files all of them. */
export class RefreshingCache extends CacheView {
  override get exclusion(): undefined {
    return undefined;
  }

  override lookup(_key: Key): Awaitable<CallRecord | undefined> {
    return undefined;
  }
}
