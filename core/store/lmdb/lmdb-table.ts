/**
 * One named database of an environment: bytes under bytes, sorted by key. Hides what is treacherous about reading LMDB:
 * what `get` returns is the caller's own copy, listings are taken in slices so that no cursor (and with it an old
 * snapshot) stays open between two steps of a consumer, and an error of the database is told to the environment and
 * looks like absence. Without a database under it nothing is found and nothing is kept.
 */
import type { Database } from 'lmdb';
import { FlecheError } from '../../base/errors.ts';
import { type Digest, isDigest } from '../../base/hash.ts';

export type Bytes = Uint8Array;
type LmdbDatabase = Database<Bytes, Bytes>;

/** Entries read in one go by a listing. */
const SLICE = 256;
/** Sorts before every key. */
const FIRST: Bytes = Uint8Array.of(0);

export class Table {
  readonly #failed: (error: unknown) => void;
  readonly #missed: () => void;
  #db: LmdbDatabase | undefined;

  /** `failed` is told of errors while reading; `missed`, before a read, that there is no database. It may attach one. */
  constructor(failed: (error: unknown) => void, missed: () => void) {
    this.#failed = failed;
    this.#missed = missed;
  }

  attach(db: LmdbDatabase | undefined): void {
    this.#db = db;
  }

  get(key: Bytes): Buffer | undefined {
    const shared = this.#peek(key);
    if (shared === undefined) return undefined;
    // The buffer is larger than the value, is used again by the next read, and only its `length` tells the truth.
    const own = Buffer.allocUnsafe(shared.length);
    own.set(Buffer.from(shared.buffer, shared.byteOffset, shared.length));
    return own;
  }

  has(key: Bytes): boolean {
    return this.#peek(key) !== undefined;
  }

  #peek(key: Bytes): Buffer | undefined {
    if (this.#db === undefined) this.#missed();
    try {
      return this.#db?.getBinaryFast(key);
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  /** Only inside a transaction of the environment; throws when the database does. */
  put(key: Bytes, bytes: Bytes): void {
    this.#db?.put(key, bytes);
  }

  /** Only inside a transaction of the environment; throws when the database does. */
  remove(key: Bytes): void {
    this.#db?.remove(key);
  }

  /** Number of keys. */
  count(): number {
    return this.#read(() => this.#db?.getKeysCount()) ?? 0;
  }

  /** Number of keys from `start` up to but without `end`; counting stops at `limit`. */
  countBetween(start: Bytes, end: Bytes, limit: number): number {
    return this.#slice(start, end, limit).length;
  }

  /** Keys from `start` up to but without `end` (none: to the last), sorted. */
  *keys(start: Bytes = FIRST, end?: Bytes): Generator<Bytes, void, undefined> {
    let from = start;
    for (;;) {
      const slice = this.#slice(from, end, SLICE);
      yield* slice;
      const last = slice.at(-1);
      if (last === undefined || slice.length < SLICE) return;
      from = after(last);
    }
  }

  #slice(start: Bytes, end: Bytes | undefined, limit: number): Bytes[] {
    const range = end === undefined ? { start, limit } : { start, end, limit };
    return this.#read(() => (this.#db === undefined ? [] : Array.from(this.#db.getKeys(range)))) ?? [];
  }

  #read<T>(action: () => T): T | undefined {
    if (this.#db === undefined) this.#missed();
    try {
      return action();
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }
}

/** The smallest key that sorts after `key`. */
function after(key: Bytes): Bytes {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}

const scratch = Buffer.alloc(32);

/** The 32 bytes of a digest as a key. They are overwritten by the next call. */
export function digestKey(digest: Digest): Bytes {
  if (scratch.write(digest, 0, 32, 'hex') !== 32) {
    throw new FlecheError('BUG', `bug: "${digest}" is used as a digest`);
  }
  return scratch;
}

/** The digest of 32 bytes. */
export function keyDigest(key: Bytes): Digest | undefined {
  const text = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('hex');
  return isDigest(text) ? text : undefined;
}

/** Digests among the keys of a table that begin with `prefix` (hexadecimal), at most `limit`, sorted. */
export function digestsBeginningWith(table: Table, prefix: string, limit: number): Digest[] {
  if (!/^[0-9a-f]{0,64}$/.test(prefix)) return [];
  const start = Buffer.from(prefix.padEnd(64, '0'), 'hex');
  const end = after(Buffer.from(prefix.padEnd(64, 'f'), 'hex'));
  const found: Digest[] = [];
  for (const key of table.keys(start, end)) {
    if (found.length >= limit) break;
    const digest = keyDigest(key);
    if (digest !== undefined) found.push(digest);
  }
  return found;
}
