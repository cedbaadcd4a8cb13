/** Waiting for those who must answer at once: the thread stands still, so only for what is over in a moment. */

const SLEEPER = new Int32Array(new SharedArrayBuffer(4));

/** Blocks this thread for so many ms. */
export function pause(ms: number): void {
  Atomics.wait(SLEEPER, 0, 0, ms);
}
