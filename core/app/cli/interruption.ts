/**
 * What happens on Ctrl-C and its like: the first time the work at hand is asked to stop, the second time the process
 * ends at once. So it does the first time if nobody who could stop is at work. Knows no signals of the system.
 */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #exit: (code: number) => void;
  #listened = false;
  #code: number | undefined;

  /** `exit` ends the process. */
  constructor(exit: (code: number) => void) {
    this.#exit = exit;
  }

  /** Aborted on the first interruption. Whoever asks for it promises to stop soon after. */
  get signal(): AbortSignal {
    this.#listened = true;
    return this.#controller.signal;
  }

  /** The exit code that the first interruption asked for; undefined if there was none. */
  get code(): number | undefined {
    return this.#code;
  }

  /** Interrupts; `code` is the exit code that goes with the cause. */
  interrupt(code: number): void {
    if (this.#code !== undefined || !this.#listened) {
      this.#exit(code);
      return;
    }
    this.#code = code;
    this.#controller.abort();
  }
}
