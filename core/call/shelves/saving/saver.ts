/**
 * Saves a shelf: when it is asked to, when edits have waited long enough, and when the process ends. One save at a time,
 * and what fails is tried again. Knows nothing of how things are kept.
 */
import { type Awaitable, isPromise } from '../../../base/awaitable.ts';
import type { Clock } from '../../../base/clock.ts';
import type { FlecheError } from '../../../base/errors.ts';
import { run, type Steps, wait } from '../../../base/steps.ts';
import type { Backing } from '../backing/backing.ts';
import type { Contents } from '../backing/contents.ts';
import { unsaved } from '../shelf-errors.ts';
import type { Signals } from '../signals.ts';
import { Autosync } from './autosync.ts';
import { AUTOSYNC, type Band } from './edit-ages.ts';
import { SingleSave } from './single-save.ts';

interface SaverOptions<K, V> {
  readonly name: string;
  readonly contents: Contents<K, V>;
  readonly backing: Backing<K, V>;
  readonly signals: Signals<K, V>;
  readonly clock: Clock;
  readonly autosync: readonly Band[] | false | undefined;
  /** Whether there is anything to be saved now; asked before every save. */
  readonly isDue: () => boolean;
  /** The contents were invalidated elsewhere. Must not throw. */
  readonly notice: () => Steps<void>;
  readonly report: (error: FlecheError) => void;
}

const ignore = (): void => {};

export class Saver<K, V> {
  /** How often a change of somebody else was overwritten. */
  conflicts = 0;
  /** Edits so far. */
  edits = 0;
  /** Saves that were begun. */
  begun = 0;
  readonly #options: SaverOptions<K, V>;
  readonly #saves: SingleSave;
  readonly #autosync: Autosync | undefined;
  /** Whether saving takes time. */
  #isSlow: boolean;
  #editsAtIdle = -1;

  /** Throws as `checkBands`. */
  constructor(options: SaverOptions<K, V>) {
    const { backing, clock, autosync = AUTOSYNC } = options;
    this.#options = options;
    this.#saves = new SingleSave(() => run(this.#write()));
    if (backing.keeps && autosync !== false) this.#autosync = new Autosync(autosync, clock, () => this.saveQuietly());
    this.#isSlow = backing.isSlow;
  }

  /** Notes edits. May save. */
  edited(count: number): void {
    if (count === 0) return;
    this.edits += count;
    this.#autosync?.edited(count);
  }

  /** Saves everything that is there now. Throws `SHELF_UNSAVED`. */
  save(): Awaitable<void> {
    const done = this.#saves.save();
    if (isPromise(done)) this.#isSlow = true;
    return done;
  }

  /** As `save`; where it fails, everybody has been told, and it is tried again. */
  saveQuietly(): void {
    try {
      const done = this.save();
      if (isPromise(done)) done.catch(ignore);
    } catch {
      // As above.
    }
  }

  get isBusy(): boolean {
    return this.#saves.isBusy;
  }

  /** Waits for a save that is under way, whatever becomes of it. */
  idle(): Awaitable<void> {
    return this.#saves.isBusy ? this.#saves.idle() : undefined;
  }

  /** The contents are given up: there is nothing to save. */
  drop(): void {
    this.#autosync?.stop();
  }

  *#write(): Steps<void> {
    const { name, contents, backing, signals, isDue, notice, report } = this.#options;
    if (!backing.keeps || !isDue()) return;
    const { generation } = contents;
    const isWanted = (): boolean => generation === contents.generation;
    this.#autosync?.began();
    this.begun++;
    try {
      const saved = yield* wait(backing.save(contents, isWanted));
      if (saved.kind === 'moved') return yield* notice();
      if (saved.kind === 'dropped' || !isWanted()) return;
      this.conflicts += saved.conflicts.length;
      for (const conflict of saved.conflicts) signals.emit('conflict', conflict);
      signals.emit('saved', { written: saved.written, removed: saved.removed });
      if (saved.failures.length > 0) throw saved.failures[0];
      this.#autosync?.succeeded();
    } catch (error) {
      if (!isWanted()) return;
      const failure = unsaved(name, error);
      this.#autosync?.failed();
      report(failure);
      throw failure;
    }
  }

  /** Nothing is left for the process to do: the time for a save that takes some. */
  atIdle(): void {
    // Once for the same edits: a save that fails must not keep the process from ending.
    if (!this.#isSlow || this.#options.contents.changes === 0 || this.#editsAtIdle === this.edits) return;
    this.#editsAtIdle = this.edits;
    this.saveQuietly();
  }

  /** The last moment of the process: the time for a save that takes none. */
  atExit(): void {
    if (!this.#isSlow && this.#options.contents.changes > 0) this.saveQuietly();
  }
}
