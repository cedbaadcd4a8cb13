/** The contract of a calls store: records under their key, with the indexes that queries and invalidation need. */
import type { Awaitable } from '../base/awaitable.ts';
import type { Digest, Key } from '../base/hash.ts';
import { byCodeUnit } from '../base/order.ts';
import type { CallRecord, PartKind } from './record.ts';

/** Terms by which records can be found without a scan; several terms must all hold. */
export interface CallTerms {
  readonly kind?: CallRecord['kind'];
  readonly name?: string;
  readonly module?: string;
  /** Parts that must be there with this digest, by part name. */
  readonly parts?: Readonly<Record<string, Digest>>;
  /** Digest of some part, whatever its name, that is an argument, what was needed upstream, or files. */
  readonly uses?: Digest;
  /** Value digest of the result, or digest of the output tree. */
  readonly result?: Digest;
  /** Tags that must be there with this value. */
  readonly tags?: Readonly<Record<string, string | number | boolean | null>>;
  /** Filed at or after / before, ms since the epoch. */
  readonly since?: number;
  readonly until?: number;
}

/**
 * Saving under a key that is on file replaces the record. Records that do not decode are absent. Listings come newest
 * first by `filed`, ties by key.
 */
export interface CallStore {
  readonly location: string | undefined;
  get(key: Key): Awaitable<CallRecord | undefined>;
  put(record: CallRecord): Awaitable<void>;
  delete(key: Key): Awaitable<boolean>;
  /** Removes several in one step, where the store has such; returns how many were there. */
  deleteAll(keys: Iterable<Key>): Awaitable<number>;
  /** Records for which all terms hold, newest first; no terms: all of them. */
  find(terms: CallTerms): AsyncIterable<CallRecord> | Iterable<CallRecord>;
  /** Keys that begin with `prefix`, at most `limit`, sorted. */
  matching(prefix: string, limit: number): Awaitable<readonly Key[]>;
  /** Number of records. */
  count(): Awaitable<number>;
  /** Waits until everything put so far is durable. */
  flush(): Awaitable<void>;
  close(): Awaitable<void>;
}

/** A calls store that answers at once. */
export interface SyncCallStore extends CallStore {
  get(key: Key): CallRecord | undefined;
  put(record: CallRecord): void;
  delete(key: Key): boolean;
  deleteAll(keys: Iterable<Key>): number;
  find(terms: CallTerms): Iterable<CallRecord>;
  matching(prefix: string, limit: number): readonly Key[];
  count(): number;
  flush(): void;
}

/** Kinds of parts whose content a call was given, as against what it is. */
export const USED: ReadonlySet<PartKind> = new Set<PartKind>(['argument', 'upstream', 'files']);

/** Whether all terms hold for a record: the meaning of `find`, for stores without an index of their own. */
export function holds(terms: CallTerms, record: CallRecord): boolean {
  const { kind, name, module, parts, uses, result, tags, since, until } = terms;
  if (kind !== undefined && record.kind !== kind) return false;
  if (name !== undefined && record.name !== name) return false;
  if (module !== undefined && record.module !== module) return false;
  if (since !== undefined && record.filed < since) return false;
  if (until !== undefined && record.filed >= until) return false;
  if (result !== undefined && record.result?.digest !== result && record.outputs !== result) return false;
  if (uses !== undefined && !record.parts.some((part) => part.digest === uses && USED.has(part.kind))) return false;
  for (const [part, digest] of Object.entries(parts ?? {})) {
    if (!record.parts.some((own) => own.name === part && own.digest === digest)) return false;
  }
  const own = record.metadata['tags'];
  for (const [tag, value] of Object.entries(tags ?? {})) {
    if (own === undefined || own[tag] !== value) return false;
  }
  return true;
}

/** The order of listings: newest first by `filed`, ties by key. */
export function newestFirst(a: CallRecord, b: CallRecord): number {
  return b.filed - a.filed || byCodeUnit(a.key, b.key);
}
