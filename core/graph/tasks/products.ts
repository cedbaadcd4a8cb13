/**
 * What the tasks of one round that are over have made, and which paths of the workspace are theirs: what their products
 * say, and what they are known to have written here before. What was last written is looked up when a task is over, once
 * for all that depend on it; who must see what other processes did since says `renew`.
 */
import { FlecheError } from '../../base/errors.ts';
import type { RelPath } from '../../base/paths.ts';
import { globsOf } from '../../files/globs/globs.ts';
import type { Outputs } from '../../files/outputs/outputs.ts';
import type { TaskGraph } from './graph.ts';
import type { Product } from './product.ts';
import type { Writers } from './writers.ts';

const NOBODY: readonly string[] = [];

export class Products {
  readonly #graph: TaskGraph;
  readonly #writers: Writers;
  readonly #outputs: Outputs;
  readonly #made = new Map<string, Product>();
  readonly #paths = new Map<string, readonly RelPath[]>();
  readonly #owners = new Map<RelPath, readonly string[]>();
  /** Tasks of which it is not known what they wrote here, with what of it is theirs to remove. */
  readonly #unknown = new Map<string, (path: RelPath) => boolean>();

  constructor({ graph, writers, outputs }: { graph: TaskGraph; writers: Writers; outputs: Outputs }) {
    this.#graph = graph;
    this.#writers = writers;
    this.#outputs = outputs;
  }

  get(task: string): Product | undefined {
    return this.#made.get(task);
  }

  /** The product of a task that is over. */
  of(task: string): Product {
    const product = this.#made.get(task);
    if (product === undefined) throw new FlecheError('BUG', `bug: "${task}" was needed before it was done`);
    return product;
  }

  set(task: string, product: Product): void {
    this.#made.set(task, product);
    this.#look(task, product);
  }

  /** Looks again at what these tasks wrote here, as far as they are over. */
  renew(tasks: Iterable<string>): void {
    for (const task of tasks) {
      const product = this.#made.get(task);
      if (product !== undefined) this.#look(task, product);
    }
  }

  /** What a task wrote matters to those that need it. */
  #look(task: string, { outputs }: Product): void {
    if (!this.#graph.isNeeded(task)) return;
    this.#forget(task);
    const patterns = this.#graph.task(task).outputs;
    if (patterns.length === 0) return;
    const owned = this.#outputs.owners.owned(task);
    if (owned === undefined) this.#unknown.set(task, this.#outputs.owners.reach(task, globsOf(patterns)));
    const paths = new Set(owned);
    for (const { path } of outputs?.entries ?? []) paths.add(path);
    const alone = [task];
    for (const path of paths) {
      const others = this.#owners.get(path);
      this.#owners.set(path, others === undefined ? alone : [...others, task]);
    }
    this.#paths.set(task, [...paths]);
  }

  #forget(task: string): void {
    this.#unknown.delete(task);
    for (const path of this.#paths.get(task) ?? []) {
      const others = (this.#owners.get(path) ?? NOBODY).filter((other) => other !== task);
      if (others.length === 0) this.#owners.delete(path);
      else this.#owners.set(path, others);
    }
    this.#paths.delete(task);
  }

  /** Whether it is known of everything that `task` needs what it wrote here. If not, another process may be at it. */
  knowsUpstream(task: string): boolean {
    for (const other of this.#unknown.keys()) if (this.#graph.isUpstream(other, task)) return false;
    return true;
  }

  /** Whether a path is there, or will be, because something wrote it that `task` needs. */
  isFromUpstream(path: RelPath, task: string): boolean {
    for (const owner of this.#owners.get(path) ?? NOBODY) if (this.#graph.isUpstream(owner, task)) return true;
    if (this.#unknown.size === 0) return false;
    return this.#writers.of(path).some(({ name }) => {
      const reaches = this.#unknown.get(name);
      return reaches?.(path) === true && this.#graph.isUpstream(name, task);
    });
  }
}
