/**
 * The inputs side of a workspace: what pattern lists match there, and the digest of each path. What was found is kept in
 * memory and in the state store, one snapshot a pattern list, so that an unchanged workspace costs one stat a path.
 */
import { realpathSync } from 'node:fs';
import { type Digest, sha256 } from '../base/hash.ts';
import { type AbsPath, escapes, type RelPath, toRel } from '../base/paths.ts';
import type { StateStore } from '../store/state.ts';
import { Globs } from './globs.ts';
import { changedPaths, type Listed, list, type Snapshot } from './listing.ts';
import { placeOf } from './look.ts';
import { type PathState, packStates, unpackStates } from './path-states.ts';
import type { Tree } from './tree.ts';

/** What a pattern list matched. */
export interface InputListing {
  readonly tree: Tree;
  /**
   * Paths that no longer are what the tree says, or were written since, sorted. Looks at the workspace anew. Throws like
   * `inputs`.
   */
  changes(): readonly RelPath[];
}

export class Workspace {
  readonly #root: AbsPath;
  readonly #state: StateStore;
  readonly #clock: () => number;
  readonly #snapshots = new Map<string, Snapshot>();
  readonly #digests = new Map<RelPath, PathState>();
  #realRoot: string | undefined;

  /** `clock` gives ms since the epoch, by the clock that stamps files. */
  constructor(root: AbsPath, state: StateStore, clock: () => number = Date.now) {
    this.#root = root;
    this.#state = state;
    this.#clock = clock;
  }

  /**
   * Lists the files and links that `patterns` match, without those that are `hidden`: they are not even looked at.
   * Links are not followed, but for folders that the fixed part of a pattern names; a link has the digest of the file or
   * of the listing of the folder that it leads to, null if it leads nowhere or to a folder outside. A pattern without
   * magic that leads nowhere gives an `absent` entry. Throws `INPUT_UNREADABLE` with the path of what is there and cannot
   * be read, `CONFIG_INVALID` for an impossible pattern.
   */
  inputs(patterns: readonly string[], hidden: (path: RelPath) => boolean): InputListing {
    const globs = new Globs(patterns);
    const listed = this.#list(globs, hidden, []);
    return { tree: listed.tree, changes: () => changedPaths(listed, this.#list(globs, hidden, [])) };
  }

  /** `behind` are the folders being listed because a link leads there, outermost first. */
  #list(globs: Globs, hidden: (path: RelPath) => boolean, behind: readonly RelPath[]): Listed {
    const name = `inputs/${sha256(JSON.stringify(globs.patterns))}`;
    const known = this.#snapshots.get(name) ?? this.#load(name);
    const listed = list(globs, known, {
      root: this.#root,
      clock: this.#clock,
      hidden,
      digests: this.#digests,
      digestBehind: (link) => this.#digestBehind(link, hidden, behind),
    });
    this.#snapshots.set(name, listed.snapshot);
    if (listed.snapshot !== known) this.#save(name, listed.snapshot);
    return listed;
  }

  /** Null for a folder that is being listed already: its content has its place in the listing around this one. */
  #digestBehind(link: RelPath, hidden: (path: RelPath) => boolean, behind: readonly RelPath[]): Digest | null {
    this.#realRoot ??= realpathSync(this.#root);
    const folder = toRel(this.#realRoot, realpathSync(placeOf(this.#root, link)));
    if (escapes(folder) || behind.includes(folder)) return null;
    return this.#list(new Globs([`./${folder}`]), hidden, [...behind, folder]).tree.digest;
  }

  #load(name: string): Snapshot | undefined {
    const packed = this.#state.get(name);
    const unpacked = packed === undefined ? undefined : unpackStates(packed);
    if (unpacked === undefined) return undefined;
    // The remark tells where the folders end and the paths begin.
    const { states, remark } = unpacked;
    return { folders: states.slice(0, remark), paths: states.slice(remark) };
  }

  #save(name: string, { folders, paths }: Snapshot): void {
    this.#state.put(name, packStates([...folders, ...paths], folders.length));
  }
}
