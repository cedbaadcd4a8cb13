/**
 * The inputs side of a workspace: what pattern lists match there, and the digest of each path. What was found is kept in
 * memory and in the state store, one snapshot a pattern list, so that an unchanged workspace costs one stat a path; or
 * none, for who watches it and tells which paths may have changed.
 */
import { realpathSync } from 'node:fs';
import { type Digest, sha256 } from '../../base/hash.ts';
import { type AbsPath, escapes, isWithin, type RelPath, toRel } from '../../base/paths.ts';
import type { StateStore } from '../../store/state.ts';
import { Globs, globsOf } from '../globs/globs.ts';
import { isAlone, placeOf } from '../look.ts';
import type { PathList } from '../states/path-list.ts';
import type { PathState } from '../states/path-states.ts';
import type { Tree } from '../trees/tree.ts';
import { list, relist } from './listing.ts';
import { NamedPaths } from './named-paths.ts';
import { changedPaths, type Listed, packSnapshot, type Snapshot, unpackSnapshot } from './snapshot.ts';

/** What a pattern list matched. */
export interface InputListing {
  readonly tree: Tree;
  /**
   * Paths that no longer are what the tree says, or were written since, sorted. Looks at the workspace anew. Throws like
   * `inputs`.
   */
  changes(): readonly RelPath[];
  /** Links that the patterns match, sorted. */
  readonly links: readonly RelPath[];
}

/** What was last found for one pattern list, and the paths of which that may no longer hold. */
interface Watched {
  readonly globs: Globs;
  readonly unchecked: Set<RelPath>;
}

/** With more unchecked than this it is simpler to look at everything. */
const MOST_UNCHECKED = 10_000;

export class Workspace {
  /** Looks at single paths, whatever patterns say. */
  readonly named: NamedPaths;
  readonly #root: AbsPath;
  readonly #state: StateStore;
  readonly #clock: () => number;
  /** By the name of the snapshot. */
  readonly #found = new Map<string, Listed>();
  readonly #unsaved = new Set<string>();
  /** By the name of the snapshot; undefined while nobody tells what changes. */
  #watched: Map<string, Watched> | undefined;
  readonly #digests = new Map<RelPath, PathState>();
  #realRoot: string | undefined;

  /** `clock` gives ms since the epoch, by the clock that stamps files. */
  constructor(root: AbsPath, state: StateStore, clock: () => number = Date.now) {
    this.#root = root;
    this.#state = state;
    this.#clock = clock;
    this.named = new NamedPaths(root, state, clock);
  }

  /**
   * Lists the files and links that `patterns` match, without those that are `hidden`: they are not even looked at.
   * Links are not followed, but for folders that the fixed part of a pattern names; a link has the digest of the file or
   * of the listing of the folder that it leads to, null if it leads nowhere or to a folder outside. A pattern without
   * magic that leads nowhere gives an `absent` entry. Throws `INPUT_UNREADABLE` with the path of what is there and cannot
   * be read, `CONFIG_INVALID` for an impossible pattern.
   */
  inputs(patterns: readonly string[], hidden: (path: RelPath) => boolean): InputListing {
    const globs = globsOf(patterns);
    const listed = this.#list(globs, hidden, []);
    return {
      tree: listed.tree,
      changes: () =>
        changedPaths(listed, this.#list(globs, hidden, [], 'anew'), (path) => isAlone(placeOf(this.#root, path))),
      get links() {
        return linksAmong(listed.snapshot.paths).filter((path) => !hidden(path));
      },
    };
  }

  /**
   * Begins to rely on the caller to `recheck` every path from this moment on: whatever is listed is looked at once more, and
   * after that only what is to be rechecked. Called again, everything is. Snapshots are no longer saved at once.
   */
  attend(): void {
    this.#watched = new Map();
  }

  /** Says that something may have changed at these paths or below them. */
  recheck(paths: Iterable<RelPath>): void {
    for (const path of paths) {
      for (const [name, { globs, unchecked }] of this.#watched ?? []) {
        const isNear = globs.bases.some((base) => isWithin(base, path) || isWithin(path, base));
        if (!isNear || !(globs.matches(path) || globs.enters(path))) continue;
        unchecked.add(path);
        if (unchecked.size > MOST_UNCHECKED) this.#watched?.delete(name);
      }
    }
  }

  /** Saves what was found since `attend`. */
  save(): void {
    for (const name of this.#unsaved) {
      const found = this.#found.get(name);
      if (found !== undefined) this.#save(name, found.snapshot);
    }
    this.#unsaved.clear();
  }

  /** `behind` are the folders being listed because a link leads there, outermost first. */
  #list(globs: Globs, hidden: (path: RelPath) => boolean, behind: readonly RelPath[], how?: 'anew'): Listed {
    const name = nameOf(globs);
    const earlier = this.#found.get(name);
    const known = earlier?.snapshot ?? this.#load(name);
    const context = {
      root: this.#root,
      clock: this.#clock,
      hidden,
      digests: this.#digests,
      digestBehind: (link: RelPath) => this.#digestBehind(link, hidden, behind, how),
      earlier,
    };
    const watched = how === 'anew' ? undefined : this.#watched?.get(name);
    const listed =
      known === undefined || watched === undefined
        ? list(globs, known, context)
        : relist(globs, known, watched.unchecked, context);
    this.#found.set(name, listed);
    if (listed.snapshot !== known) this.#keep(name, listed.snapshot);
    this.#settle(name, globs, listed, hidden, how);
    return listed;
  }

  /** What was hidden remains to be rechecked. A look in between may have hidden other paths than the last, and settles nothing. */
  #settle(
    name: string,
    globs: Globs,
    { unseen }: Listed,
    hidden: (path: RelPath) => boolean,
    how: 'anew' | undefined,
  ): void {
    if (this.#watched === undefined) return;
    const before = this.#watched.get(name)?.unchecked;
    if (before === undefined && how === 'anew') return;
    const rest = how === 'anew' ? (before ?? []) : [...(before ?? [])].filter(hidden);
    this.#watched.set(name, { globs, unchecked: new Set([...unseen, ...rest]) });
  }

  #keep(name: string, snapshot: Snapshot): void {
    if (this.#watched === undefined) this.#save(name, snapshot);
    else this.#unsaved.add(name);
  }

  /** Null for a folder that is being listed already: its content has its place in the listing around this one. */
  #digestBehind(
    link: RelPath,
    hidden: (path: RelPath) => boolean,
    behind: readonly RelPath[],
    how: 'anew' | undefined,
  ): Digest | null {
    this.#realRoot ??= realpathSync(this.#root);
    const folder = toRel(this.#realRoot, realpathSync(placeOf(this.#root, link)));
    if (escapes(folder) || behind.includes(folder)) return null;
    const globs = new Globs([`./${folder}`]);
    // Who reports a link does not say where behind it something happened.
    this.#watched?.delete(nameOf(globs));
    return this.#list(globs, hidden, [...behind, folder], how).tree.digest;
  }

  #load(name: string): Snapshot | undefined {
    const packed = this.#state.get(name);
    return packed === undefined ? undefined : unpackSnapshot(packed);
  }

  #save(name: string, snapshot: Snapshot): void {
    this.#state.put(name, packSnapshot(snapshot));
  }
}

/** The name under which the state store has what these patterns matched. */
export function snapshotName(patterns: readonly string[]): string {
  return nameOf(globsOf(patterns));
}

function nameOf({ patterns }: Globs): string {
  return `inputs/${sha256(JSON.stringify(patterns))}`;
}

function linksAmong(paths: PathList): readonly RelPath[] {
  const links: RelPath[] = [];
  for (let at = 0; at < paths.length; at++) if (paths.kind(at) === 'link') links.push(paths.path(at));
  return links;
}
