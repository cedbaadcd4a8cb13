/**
 * The life of a shelf: idle until it is touched, then loaded or built, ready, emptied and idle again, closed. Decides
 * when things are read and given up; what is kept, and how it gets there, is the business of others.
 */
import { type Awaitable, isPromise } from '../../base/awaitable.ts';
import type { FlecheError } from '../../base/errors.ts';
import { run, type Steps, wait } from '../../base/steps.ts';
import type { Backing } from './backing/backing.ts';
import { Contents } from './backing/contents.ts';
import { build, type Loaded, load } from './backing/filling.ts';
import type { ManagerLink, Member } from './dependents/membership.ts';
import type { ShelfOptions } from './options.ts';
import { Saver } from './saving/saver.ts';
import { closed, notReady, unbuilt, unreadable, unsaved } from './shelf-errors.ts';
import { Signals } from './signals.ts';

const ignore = (): void => {};

/** So often contents are made again that were invalidated while they were made. A hook that does so never stops. */
const MOST_TRIES = 100;

/** The options of a shelf that are not about where it is kept. */
type LifecycleOptions<K, V> = Pick<ShelfOptions<K, V>, 'autosync' | 'build' | 'delete' | 'saveEmpty' | 'validate'>;

export class Lifecycle<K, V> implements Member {
  readonly name: string;
  readonly managerName: string;
  readonly signals: Signals<K, V>;
  readonly #manager: ManagerLink;
  readonly #options: LifecycleOptions<K, V>;
  readonly #backing: Backing<K, V>;
  readonly #contents: Contents<K, V>;
  readonly #saver: Saver<K, V>;
  #state: 'idle' | 'ready' | 'closed' = 'idle';
  #isOpening = false;
  #opening: Promise<void> | undefined;
  /** Whether it is empty because it could not be built. */
  #isUnbuilt = false;

  /** `backing` is made with what it has to tell of trouble. */
  constructor(
    name: string,
    manager: ManagerLink,
    options: LifecycleOptions<K, V>,
    backing: (report: (error: FlecheError) => void) => Backing<K, V>,
  ) {
    this.name = name;
    this.managerName = manager.name;
    this.signals = new Signals((error) => manager.report(error, name));
    this.#manager = manager;
    this.#options = options;
    const report = (error: FlecheError): void => this.#report(error);
    this.#backing = backing(report);
    this.#contents = new Contents(this.#backing.keeps);
    this.#saver = new Saver({
      name,
      contents: this.#contents,
      backing: this.#backing,
      signals: this.signals,
      clock: manager.clock,
      autosync: options.autosync,
      isDue: () => this.#isDue(),
      notice: () => this.#notice(),
      report,
    });
  }

  get isForeign(): boolean {
    return this.#backing.isForeign;
  }

  get keeps(): boolean {
    return this.#backing.keeps;
  }

  /** How often a change of somebody else was overwritten. */
  get conflicts(): number {
    return this.#saver.conflicts;
  }

  /** Keys whose last change has not been saved. */
  get unsaved(): number {
    return this.#contents.changes;
  }

  /** The contents as they are, or undefined if they are not there. */
  peek(): ReadonlyMap<K, V> | undefined {
    if (this.#state !== 'ready') return undefined;
    return new Map(Array.from(this.#contents.entries(), ({ key, value }) => [key, value]));
  }

  /** The contents, loaded or built if they are not there. Throws `SHELF_NOT_READY` where that takes time. */
  touch(): Contents<K, V> {
    if (this.#state === 'ready') return this.#contents;
    const opening = this.open();
    if (!isPromise(opening)) return this.#contents;
    opening.catch(ignore);
    throw notReady(this.name);
  }

  /** Sets a key. Throws `INDIGESTIBLE` or `UNSTORABLE` for what could not be saved, and never because of saving. */
  set(key: K, value: V): void {
    const contents = this.touch();
    contents.set(key, value, this.#backing.encode(key, value));
    this.edited(1);
  }

  /** Notes edits. May save. */
  edited(count: number): void {
    this.#saver.edited(count);
  }

  /** Throws `SHELF_CLOSED`. */
  requireOpen(): void {
    if (this.#state === 'closed') throw closed(`shelf "${this.name}"`);
  }

  open(): Awaitable<void> {
    if (this.#state === 'ready') return;
    this.requireOpen();
    if (this.#opening !== undefined) return this.#opening;
    if (this.#isOpening) throw notReady(this.name);
    this.#isOpening = true;
    const opening = run(this.#open());
    if (!isPromise(opening)) return;
    this.#opening = opening;
    return opening;
  }

  *#open(): Steps<void> {
    try {
      for (let tries = 0; this.#state === 'idle'; tries++) {
        if (tries === MOST_TRIES) throw unbuilt(this.name, 'it was invalidated each time that it was loaded or built');
        yield* this.#fill();
      }
    } finally {
      this.#isOpening = false;
      this.#opening = undefined;
    }
  }

  /** Becomes ready, unless the contents are given up meanwhile. */
  *#fill(): Steps<void> {
    const { generation } = this.#contents;
    const loading = load(this.name, this.#backing, this.#options.validate);
    const found = yield* wait(loading);
    if (generation !== this.#contents.generation) return;
    if (isPromise(loading) && !this.isCurrent()) return this.drop();
    // What is made from now on is made of what was not invalidated before.
    this.#manager.catchUp(this.name);
    if (generation !== this.#contents.generation) return;
    if (found.kind === 'stale') return yield* this.#empty();
    if (found.kind === 'moved') return this.drop();
    if (found.kind === 'found') {
      this.#contents.reset(found.entries);
      return this.#become('rest');
    }
    const hook = this.#options.build;
    if (hook === undefined) return this.#become('nothing');
    const built = yield* wait(build(this.name, this.#backing, hook));
    if (generation !== this.#contents.generation) return;
    for (const { key, value, bytes } of built) this.#contents.set(key, value, bytes);
    this.#become('build');
    this.#saver.saveQuietly();
  }

  #become(from: 'rest' | 'build' | 'nothing'): void {
    this.#isUnbuilt = false;
    this.#state = 'ready';
    this.signals.emit('loaded', { size: this.#contents.size, from });
  }

  /** What is kept was made from something that has been invalidated: so it is, and what is made from it. */
  *#empty(): Steps<void> {
    try {
      yield* this.#manager.invalidate(this.name);
    } catch (error) {
      this.#manager.report(error, this.name);
    }
  }

  *#notice(): Steps<void> {
    try {
      yield* this.#manager.notice(this.name);
    } catch (error) {
      this.#manager.report(error, this.name);
    }
  }

  drop(): void {
    if (this.#state === 'ready') this.#state = 'idle';
    this.#contents.reset();
    this.#saver.drop();
    this.#backing.forget();
  }

  announce(by: string, elsewhere: boolean): void {
    this.signals.emit('invalidated', { by, elsewhere });
  }

  leaveEmpty(): void {
    if (this.#state === 'closed') return;
    this.drop();
    this.#isUnbuilt = true;
    this.#state = 'ready';
  }

  isCurrent(): boolean {
    try {
      return this.#backing.isCurrent();
    } catch (error) {
      this.#report(unreadable(this.name, error));
      return true;
    }
  }

  catchUp(): void {
    // It drops the contents before it first waits, and tells of its trouble itself.
    if (this.#state === 'ready' && !this.isCurrent()) void run(this.#notice());
  }

  relink(): void {
    try {
      this.#backing.relink();
    } catch (error) {
      this.#report(unreadable(this.name, error));
    }
  }

  #report(error: FlecheError): void {
    if (!this.signals.emit('error', error)) this.#manager.report(error, this.name);
  }

  /** Loads or builds it if need be, and empties it before if it was invalidated elsewhere. */
  *ready(): Steps<void> {
    if (this.#state === 'ready' && !this.isCurrent()) yield* this.#notice();
    yield* wait(this.open());
  }

  /** Saves what has changed; a shelf with a save hook in any case. Throws `SHELF_UNSAVED`. */
  *save(): Steps<void> {
    this.requireOpen();
    if (this.#backing.isForeign) yield* wait(this.open());
    yield* wait(this.#saver.save());
  }

  *saveIfReady(): Steps<void> {
    if (this.#state === 'ready') yield* this.save();
  }

  /** A shelf that was emptied by its own hand is saved so; one that could not be built is built by the next process. */
  #isDue(): boolean {
    const { size, changes } = this.#contents;
    if (this.#state !== 'ready' || (size === 0 && this.#options.saveEmpty === false)) return false;
    return changes > 0 || (this.#backing.isBehind && !this.#isUnbuilt);
  }

  /** Gives up what has not been saved and loads what is kept. */
  *revert(): Steps<void> {
    this.requireOpen();
    if (this.#opening !== undefined) yield* wait(this.#opening);
    yield* wait(this.#saver.idle());
    this.drop();
    yield* wait(this.open());
  }

  /** Takes over what others have saved; keeps what has not been saved here. */
  *reload(): Steps<void> {
    if (this.#state === 'idle') return yield* wait(this.open());
    this.requireOpen();
    const { generation } = this.#contents;
    let begun: number;
    let found: Loaded<K, V>;
    do {
      yield* wait(this.#saver.idle());
      begun = this.#saver.begun;
      found = yield* wait(load(this.name, this.#backing, this.#options.validate));
      // What was saved meanwhile is not in what was read.
    } while (begun !== this.#saver.begun && generation === this.#contents.generation);
    if (generation !== this.#contents.generation || found.kind === 'moved' || found.kind === 'stale') {
      if (found.kind === 'moved') yield* this.#notice();
      if (found.kind === 'stale') yield* this.#empty();
      return yield* wait(this.open());
    }
    if (found.kind === 'unknown' || found.kind === 'refused') return;
    this.#contents.merge(found.kind === 'found' ? found.entries : []);
    this.signals.emit('loaded', { size: this.#contents.size, from: 'rest' });
  }

  /** Removes what is kept; the contents in memory stay. Throws `SHELF_UNSAVED`, and what the hook throws. */
  *deletePersisted(): Steps<void> {
    this.requireOpen();
    yield* wait(this.#saver.idle());
    try {
      this.#backing.erase();
    } catch (error) {
      throw unsaved(this.name, error);
    }
    yield* wait(this.#options.delete?.(this.name));
  }

  erase(): Awaitable<unknown> {
    const hook = this.#options.delete;
    if (hook === undefined) return undefined;
    return this.#saver.isBusy ? Promise.resolve(this.#saver.idle()).then(() => hook(this.name)) : hook(this.name);
  }

  /** Saves unless it is told to discard, then gives the name free. Throws `SHELF_UNSAVED`, and then it is still open. */
  *close(discard: boolean): Steps<void> {
    if (this.#state === 'closed') return;
    if (this.#opening !== undefined) yield* wait(this.#opening.catch(ignore));
    let edits: number;
    do {
      edits = this.#saver.edits;
      if (discard) yield* wait(this.#saver.idle());
      else if (this.unsaved > 0 || this.#saver.isBusy) yield* wait(this.#saver.save());
    } while (edits !== this.#saver.edits && !discard);
    this.drop();
    this.#state = 'closed';
    this.#manager.released(this.name);
  }

  saveAtIdle(): void {
    this.#saver.atIdle();
  }

  saveAtExit(): void {
    this.#saver.atExit();
  }
}
