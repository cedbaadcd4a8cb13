/**
 * What the shelves of a manager have in common: a folder with their store, the edges between them, the end of the
 * process, and who is told of errors. Opens the store when something is to be written, or when there is one to be read.
 */
import { type Awaitable, isPromise } from '../../base/awaitable.ts';
import type { Clock } from '../../base/clock.ts';
import { FlecheError, messageOf } from '../../base/errors.ts';
import { run, type Steps } from '../../base/steps.ts';
import type { ShelfHost } from '../../store/shelf-host.ts';
import type { ShelfStore } from '../../store/shelf-store.ts';
import type { Follower } from '../follower.ts';
import { Cascade } from './dependents/cascade.ts';
import { Emptied } from './dependents/emptied.ts';
import { Epochs } from './dependents/epochs.ts';
import {
  type Dependency,
  type Edge,
  Graph,
  type Item,
  isFollower,
  isShelf,
  itemOf,
  type Outsider,
  type Source,
} from './dependents/graph.ts';
import type { ManagerLink, Member } from './dependents/membership.ts';
import { OriginShelf } from './origin-shelf.ts';
import { Autosync } from './saving/autosync.ts';
import { AUTOSYNC } from './saving/edit-ages.ts';

export type OnError = (error: unknown, shelf: string) => void;

export class ManagerCore implements ManagerLink {
  readonly name: string;
  readonly folder: string;
  readonly clock: Clock;
  readonly epochs: Epochs;
  readonly #host: ShelfHost;
  readonly #onError: OnError;
  readonly #graph = new Graph();
  readonly #members = new Map<string, Member>();
  readonly #cascade: Cascade;
  /** By shelf, what ends the subscriptions to what it is made from. */
  readonly #subscriptions = new Map<string, Map<Source, () => void>>();
  /** By memoised function and by shelf that it is made from, what ends its following. */
  readonly #followings = new Map<Follower, Map<string, () => void>>();
  readonly #retries: Autosync;
  readonly #stopListening: () => void;
  #store: ShelfStore | undefined;
  #isClosed = false;

  constructor(name: string, folder: string, host: ShelfHost, onError: OnError) {
    this.name = name;
    this.folder = folder;
    this.clock = host;
    this.#host = host;
    this.#onError = onError;
    const archive = { open: () => this.#open(), exists: () => this.#store !== undefined || host.exists(folder) };
    this.epochs = new Epochs(archive, this.#graph);
    this.#cascade = new Cascade(folder, this.#graph, this.epochs, this.#members);
    this.#retries = new Autosync(AUTOSYNC, host, () => this.#settle());
    this.#stopListening = host.onEnd({
      idle: () => {
        for (const member of this.#members.values()) member.saveAtIdle();
      },
      exit: () => {
        for (const member of this.#members.values()) member.saveAtExit();
        this.#settle();
      },
    });
  }

  #open(): ShelfStore {
    this.#store ??= this.#host.open(this.folder, (message) => {
      this.#onError(new FlecheError('STORE_UNUSABLE', message), '');
    });
    return this.#store;
  }

  /** Writes invalidations that could not be written when they were made. */
  #settle(): void {
    try {
      this.epochs.settle();
      this.#retries.stop();
    } catch {
      // It has been told when it failed first.
      this.#retries.failed();
    }
  }

  report(error: unknown, shelf: string): void {
    this.#onError(error, shelf);
  }

  /** The shelves that are defined, by name. */
  get members(): ReadonlyMap<string, Member> {
    return this.#members;
  }

  /**
   * Takes in a shelf with what it is made from. `isAll`: whether that is all, whatever its record says. Throws as `link`,
   * and then it is not taken in.
   */
  add(member: Member, parents: readonly Dependency[], isAll: boolean): void {
    const { name } = member;
    try {
      for (const parent of parents) this.link(name, parent);
    } catch (error) {
      this.#unlinkAll(name);
      throw error;
    }
    this.epochs.declare(name, isAll);
    this.#members.set(name, member);
  }

  /** The edges of its dependents stay: they hold for whoever has the name next. */
  released(name: string): void {
    this.#members.delete(name);
    this.#unlinkAll(name);
    this.epochs.declare(name, false);
  }

  #unlinkAll(name: string): void {
    for (const parent of this.#graph.parents(name)) this.#graph.unlink(name, parent);
    for (const end of this.#subscriptions.get(name)?.values() ?? []) end();
    this.#subscriptions.delete(name);
  }

  *invalidate(name: string, before: Emptied = new Emptied()): Steps<void> {
    try {
      yield* this.#cascade.invalidate(name, before);
    } finally {
      if (this.epochs.isBehind) this.#retries.failed();
    }
  }

  catchUp(name: string): void {
    for (const parent of this.#graph.upstream(name)) this.#members.get(parent)?.catchUp();
  }

  notice(name: string): Steps<void> {
    return this.#cascade.notice(name);
  }

  *rebuild(name: string): Steps<void> {
    try {
      yield* this.#cascade.rebuild(name);
    } finally {
      if (this.epochs.isBehind) this.#retries.failed();
    }
  }

  link(name: string, parent: Dependency): void {
    if (isShelf(parent) && parent.managerName !== this.name) {
      throw new FlecheError('USAGE', `shelf "${name}" cannot depend on "${parent.name}" of another manager`, {
        hint: 'Define both with one manager: they are invalidated in one step.',
      });
    }
    const item = isShelf(parent) ? parent.name : itemOf(parent);
    if (!this.#graph.link(name, item)) return;
    if (typeof item !== 'string') {
      const ends = this.#subscriptions.get(name) ?? new Map<Source, () => void>();
      this.#subscriptions.set(name, ends);
      ends.set(
        item,
        item.onInvalidate((cause) => this.#sourceInvalidated(name, cause)),
      );
    }
    this.#relink(name);
  }

  /** Something else that a shelf is made from was invalidated. What goes wrong is no business of that. */
  #sourceInvalidated(name: string, cause: unknown): Awaitable<void> {
    const before = cause instanceof Emptied ? cause : new Emptied();
    if (before.has(this.folder, name)) return;
    const report = (error: unknown): void => this.report(error, name);
    try {
      const done = run(this.invalidate(name, before));
      return isPromise(done) ? done.catch(report) : done;
    } catch (error) {
      report(error);
    }
  }

  unlink(name: string, parent: Dependency): boolean {
    const item = isShelf(parent) ? parent.name : itemOf(parent);
    if (!this.#graph.unlink(name, item)) return false;
    if (typeof item !== 'string') {
      this.#subscriptions.get(name)?.get(item)?.();
      this.#subscriptions.get(name)?.delete(item);
    }
    this.epochs.declare(name, true);
    this.#relink(name);
    return true;
  }

  linkOutsider(outsider: Outsider, name: string): void {
    const item = itemOf(outsider);
    if (!this.#graph.link(item, name)) return;
    if (isFollower(item)) {
      const ends = this.#followings.get(item) ?? new Map<string, () => void>();
      this.#followings.set(item, ends);
      ends.set(name, item.follow(new OriginShelf(name, this)));
    }
    this.#relink(name);
  }

  unlinkOutsider(outsider: Outsider, name: string): boolean {
    const item = itemOf(outsider);
    if (!this.#graph.unlink(item, name)) return false;
    if (isFollower(item)) {
      this.#followings.get(item)?.get(name)?.();
      this.#followings.get(item)?.delete(name);
    }
    this.#relink(name);
    return true;
  }

  #relink(name: string): void {
    for (const item of this.#graph.downstream([name])) {
      if (typeof item === 'string') this.#members.get(item)?.relink();
    }
  }

  parents(name: string): readonly Item[] {
    return this.#graph.parents(name);
  }

  children(name: string): readonly Item[] {
    return this.#graph.children(name);
  }

  edges(): readonly Edge[] {
    return this.#graph.edges();
  }

  /** Whether it is closed: whoever asks how things stand is not answered. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Writes what waits and closes the store. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#settle();
    this.#retries.stop();
    this.#stopListening();
    await this.#store?.close();
    this.#store = undefined;
  }
}

/** Warnings of the process, for managers that are told of nobody else. */
export function warn(error: unknown, shelf: string): void {
  const about = shelf === '' || messageOf(error).includes(shelf) ? '' : `shelf "${shelf}": `;
  process.emitWarning(`${about}${messageOf(error)}`, 'FlecheWarning');
}
