/**
 * A values store in plain files: `<root>/ab/<digest>` is a blob, `<root>/ab/<value digest>.alias` a name for one. Several
 * processes can share the folder; `sha256sum` can check it. Slower than LMDB for small values (a file each), as fast
 * for large ones.
 */
import { closeSync, openSync, type Stats } from 'node:fs';
import { asDigest, type Digest } from '../../base/hash.ts';
import type { BlobInfo, FileValueStore } from '../values.ts';
import { AliasFiles } from './alias-files.ts';
import { BlobFiles } from './blob-files.ts';
import { notWritten, plainLayout } from './digest-files.ts';

export interface FolderOptions {
  /** Absolute path of a folder; made when something is first put. */
  readonly root: string;
  /** ms since the epoch; the clock of this machine by default. */
  readonly now?: () => number;
}

const NOTHING = new Uint8Array(0);

/** Putting and aliasing throw `STORE_UNUSABLE` when the disk is full, read-only or gone; reading never does. */
export class FolderValueStore implements FileValueStore {
  readonly location: string;
  readonly #blobs: BlobFiles;
  readonly #aliases: AliasFiles;

  constructor({ root, now = Date.now }: FolderOptions) {
    const layout = plainLayout(root);
    const lost = (error: unknown): never => {
      throw notWritten(root, error);
    };
    this.location = root;
    this.#blobs = new BlobFiles(layout, { now, readOnly: false, lost });
    this.#aliases = new AliasFiles(layout, now);
  }

  has(digest: Digest): boolean {
    return this.#blobs.size(asDigest(digest)) !== undefined;
  }

  get(digest: Digest): Uint8Array | undefined {
    return this.#blobs.get(asDigest(digest));
  }

  pieces(digest: Digest): Iterable<Uint8Array> | undefined {
    return this.#blobs.pieces(asDigest(digest));
  }

  put(digest: Digest, bytes: Uint8Array): void {
    this.#blobs.put(asDigest(digest), bytes);
  }

  putLasting(digest: Digest, bytes: Uint8Array): void {
    this.put(digest, bytes);
  }

  delete(digest: Digest): boolean {
    return this.#blobs.delete(asDigest(digest));
  }

  alias(value: Digest, blob: Digest): void {
    this.#aliases.set(value, blob);
  }

  target(value: Digest): Digest | undefined {
    return this.#aliases.target(value);
  }

  unalias(value: Digest): boolean {
    return this.#aliases.delete(value);
  }

  list(): Iterable<BlobInfo> {
    return this.#blobs.list();
  }

  aliases(): Iterable<readonly [Digest, Digest]> {
    return this.#aliases.list();
  }

  matching(prefix: string, limit: number): readonly Digest[] {
    return this.#aliases.matching(prefix, limit);
  }

  putFile(path: string, expected?: Digest): { readonly digest: Digest; readonly size: number } {
    const known = expected === undefined ? undefined : this.#blobs.size(asDigest(expected));
    if (expected !== undefined && known !== undefined) {
      this.#blobs.refresh(expected);
      return { digest: expected, size: known };
    }
    const fd = openSync(path, 'r');
    try {
      return this.#blobs.takeIn(fd, NOTHING);
    } finally {
      closeSync(fd);
    }
  }

  copyTo(digest: Digest, path: string, mode: number): Stats | undefined {
    return this.#blobs.copyTo(asDigest(digest), path, mode);
  }

  copyAside(digest: Digest, path: string, chunk: Buffer): Promise<boolean> {
    return this.#blobs.copyAside(asDigest(digest), path, chunk);
  }

  adopt(path: string, digest: Digest): void {
    this.#blobs.adopt(path, asDigest(digest));
  }

  flush(): void {
    this.#blobs.sync();
    this.#aliases.sync();
  }

  close(): void {}
}
