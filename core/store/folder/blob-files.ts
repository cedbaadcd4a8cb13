/**
 * Large blobs as files named by their digest. Written beside the folder and renamed into it, so that a name always
 * stands for whole content; read-only from then on. Every way out verifies: a file that does not match its name is
 * removed and reported as absent. Knows nothing of LMDB. Writing never throws for trouble with the cache's disk (it
 * tells `lost` instead); trouble with a caller's path is thrown.
 */
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  type Stats,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../base/errors.ts';
import { type Digest, Sha256 } from '../../base/hash.ts';
import {
  CHUNK,
  type Copied,
  chunkBuffer,
  copyAside,
  copyRest,
  hashAside,
  hashRest,
  piecesIn,
  statsWith,
} from '../file-bytes.ts';
import { blobFile, blobNamed, inFolderOf, type Layout } from '../layout.ts';
import { OWN_READ } from '../own-file.ts';
import { type BlobInfo, piecesOf, verified } from '../values.ts';
import { Draft, type DraftOptions, renameOver } from './draft.ts';
import { namesIn } from './names-in.ts';
import { Unsynced } from './unsynced.ts';

/** A blob put again is marked as used at most this often, ms. */
export const REFRESH_AFTER = 3_600_000;

interface BlobFileOptions extends DraftOptions {
  readonly readOnly: boolean;
}

export class BlobFiles {
  readonly #layout: Layout;
  readonly #options: BlobFileOptions;
  /** Written since the last `sync`. */
  readonly #unsynced = new Unsynced('r');
  /** Whether the file system has refused to share blocks between files. */
  #noReflink = false;

  constructor(layout: Layout, options: BlobFileOptions) {
    this.#layout = layout;
    this.#options = options;
  }

  /** Size of a blob, or undefined if it is not here. Its content is not looked at. */
  size(digest: Digest): number | undefined {
    return this.#stat(digest)?.size;
  }

  #stat(digest: Digest): { readonly size: number; readonly mtimeMs: number } | undefined {
    try {
      const stat = lstatSync(blobFile(this.#layout, digest), { throwIfNoEntry: false });
      return stat?.isFile() === true ? stat : undefined;
    } catch {
      // Not a folder where one should be, no permission: as good as absent.
      return undefined;
    }
  }

  get(digest: Digest): Uint8Array | undefined {
    // Most blobs that are asked for here are nowhere, and an exception costs five times what a look does.
    if (this.#stat(digest) === undefined) return undefined;
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(blobFile(this.#layout, digest));
    } catch {
      // Removed meanwhile, or on a disk that does not give it back.
      return undefined;
    }
    const whole = verified(digest, bytes);
    if (whole === undefined) this.delete(digest);
    return whole;
  }

  /** See `FileValueStore.pieces`. What can be held is read once. */
  pieces(digest: Digest): Iterable<Uint8Array> | undefined {
    const size = this.size(digest);
    if (size === undefined) return undefined;
    if (size <= CHUNK) {
      const bytes = this.get(digest);
      return bytes && piecesOf(bytes);
    }
    const path = blobFile(this.#layout, digest);
    const hash = new Sha256();
    for (const piece of piecesIn(path)) hash.update(piece);
    if (hash.digest() === digest) return { [Symbol.iterator]: () => piecesIn(path) };
    this.delete(digest);
    return undefined;
  }

  put(digest: Digest, bytes: Uint8Array): void {
    if (this.size(digest) === bytes.length) return this.refresh(digest);
    const draft = new Draft(this.#layout, this.#options);
    draft.write(bytes);
    this.#file(draft, digest);
  }

  /** Marks a blob as used now, unless it was within the last hour. */
  refresh(digest: Digest): void {
    const now = this.#options.now();
    if (now - (this.#stat(digest)?.mtimeMs ?? now) < REFRESH_AFTER) return;
    try {
      utimesSync(blobFile(this.#layout, digest), now / 1000, now / 1000);
    } catch {
      // Removed meanwhile, or not ours to touch: it ages.
    }
  }

  /**
   * Takes in the rest of an open file, hashing what it copies, after `head`, which was read from it already. Returns
   * the digest and size of all that was read, even if it could not be kept. Throws what reading throws.
   */
  takeIn(fd: number, head: Uint8Array): { readonly digest: Digest; readonly size: number } {
    const hash = new Sha256().update(head);
    const draft = new Draft(this.#layout, this.#options);
    try {
      draft.write(head);
      let size = head.length;
      const chunk = chunkBuffer();
      for (let count = readSync(fd, chunk); count > 0; count = readSync(fd, chunk)) {
        const piece = chunk.subarray(0, count);
        hash.update(piece);
        draft.write(piece);
        size += count;
      }
      const digest = hash.digest();
      if (this.size(digest) === size) this.refresh(digest);
      else this.#file(draft, digest);
      return { digest, size };
    } finally {
      draft.discard();
    }
  }

  /** See `FileValueStore.adopt`. A file on another file system is copied. */
  adopt(path: string, digest: Digest): void {
    const place = blobFile(this.#layout, digest);
    try {
      const now = this.#options.now() / 1000;
      utimesSync(path, now, now);
      chmodSync(path, 0o444);
      inFolderOf(place, () => renameOver(path, place));
      this.#unsynced.add(place);
    } catch {
      const fd = openSync(path, 'r');
      try {
        this.takeIn(fd, new Uint8Array(0));
      } finally {
        closeSync(fd);
      }
      rmSync(path, { force: true });
    }
  }

  #file(draft: Draft, digest: Digest): void {
    const path = blobFile(this.#layout, digest);
    if (draft.moveTo(path)) this.#unsynced.add(path);
  }

  /** See `FileValueStore.copyTo`. */
  copyTo(digest: Digest, path: string, mode: number): Stats | undefined {
    const source = blobFile(this.#layout, digest);
    let from: number;
    try {
      from = openSync(source, OWN_READ);
    } catch {
      return undefined;
    }
    try {
      const copied = this.#clone(source, path, mode) ?? copyRest(from, path, mode);
      if (copied.digest === digest) return copied.stats;
    } finally {
      closeSync(from);
    }
    rmSync(path, { force: true });
    this.delete(digest);
    return undefined;
  }

  /** See `FileValueStore.copyAside`. */
  async copyAside(digest: Digest, path: string, chunk: Buffer): Promise<boolean> {
    const source = blobFile(this.#layout, digest);
    let from: number;
    try {
      from = openSync(source, OWN_READ);
    } catch {
      return false;
    }
    try {
      const isClone = this.#isCloned(source, path);
      const copied = isClone ? await hashOfFile(path, chunk) : await copyAside(from, path, chunk);
      if (copied === digest) return true;
    } finally {
      closeSync(from);
    }
    rmSync(path, { force: true });
    this.delete(digest);
    return false;
  }

  /** Makes `path` share the blocks of `source`; undefined where that cannot be done. */
  #clone(source: string, path: string, mode: number): Copied | undefined {
    if (!this.#isCloned(source, path)) return undefined;
    const fd = openSync(path, 'r');
    try {
      const digest = hashRest(fd, () => {});
      return { digest, stats: statsWith(fd, mode) };
    } finally {
      closeSync(fd);
    }
  }

  #isCloned(source: string, path: string): boolean {
    if (this.#noReflink) return false;
    try {
      copyFileSync(source, path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
      return true;
    } catch (error) {
      if (systemCode(error) === 'EEXIST') throw error;
      if (systemCode(error) !== 'ENOENT') this.#noReflink = true;
      return false;
    }
  }

  /** False if it was not here. */
  delete(digest: Digest): boolean {
    if (this.#options.readOnly) return false;
    try {
      rmSync(blobFile(this.#layout, digest));
      return true;
    } catch {
      return false;
    }
  }

  *list(): Generator<BlobInfo, void, undefined> {
    for (const folder of namesIn(this.#layout.cas)) {
      for (const name of namesIn(join(this.#layout.cas, folder))) {
        const digest = blobNamed(this.#layout, folder, name);
        const stat = digest === undefined ? undefined : this.#stat(digest);
        if (digest !== undefined && stat !== undefined) yield { digest, size: stat.size, touched: stat.mtimeMs };
      }
    }
  }

  /** Makes sure that what was written will survive a power cut. */
  sync(): void {
    this.#unsynced.sync();
  }
}

async function hashOfFile(path: string, chunk: Buffer): Promise<Digest> {
  const fd = openSync(path, 'r');
  try {
    return await hashAside(fd, chunk, () => undefined);
  } finally {
    closeSync(fd);
  }
}
