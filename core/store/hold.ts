/**
 * Holding a lease while something is calculated: waiting for one that another process holds, saying now and then that
 * this process lives, giving it back. A dead holder on this machine is noticed at the next look, at most 50 ms later.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Lease, LeaseStore } from './leases.ts';
import { isAbandoned } from './owner.ts';

export interface HoldOptions {
  readonly now: () => number;
  /** Gives up waiting after this many ms. Default: never. */
  readonly waitMs?: number | undefined;
  /** Called once when another holder is found, before waiting for it. */
  readonly onWait?: ((holder: Lease) => void) | undefined;
}

/** A lease held by this process. */
export interface Held {
  readonly lease: Lease;
  /** Whether it had to be waited for: what was wanted may have been made meanwhile. */
  readonly waited: boolean;
  release(): void;
}

/** Looks begin this close together and grow to the longest distance, ms. */
const FIRST_LOOK = 2;
const LONGEST_LOOK = 50;

/** Takes the lease, waiting for its holder. Undefined once `signal` is aborted or the time to wait is over. */
export async function hold(
  leases: LeaseStore,
  name: string,
  options: HoldOptions & { readonly signal?: AbortSignal | undefined },
): Promise<Held | undefined> {
  const attempt = new Attempt(leases, name, options);
  for (let wait = attempt.next(); wait !== undefined; wait = attempt.next()) {
    if (options.signal?.aborted) return undefined;
    await delay(wait, undefined, options.signal === undefined ? {} : { signal: options.signal }).catch(() => {});
  }
  return attempt.held;
}

/** As `hold`, for a synchronous caller: blocks the thread while it waits. */
export function holdSync(leases: LeaseStore, name: string, options: HoldOptions): Held | undefined {
  const attempt = new Attempt(leases, name, options);
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  for (let wait = attempt.next(); wait !== undefined; wait = attempt.next()) Atomics.wait(sleeper, 0, 0, wait);
  return attempt.held;
}

/** One try after the other, each with the time to wait before the next. */
class Attempt {
  held: Held | undefined;
  readonly #leases: LeaseStore;
  readonly #name: string;
  readonly #options: HoldOptions;
  #began: number | undefined;
  #pause = FIRST_LOOK;

  constructor(leases: LeaseStore, name: string, options: HoldOptions) {
    this.#leases = leases;
    this.#name = name;
    this.#options = options;
  }

  /** Tries. The ms to wait before trying again, or undefined when it is over, with or without the lease. */
  next(): number | undefined {
    const { now, waitMs, onWait } = this.#options;
    const at = now();
    const acquired = this.#leases.acquire(this.#name, (holder) => isAbandoned(holder, now()));
    if (acquired.kind === 'acquired') {
      this.held = keep(this.#leases, acquired.lease, this.#began !== undefined);
      return undefined;
    }
    if (this.#began === undefined) {
      this.#began = at;
      onWait?.(acquired.lease);
    }
    const left = waitMs === undefined ? LONGEST_LOOK : this.#began + waitMs - at;
    if (left <= 0) return undefined;
    const pause = Math.min(this.#pause, left);
    this.#pause = Math.min(this.#pause * 2, LONGEST_LOOK);
    return pause;
  }
}

/** Renews a lease until it is released: often enough that two beats may be missed. */
function keep(leases: LeaseStore, lease: Lease, waited: boolean): Held {
  const beat = setInterval(() => leases.renew(lease), lease.ttl / 3);
  beat.unref();
  return {
    lease,
    waited,
    release: () => {
      clearInterval(beat);
      leases.release(lease);
    },
  };
}
