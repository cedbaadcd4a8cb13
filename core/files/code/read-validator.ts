/** Tells whether what a calculation read would be read again, from stat calls alone as a rule. */
import { readFileSync, type Stats } from 'node:fs';
import { sha256 } from '../../base/hash.ts';
import { type AbsPath, type RelPath, toAbs, toRel } from '../../base/paths.ts';
import { isRacy, sameKey, statKey } from '../states/stat-key.ts';
import { resolveLinks, stat } from './probe.ts';
import type { PathRead, ReadSet } from './read-set.ts';

/** The disk as it is now, each path looked at once. Valid for as long as the disk is taken to stand still. */
export class ReadValidator {
  readonly #root: AbsPath;
  readonly #now: () => number;
  readonly #stats = new Map<AbsPath, Stats | undefined>();
  readonly #read = new Map<AbsPath, PathRead>();

  constructor(root: AbsPath, now: () => number) {
    this.#root = root;
    this.#now = now;
  }

  /**
   * The read set, if it still holds, else undefined. Files that have other times but the same content hold; then the
   * read set returned is another object that has the new times.
   */
  validate(readSet: ReadSet): ReadSet | undefined {
    for (const [path, target] of readSet.links) {
      const real = resolveLinks(toAbs(this.#root, path));
      if ((real === undefined ? null : toRel(this.#root, real)) !== target) return undefined;
    }
    let renewed = false;
    const reads: PathRead[] = [];
    for (const read of readSet.reads) {
      const found = this.#look(read);
      if (found.digest !== read.digest) return undefined;
      if (found !== read && found.key !== null) renewed = true;
      reads.push(found);
    }
    return renewed ? { ...readSet, reads } : readSet;
  }

  #look(read: PathRead): PathRead {
    const path = toAbs(this.#root, read.path);
    let stats = this.#stats.get(path);
    if (stats === undefined && !this.#stats.has(path)) {
      stats = stat(path);
      this.#stats.set(path, stats);
    }
    if (stats === undefined) return read.digest === null ? read : { ...read, digest: null };
    if (read.digest === null) return { ...read, digest: 'something' };
    if (read.key !== null && sameKey(read.key, stats)) return read;
    return this.#hash(path, read.path);
  }

  #hash(path: AbsPath, rel: RelPath): PathRead {
    const known = this.#read.get(path);
    if (known !== undefined) return known;
    const at = this.#now();
    const stats = stat(path);
    let read: PathRead = { path: rel, digest: stats === undefined ? null : 'something', key: null };
    if (stats?.isFile()) {
      const key = statKey(stats);
      read = { path: rel, digest: sha256(readFileSync(path)), key: isRacy(key, at) ? null : key };
    }
    this.#read.set(path, read);
    return read;
  }
}
