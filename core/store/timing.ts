/** Time that only moves forward, and calls that come later. */

export interface Timing {
  /** ms since some moment; never goes back, whatever happens to the clock on the wall. */
  now(): number;
  /** Calls after `ms`, unless the function it returns is called before. Does not keep the process alive. */
  after(ms: number, call: () => void): () => void;
}

/** The longest that a timer of Node can wait, ms. */
const LONGEST = 2 ** 31 - 1;

export const systemTiming: Timing = {
  now: () => performance.now(),
  after(ms, call) {
    // A call that comes too early is told by the clock that it did.
    const timer = setTimeout(call, Math.min(ms, LONGEST));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
