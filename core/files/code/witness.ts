/**
 * What a calculation saw of the disk: contents of files, names that were not there, where links led. Kept as a testimony,
 * it tells later, from stat calls alone as a rule, whether the same calculation would see the same again. Knows nothing
 * of what is calculated.
 */
import { readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { messageOf, systemCode } from '../../base/errors.ts';
import { type Digest, isDigest, sha256 } from '../../base/hash.ts';
import { type AbsPath, type RelPath, toAbs, toRel } from '../../base/paths.ts';
import { isRacy, type StatKey, sameKey, statKey } from '../states/stat-key.ts';

/**
 * One path. A null digest: nothing was there; `something`: no file, a folder as a rule. A null key: it must be looked at
 * closely again.
 */
export interface Sight {
  readonly path: RelPath;
  readonly digest: Digest | 'something' | null;
  readonly key: StatKey | null;
}

/** Plain data, paths relative to the root of the witness. */
export interface Testimony {
  readonly sights: readonly Sight[];
  /** Paths with what they lead to when all links are followed; null if they led nowhere. */
  readonly links: readonly (readonly [RelPath, RelPath | null])[];
  /** False if something may have changed while it was looked at: true now, but not to be relied on later. */
  readonly settled: boolean;
}

/** The real path of something that exists, links followed. Throws what the system throws. */
export function realPath(path: string): AbsPath {
  return realpathSync(path) as AbsPath;
}

/** Gathers a testimony while something is calculated. Made before the calculation starts. */
export class Witness {
  readonly root: AbsPath;
  readonly #now: () => number;
  readonly #started: number;
  readonly #sights = new Map<AbsPath, Sight>();
  readonly #links = new Map<AbsPath, RelPath | null>();
  readonly #unsettled = new Set<AbsPath>();

  /** `root` must be a real path. `now`: ms since the epoch, by the clock that stamps files. */
  constructor(root: AbsPath, now: () => number) {
    this.root = root;
    this.#now = now;
    this.#started = now();
  }

  /** The content of a file, read here and nowhere else; undefined if there is no such file. Throws other failures. */
  read(path: AbsPath): Buffer | undefined {
    const at = this.#now();
    const stats = stat(path);
    const bytes = stats?.isFile() ? readFileSync(path) : undefined;
    const key = stats === undefined || bytes === undefined ? null : statKey(stats);
    this.#sights.set(path, {
      path: toRel(this.root, path),
      digest: bytes !== undefined ? sha256(bytes) : stats !== undefined ? 'something' : null,
      key: key === null || isRacy(key, at) ? null : key,
    });
    return bytes;
  }

  /**
   * A file that others may have read since this witness was made. What it holds now is what they saw only if its times
   * say that it is older.
   */
  saw(path: AbsPath): Buffer | undefined {
    if (!this.#sights.has(path)) {
      const stats = stat(path);
      if (stats !== undefined && isRacy(statKey(stats), this.#started)) this.#unsettled.add(path);
      return this.read(path);
    }
    return isDigest(this.#sights.get(path)?.digest ?? '') ? readFileSync(path) : undefined;
  }

  /** Whether nothing is there, which is remembered. */
  missed(path: AbsPath): boolean {
    if (stat(path) !== undefined) return false;
    if (!this.#sights.has(path)) this.#sights.set(path, { path: toRel(this.root, path), digest: null, key: null });
    return true;
  }

  /**
   * A file that others would have preferred, had it been there when they looked: whether it is not there now. A file that
   * is there and old enough was passed over on purpose and does not count.
   */
  passedOver(path: AbsPath): boolean {
    if (this.missed(path)) return true;
    const stats = stat(path);
    if (stats?.isFile() && isRacy(statKey(stats), this.#started)) this.#unsettled.add(path);
    return false;
  }

  /** Where a path leads. */
  follow(path: AbsPath): AbsPath | undefined {
    const real = resolveLinks(path);
    this.#links.set(path, real === undefined ? null : toRel(this.root, real));
    return real;
  }

  /** What was seen of these paths. */
  testimony(paths: ReadonlySet<AbsPath>): Testimony {
    const sights: Sight[] = [];
    const links: [RelPath, RelPath | null][] = [];
    let settled = true;
    for (const path of paths) {
      const sight = this.#sights.get(path);
      if (sight !== undefined) sights.push(sight);
      const link = this.#links.get(path);
      if (link !== undefined) links.push([toRel(this.root, path), link]);
      if (this.#unsettled.has(path)) settled = false;
    }
    return { sights, links, settled };
  }
}

/** The disk as it is now, each path looked at once. Valid for as long as the disk is taken to stand still. */
export class Glance {
  readonly #root: AbsPath;
  readonly #now: () => number;
  readonly #stats = new Map<AbsPath, Stats | undefined>();
  readonly #read = new Map<AbsPath, Sight>();

  constructor(root: AbsPath, now: () => number) {
    this.#root = root;
    this.#now = now;
  }

  /**
   * The testimony, if it still holds, else undefined. Files that have other times but the same content hold; then the
   * testimony returned is another object that has the new times.
   */
  confirm(testimony: Testimony): Testimony | undefined {
    for (const [path, target] of testimony.links) {
      const real = resolveLinks(toAbs(this.#root, path));
      if ((real === undefined ? null : toRel(this.#root, real)) !== target) return undefined;
    }
    let renewed = false;
    const sights: Sight[] = [];
    for (const sight of testimony.sights) {
      const found = this.#look(sight);
      if (found.digest !== sight.digest) return undefined;
      if (found !== sight && found.key !== null) renewed = true;
      sights.push(found);
    }
    return renewed ? { ...testimony, sights } : testimony;
  }

  #look(sight: Sight): Sight {
    const path = toAbs(this.#root, sight.path);
    let stats = this.#stats.get(path);
    if (stats === undefined && !this.#stats.has(path)) {
      stats = stat(path);
      this.#stats.set(path, stats);
    }
    if (stats === undefined) return sight.digest === null ? sight : { ...sight, digest: null };
    if (sight.digest === null) return { ...sight, digest: 'something' };
    if (sight.key !== null && sameKey(sight.key, stats)) return sight;
    return this.#hash(path, sight.path);
  }

  #hash(path: AbsPath, rel: RelPath): Sight {
    const known = this.#read.get(path);
    if (known !== undefined) return known;
    const at = this.#now();
    const stats = stat(path);
    let sight: Sight = { path: rel, digest: stats === undefined ? null : 'something', key: null };
    if (stats?.isFile()) {
      const key = statKey(stats);
      sight = { path: rel, digest: sha256(readFileSync(path)), key: isRacy(key, at) ? null : key };
    }
    this.#read.set(path, sight);
    return sight;
  }
}

/** Whether two testimonies say the same of every path that both speak of. */
export function agree(a: Testimony, b: Testimony): boolean {
  return compare(a, b, true);
}

/** Whether two testimonies speak of the same paths and say the same of them. */
export function isSame(a: Testimony, b: Testimony): boolean {
  return a.sights.length === b.sights.length && a.links.length === b.links.length && compare(a, b, false);
}

function compare(a: Testimony, b: Testimony, unknown: boolean): boolean {
  const digests = new Map<string, Sight['digest']>(a.sights.map(({ path, digest }) => [path, digest]));
  const links = new Map<string, RelPath | null>(a.links);
  return (
    b.sights.every(({ path, digest }) => (digests.has(path) ? digests.get(path) === digest : unknown)) &&
    b.links.every(([path, target]) => (links.has(path) ? links.get(path) === target : unknown))
  );
}

function stat(path: AbsPath): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENAMETOOLONG') return undefined;
    throw error;
  }
}

function resolveLinks(path: AbsPath): AbsPath | undefined {
  try {
    return realPath(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined;
    throw new Error(`cannot follow ${path}: ${messageOf(error)}`, { cause: error });
  }
}
