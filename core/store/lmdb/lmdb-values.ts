/**
 * The values store on disk: blobs up to 32 KB in LMDB, larger ones as files, and those that came in packs as they came
 * (`lmdb-packs.ts`). A blob's entry is the time it was last put (8 bytes, a double of ms since the epoch) followed by its
 * bytes; an alias's entry is the blob's digest followed by a checksum of both digests, because a wrong target would be a
 * right blob. What is put is visible in this process at once, and to others after the environment's next commit.
 */
import { closeSync, openSync, readFileSync, readSync, rmSync, type Stats, statSync } from 'node:fs';
import { FlecheError } from '../../base/errors.ts';
import { type Digest, sha256 } from '../../base/hash.ts';
import { chunkBuffer, writeNewFile } from '../file-bytes.ts';
import { BlobFiles, REFRESH_AFTER } from '../folder/blob-files.ts';
import type { PackName } from '../remote/pack.ts';
import { type BlobInfo, type FileValueStore, piecesOf, verified } from '../values.ts';
import type { LmdbEnv, Pending } from './lmdb-env.ts';
import { LmdbPacks } from './lmdb-packs.ts';
import { digestKey, digestsBeginningWith, keyDigest, type Table } from './lmdb-table.ts';

/** Up to here a blob is cheaper to write in LMDB than as a file, bytes. */
const INLINE_LIMIT: number = 32 * 1024;
const TIME_BYTES = 8;
const CHECKSUM_BYTES = 8;
/** What an entry of aliases weighs while it waits. */
const ALIAS_BYTES = 128;

/** A small blob that waits. */
interface Waiting {
  readonly touched: number;
  readonly bytes: Uint8Array;
}

export class LmdbValues implements FileValueStore, Pending {
  readonly location: string;
  readonly #env: LmdbEnv;
  readonly #values: Table;
  readonly #aliases: Table;
  readonly #files: BlobFiles;
  readonly #packs: LmdbPacks;
  /** Blobs to write, or null to remove. */
  readonly #waiting = new Map<Digest, Waiting | null>();
  readonly #waitingAliases = new Map<Digest, Digest | null>();

  constructor(env: LmdbEnv) {
    this.location = env.layout.root;
    this.#env = env;
    this.#values = env.table('values');
    this.#aliases = env.table('aliases');
    this.#files = new BlobFiles(env.layout, {
      now: () => env.now(),
      readOnly: env.readOnly,
      lost: (error) => env.lost(error),
    });
    env.join(this);
    this.#packs = new LmdbPacks(env, {
      has: (pack) => this.#hasOwn(pack),
      get: (pack) => this.#inline(pack) ?? this.#files.get(pack),
      put: (pack, bytes) => this.#putOwn(pack, bytes),
      delete: (pack) => void this.#deleteOwn(pack),
    });
  }

  has(digest: Digest): boolean {
    return this.#isInline(digest) || this.#packs.has(digest) || this.#files.size(digest) !== undefined;
  }

  /** Whether it is a blob by itself. */
  #hasOwn(digest: Digest): boolean {
    return this.#isInline(digest) || this.#files.size(digest) !== undefined;
  }

  #isInline(digest: Digest): boolean {
    const waiting = this.#waiting.get(digest);
    return waiting === undefined ? this.#values.has(digestKey(digest)) : waiting !== null;
  }

  get(digest: Digest): Uint8Array | undefined {
    return this.#inline(digest) ?? this.#packs.get(digest) ?? this.#files.get(digest);
  }

  pieces(digest: Digest): Iterable<Uint8Array> | undefined {
    const bytes = this.#inline(digest) ?? this.#packs.get(digest);
    return bytes === undefined ? this.#files.pieces(digest) : piecesOf(bytes);
  }

  #find(digest: Digest): Waiting | undefined {
    const waiting = this.#waiting.get(digest);
    if (waiting !== undefined) return waiting ?? undefined;
    const entry = this.#values.get(digestKey(digest));
    if (entry === undefined || entry.length < TIME_BYTES) return undefined;
    return { touched: entry.readDoubleLE(), bytes: entry.subarray(TIME_BYTES) };
  }

  /** The verified bytes of a small blob. Damage is removed, so that the next put writes it again. */
  #inline(digest: Digest): Uint8Array | undefined {
    const found = this.#find(digest);
    if (found === undefined) return undefined;
    const bytes = verified(digest, found.bytes);
    if (bytes === undefined && !this.#env.readOnly) this.#wait(digest, null);
    return bytes;
  }

  put(digest: Digest, bytes: Uint8Array): void {
    this.putLasting(digest, bytes.length > INLINE_LIMIT ? bytes : Buffer.from(bytes));
  }

  putLasting(digest: Digest, bytes: Uint8Array): void {
    this.#requireWritable();
    if (this.#packs.refresh(digest) === undefined) this.#putOwn(digest, bytes);
  }

  putPack(pack: PackName, bytes: Uint8Array, blobs: ReadonlyMap<Digest, Uint8Array>): void {
    this.#requireWritable();
    this.#packs.put(pack, bytes, blobs);
  }

  #putOwn(digest: Digest, bytes: Uint8Array): void {
    if (bytes.length > INLINE_LIMIT) this.#files.put(digest, bytes);
    else this.#wait(digest, bytes);
  }

  /** Files a blob as used now. */
  #wait(digest: Digest, bytes: Uint8Array | null): void {
    this.#waiting.set(digest, bytes && { touched: this.#env.now(), bytes });
    this.#env.changed(TIME_BYTES + (bytes?.length ?? 0));
  }

  delete(digest: Digest): boolean {
    this.#requireWritable();
    const packed = this.#packs.delete(digest);
    return this.#deleteOwn(digest) || packed;
  }

  #deleteOwn(digest: Digest): boolean {
    const inline = this.#isInline(digest);
    if (inline) this.#wait(digest, null);
    return this.#files.delete(digest) || inline;
  }

  alias(value: Digest, blob: Digest): void {
    this.#requireWritable();
    this.#waitingAliases.set(value, blob);
    this.#env.changed(ALIAS_BYTES);
  }

  target(value: Digest): Digest | undefined {
    const waiting = this.#waitingAliases.get(value);
    if (waiting !== undefined) return waiting ?? undefined;
    const entry = this.#aliases.get(digestKey(value));
    return entry === undefined ? undefined : aliasTarget(value, entry);
  }

  unalias(value: Digest): boolean {
    this.#requireWritable();
    if (this.target(value) === undefined) return false;
    this.#waitingAliases.set(value, null);
    this.#env.changed(ALIAS_BYTES);
    return true;
  }

  *list(): Generator<BlobInfo, void, undefined> {
    const { blobs, packs } = this.#packs.listed();
    yield* blobs;
    for (const key of this.#values.keys()) {
      const digest = keyDigest(key);
      const entry = this.#values.get(key);
      if (digest === undefined || packs.has(digest) || entry === undefined || entry.length < TIME_BYTES) continue;
      yield { digest, size: entry.length - TIME_BYTES, touched: entry.readDoubleLE() };
    }
    for (const info of this.#files.list()) if (!packs.has(info.digest)) yield info;
  }

  *aliases(): Generator<readonly [Digest, Digest], void, undefined> {
    this.#env.commit();
    for (const key of this.#aliases.keys()) {
      const value = keyDigest(key);
      const blob = value === undefined ? undefined : this.target(value);
      if (value !== undefined && blob !== undefined) yield [value, blob];
    }
  }

  matching(prefix: string, limit: number): readonly Digest[] {
    this.#env.commit();
    return digestsBeginningWith(this.#aliases, prefix, limit);
  }

  putFile(path: string, expected?: Digest): { readonly digest: Digest; readonly size: number } {
    this.#requireWritable();
    const size = expected === undefined ? undefined : this.#refresh(expected);
    if (expected !== undefined && size !== undefined) return { digest: expected, size };
    const fd = openSync(path, 'r');
    try {
      const chunk = chunkBuffer();
      let size = 0;
      for (let count = -1; count !== 0 && size < chunk.length; size += count) {
        count = readSync(fd, chunk, size, chunk.length - size, null);
      }
      const head = chunk.subarray(0, size);
      // There may be more. What fits whole is not written before it is known whether it is here already.
      if (size === chunk.length) return this.#files.takeIn(fd, head);
      const digest = sha256(head);
      this.put(digest, head);
      return { digest, size };
    } finally {
      closeSync(fd);
    }
  }

  /** Marks a blob as used now and returns its size, or undefined if it is not here. */
  #refresh(digest: Digest): number | undefined {
    const found = this.#find(digest);
    if (found !== undefined) {
      if (this.#env.now() - found.touched >= REFRESH_AFTER) this.#wait(digest, found.bytes);
      return found.bytes.length;
    }
    const packed = this.#packs.refresh(digest);
    if (packed !== undefined) return packed;
    const size = this.#files.size(digest);
    if (size !== undefined) this.#files.refresh(digest);
    return size;
  }

  copyTo(digest: Digest, path: string, mode: number): Stats | undefined {
    const bytes = this.#inline(digest) ?? this.#packs.get(digest);
    return bytes === undefined ? this.#files.copyTo(digest, path, mode) : writeNewFile(path, mode, bytes);
  }

  /** Of blobs that are files. */
  copyAside(digest: Digest, path: string, chunk: Buffer): Promise<boolean> {
    return this.#files.copyAside(digest, path, chunk);
  }

  adopt(path: string, digest: Digest): void {
    this.#requireWritable();
    if (statSync(path).size > INLINE_LIMIT) return this.#files.adopt(path, digest);
    this.put(digest, readFileSync(path));
    rmSync(path, { force: true });
  }

  write(): void {
    // One for all of them: it is copied at once.
    const room = Buffer.allocUnsafe(TIME_BYTES + INLINE_LIMIT);
    for (const [digest, waiting] of this.#waiting) {
      const key = digestKey(digest);
      if (waiting === null) {
        this.#values.remove(key);
        continue;
      }
      const entry = room.subarray(0, TIME_BYTES + waiting.bytes.length);
      entry.writeDoubleLE(waiting.touched);
      entry.set(waiting.bytes, TIME_BYTES);
      if (!isFreshCopy(this.#values.get(key), entry)) this.#values.put(key, entry);
    }
    for (const [value, blob] of this.#waitingAliases) {
      const key = digestKey(value);
      if (blob === null) this.#aliases.remove(key);
      else this.#aliases.put(key, aliasEntry(value, blob));
    }
  }

  clear(): void {
    this.#waiting.clear();
    this.#waitingAliases.clear();
  }

  flush(): void {
    this.#packs.sweep();
    this.#files.sync();
    this.#env.commit();
  }

  close(): void {
    this.flush();
  }

  #requireWritable(): void {
    if (!this.#env.readOnly) return;
    throw new FlecheError('CACHE_READ_ONLY', `the cache in ${this.location} was opened for reading only`);
  }
}

/** Whether what is stored says the same as `entry` and need not be written again yet. */
function isFreshCopy(stored: Buffer | undefined, entry: Buffer): boolean {
  if (stored === undefined || stored.length !== entry.length) return false;
  const age = entry.readDoubleLE() - stored.readDoubleLE();
  return age < REFRESH_AFTER && stored.compare(entry, TIME_BYTES, entry.length, TIME_BYTES) === 0;
}

function aliasEntry(value: Digest, blob: Digest): Buffer {
  const entry = Buffer.allocUnsafe(32 + CHECKSUM_BYTES);
  entry.write(blob, 0, 'hex');
  entry.write(sha256(value + blob), 32, CHECKSUM_BYTES, 'hex');
  return entry;
}

function aliasTarget(value: Digest, entry: Buffer): Digest | undefined {
  const blob = keyDigest(entry.subarray(0, 32));
  if (blob === undefined || entry.length !== 32 + CHECKSUM_BYTES) return undefined;
  return sha256(value + blob).startsWith(entry.toString('hex', 32)) ? blob : undefined;
}
