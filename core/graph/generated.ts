/**
 * The paths in a workspace that tasks write, from where one task stands: its upstream's and its own. What is on disk of
 * them is no input: what the upstream wrote is told by its products, so that a plan sees what a run would see.
 */
import type { RelPath } from '../base/paths.ts';
import { Globs } from '../files/globs.ts';
import type { Outputs } from '../files/outputs.ts';
import type { TreeEntry } from '../files/tree.ts';
import type { TaskGraph } from './graph.ts';
import type { Product } from './product.ts';

/** Entries by the name of the task that wrote them. */
export type ByWriter = readonly (readonly [task: string, entries: readonly TreeEntry[]])[];

/** Some output globs, and which of the paths they match are the task's to remove. */
interface Reach {
  readonly globs: Globs;
  readonly reaches: (path: RelPath) => boolean;
}

export class Generated {
  readonly #written: ByWriter;
  readonly #paths: ReadonlySet<RelPath>;
  /** Upstream tasks of which it is not known what they wrote here. */
  readonly #unknown: readonly Reach[];
  readonly #own: Reach;

  constructor(
    name: string,
    products: ReadonlyMap<string, Product>,
    { graph, outputs }: { readonly graph: TaskGraph; readonly outputs: Outputs },
  ) {
    const reachOf = (task: string): Reach => {
      const globs = new Globs(graph.task(task).outputs);
      return { globs, reaches: outputs.reach(task, globs) };
    };
    const writers = graph.upstreamOf(name).filter((other) => graph.task(other).outputs.length > 0);
    this.#written = writers.map((writer) => [writer, products.get(writer)?.outputs?.entries ?? []]);
    const paths = new Set(this.#written.flatMap(([, entries]) => entries.map(({ path }) => path)));
    const unknown = [];
    for (const writer of writers) {
      const owned = outputs.owned(writer);
      if (owned === undefined) unknown.push(reachOf(writer));
      else for (const path of owned) paths.add(path);
    }
    this.#paths = paths;
    this.#unknown = unknown;
    this.#own = reachOf(name);
  }

  /** Whether it is known of every upstream task what it wrote here. If not, another process may be at it. */
  get isSure(): boolean {
    return this.#unknown.length === 0;
  }

  /** Whether a path is no input although a pattern names it. */
  hides(path: RelPath): boolean {
    return this.#isUpstream(path) || (this.#own.globs.matches(path) && this.#own.reaches(path));
  }

  /** The same after the task was at work: what matches its outputs and was no input `before`, it wrote. */
  hidesAfter(path: RelPath, before: ReadonlySet<RelPath>): boolean {
    return this.#isUpstream(path) || (this.#own.globs.matches(path) && !before.has(path));
  }

  #isUpstream(path: RelPath): boolean {
    return this.#paths.has(path) || this.#unknown.some(({ globs, reaches }) => globs.matches(path) && reaches(path));
  }

  /** What upstream tasks wrote and the patterns match. */
  matching(globs: Globs): ByWriter {
    return this.#written
      .map(([task, entries]) => [task, entries.filter(({ path }) => globs.matches(path))] as const)
      .filter(([, entries]) => entries.length > 0);
  }
}
