/** Folders that are made for files which do not stay: they go again, as far as nothing else has come to be in them. */
import { mkdirSync, rmdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { AbsPath } from '../../base/paths.ts';

export class MadeFolders {
  readonly #made = new Set<string>();

  /** Makes the folder that a file is to be in, where that can be; whoever writes the file finds out otherwise. */
  makeFor(place: AbsPath): void {
    const folder = dirname(place);
    attempt(() => {
      const first = mkdirSync(folder, { recursive: true });
      for (let at = folder; first !== undefined && at.length >= first.length; at = dirname(at)) this.#made.add(at);
    });
    // A run that was killed may have left a folder there, for a file that was in it.
    attempt(() => rmdirSync(place));
  }

  /** Removes those that are empty. To be called when no file is to come any more. */
  prune(): void {
    const deepestFirst = [...this.#made].sort((a, b) => b.length - a.length);
    for (const folder of deepestFirst) attempt(() => rmdirSync(folder));
    this.#made.clear();
  }
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // It is in use, or something else stands there.
  }
}
