/**
 * A local values store that has at hand, besides, what is written out next. What just arrived from elsewhere was verified
 * on the way, and to read and to verify it once more would cost as much as to write it: it is put into the store at once
 * like all else, and kept in memory, which is bounded, until it was written out. What is too large for that can be at hand
 * as a spare: a second file, written with verified bytes, which then needs nothing but its name. Spares arrive with their
 * blob, or are copied from it several at a time.
 */
import { chmodSync, linkSync, lstatSync, rmSync, type Stats, unlinkSync } from 'node:fs';
import type { Digest } from '../base/hash.ts';
import { Lanes } from '../base/lanes.ts';
import { CHUNK, writeNewFile } from './file-bytes.ts';
import { onProcessEnd } from './process-end.ts';
import type { PackName } from './remote/pack.ts';
import type { BlobInfo, FileValueStore, SizedBlob } from './values.ts';

/** The most that is kept at hand, bytes. */
const MOST = 64 * 1024 * 1024;

/** From here on a file is copied sooner by another thread than by the one that everything waits for, bytes. */
const LARGE = 128 * 1024;
/** Spares that are copied at a time: as many as Node has threads for files. */
const WIDTH = 4;

/** Where spares are put. */
export interface SpareRoom {
  /** A path where no file is, on the file system of the store. */
  readonly path: () => string;
  /** Whether a file there can become one of the workspace without being copied. */
  readonly isNear: boolean;
}

export class ArrivingValues implements FileValueStore {
  readonly room: SpareRoom;
  readonly #inner: FileValueStore;
  readonly #lanes = new Lanes(WIDTH);
  /** Buffers of those that are done. */
  readonly #chunks: Buffer[] = [];
  readonly #atHand = new Map<Digest, Uint8Array>();
  #size = 0;
  /** Files of verified content, each to be given out once. */
  readonly #spares = new Map<Digest, string>();
  /** Is not told of the end of the process any more. */
  #forgetEnd: (() => void) | undefined;

  constructor(inner: FileValueStore, room: SpareRoom) {
    this.#inner = inner;
    this.room = room;
  }

  get location(): string | undefined {
    return this.#inner.location;
  }

  /** Puts bytes that were verified to have this digest, and that nobody changes any more. */
  arrive(digest: Digest, bytes: Uint8Array): void {
    this.#inner.putLasting(digest, bytes);
    this.#keep(digest, bytes);
  }

  #keep(digest: Digest, bytes: Uint8Array): void {
    if (this.#atHand.has(digest)) return;
    if (this.#size + bytes.length > MOST) this.#forget();
    if (bytes.length > MOST) return;
    this.#atHand.set(digest, bytes);
    this.#size += bytes.length;
  }

  /** Takes a file that was written with verified bytes and that nobody else knows, to be given out next. */
  spare(path: string, digest: Digest): void {
    this.#letGo(digest);
    this.#spares.set(digest, path);
    this.#forgetEnd ??= onProcessEnd({ idle: () => {}, exit: () => this.letGo() });
  }

  /** Copies what is large of these blobs. What cannot be copied is told when it is given out. */
  async makeReady(blobs: readonly SizedBlob[]): Promise<void> {
    const large = blobs.filter(({ digest, size }) => size >= LARGE && !this.#isAtHand(digest));
    const isOfUse = large.length > 0 && this.#inner.copyAside !== undefined && this.room.isNear;
    if (!isOfUse) return;
    const digests = new Set(large.map(({ digest }) => digest));
    await Promise.all(Array.from(digests, (digest) => this.#lanes.run(() => this.#copySpare(digest))));
    this.#chunks.length = 0;
  }

  async #copySpare(digest: Digest): Promise<void> {
    const chunk = this.#chunks.pop() ?? Buffer.allocUnsafeSlow(CHUNK);
    const path = this.room.path();
    try {
      if ((await this.#inner.copyAside?.(digest, path, chunk)) === true) this.spare(path, digest);
    } catch {
      // It will be tried once more when it is given out, and then it is told.
    }
    this.#chunks.push(chunk);
  }

  #isAtHand(digest: Digest): boolean {
    return this.#atHand.has(digest) || this.#spares.has(digest);
  }

  /** The same for all blobs of a pack, which is kept as it came where that can be. */
  putPack(pack: PackName, bytes: Uint8Array, blobs: ReadonlyMap<Digest, Uint8Array>): void {
    if (this.#inner.putPack === undefined) for (const [digest, blob] of blobs) this.#inner.put(digest, blob);
    else this.#inner.putPack(pack, bytes, blobs);
    for (const [digest, blob] of blobs) this.#keep(digest, blob);
  }

  #forget(): void {
    this.#atHand.clear();
    this.#size = 0;
  }

  #letGo(digest: Digest): void {
    this.#size -= this.#atHand.get(digest)?.length ?? 0;
    this.#atHand.delete(digest);
    const spare = this.#spares.get(digest);
    if (spare !== undefined) rmSync(spare, { force: true });
    this.#spares.delete(digest);
  }

  /** Removes the files that nobody needed. */
  letGo(): void {
    for (const digest of [...this.#spares.keys()]) this.#letGo(digest);
    this.#forgetEnd?.();
    this.#forgetEnd = undefined;
  }

  has(digest: Digest): boolean {
    return this.#isAtHand(digest) || this.#inner.has(digest);
  }

  get(digest: Digest): Uint8Array | undefined {
    return this.#inner.get(digest);
  }

  pieces(digest: Digest): Iterable<Uint8Array> | undefined {
    return this.#inner.pieces(digest);
  }

  copyTo(digest: Digest, path: string, mode: number): Stats | undefined {
    const bytes = this.#atHand.get(digest);
    const spare = this.#spares.get(digest);
    const stats =
      bytes !== undefined
        ? writeNewFile(path, mode, bytes)
        : spare !== undefined
          ? moved(spare, path, mode)
          : undefined;
    this.#letGo(digest);
    return stats ?? this.#inner.copyTo(digest, path, mode);
  }

  put(digest: Digest, bytes: Uint8Array): void {
    this.#inner.put(digest, bytes);
  }

  putLasting(digest: Digest, bytes: Uint8Array): void {
    this.#inner.putLasting(digest, bytes);
  }

  putFile(path: string, expected?: Digest): { readonly digest: Digest; readonly size: number } {
    return this.#inner.putFile(path, expected);
  }

  adopt(path: string, digest: Digest): void {
    this.#inner.adopt(path, digest);
  }

  delete(digest: Digest): boolean {
    this.#letGo(digest);
    return this.#inner.delete(digest);
  }

  alias(value: Digest, blob: Digest): void {
    this.#inner.alias(value, blob);
  }

  target(value: Digest): Digest | undefined {
    return this.#inner.target(value);
  }

  unalias(value: Digest): boolean {
    return this.#inner.unalias(value);
  }

  list(): Iterable<BlobInfo> {
    return this.#inner.list();
  }

  aliases(): Iterable<readonly [Digest, Digest]> {
    return this.#inner.aliases();
  }

  matching(prefix: string, limit: number): readonly Digest[] {
    return this.#inner.matching(prefix, limit);
  }

  flush(): void {
    this.#inner.flush();
  }

  close(): ReturnType<FileValueStore['close']> {
    this.#forget();
    this.letGo();
    return this.#inner.close();
  }
}

/**
 * Gives a file its place and mode, and returns what stands there then; undefined if it is gone, if something stands there
 * already, which a rename would replace, or if it would have to be copied. Its times are those of its content, which came
 * after all that was asked for before it.
 */
function moved(file: string, path: string, mode: number): Stats | undefined {
  try {
    chmodSync(file, mode);
    linkSync(file, path);
    unlinkSync(file);
    return lstatSync(path);
  } catch {
    return undefined;
  }
}
