/**
 * A cache that keeps within a number of calls and bytes: when filing goes past a limit, the calls least recently used are
 * evicted, and the values that no other call names go with them. Recency is that of this process; what was filed by
 * earlier ones counts as used when it was filed.
 */
import { FlecheError } from '../../base/errors.ts';
import type { Digest, Key } from '../../base/hash.ts';
import type { SyncCallStore } from '../../store/calls.ts';
import type { CallRecord } from '../../store/record.ts';
import type { SyncValueStore } from '../../store/values.ts';
import { Cache } from './cache.ts';
import { blobsOf } from './transfer.ts';

export interface Limits {
  /** Bytes at rest of the values of all calls; a value that several calls share counts once. */
  readonly maxBytes?: number;
  readonly maxEntries?: number;
}

export class SizeLimitedCache extends Cache {
  readonly #values: SyncValueStore;
  readonly #calls: SyncCallStore;
  readonly #limits: Limits;
  /** Keys from the least to the most recently used, with the blobs each names. */
  readonly #entries = new Map<Key, readonly Digest[]>();
  readonly #uses = new Map<Digest, { count: number; readonly size: number }>();
  #bytes = 0;

  constructor(values: SyncValueStore, calls: SyncCallStore, limits: Limits) {
    super(values, calls);
    if (limits.maxBytes === undefined && limits.maxEntries === undefined) {
      throw new FlecheError('USAGE', 'a size-limited cache needs maxBytes or maxEntries', {
        hint: "Pass one of them, such as { maxBytes: '500MB' }.",
      });
    }
    this.#values = values;
    this.#calls = calls;
    this.#limits = limits;
    const sizes = new Map([...values.list()].map(({ digest, size }) => [digest, size]));
    const oldestFirst = [...calls.find({})].reverse();
    for (const record of oldestFirst) this.#enter(record, (blob) => sizes.get(blob) ?? 0);
    this.#shrinkTo();
  }

  /** Calls and bytes kept now. */
  get size(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#entries.size, bytes: this.#bytes };
  }

  override lookup(key: Key): CallRecord | undefined {
    const record = this.#calls.get(key);
    const blobs = this.#entries.get(key);
    if (blobs !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, blobs);
    }
    return record;
  }

  /** False for a call that is larger than the whole cache may be. */
  override file(record: CallRecord): boolean {
    const before = this.#entries.get(record.key) ?? [];
    this.#calls.put(record);
    this.#entries.delete(record.key);
    this.#enter(record, (blob) => this.#values.get(blob)?.length ?? 0);
    this.#release(before);
    this.#shrinkTo();
    return this.#entries.has(record.key);
  }

  override evict(key: Key): boolean {
    this.#release(this.#entries.get(key) ?? []);
    this.#entries.delete(key);
    return this.#calls.delete(key);
  }

  override evictAll(keys: Iterable<Key>): number {
    const all = [...new Set(keys)];
    const count = this.#calls.deleteAll(all);
    for (const key of all) {
      this.#release(this.#entries.get(key) ?? []);
      this.#entries.delete(key);
    }
    return count;
  }

  #enter(record: CallRecord, sizeOf: (blob: Digest) => number): void {
    const blobs = [...new Set(blobsOf(record).map(({ blob }) => blob))];
    this.#entries.set(record.key, blobs);
    for (const blob of blobs) {
      const use = this.#uses.get(blob);
      if (use !== undefined) {
        use.count++;
        continue;
      }
      const size = sizeOf(blob);
      this.#uses.set(blob, { count: 1, size });
      this.#bytes += size;
    }
  }

  #release(blobs: readonly Digest[]): void {
    for (const blob of blobs) {
      const use = this.#uses.get(blob);
      if (use === undefined || --use.count > 0) continue;
      this.#uses.delete(blob);
      this.#bytes -= use.size;
      this.#values.delete(blob);
    }
  }

  #shrinkTo(): void {
    const { maxBytes = Number.POSITIVE_INFINITY, maxEntries = Number.POSITIVE_INFINITY } = this.#limits;
    for (const key of this.#entries.keys()) {
      if (this.#bytes <= maxBytes && this.#entries.size <= maxEntries) return;
      this.evict(key);
    }
  }
}
