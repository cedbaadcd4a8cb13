/** What listings find and how two of them differ. Knows nothing of disks. */
import { FlecheError } from '../base/errors.ts';
import { byCodeUnit } from '../base/order.ts';
import type { RelPath } from '../base/paths.ts';
import type { PathState } from './path-states.ts';
import { isExecutable } from './stat-key.ts';
import type { Tree, TreeEntry } from './tree.ts';
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
  /** Paths of the snapshot that were hidden. */
  readonly unseen: readonly RelPath[];
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

const entriesOf = new WeakMap<PathState, TreeEntry>();

/** The entry of a visible path, the same object for the same state. Throws `BUG` for a file that was never read. */
export function entryOf(state: PathState): TreeEntry {
  const known = entriesOf.get(state);
  if (known !== undefined) return known;
  const entry = newEntry(state);
  entriesOf.set(state, entry);
  return entry;
}

function newEntry({ path, kind, key, digest, target }: PathState): TreeEntry {
  if (kind === 'link') return { kind, path, target, digest };
  if (key === null || digest === null) throw new FlecheError('BUG', `bug: ${path} was listed without being read`);
  return { kind: 'file', path, executable: isExecutable(key), digest, size: key.size };
}
