/**
 * Shelves in an LMDB environment of their own. A shelf's name may be anything: at rest it is a digest. Records and rows
 * carry a checksum of their key and bytes, because LMDB has none.
 *
 *     1 ‖ digest of the name                      the record
 *     2 ‖ digest of the name ‖ digest of the key  a row: checksum ‖ order ‖ version ‖ bytes
 *     3                                           checksum ‖ identity of the store
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { decode } from '../../base/decode.ts';
import { digest } from '../../base/digest.ts';
import { encode } from '../../base/encode.ts';
import { FlecheError } from '../../base/errors.ts';
import { asDigest, type Digest, sha256 } from '../../base/hash.ts';
import { dataFile, layoutOf } from '../layout.ts';
import type { ShelfReads, ShelfRecord, ShelfRow, ShelfStore, ShelfWrites } from '../shelf-store.ts';
import { LmdbEnv } from './lmdb-env.ts';
import type { Table } from './lmdb-table.ts';

const RECORD = 1;
const ROW = 2;
const IDENTITY = Buffer.of(3);
const CHECKSUM_BYTES = 8;
const ROW_HEADER = CHECKSUM_BYTES + 16;

/** Whether there are shelves in `root` (absolute). */
export function haveShelves(root: string): boolean {
  return existsSync(dataFile(layoutOf(root)));
}

/**
 * Opens the shelves in `root` (absolute), making it if it is not there. `onTrouble` is told once for each kind of trouble
 * while reading. Throws `STORE_UNUSABLE`.
 */
export function openShelves(root: string, onTrouble: (message: string) => void): ShelfStore {
  return new LmdbShelves(
    new LmdbEnv(layoutOf(root), { onTrouble, now: Date.now, readOnly: false, tables: ['shelves'] }),
  );
}

class LmdbShelves implements ShelfStore {
  readonly #env: LmdbEnv;
  readonly #rows: Rows;

  constructor(env: LmdbEnv) {
    this.#env = env;
    this.#rows = new Rows(env.table('shelves'));
  }

  read<T>(work: (reads: ShelfReads) => T): T {
    this.#env.refresh();
    return work(this.#rows);
  }

  write<T>(work: (writes: ShelfWrites) => T): T {
    return this.#env.transact(() => work(this.#rows));
  }

  stamp(): string {
    return randomBytes(12).toString('base64url');
  }

  identity(): string {
    const known = this.read(() => this.#rows.identity());
    return known ?? this.write(() => this.#rows.identity() ?? this.#rows.identify(this.stamp()));
  }

  close(): Promise<void> {
    return this.#env.close();
  }
}

class Rows implements ShelfWrites {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  identity(): string | undefined {
    return unsealed(IDENTITY, this.#table.get(IDENTITY))?.toString();
  }

  identify(identity: string): string {
    this.#table.put(IDENTITY, sealed(IDENTITY, Buffer.from(identity)));
    return identity;
  }

  record(name: string): ShelfRecord | undefined {
    const record = this.#recordAt(recordKey(name));
    return record?.name === name ? record : undefined;
  }

  records(): readonly ShelfRecord[] {
    const records: ShelfRecord[] = [];
    for (const key of this.#table.keys(Buffer.of(RECORD), Buffer.of(ROW))) {
      const record = this.#recordAt(Buffer.from(key));
      if (record !== undefined) records.push(record);
    }
    return records;
  }

  #recordAt(key: Buffer): ShelfRecord | undefined {
    const bytes = unsealed(key, this.#table.get(key));
    return bytes === undefined ? undefined : parseRecord(bytes);
  }

  row(name: string, key: Digest): ShelfRow | undefined {
    return this.#rowAt(rowKey(name, key));
  }

  rows(name: string): readonly (readonly [Digest, ShelfRow])[] {
    const rows: (readonly [Digest, ShelfRow])[] = [];
    for (const key of this.#keysOf(name)) {
      const row = this.#rowAt(key);
      if (row !== undefined) rows.push([asDigest(key.toString('hex', 33)), row]);
    }
    return rows.sort(([, a], [, b]) => a.order - b.order);
  }

  #rowAt(key: Buffer): ShelfRow | undefined {
    const bytes = unsealed(key, this.#table.get(key));
    if (bytes === undefined || bytes.length < ROW_HEADER - CHECKSUM_BYTES) return undefined;
    return { order: bytes.readDoubleLE(0), version: bytes.readDoubleLE(8), bytes: bytes.subarray(16) };
  }

  *#keysOf(name: string): Generator<Buffer, void, undefined> {
    const start = Buffer.concat([Buffer.of(ROW), nameKey(name)]);
    // One byte longer than any row's key.
    const end = Buffer.concat([start, Buffer.alloc(33, 0xff)]);
    for (const key of this.#table.keys(start, end)) yield Buffer.from(key);
  }

  putRecord(record: ShelfRecord): void {
    const { name, id, epoch, filled, version, order, ancestors } = record;
    const key = recordKey(name);
    this.#table.put(key, sealed(key, encode([name, id, epoch, filled, version, order, ancestors])));
  }

  putRow(name: string, key: Digest, { order, version, bytes }: ShelfRow): void {
    const header = Buffer.allocUnsafe(16);
    header.writeDoubleLE(order, 0);
    header.writeDoubleLE(version, 8);
    const at = rowKey(name, key);
    this.#table.put(at, sealed(at, header, bytes));
  }

  removeRow(name: string, key: Digest): void {
    this.#table.remove(rowKey(name, key));
  }

  removeRows(name: string): void {
    for (const key of [...this.#keysOf(name)]) this.#table.remove(key);
  }
}

let last: { readonly name: string; readonly key: Buffer } = { name: '', key: Buffer.from(digest(''), 'hex') };

/** The 32 bytes of a shelf's name. Rows come by the thousand, all of one shelf. */
function nameKey(name: string): Buffer {
  if (last.name !== name) last = { name, key: Buffer.from(digest(name), 'hex') };
  return last.key;
}

function recordKey(name: string): Buffer {
  return Buffer.concat([Buffer.of(RECORD), nameKey(name)]);
}

function rowKey(name: string, key: Digest): Buffer {
  const bytes = Buffer.allocUnsafe(65);
  bytes[0] = ROW;
  bytes.set(nameKey(name), 1);
  bytes.write(key, 33, 'hex');
  return bytes;
}

const BLANK = Buffer.alloc(CHECKSUM_BYTES);

/** Bytes behind the checksum of their key and themselves. */
function sealed(key: Uint8Array, ...bytes: readonly Uint8Array[]): Buffer {
  const entry = Buffer.concat([BLANK, ...bytes]);
  entry.write(checksumOf(key, entry.subarray(CHECKSUM_BYTES)), 'hex');
  return entry;
}

/** The bytes behind their checksum, or undefined if it is not theirs. */
function unsealed(key: Uint8Array, entry: Buffer | undefined): Buffer | undefined {
  if (entry === undefined || entry.length < CHECKSUM_BYTES) return undefined;
  const bytes = entry.subarray(CHECKSUM_BYTES);
  return checksumOf(key, bytes) === entry.toString('hex', 0, CHECKSUM_BYTES) ? bytes : undefined;
}

function checksumOf(key: Uint8Array, bytes: Uint8Array): string {
  return sha256(Buffer.concat([key, bytes])).slice(0, 2 * CHECKSUM_BYTES);
}

function parseRecord(bytes: Uint8Array): ShelfRecord | undefined {
  let fields: unknown;
  try {
    fields = decode(bytes);
  } catch (error) {
    if (error instanceof FlecheError && error.code === 'STORE_CORRUPT') return undefined;
    throw error;
  }
  if (!Array.isArray(fields) || fields.length !== 7) return undefined;
  // Its checksum says that it is what was written, by a version that writes seven fields.
  const [name, id, epoch, filled, version, order, ancestors] = fields as [
    string,
    string,
    string,
    boolean,
    number,
    number,
    ReadonlyMap<string, string>,
  ];
  return { name, id, epoch, filled, version, order, ancestors };
}
