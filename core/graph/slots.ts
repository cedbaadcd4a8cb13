/** A number of places for running tasks. A freed place is handed to the first waiter, never put back and raced for. */
export class Slots {
  #free: number;
  readonly #waiting: ((granted: boolean) => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Takes a place if one is free at once. */
  tryTake(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  /** Resolves true with a place, which the caller must release, or false once `signal` is aborted. */
  take(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    if (this.tryTake()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(settle), 1);
        resolve(false);
      };
      const settle = (granted: boolean): void => {
        signal.removeEventListener('abort', onAbort);
        resolve(granted);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(settle);
    });
  }

  release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next(true);
  }
}
