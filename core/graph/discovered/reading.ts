/**
 * What a task read beside its declared inputs, as a list of paths, and what these are for it now. Added to a question it
 * completes the fingerprint.
 */
import type { Digest } from '../../base/hash.ts';
import type { RelPath } from '../../base/paths.ts';
import { fingerprint, part } from '../../call/fingerprint.ts';
import { DISCOVERED } from '../../call/listed.ts';
import { folderOfNames } from '../../files/inputs/folder-names.ts';
import type { PathSeen } from '../../files/inputs/named-paths.ts';
import { makeTree, type Tree, type TreeEntry } from '../../files/trees/tree.ts';
import { treeBytes } from '../../files/trees/tree-lines.ts';
import type { TaskCall } from '../tasks/task-call.ts';
import type { Sight } from './sight.ts';

export class Reading {
  /** Each path, and what links among them lead to. */
  readonly tree: Tree;
  /** By the task that wrote them. */
  readonly made: ReadonlyMap<string, readonly TreeEntry[]>;
  /** What nobody upstream wrote. */
  readonly #seen: readonly PathSeen[];

  /** Throws like `Sight.at`. */
  constructor(paths: Iterable<RelPath>, sight: Sight) {
    const made = new Map<string, TreeEntry[]>();
    const seen: PathSeen[] = [];
    const entries: TreeEntry[] = [];
    const all = new Set(paths);
    for (const path of all) {
      const found = sight.at(path);
      entries.push(found.entry);
      if (found.seen !== undefined) seen.push(found.seen);
      for (const end of found.ends) all.add(end);
      if (found.maker === undefined) continue;
      const others = made.get(found.maker);
      if (others === undefined) made.set(found.maker, [found.entry]);
      else others.push(found.entry);
    }
    this.made = made;
    this.#seen = seen;
    this.tree = makeTree(entries);
  }

  /** Paths that are no longer what they were. Looks anew. */
  changes(): readonly RelPath[] {
    return this.#seen.flatMap((seen) => seen.changes());
  }

  /** Files that were written later than a moment, ms. */
  since(moment: number): readonly RelPath[] {
    return this.#seen.flatMap((seen) => seen.since(moment));
  }

  /** The declared question with what was read added to it. */
  complete(call: TaskCall): TaskCall {
    const { tree } = this;
    const { parts, key } = fingerprint([...call.parts, part('files', DISCOVERED, tree.digest, tree.digest)]);
    const blobs = new Map<Digest, () => Uint8Array>(call.blobs);
    blobs.set(tree.digest, () => treeBytes(tree));
    const reads = new Map(call.reads);
    for (const [task, entries] of this.made) {
      reads.set(task, makeTree([...(reads.get(task) ?? []), ...entries]).entries);
    }
    return {
      ...call,
      parts,
      key,
      blobs,
      reads,
      isOpen: false,
      declared: call,
      read: tree,
      get dependsOn() {
        const { dependsOn } = call;
        const paths = tree.entries.map(({ path }) => path);
        const folders = paths.flatMap((path) => folderOfNames(path) ?? []);
        return { ...dependsOn, paths: [...dependsOn.paths, ...paths], folders: [...dependsOn.folders, ...folders] };
      },
      changedInputs: () => [...call.changedInputs(), ...this.changes()],
    };
  }
}
