/** Reads for a calculation, and keeps in mind what it read. */
import { readFileSync } from 'node:fs';
import { isDigest, sha256 } from '../../base/hash.ts';
import { type AbsPath, type RelPath, toRel } from '../../base/paths.ts';
import { isRacy, statKey } from '../states/stat-key.ts';
import { resolveLinks, stat } from './probe.ts';
import type { PathRead, ReadSet } from './read-set.ts';

/** Made before the calculation starts. */
export class ReadRecorder {
  readonly root: AbsPath;
  readonly #now: () => number;
  readonly #started: number;
  readonly #reads = new Map<AbsPath, PathRead>();
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
    this.#reads.set(path, {
      path: toRel(this.root, path),
      digest: bytes !== undefined ? sha256(bytes) : stats !== undefined ? 'something' : null,
      key: key === null || isRacy(key, at) ? null : key,
    });
    return bytes;
  }

  /**
   * A file that others may have read since this recorder was made. What it holds now is what they saw only if its times
   * say that it is older.
   */
  saw(path: AbsPath): Buffer | undefined {
    if (!this.#reads.has(path)) {
      const stats = stat(path);
      if (stats !== undefined && isRacy(statKey(stats), this.#started)) this.#unsettled.add(path);
      return this.read(path);
    }
    return isDigest(this.#reads.get(path)?.digest ?? '') ? readFileSync(path) : undefined;
  }

  /** Whether nothing is there, which is remembered. */
  missed(path: AbsPath): boolean {
    if (stat(path) !== undefined) return false;
    if (!this.#reads.has(path)) this.#reads.set(path, { path: toRel(this.root, path), digest: null, key: null });
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
  readSet(paths: ReadonlySet<AbsPath>): ReadSet {
    const reads: PathRead[] = [];
    const links: [RelPath, RelPath | null][] = [];
    let settled = true;
    for (const path of paths) {
      const read = this.#reads.get(path);
      if (read !== undefined) reads.push(read);
      const link = this.#links.get(path);
      if (link !== undefined) links.push([toRel(this.root, path), link]);
      if (this.#unsettled.has(path)) settled = false;
    }
    return { reads, links, settled };
  }
}
