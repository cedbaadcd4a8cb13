/**
 * What is called what in one folder: what a search through it would find, but not what is in the files. Of a link counts
 * where it leads.
 */
import { type Dirent, readdirSync, readlinkSync } from 'node:fs';
import { type Digest, sha256 } from '../../base/hash.ts';
import { byCodeUnit } from '../../base/order.ts';
import { type AbsPath, pathIn, type RelPath } from '../../base/paths.ts';
import { isReserved } from '../globs/reserved.ts';
import { isGone, lookAt, placeOf, unreadable } from '../look.ts';

/** Which names of a folder count. */
interface Form {
  /** How a path ends that stands for them. */
  readonly end: string;
  counts(entry: Dirent): boolean;
  /** Whether a folder (absolute) that comes to be matters. */
  heeds(folder: string): boolean;
}

const SOURCES: Form = {
  end: '*.ts',
  counts: (entry) => {
    if (entry.isDirectory()) return !entry.name.startsWith('.');
    return entry.isSymbolicLink() || /\.[cm]?[jt]sx?$/i.test(entry.name);
  },
  heeds: holdsSources,
};
const ALL: Form = { end: '*', counts: () => true, heeds: () => true };

/** The folder that a path stands for names of: `src/*` for those of `src`, `*` for those of the root; else undefined. */
export function folderOfNames(path: RelPath): RelPath | undefined {
  const end = formOf(path)?.end;
  if (end === undefined) return undefined;
  return (path === end ? '.' : path.slice(0, -end.length - 1)) as RelPath;
}

function formOf(path: RelPath): Form | undefined {
  return [ALL, SOURCES].find(({ end }) => path === end || path.endsWith(`/${end}`));
}

/** The path that stands for all names in a folder. */
export function namesOf(folder: RelPath): RelPath {
  return pathIn(folder, ALL.end);
}

/** The path that stands for what a compiler of TypeScript that searches a folder takes for sources, and for folders. */
export function sourceNamesOf(folder: RelPath): RelPath {
  return pathIn(folder, SOURCES.end);
}

export interface FolderNames {
  readonly digest: Digest;
  readonly count: number;
  /** What was made or moved there later than a moment (ms, by the clock that stamps files). */
  since(moment: number): readonly RelPath[];
}

/**
 * The names that a path stands for, without those that are `hidden` or reserved; undefined if there is no folder, or if
 * it stands for no names.
 */
export function folderNames(root: AbsPath, path: RelPath, hidden: (path: RelPath) => boolean): FolderNames | undefined {
  const folder = folderOfNames(path);
  const form = formOf(path);
  if (folder === undefined || form === undefined) return undefined;
  try {
    const entries = readdirSync(placeOf(root, folder), { withFileTypes: true });
    const seen = entries.filter(
      (entry) => !isReserved(entry.name) && form.counts(entry) && !hidden(pathIn(folder, entry.name)),
    );
    const lines = seen.map((entry) => lineOf(entry, placeOf(root, pathIn(folder, entry.name))));
    return {
      digest: sha256(lines.sort(byCodeUnit).join('')),
      count: seen.length,
      since: (moment) =>
        seen
          .filter((entry) => isNewer(entry, placeOf(root, pathIn(folder, entry.name)), moment, form))
          .map(({ name }) => pathIn(folder, name)),
    };
  } catch (error) {
    if (isGone(error)) return undefined;
    throw unreadable(folder, error);
  }
}

function lineOf(entry: Dirent, place: AbsPath): string {
  if (entry.isSymbolicLink()) return `l${entry.name}\0${readlinkSync(place)}\0`;
  return `${entry.isDirectory() ? 'd' : 'f'}${entry.name}\0`;
}

/** Whether something was not there under this name at a moment. What is written again stays what it is. */
function isNewer(entry: Dirent, place: AbsPath, moment: number, form: Form): boolean {
  const stats = lookAt(place);
  if (stats === undefined) return false;
  const { birthtimeMs, ctimeMs, mtimeMs, nlink } = stats;
  // To be moved changes nothing of a file but its ctime; so does to get, or lose, another name.
  const isMoved = ctimeMs > moment && mtimeMs <= moment && (nlink === 1 || entry.isDirectory());
  return (birthtimeMs > moment || isMoved) && (!entry.isDirectory() || form.heeds(place));
}

/** Whether there are sources of TypeScript at or below a folder: programs put scripts into folders of reports, too. */
function holdsSources(folder: string): boolean {
  try {
    return readdirSync(folder, { withFileTypes: true }).some((entry) => {
      if (!entry.isDirectory()) return /\.[cm]?tsx?$/i.test(entry.name);
      return !entry.name.startsWith('.') && !isReserved(entry.name) && holdsSources(`${folder}/${entry.name}`);
    });
  } catch (error) {
    // What cannot be read may hold anything.
    return !isGone(error);
  }
}
