/**
 * The paths in a workspace that tasks write, from where one task stands: its upstream's and its own. What is on disk of
 * them is no input: what the upstream wrote is told by its products, so that a plan sees what a run would see.
 */
import { folderOf, isWithin, normalRel, type RelPath } from '../../base/paths.ts';
import { type Globs, globsOf } from '../../files/globs/globs.ts';
import type { Outputs } from '../../files/outputs/outputs.ts';
import type { TreeEntry } from '../../files/trees/tree.ts';
import type { TaskGraph } from './graph.ts';
import type { Products } from './products.ts';
import type { Task } from './task.ts';
import type { Writers } from './writers.ts';

/** Entries by the name of the task that wrote them. */
type ByWriter = readonly (readonly [task: string, entries: readonly TreeEntry[]])[];

export class Generated {
  readonly #task: string;
  readonly #products: Products;
  readonly #graph: TaskGraph;
  readonly #writers: Writers;
  readonly #globs: Globs;
  readonly #outputs: Outputs;
  readonly #entries = new Map<string, ReadonlyMap<RelPath, TreeEntry>>();
  #reach: ((path: RelPath) => boolean) | undefined;

  constructor(
    task: Task,
    products: Products,
    { graph, writers, outputs }: { graph: TaskGraph; writers: Writers; outputs: Outputs },
  ) {
    this.#task = task.name;
    this.#products = products;
    this.#graph = graph;
    this.#writers = writers;
    this.#globs = globsOf(task.outputs);
    this.#outputs = outputs;
  }

  /** Whether it is known of every upstream task what it wrote here. If not, another process may be at it. */
  get isSure(): boolean {
    return this.#products.knowsUpstream(this.#task);
  }

  /** Whether a path that matches the task's own outputs is the task's to remove. */
  #reaches(path: RelPath): boolean {
    this.#reach ??= this.#outputs.owners.reach(this.#task, this.#globs);
    return this.#reach(path);
  }

  /** Whether a path is no input although a pattern names it. */
  hides(path: RelPath): boolean {
    if (this.#writers.isReport(path) || this.#products.isFromUpstream(path, this.#task)) return true;
    return this.#globs.matches(path) && this.#reaches(path);
  }

  /** The same after the task was at work: what matches its outputs and was no input `before`, it wrote. */
  hidesAfter(path: RelPath, before: () => ReadonlySet<RelPath>): boolean {
    if (this.#writers.isReport(path) || this.#products.isFromUpstream(path, this.#task)) return true;
    return this.#globs.matches(path) && !before().has(path);
  }

  /**
   * What is at a path that upstream tasks or the task itself write: the entry, or none if it is to be removed or is the
   * task's own. Undefined for any other path.
   */
  at(path: RelPath): { readonly task: string; readonly entry: TreeEntry | undefined } | undefined {
    for (const { name } of this.#writers.of(path)) {
      const entry = this.#graph.isUpstream(name, this.#task) ? this.#entriesOf(name).get(path) : undefined;
      if (entry !== undefined) return { task: name, entry };
    }
    return this.hides(path) ? { task: this.#task, entry: undefined } : undefined;
  }

  /** Where links among these entries lead, seen from the project: whoever reads a link reads what it leads to. */
  static ends(entries: readonly TreeEntry[]): readonly RelPath[] {
    const ends = entries.map((entry) =>
      entry.kind === 'link' ? normalRel(`${folderOf(entry.path)}/${entry.target}`) : entry.path,
    );
    return ends.filter((end, at) => !isWithin(end, entries[at]?.path ?? end));
  }

  #entriesOf(task: string): ReadonlyMap<RelPath, TreeEntry> {
    let entries = this.#entries.get(task);
    if (entries === undefined) {
      entries = new Map((this.#products.get(task)?.outputs?.entries ?? []).map((entry) => [entry.path, entry]));
      this.#entries.set(task, entries);
    }
    return entries;
  }

  /** What upstream tasks wrote and the patterns match. */
  matching(globs: Globs): ByWriter {
    return this.#writers
      .near(globs.bases)
      .filter(({ name }) => this.#graph.isUpstream(name, this.#task))
      .map(({ name }) => {
        const entries = this.#products.get(name)?.outputs?.entries ?? [];
        return [name, entries.filter(({ path }) => globs.matches(path))] as const;
      })
      .filter(([, entries]) => entries.length > 0);
  }
}
