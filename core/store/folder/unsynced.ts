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
      syncFile(path, this.#flags);
      folders.add(dirname(path));
    }
    // Windows has no way to sync a folder, and keeps names safe without.
    if (process.platform !== 'win32') for (const folder of folders) syncFile(folder, 'r');
    this.#paths.clear();
  }
}

/** Waits until a file is on its disk; one that is gone, or cannot be synced, is left as it is. */
export function syncFile(path: string, flags: 'r' | 'r+'): void {
  try {
    const fd = openSync(path, flags);
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // Removed meanwhile. If it is a failing disk, the content will not verify and be absent.
  }
}
