/**
 * What a shelf holds in memory, and which of its keys differ from what is at rest. Knows nothing of stores: it hands out
 * its changes in batches and is told what became of them.
 */
import { identityOf, ownKey } from './keys.ts';

/** A key with its value. */
export interface Entry<K, V> {
  readonly key: K;
  value: V;
  /** The encoded value, where it was encoded when it was set, until it is saved. */
  bytes: Uint8Array | undefined;
  /** Place of its row, once it has one. */
  order: number | undefined;
  /** The write that made its row what it was when it was last read or written; undefined where none was known. */
  version: number | undefined;
}

/** An entry as it is read from where it is kept. */
export interface StoredEntry<K, V> {
  readonly key: K;
  readonly value: V;
  readonly order?: number;
  readonly version?: number;
}

/** What has to be done at rest for one key: the entry as it was when the batch was taken, or its removal. */
export interface Change<K, V> {
  readonly id: string;
  readonly key: K;
  readonly entry: Readonly<Entry<K, V>> | undefined;
  readonly version: number | undefined;
}

/** What became of a change: the row it left, or undefined for none. */
export type Written = { readonly order: number; readonly version: number } | undefined;

interface Removed<K> {
  readonly key: K;
  version: number | undefined;
}

export class Contents<K, V> {
  readonly #entries = new Map<string, Entry<K, V>>();
  /** Identities of keys that differ from what is at rest. */
  readonly #changed = new Set<string>();
  readonly #removed = new Map<string, Removed<K>>();
  readonly #tracks: boolean;

  /** `tracks`: whether changes are of interest to anyone. */
  constructor(tracks: boolean) {
    this.#tracks = tracks;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Number of keys that differ from what is at rest. */
  get changes(): number {
    return this.#changed.size;
  }

  find(key: K): Entry<K, V> | undefined {
    return this.#entries.get(identityOf(key));
  }

  /** Entries in insertion order; those that are added meanwhile are included. */
  entries(): IterableIterator<Entry<K, V>> {
    return this.#entries.values();
  }

  set(key: K, value: V, bytes?: Uint8Array): void {
    const id = identityOf(key);
    const entry = this.#entries.get(id);
    if (entry === undefined) this.#add(id, ownKey(key), value, bytes);
    else Object.assign(entry, { value, bytes });
    if (this.#tracks) this.#changed.add(id);
  }

  #add(id: string, key: K, value: V, bytes: Uint8Array | undefined): void {
    const version = this.#removed.get(id)?.version;
    this.#removed.delete(id);
    this.#entries.set(id, { key, value, bytes, order: undefined, version });
  }

  /** Whether the key was there. */
  delete(key: K): boolean {
    const id = identityOf(key);
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    this.#entries.delete(id);
    if (this.#tracks) {
      this.#changed.add(id);
      this.#removed.set(id, { key: entry.key, version: entry.version });
    }
    return true;
  }

  /** Becomes what was read, without a change. */
  reset(stored: Iterable<StoredEntry<K, V>>): void {
    this.#entries.clear();
    this.#changed.clear();
    this.#removed.clear();
    for (const entry of stored) this.#take(identityOf(entry.key), entry);
  }

  #take(id: string, { key, value, order, version }: StoredEntry<K, V>): void {
    this.#entries.set(id, { key, value, bytes: undefined, order, version });
  }

  /** Becomes what was read, but for its own changes, which it keeps. */
  merge(stored: Iterable<StoredEntry<K, V>>): void {
    const own = [...this.#entries];
    this.#entries.clear();
    for (const entry of stored) {
      const id = identityOf(entry.key);
      if (!this.#changed.has(id)) this.#take(id, entry);
      else if (!this.#removed.has(id)) {
        // A value of its own, in the place of the stored one.
        const mine = own.find(([other]) => other === id);
        if (mine !== undefined) this.#entries.set(...mine);
      }
    }
    for (const [id, entry] of own) if (this.#changed.has(id) && !this.#entries.has(id)) this.#entries.set(id, entry);
  }

  /** Every entry is to be written, whatever is at rest. */
  changeAll(): void {
    for (const [id, entry] of this.#entries) {
      this.#changed.add(id);
      entry.version = undefined;
    }
  }

  /** Hands out the changes and forgets them. */
  takeChanges(): readonly Change<K, V>[] {
    const batch: Change<K, V>[] = [];
    const added: Change<K, V>[] = [];
    for (const id of this.#changed) {
      const entry = this.#entries.get(id);
      const removed = this.#removed.get(id);
      if (entry !== undefined) {
        const change = { id, key: entry.key, entry: { ...entry }, version: entry.version };
        (entry.order === undefined ? added : batch).push(change);
      } else if (removed !== undefined) {
        batch.push({ id, key: removed.key, entry: undefined, version: removed.version });
      }
    }
    this.#changed.clear();
    this.#removed.clear();
    return batch.concat(this.#inOrder(added));
  }

  /** New entries get their places at rest one after the other, so they go in the order in which they are here. */
  #inOrder(added: Change<K, V>[]): Change<K, V>[] {
    if (added.length < 2) return added;
    const byId = new Map(added.map((change) => [change.id, change]));
    const sorted: Change<K, V>[] = [];
    for (const id of this.#entries.keys()) {
      const change = byId.get(id);
      if (change !== undefined) sorted.push(change);
    }
    return sorted;
  }

  /** A change has been written. */
  settle({ id }: Change<K, V>, written: Written): void {
    const entry = this.#entries.get(id);
    const removed = this.#removed.get(id);
    if (removed !== undefined) removed.version = written?.version;
    if (entry === undefined) return;
    entry.version = written?.version;
    entry.order = written?.order;
    if (!this.#changed.has(id)) entry.bytes = undefined;
  }

  /** A change has not been written: it is still to be made, unless a later one took its place. */
  restore({ id, key, entry, version }: Change<K, V>): void {
    const now = this.#entries.get(id);
    if (now !== undefined) {
      now.version ??= version;
    } else if (entry === undefined || this.#changed.has(id)) {
      const removed = this.#removed.get(id);
      if (removed === undefined) this.#removed.set(id, { key, version });
      else removed.version ??= version;
    }
    this.#changed.add(id);
  }
}
