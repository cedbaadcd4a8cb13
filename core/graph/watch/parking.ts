/**
 * Tasks that change what they, or tasks they need, read, again and again: they are left alone until something else
 * happens, and what may have changed for them is kept until then.
 */
import type { Loop } from './loop-guard.ts';
import { PendingChanges } from './pending-changes.ts';

export class Parking {
  readonly #upstreamOf: (task: string) => readonly string[];
  readonly #tasks = new Set<string>();
  #pending = new PendingChanges();

  /** `upstreamOf` tells everything that a task needs. */
  constructor(upstreamOf: (task: string) => readonly string[]) {
    this.#upstreamOf = upstreamOf;
  }

  get isEmpty(): boolean {
    return this.#tasks.size === 0;
  }

  /** The tasks that are left alone. */
  get tasks(): ReadonlySet<string> {
    return this.#tasks;
  }

  /** These tasks, and all they need. */
  get involved(): ReadonlySet<string> {
    return new Set([...this.#tasks].flatMap((task) => [task, ...this.#upstreamOf(task)]));
  }

  /** Whether a task neither needs one that is left alone nor is needed by it. */
  isBeside(task: string): boolean {
    return !this.involved.has(task) && !this.#upstreamOf(task).some((other) => this.#tasks.has(other));
  }

  /** Leaves more tasks alone. Gives what may have changed for others than those involved. */
  add(loops: readonly Loop[], pending: PendingChanges): PendingChanges {
    for (const { task } of loops) this.#tasks.add(task);
    this.#pending.addAll(pending);
    const { involved } = this;
    const rest = new PendingChanges();
    for (const task of pending.tasks) if (!involved.has(task)) rest.addTask(task);
    return rest;
  }

  /** Leaves nobody alone any more. Gives what may have changed meanwhile. */
  clear(): PendingChanges {
    const pending = this.#pending;
    for (const task of this.#tasks) pending.addTask(task);
    this.#tasks.clear();
    this.#pending = new PendingChanges();
    return pending;
  }
}
