/**
 * The state store on disk. An entry is preceded by a checksum and followed by its own name, which the checksum covers:
 * nothing in it is an answer, but a file state that was altered at rest, or is another's, would lead to one.
 */
import { sha256 } from '../../base/hash.ts';
import { byCodeUnit } from '../../base/order.ts';
import type { StateStore } from '../state.ts';
import type { LmdbEnv, Pending } from './lmdb-env.ts';
import type { Bytes, Table } from './lmdb-table.ts';

const CHECKSUM_BYTES = 8;
/** The first byte of every key, so that the empty name has one. */
const PREFIX = '\x01';
/** LMDB's limit for keys is 1978 bytes. Longer names are not remembered. */
const LONGEST = 1900;

export class LmdbState implements StateStore, Pending {
  readonly #env: LmdbEnv;
  readonly #table: Table;
  /** Bytes to write, or null to remove. */
  readonly #waiting = new Map<string, Buffer | null>();

  constructor(env: LmdbEnv) {
    this.#env = env;
    this.#table = env.table('state');
    env.join(this);
  }

  get(name: string): Uint8Array | undefined {
    const waiting = this.#waiting.get(name);
    if (waiting !== undefined) return waiting ?? undefined;
    const key = keyOf(name);
    const entry = key === undefined ? undefined : this.#table.get(key);
    return key === undefined || entry === undefined ? undefined : bytesOf(key, entry);
  }

  put(name: string, bytes: Uint8Array): void {
    this.#wait(name, Buffer.from(bytes));
  }

  delete(name: string): void {
    this.#wait(name, null);
  }

  /** A cache opened for reading only remembers nothing. */
  #wait(name: string, bytes: Buffer | null): void {
    if (this.#env.readOnly || keyOf(name) === undefined) return;
    this.#waiting.set(name, bytes);
    this.#env.changed(name.length + (bytes?.length ?? 0));
  }

  names(prefix: string): Iterable<string> {
    this.#env.commit();
    const start = Buffer.from(PREFIX + prefix);
    // No byte of UTF-8 is 0xff.
    const end = Buffer.concat([start, Buffer.of(0xff)]);
    const names: string[] = [];
    for (const key of this.#table.keys(start, end)) names.push(nameOf(key));
    // UTF-8 sorts by code point, which is another order for what lies beyond the first plane.
    return names.sort(byCodeUnit);
  }

  write(): void {
    for (const [name, bytes] of this.#waiting) {
      const key = keyOf(name);
      if (key === undefined) continue;
      if (bytes === null) this.#table.remove(key);
      else this.#table.put(key, entryOf(key, bytes));
    }
  }

  clear(): void {
    this.#waiting.clear();
  }

  flush(): void {
    this.#env.commit();
  }
}

/** The key of a name, or undefined for one that cannot be a key: too long, or not text that UTF-8 can hold. */
function keyOf(name: string): Buffer | undefined {
  if (!name.isWellFormed()) return undefined;
  const key = Buffer.from(PREFIX + name);
  return key.length > LONGEST ? undefined : key;
}

function nameOf(key: Bytes): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('utf8', PREFIX.length);
}

/** Checksum of the rest, bytes, key. */
function entryOf(key: Buffer, bytes: Buffer): Buffer {
  const entry = Buffer.allocUnsafe(CHECKSUM_BYTES + bytes.length + key.length);
  bytes.copy(entry, CHECKSUM_BYTES);
  key.copy(entry, CHECKSUM_BYTES + bytes.length);
  entry.write(checksumOf(entry), 0, 'hex');
  return entry;
}

/** The bytes of an entry, or undefined if it is not whole, or not the one of this key. */
function bytesOf(key: Buffer, entry: Buffer): Buffer | undefined {
  const end = entry.length - key.length;
  if (end < CHECKSUM_BYTES || entry.compare(key, 0, key.length, end) !== 0) return undefined;
  if (entry.toString('hex', 0, CHECKSUM_BYTES) !== checksumOf(entry)) return undefined;
  return entry.subarray(CHECKSUM_BYTES, end);
}

function checksumOf(entry: Buffer): string {
  return sha256(entry.subarray(CHECKSUM_BYTES)).slice(0, 2 * CHECKSUM_BYTES);
}
