/**
 * How old an answer may be. Age is counted from when the answer was filed; it never enters a key. Pure: whoever asks
 * brings the age along.
 */
import { parseDuration } from '../../../base/duration.ts';
import { FlecheError } from '../../../base/errors.ts';

/** Durations are `"1h30m"` or ms. */
export interface FreshnessOptions {
  /** An older answer is not served: the call is made anew. Default: answers never grow old. */
  readonly staleAfter?: string | number;
  /**
   * For how long after that an answer is served all the same, while a new one is made behind the caller's back; `true`:
   * for ever. Default: not at all.
   */
  readonly staleWhileRevalidate?: boolean | string | number;
  /** For how long after that an answer is served when making a new one failed; `true`: for ever. Default: not at all. */
  readonly staleIfError?: boolean | string | number;
}

/** What may be done with an answer: serve it, serve it while it is made anew, or not serve it. */
export type FreshnessState = 'fresh' | 'stale' | 'expired';

/** An answer that claims to be filed further in the future than clocks differ is of unknown age, ms. */
const CLOCKS_DIFFER = 60_000;

/** The age of an answer, ms. Infinite if it cannot be told. */
export function ageOf(filed: number, now: number): number {
  const age = now - filed;
  return age < -CLOCKS_DIFFER ? Number.POSITIVE_INFINITY : Math.max(0, age);
}

export class Freshness {
  /** ms; infinite where answers never grow old. */
  readonly staleAfter: number;
  readonly #whileRevalidate: number;
  readonly #ifError: number;

  /** Throws `INVALID_DURATION`, and `USAGE` for what has no meaning without `staleAfter`. */
  constructor({ staleAfter, staleWhileRevalidate, staleIfError }: FreshnessOptions) {
    this.staleAfter = staleAfter === undefined ? Number.POSITIVE_INFINITY : parseDuration(staleAfter);
    this.#whileRevalidate = grace('staleWhileRevalidate', staleWhileRevalidate, staleAfter);
    this.#ifError = grace('staleIfError', staleIfError, staleAfter);
  }

  /** Whether there are answers that are served while they are made anew. */
  get revalidates(): boolean {
    return this.#whileRevalidate > 0;
  }

  /** Whether there are answers that are served only when making a new one failed. */
  get forgives(): boolean {
    return this.#ifError > 0;
  }

  /** An older answer is never served to anybody, ms. */
  get horizon(): number {
    return this.staleAfter + Math.max(this.#whileRevalidate, this.#ifError);
  }

  /** What may be done with an answer of this age; one older than `maxAge` is expired whatever else is said. */
  state(age: number, maxAge: number = Number.POSITIVE_INFINITY): FreshnessState {
    if (!within(age, maxAge)) return 'expired';
    if (within(age, this.staleAfter)) return 'fresh';
    return age <= this.staleAfter + this.#whileRevalidate && this.revalidates ? 'stale' : 'expired';
  }

  /** Whether an answer of this age is served when making a new one failed. */
  servesOnError(age: number, maxAge: number): boolean {
    return this.forgives && within(age, maxAge) && age <= this.staleAfter + this.#ifError;
  }
}

/** A bound of 0 lets nothing through: the answer is to be made anew each time. */
export function within(age: number, bound: number): boolean {
  return age <= bound && bound > 0;
}

function grace(name: string, option: boolean | string | number | undefined, staleAfter: unknown): number {
  if (option === undefined || option === false) return 0;
  if (staleAfter === undefined) {
    throw new FlecheError('USAGE', `${name} has no meaning without staleAfter`, {
      hint: 'Say with staleAfter from when on an answer is old.',
    });
  }
  return option === true ? Number.POSITIVE_INFINITY : parseDuration(option);
}
