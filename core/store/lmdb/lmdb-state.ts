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

/** An entry without its checksum, or null for none any more. */
interface Waiting {
  readonly key: Buffer;
  readonly entry: Buffer | null;
}

export class LmdbState implements StateStore, Pending {
  readonly #env: LmdbEnv;
  readonly #table: Table;
  /** What is to be written under each name. */
  readonly #waiting = new Map<string, Waiting>();

  constructor(env: LmdbEnv) {
    this.#env = env;
    this.#table = env.table('state');
    env.join(this);
  }

  get(name: string): Uint8Array | undefined {
    const waiting = this.#waiting.get(name);
    if (waiting !== undefined) return waiting.entry === null ? undefined : contentOf(waiting.key, waiting.entry);
    const key = keyOf(name);
    const entry = key === undefined ? undefined : this.#table.get(key);
    return key === undefined || entry === undefined ? undefined : bytesOf(key, entry);
  }

  put(name: string, bytes: Uint8Array): void {
    this.#wait(name, bytes);
  }

  delete(name: string): void {
    this.#wait(name, null);
  }

  /** A cache opened for reading only remembers nothing. */
  #wait(name: string, bytes: Uint8Array | null): void {
    const key = this.#env.readOnly ? undefined : keyOf(name);
    if (key === undefined) return;
    this.#waiting.set(name, { key, entry: bytes === null ? null : openEntry(key, bytes) });
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
    for (const { key, entry } of this.#waiting.values()) {
      if (entry === null) this.#table.remove(key);
      else this.#table.put(key, closed(entry));
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

/** An entry is the checksum of the rest, bytes, key; there is no checksum yet. */
function openEntry(key: Buffer, bytes: Uint8Array): Buffer {
  const entry = Buffer.allocUnsafe(CHECKSUM_BYTES + bytes.length + key.length);
  entry.set(bytes, CHECKSUM_BYTES);
  entry.set(key, CHECKSUM_BYTES + bytes.length);
  return entry;
}

/** An entry with its checksum. */
function closed(entry: Buffer): Buffer {
  entry.write(checksumOf(entry), 0, 'hex');
  return entry;
}

function contentOf(key: Buffer, entry: Buffer): Buffer {
  return entry.subarray(CHECKSUM_BYTES, entry.length - key.length);
}

/** The bytes of an entry, or undefined if it is not whole, or not the one of this key. */
function bytesOf(key: Buffer, entry: Buffer): Buffer | undefined {
  const end = entry.length - key.length;
  if (end < CHECKSUM_BYTES || entry.compare(key, 0, key.length, end) !== 0) return undefined;
  if (entry.toString('hex', 0, CHECKSUM_BYTES) !== checksumOf(entry)) return undefined;
  return contentOf(key, entry);
}

function checksumOf(entry: Buffer): string {
  return sha256(entry.subarray(CHECKSUM_BYTES)).slice(0, 2 * CHECKSUM_BYTES);
}
