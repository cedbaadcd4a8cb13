/**
 * Contents kept by the shelf's own hooks, always as a whole, or not at all. Of these the manager's store knows only the
 * epochs, and only where something depends on them.
 */
import type { Awaitable } from '../../../base/awaitable.ts';
import { run, type Steps, wait } from '../../../base/steps.ts';
import type { Epochs, Standing } from '../dependents/epochs.ts';
import { isAsync, pairsOf, type ShelfOptions } from '../options.ts';
import type { Backing, Found, Saved } from './backing.ts';
import type { Contents, StoredEntry } from './contents.ts';
import { copyOf } from './keys.ts';

export class HookBacking<K, V, S> implements Backing<K, V> {
  readonly keeps: boolean;
  readonly isForeign: boolean;
  readonly isSlow: boolean;
  readonly isBehind: boolean;
  readonly #name: string;
  readonly #epochs: Epochs;
  readonly #options: ShelfOptions<K, V, S>;
  #standing: Standing | undefined;

  constructor(name: string, epochs: Epochs, options: ShelfOptions<K, V, S>) {
    this.#name = name;
    this.#epochs = epochs;
    this.#options = options;
    this.keeps = options.save !== undefined;
    this.isForeign = this.keeps;
    this.isSlow = isAsync(options.save) || isAsync(options.transform?.encode);
    // Whether what is kept is what was last saved is not known.
    this.isBehind = this.keeps;
  }

  encode(): undefined {}

  load(): Awaitable<Found<K, V>> {
    return run(this.#load());
  }

  *#load(): Steps<Found<K, V>> {
    const { load, transform } = this.#options;
    const state = this.#stateAtRest();
    if (state === 'stale' || state === 'moved') return { kind: state };
    if (state === 'invalidated' || load === undefined) return { kind: 'nothing' };
    const filling = yield* wait(load(this.#name));
    if (filling === undefined || filling === null) return { kind: 'nothing' };
    const entries: StoredEntry<K, V>[] = [];
    for (const [key, stored] of pairsOf<K, S>(filling)) {
      // Without a transform values are kept as they are.
      const value = transform === undefined ? (stored as unknown as V) : yield* wait(transform.decode(stored, key));
      entries.push({ key, value });
    }
    return { kind: 'found', entries };
  }

  /** What is loaded without ever having been saved comes from outside, and no epoch is older than that. */
  #stateAtRest(): 'fresh' | 'stale' | 'moved' | 'invalidated' {
    try {
      return this.#readState();
    } catch (error) {
      // What nobody keeps can be used without knowing what others have invalidated.
      if (this.keeps) throw error;
      return 'fresh';
    }
  }

  #readState(): 'fresh' | 'stale' | 'moved' | 'invalidated' {
    return this.#epochs.read((reads) => {
      if (this.#standing !== undefined && this.#epochs.haveMoved(reads, this.#name, this.#standing)) return 'moved';
      this.#standing = this.#epochs.standing(reads, this.#name);
      const record = reads.record(this.#name);
      if (!this.keeps || record === undefined) return 'fresh';
      if (!record.filled) return 'invalidated';
      return this.#epochs.isStale(reads, record) ? 'stale' : 'fresh';
    });
  }

  refuse(): void {}

  save(contents: Contents<K, V>, isWanted: () => boolean): Awaitable<Saved<K, V>> {
    return run(this.#save(contents, isWanted));
  }

  *#save(contents: Contents<K, V>, isWanted: () => boolean): Steps<Saved<K, V>> {
    const changes = contents.takeChanges();
    const { save, transform } = this.#options;
    try {
      const all = new Map<K, S>();
      for (const { key, value } of [...contents.entries()]) {
        const stored = transform === undefined ? value : yield* wait(transform.encode(copyOf(value), key));
        all.set(key, stored as S);
      }
      if (!isWanted()) return { kind: 'dropped' };
      if (save !== undefined) yield* wait(save(this.#name, all));
      if (!isWanted()) return { kind: 'dropped' };
      if (save !== undefined && !this.#record()) return { kind: 'moved' };
    } catch (error) {
      if (isWanted()) for (const change of changes) contents.restore(change);
      throw error;
    }
    for (const change of changes) contents.settle(change, undefined);
    const written = changes.filter(({ set }) => set !== undefined).length;
    return { kind: 'saved', written, removed: changes.length - written, conflicts: [], failures: [] };
  }

  /** Notes that something is kept again. False if it was invalidated meanwhile. */
  #record(): boolean {
    // Without a store nothing was ever invalidated, and only a shelf made from others has to say when it was made.
    if (!this.#epochs.exist && (this.#standing?.ancestors.size ?? 0) === 0) return true;
    return this.#epochs.write((writes) => {
      const standing = this.#standing ?? this.#epochs.standing(writes, this.#name);
      if (this.#epochs.haveMoved(writes, this.#name, standing)) return false;
      const record = writes.record(this.#name);
      const id = record?.id ?? this.#epochs.stamp();
      const { epoch, ancestors } = standing;
      const { version, order } = record ?? { version: 0, order: 0 };
      writes.putRecord({ name: this.#name, id, epoch, filled: true, version: version + 1, order, ancestors });
      this.#standing = { id, epoch, ancestors };
      return true;
    });
  }

  erase(): void {
    if (this.keeps) this.#epochs.erase(this.#name);
  }

  isCurrent(): boolean {
    const standing = this.#standing;
    return standing === undefined || !this.#epochs.read((reads) => this.#epochs.haveMoved(reads, this.#name, standing));
  }

  relink(): void {
    if (this.#standing !== undefined) this.#standing = this.#epochs.relinked(this.#name, this.#standing);
  }

  forget(): void {
    this.#standing = undefined;
  }
}
