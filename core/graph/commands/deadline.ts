/** A signal that follows another one, and is aborted by itself when a time is over. */

/** Node calls a timer that is longer at once, ms. */
const LONGEST = 2 ** 31 - 1;

export class Deadline {
  readonly #outer: AbortSignal;
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  readonly #follow = (): void => this.#controller.abort();

  /** Without `ms` the time is never over. `close` must be called in the end. */
  constructor(outer: AbortSignal, ms: number | undefined) {
    this.#outer = outer;
    if (outer.aborted) this.#controller.abort();
    outer.addEventListener('abort', this.#follow, { once: true });
    if (ms === undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#isOver = !outer.aborted;
        this.#controller.abort();
      },
      Math.min(ms, LONGEST),
    );
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the time was over before the other signal was aborted. */
  get isOver(): boolean {
    return this.#isOver;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener('abort', this.#follow);
  }
}
