/**
 * Files by digest, in 256 folders: `<folder>/ab/<digest><suffix>`. Written beside and renamed into place, so that a
 * name always stands for whole content and several processes can work on one folder; a crash leaves nothing but a file
 * in the making, which a later writer sweeps away. Knows nothing of what is in the files: content is not verified here.
 */
import { readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FlecheError, messageOf, systemCode } from '../../base/errors.ts';
import { asDigest, type Digest, isDigest } from '../../base/hash.ts';
import { inFolderOf, type Layout, layoutOf, scratchFile } from '../layout.ts';
import { namesIn } from './names-in.ts';
import { Unsynced } from './unsynced.ts';

/** Files in the making that are older than this were left by a crash, ms. */
const ORPHANED_AFTER = 3_600_000;

/** The folders of a store that keeps everything in plain files: blobs directly under its root. */
export function plainLayout(root: string): Layout {
  return { ...layoutOf(root), cas: root, prefix: 2 };
}

export class DigestFiles {
  readonly #layout: Layout;
  readonly #suffix: string;
  /** Written since the last `sync`. */
  readonly #unsynced = new Unsynced('r+');
  readonly #now: () => number;
  #swept = false;

  /** `suffix` tells these files from others in the same folder; `now` is ms since the epoch. */
  constructor(layout: Layout, suffix: string, now: () => number) {
    this.#layout = layout;
    this.#suffix = suffix;
    this.#now = now;
  }

  /** Throws `DIGEST_UNKNOWN` for what is no digest, so that no name leads out of the folder. */
  #path(digest: Digest): string {
    const name = asDigest(digest);
    return join(this.#layout.cas, name.slice(0, this.#layout.prefix), name + this.#suffix);
  }

  has(digest: Digest): boolean {
    return this.stat(digest) !== undefined;
  }

  read(digest: Digest): Uint8Array | undefined {
    const path = this.#path(digest);
    try {
      return readFileSync(path);
    } catch {
      // Absent, or on a disk that does not give it back.
      return undefined;
    }
  }

  /** Replaces what is there. Throws `STORE_UNUSABLE` if the disk is full, read-only or gone. */
  write(digest: Digest, content: Uint8Array | string): void {
    const path = this.#path(digest);
    const scratch = scratchFile(this.#layout);
    try {
      this.#sweep();
      inFolderOf(scratch, () => writeFileSync(scratch, content, { flag: 'wx' }));
      inFolderOf(path, () => renameSync(scratch, path));
    } catch (error) {
      discard(scratch);
      throw notWritten(this.#layout.root, error);
    }
    this.#unsynced.add(path);
  }

  /** False if it was not there. */
  delete(digest: Digest): boolean {
    const path = this.#path(digest);
    try {
      rmSync(path);
      return true;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return false;
      throw notWritten(this.#layout.root, error);
    }
  }

  /** Makes a file count as written now. */
  touch(digest: Digest): void {
    try {
      const now = this.#now() / 1000;
      utimesSync(this.#path(digest), now, now);
    } catch {
      // Removed meanwhile, or not ours to touch: it ages.
    }
  }

  /** Digests that have a file and begin with `prefix`, in no particular order. */
  *names(prefix = ''): Generator<Digest, void, undefined> {
    for (const bucket of namesIn(this.#layout.cas)) {
      if (bucket.length !== 2 || !(bucket.startsWith(prefix) || prefix.startsWith(bucket))) continue;
      for (const name of namesIn(join(this.#layout.cas, bucket))) {
        if (!name.endsWith(this.#suffix)) continue;
        const digest = name.slice(0, name.length - this.#suffix.length);
        if (digest.startsWith(prefix) && digest.startsWith(bucket) && isDigest(digest)) yield digest;
      }
    }
  }

  /** Size and time of change (ms since the epoch), or undefined if there is no such file. */
  stat(digest: Digest): { readonly size: number; readonly mtimeMs: number } | undefined {
    return statOf(this.#path(digest));
  }

  /** Makes sure that what was written will survive a power cut. */
  sync(): void {
    this.#unsynced.sync();
  }

  /** Once a process, before its first write: removes what crashed writers left. */
  #sweep(): void {
    if (this.#swept) return;
    this.#swept = true;
    for (const name of namesIn(this.#layout.tmp)) {
      const path = join(this.#layout.tmp, name);
      const stat = statOf(path);
      if (stat !== undefined && this.#now() - stat.mtimeMs > ORPHANED_AFTER) discard(path);
    }
  }
}

/** The error for a store in plain files that cannot be written to. */
export function notWritten(root: string, cause: unknown): FlecheError {
  return new FlecheError('STORE_UNUSABLE', `the store in ${root} cannot be written to: ${messageOf(cause)}`, {
    hint: 'Check the folder and the free space of its disk.',
    cause,
  });
}

function statOf(path: string): { readonly size: number; readonly mtimeMs: number } | undefined {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat?.isFile() ? stat : undefined;
  } catch {
    // Not a folder where one should be, no permission: as good as absent.
    return undefined;
  }
}

function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Left for the sweep.
  }
}
