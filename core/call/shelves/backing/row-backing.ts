/**
 * Contents kept in the manager's own store, each key in a row. Processes that share a shelf write the keys they changed
 * and leave the others' alone; where two changed the same one, the last to save wins and is told of it.
 */
import type { Awaitable } from '../../../base/awaitable.ts';
import { decode } from '../../../base/decode.ts';
import { digest } from '../../../base/digest.ts';
import { encode } from '../../../base/encode.ts';
import type { FlecheError } from '../../../base/errors.ts';
import type { Digest } from '../../../base/hash.ts';
import { run, type Steps, wait } from '../../../base/steps.ts';
import type { ShelfRecord, ShelfRow, ShelfWrites } from '../../../store/shelf-store.ts';
import type { Epochs, Standing } from '../dependents/epochs.ts';
import { isAsync, type Transform } from '../options.ts';
import { unreadable } from '../shelf-errors.ts';
import type { Backing, Conflict, Found, Saved } from './backing.ts';
import type { Change, Contents, StoredEntry, Written } from './contents.ts';
import { copyOf } from './keys.ts';

interface RowBackingOptions<K, V, S> {
  readonly name: string;
  readonly epochs: Epochs;
  readonly transform: Transform<K, V, S> | undefined;
  /** Told what could not be read or written beside what a caller asked for. */
  readonly report: (error: FlecheError) => void;
}

/** What is at rest, and how things stand. */
interface Kept {
  readonly record: ShelfRecord;
  readonly rows: readonly (readonly [Digest, ShelfRow])[];
  readonly standing: Standing;
}

/** A change that is ready to be written. */
interface Prepared<K, V> {
  readonly change: Change<K, V>;
  readonly digest: Digest;
  /** Undefined to remove the row. */
  readonly bytes: Uint8Array | undefined;
}

/** What became of a change, and the row of somebody else that it overwrote. */
interface Result<K, V> {
  readonly change: Change<K, V>;
  readonly written: Written;
  readonly conflict: { readonly theirs: ShelfRow | undefined } | undefined;
}

export class RowBacking<K, V, S> implements Backing<K, V> {
  readonly keeps: boolean = true;
  readonly isForeign: boolean = false;
  readonly isSlow: boolean;
  readonly #options: RowBackingOptions<K, V, S>;
  #standing: Standing | undefined;
  /** Whether something is kept, as far as is known. */
  #isFilled = false;
  /** Whether every entry has to be written. */
  #isLost = false;
  #loaded = 0;
  /** Rows up to this version are to be removed. */
  #refused = 0;

  constructor(options: RowBackingOptions<K, V, S>) {
    this.#options = options;
    this.isSlow = isAsync(options.transform?.encode);
  }

  get isBehind(): boolean {
    return this.#isLost || !this.#isFilled || this.#refused > 0;
  }

  encode(key: K, value: V): Uint8Array | undefined {
    if (this.#options.transform !== undefined) return undefined;
    try {
      return encode([key, value]);
    } catch (error) {
      // A digest names the way to the member that cannot be kept.
      digest(key, 'key');
      digest(value, 'value');
      throw error;
    }
  }

  load(): Awaitable<Found<K, V>> {
    return run(this.#load());
  }

  *#load(): Steps<Found<K, V>> {
    const { name, epochs, report } = this.#options;
    let kept: Kept | 'moved' | 'stale' | undefined;
    try {
      kept = epochs.read((reads) => {
        if (this.#standing !== undefined && epochs.haveMoved(reads, name, this.#standing)) return 'moved';
        const standing = epochs.standing(reads, name);
        this.#standing = standing;
        const record = reads.record(name);
        if (record?.filled !== true) return undefined;
        return epochs.isStale(reads, record) ? 'stale' : { record, rows: reads.rows(name), standing };
      });
      if (kept === 'stale' || kept === 'moved') return { kind: kept };
      if (kept !== undefined && !sameNames(kept.record.ancestors, kept.standing.ancestors)) this.relink();
    } catch (error) {
      report(unreadable(name, error));
      return { kind: 'unknown' };
    }
    this.#isFilled = kept !== undefined;
    if (kept === undefined) return { kind: 'nothing' };
    this.#loaded = kept.record.version;
    return { kind: 'found', entries: yield* this.#entries(kept.rows) };
  }

  *#entries(rows: readonly (readonly [Digest, ShelfRow])[]): Steps<readonly StoredEntry<K, V>[]> {
    const entries: StoredEntry<K, V>[] = [];
    const failures: unknown[] = [];
    for (const [, { order, version, bytes }] of rows) {
      try {
        entries.push({ ...(yield* this.#entry(bytes)), order, version });
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) {
      const { name, report } = this.#options;
      report(unreadable(name, failures[0], ` (${failures.length} of ${rows.length} entries)`));
    }
    return entries;
  }

  *#entry(bytes: Uint8Array): Steps<{ readonly key: K; readonly value: V }> {
    const { transform } = this.#options;
    // Rows of a shelf are what was put there, of the types that it was defined with.
    const [key, stored] = decode(bytes) as [K, S];
    const value = transform === undefined ? stored : yield* wait(transform.decode(stored, key));
    return { key, value: value as V };
  }

  refuse(): void {
    this.#refused = this.#loaded;
    this.#isLost = true;
  }

  save(contents: Contents<K, V>, isWanted: () => boolean): Awaitable<Saved<K, V>> {
    return run(this.#save(contents, isWanted));
  }

  *#save(contents: Contents<K, V>, isWanted: () => boolean): Steps<Saved<K, V>> {
    if (this.#isLost) contents.changeAll();
    const changes = contents.takeChanges();
    const prepared: Prepared<K, V>[] = [];
    const unfit: Change<K, V>[] = [];
    const failures: unknown[] = [];
    for (const change of changes) {
      try {
        prepared.push(yield* this.#prepare(change));
      } catch (error) {
        failures.push(error);
        unfit.push(change);
      }
    }
    if (!isWanted()) return { kind: 'dropped' };
    let results: readonly Result<K, V>[] | 'moved' | 'replaced';
    try {
      results = this.#options.epochs.write((writes) => this.#write(writes, prepared));
    } catch (error) {
      for (const change of changes) contents.restore(change);
      throw error;
    }
    if (results === 'moved') return { kind: 'moved' };
    for (const change of results === 'replaced' ? changes : unfit) contents.restore(change);
    if (results === 'replaced') {
      this.#standing = undefined;
      this.#isLost = true;
      return yield* this.#save(contents, isWanted);
    }
    for (const { change, written } of results) contents.settle(change, written);
    this.#isFilled = true;
    this.#isLost = false;
    this.#refused = 0;
    const written = results.filter((result) => result.written !== undefined).length;
    const conflicts = yield* this.#conflicts(results);
    return { kind: 'saved', written, removed: results.length - written, conflicts, failures };
  }

  *#prepare(change: Change<K, V>): Steps<Prepared<K, V>> {
    const { key, set } = change;
    if (set === undefined) return { change, digest: digest(key), bytes: undefined };
    const { transform } = this.#options;
    let { bytes } = set;
    if (bytes === undefined && transform === undefined) bytes = encode([key, set.value]);
    if (bytes === undefined && transform !== undefined) {
      bytes = encode([key, yield* wait(transform.encode(copyOf(set.value), key))]);
    }
    return { change, digest: digest(key), bytes };
  }

  #write(writes: ShelfWrites, prepared: readonly Prepared<K, V>[]): readonly Result<K, V>[] | 'moved' | 'replaced' {
    const { name, epochs } = this.#options;
    const record = writes.record(name);
    const standing = this.#standing ?? epochs.standing(writes, name);
    if (standing.id !== undefined && record?.id !== standing.id) return 'replaced';
    if (epochs.haveMoved(writes, name, standing)) return 'moved';
    if (this.#refused > 0) {
      for (const [key, row] of writes.rows(name)) if (row.version <= this.#refused) writes.removeRow(name, key);
    }
    const version = (record?.version ?? 0) + 1;
    const { ancestors, epoch } = standing;
    let order = record?.order ?? 0;
    const results = prepared.map(({ change, digest, bytes }): Result<K, V> => {
      const theirs = writes.row(name, digest);
      const isTheirs = theirs?.version !== change.version;
      if (bytes === undefined) {
        // A row that was never seen here is not the one that was removed here.
        if (change.version === undefined || theirs === undefined)
          return { change, written: undefined, conflict: undefined };
        writes.removeRow(name, digest);
        return { change, written: undefined, conflict: isTheirs ? { theirs } : undefined };
      }
      if (theirs !== undefined && Buffer.compare(theirs.bytes, bytes) === 0 && change.order !== undefined) {
        return { change, written: theirs, conflict: undefined };
      }
      const written = { order: change.order ?? order++, version };
      writes.putRow(name, digest, { ...written, bytes });
      const isEqual = theirs !== undefined && Buffer.compare(theirs.bytes, bytes) === 0;
      return { change, written, conflict: isTheirs && !isEqual ? { theirs } : undefined };
    });
    const id = record?.id ?? epochs.stamp();
    writes.putRecord({ name, id, epoch, filled: true, version, order, ancestors });
    this.#standing = { id, epoch, ancestors };
    return results;
  }

  *#conflicts(results: readonly Result<K, V>[]): Steps<readonly Conflict<K, V>[]> {
    const conflicts: Conflict<K, V>[] = [];
    for (const { change, conflict } of results) {
      if (conflict === undefined) continue;
      const { key, set } = change;
      const mine = set === undefined ? undefined : { value: set.value };
      try {
        const theirs = conflict.theirs === undefined ? undefined : yield* this.#entry(conflict.theirs.bytes);
        conflicts.push({ key, mine, theirs: theirs && { value: theirs.value } });
      } catch {
        // What was overwritten could not have been read.
      }
    }
    return conflicts;
  }

  erase(): void {
    this.#isLost = true;
    this.#isFilled = false;
    this.#options.epochs.erase(this.#options.name);
  }

  isCurrent(): boolean {
    const { name, epochs } = this.#options;
    const standing = this.#standing;
    return standing === undefined || !epochs.read((reads) => epochs.haveMoved(reads, name, standing));
  }

  relink(): void {
    const { name, epochs } = this.#options;
    if (this.#standing !== undefined) this.#standing = epochs.relinked(name, this.#standing);
  }

  forget(): void {
    this.#standing = undefined;
    this.#isFilled = false;
    this.#isLost = false;
    this.#refused = 0;
  }
}

function sameNames(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): boolean {
  return a.size === b.size && [...a.keys()].every((name) => b.has(name));
}
