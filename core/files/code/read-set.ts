/**
 * What a calculation read of the disk: contents of files, names that were not there, where links led. Plain data that can
 * be kept; `read-recorder.ts` makes it, `read-validator.ts` tells later whether the same would be read again.
 */
import type { Digest } from '../../base/hash.ts';
import type { RelPath } from '../../base/paths.ts';
import type { StatKey } from '../states/stat-key.ts';

/**
 * One path. A null digest: nothing was there; `something`: no file, a folder as a rule. A null key: it must be looked at
 * closely again.
 */
export interface PathRead {
  readonly path: RelPath;
  readonly digest: Digest | 'something' | null;
  readonly key: StatKey | null;
}

/** Plain data, paths relative to the root of the recorder. */
export interface ReadSet {
  readonly reads: readonly PathRead[];
  /** Paths with what they lead to when all links are followed; null if they led nowhere. */
  readonly links: readonly (readonly [RelPath, RelPath | null])[];
  /** False if something may have changed while it was looked at: true now, but not to be relied on later. */
  readonly settled: boolean;
}

/** Whether two read sets say the same of every path that both speak of. */
export function agree(a: ReadSet, b: ReadSet): boolean {
  return compare(a, b, true);
}

/** Whether two read sets speak of the same paths and say the same of them. */
export function isSame(a: ReadSet, b: ReadSet): boolean {
  return a.reads.length === b.reads.length && a.links.length === b.links.length && compare(a, b, false);
}

function compare(a: ReadSet, b: ReadSet, unknown: boolean): boolean {
  const digests = new Map<string, PathRead['digest']>(a.reads.map(({ path, digest }) => [path, digest]));
  const links = new Map<string, RelPath | null>(a.links);
  return (
    b.reads.every(({ path, digest }) => (digests.has(path) ? digests.get(path) === digest : unknown)) &&
    b.links.every(([path, target]) => (links.has(path) ? links.get(path) === target : unknown))
  );
}
