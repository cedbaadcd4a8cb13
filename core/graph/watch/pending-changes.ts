/** What may have changed: paths, and the tasks that this can matter to. Beyond a number of paths: anything. */
import type { RelPath } from '../../base/paths.ts';
import { BURST } from './debounce.ts';

export class PendingChanges {
  readonly #paths = new Set<RelPath>();
  readonly #tasks = new Set<string>();
  #anything = false;

  get paths(): ReadonlySet<RelPath> {
    return this.#paths;
  }

  get tasks(): ReadonlySet<string> {
    return this.#tasks;
  }

  /** Whether nothing can be taken to be as it was. */
  get isAnything(): boolean {
    return this.#anything;
  }

  get isEmpty(): boolean {
    return !this.#anything && this.#tasks.size === 0;
  }

  /** Adds a path. Returns whether it was not known. */
  add(path: RelPath, tasks: Iterable<string>): boolean {
    for (const task of tasks) this.#tasks.add(task);
    if (this.#paths.has(path)) return false;
    if (this.#paths.size < BURST) this.#paths.add(path);
    else this.#anything = true;
    return true;
  }

  /** Adds a task of which something may have changed that its question does not depend on. */
  addTask(task: string): void {
    this.#tasks.add(task);
  }

  addAnything(): void {
    this.#anything = true;
  }

  addAll(other: PendingChanges): void {
    for (const path of other.#paths) this.#paths.add(path);
    for (const task of other.#tasks) this.#tasks.add(task);
    this.#anything ||= other.#anything;
  }
}
