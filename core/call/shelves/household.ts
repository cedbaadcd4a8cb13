/**
 * What the shelves of a manager have in common: a folder with their store, the edges between them, the end of the
 * process, and who is told of errors. Opens the store when something is to be written, or when there is one to be read.
 */
import { FlecheError, messageOf } from '../../base/errors.ts';
import { run, type Steps } from '../../base/steps.ts';
import type { ShelfHost } from '../../store/shelf-host.ts';
import type { ShelfStore } from '../../store/shelf-store.ts';
import type { Timing } from '../../store/timing.ts';
import { Autosync } from './autosync.ts';
import { Cascade } from './cascade.ts';
import { AUTOSYNC } from './edit-ages.ts';
import { Epochs } from './epochs.ts';
import { type Dependency, type Edge, Graph, type Item, isShelf, type Outsider, type Source } from './graph.ts';
import type { Home, Member } from './home.ts';

export type OnError = (error: unknown, shelf: string) => void;

export class Household implements Home {
  readonly name: string;
  readonly folder: string;
  readonly timing: Timing;
  readonly epochs: Epochs;
  readonly #host: ShelfHost;
  readonly #onError: OnError;
  readonly #graph = new Graph();
  readonly #members = new Map<string, Member>();
  readonly #cascade: Cascade;
  /** By shelf, what ends the subscriptions to what it is made from. */
  readonly #subscriptions = new Map<string, Map<Source, () => void>>();
  readonly #retries: Autosync;
  readonly #stopListening: () => void;
  #store: ShelfStore | undefined;

  constructor(name: string, folder: string, host: ShelfHost, onError: OnError) {
    this.name = name;
    this.folder = folder;
    this.timing = host;
    this.#host = host;
    this.#onError = onError;
    const archive = { open: () => this.#open(), exists: () => this.#store !== undefined || host.exists(folder) };
    this.epochs = new Epochs(archive, this.#graph);
    this.#cascade = new Cascade(this.#graph, this.epochs, this.#members);
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

  *invalidate(name: string): Steps<void> {
    try {
      yield* this.#cascade.invalidate(name);
    } finally {
      if (this.epochs.isBehind) this.#retries.failed();
    }
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
    if (!this.#graph.link(name, isShelf(parent) ? parent.name : parent)) return;
    if (!isShelf(parent)) {
      const ends = this.#subscriptions.get(name) ?? new Map<Source, () => void>();
      this.#subscriptions.set(name, ends);
      ends.set(
        parent,
        parent.onInvalidate(() => run(this.invalidate(name))),
      );
    }
    this.#relink(name);
  }

  unlink(name: string, parent: Dependency): boolean {
    if (!this.#graph.unlink(name, isShelf(parent) ? parent.name : parent)) return false;
    if (!isShelf(parent)) {
      this.#subscriptions.get(name)?.get(parent)?.();
      this.#subscriptions.get(name)?.delete(parent);
    }
    this.epochs.declare(name, true);
    this.#relink(name);
    return true;
  }

  linkOutsider(outsider: Outsider, name: string): void {
    if (this.#graph.link(outsider, name)) this.#relink(name);
  }

  unlinkOutsider(outsider: Outsider, name: string): boolean {
    const wasThere = this.#graph.unlink(outsider, name);
    if (wasThere) this.#relink(name);
    return wasThere;
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

  /** Writes what waits and closes the store. */
  async close(): Promise<void> {
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
