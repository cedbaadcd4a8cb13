/**
 * A values store of HDF5 files, for values that are to be looked at with the tools of science: `<root>/ab/<digest>.h5`
 * holds a blob as the dataset `value` of unsigned bytes. Through the optional peer package `h5wasm`, HDF5 compiled to
 * WebAssembly, which is loaded when a blob is first read or written.
 *
 * One file a blob, because HDF5 has neither transactions nor, in WebAssembly, locks: a process killed while it writes
 * leaves a file that cannot be listed, which with one file for all would be all. So several processes can share the
 * folder. Limits: a file is some 2 KB larger than its blob, a blob is in memory three times while it is packed (up to about
 * 500 MB works), and answers are promises until the package is loaded: a synchronous function can be memoised on this
 * store only after `ready()`.
 */
import { type Awaitable, chain } from '../base/awaitable.ts';
import { FlecheError, messageOf } from '../base/errors.ts';
import type { Digest } from '../base/hash.ts';
import { AliasFiles } from './folder/alias-files.ts';
import { DigestFiles, plainLayout } from './folder/digest-files.ts';
import type { FolderOptions } from './folder/folder-values.ts';
import { importPeer } from './peer.ts';
import { type BlobInfo, type ValueStore, verified } from './values.ts';

/** The part of h5wasm that is used here. */
interface Hdf5 {
  readonly ready: Promise<{
    /** Makes HDF5 throw its errors instead of printing them. */
    activate_throwing_error_handler(): number;
    /** Files in memory, of this module alone. */
    readonly FS: {
      writeFile(path: string, bytes: Uint8Array): void;
      readFile(path: string): Uint8Array;
      unlink(path: string): void;
    };
  }>;
  readonly File: new (
    path: string,
    mode: 'r' | 'w',
  ) => {
    create_dataset(options: { name: string; data: Uint8Array; dtype: string }): unknown;
    get(name: string): { readonly value?: unknown } | null;
    close(): void;
  };
}

interface Library {
  readonly FS: Awaited<Hdf5['ready']>['FS'];
  readonly File: Hdf5['File'];
}

/** Rejects with `PEER_MISSING` without `h5wasm`, and with `STORE_UNUSABLE` when a file cannot be written. */
export class Hdf5ValueStore implements ValueStore {
  readonly location: string;
  readonly #blobs: DigestFiles;
  readonly #aliases: AliasFiles;

  constructor({ root, now = Date.now }: FolderOptions) {
    this.location = root;
    this.#blobs = new DigestFiles(plainLayout(root), '.h5', now);
    this.#aliases = new AliasFiles(plainLayout(root), now);
  }

  /** Loads the package: from then on the store answers at once. */
  async ready(): Promise<void> {
    await load();
  }

  has(digest: Digest): boolean {
    return this.#blobs.has(digest);
  }

  get(digest: Digest): Awaitable<Uint8Array | undefined> {
    const file = this.#blobs.read(digest);
    if (file === undefined) return undefined;
    return chain(load(), (library) => {
      const bytes = verified(digest, unpack(library, file));
      if (bytes === undefined) this.#blobs.delete(digest);
      return bytes;
    });
  }

  put(digest: Digest, bytes: Uint8Array): Awaitable<void> {
    // Smaller than its content: cut short when the power went.
    if ((this.#blobs.stat(digest)?.size ?? 0) > bytes.length) return this.#blobs.touch(digest);
    return chain(load(), (library) => {
      this.#blobs.write(digest, pack(library, bytes));
      this.#blobs.touch(digest);
    });
  }

  delete(digest: Digest): boolean {
    return this.#blobs.delete(digest);
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

  /** Sizes are those of the files. */
  *list(): Generator<BlobInfo, void, undefined> {
    for (const digest of this.#blobs.names()) {
      const stat = this.#blobs.stat(digest);
      if (stat !== undefined) yield { digest, size: stat.size, touched: stat.mtimeMs };
    }
  }

  aliases(): Iterable<readonly [Digest, Digest]> {
    return this.#aliases.list();
  }

  matching(prefix: string, limit: number): readonly Digest[] {
    return this.#aliases.matching(prefix, limit);
  }

  flush(): void {
    this.#blobs.sync();
    this.#aliases.sync();
  }

  close(): void {}
}

let loaded: Library | undefined;

function load(): Awaitable<Library> {
  return loaded ?? loadNow();
}

async function loadNow(): Promise<Library> {
  const { ready, File } = (await importPeer('h5wasm', 'an HDF5 values store')) as Hdf5;
  const module = await ready;
  module.activate_throwing_error_handler();
  loaded = { FS: module.FS, File };
  return loaded;
}

const DATASET = 'value';
let made = 0;

/** Where a file is while it is packed or unpacked, in the memory of the module; HDF5 may hold on to one that failed. */
function scratchPath(): string {
  return `/${made++}.h5`;
}

function pack({ FS, File }: Library, bytes: Uint8Array): Uint8Array {
  const path = scratchPath();
  try {
    const file = new File(path, 'w');
    file.create_dataset({ name: DATASET, data: bytes, dtype: '<B' });
    file.close();
    const packed = FS.readFile(path);
    FS.unlink(path);
    return packed;
  } catch (cause) {
    throw new FlecheError('STORE_UNUSABLE', `${bytes.length} bytes cannot be made an HDF5 file: ${messageOf(cause)}`, {
      hint: 'Values of more than some 500 MB need another store.',
      cause,
    });
  }
}

/** The bytes in a file, unverified; undefined if it is damaged, or another kind of file. */
function unpack({ FS, File }: Library, bytes: Uint8Array): Uint8Array | undefined {
  const path = scratchPath();
  try {
    FS.writeFile(path, bytes);
    const file = new File(path, 'r');
    const value = file.get(DATASET)?.value;
    file.close();
    return value instanceof Uint8Array ? value : undefined;
  } catch {
    return undefined;
  } finally {
    FS.unlink(path);
  }
}
