/**
 * What is done about trouble with a cache: nothing goes wrong for the caller, one warning of each kind is given, and
 * under `strict` it is an error instead. One for each memoised function.
 */
import { type Awaitable, isPromise } from '../base/awaitable.ts';
import { FlecheError, messageOf, systemCode } from '../base/errors.ts';

export class Trouble {
  readonly #who: string;
  readonly #strict: boolean;
  readonly #onWarning: (message: string) => void;
  readonly #warned = new Set<string>();

  constructor(who: string, strict: boolean, onWarning: (message: string) => void) {
    this.#who = who;
    this.#strict = strict;
    this.#onWarning = onWarning;
  }

  /** Does something with a cache. What goes wrong is trouble, and `otherwise` the outcome, unless it is `fatal`. */
  attempt<T>(act: () => Awaitable<T>, otherwise: T, fatal: (error: unknown) => boolean = never): Awaitable<T> {
    const failed = (error: unknown): T => {
      if (fatal(error)) throw error;
      this.meet(error);
      return otherwise;
    };
    try {
      const done = act();
      return isPromise(done) ? done.then(undefined, failed) : done;
    } catch (error) {
      return failed(error);
    }
  }

  /** As `attempt`, where the caller has something more important to throw. */
  attemptQuietly(act: () => Awaitable<void>): Awaitable<void> {
    try {
      const done = act();
      return isPromise(done) ? done.then(undefined, (error: unknown) => this.#warn(error)) : done;
    } catch (error) {
      this.#warn(error);
    }
  }

  /** Lets something finish that nobody waits for; it is too late for an error then. */
  detach(done: Awaitable<void>): void {
    this.attemptQuietly(() => done);
  }

  /** Throws the error under `strict`, else warns. That a cache is for reading only is no trouble: somebody wants it so. */
  meet(error: unknown): void {
    if (error instanceof FlecheError && error.code === 'CACHE_READ_ONLY') return;
    if (this.#strict) throw error;
    this.#warn(error);
  }

  /** One warning of each kind. */
  warnOnce(kind: string, message: string): void {
    if (this.#warned.has(kind)) return;
    this.#warned.add(kind);
    this.#onWarning(message);
  }

  #warn(error: unknown): void {
    const kind = error instanceof FlecheError ? error.code : (systemCode(error) ?? 'unknown');
    this.warnOnce(kind, `${this.#who}: the cache could not be used: ${messageOf(error)}`);
  }
}

const never = (): boolean => false;
