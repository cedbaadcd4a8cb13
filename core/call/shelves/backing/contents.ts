/**
 * What a shelf holds in memory, and which of its keys differ from what is at rest. Knows nothing of stores: it hands out
 * its changes in batches and is told what became of them.
 */
import { copyOf, identityOf } from './keys.ts';

/** A key with its value. */
export interface Entry<K, V> {
  readonly key: K;
  value: V;
  /** The encoded entry, where it was encoded when it was set, until it is saved. */
  bytes: Uint8Array | undefined;
  /** Place of its row, once it has one. */
  order: number | undefined;
  /** The write that made its row what it was when it was last read or written; undefined where none was known. */
  version: number | undefined;
  /** Grows from entry to entry in their order. */
  sequence: number;
}

/** An entry as it is read from where it is kept. */
export interface StoredEntry<K, V> {
  readonly key: K;
  readonly value: V;
  readonly order?: number;
  readonly version?: number;
}

/** What has to be done at rest for one key. */
export interface Change<K, V> {
  readonly id: string;
  readonly key: K;
  /** The entry and its state when the batch was taken; undefined if the key is to be removed. */
  readonly set: { readonly entry: Entry<K, V>; readonly value: V; readonly bytes: Uint8Array | undefined } | undefined;
  readonly order: number | undefined;
  readonly version: number | undefined;
}

/** What became of a change: the row it left, or undefined for none. */
export type Written = { readonly order: number; readonly version: number } | undefined;

/** The write behind a row that somebody else made: no write has this number. */
const UNKNOWN = 0;

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
  #sequence = 0;
  #generation = 0;

  /** `tracks`: whether changes are of interest to anyone. */
  constructor(tracks: boolean) {
    this.#tracks = tracks;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Grows whenever everything is given up: what was begun before is of no use then. */
  get generation(): number {
    return this.#generation;
  }

  /** Number of keys that differ from what is at rest. */
  get changes(): number {
    return this.#changed.size;
  }

  find(key: K): Entry<K, V> | undefined {
    return this.#entries.get(identityOf(key));
  }

  /** Entries in insertion order; those that are added meanwhile are included. */
  entries(): MapIterator<Entry<K, V>> {
    return this.#entries.values();
  }

  set(key: K, value: V, bytes?: Uint8Array): void {
    const id = identityOf(key);
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      const version = this.#removed.get(id)?.version;
      this.#removed.delete(id);
      this.#add(id, { key: copyOf(key), value, bytes, order: undefined, version });
    } else {
      entry.value = value;
      entry.bytes = bytes;
    }
    if (this.#tracks) this.#changed.add(id);
  }

  #add(id: string, entry: Omit<Entry<K, V>, 'sequence'>): void {
    this.#entries.set(id, { ...entry, sequence: this.#sequence++ });
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
  reset(stored: Iterable<StoredEntry<K, V>> = []): void {
    this.#generation++;
    this.#entries.clear();
    this.#changed.clear();
    this.#removed.clear();
    for (const entry of stored) this.#take(identityOf(entry.key), entry);
  }

  #take(id: string, { key, value, order, version }: StoredEntry<K, V>): void {
    this.#add(id, { key, value, bytes: undefined, order, version });
  }

  /**
   * Becomes what was read, but for its own changes, which it keeps: a value in the place that its key has at rest, what is
   * new at the end.
   */
  merge(stored: Iterable<StoredEntry<K, V>>): void {
    const own = new Map(this.#entries);
    this.#entries.clear();
    for (const entry of stored) {
      const id = identityOf(entry.key);
      const mine = own.get(id);
      const removed = this.#removed.get(id);
      if (removed !== undefined && removed.version === undefined) {
        // What was added and removed here, neither of them at rest, was another entry.
        this.#removed.delete(id);
        this.#changed.delete(id);
      }
      if (!this.#changed.has(id)) this.#take(id, entry);
      else if (mine !== undefined) {
        mine.version ??= UNKNOWN;
        if (mine.order !== undefined) this.#entries.set(id, mine);
      }
    }
    for (const [id, entry] of own) {
      if (!this.#changed.has(id) || this.#entries.has(id)) continue;
      // If it had a row, that is gone.
      entry.order = undefined;
      this.#entries.set(id, entry);
    }
    for (const entry of this.#entries.values()) entry.sequence = this.#sequence++;
  }

  /** Every entry is to be written, whatever is at rest. */
  changeAll(): void {
    for (const [id, entry] of this.#entries) {
      this.#changed.add(id);
      entry.version = undefined;
      entry.order = undefined;
    }
    for (const removed of this.#removed.values()) removed.version = undefined;
  }

  /** Hands out the changes and forgets them: removals, then entries in their order. */
  takeChanges(): readonly Change<K, V>[] {
    const changes: Change<K, V>[] = [];
    for (const id of this.#changed) {
      const entry = this.#entries.get(id);
      const removed = this.#removed.get(id);
      if (entry !== undefined) {
        const { key, value, bytes, order, version } = entry;
        changes.push({ id, key, set: { entry, value, bytes }, order, version });
      } else if (removed !== undefined) {
        changes.push({ id, key: removed.key, set: undefined, order: undefined, version: removed.version });
      }
    }
    this.#changed.clear();
    this.#removed.clear();
    return changes.sort((a, b) => (a.set?.entry.sequence ?? -1) - (b.set?.entry.sequence ?? -1));
  }

  /** A change has been written. */
  settle({ id, set }: Change<K, V>, written: Written): void {
    const entry = this.#entries.get(id);
    const removed = this.#removed.get(id);
    if (removed !== undefined) removed.version = written?.version;
    if (entry === undefined) return;
    entry.version = written?.version;
    // One that was removed and set again meanwhile has another place.
    if (entry === set?.entry) entry.order = written?.order;
    if (!this.#changed.has(id)) entry.bytes = undefined;
  }

  /** A change has not been written: it is still to be made, unless a later one took its place. */
  restore({ id, key, version }: Change<K, V>): void {
    const entry = this.#entries.get(id);
    const removed = this.#removed.get(id);
    if (entry !== undefined) entry.version ??= version;
    else if (removed !== undefined) removed.version ??= version;
    else this.#removed.set(id, { key, version });
    this.#changed.add(id);
  }
}
