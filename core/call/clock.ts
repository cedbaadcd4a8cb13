/**
 * A clock whose every look is later than the one before, so that calls filed in one millisecond keep their order, unless
 * it is set back.
 */

/** The least step: a microsecond, which a double still tells apart in ms since the epoch. */
const STEP = 0.001;

/** A clock that is behind by more than this was set back, ms. It is followed: else nothing would grow old until it is there again. */
const SET_BACK = 1000;

/** Wraps a clock in ms; looks within its grain are told apart by fractions. */
export function increasing(now: () => number): () => number {
  let last = Number.NEGATIVE_INFINITY;
  return () => {
    const at = now();
    last = at < last - SET_BACK ? at : Math.max(at, last + STEP);
    return last;
  };
}
