/** Time as those need it who wait: pure code is given a clock, and tests move it. */
export interface Clock {
  /** ms since some moment; never goes back, whatever happens to the clock on the wall. */
  now(): number;
  /** Calls once after `ms`, unless the returned function was called before. */
  after(ms: number, call: () => void): () => void;
}
