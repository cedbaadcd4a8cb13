/**
 * How memoised functions and shelves know of each other without knowing what the other is: what a function is made from
 * besides its arguments, and who is told when its answers are no longer to be relied on.
 */
import { type Awaitable, isPromise } from '../base/awaitable.ts';
import { messageOf } from '../base/errors.ts';

/** Something that a function is made from besides its arguments, and that is invalidated as a whole. */
export interface Origin {
  /** Among the names of a fingerprint's parts. The same in every process. */
  readonly name: string;
  /**
   * A text that is another one after every invalidation, in whichever process, and after every restart of what does not
   * outlive a process. What was invalidated elsewhere is not used any more when this returns. Throws where it cannot be told.
   */
  epoch(): string;
}

/**
 * Told at every invalidation. `cause`, which means nothing to anybody else, is what the invalidation was begun with; it
 * keeps one that comes back to where it began from going round for ever.
 */
export type InvalidationListener = (cause?: unknown) => Awaitable<unknown>;

/** What a memoised function is to those that it is made from, and to those that are made from it. */
export interface Follower {
  readonly name: string;
  /** Answers are those of the origin's present epoch, until the function returned is called. */
  follow(origin: Origin): () => void;
  /** Something that it is made from was invalidated: whoever is made from it is told. Never rejects. */
  invalidated(cause?: unknown): Awaitable<void>;
  onInvalidate(listener: InvalidationListener): () => void;
}

/** Where a memoised function, all of whose wrappers are one, has its follower. */
export const FOLLOWER: unique symbol = Symbol('fleche.follower');

/** The follower behind a memoised function; undefined for anything else. */
export function followerOf(value: object): Follower | undefined {
  return FOLLOWER in value ? (value as { readonly [FOLLOWER]: Follower })[FOLLOWER] : undefined;
}

/** A function as records name it. */
export interface Named {
  readonly name: string;
  readonly module: string | null;
}

const listeners = new Map<string, Set<InvalidationListener>>();

/** Tells functions apart. */
export function idOf({ name, module }: Named): string {
  return JSON.stringify([module, name]);
}

/** Calls the listener whenever answers of the function are invalidated by this process, until the function returned is called. */
export function onInvalidation(of: Named, listener: InvalidationListener): () => void {
  const id = idOf(of);
  const known = listeners.get(id) ?? new Set();
  listeners.set(id, known);
  known.add(listener);
  return () => {
    known.delete(listener);
    if (known.size === 0 && listeners.get(id) === known) listeners.delete(id);
  };
}

/** Tells those who listen. What they throw is a warning of the process: it is no business of who invalidates. */
export function tellInvalidated(of: Named, cause?: unknown): Awaitable<void> {
  const waiting: Promise<unknown>[] = [];
  const warn = (error: unknown): void =>
    process.emitWarning(`a listener of ${of.name} failed: ${messageOf(error)}`, 'FlecheWarning');
  for (const listener of [...(listeners.get(idOf(of)) ?? [])]) {
    try {
      const done = listener(cause);
      if (isPromise(done)) waiting.push(done.then(undefined, warn));
    } catch (error) {
      warn(error);
    }
  }
  if (waiting.length > 0) return Promise.all(waiting).then(() => {});
}
