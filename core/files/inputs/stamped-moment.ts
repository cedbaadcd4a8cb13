/**
 * Moments by the clock that stamps files, which is coarser than others and may be another machine's: what is changed after
 * a moment has a later stamp.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { stamped } from '../states/file-clock.ts';

/** The moments at which things begin, one after the other. Where they follow closely, several share an earlier moment. */
export class Moments {
  readonly #place: string;
  readonly #now: () => number;
  #last: Promise<number> | undefined;
  #next: Promise<number> | undefined;
  #taken = 0;

  /** A file is written to `place` to find out; `now` gives ms since some moment. */
  constructor(place: string, now: () => number) {
    this.#place = place;
    this.#now = now;
  }

  /** The latest moment that is known, ms since the epoch: this one, or a little before it. Only the first is waited for. */
  latest(): Promise<number> {
    if (this.#last !== undefined && this.#next === undefined && this.#now() - this.#taken > CLOSE) this.#take();
    this.#last ??= this.#take();
    return this.#last;
  }

  #take(): Promise<number> {
    this.#taken = this.#now();
    const next = stampedMoment(this.#place);
    this.#next = next;
    const settle = (): void => {
      this.#next = undefined;
    };
    next
      .then(
        () => {
          this.#last = next;
        },
        () => {},
      )
      .finally(settle);
    return next;
  }
}

/** What begins within this time after a moment shares it, ms. */
const CLOSE = 20;
/** A clock of a file system that stands still for longer is not waited for, ms. */
const MOST_WAIT = 60;
/** Then what was stamped within this time before the moment counts as later, ms. */
const COARSE_GRAIN = 2000;

/**
 * This moment by the clock that stamps files (ms since the epoch): whatever is changed from now on has a later stamp. A
 * file is written to `place` to find out. Waits for the clock's next tick, a few milliseconds as a rule.
 */
async function stampedMoment(place: string): Promise<number> {
  const now = stamp(place);
  for (let waited = 0; waited < MOST_WAIT; waited++) {
    if (stamp(place) > now) return now;
    await wait(1);
  }
  return now - COARSE_GRAIN;
}

function stamp(place: string): number {
  return stamped(place).ctimeMs;
}
