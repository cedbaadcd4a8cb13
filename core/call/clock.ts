/** A clock whose every look is later than the one before, so that calls filed in one millisecond keep their order. */

/** The least step: a microsecond, which a double still tells apart in ms since the epoch. */
const STEP = 0.001;

/** Wraps a clock in ms; looks within its grain are told apart by fractions. */
export function increasing(now: () => number): () => number {
  let last = Number.NEGATIVE_INFINITY;
  return () => {
    last = Math.max(now(), last + STEP);
    return last;
  };
}
