/**
 * A local values store that has at hand, besides, what just arrived from elsewhere and was verified on the way: as a rule
 * it is written out next, and to read and to verify it once more would cost as much as to write it. It is put into the
 * store at once like all else; what is at hand in memory is bounded, and is let go when it was written out. What is too
 * large for memory can be at hand as a second file, which then needs nothing but its name.
 */
import { chmodSync, lstatSync, renameSync, rmSync, type Stats } from 'node:fs';
import type { Digest } from '../base/hash.ts';
import { writeNewFile } from './file-bytes.ts';
import type { PackName } from './remote/pack.ts';
import type { BlobInfo, FileValueStore } from './values.ts';

/** The most that is kept at hand, bytes. */
const MOST = 64 * 1024 * 1024;

export class ArrivingValues implements FileValueStore {
  readonly #inner: FileValueStore;
  readonly #atHand = new Map<Digest, Uint8Array>();
  #size = 0;
  /** Files of verified content, each to be given out once. */
  readonly #spares = new Map<Digest, string>();

  constructor(inner: FileValueStore) {
    this.#inner = inner;
  }

  get location(): string | undefined {
    return this.#inner.location;
  }

  /** Puts bytes that were verified to have this digest, and that nobody changes any more. */
  arrive(digest: Digest, bytes: Uint8Array): void {
    this.#inner.put(digest, bytes);
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
  }

  has(digest: Digest): boolean {
    return this.#atHand.has(digest) || this.#spares.has(digest) || this.#inner.has(digest);
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
 * Gives a file its place and mode, and returns what stands there then; undefined if it is gone or would have to be copied.
 * Its times are those of its content, which came after all that was asked for before it.
 */
function moved(file: string, path: string, mode: number): Stats | undefined {
  try {
    chmodSync(file, mode);
    renameSync(file, path);
    return lstatSync(path);
  } catch {
    return undefined;
  }
}
