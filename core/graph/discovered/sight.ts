/**
 * What single paths are for one task: where upstream tasks write, what their products say; elsewhere what stands in the
 * workspace. Each path is looked at once, however many lists name it: an answer is good for the moment at which it was
 * first asked for.
 */
import { isWithin, type RelPath } from '../../base/paths.ts';
import { globsOf } from '../../files/globs/globs.ts';
import { folderOfNames } from '../../files/inputs/folder-names.ts';
import type { PathSeen } from '../../files/inputs/named-paths.ts';
import type { TreeEntry } from '../../files/trees/tree.ts';
import { Generated } from '../tasks/generated.ts';
import type { Products } from '../tasks/products.ts';
import type { Task } from '../tasks/task.ts';
import type { Surroundings } from '../tasks/task-call.ts';

/** A path as a task finds it. */
interface Sighted {
  readonly entry: TreeEntry;
  /** The upstream task that wrote what is there. */
  readonly maker: string | undefined;
  /** Where it leads, if it is a link that such a task wrote. */
  readonly ends: readonly RelPath[];
  /** What stands there, if no task decides it. */
  readonly seen: PathSeen | undefined;
}

export class Sight {
  readonly #task: Task;
  readonly #products: Products;
  readonly #around: Surroundings;
  readonly #sighted = new Map<RelPath, Sighted>();
  #generated: Generated | undefined;

  /** `task` is the one that reads; for an item, the task that it is an item of. */
  constructor(task: Task, products: Products, around: Surroundings) {
    this.#task = task;
    this.#products = products;
    this.#around = around;
  }

  /** Throws `CONFIG_OVERLAP` for a path that a task writes which is not upstream, `INPUT_UNREADABLE`. */
  at(path: RelPath): Sighted {
    const known = this.#sighted.get(path);
    if (known !== undefined) return known;
    const sighted = this.#look(path);
    this.#sighted.set(path, sighted);
    return sighted;
  }

  #look(path: RelPath): Sighted {
    const isNames = folderOfNames(path) !== undefined;
    if (!isNames) this.#around.writers.requireEdges(this.#task, [path]);
    const found = isNames ? undefined : this.#made(path);
    if (found === undefined) return this.#standing(path);
    const { task, entry } = found;
    if (entry === undefined) return { entry: { kind: 'absent', path }, maker: undefined, ends: [], seen: undefined };
    return { entry, maker: task, ends: Generated.ends([entry]), seen: undefined };
  }

  #made(path: RelPath): ReturnType<Generated['at']> {
    this.#generated ??= new Generated(this.#task, this.#products, this.#around);
    return this.#generated.at(path);
  }

  #standing(path: RelPath): Sighted {
    const seen = this.#around.workspace.named.look(this.#task.name, path, (one) => this.isMade(one));
    return { entry: seen.entry, maker: undefined, ends: [], seen };
  }

  /** Whether a path is what tasks write, or a folder that they write to: it comes and goes with them. */
  isMade(path: RelPath): boolean {
    const { writers } = this.#around;
    return writers.isReport(path) || writers.near([path]).some((writer) => reaches(writer, path));
  }
}

/** Whether a task writes a path, or is what it is there for: the folder at which all that it writes begins. */
function reaches({ outputs }: Task, path: RelPath): boolean {
  const globs = globsOf(outputs);
  return globs.matches(path) || globs.bases.some((base) => isWithin(base, path));
}
