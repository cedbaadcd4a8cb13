/**
 * What every cache can do, local or remote, single or stacked: the primitives that memoised functions, queries and
 * maintenance are written against. Local caches answer at once, remote ones with promises.
 */
import type { Awaitable } from '../../base/awaitable.ts';
import type { Digest, Key } from '../../base/hash.ts';
import type { CallTerms } from '../../store/calls.ts';
import type { LeaseStore } from '../../store/leases.ts';
import type { CallRecord, StoredValue } from '../../store/record.ts';

/** A value that may not be there; `undefined` and `null` are values like any other. */
export type Found = { readonly found: true; readonly value: unknown } | { readonly found: false };

export const NOT_FOUND: Found = { found: false };

export type Records = AsyncIterable<CallRecord> | Iterable<CallRecord>;

/** What a cache shared by processes has for keeping them from making the same call at the same time. */
export interface Exclusion {
  readonly leases: LeaseStore;
  /** The clock by which leases are renewed, ms since the epoch. */
  readonly now: () => number;
  /** Makes visible what other processes filed meanwhile. */
  refresh(): void;
  /** Calls back once other processes can see what was filed before, or it is lost. */
  whenVisible(then: () => void): void;
}

export interface CacheCore {
  /** Folder or URL of the records, or undefined for a cache without a place. */
  readonly location: string | undefined;
  /** The record under a key. That its values can still be had is not promised. */
  lookup(key: Key): Awaitable<CallRecord | undefined>;
  /** The value that a blob encodes. */
  value(blob: Digest): Awaitable<Found>;
  /** A blob that encodes the value with this digest. */
  target(value: Digest): Awaitable<Digest | undefined>;
  /** The bytes in which this cache keeps a value. Throws `UNSTORABLE` for what has no encoding. */
  encode(value: unknown): Uint8Array;
  /** Stores a value whose digest is known. Throws `UNSTORABLE` for what has no encoding. */
  keep(value: unknown, digest: Digest): Awaitable<StoredValue>;
  /** The bytes of a blob, for copying it elsewhere as it is. */
  bytes(blob: Digest): Awaitable<Uint8Array | undefined>;
  /** Takes in a blob copied from elsewhere, and what value it encodes, if any. */
  keepBytes(blob: Digest, bytes: Uint8Array, value: Digest | null): Awaitable<void>;
  /** Files a record whose values are kept. False if this cache takes no records, or not this one. */
  file(record: CallRecord): Awaitable<boolean>;
  /** Removes a record; its values stay until a collection. False if there was none, or it may not be removed. */
  evict(key: Key): Awaitable<boolean>;
  /** Removes several records, in one step where the store has such. Returns how many were there. */
  evictAll(keys: Iterable<Key>): Awaitable<number>;
  /** Records for which all terms hold, newest first. */
  find(terms: CallTerms): Records;
  /** Keys that begin with `prefix`, at most `limit`, sorted. */
  keysMatching(prefix: string, limit: number): Awaitable<readonly Key[]>;
  /** Digests of stored values that begin with `prefix`, at most `limit`, sorted. */
  valuesMatching(prefix: string, limit: number): Awaitable<readonly Digest[]>;
  /** Waits until everything filed so far is durable, and for what is being made anew in the background. */
  flush(): Awaitable<void>;
  close(): Awaitable<void>;
}
