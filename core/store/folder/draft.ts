/**
 * A file in the making. The first failure is told once and makes everything after it do nothing, so that a full disk
 * does not stop a caller who still wants the digest of what he reads.
 */
import { closeSync, futimesSync, openSync, renameSync, rmSync } from 'node:fs';
import { systemCode } from '../../base/errors.ts';
import { writeAll } from '../file-bytes.ts';
import { inFolderOf, type Layout, scratchFile } from '../layout.ts';

export interface DraftOptions {
  /** ms since the epoch. */
  readonly now: () => number;
  /** Told when something could not be written. */
  readonly lost: (error: unknown) => void;
}

export class Draft {
  readonly #path: string;
  readonly #options: DraftOptions;
  #fd: number | undefined;

  constructor(layout: Layout, options: DraftOptions) {
    this.#path = scratchFile(layout);
    this.#options = options;
    try {
      this.#fd = inFolderOf(this.#path, () => openSync(this.#path, 'wx', 0o444));
    } catch (error) {
      options.lost(error);
    }
  }

  write(bytes: Uint8Array): void {
    if (this.#fd === undefined) return;
    try {
      writeAll(this.#fd, bytes);
    } catch (error) {
      this.discard();
      this.#options.lost(error);
    }
  }

  /** Gives the file its name. False if it, or something before, failed. */
  moveTo(path: string): boolean {
    if (this.#fd === undefined) return false;
    try {
      const now = this.#options.now() / 1000;
      futimesSync(this.#fd, now, now);
      closeSync(this.#fd);
      this.#fd = undefined;
      inFolderOf(path, () => renameOver(this.#path, path));
      return true;
    } catch (error) {
      this.discard();
      rmSync(this.#path, { force: true });
      this.#options.lost(error);
      return false;
    }
  }

  /** Removes what has not been given a name. */
  discard(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
    rmSync(this.#path, { force: true });
  }
}

/** Windows does not replace a read-only file, be it a damaged one or that of another process that was faster. */
export function renameOver(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (process.platform !== 'win32' || systemCode(error) === 'ENOENT') throw error;
    rmSync(to, { force: true });
    renameSync(from, to);
  }
}
