/** Notices that the event loop stood still: events may have been lost then. To be told when there is work. */
import type { Clock } from '../../base/clock.ts';

/** It stood still if a call comes so much too late, ms. */
const BEAT = 50;
const STALL = 100;

export class StallDetector {
  readonly #clock: Clock;
  readonly #isWorking: () => boolean;
  #isListening = false;
  #latest = Number.NEGATIVE_INFINITY;

  /** Listens for as long as `isWorking` says. */
  constructor(clock: Clock, isWorking: () => boolean) {
    this.#clock = clock;
    this.#isWorking = isWorking;
  }

  /** Whether it stood still a moment ago. */
  get isRecent(): boolean {
    return this.#clock.now() - this.#latest <= STALL;
  }

  listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    const began = this.#clock.now();
    this.#clock.after(BEAT, () => {
      const now = this.#clock.now();
      this.#isListening = false;
      if (now - began > BEAT + STALL) this.#latest = now;
      if (this.#isWorking()) this.listen();
    });
  }
}
