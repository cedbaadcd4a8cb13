/**
 * A shelf: a map that outlives its process. It is loaded, or else built, when it is first touched; edits are saved by
 * themselves after a while, and when the process ends. Keys are equal when their values are. What is saved is what was
 * set: a value that was changed in place has to be set again.
 */
import { later } from '../../base/steps.ts';
import type { Entry } from './backing/contents.ts';
import { type Dependency, labelOf, type Outsider } from './dependents/graph.ts';
import type { ManagerLink } from './dependents/membership.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { ShelfEvent, ShelfEvents } from './signals.ts';

type Inspect = (value: unknown, options: object) => string;

/**
 * Made by a manager. Everything throws `SHELF_CLOSED` once it is closed. What belongs to a map throws `SHELF_NOT_READY`
 * before `ready()` where hooks take their time, and `SHELF_UNREADABLE` or `SHELF_UNBUILT` when they fail.
 */
export class Shelf<K, V> implements Map<K, V> {
  readonly name: string;
  /** The name of its manager. */
  readonly managerName: string;
  readonly #manager: ManagerLink;
  readonly #lifecycle: Lifecycle<K, V>;

  static {
    // How Node shows it: as a map, and without loading it.
    Object.defineProperty(Shelf.prototype, Symbol.for('nodejs.util.inspect.custom'), {
      value(this: Shelf<unknown, unknown>, _depth: number, options: object, inspect: Inspect): string {
        const contents = this.#lifecycle.peek();
        return `Shelf ${JSON.stringify(this.name)} ${contents === undefined ? 'not loaded' : inspect(contents, options)}`;
      },
    });
  }

  constructor(manager: ManagerLink, lifecycle: Lifecycle<K, V>) {
    this.name = lifecycle.name;
    this.managerName = manager.name;
    this.#manager = manager;
    this.#lifecycle = lifecycle;
  }

  get [Symbol.toStringTag](): string {
    return 'Shelf';
  }

  get size(): number {
    return this.#lifecycle.touch().size;
  }

  get(key: K): V | undefined {
    return this.#lifecycle.touch().find(key)?.value;
  }

  has(key: K): boolean {
    return this.#lifecycle.touch().find(key) !== undefined;
  }

  /** Throws `INDIGESTIBLE` or `UNSTORABLE` for what could not be saved, and never because saving failed. */
  set(key: K, value: V): this {
    this.#lifecycle.set(key, value);
    return this;
  }

  /** Whether the key was there. */
  delete(key: K): boolean {
    const wasThere = this.#lifecycle.touch().delete(key);
    if (wasThere) this.#lifecycle.edited(1);
    return wasThere;
  }

  /** Removes every key that is here; keys that only others know stay where they are. */
  clear(): void {
    const contents = this.#lifecycle.touch();
    const { size } = contents;
    for (const { key } of contents.entries()) contents.delete(key);
    this.#lifecycle.edited(size);
  }

  /** Keys in insertion order. */
  *keys(): MapIterator<K> {
    for (const { key } of this.#entries()) yield key;
  }

  *values(): MapIterator<V> {
    for (const { value } of this.#entries()) yield value;
  }

  *entries(): MapIterator<[K, V]> {
    for (const { key, value } of this.#entries()) yield [key, value];
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries();
  }

  #entries(): MapIterator<Entry<K, V>> {
    return this.#lifecycle.touch().entries();
  }

  forEach(callback: (value: V, key: K, shelf: Map<K, V>) => void, receiver?: unknown): void {
    for (const { key, value } of this.#entries()) callback.call(receiver, value, key, this);
  }

  /** Resolves when the shelf can be used: it is loaded or built, and was not invalidated by another process. */
  async ready(): Promise<this> {
    await later(this.#lifecycle.ready());
    return this;
  }

  /**
   * Saves what has changed; without hooks that take their time, before it returns. A shelf with a save hook is saved in
   * any case. Saves that are asked for while one is under way are one. Rejects with `SHELF_UNSAVED`; then nothing is lost,
   * and it is tried again.
   */
  save(): Promise<void> {
    return later(this.#lifecycle.save());
  }

  /**
   * Takes over what other processes have saved. What was not saved here stays as it is, and wins when it is.
   */
  reload(): Promise<void> {
    return later(this.#lifecycle.reload());
  }

  /** Gives up what was not saved: the shelf is what is kept of it. */
  revert(): Promise<void> {
    return later(this.#lifecycle.revert());
  }

  /**
   * Empties this shelf and everything made from it, in memory before it returns, and at rest, for all processes and for
   * good. A shelf with a build hook is built when it is touched again. Rejects with an `AggregateError` if something
   * could not be done; all the rest is.
   */
  async invalidate(): Promise<void> {
    this.#lifecycle.requireOpen();
    await later(this.#manager.invalidate(this.name));
  }

  /**
   * Invalidates, then builds this shelf and everything made from it, what others are made from first. Rejects with an
   * `AggregateError`; what could not be built, and what is made from it, is empty.
   */
  async rebuild(): Promise<void> {
    this.#lifecycle.requireOpen();
    await later(this.#manager.rebuild(this.name));
  }

  /** Removes what is kept of this shelf; the contents in memory stay, and the next save writes all of them. */
  deletePersisted(): Promise<void> {
    return later(this.#lifecycle.deletePersisted());
  }

  /**
   * Saves and closes; the name is free then. With `discard` nothing is saved. Rejects with `SHELF_UNSAVED` if it could
   * not be saved; then it is still open.
   */
  close({ discard = false }: { readonly discard?: boolean } = {}): Promise<void> {
    return later(this.#lifecycle.close(discard));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Number of keys whose last change has not been saved. */
  get unsaved(): number {
    return this.#lifecycle.unsaved;
  }

  /** How often this handle wrote over a change of somebody else. */
  get conflicts(): number {
    return this.#lifecycle.conflicts;
  }

  /** Declares what this shelf is made from. Throws `SHELF_CYCLE`, or `USAGE` for a shelf of another manager. */
  addDependency(parent: Dependency): void {
    this.#lifecycle.requireOpen();
    this.#manager.link(this.name, parent);
  }

  /** False if there was no such dependency. */
  removeDependency(parent: Dependency): boolean {
    this.#lifecycle.requireOpen();
    return this.#manager.unlink(this.name, parent);
  }

  /** Declares something that is made from this shelf, such as a memoised function. Throws `SHELF_CYCLE`. */
  addDependent(dependent: Outsider): void {
    this.#lifecycle.requireOpen();
    this.#manager.linkOutsider(dependent, this.name);
  }

  /** False if there was no such dependent. */
  removeDependent(dependent: Outsider): boolean {
    this.#lifecycle.requireOpen();
    return this.#manager.unlinkOutsider(dependent, this.name);
  }

  /** Names of what this shelf is made from, as declared in this process. */
  dependencies(): readonly string[] {
    return this.#manager.parents(this.name).map(labelOf);
  }

  /** Names of what is made from this shelf, as declared in this process. */
  dependents(): readonly string[] {
    return this.#manager.children(this.name).map(labelOf);
  }

  /** Calls the listener at every such event, until the function it returns is called. */
  on<E extends ShelfEvent>(event: E, listener: (event: ShelfEvents<K, V>[E]) => void): () => void {
    return this.#lifecycle.signals.on(event, listener);
  }
}
