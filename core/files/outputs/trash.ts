/** Where things are moved that stand in the way but are not the program's to delete. Nothing is ever removed here. */
import { cpSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { systemCode } from '../../base/errors.ts';
import type { AbsPath, RelPath } from '../../base/paths.ts';
import { placeOf } from '../look.ts';

/** One folder in the trash for one occasion; it is made when the first thing goes there. */
export class Trash {
  readonly #root: AbsPath;
  readonly #trashDir: AbsPath;
  readonly #label: string;
  readonly #clock: () => number;
  #folder: string | undefined;
  #count = 0;

  /** `label` tells in the folder's name what the occasion was. */
  constructor(root: AbsPath, trashDir: AbsPath, label: string, clock: () => number) {
    this.#root = root;
    this.#trashDir = trashDir;
    this.#label = label.replaceAll(/[^\w.-]/g, '_');
    this.#clock = clock;
  }

  /** How many paths were moved; a folder counts once. */
  get count(): number {
    return this.#count;
  }

  /** The folder of this occasion, or undefined if nothing was moved. */
  get folder(): string | undefined {
    return this.#folder;
  }

  /** Moves what stands at `path`, a link as a link, a folder with all that is in it. */
  take(path: RelPath): void {
    this.#folder ??= this.#newFolder();
    const from = placeOf(this.#root, path);
    const to = join(this.#folder, path);
    mkdirSync(dirname(to), { recursive: true });
    try {
      renameSync(from, to);
    } catch (error) {
      if (systemCode(error) !== 'EXDEV') throw error;
      cpSync(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
      rmSync(from, { recursive: true });
    }
    this.#count++;
  }

  #newFolder(): string {
    const stamp = new Date(this.#clock()).toISOString().replaceAll(':', '-');
    mkdirSync(this.#trashDir, { recursive: true });
    for (let attempt = 1; ; attempt++) {
      const folder = join(this.#trashDir, `${stamp}-${this.#label}${attempt === 1 ? '' : `-${attempt}`}`);
      try {
        mkdirSync(folder);
        return folder;
      } catch (error) {
        if (systemCode(error) !== 'EEXIST') throw error;
      }
    }
  }
}
