/**
 * The folders of a workspace, looked at step by step, so that nothing is made or removed through a link. What was found
 * to be a folder, or not to be there, is taken to stay so while this object lives, which should be short.
 */
import { mkdirSync, rmdirSync } from 'node:fs';
import { systemCode } from '../base/errors.ts';
import { type AbsPath, folderOf, type RelPath } from '../base/paths.ts';
import { lookAt, placeOf } from './look.ts';

/** A step of a path that is not a folder. */
export interface Blocker {
  readonly path: RelPath;
  readonly kind: 'absent' | 'link' | 'other';
}

export class Folders {
  readonly #root: AbsPath;
  readonly #real = new Set<RelPath>(['.' as RelPath]);
  /** What is in the way of paths in a folder that is not there. */
  readonly #absent = new Map<RelPath, Blocker>();
  readonly #made = new Set<RelPath>();

  constructor(root: AbsPath) {
    this.#root = root;
  }

  /** The first step above `path` that is not a folder, or undefined if all are. */
  blocker(path: RelPath): Blocker | undefined {
    const folder = folderOf(path);
    if (this.#real.has(folder)) return undefined;
    const known = this.#absent.get(folder);
    if (known !== undefined) return known;
    const found = this.#blockerAbove(folder);
    if (found?.kind === 'absent') this.#absent.set(folder, found);
    return found;
  }

  #blockerAbove(folder: RelPath): Blocker | undefined {
    const above = this.blocker(folder);
    if (above !== undefined) return above;
    const stats = lookAt(placeOf(this.#root, folder));
    if (stats?.isDirectory() === true) {
      this.#real.add(folder);
      return undefined;
    }
    return { path: folder, kind: stats === undefined ? 'absent' : stats.isSymbolicLink() ? 'link' : 'other' };
  }

  /** Makes a folder and those above it. Nothing but folders may stand there (see `blocker`). */
  make(folder: RelPath): void {
    if (this.#real.has(folder)) return;
    this.make(folderOf(folder));
    if (lookAt(placeOf(this.#root, folder)) === undefined) this.#makeOne(folder);
    this.#absent.clear();
    this.#real.add(folder);
  }

  /**
   * Makes a folder and those above it where nothing was when it was last looked. False, with nothing but folders made, if
   * it was not looked or something is there by now.
   */
  makeAbsent(folder: RelPath): boolean {
    if (this.#real.has(folder)) return true;
    if (!this.#absent.has(folder) || !this.makeAbsent(folderOf(folder))) return false;
    try {
      this.#makeOne(folder);
    } catch (error) {
      const code = systemCode(error);
      if (code === 'EEXIST' || code === 'ENOENT' || code === 'ENOTDIR') return false;
      throw error;
    }
    this.#absent.delete(folder);
    this.#real.add(folder);
    return true;
  }

  #makeOne(folder: RelPath): void {
    mkdirSync(placeOf(this.#root, folder));
    this.#made.add(folder);
  }

  /** Whether the folder was made here, so that nothing is in it but what was put there since. */
  isNew(folder: RelPath): boolean {
    return this.#made.has(folder);
  }

  /** Removes `folder` if it is empty, then the one above it, as far up as `may` says. Returns whether it was removed. */
  removeEmpty(folder: RelPath, may: (folder: RelPath) => boolean): boolean {
    if (folder === '.' || !may(folder)) return false;
    try {
      rmdirSync(placeOf(this.#root, folder));
    } catch (error) {
      const code = systemCode(error);
      if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOENT' || code === 'ENOTDIR') return false;
      throw error;
    }
    this.forget(folder);
    this.removeEmpty(folderOf(folder), may);
    return true;
  }

  /** Looks anew at what was not there. */
  lookAgain(): void {
    this.#absent.clear();
  }

  /** To be told when a folder was removed or moved. */
  forget(folder: RelPath): void {
    for (const path of this.#real) if (path === folder || path.startsWith(`${folder}/`)) this.#real.delete(path);
  }
}
