/**
 * Lists what a pattern list matches, given what was found last time. As long as no folder has other names in it, the
 * paths are the same without a walk; as long as a file has its stat key, its digest is the same without a reading.
 */
import { readlinkSync } from 'node:fs';
import { FlecheError } from '../base/errors.ts';
import type { Digest } from '../base/hash.ts';
import { byCodeUnit } from '../base/order.ts';
import type { AbsPath, RelPath } from '../base/paths.ts';
import { readContent } from './contents.ts';
import type { Globs } from './globs.ts';
import { isGone, lookAt, lookThrough, placeOf, unreadable } from './look.ts';
import { kept, type PathState, stateOf } from './path-states.ts';
import { folderState, namesIn, scan } from './scan.ts';
import { isExecutable, sameKey } from './stat-key.ts';
import { makeTree, type Tree, type TreeEntry } from './tree.ts';
import { diffTrees } from './tree-diff.ts';

/** What a pattern list matched at one moment. */
export interface Snapshot {
  /** Folders that were read, and places of patterns where nothing was. */
  readonly folders: readonly PathState[];
  /** Files and links, sorted by path; those that were hidden may never have been looked at. */
  readonly paths: readonly PathState[];
}

export interface Listed {
  readonly snapshot: Snapshot;
  readonly tree: Tree;
}

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
}

/** Throws `INPUT_UNREADABLE` with the path of what is there and cannot be read. */
export function list(globs: Globs, known: Snapshot | undefined, context: ListingContext): Listed {
  return new Listing(globs, context).list(known);
}

class Listing {
  readonly #globs: Globs;
  readonly #context: ListingContext;

  constructor(globs: Globs, context: ListingContext) {
    this.#globs = globs;
    this.#context = context;
  }

  list(known: Snapshot | undefined): Listed {
    const folders = known === undefined ? undefined : this.#sameFolders(known.folders);
    const paths = known === undefined || folders === undefined ? undefined : this.#look(known.paths);
    if (known === undefined || folders === undefined || paths === undefined) return this.#scan(known?.paths ?? []);
    const same = isSame(folders, known.folders) && isSame(paths, known.paths);
    return this.#listed(same ? known : { folders, paths });
  }

  #scan(known: readonly PathState[]): Listed {
    const { root, clock } = this.#context;
    const before = new Map(known.map((state) => [state.path, state]));
    const { found, folders } = scan(root, this.#globs, { through: true, clock });
    const paths = found.flatMap(({ path, kind }) => (kind === 'dir' ? [] : (before.get(path) ?? stateOf(path, kind))));
    return this.#listed({ folders, paths: this.#look(paths, 'without what is gone') });
  }

  /** The folders as they are now, or undefined if one has other names in it than it had. */
  #sameFolders(folders: readonly PathState[]): readonly PathState[] | undefined {
    const now: PathState[] = [];
    for (const folder of folders) {
      const same = folder.kind === 'absent' ? this.#stillAbsent(folder) : this.#sameNames(folder);
      if (same === undefined) return undefined;
      now.push(same);
    }
    return now;
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
    const listed = end?.isDirectory() !== true || this.#globs.bases.includes(path);
    const digest = listed ? null : this.#context.digestBehind(path);
    return kept(state, { ...stateOf(path, 'link', target), digest });
  }

  #listed(snapshot: Snapshot): Listed {
    const { hidden } = this.#context;
    const literals = new Set(this.#globs.literals);
    const absent = snapshot.folders.filter(
      ({ kind, path }) => kind === 'absent' && literals.has(path) && !hidden(path),
    );
    const entries = absent.map(({ path }): TreeEntry => ({ kind: 'absent', path }));
    for (const state of snapshot.paths) if (!hidden(state.path)) entries.push(entryOf(state));
    return { snapshot, tree: makeTree(entries) };
  }
}

/**
 * Paths that are not what they were, sorted: other entries of the trees, and files that were written in between even if
 * what is in them is the same again, since what was read in between is not known.
 */
export function changedPaths(before: Listed, after: Listed): readonly RelPath[] {
  const changed = new Set(diffTrees(before.tree, after.tree).map(({ path }) => path));
  const states = new Map(before.snapshot.paths.map((state) => [state.path, state]));
  for (const state of after.snapshot.paths) {
    const then = states.get(state.path);
    if (then !== undefined && then !== state && isRewritten(then, state)) changed.add(state.path);
  }
  return [...changed].sort(byCodeUnit);
}

function isRewritten({ key: then }: PathState, { key: now }: PathState): boolean {
  return then !== null && now !== null && (then.mtime !== now.mtime || then.size !== now.size || then.ino !== now.ino);
}

function entryOf(state: PathState): TreeEntry {
  const { path, kind, key, digest, target } = state;
  if (kind === 'link') return { kind, path, target, digest };
  if (key === null || digest === null) throw new FlecheError('BUG', `bug: ${path} was listed without being read`);
  return { kind: 'file', path, executable: isExecutable(key), digest, size: key.size };
}

function isSame(a: readonly PathState[], b: readonly PathState[]): boolean {
  return a.length === b.length && a.every((state, at) => state === b[at]);
}
