/** One save at a time: whoever asks while one is under way shares the next with all others who do. */
import { type Awaitable, isPromise } from '../../../base/awaitable.ts';

export class SingleSave {
  readonly #write: () => Awaitable<void>;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  /** `write` saves everything that is there when it is called. */
  constructor(write: () => Awaitable<void>) {
    this.#write = write;
  }

  /** Saves everything that is there now. */
  save(): Awaitable<void> {
    if (this.#running === undefined) return this.#start();
    this.#next ??= this.idle().then(() => {
      this.#next = undefined;
      return this.save();
    });
    return this.#next;
  }

  #start(): Awaitable<void> {
    const done = this.#write();
    if (!isPromise(done)) return;
    const settled = (): void => {
      this.#running = undefined;
    };
    this.#running = done.then(settled, settled);
    return done;
  }

  /** Settles when no save is under way; never rejects. */
  idle(): Promise<void> {
    return this.#running ?? Promise.resolve();
  }

  get isBusy(): boolean {
    return this.#running !== undefined;
  }
}
