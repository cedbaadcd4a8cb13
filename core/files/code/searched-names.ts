/**
 * The names that a compiler of TypeScript meets which is told folders: a source under another name would be one more, or
 * would be found in place of one that it found. They are in the folders around the sources that it found, and wherever
 * the configurations that are nearest to these let it search; and types of packages, which it takes in by itself.
 */
import { type Dirent, readdirSync, realpathSync } from 'node:fs';
import { type AbsPath, escapes, folderOf, pathIn, type RelPath, toAbs, toRel } from '../../base/paths.ts';
import { Globs } from '../globs/globs.ts';
import { isReserved } from '../globs/reserved.ts';
import { namesOf, sourceNamesOf } from '../inputs/folder-names.ts';
import { textAt } from '../inputs/report-file.ts';
import { lookThrough, placeOf } from '../look.ts';
import { readTsconfig, type Search } from './tsconfig.ts';

/** Paths that stand for these names, given the sources. `isMade` tells of what tasks write, where nothing is looked for. */
export function searchedNames(
  root: AbsPath,
  sources: Iterable<RelPath>,
  isMade: (path: RelPath) => boolean,
): ReadonlySet<RelPath> {
  const folders = new Folders(root);
  for (const path of sources) if (!escapes(path) && !/(?:^|\/)node_modules\//.test(path)) folders.around(path);
  const names = new Set<RelPath>();
  for (const folder of folders.searched(isMade)) {
    names.add(sourceNamesOf(folder));
    const installed = toAbs(placeOf(root, folder), 'node_modules');
    if (lookThrough(installed)?.isDirectory() === true) names.add(namesOf(toRel(root, `${installed}/@types`)));
  }
  return names;
}

/** Folders around sources, and those that configurations there let a compiler search. */
class Folders {
  readonly #root: AbsPath;
  readonly #found = new Set<RelPath>();
  readonly #searches = new Map<RelPath, readonly Search[]>();
  /** Those with the configurations that are nearest to sources. */
  readonly #nearest = new Set<RelPath>();

  constructor(root: AbsPath) {
    this.#root = root;
  }

  around(source: RelPath): void {
    for (let at = folderOf(source), isNear = true; ; at = folderOf(at)) {
      const isKnown = this.#found.size === this.#found.add(at).size;
      if (isNear && this.#searchesOf(at).length > 0) {
        this.#nearest.add(at);
        isNear = false;
      }
      if (at === '.' || (isKnown && !isNear)) return;
    }
  }

  #searchesOf(folder: RelPath): readonly Search[] {
    const known = this.#searches.get(folder) ?? searchesIn(placeOf(this.#root, folder));
    this.#searches.set(folder, known);
    return known;
  }

  searched(isMade: (path: RelPath) => boolean): ReadonlySet<RelPath> {
    for (const folder of this.#nearest) {
      for (const search of this.#searchesOf(folder)) new Walk(this.#root, search, isMade, this.#found).begin();
    }
    return this.#found;
  }
}

/** What the configurations in a folder let a compiler search, but for those that say nothing and are there to be extended. */
function searchesIn(folder: AbsPath): readonly Search[] {
  const names = (entriesIn(folder) ?? []).map(({ name }) => name);
  const configs = names.filter((name) => /^[jt]sconfig.*\.json$/.test(name)).map((name) => toAbs(folder, name));
  const read = configs.map((place) => readTsconfig(place, (path) => textAt(path)?.text));
  const isExtended = (place: AbsPath): boolean => read.some(({ files }) => files.indexOf(place) > 0);
  return read.flatMap(({ search, files: [own] }) =>
    own !== undefined && search.isDefault && isExtended(own) && !/[jt]sconfig\.json$/.test(own) ? [] : [search],
  );
}

class Walk {
  readonly #root: AbsPath;
  readonly #search: Search;
  readonly #isMade: (path: RelPath) => boolean;
  readonly #leftOut: Globs;
  readonly #found: Set<RelPath>;
  /** Where links led, each of which is followed once: they may lead to where they are. */
  readonly #real = new Set<string>();

  constructor(root: AbsPath, search: Search, isMade: (path: RelPath) => boolean, found: Set<RelPath>) {
    this.#root = root;
    this.#search = search;
    this.#isMade = isMade;
    this.#leftOut = new Globs(
      search.leftOut.map((pattern) => toRel(root, pattern)).filter((pattern) => !escapes(pattern) && pattern !== '.'),
    );
    this.#found = found;
  }

  begin(): void {
    for (const place of this.#search.places) {
      const path = toRel(this.#root, place);
      if (escapes(path)) continue;
      if (lookThrough(place)?.isDirectory() === true) this.#enter(path);
      // A single file, or one that is not there yet.
      else this.#found.add(folderOf(path));
    }
  }

  #enter(folder: RelPath): void {
    const entries = entriesIn(placeOf(this.#root, folder));
    // A compiler, too, passes over what it may not read.
    if (entries === undefined) return;
    this.#found.add(folder);
    for (const entry of entries) {
      const { name } = entry;
      if (entry.isFile() || name.startsWith('.') || isReserved(name)) continue;
      const path = pathIn(folder, name);
      if (this.#isMade(path) || this.#leftOut.matches(path)) continue;
      if (entry.isDirectory() || (entry.isSymbolicLink() && this.#leadsOn(path))) this.#enter(path);
    }
  }

  /** Whether a link leads to a folder of the project to which none has led yet. */
  #leadsOn(link: RelPath): boolean {
    const place = placeOf(this.#root, link);
    if (lookThrough(place)?.isDirectory() !== true) return false;
    const real = realpathSync(place);
    return !escapes(toRel(realpathSync(this.#root), real)) && this.#real.size < this.#real.add(real).size;
  }
}

/** What is in a folder; undefined if there is none, or it cannot be read. */
function entriesIn(folder: AbsPath): readonly Dirent[] | undefined {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return undefined;
  }
}
