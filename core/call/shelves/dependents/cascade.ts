/**
 * Invalidating and rebuilding across shelves: what others are made from comes first. In memory everything is empty before
 * anything else happens, so that nobody sees a value made from one that is gone; at rest it is one step.
 */
import { type Awaitable, isPromise } from '../../../base/awaitable.ts';
import { FlecheError, messageOf } from '../../../base/errors.ts';
import { type Steps, wait } from '../../../base/steps.ts';
import { Emptied } from './emptied.ts';
import type { Epochs } from './epochs.ts';
import { type Graph, type Item, isFollower } from './graph.ts';
import type { Member } from './membership.ts';

export class Cascade {
  readonly #folder: string;
  readonly #graph: Graph;
  readonly #epochs: Epochs;
  readonly #members: ReadonlyMap<string, Member>;

  /** `folder` is that of the manager; `members`: the shelves that are defined, by name. */
  constructor(folder: string, graph: Graph, epochs: Epochs, members: ReadonlyMap<string, Member>) {
    this.#folder = folder;
    this.#graph = graph;
    this.#epochs = epochs;
    this.#members = members;
  }

  /**
   * Empties a shelf and everything made from it. All of it is tried; then an `AggregateError` is thrown if something was
   * wrong. What could not be done at rest is done before anything else is read or written there. `before`: what the
   * invalidation that led here has emptied.
   */
  *invalidate(name: string, before: Emptied): Steps<void> {
    throwIfAny(`"${name}" was invalidated, but not everywhere`, yield* this.#invalidate(name, before));
  }

  *#invalidate(name: string, before: Emptied): Steps<unknown[]> {
    const errors: unknown[] = [];
    const dropped = new Set<Member>();
    const drop = (items: readonly Item[]): void => {
      for (const member of this.#among(items)) {
        if (dropped.has(member)) continue;
        dropped.add(member);
        member.drop();
      }
    };
    let items = this.#graph.downstream([name]);
    drop(items);
    const names = shelvesAmong(items);
    if (this.#epochs.exist || this.#among(items).some((member) => member.isForeign)) {
      try {
        // Records know edges that were declared by other processes.
        items = this.#graph.downstream([...names, ...this.#epochs.invalidate(names)]);
        drop(items);
      } catch (error) {
        errors.push(unwritten(name, error));
      }
    }
    const emptied = before.with(this.#folder, shelvesAmong(items));
    for (const item of items) {
      try {
        yield* wait(this.#tell(item, emptied));
      } catch (error) {
        errors.push(error);
      }
    }
    for (const member of dropped) member.announce(name, false);
    return errors;
  }

  #among(items: readonly Item[]): readonly Member[] {
    return items.flatMap((item) => (typeof item === 'string' ? (this.#members.get(item) ?? []) : []));
  }

  #tell(item: Item, emptied: Emptied): Awaitable<unknown> {
    if (typeof item === 'string') return this.#members.get(item)?.erase();
    if (isFollower(item)) return item.invalidated(emptied);
    if ('invalidate' in item) return item.invalidate();
    return 'clear' in item ? item.clear() : undefined;
  }

  /** Empties a shelf that was invalidated elsewhere, and every other one that was too: it may be made from them. */
  *notice(name: string): Steps<void> {
    const errors: unknown[] = [];
    const moved = new Set<string>();
    for (const member of this.#members.values()) {
      if (member.name !== name && member.isCurrent()) continue;
      member.drop();
      moved.add(member.name);
    }
    const outsiders = this.#graph.downstream(moved).filter((item) => typeof item !== 'string');
    const emptied = new Emptied().with(this.#folder, moved);
    for (const outsider of outsiders) {
      try {
        yield* wait(this.#tell(outsider, emptied));
      } catch (error) {
        errors.push(error);
      }
    }
    for (const member of this.#among([...moved])) member.announce(name, true);
    throwIfAny(`"${name}" was invalidated elsewhere, but not everywhere here`, errors);
  }

  /**
   * Invalidates a shelf and everything made from it, then builds them: each when all that it is made from is there, those
   * of a level at the same time. One that cannot be built stays empty, and so does what is made from it; the others are
   * built. Then an `AggregateError` names every one that could not be.
   */
  *rebuild(name: string): Steps<void> {
    const errors = yield* this.#invalidate(name, new Emptied());
    const failed = new Set<Item>();
    for (const level of this.#levels(name)) {
      const builds: Promise<void>[] = [];
      for (const item of level) {
        if (this.#graph.parents(item).some((parent) => failed.has(parent))) {
          failed.add(item);
          for (const member of this.#among([item])) member.leaveEmpty();
          continue;
        }
        const member = typeof item === 'string' ? this.#members.get(item) : undefined;
        if (member === undefined) continue;
        const fail = (error: unknown): void => {
          failed.add(item);
          member.leaveEmpty();
          errors.push(error);
        };
        try {
          const done = member.open();
          if (isPromise(done)) builds.push(done.catch(fail));
        } catch (error) {
          fail(error);
        }
      }
      if (builds.length > 0) yield* wait(Promise.all(builds));
    }
    throwIfAny(`"${name}" was not rebuilt in full`, errors);
  }

  /** The shelf and everything made from it, by the longest way from the shelf. */
  #levels(name: string): readonly (readonly Item[])[] {
    const depths = new Map<Item, number>();
    const levels: Item[][] = [];
    for (const item of this.#graph.downstream([name])) {
      const above = this.#graph.parents(item).map((parent) => depths.get(parent) ?? -1);
      const depth = Math.max(-1, ...above) + 1;
      depths.set(item, depth);
      const level = levels[depth];
      if (level === undefined) levels[depth] = [item];
      else level.push(item);
    }
    return levels;
  }
}

function shelvesAmong(items: readonly Item[]): readonly string[] {
  return items.filter((item) => typeof item === 'string');
}

function unwritten(name: string, cause: unknown): FlecheError {
  return new FlecheError('SHELF_UNSAVED', `that "${name}" is invalidated could not be written: ${messageOf(cause)}`, {
    hint: 'It holds for this process, and writing it is tried again.',
    cause,
  });
}

function throwIfAny(what: string, errors: readonly unknown[]): void {
  if (errors.length === 0) return;
  const [first] = errors;
  const detail = errors.length === 1 ? messageOf(first) : `${errors.length} errors`;
  throw new AggregateError(errors, `${what}: ${detail}`);
}
