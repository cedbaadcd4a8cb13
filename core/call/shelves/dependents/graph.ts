/**
 * Who is made from whom: shelves by name, and other things (memoised functions) by identity. Without cycles at any time.
 * Knows nothing of what shelves hold, and nothing of edges that were declared by other processes.
 */
import type { Awaitable } from '../../../base/awaitable.ts';
import { FlecheError } from '../../../base/errors.ts';
import { byCodeUnit, topologicalOrder } from '../../../base/order.ts';
import { FOLLOWER, type Follower, followerOf, type InvalidationListener } from '../../follower.ts';

/** Something that is made from a shelf and has to be told when the shelf is invalidated. */
export interface Dependent {
  readonly name: string;
  invalidate(): Awaitable<unknown>;
}

/** The same, by the word that memoised functions have for it. */
export interface Clearable {
  readonly name: string;
  clear(): Awaitable<unknown>;
}

/** Something that a shelf is made from and that tells when it is invalidated. */
export interface Source {
  readonly name: string;
  /** Calls the listener at every invalidation, until the function it returns is called. */
  onInvalidate(listener: InvalidationListener): () => void;
}

/** What a shelf is to the graph and to those who invalidate and rebuild. */
export interface ShelfNode {
  readonly name: string;
  /** The name of its manager. */
  readonly managerName: string;
}

/** What a shelf can depend on. */
export type Dependency = ShelfNode | Source;
/** What can depend on a shelf without being one. */
export type Outsider = Dependent | Clearable | { readonly [FOLLOWER]: Follower };

/** An edge between two names. */
export interface Edge {
  readonly from: string;
  /** Made from `from`. */
  readonly to: string;
}

export function isDependency(value: unknown): value is Dependency {
  return isShelf(value) || (isObject(value) && 'onInvalidate' in value);
}

export function isShelf(value: unknown): value is ShelfNode {
  return isObject(value) && 'managerName' in value;
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** A shelf by its name, or anything else itself. */
export type Item = string | Source | Dependent | Clearable | Follower;

/** What stands for something other than a shelf: for all wrappers of a memoised function the same. */
export function itemOf<T extends Source | Outsider>(
  outside: T,
): Follower | Exclude<T, { readonly [FOLLOWER]: Follower }> {
  return followerOf(outside) ?? (outside as Exclude<T, { readonly [FOLLOWER]: Follower }>);
}

/** Whether an item is a memoised function, which itself knows what it is made from. */
export function isFollower(item: Item): item is Follower {
  return typeof item !== 'string' && 'follow' in item;
}

export class Graph {
  /** Identity of an item to what it is made from. */
  readonly #needs = new Map<string, Set<string>>();
  readonly #items = new Map<string, Item>();
  readonly #identities = new Map<Item, string>();

  /** Adds an edge. False if it was there. Throws `SHELF_CYCLE`, and then nothing is added. */
  link(child: Item, parent: Item): boolean {
    const needs = this.#needsOf(this.#identity(child));
    const to = this.#identity(parent);
    if (needs.has(to)) return false;
    needs.add(to);
    const topology = this.#topology();
    if (topology.kind === 'ordered') return true;
    needs.delete(to);
    const round = topology.path.slice(1);
    const first = round.indexOf(this.#identity(child));
    const path = [...round.slice(first), ...round.slice(0, first + 1)].flatMap((at) => this.#items.get(at) ?? []);
    throw new FlecheError('SHELF_CYCLE', `shelves depend on each other: ${path.map(labelOf).join(' → ')}`, {
      hint: 'Each of these is made from the next; leave one of the dependencies out.',
    });
  }

  /** Removes an edge. False if it was not there. */
  unlink(child: Item, parent: Item): boolean {
    return this.#needs.get(this.#identity(child))?.delete(this.#identity(parent)) ?? false;
  }

  /** Whether there is such an edge. */
  has(child: Item, parent: Item): boolean {
    return this.#needs.get(this.#identity(child))?.has(this.#identity(parent)) ?? false;
  }

  /** What an item is directly made from, in the order in which it was declared. */
  parents(child: Item): readonly Item[] {
    return [...(this.#needs.get(this.#identity(child)) ?? [])].flatMap((identity) => this.#items.get(identity) ?? []);
  }

  /** The shelves that a shelf is directly made from, also by way of something else. */
  shelvesAbove(name: string): ReadonlySet<string> {
    const found = new Set<string>();
    const visit = (item: Item): void => {
      for (const parent of this.parents(item)) {
        if (typeof parent === 'string') found.add(parent);
        else visit(parent);
      }
    };
    visit(name);
    return found;
  }

  /** Every shelf that a shelf is made from, also by way of something else. */
  upstream(name: string): ReadonlySet<string> {
    const found = new Set<string>();
    const visit = (child: string): void => {
      for (const parent of this.shelvesAbove(child)) {
        if (found.has(parent)) continue;
        found.add(parent);
        visit(parent);
      }
    };
    visit(name);
    return found;
  }

  /** What is directly made from an item. */
  children(parent: Item): readonly Item[] {
    const identity = this.#identity(parent);
    return [...this.#needs].flatMap(([child, needs]) => (needs.has(identity) ? (this.#items.get(child) ?? []) : []));
  }

  /** The items with these shelves' names and everything made from them, what others are made from first. */
  downstream(names: Iterable<string>): readonly Item[] {
    const reached = new Set([...names].map((name) => this.#identity(name)));
    const order = this.#order().filter((identity) => {
      if (reached.has(identity)) return true;
      for (const need of this.#needs.get(identity) ?? []) {
        if (!reached.has(need)) continue;
        reached.add(identity);
        return true;
      }
      return false;
    });
    return order.flatMap((identity) => this.#items.get(identity) ?? []);
  }

  /** All edges, sorted. */
  edges(): readonly Edge[] {
    const edges = [...this.#items.values()].flatMap((item) =>
      this.parents(item).map((parent) => ({ from: labelOf(parent), to: labelOf(item) })),
    );
    return edges.sort((a, b) => byCodeUnit(a.from, b.from) || byCodeUnit(a.to, b.to));
  }

  #order(): readonly string[] {
    const topology = this.#topology();
    if (topology.kind === 'ordered') return topology.order;
    throw new FlecheError('BUG', 'bug: a cycle among shelves');
  }

  #topology(): ReturnType<typeof topologicalOrder> {
    return topologicalOrder(this.#items.keys(), (identity) => this.#needs.get(identity) ?? []);
  }

  #needsOf(identity: string): Set<string> {
    let needs = this.#needs.get(identity);
    if (needs === undefined) {
      needs = new Set();
      this.#needs.set(identity, needs);
    }
    return needs;
  }

  #identity(item: Item): string {
    let identity = this.#identities.get(item);
    if (identity === undefined) {
      identity = String(this.#identities.size);
      this.#identities.set(item, identity);
      this.#items.set(identity, item);
    }
    return identity;
  }
}

/** What an item is called. */
export function labelOf(item: Item): string {
  return typeof item === 'string' ? item : item.name || '(anonymous)';
}
