/** When a round begins after something has happened: almost at once after a save, after some quiet if more goes on. */
import type { Clock } from '../../base/clock.ts';

/** A save is more than one event, such as emptying a file and filling it: a round waits for so much quiet after it, ms. */
const QUIET_AFTER_SAVE = 2;
/** It waits no longer than this for a save that goes on, ms. */
const LONGEST_SAVE = 20;
/** As many paths can be one save; with more of them the round waits for so much quiet, ms. */
const SAVE = 8;
const QUIET = 50;
/** With more paths than this nobody counts any more, and the wait for quiet is longer. */
export const BURST = 1000;
const QUIET_AFTER_BURST = 100;
/** No wait for quiet is longer than this, ms. */
const LONGEST = 10_000;
/**
 * While somebody holds a lock there is more to come: a round begins when the lock is given back. Who holds one and changes
 * nothing for so long does something else meanwhile, such as waiting for a person, or is no more; nor does anybody change
 * files for ever. A lock that was waited for in vain is not waited for again. Between two looks at it some time passes, ms.
 */
const QUIET_UNDER_LOCK = 1000;
const LONGEST_UNDER_LOCK = 30_000;
const LOOK = 10;

export class Debounce {
  readonly #clock: Clock;
  readonly #begin: () => void;
  readonly #lock: () => string | undefined;
  /** The lock that was waited for in vain. */
  #stale: string | undefined;
  #since: number | undefined;
  #latest = 0;
  #count = 0;
  #cancel: () => void = () => {};

  /** `begin` is called when it is time. `lock` gives a mark of the lock of who changes many files, if one is there. */
  constructor(clock: Clock, begin: () => void, lock: () => string | undefined) {
    this.#clock = clock;
    this.#begin = begin;
    this.#lock = lock;
  }

  /** Something happened, at a path that was not counted yet or not. */
  happened(isNew: boolean): void {
    this.#latest = this.#clock.now();
    if (isNew) this.#count++;
    if (this.#since !== undefined) return;
    this.#since = this.#latest;
    this.#wait(QUIET_AFTER_SAVE);
  }

  /** Whether something happened that no round has begun for. */
  get isPending(): boolean {
    return this.#since !== undefined;
  }

  get isBurst(): boolean {
    return this.#count > BURST;
  }

  /** Begins in so many ms, or when `happened` and `hurry` say otherwise. */
  hold(ms: number): void {
    this.#since ??= this.#clock.now();
    this.#wait(ms);
  }

  /** Begins as if the first thing had happened just now. */
  hurry(): void {
    this.hold(QUIET_AFTER_SAVE);
  }

  /** Forgets what happened. */
  reset(): void {
    this.#cancel();
    this.#since = undefined;
    this.#count = 0;
  }

  #wait(ms: number): void {
    this.#cancel();
    this.#cancel = this.#clock.after(ms, () => this.#fire());
  }

  #fire(): void {
    const lock = this.#lock();
    const isLocked = lock !== undefined && lock !== this.#stale;
    const left = isLocked ? this.#left(QUIET_UNDER_LOCK, LONGEST_UNDER_LOCK) : this.#leftUnlocked();
    if (left > 0) return this.#wait(isLocked ? Math.min(left, LOOK) : left);
    if (isLocked) this.#stale = lock;
    this.#begin();
  }

  #leftUnlocked(): number {
    if (this.isBurst) return this.#left(QUIET_AFTER_BURST, LONGEST);
    return this.#count > SAVE ? this.#left(QUIET, LONGEST) : this.#left(QUIET_AFTER_SAVE, LONGEST_SAVE);
  }

  /** Time until there was so much quiet, or until so much has passed since the first event, ms. */
  #left(quiet: number, longest: number): number {
    const now = this.#clock.now();
    return Math.min(this.#latest + quiet, (this.#since ?? now) + longest) - now;
  }
}
