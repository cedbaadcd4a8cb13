/**
 * The ways to paths: the folders and links that lead to them. While one of these is another one, other files are read at
 * the same paths, and neither what stands there afterwards nor its times tell of it.
 */
import { readlinkSync, type Stats } from 'node:fs';
import { resolve } from 'node:path';
import { type AbsPath, escapes, folderOf, type RelPath, toRel } from '../../base/paths.ts';
import { isGone, lookAt, placeOf } from '../look.ts';

export class Ways {
  readonly #root: AbsPath;
  /** The folders and links that stand there. */
  readonly #steps = new Map<RelPath, Stats>();

  /** Notes what leads to these paths at this moment; to what a link leads, too. */
  constructor(root: AbsPath, paths: Iterable<RelPath>) {
    this.#root = root;
    const known = new Set<RelPath>();
    const queue = [...paths];
    for (const path of queue) {
      for (let at = path; !isRoot(at) && known.size < known.add(at).size; at = folderOf(at)) {
        const place = placeOf(root, at);
        const stats = lookAt(place);
        if (stats?.isDirectory() !== true && stats?.isSymbolicLink() !== true) continue;
        this.#steps.set(at, stats);
        const end = stats.isSymbolicLink() ? endOf(root, place) : undefined;
        if (end !== undefined && !escapes(end)) queue.push(end);
      }
    }
  }

  /** The links among them. */
  get links(): readonly RelPath[] {
    return [...this.#steps].flatMap(([step, stats]) => (stats.isSymbolicLink() ? [step] : []));
  }

  /** Steps that are others by now, or that were moved away and back. Looks anew. */
  changes(): readonly RelPath[] {
    return [...this.#steps].flatMap(([step, before]) => {
      const now = lookAt(placeOf(this.#root, step));
      const isSame = now?.ino === before.ino && !isLed(now, before.mtimeMs, before.ctimeMs);
      return isSame ? [] : [step];
    });
  }

  /** Steps that were put there later than a moment (ms, by the clock that stamps files). */
  since(moment: number): readonly RelPath[] {
    return [...this.#steps].flatMap(([step, stats]) => (isLed(stats, moment, moment) ? [step] : []));
  }
}

/**
 * Whether a link was made, or a folder moved, after the moment `ctime`. What is put into a folder or taken out gives it
 * another time; what moves the folder itself does not.
 */
function isLed(stats: Stats, mtime: number, ctime: number): boolean {
  return stats.ctimeMs > ctime && (stats.isSymbolicLink() || stats.mtimeMs <= mtime);
}

/** Where a link leads, as its text says. */
function endOf(root: AbsPath, place: AbsPath): RelPath | undefined {
  try {
    return toRel(root, resolve(place, '..', readlinkSync(place)));
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Whether a path is the root, or a folder above it. */
function isRoot(path: RelPath): boolean {
  return /^(?:\.|(?:\.\.\/)*\.\.)$/.test(path);
}
