/** What listings find, how it is kept, and how two of them differ. Knows nothing of disks. */
import { FlecheError } from '../../base/errors.ts';
import { type Digest, sha256 } from '../../base/hash.ts';
import { byCodeUnit } from '../../base/order.ts';
import type { RelPath } from '../../base/paths.ts';
import { type PathList, packStates, unpackStates } from '../states/path-list.ts';
import type { PathState } from '../states/path-states.ts';
import { isExecutable } from '../states/stat-key.ts';
import { knownTree, makeTree, TREE_HEADER, type Tree, type TreeEntry } from '../trees/tree.ts';
import { diffTrees } from '../trees/tree-diff.ts';
import { withEntries } from '../trees/tree-lines.ts';

/** What a pattern list matched at one moment. */
export interface Snapshot {
  /** Folders that were read, and places of patterns where nothing was. */
  readonly folders: readonly PathState[];
  /** Files and links, sorted by path; those that were hidden may never have been looked at. */
  readonly paths: PathList;
  /** The digest of a tree of this snapshot, which costs more than to find that nothing changed. */
  readonly summary: Summary | null;
}

interface Summary {
  /** Of the paths that were gone or unseen. */
  readonly beside: Digest;
  readonly tree: Digest;
}

export interface Listed {
  readonly snapshot: Snapshot;
  readonly tree: Tree;
  /** Paths of the snapshot that were hidden, in its order. */
  readonly unseen: readonly RelPath[];
}

/** Digests of trees of another form say nothing. */
function digestBeside(gone: readonly RelPath[], unseen: readonly RelPath[]): Digest {
  return sha256([TREE_HEADER, ...gone, '', ...unseen].join('\0'));
}

const NOTHING = digestBeside([], []);

/** What is not in a snapshot, or in it and not in its tree. */
interface Beside {
  /** Paths that are named and not there. */
  readonly gone: readonly RelPath[];
  /** Paths of the snapshot that are hidden, in its order. */
  readonly unseen: readonly RelPath[];
  /** What was listed last, of which the tree is given back as far as it is the same. */
  readonly earlier: Listed | undefined;
}

/**
 * The tree of a snapshot. As long as the summary fits, no entry of it is made before it is asked for; where the paths are
 * those that were listed last, only entries are made that differ.
 */
export function listed(snapshot: Snapshot, { gone, unseen, earlier }: Beside): Listed {
  const entries = (): readonly TreeEntry[] => {
    const hidden = new Set(unseen);
    const entries = gone.map((path): TreeEntry => ({ kind: 'absent', path }));
    for (const state of snapshot.paths) if (!hidden.has(state.path)) entries.push(entryOf(state));
    return gone.length === 0 ? entries : entries.sort((a, b) => byCodeUnit(a.path, b.path));
  };
  const beside = gone.length + unseen.length === 0 ? NOTHING : digestBeside(gone, unseen);
  const { summary } = snapshot;
  if (summary?.beside === beside) {
    const tree = earlier?.tree.digest === summary.tree ? earlier.tree : knownTree(summary.tree, entries);
    return { snapshot, tree, unseen };
  }
  const same = earlier?.snapshot.summary?.beside === beside ? earlier : undefined;
  const tree = (same && revised(same, snapshot.paths, unseen)) ?? makeTree(entries());
  return { snapshot: { ...snapshot, summary: { beside, tree: tree.digest } }, tree, unseen };
}

/** The tree that was listed last, with what is different now. Undefined if there are other paths. */
function revised({ tree, snapshot }: Listed, paths: PathList, unseen: readonly RelPath[]): Tree | undefined {
  const before = snapshot.paths;
  if (before.length !== paths.length) return undefined;
  const changed: PathState[] = [];
  for (let at = 0; at < paths.length; at++) {
    if (before.path(at) !== paths.path(at)) return undefined;
    if (before.get(at) !== paths.get(at)) changed.push(paths.get(at));
  }
  const hidden = new Set(unseen);
  return withEntries(tree, changed.filter(({ path }) => !hidden.has(path)).map(entryOf));
}

/** In front of the summary: how many of the states are folders. */
const COUNT_BYTES = 4;

export function packSnapshot({ folders, paths, summary }: Snapshot): Uint8Array {
  const remark = Buffer.allocUnsafe(COUNT_BYTES + (summary === null ? 0 : 64));
  remark.writeUint32LE(folders.length);
  if (summary !== null) remark.write(summary.beside + summary.tree, COUNT_BYTES, 'hex');
  return packStates([...folders, ...paths], remark);
}

/** The snapshot that was packed, or undefined for other bytes. */
export function unpackSnapshot(packed: Uint8Array): Snapshot | undefined {
  const unpacked = unpackStates(packed);
  if (unpacked === undefined || unpacked.remark.length < COUNT_BYTES) return undefined;
  const remark = Buffer.from(unpacked.remark);
  const count = remark.readUint32LE();
  if (count > unpacked.length) return undefined;
  const digests = remark.toString('hex', COUNT_BYTES);
  return {
    folders: [...unpacked.part(0, count)],
    paths: unpacked.part(count, unpacked.length),
    summary:
      digests.length === 128 ? { beside: digests.slice(0, 64) as Digest, tree: digests.slice(64) as Digest } : null,
  };
}

/**
 * Paths that are not what they were, sorted: other entries of the trees, and files that were written in between even if
 * what is in them is the same again, since what was read in between is not known. `isAlone` tells of a file that it has no
 * other names.
 */
export function changedPaths(
  before: Listed,
  after: Listed,
  isAlone: (path: RelPath) => boolean = () => false,
): readonly RelPath[] {
  if (before.snapshot === after.snapshot && before.tree.digest === after.tree.digest) return [];
  const differences = before.tree.digest === after.tree.digest ? [] : diffTrees(before.tree, after.tree);
  const changed = new Set(differences.map(({ path }) => path));
  const folders = new Map(before.snapshot.folders.map((folder) => [folder.path, folder]));
  for (const folder of after.snapshot.folders) {
    const old = folders.get(folder.path);
    // What is put into a folder or taken out gives it another time; what moves the folder itself does not.
    if (old !== undefined && old !== folder && !isRewritten(old, folder) && isStamped(old, folder))
      changed.add(folder.path);
  }
  const then = before.snapshot.paths;
  let past = 0;
  for (const state of after.snapshot.paths) {
    while (past < then.length && then.path(past) < state.path) past++;
    if (past === then.length) break;
    const old = then.get(past);
    if (old === state || old.path !== state.path) continue;
    if (isRewritten(old, state) || (isStamped(old, state) && isAlone(state.path))) changed.add(state.path);
  }
  return [...changed].sort(byCodeUnit);
}

/**
 * Whether something was done to a file that leaves no other trace: it was moved away and back, or written and its time
 * put back; or a link to it was made, which matters to nobody.
 */
export function isStamped({ key: then }: PathState, { key: now }: PathState): boolean {
  return then !== null && now !== null && then.ctime !== now.ctime && then.mode === now.mode;
}

function isRewritten({ key: then }: PathState, { key: now }: PathState): boolean {
  return then !== null && now !== null && (then.mtime !== now.mtime || then.size !== now.size || then.ino !== now.ino);
}

/** Throws `BUG` for a file that was never read. */
function entryOf({ path, kind, key, digest, target }: PathState): TreeEntry {
  if (kind === 'link') return { kind, path, target, digest, executable: key !== null && isExecutable(key) };
  if (key === null || digest === null) throw new FlecheError('BUG', `bug: ${path} was listed without being read`);
  return { kind: 'file', path, executable: isExecutable(key), digest, size: key.size };
}
