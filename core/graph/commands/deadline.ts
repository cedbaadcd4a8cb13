/** A signal that follows another one, and is aborted by itself when a time is over. */

/** Node calls a timer that is longer at once, ms. */
const LONGEST = 2 ** 31 - 1;

export class Deadline {
  /** Aborted by the other signal or by the timer; undefined without a time, where the other signal says it all. */
  readonly #controller: AbortController | undefined;
  readonly #outer: AbortSignal;
  readonly #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  readonly #follow = (): void => this.#controller?.abort();

  /** Without `ms` the time is never over. `close` must be called in the end. */
  constructor(outer: AbortSignal, ms: number | undefined) {
    this.#outer = outer;
    if (ms === undefined) return;
    this.#controller = new AbortController();
    if (outer.aborted) this.#controller.abort();
    outer.addEventListener('abort', this.#follow, { once: true });
    this.#timer = setTimeout(
      () => {
        this.#isOver = !outer.aborted;
        this.#follow();
      },
      Math.min(ms, LONGEST),
    );
  }

  get signal(): AbortSignal {
    return this.#controller?.signal ?? this.#outer;
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
