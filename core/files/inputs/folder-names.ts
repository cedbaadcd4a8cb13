/** What is called what in one folder: what a search through it would find, but not what is in the files. */
import { type Dirent, readdirSync } from 'node:fs';
import { type Digest, sha256 } from '../../base/hash.ts';
import { byCodeUnit } from '../../base/order.ts';
import { type AbsPath, pathIn, type RelPath } from '../../base/paths.ts';
import { isReserved } from '../globs/reserved.ts';
import { isGone, lookAt, placeOf, unreadable } from '../look.ts';

/** The folder whose names a path stands for: `src/*` for those of `src`, `*` for those of the root; else undefined. */
export function folderOfNames(path: RelPath): RelPath | undefined {
  if (path === '*') return '.' as RelPath;
  return path.endsWith('/*') ? (path.slice(0, -2) as RelPath) : undefined;
}

/** The path that stands for the names in a folder. */
export function namesOf(folder: RelPath): RelPath {
  return pathIn(folder, '*');
}

export interface FolderNames {
  readonly digest: Digest;
  readonly count: number;
  /** Files among them that were made later than a moment (ms, by the clock that stamps files). */
  since(moment: number): readonly RelPath[];
}

/** The names in a folder, without those that are `hidden` or reserved; undefined if there is no folder. */
export function folderNames(
  root: AbsPath,
  folder: RelPath,
  hidden: (path: RelPath) => boolean,
): FolderNames | undefined {
  let entries: Dirent[];
  try {
    entries = readdirSync(placeOf(root, folder), { withFileTypes: true });
  } catch (error) {
    if (isGone(error)) return undefined;
    throw unreadable(folder, error);
  }
  const seen = entries.filter(({ name }) => !isReserved(name) && !hidden(pathIn(folder, name)));
  const lines = seen.map((entry) => `${entry.isDirectory() ? 'd' : 'f'}${entry.name}\0`).sort(byCodeUnit);
  return {
    digest: sha256(lines.join('')),
    count: seen.length,
    since: (moment) =>
      seen
        .filter((entry) => entry.isFile())
        .map(({ name }) => pathIn(folder, name))
        .filter((path) => (lookAt(placeOf(root, path))?.birthtimeMs ?? 0) > moment),
  };
}
