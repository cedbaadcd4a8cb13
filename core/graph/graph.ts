/** The DAG of tasks: who needs whom. Pure data; knows nothing of caches, disks or time. */
import { FlecheError } from '../base/errors.ts';
import { suggest } from '../base/nearest.ts';
import { topologicalOrder } from '../base/order.ts';
import type { Task } from './task.ts';

export class TaskGraph {
  readonly #tasks: ReadonlyMap<string, Task>;
  readonly #upstream = new Map<string, readonly string[]>();

  /** Throws `CONFIG_CYCLE` with the whole path, and `CONFIG_UNKNOWN_TASK` for a need that is no task. */
  constructor(tasks: ReadonlyMap<string, Task>) {
    this.#tasks = tasks;
    const topology = topologicalOrder(tasks.keys(), (name) => this.task(name).needs);
    if (topology.kind === 'cycle') {
      const first = tasks.get(topology.path[0] ?? '');
      throw new FlecheError('CONFIG_CYCLE', `tasks need each other in a circle: ${topology.path.join(' → ')}`, {
        at: first?.at,
        hint: 'Remove one of these needs.',
      });
    }
  }

  /** All tasks, in the order of the configuration. */
  get names(): readonly string[] {
    return [...this.#tasks.keys()];
  }

  task(name: string): Task {
    const task = this.#tasks.get(name);
    if (task !== undefined) return task;
    throw new FlecheError('CONFIG_UNKNOWN_TASK', `there is no task "${name}"`, {
      hint: suggest(name, this.#tasks.keys()),
    });
  }

  /** The targets and everything they need, each before what needs it. Ties keep the order of targets and needs. */
  closure(targets: readonly string[]): readonly string[] {
    const topology = topologicalOrder(targets, (name) => this.task(name).needs);
    return topology.kind === 'ordered' ? topology.order : [];
  }

  /** Everything that `name` needs, directly or through others; without `name` itself. */
  upstreamOf(name: string): readonly string[] {
    const known = this.#upstream.get(name) ?? this.closure([name]).slice(0, -1);
    this.#upstream.set(name, known);
    return known;
  }

  /** The tasks that need `name` directly, in the order of the configuration. */
  dependentsOf(name: string): readonly string[] {
    return this.names.filter((other) => this.task(other).needs.includes(name));
  }
}
