/** The DAG of tasks: who needs whom. Pure data; knows nothing of caches, disks or time. */
import { FlecheError } from '../../base/errors.ts';
import { suggest } from '../../base/nearest.ts';
import { topologicalOrder } from '../../base/order.ts';
import type { Task } from './task.ts';

const NOBODY: readonly string[] = [];

export class TaskGraph {
  readonly #tasks: ReadonlyMap<string, Task>;
  readonly #upstream = new Map<string, readonly string[]>();
  readonly #order: readonly string[];
  #needs: Needs | undefined;
  #needed: ReadonlySet<string> | undefined;

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
    this.#order = topology.order;
  }

  /** All tasks, in the order of the configuration. */
  get names(): readonly string[] {
    return [...this.#tasks.keys()];
  }

  has(name: string): boolean {
    return this.#tasks.has(name);
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
    if (this.task(name).needs.length === 0) return NOBODY;
    const known = this.#upstream.get(name) ?? this.closure([name]).slice(0, -1);
    this.#upstream.set(name, known);
    return known;
  }

  /** Whether `name` needs `other`, directly or through others. False for what is no task. */
  isUpstream(other: string, name: string): boolean {
    this.#needs ??= new Needs(this.#order, (name) => this.task(name).needs);
    return this.#needs.has(name, other);
  }

  /** Whether any task needs `name`. */
  isNeeded(name: string): boolean {
    this.#needed ??= new Set([...this.#tasks.values()].flatMap(({ needs }) => needs));
    return this.#needed.has(name);
  }

  /** The tasks that need `name` directly, in the order of the configuration. */
  dependentsOf(name: string): readonly string[] {
    return this.names.filter((other) => this.task(other).needs.includes(name));
  }
}

/** Who needs whom, directly or not: one bit for each pair. */
class Needs {
  readonly #places = new Map<string, number>();
  readonly #bits: Uint32Array;
  readonly #width: number;

  /** `order` has everything after what it needs. */
  constructor(order: readonly string[], needsOf: (name: string) => readonly string[]) {
    this.#width = Math.ceil(order.length / 32);
    this.#bits = new Uint32Array(order.length * this.#width);
    for (const [place, name] of order.entries()) {
      this.#places.set(name, place);
      for (const need of needsOf(name)) this.#add(place, this.#places.get(need) ?? 0);
    }
  }

  #add(place: number, need: number): void {
    const to = place * this.#width;
    const from = need * this.#width;
    for (let at = 0; at < this.#width; at++) {
      this.#bits[to + at] = (this.#bits[to + at] ?? 0) | (this.#bits[from + at] ?? 0);
    }
    const at = to + (need >>> 5);
    this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (need & 31));
  }

  has(name: string, need: string): boolean {
    const place = this.#places.get(name);
    const other = this.#places.get(need);
    if (place === undefined || other === undefined) return false;
    return (((this.#bits[place * this.#width + (other >>> 5)] ?? 0) >>> (other & 31)) & 1) === 1;
  }
}
