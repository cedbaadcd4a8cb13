/**
 * What stands at single paths that somebody named: not what patterns match, and nothing below a folder, but for `src/*`,
 * which stands for the names in `src`. Links are followed, since whoever read a path read what it leads to; of one that leads
 * to a folder it counts which. What was found
 * is kept under a name, and in the state store once it is saved, so that an unchanged file costs one stat.
 */
import { readlinkSync, type Stats } from 'node:fs';
import { isAbsolute } from 'node:path';
import { type AbsPath, type RelPath, toRel } from '../../base/paths.ts';
import type { StateStore } from '../../store/state.ts';
import { isAlone, isGone, lookAt, lookThrough, placeOf, unreadable } from '../look.ts';
import { readContent } from '../states/contents.ts';
import { packStates, unpackStates } from '../states/path-list.ts';
import { type PathState, stateOf } from '../states/path-states.ts';
import { isExecutable, sameKey } from '../states/stat-key.ts';
import type { TreeEntry } from '../trees/tree.ts';
import { type FolderNames, folderNames, folderOfNames } from './folder-names.ts';
import { isStamped } from './snapshot.ts';

/** What stood at a path at one moment. */
export interface PathSeen {
  /** A `file`, which the names in a folder count as, a folder as `dir`, a `link` to one, or `absent`. */
  readonly entry: TreeEntry;
  /** The path if what stands there is no longer what it was, or was written since. Looks anew. */
  changes(): readonly RelPath[];
  /** Files that were written, renamed or linked later than a moment (ms, by the clock that stamps files); see `Ways`. */
  since(moment: number): readonly RelPath[];
}

/** Where state is kept of the paths that somebody named. */
const PREFIX = 'paths/';

export class NamedPaths {
  readonly #root: AbsPath;
  readonly #state: StateStore;
  readonly #clock: () => number;
  readonly #known = new Map<string, Map<RelPath, PathState>>();
  readonly #unsaved = new Set<string>();

  constructor(root: AbsPath, state: StateStore, clock: () => number) {
    this.#root = root;
    this.#state = state;
    this.#clock = clock;
  }

  /**
   * `name` is whose path it is; `hidden` are paths that do not count among the names in a folder. Throws
   * `INPUT_UNREADABLE` with the path of what is there and cannot be read.
   */
  look(name: string, path: RelPath, hidden: (path: RelPath) => boolean = hidesNothing): PathSeen {
    if (folderOfNames(path) !== undefined) return this.#lookAtNames(path, hidden);
    const known = this.#knownOf(name);
    const before = known.get(path);
    const state = this.#lookAt(path, before);
    if (state !== before) {
      known.set(path, state);
      if (state.kind === 'file') this.#unsaved.add(name);
    }
    return {
      entry: entryOf(state),
      changes: () => (this.#isChanged(state, this.#lookAt(path, state)) ? [path] : []),
      since: (moment) => (state.key !== null && state.key.ctime > moment ? [path] : []),
    };
  }

  #lookAtNames(path: RelPath, hidden: (path: RelPath) => boolean): PathSeen {
    const names = folderNames(this.#root, path, hidden);
    return {
      entry: entryOfNames(path, names),
      changes: () => (folderNames(this.#root, path, hidden)?.digest === names?.digest ? [] : [path]),
      since: (moment) => names?.since(moment) ?? [],
    };
  }

  /** Keeps what is known of these paths alone. */
  retain(name: string, paths: Iterable<RelPath>): void {
    const known = this.#knownOf(name);
    const kept = new Map<RelPath, PathState>();
    for (const path of paths) {
      const state = known.get(path);
      if (state !== undefined) kept.set(path, state);
    }
    if (kept.size === known.size) return;
    this.#known.set(name, kept);
    this.#unsaved.add(name);
  }

  /** Saves what was found. Of what is no file nothing need be remembered. */
  save(): void {
    for (const name of this.#unsaved) {
      const files = [...this.#knownOf(name).values()].filter(({ kind }) => kind === 'file');
      this.#state.put(PREFIX + name, packStates(files, new Uint8Array(0)));
    }
    this.#unsaved.clear();
  }

  #knownOf(name: string): Map<RelPath, PathState> {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const loaded = new Map<RelPath, PathState>();
    const packed = this.#state.get(PREFIX + name);
    const unpacked = packed === undefined ? undefined : unpackStates(packed);
    for (const state of unpacked?.part(0, unpacked.length) ?? []) loaded.set(state.path, state);
    this.#known.set(name, loaded);
    return loaded;
  }

  #isChanged(before: PathState, now: PathState): boolean {
    return isChanged(before, now) || (isStamped(before, now) && isAlone(placeOf(this.#root, now.path)));
  }

  #lookAt(path: RelPath, before: PathState | undefined): PathState {
    const place = placeOf(this.#root, path);
    try {
      const stats = lookThrough(place);
      if (stats === undefined) return same(before, 'absent') ?? stateOf(path, 'absent');
      if (!stats.isFile()) return this.#folder(path, before);
      if (before !== undefined && vouches(before, stats)) return before;
      const content = readContent(place, this.#clock);
      return content === undefined ? stateOf(path, 'absent') : { path, kind: 'file', ...content, target: '' };
    } catch (error) {
      if (isGone(error)) return stateOf(path, 'absent');
      throw unreadable(path, error);
    }
  }

  #folder(path: RelPath, before: PathState | undefined): PathState {
    const place = placeOf(this.#root, path);
    if (lookAt(place)?.isSymbolicLink() !== true) return same(before, 'dir') ?? stateOf(path, 'dir');
    const text = readlinkSync(place);
    const target = isAbsolute(text) ? toRel(this.#root, text) : text;
    return same(before, 'link', target) ?? stateOf(path, 'link', target);
  }
}

function same(before: PathState | undefined, kind: PathState['kind'], target = ''): PathState | undefined {
  return before?.kind === kind && before.target === target ? before : undefined;
}

function vouches({ kind, trusted, key }: PathState, stats: Stats): boolean {
  return kind === 'file' && trusted && key !== null && sameKey(key, stats);
}

function isChanged(before: PathState, now: PathState): boolean {
  if (before === now) return false;
  if (before.kind !== now.kind || before.digest !== now.digest || before.target !== now.target) return true;
  const { key: then } = before;
  const { key } = now;
  if (then === null || key === null) return false;
  return then.mtime !== key.mtime || then.size !== key.size || then.ino !== key.ino || then.mode !== key.mode;
}

function entryOfNames(path: RelPath, names: FolderNames | undefined): TreeEntry {
  if (names === undefined) return { kind: 'absent', path };
  return { kind: 'file', path, executable: false, digest: names.digest, size: names.count };
}

function hidesNothing(_path: RelPath): boolean {
  return false;
}

function entryOf({ path, kind, key, digest, target }: PathState): TreeEntry {
  if (kind === 'dir') return { kind, path };
  if (kind === 'link') return { kind, path, target, digest, executable: false };
  if (key === null || digest === null) return { kind: 'absent', path };
  return { kind: 'file', path, executable: isExecutable(key), digest, size: key.size };
}
