/**
 * Managers: shelves by name, in one folder, with the edges between them. There is one manager of a name in a process. A
 * shelf is made where it is defined and nowhere else, and nothing of it is on disk before it is saved.
 */
import { FlecheError } from '../../base/errors.ts';
import { suggest } from '../../base/nearest.ts';
import { byCodeUnit } from '../../base/order.ts';
import { later } from '../../base/steps.ts';
import { type ShelfHost, systemHost } from '../../store/shelf-host.ts';
import type { Backing } from './backing/backing.ts';
import { HookBacking } from './backing/hook-backing.ts';
import { RowBacking } from './backing/row-backing.ts';
import type { Edge } from './dependents/graph.ts';
import { Lifecycle } from './lifecycle.ts';
import { ManagerCore, type OnError, warn } from './manager-core.ts';
import { checkOptions, type ShelfOptions, sameOptions } from './options.ts';
import { Shelf } from './shelf.ts';
import { closed } from './shelf-errors.ts';

export interface ManagerOptions {
  /** The folder in which the manager has its own, relative to the current one. Default: in the user's cache folder. */
  readonly dir?: string;
  /**
   * Told of errors that no listener of a shelf was told of, with the shelf's name, empty if it is about all of them.
   * Default: a warning of the process.
   */
  readonly onError?: OnError;
}

let host: ShelfHost = systemHost({});
const managers = new Map<string, Manager>();

/** Says where managers are that are given no folder, and what the machine is. For the composition root. */
export function setShelfHost(next: ShelfHost): void {
  host = next;
}

/**
 * The manager of this name, made if there is none. Throws `DUPLICATE_NAME` if there is one with other options; options
 * that are not given are those it has.
 */
export function manager(name = 'default', options: ManagerOptions = {}): Manager {
  const wrong = Object.keys(options).find((key) => key !== 'dir' && key !== 'onError');
  if (wrong !== undefined) {
    throw new FlecheError('USAGE', `manager "${name}": there is no option "${wrong}"`, {
      hint: suggest(wrong, ['dir', 'onError']),
    });
  }
  const known = managers.get(name);
  if (known === undefined) {
    const made = new Manager(name, options, host, () => managers.delete(name));
    managers.set(name, made);
    return made;
  }
  const { dir, onError = known.onError } = options;
  if (onError !== known.onError || (dir !== undefined && host.folderOf(name, dir) !== known.folder)) {
    throw new FlecheError('DUPLICATE_NAME', `manager "${name}" is there already, with other options`, {
      hint: `Leave the options out, close it first, or choose another name. It is in ${known.folder}.`,
    });
  }
  return known;
}

/** A shelf and how it was defined. */
interface Defined {
  /** Of the types it was defined with. */
  readonly shelf: object;
  readonly options: object;
}

/** Everything throws `SHELF_CLOSED` once it is closed. */
export class Manager {
  readonly name: string;
  readonly onError: OnError;
  readonly #core: ManagerCore;
  readonly #shelves = new Map<string, Defined>();
  readonly #onClose: () => void;
  #isClosed = false;

  /** Made by `manager`. `onClose` is called when its folder can be had by another. */
  constructor(name: string, { dir, onError = warn }: ManagerOptions, host: ShelfHost, onClose: () => void) {
    this.name = name;
    this.onError = onError;
    this.#core = new ManagerCore(name, host.folderOf(name, dir), host, onError);
    this.#onClose = onClose;
  }

  /** The manager's own folder, absolute. It is there once something was saved. */
  get folder(): string {
    return this.#core.folder;
  }

  /**
   * Defines a shelf, or gives back the one that is defined. Nothing is read before it is used. Throws `DUPLICATE_NAME`
   * for other options than it was defined with (those of the first call, if none are given), `SHELF_CYCLE`, `USAGE`.
   */
  shelf<K = string, V = unknown, S = V>(name: string, options?: ShelfOptions<K, V, S>): Shelf<K, V> {
    this.#requireOpen();
    const known = this.#known(name);
    if (known === undefined) return this.#define(name, options ?? {});
    if (options !== undefined && !sameOptions(known.options, options)) {
      throw new FlecheError('DUPLICATE_NAME', `shelf "${name}" is defined already, with other options`, {
        hint: `Ask for it with get(${JSON.stringify(name)}), close it first, or choose another name.`,
      });
    }
    // Whoever uses a name says what is on the shelf.
    return known.shelf as Shelf<K, V>;
  }

  #define<K, V, S>(name: string, options: ShelfOptions<K, V, S>): Shelf<K, V> {
    checkOptions(name, options);
    const core = this.#core;
    const lifecycle = new Lifecycle<K, V>(name, core, options, (report) => this.#backingOf(name, options, report));
    core.add(lifecycle, options.dependsOn ?? [], options.dependsOn !== undefined);
    const shelf = new Shelf<K, V>(core, lifecycle);
    this.#shelves.set(name, { shelf, options });
    return shelf;
  }

  #backingOf<K, V, S>(
    name: string,
    options: ShelfOptions<K, V, S>,
    report: (error: FlecheError) => void,
  ): Backing<K, V> {
    const { epochs } = this.#core;
    if (options.persist === false || options.load !== undefined || options.save !== undefined) {
      return new HookBacking(name, epochs, options);
    }
    return new RowBacking({ name, epochs, transform: options.transform, report });
  }

  /** The shelf that is defined under this name. Throws `SHELF_UNKNOWN`, with the nearest name. */
  get<K = string, V = unknown>(name: string): Shelf<K, V> {
    this.#requireOpen();
    const known = this.#known(name);
    // Whoever uses a name says what is on the shelf.
    if (known !== undefined) return known.shelf as Shelf<K, V>;
    throw new FlecheError('SHELF_UNKNOWN', `there is no shelf "${name}"`, { hint: suggest(name, this.names()) });
  }

  /** Whether a shelf is defined under this name. */
  has(name: string): boolean {
    return this.#known(name) !== undefined;
  }

  /** A closed shelf has given its name free. */
  #known(name: string): Defined | undefined {
    return this.#core.members.has(name) ? this.#shelves.get(name) : undefined;
  }

  /** Names of the shelves that are defined, in the order in which they were. */
  names(): readonly string[] {
    return [...this.#core.members.keys()];
  }

  /** Names of the shelves of which something is in the manager's folder, sorted. */
  stored(): readonly string[] {
    this.#requireOpen();
    return this.#core.epochs.read((reads) => {
      const kept = reads.records().filter((record) => record.filled);
      return kept.map((record) => record.name).sort(byCodeUnit);
    });
  }

  /** What is made from what, as declared in this process, sorted. */
  edges(): readonly Edge[] {
    return this.#core.edges();
  }

  /** Saves all shelves that have been loaded. Rejects with an `AggregateError` of those that could not be. */
  async save(): Promise<void> {
    this.#requireOpen();
    const members = [...this.#core.members.values()];
    await allOf(`manager "${this.name}": not everything was saved`, members, (member) => later(member.saveIfReady()));
  }

  /**
   * Saves and closes all shelves, then the manager. With `discard` nothing is saved. Rejects with an `AggregateError` of
   * those that could not be saved; then they and the manager are still open.
   */
  async close({ discard = false }: { readonly discard?: boolean } = {}): Promise<void> {
    if (this.#isClosed) return;
    const members = [...this.#core.members.values()];
    await allOf(`manager "${this.name}": not everything was saved`, members, (member) => later(member.close(discard)));
    this.#isClosed = true;
    await this.#core.close();
    this.#onClose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #requireOpen(): void {
    if (this.#isClosed) throw closed(`manager "${this.name}"`);
  }
}

/** Does all of it at the same time. Rejects with everything that went wrong. */
async function allOf<T>(what: string, items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const results = await Promise.allSettled(items.map(act));
  const errors = results.flatMap((result): unknown[] => (result.status === 'rejected' ? [result.reason] : []));
  if (errors.length > 0) throw new AggregateError(errors, what);
}
