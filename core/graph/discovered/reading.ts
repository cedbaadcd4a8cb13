/**
 * What a task read beside its declared inputs, as a list of paths, and what these are for it now: where upstream tasks
 * write, what their products say; elsewhere what stands in the workspace. Added to a question it completes the
 * fingerprint.
 */
import type { Digest } from '../../base/hash.ts';
import { isWithin, type RelPath } from '../../base/paths.ts';
import { fingerprint, part } from '../../call/fingerprint.ts';
import { globsOf } from '../../files/globs/globs.ts';
import { folderOfNames } from '../../files/inputs/folder-names.ts';
import type { PathsSeen } from '../../files/inputs/named-paths.ts';
import { makeTree, type Tree, type TreeEntry } from '../../files/trees/tree.ts';
import { treeBytes } from '../../files/trees/tree-lines.ts';
import { Generated } from '../generated.ts';
import type { Products } from '../products.ts';
import type { Task } from '../task.ts';
import type { Surroundings, TaskCall } from '../task-call.ts';

/** The part of a fingerprint that has what was discovered. */
export const DISCOVERED = 'discovered';

export class Reading {
  readonly tree: Tree;
  readonly paths: readonly RelPath[];
  /** By the task that wrote them. */
  readonly made: ReadonlyMap<string, readonly TreeEntry[]>;
  /** What nobody upstream wrote. */
  readonly seen: PathsSeen;

  /** Throws `CONFIG_OVERLAP` for a path that a task writes which is not upstream, `INPUT_UNREADABLE`. */
  constructor(call: TaskCall, paths: readonly RelPath[], products: Products, around: Surroundings) {
    const { task } = call;
    const isNames = (path: RelPath): boolean => folderOfNames(path) !== undefined;
    around.writers.requireEdges(
      task,
      paths.filter((path) => !isNames(path)),
    );
    const generated = new Generated(task, products, around);
    const made = new Map<string, TreeEntry[]>();
    const entries: TreeEntry[] = [];
    const standing: RelPath[] = [];
    const all = new Set(paths);
    for (const path of all) {
      const found = isNames(path) ? undefined : generated.at(path);
      if (found === undefined) standing.push(path);
      else entries.push(found.entry ?? { kind: 'absent', path });
      if (found?.entry === undefined) continue;
      const ends = Generated.ends([found.entry]);
      around.writers.requireEdges(task, ends);
      for (const end of ends) all.add(end);
      const others = made.get(found.task);
      if (others === undefined) made.set(found.task, [found.entry]);
      else others.push(found.entry);
    }
    this.paths = [...all];
    this.made = made;
    // What tasks write, and the folders they write to, come and go with them.
    const isMade = (path: RelPath): boolean =>
      around.writers.isReport(path) || around.writers.near([path]).some((one) => reaches(one, path));
    this.seen = around.workspace.named.look(task.name, standing, isMade);
    this.tree = makeTree([...entries, ...this.seen.entries]);
  }

  /** The question with what was read added to it. */
  complete(call: TaskCall): TaskCall {
    const { tree, paths, seen } = this;
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
      declared: call,
      get leaning() {
        const { leaning } = call;
        const folders = paths.flatMap((path) => folderOfNames(path) ?? []);
        return { ...leaning, paths: [...leaning.paths, ...paths], folders: [...leaning.folders, ...folders] };
      },
      changedInputs: () => [...call.changedInputs(), ...seen.changes()],
    };
  }
}

/** Whether a task writes a path, or is what it is there for: the folder at which all that it writes begins. */
function reaches({ outputs }: Task, path: RelPath): boolean {
  const globs = globsOf(outputs);
  return globs.matches(path) || globs.bases.some((base) => isWithin(path, base));
}
