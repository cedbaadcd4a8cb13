/**
 * The contract of a shelf store: shelves by name, each a record and rows. Knows nothing of what is in a row, nor what
 * epochs are for. Damage is reported as absence.
 */
import type { Digest } from '../base/hash.ts';

/** What is known of a shelf beside its rows. */
export interface ShelfRecord {
  readonly name: string;
  /** Given when the record was made: another one after the store was removed and made again. */
  readonly id: string;
  /** Changes with every invalidation; empty before the first. */
  readonly epoch: string;
  /** Whether there is anything at rest that may be loaded, be it without a single row. */
  readonly filled: boolean;
  /** Number of the last write. Grows with every write, so that no two rows of a shelf ever had the same one. */
  readonly version: number;
  /** Place of the next row that is new. */
  readonly order: number;
  /** Everything the shelf was made from, directly or not: name to the epoch it had then. */
  readonly ancestors: ReadonlyMap<string, string>;
}

export interface ShelfRow {
  /** Rows are listed by it. */
  readonly order: number;
  /** The write that made the row what it is. */
  readonly version: number;
  readonly bytes: Uint8Array;
}

/** One state of the store: nobody's writes come between two reads. */
export interface ShelfReads {
  record(name: string): ShelfRecord | undefined;
  /** All records, in no particular order. */
  records(): readonly ShelfRecord[];
  row(name: string, key: Digest): ShelfRow | undefined;
  /** The rows of a shelf, by `order`. */
  rows(name: string): readonly (readonly [Digest, ShelfRow])[];
}

export interface ShelfWrites extends ShelfReads {
  putRecord(record: ShelfRecord): void;
  putRow(name: string, key: Digest, row: ShelfRow): void;
  removeRow(name: string, key: Digest): void;
  removeRows(name: string): void;
}

export interface ShelfStore {
  /** Reads what is there now; `work` must not wait. */
  read<T>(work: (reads: ShelfReads) => T): T;
  /** Reads and writes in one step, all or nothing, durable on return; `work` must not wait. Throws what goes wrong. */
  write<T>(work: (writes: ShelfWrites) => T): T;
  /** A text that is given out once, by whichever process. */
  stamp(): string;
  /** Tells this store from all others, and from what it was before it was removed. Throws what goes wrong. */
  identity(): string;
  close(): Promise<void>;
}
