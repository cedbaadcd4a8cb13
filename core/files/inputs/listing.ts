/**
 * Lists what a pattern list matches, given what was found last time. As long as no folder has other names in it, the
 * paths are the same without a walk; as long as a file has its stat key, its digest is the same without a reading. To who
 * knows which paths may have changed, the others are the same without a look.
 */
import { readlinkSync, type Stats } from 'node:fs';
import { FlecheError } from '../../base/errors.ts';
import type { Digest } from '../../base/hash.ts';
import { byCodeUnit } from '../../base/order.ts';
import { type AbsPath, folderOf, isWithin, pathIn, type RelPath } from '../../base/paths.ts';
import type { Globs } from '../globs/globs.ts';
import { isGone, lookAt, lookThrough, placeOf, unreadable } from '../look.ts';
import { type Glimpse, readContent, readSeen } from '../states/contents.ts';
import { listOf, type PathList, placeIn } from '../states/path-list.ts';
import { kept, type PathState, stateOf } from '../states/path-states.ts';
import { sameKey } from '../states/stat-key.ts';
import { entriesIn, folderState, isMangled, scan } from './scan.ts';
import { type Listed, listed, type Snapshot } from './snapshot.ts';

/** What a listing asks of its surroundings. */
interface ListingContext {
  readonly root: AbsPath;
  readonly clock: () => number;
  /** Paths that are not to be looked at. */
  hidden(path: RelPath): boolean;
  /** Digests of files taken elsewhere in this process; what is read here is added. */
  readonly digests: Map<RelPath, PathState>;
  /** The digest of what is in the folder that a link leads to, or null if that is not the workspace's. */
  digestBehind(link: RelPath): Digest | null;
  /** What was listed last; of its tree as much is given back as is the same. */
  readonly earlier: Listed | undefined;
}

/** Throws `INPUT_UNREADABLE` with the path of what is there and cannot be read. */
export function list(globs: Globs, known: Snapshot | undefined, context: ListingContext): Listed {
  return new Listing(globs, context).list(known);
}

/**
 * The same, if nothing but `unchecked` and what lies below them can be other than it is known. A path that was hidden when
 * it was known counts as unchecked.
 */
export function relist(globs: Globs, known: Snapshot, unchecked: Iterable<RelPath>, context: ListingContext): Listed {
  return new Listing(globs, context).relist(known, unchecked);
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
    const looked = known === undefined || folders === undefined ? undefined : this.#look(known.paths);
    if (known === undefined || folders === undefined || looked === undefined) return this.#scan(known?.paths);
    const { paths, unseen } = looked;
    const same = isSame(folders, known.folders) && paths === known.paths;
    return this.#listed(same ? known : { folders, paths, summary: null }, unseen);
  }

  relist(known: Snapshot, unchecked: Iterable<RelPath>): Listed {
    const { hidden } = this.#context;
    this.#walked = this.#basesAmong(known.folders);
    const folders = new Map(known.folders.map((state, at) => [state.path, at]));
    const changed = new Map<number, PathState>();
    const renamed = new Set<RelPath>();
    for (const path of unchecked) {
      if (hidden(path)) continue;
      const at = placeIn(known.paths, path);
      const state = at < 0 ? undefined : known.paths.get(at);
      const now = this.#context.clock();
      const seen = state === undefined ? undefined : this.#lookAt(state, this.#statsOf(path), now);
      if (seen !== undefined) {
        if (seen !== state) changed.set(at, seen);
      } else if (folders.has(path) || this.#isStructure(path)) return this.list(known);
      else if (state !== undefined || this.#isNew(path)) renamed.add(folderOf(path));
    }
    const paths = changed.size === 0 ? known.paths : replaced(known.paths, changed);
    if (renamed.size > 0) return this.#relistFolders(known.folders, paths, renamed, folders) ?? this.list(known);
    const unseen: RelPath[] = [];
    for (let at = 0; at < paths.length; at++) if (hidden(paths.path(at))) unseen.push(paths.path(at));
    return this.#listed(changed.size === 0 ? known : { ...known, paths, summary: null }, unseen);
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
    known: readonly PathState[],
    states: PathList,
    renamed: ReadonlySet<RelPath>,
    places: ReadonlyMap<RelPath, number>,
  ): Listed | undefined {
    const folders = [...known];
    const paths = [...states].filter(({ path }) => !renamed.has(folderOf(path)));
    const unseen = paths.map(({ path }) => path).filter((path) => this.#context.hidden(path));
    for (const folder of renamed) {
      const place = places.get(folder);
      const found = place === undefined ? undefined : this.#filesIn(folder, states, places);
      if (place === undefined || found === undefined) return undefined;
      paths.push(...found.paths);
      unseen.push(...found.unseen);
      folders[place] = found.folder;
    }
    const sorted = listOf(paths.sort((a, b) => byCodeUnit(a.path, b.path)));
    return this.#listed({ folders, paths: sorted, summary: null }, unseen.sort(byCodeUnit));
  }

  /** What matches in one folder, not below it. Undefined if there is a folder in it that is not known. */
  #filesIn(
    folder: RelPath,
    before: PathList,
    places: ReadonlyMap<RelPath, number>,
  ): (Looked & { readonly folder: PathState }) | undefined {
    const { root, clock } = this.#context;
    const at = clock();
    const looked = lookThrough(placeOf(root, folder));
    const names = looked?.isDirectory() === true ? entriesIn(root, folder, this.#globs) : undefined;
    if (looked === undefined || names === undefined) return undefined;
    const paths: PathState[] = [];
    for (const entry of names.entries) {
      const path = pathIn(folder, entry.name);
      if (isMangled(path) || (entry.isDirectory() && this.#globs.enters(path) && !places.has(path))) return undefined;
      if (!(entry.isFile() || entry.isSymbolicLink()) || !this.#globs.matches(path)) continue;
      const place = placeIn(before, path);
      paths.push(place < 0 ? stateOf(path, entry.isFile() ? 'file' : 'link') : before.get(place));
    }
    const found = this.#look(listOf(paths), 'without what is gone');
    return { folder: folderState(folder, looked, names.digest, at), ...found };
  }

  #scan(known: PathList | undefined): Listed {
    const { root, clock } = this.#context;
    const before = new Map<RelPath, PathState>();
    for (const state of known ?? []) before.set(state.path, state);
    const at = clock();
    const { found, folders, named } = scan(root, this.#globs, { through: true, clock });
    this.#walked = this.#basesAmong(folders);
    const states = found.flatMap(({ path, kind }) => (kind === 'dir' ? [] : (before.get(path) ?? stateOf(path, kind))));
    const { paths, unseen } = this.#look(listOf(states), 'without what is gone', { at, named });
    return this.#listed({ folders, paths, summary: null }, unseen);
  }

  #basesAmong(folders: readonly PathState[]): ReadonlySet<RelPath> {
    if (folders.length === 0) return NONE;
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
  #isNewLink(base: RelPath, paths: PathList): boolean {
    if (!this.#globs.matches(base) || placeIn(paths, base) >= 0) return false;
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
    const names = entriesIn(root, folder.path, this.#globs);
    return names?.digest === folder.digest
      ? kept(folder, folderState(folder.path, looked, names.digest, at))
      : undefined;
  }

  /**
   * The paths as they are now. A path that is gone means that the list is no longer right, or is left out. At those that
   * were `seen` a moment ago, what stands there was looked at then.
   */
  #look(paths: PathList, gone: 'without what is gone', seen?: Seen): Looked;
  #look(paths: PathList): Looked | undefined;
  #look(paths: PathList, gone?: 'without what is gone', seen?: Seen): Looked | undefined {
    const { hidden } = this.#context;
    const unseen: RelPath[] = [];
    const began = seen?.at ?? this.#context.clock();
    /** All that was looked at, as soon as something of it is not what it was. */
    let now: PathState[] | undefined;
    for (let at = 0; at < paths.length; at++) {
      const path = paths.path(at);
      if (hidden(path)) {
        unseen.push(path);
        now?.push(paths.get(at));
        continue;
      }
      const stats = seen?.named.get(path) ?? this.#statsOf(path);
      if (stats !== undefined && paths.isSame(at, stats)) {
        now?.push(paths.get(at));
        continue;
      }
      const before = paths.get(at);
      const state = this.#lookAt(before, stats, began);
      if (state === undefined && gone === undefined) return undefined;
      if (state !== before) now ??= first(paths, at);
      if (state !== undefined) now?.push(state);
    }
    return { paths: now === undefined ? paths : listOf(now), unseen };
  }

  /** What stands at a path now, of which `stats` were just taken, after `at`. Undefined if that is nothing that is listed. */
  #lookAt(state: PathState, stats: Stats | undefined, at: number): PathState | undefined {
    const place = placeOf(this.#context.root, state.path);
    try {
      if (stats === undefined) return undefined;
      if (stats.isFile()) {
        if (state.kind === 'file' && state.trusted && state.key !== null && sameKey(state.key, stats)) return state;
        const elsewhere = this.#context.digests.get(state.path);
        if (elsewhere !== undefined && elsewhere.key !== null && sameKey(elsewhere.key, stats)) return elsewhere;
        return this.#read(state, place, { stats, at });
      }
      return stats.isSymbolicLink() ? this.#lookAtLink(state, place) : undefined;
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error instanceof FlecheError ? error : unreadable(state.path, error);
    }
  }

  #read(before: PathState, place: AbsPath, seen: Glimpse): PathState | undefined {
    // What a task reads is looked at once more when it is over (`changedPaths`).
    const content = readSeen(place, this.#context.clock, seen);
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

  #listed(snapshot: Snapshot, unseen: readonly RelPath[]): Listed {
    const absent = snapshot.folders.filter(({ kind }) => kind === 'absent').map(({ path }) => path);
    const literals = absent.length === 0 ? NONE : new Set(this.#globs.literals);
    const gone = absent.filter((path) => literals.has(path) && !this.#context.hidden(path));
    return listed(snapshot, { gone, unseen, earlier: this.#context.earlier });
  }
}

/** Paths that were looked at, and those of them that were hidden. */
interface Looked {
  readonly paths: PathList;
  readonly unseen: readonly RelPath[];
}

/** What stood at some paths, looked at after a moment (by the clock that stamps files). */
interface Seen {
  readonly at: number;
  readonly named: ReadonlyMap<RelPath, Stats>;
}

const NONE: ReadonlySet<RelPath> = new Set();

function first(paths: PathList, count: number): PathState[] {
  const states: PathState[] = [];
  for (let at = 0; at < count; at++) states.push(paths.get(at));
  return states;
}

function replaced(paths: PathList, changed: ReadonlyMap<number, PathState>): PathList {
  const states = [...paths];
  for (const [at, state] of changed) states[at] = state;
  return listOf(states);
}

function isSame(a: readonly PathState[], b: readonly PathState[]): boolean {
  return a.length === b.length && a.every((state, at) => state === b[at]);
}
