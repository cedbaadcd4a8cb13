/**
 * What makes an invalidation last: every shelf has an epoch at rest, which changes when it is invalidated, and what is
 * kept of a shelf names the epochs of everything it was made from. A shelf whose ancestors have moved on is not loaded,
 * whoever moved them and whether or not it was open then; and what was made before an invalidation is not saved after it.
 */
import { byCodeUnit } from '../../../base/order.ts';
import type { ShelfReads, ShelfRecord, ShelfStore, ShelfWrites } from '../../../store/shelf-store.ts';
import type { Graph } from './graph.ts';

/** How things stood at rest when a shelf began to hold what it holds. */
export interface Standing {
  /** The `id` of its record, or undefined if there was none. */
  readonly id: string | undefined;
  readonly epoch: string;
  /** Everything it is made from, to the epochs of that time. */
  readonly ancestors: ReadonlyMap<string, string>;
}

/** Where the records are. */
interface Archive {
  /** Opens the store at the first call, making it. Throws `STORE_UNUSABLE`. */
  open(): ShelfStore;
  /** Whether there is a store; does not make it. */
  exists(): boolean;
}

/** What a store has that is not there: reading does not make one. */
const NOTHING: ShelfReads = {
  record: () => undefined,
  records: () => [],
  row: () => undefined,
  rows: () => [],
};

export class Epochs {
  readonly #archive: Archive;
  readonly #graph: Graph;
  /** Shelves whose own `dependsOn` was given here: what the record says beside it is out of date. */
  readonly #declared = new Set<string>();
  /** Shelves that were invalidated, but could not be at rest. */
  readonly #owed = new Set<string>();

  constructor(archive: Archive, graph: Graph) {
    this.#archive = archive;
    this.#graph = graph;
  }

  /** Whether there is a store. */
  get exist(): boolean {
    return this.#archive.exists();
  }

  /** Whether something was invalidated that could not be at rest. */
  get isBehind(): boolean {
    return this.#owed.size > 0;
  }

  /** Takes the edges that a shelf has in this process for all that it has, or no longer. */
  declare(name: string, isAll: boolean): void {
    if (isAll) this.#declared.add(name);
    else this.#declared.delete(name);
  }

  /** Invalidates at rest what could not be before. Throws what the store throws. */
  settle(): void {
    if (this.#owed.size > 0) this.write(() => {});
  }

  /** As the store's `read`; what could not be invalidated before is invalidated first. */
  read<T>(work: (reads: ShelfReads) => T): T {
    this.settle();
    return this.#archive.exists() ? this.#archive.open().read(work) : work(NOTHING);
  }

  /** As the store's `write`; what could not be invalidated before is invalidated in the same step. */
  write<T>(work: (writes: ShelfWrites) => T): T {
    const done = this.#archive.open().write((writes) => {
      if (this.#owed.size > 0) this.#invalidateIn(writes, this.#owed);
      return work(writes);
    });
    this.#owed.clear();
    return done;
  }

  stamp(): string {
    return this.#archive.open().stamp();
  }

  /**
   * A text that is another one after every invalidation of the shelf, and in every store: what is filed under it may be
   * where other machines look, which have their own shelves. Makes the store. Throws what the store throws.
   */
  mark(name: string): string {
    this.settle();
    const store = this.#archive.open();
    const identity = store.identity();
    const { epoch, ancestors } = store.read((reads) => this.standing(reads, name));
    // One that has never been invalidated need not be known: whoever does not know it yet has the same mark.
    const known = [...ancestors].filter(([, epoch]) => epoch !== '').sort(([a], [b]) => byCodeUnit(a, b));
    return JSON.stringify([identity, epoch, known]);
  }

  /** How things stand for a shelf. */
  standing(reads: ShelfReads, name: string): Standing {
    const record = reads.record(name);
    return { id: record?.id, epoch: epochIn(record), ancestors: this.#epochsOf(reads, this.#ancestors(reads, name)) };
  }

  /** Whether a shelf or something it was made from has been invalidated since. */
  haveMoved(reads: ShelfReads, name: string, standing: Standing): boolean {
    return epochIn(reads.record(name)) !== standing.epoch || moved(reads, standing.ancestors);
  }

  /**
   * Whether what is kept of a shelf was made from something that has been invalidated since. An ancestor that the record
   * does not name counts as one that had never been invalidated.
   */
  isStale(reads: ShelfReads, record: ShelfRecord): boolean {
    const names = new Set([...this.#ancestors(reads, record.name), ...record.ancestors.keys()]);
    return moved(reads, new Map(Array.from(names, (name) => [name, record.ancestors.get(name) ?? ''])));
  }

  /** How things stand for a shelf whose edges have changed; its record, if it is of that time, says so too. */
  relinked(name: string, before: Standing): Standing {
    const relink = (reads: ShelfReads): Standing => {
      const now = this.#epochsOf(reads, this.#ancestors(reads, name));
      for (const [ancestor, epoch] of before.ancestors) if (now.has(ancestor)) now.set(ancestor, epoch);
      return { ...before, ancestors: now };
    };
    if (!this.exist) return this.read(relink);
    return this.write((writes) => {
      const after = relink(writes);
      const record = writes.record(name);
      if (record !== undefined && record.id === before.id && record.epoch === before.epoch) {
        writes.putRecord({ ...record, ancestors: after.ancestors });
      }
      return after;
    });
  }

  /** Notes that nothing is kept of a shelf any more. */
  erase(name: string): void {
    if (!this.exist) return;
    this.write((writes) => {
      writes.removeRows(name);
      const record = writes.record(name);
      if (record !== undefined) writes.putRecord({ ...record, filled: false });
    });
  }

  /**
   * Invalidates shelves at rest, and with them everything that is known to be made from them, here or by their records,
   * in one step: their rows go, their epochs change. Returns the names of all of them. Throws what the store throws; then
   * it is done before anything else is read or written.
   */
  invalidate(names: Iterable<string>): readonly string[] {
    for (const name of names) this.#owed.add(name);
    const all = this.#archive.open().write((writes) => this.#invalidateIn(writes, this.#owed));
    this.#owed.clear();
    return all;
  }

  #invalidateIn(writes: ShelfWrites, names: Iterable<string>): readonly string[] {
    const records = new Map(writes.records().map((record) => [record.name, record]));
    const all = new Set(names);
    let size: number;
    do {
      size = all.size;
      for (const [name, record] of records) {
        const ancestors = [...record.ancestors.keys(), ...this.#ancestors(writes, name)];
        if (ancestors.some((ancestor) => all.has(ancestor))) all.add(name);
      }
    } while (all.size > size);
    const stamp = this.stamp();
    for (const name of all) {
      const record = records.get(name);
      const ancestors = this.#epochsOf(writes, this.#ancestors(writes, name));
      for (const ancestor of ancestors.keys()) if (all.has(ancestor)) ancestors.set(ancestor, stamp);
      const { id, version, order } = record ?? { id: stamp, version: 0, order: 0 };
      writes.removeRows(name);
      writes.putRecord({ name, id, epoch: stamp, filled: false, version, order, ancestors });
    }
    return [...all];
  }

  #epochsOf(reads: ShelfReads, names: Iterable<string>): Map<string, string> {
    return new Map(Array.from(names, (name) => [name, epochIn(reads.record(name))]));
  }

  /**
   * Everything a shelf is made from: by the edges declared here and, where these are not all, by its record. What the
   * records of the others say need not be known: whoever is invalidated takes along all that names it.
   */
  #ancestors(reads: ShelfReads, name: string): ReadonlySet<string> {
    const found = new Set(this.#graph.upstream(name));
    if (!this.#declared.has(name)) for (const known of reads.record(name)?.ancestors.keys() ?? []) found.add(known);
    found.delete(name);
    return found;
  }
}

function epochIn(record: ShelfRecord | undefined): string {
  return record?.epoch ?? '';
}

function moved(reads: ShelfReads, ancestors: ReadonlyMap<string, string>): boolean {
  for (const [name, epoch] of ancestors) if (epochIn(reads.record(name)) !== epoch) return true;
  return false;
}
