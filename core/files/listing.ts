/**
 * Lists what a pattern list matches, given what was found last time. As long as no folder has other names in it, the
 * paths are the same without a walk; as long as a file has its stat key, its digest is the same without a reading. To who
 * knows which paths may have changed, the others are the same without a look.
 */
import { readlinkSync, type Stats } from 'node:fs';
import { FlecheError } from '../base/errors.ts';
import type { Digest } from '../base/hash.ts';
import { byCodeUnit } from '../base/order.ts';
import { type AbsPath, isWithin, type RelPath } from '../base/paths.ts';
import { readContent } from './contents.ts';
import { folderOf } from './folders.ts';
import type { Globs } from './globs.ts';
import { isGone, lookAt, lookThrough, placeOf, unreadable } from './look.ts';
import { kept, type PathState, stateOf } from './path-states.ts';
import { folderState, isMangled, namesIn, scan } from './scan.ts';
import { entryOf, type Listed, type Snapshot } from './snapshot.ts';
import { sameKey } from './stat-key.ts';
import { makeTree, type Tree, type TreeEntry } from './tree.ts';

/** What a listing asks of its surroundings. */
export interface ListingContext {
  readonly root: AbsPath;
  readonly clock: () => number;
  /** Paths that are not to be looked at. */
  hidden(path: RelPath): boolean;
  /** Digests of files taken elsewhere in this process; what is read here is added. */
  readonly digests: Map<RelPath, PathState>;
  /** The digest of what is in the folder that a link leads to, or null if that is not the workspace's. */
  digestBehind(link: RelPath): Digest | null;
  /** What was listed last; it is given back if nothing is different. */
  readonly earlier: Tree | undefined;
}

/** Throws `INPUT_UNREADABLE` with the path of what is there and cannot be read. */
export function list(globs: Globs, known: Snapshot | undefined, context: ListingContext): Listed {
  return new Listing(globs, context).list(known);
}

/**
 * The same, if nothing but `doubts` and what lies below them can be other than it is known. A path that was hidden when
 * it was known counts as doubted.
 */
export function relist(globs: Globs, known: Snapshot, doubts: Iterable<RelPath>, context: ListingContext): Listed {
  return new Listing(globs, context).relist(known, doubts);
}

class Listing {
  readonly #globs: Globs;
  readonly #context: ListingContext;
  /** Places of patterns where a folder was read. */
  #walked: ReadonlySet<RelPath> = new Set();

  constructor(globs: Globs, context: ListingContext) {
    this.#globs = globs;
    this.#context = context;
  }

  list(known: Snapshot | undefined): Listed {
    this.#walked = this.#basesAmong(known?.folders ?? []);
    const folders = known === undefined ? undefined : this.#sameFolders(known);
    const paths = known === undefined || folders === undefined ? undefined : this.#look(known.paths);
    if (known === undefined || folders === undefined || paths === undefined) return this.#scan(known?.paths ?? []);
    const same = isSame(folders, known.folders) && isSame(paths, known.paths);
    return this.#listed(same ? known : { folders, paths });
  }

  relist(known: Snapshot, doubts: Iterable<RelPath>): Listed {
    const { hidden } = this.#context;
    this.#walked = this.#basesAmong(known.folders);
    const places = new Map(known.paths.map((state, at) => [state.path, at]));
    const folders = new Map(known.folders.map((state, at) => [state.path, at]));
    const paths: PathState[] = [...known.paths];
    const renamed = new Set<RelPath>();
    for (const path of doubts) {
      if (hidden(path)) continue;
      const at = places.get(path);
      const state = at === undefined ? undefined : paths[at];
      const seen = state === undefined ? undefined : this.#lookAt(state);
      if (at !== undefined && seen !== undefined) paths[at] = seen;
      else if (folders.has(path) || this.#isStructure(path)) return this.list(known);
      else if (state !== undefined || this.#isNew(path)) renamed.add(folderOf(path));
    }
    if (renamed.size === 0) return this.#listed(isSame(paths, known.paths) ? known : { ...known, paths });
    return this.#relistFolders({ folders: known.folders, paths }, renamed, folders) ?? this.list(known);
  }

  /** Whether a path is a folder that matters, or lies on the way to what a pattern names. */
  #isStructure(path: RelPath): boolean {
    if (this.#globs.bases.some((base) => isWithin(path, base))) return true;
    return this.#globs.enters(path) && this.#statsOf(path)?.isDirectory() === true;
  }

  #isNew(path: RelPath): boolean {
    return this.#globs.matches(path) && this.#statsOf(path) !== undefined;
  }

  #statsOf(path: RelPath): Stats | undefined {
    try {
      return lookAt(placeOf(this.#context.root, path));
    } catch (error) {
      throw unreadable(path, error);
    }
  }

  /** Puts the files and links right that stand in these very folders. Undefined if more than that is different. */
  #relistFolders(
    known: Snapshot,
    renamed: ReadonlySet<RelPath>,
    places: ReadonlyMap<RelPath, number>,
  ): Listed | undefined {
    const folders: PathState[] = [...known.folders];
    const before = new Map(known.paths.map((state) => [state.path, state]));
    const paths = known.paths.filter(({ path }) => !renamed.has(folderOf(path)));
    for (const folder of renamed) {
      const place = places.get(folder);
      const found = place === undefined ? undefined : this.#filesIn(folder, before, places);
      if (place === undefined || found === undefined) return undefined;
      paths.push(...found.paths);
      folders[place] = found.folder;
    }
    return this.#listed({ folders, paths: paths.sort((a, b) => byCodeUnit(a.path, b.path)) });
  }

  /** What matches in one folder, not below it. Undefined if there is a folder in it that is not known. */
  #filesIn(
    folder: RelPath,
    before: ReadonlyMap<RelPath, PathState>,
    places: ReadonlyMap<RelPath, number>,
  ): { readonly folder: PathState; readonly paths: readonly PathState[] } | undefined {
    const { root, clock } = this.#context;
    const at = clock();
    const looked = lookThrough(placeOf(root, folder));
    const names = looked?.isDirectory() === true ? namesIn(root, folder, this.#globs) : undefined;
    if (looked === undefined || names === undefined) return undefined;
    const paths: PathState[] = [];
    for (const entry of names.entries) {
      const path = (folder === '.' ? entry.name : `${folder}/${entry.name}`) as RelPath;
      if (isMangled(path) || (entry.isDirectory() && this.#globs.enters(path) && !places.has(path))) return undefined;
      if (!(entry.isFile() || entry.isSymbolicLink()) || !this.#globs.matches(path)) continue;
      paths.push(before.get(path) ?? stateOf(path, entry.isFile() ? 'file' : 'link'));
    }
    return { folder: folderState(folder, looked, names.digest, at), paths: this.#look(paths, 'without what is gone') };
  }

  #scan(known: readonly PathState[]): Listed {
    const { root, clock } = this.#context;
    const before = new Map(known.map((state) => [state.path, state]));
    const { found, folders } = scan(root, this.#globs, { through: true, clock });
    this.#walked = this.#basesAmong(folders);
    const paths = found.flatMap(({ path, kind }) => (kind === 'dir' ? [] : (before.get(path) ?? stateOf(path, kind))));
    return this.#listed({ folders, paths: this.#look(paths, 'without what is gone') });
  }

  #basesAmong(folders: readonly PathState[]): ReadonlySet<RelPath> {
    const { bases } = this.#globs;
    return new Set(bases.filter((base) => folders.some(({ path, kind }) => path === base && kind === 'dir')));
  }

  /** The folders as they are now, or undefined if one has other names in it than it had. */
  #sameFolders({ folders, paths }: Snapshot): readonly PathState[] | undefined {
    if ([...this.#walked].some((base) => this.#isNewLink(base, paths))) return undefined;
    const now: PathState[] = [];
    for (const folder of folders) {
      const same = folder.kind === 'absent' ? this.#stillAbsent(folder) : this.#sameNames(folder);
      if (same === undefined) return undefined;
      now.push(same);
    }
    return now;
  }

  /** Whether a link that matches stands now where a folder did, with the same names in it perhaps. */
  #isNewLink(base: RelPath, paths: readonly PathState[]): boolean {
    if (!this.#globs.matches(base) || paths.some(({ path }) => path === base)) return false;
    return this.#statsOf(base)?.isSymbolicLink() === true;
  }

  #stillAbsent(folder: PathState): PathState | undefined {
    return lookAt(placeOf(this.#context.root, folder.path)) === undefined ? folder : undefined;
  }

  #sameNames(folder: PathState): PathState | undefined {
    const { root, clock } = this.#context;
    const at = clock();
    const looked = lookThrough(placeOf(root, folder.path));
    if (looked === undefined) return undefined;
    if (folder.trusted && folder.key !== null && sameKey(folder.key, looked)) return folder;
    const names = namesIn(root, folder.path, this.#globs);
    return names?.digest === folder.digest
      ? kept(folder, folderState(folder.path, looked, names.digest, at))
      : undefined;
  }

  /** The paths as they are now. A path that is gone means that the list is no longer right, or is left out. */
  #look(paths: readonly PathState[], gone: 'without what is gone'): readonly PathState[];
  #look(paths: readonly PathState[]): readonly PathState[] | undefined;
  #look(paths: readonly PathState[], gone?: 'without what is gone'): readonly PathState[] | undefined {
    const now: PathState[] = [];
    for (const state of paths) {
      const seen = this.#context.hidden(state.path) ? state : this.#lookAt(state);
      if (seen !== undefined) now.push(seen);
      else if (gone === undefined) return undefined;
    }
    return now;
  }

  #lookAt(state: PathState): PathState | undefined {
    const place = placeOf(this.#context.root, state.path);
    try {
      const stats = lookAt(place);
      if (stats === undefined) return undefined;
      if (stats.isFile()) {
        if (state.kind === 'file' && state.trusted && state.key !== null && sameKey(state.key, stats)) return state;
        const elsewhere = this.#context.digests.get(state.path);
        if (elsewhere !== undefined && elsewhere.key !== null && sameKey(elsewhere.key, stats)) return elsewhere;
        return this.#read(state, place);
      }
      return stats.isSymbolicLink() ? this.#lookAtLink(state, place) : undefined;
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error instanceof FlecheError ? error : unreadable(state.path, error);
    }
  }

  #read(before: PathState, place: AbsPath): PathState | undefined {
    const content = readContent(place, this.#context.clock);
    if (content === undefined) return undefined;
    const state = kept(before, { path: before.path, kind: 'file', ...content, target: '' });
    if (state.trusted) this.#context.digests.set(state.path, state);
    return state;
  }

  #lookAtLink(state: PathState, place: AbsPath): PathState | undefined {
    const { path } = state;
    const target = readlinkSync(place);
    const end = lookThrough(place);
    if (end?.isFile() === true) {
      const same = state.kind === 'link' && state.target === target && state.trusted;
      if (same && state.key !== null && sameKey(state.key, end)) return state;
      const content = readContent(place, this.#context.clock);
      if (content !== undefined) return kept(state, { path, kind: 'link', ...content, target });
    }
    // What is in a folder that a pattern names is listed itself, even behind a link.
    const isFolder = end?.isDirectory() === true;
    const isBase = isFolder && this.#globs.bases.includes(path);
    if (isBase && !this.#walked.has(path)) return undefined;
    const digest = isFolder && !isBase ? this.#context.digestBehind(path) : null;
    return kept(state, { ...stateOf(path, 'link', target), digest });
  }

  #listed(snapshot: Snapshot): Listed {
    const { hidden, earlier } = this.#context;
    const literals = new Set(this.#globs.literals);
    const absent = snapshot.folders.filter(
      ({ kind, path }) => kind === 'absent' && literals.has(path) && !hidden(path),
    );
    const entries = absent.map(({ path }): TreeEntry => ({ kind: 'absent', path }));
    const unseen: RelPath[] = [];
    for (const state of snapshot.paths) {
      if (hidden(state.path)) unseen.push(state.path);
      else entries.push(entryOf(state));
    }
    const isEarlier = (tree: Tree): boolean =>
      tree.entries.length === entries.length && tree.entries.every((one, at) => one === entries[at]);
    return { snapshot, tree: earlier !== undefined && isEarlier(earlier) ? earlier : makeTree(entries), unseen };
  }
}

function isSame(a: readonly PathState[], b: readonly PathState[]): boolean {
  return a.length === b.length && a.every((state, at) => state === b[at]);
}
