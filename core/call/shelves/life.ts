/**
 * The life of a shelf: idle until it is touched, then loaded or built, ready, emptied and idle again, closed. Decides
 * when things are read and written and what becomes of errors; what they are is the business of others.
 */
import { type Awaitable, isPromise } from '../../base/awaitable.ts';
import type { FlecheError } from '../../base/errors.ts';
import { run, type Steps, wait } from '../../base/steps.ts';
import { Autosync } from './autosync.ts';
import { Contents } from './contents.ts';
import { AUTOSYNC } from './edit-ages.ts';
import { build, type Loaded, load } from './filling.ts';
import type { Home, Member } from './home.ts';
import type { ShelfOptions } from './options.ts';
import type { Rest } from './rest.ts';
import { Signals } from './signals.ts';
import { SingleSave } from './single-save.ts';
import { closed, notReady, unsaved } from './trouble.ts';

const ignore = (): void => {};

/** The options of a shelf that are not about where it is kept. */
export type LifeOptions<K, V> = Pick<ShelfOptions<K, V>, 'autosync' | 'build' | 'delete' | 'saveEmpty' | 'validate'>;

export class Life<K, V> implements Member {
  readonly name: string;
  readonly managerName: string;
  readonly signals: Signals<K, V>;
  /** How often a change of somebody else was overwritten. */
  conflicts = 0;
  readonly #home: Home;
  readonly #options: LifeOptions<K, V>;
  readonly #rest: Rest<K, V>;
  readonly #contents: Contents<K, V>;
  readonly #saves: SingleSave;
  readonly #autosync: Autosync | undefined;
  #state: 'idle' | 'ready' | 'closed' = 'idle';
  #isOpening = false;
  #opening: Promise<void> | undefined;
  /** Grows whenever the contents are given up: what was begun before is of no use then. */
  #generation = 0;
  #edits = 0;
  /** Saves that were begun. */
  #writes = 0;
  /** Whether it is empty because it could not be built. */
  #isUnbuilt = false;
  #savesLater: boolean;
  #editsAtEnd = 0;

  constructor(name: string, home: Home, options: LifeOptions<K, V>, rest: Rest<K, V>) {
    this.name = name;
    this.managerName = home.name;
    this.#home = home;
    this.#options = options;
    this.#rest = rest;
    this.#contents = new Contents(rest.keeps);
    this.signals = new Signals((error) => home.report(error, name));
    this.#saves = new SingleSave(() => run(this.#write()));
    const { autosync = AUTOSYNC } = options;
    if (rest.keeps && autosync !== false) {
      this.#autosync = new Autosync(autosync, home.timing, () => this.#saveQuietly());
    }
    this.#savesLater = rest.isSlow;
  }

  get isForeign(): boolean {
    return this.#rest.isForeign;
  }

  /** The contents as they are, or undefined if they are not there. */
  peek(): ReadonlyMap<K, V> | undefined {
    if (this.#state !== 'ready') return undefined;
    return new Map(Array.from(this.#contents.entries(), ({ key, value }) => [key, value]));
  }

  /** Keys that differ from what is at rest. */
  get unsaved(): number {
    return this.#contents.changes;
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
    contents.set(key, value, this.#rest.encode(key, value));
    this.edited(1);
  }

  /** Notes edits. May save. */
  edited(count: number): void {
    if (count === 0) return;
    this.#edits += count;
    this.#autosync?.edited(count);
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

  /** Throws `SHELF_CLOSED`. */
  requireOpen(): void {
    if (this.#state === 'closed') throw closed(`shelf "${this.name}"`);
  }

  *#open(): Steps<void> {
    try {
      while (this.#state === 'idle') yield* this.#fill();
    } finally {
      this.#isOpening = false;
      this.#opening = undefined;
    }
  }

  /** Becomes ready, unless the contents are given up meanwhile. */
  *#fill(): Steps<void> {
    const generation = this.#generation;
    const found = yield* wait(load(this.name, this.#rest, this.#options.validate));
    if (generation !== this.#generation) return;
    if (found.kind === 'stale') return yield* this.#empty();
    if (found.kind === 'moved') return this.drop();
    if (found.kind === 'found') {
      this.#contents.reset(found.entries);
      return this.#become('rest');
    }
    const hook = this.#options.build;
    if (hook === undefined) return this.#become('nothing');
    const built = yield* wait(build(this.name, this.#rest, hook));
    if (generation !== this.#generation) return;
    for (const { key, value, bytes } of built) this.#contents.set(key, value, bytes);
    this.#edits += built.length;
    this.#become('build');
    this.#saveQuietly();
  }

  #become(from: 'rest' | 'build' | 'nothing'): void {
    this.#isUnbuilt = false;
    this.#state = 'ready';
    this.signals.emit('loaded', { size: this.#contents.size, from });
  }

  /** What is kept was made from something that has been invalidated: so it is, and what is made from it. */
  *#empty(): Steps<void> {
    try {
      yield* this.#home.invalidate(this.name);
    } catch (error) {
      this.#home.report(error, this.name);
    }
  }

  drop(): void {
    this.#generation++;
    if (this.#state === 'ready') this.#state = 'idle';
    this.#contents.reset();
    this.#autosync?.stop();
    this.#rest.forget();
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
      return this.#rest.isCurrent();
    } catch (error) {
      this.#home.report(error, this.name);
      return true;
    }
  }

  relink(): void {
    try {
      this.#rest.relink();
    } catch (error) {
      this.#home.report(error, this.name);
    }
  }

  /** Loads or builds it if need be, and empties it before if it was invalidated elsewhere. */
  *ready(): Steps<void> {
    if (this.#state === 'ready' && !this.isCurrent()) yield* this.#notice();
    yield* wait(this.open());
  }

  /** Saves what has changed; a shelf with a save hook in any case. Throws `SHELF_UNSAVED`. */
  *save(): Steps<void> {
    this.requireOpen();
    if (this.#rest.isForeign) yield* wait(this.open());
    yield* wait(this.#save());
  }

  *saveIfReady(): Steps<void> {
    if (this.#state === 'ready') yield* this.save();
  }

  #save(): Awaitable<void> {
    const done = this.#saves.save();
    if (isPromise(done)) this.#savesLater = true;
    return done;
  }

  /** Where it fails everybody has been told, and it is tried again. */
  #saveQuietly(): void {
    try {
      const done = this.#save();
      if (isPromise(done)) done.catch(ignore);
    } catch {
      // As above.
    }
  }

  *#write(): Steps<void> {
    const contents = this.#contents;
    if (this.#state !== 'ready' || !this.#rest.keeps) return;
    if (contents.size === 0 && this.#options.saveEmpty === false) return;
    if (contents.changes === 0 && (this.#isUnbuilt || !this.#rest.isBehind)) return;
    const generation = this.#generation;
    const isWanted = (): boolean => generation === this.#generation;
    this.#autosync?.began();
    this.#writes++;
    try {
      const saved = yield* wait(this.#rest.save(contents, isWanted));
      if (saved.kind === 'moved') return yield* this.#notice();
      if (saved.kind === 'dropped' || !isWanted()) return;
      this.conflicts += saved.conflicts.length;
      for (const conflict of saved.conflicts) this.signals.emit('conflict', conflict);
      this.signals.emit('saved', { written: saved.written, removed: saved.removed });
      if (saved.failures.length > 0) throw saved.failures[0];
      this.#autosync?.succeeded();
    } catch (error) {
      if (!isWanted()) return;
      const failure = unsaved(this.name, error);
      this.#autosync?.failed();
      this.report(failure);
      throw failure;
    }
  }

  *#notice(): Steps<void> {
    try {
      yield* this.#home.notice(this.name);
    } catch (error) {
      this.#home.report(error, this.name);
    }
  }

  report(error: FlecheError): void {
    if (!this.signals.emit('error', error)) this.#home.report(error, this.name);
  }

  /** Gives up what has not been saved and loads what is kept. */
  *revert(): Steps<void> {
    this.requireOpen();
    if (this.#opening !== undefined) yield* wait(this.#opening);
    if (this.#saves.isBusy) yield* wait(this.#saves.idle());
    this.drop();
    yield* wait(this.open());
  }

  /** Takes over what others have saved; keeps what has not been saved here. */
  *reload(): Steps<void> {
    if (this.#state === 'idle') return yield* wait(this.open());
    this.requireOpen();
    const generation = this.#generation;
    let writes: number;
    let found: Loaded<K, V>;
    do {
      if (this.#saves.isBusy) yield* wait(this.#saves.idle());
      writes = this.#writes;
      found = yield* wait(load(this.name, this.#rest, this.#options.validate));
      // What was saved meanwhile is not in what was read.
    } while (writes !== this.#writes && generation === this.#generation);
    if (generation !== this.#generation || found.kind === 'moved' || found.kind === 'stale') {
      if (found.kind === 'moved') yield* this.#notice();
      if (found.kind === 'stale') yield* this.#empty();
      return yield* wait(this.open());
    }
    if (found.kind === 'unknown' || found.kind === 'refused') return;
    this.#contents.merge(found.kind === 'found' ? found.entries : []);
    this.signals.emit('loaded', { size: this.#contents.size, from: 'rest' });
  }

  /** Removes what is kept; the contents in memory stay. */
  *deletePersisted(): Steps<void> {
    this.requireOpen();
    if (this.#saves.isBusy) yield* wait(this.#saves.idle());
    try {
      this.#rest.erase();
    } catch (error) {
      throw unsaved(this.name, error);
    }
    yield* wait(this.#options.delete?.(this.name));
  }

  erase(): Awaitable<unknown> {
    const hook = this.#options.delete;
    if (hook === undefined) return undefined;
    return this.#saves.isBusy ? this.#saves.idle().then(() => hook(this.name)) : hook(this.name);
  }

  /** Saves unless it is told to discard, then gives the name free. Throws `SHELF_UNSAVED`, and then it is still open. */
  *close(discard: boolean): Steps<void> {
    if (this.#state === 'closed') return;
    if (this.#opening !== undefined) yield* wait(this.#opening.catch(ignore));
    let edits: number;
    do {
      edits = this.#edits;
      if (discard) yield* wait(this.#saves.isBusy ? this.#saves.idle() : undefined);
      else if (this.unsaved > 0 || this.#saves.isBusy) yield* wait(this.#save());
    } while (edits !== this.#edits && !discard);
    this.drop();
    this.#state = 'closed';
    this.#home.released(this.name);
  }

  saveAtIdle(): void {
    // Once for the same edits: a save that fails must not keep the process from ending.
    if (!this.#savesLater || this.unsaved === 0 || this.#editsAtEnd === this.#edits) return;
    this.#editsAtEnd = this.#edits;
    this.#saveQuietly();
  }

  saveAtExit(): void {
    if (!this.#savesLater && this.unsaved > 0) this.#saveQuietly();
  }
}
