/** A cache: one values store and one calls store. */
import { type Awaitable, chain } from '../../base/awaitable.ts';
import { parseDuration } from '../../base/duration.ts';
import { type Digest, type Key, sha256 } from '../../base/hash.ts';
import type { CallStore, CallTerms } from '../../store/calls.ts';
import { decodeValue, type ValueCodec, valueCodec } from '../../store/codecs/value-codec.ts';
import type { CallRecord, StoredValue } from '../../store/record.ts';
import type { ValueStore } from '../../store/values.ts';
import { BaseCache } from './base-cache.ts';
import { type Found, NOT_FOUND, type Records } from './cache-core.ts';
import { collectGarbage, type GcReport } from './gc.ts';

const clock = Date.now;

export interface CollectOptions {
  /** Values filed or refreshed within this time stay: `"1h"` or ms. */
  readonly grace?: string | number;
  /** Tells what would be removed. */
  readonly dryRun?: boolean;
}

export class Cache extends BaseCache {
  readonly values: ValueStore;
  readonly calls: CallStore;
  readonly #codec: ValueCodec;

  /** `codec` is how new values are written; those of any codec are read. */
  constructor(values: ValueStore, calls: CallStore, codec: ValueCodec = valueCodec('fleche')) {
    super();
    this.values = values;
    this.calls = calls;
    this.#codec = codec;
  }

  get location(): string | undefined {
    return this.calls.location;
  }

  lookup(key: Key): Awaitable<CallRecord | undefined> {
    return this.calls.get(key);
  }

  value(blob: Digest): Awaitable<Found> {
    return chain(this.values.get(blob), decoded);
  }

  target(value: Digest): Awaitable<Digest | undefined> {
    return this.values.target(value);
  }

  override encode(value: unknown): Uint8Array {
    return this.#codec.encode(value);
  }

  keep(value: unknown, digest: Digest): Awaitable<StoredValue> {
    const bytes = this.encode(value);
    const blob = sha256(bytes);
    const put = this.values.put(blob, bytes);
    return chain(put, () => chain(this.values.alias(digest, blob), () => ({ digest, blob })));
  }

  bytes(blob: Digest): Awaitable<Uint8Array | undefined> {
    return this.values.get(blob);
  }

  keepBytes(blob: Digest, bytes: Uint8Array, value: Digest | null): Awaitable<void> {
    return chain(this.values.put(blob, bytes), () => (value === null ? undefined : this.values.alias(value, blob)));
  }

  file(record: CallRecord): Awaitable<boolean> {
    return chain(this.calls.put(record), () => true);
  }

  evict(key: Key): Awaitable<boolean> {
    return this.calls.delete(key);
  }

  evictAll(keys: Iterable<Key>): Awaitable<number> {
    return this.calls.deleteAll(keys);
  }

  find(terms: CallTerms): Records {
    return this.calls.find(terms);
  }

  keysMatching(prefix: string, limit: number): Awaitable<readonly Key[]> {
    return this.calls.matching(prefix, limit);
  }

  valuesMatching(prefix: string, limit: number): Awaitable<readonly Digest[]> {
    return this.values.matching(prefix, limit);
  }

  /**
   * Removes the values that no call here names; other caches may not share them. Values are filed before their calls, so
   * the youngest are spared: by default those of the last hour. Throws `INVALID_DURATION`.
   */
  gc({ grace = '1h', dryRun = false }: CollectOptions = {}): Promise<GcReport> {
    const graceMs = parseDuration(grace);
    return collectGarbage(this.values, this.calls, { graceMs, now: clock(), dryRun });
  }

  flush(): Awaitable<void> {
    return this.flushed(() => chain(this.values.flush(), () => this.calls.flush()));
  }

  close(): Awaitable<void> {
    return chain(this.idle(), () => chain(this.values.close(), () => this.calls.close()));
  }
}

/** Bytes that do not decode are of another version or class registry: not there for this process. */
function decoded(bytes: Uint8Array | undefined): Found {
  if (bytes === undefined) return NOT_FOUND;
  try {
    return { found: true, value: decodeValue(bytes) };
  } catch {
    return NOT_FOUND;
  }
}
