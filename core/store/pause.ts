/** Waiting for those who must answer at once: the thread stands still, so only for what is over in a moment. And time as they need it. */

const SLEEPER = new Int32Array(new SharedArrayBuffer(4));

/** Blocks this thread for so many ms. */
export function pause(ms: number): void {
  Atomics.wait(SLEEPER, 0, 0, ms);
}

/**
 * ms since some moment, by a clock that is never set. The clock of `performance` is the same; loading it takes Node 20 longer
 * than all that a short run measures with it.
 */
export function steadyNow(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}
