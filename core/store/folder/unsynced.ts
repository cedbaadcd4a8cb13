/** Files that were written, and that a power cut could still take away. */
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

export class Unsynced {
  readonly #paths = new Set<string>();
  readonly #flags: 'r' | 'r+';

  /** `flags` open the files: `r+`, which Windows needs to sync one, unless they are read-only. */
  constructor(flags: 'r' | 'r+') {
    this.#flags = flags;
  }

  /** A file was written, or given its name. */
  add(path: string): void {
    this.#paths.add(path);
  }

  /** Makes sure that all of them will survive a power cut, with their names. */
  sync(): void {
    const folders = new Set<string>();
    for (const path of this.#paths) {
      syncIfThere(path, this.#flags);
      folders.add(dirname(path));
    }
    // Windows has no way to sync a folder, and keeps names safe without.
    if (process.platform !== 'win32') for (const folder of folders) syncIfThere(folder, 'r');
    this.#paths.clear();
  }
}

/** As `sync`; what is gone, or cannot be synced, is left as it is. */
export function syncIfThere(path: string, flags: 'r' | 'r+'): void {
  try {
    sync(path, flags);
  } catch {
    // Removed meanwhile. If it is a failing disk, the content will not verify and be absent.
  }
}

/** Waits until a file or folder is on its disk. Throws what the system throws. */
export function sync(path: string, flags: 'r' | 'r+'): void {
  const fd = openSync(path, flags);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
