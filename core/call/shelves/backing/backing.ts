/** The contract of the place where a shelf's contents are kept while they are not in memory. One for each shelf. */
import type { Awaitable } from '../../../base/awaitable.ts';
import type { Contents, StoredEntry } from './contents.ts';

export type Found<K, V> =
  | { readonly kind: 'nothing' }
  /** The shelf, or what it is made from, was invalidated elsewhere since it was loaded last. */
  | { readonly kind: 'moved' }
  /** What is kept cannot be read. It has been told. */
  | { readonly kind: 'unknown' }
  /** There is something, but what it was made from has been invalidated since. */
  | { readonly kind: 'stale' }
  | { readonly kind: 'found'; readonly entries: readonly StoredEntry<K, V>[] };

/** Somebody else wrote or removed a key since it was read, and this process wrote over it. */
export interface Conflict<K, V> {
  readonly key: K;
  /** What is kept now; undefined if the key was removed. */
  readonly mine: { readonly value: V } | undefined;
  /** What was overwritten; undefined if the key had been removed. */
  readonly theirs: { readonly value: V } | undefined;
}

export type Saved<K, V> =
  /** The shelf was emptied meanwhile: nothing is to be done with what was being saved. */
  | { readonly kind: 'dropped' }
  /** The shelf, or what it is made from, was invalidated elsewhere: nothing was saved. */
  | { readonly kind: 'moved' }
  | {
      readonly kind: 'saved';
      readonly written: number;
      readonly removed: number;
      readonly conflicts: readonly Conflict<K, V>[];
      /** Why single entries were not saved; they are still to be. */
      readonly failures: readonly unknown[];
    };

export interface Backing<K, V> {
  /** Whether anything is ever saved. */
  readonly keeps: boolean;
  /** Whether contents are kept by hooks, which alone know what is there. */
  readonly isForeign: boolean;
  /** Whether saving is known to take time before it was tried. */
  readonly isSlow: boolean;
  /** Whether there is something to write although no key has changed. */
  readonly isBehind: boolean;
  /** An entry as it will be saved, where that can be said at once. Throws `INDIGESTIBLE` or `UNSTORABLE`. */
  encode(key: K, value: V): Uint8Array | undefined;
  /** Reads the contents and how things stand. Throws what hooks throw. */
  load(): Awaitable<Found<K, V>>;
  /** What was loaded last is of no use: the next save replaces all of it. */
  refuse(): void;
  /** Writes the changes. Where it throws they are still to be written, unless `isWanted` has become false. */
  save(contents: Contents<K, V>, isWanted: () => boolean): Awaitable<Saved<K, V>>;
  /** Removes what is kept; the next save writes everything. Throws what the store throws. */
  erase(): void;
  /** Whether nothing that the contents were made from has been invalidated elsewhere. */
  isCurrent(): boolean;
  /** The shelf's edges are other ones now. */
  relink(): void;
  /** What was known is of no use any more: the shelf is empty. */
  forget(): void;
}
