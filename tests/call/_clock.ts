/** A clock that stands still until it is moved. */
export interface Clock {
  ms: number;
  readonly now: () => number;
}

export const SECOND = 1000;
export const HOUR: number = 3600 * SECOND;

export function fakeClock(): Clock {
  const clock = { ms: 1_700_000_000_000, now: () => clock.ms };
  return clock;
}
