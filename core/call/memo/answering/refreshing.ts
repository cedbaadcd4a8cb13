/**
 * Answers that are made anew behind the callers' backs: one attempt at a time for each key, and after a failed one none
 * until some time has passed, longer after each failure. The cache knows of every attempt, so that it can wait for it.
 */
import type { Awaitable } from '../../../base/awaitable.ts';
import type { Key } from '../../../base/hash.ts';
import type { BaseCache } from '../../caches/base-cache.ts';
import type { Tally } from '../../metrics/metrics.ts';
import { Flights } from '../turns/flights.ts';

/** How long after the first failure there is no other attempt, and the longest that this grows to, ms. */
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 5 * 60_000;
/** Of so many keys failures are remembered; of the oldest they are forgotten. */
const MOST_FAILURES = 1000;

interface Failure {
  readonly pause: number;
  readonly until: number;
}

interface RefreshingOptions {
  /** ms since the epoch. */
  readonly now: () => number;
  readonly tally: Tally;
  readonly onFailure: (error: unknown) => void;
}

export class Refreshing {
  readonly #options: RefreshingOptions;
  readonly #attempts = new Flights();
  readonly #failures = new Map<Key, Failure>();

  constructor(options: RefreshingOptions) {
    this.#options = options;
  }

  /** Makes an attempt in the next turn, unless one is under way or put off. `refresh` says whether it made the call. */
  begin(cache: BaseCache, key: Key, refresh: () => Awaitable<boolean>): void {
    if (this.#attempts.of(cache, key) !== undefined || this.#options.now() < (this.#failures.get(key)?.until ?? 0))
      return;
    const attempt = this.#attempt(key, refresh);
    this.#attempts.track(cache, key, attempt);
    cache.track(attempt);
  }

  async #attempt(key: Key, refresh: () => Awaitable<boolean>): Promise<void> {
    const { counts } = this.#options.tally;
    await nextTurn();
    try {
      if (await refresh()) counts.refreshes++;
      this.#failures.delete(key);
    } catch (error) {
      counts.refreshFailures++;
      this.#putOff(key);
      this.#options.onFailure(error);
    }
  }

  #putOff(key: Key): void {
    const before = this.#failures.get(key)?.pause;
    const pause = before === undefined ? FIRST_PAUSE : Math.min(before * 2, LONGEST_PAUSE);
    this.#failures.delete(key);
    this.#failures.set(key, { pause, until: this.#options.now() + pause });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MOST_FAILURES && oldest !== undefined) this.#failures.delete(oldest);
  }
}

/** So that the caller is not kept waiting by what the call does before it first waits itself. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
