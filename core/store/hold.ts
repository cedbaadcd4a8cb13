/**
 * Holding a lease while something is calculated: waiting for one that another process holds, saying now and then that
 * this process lives, giving it back. A dead holder on this machine is noticed at the next look, at most 50 ms later.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Acquired, Lease, LeaseStore } from './leases.ts';
import { isAbandoned, noteGivenBack, noteHeld } from './owner.ts';
import { pause, steadyNow } from './pause.ts';

export interface HoldOptions {
  /** The clock by which leases are renewed, ms since the epoch. */
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
  /** What a former holder left. */
  readonly note: Uint8Array | undefined;
  /** Gives the lease back. Leaves a note, if one is given. */
  release(note?: Uint8Array): void;
}

/** Looks begin this close together and grow to the longest distance, ms. */
const FIRST_LOOK = 2;
const LONGEST_LOOK = 50;

/** Takes the lease if nobody has it, without waiting; else tells who does. */
export function tryHold(leases: LeaseStore, name: string, now: () => number): Held | { readonly holder: Lease } {
  const acquired = leases.acquire(name, (holder) => isAbandoned(holder, now()));
  return acquired.kind === 'acquired' ? keep(leases, acquired, false) : { holder: acquired.lease };
}

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
  for (let wait = attempt.next(); wait !== undefined; wait = attempt.next()) pause(wait);
  return attempt.held;
}

/** One try after the other, each with the time to wait before the next. */
class Attempt {
  held: Held | undefined;
  readonly #leases: LeaseStore;
  readonly #name: string;
  readonly #options: HoldOptions;
  /** By a clock that is never set. */
  #began: number | undefined;
  /** Who has to be waited for. */
  #holder: Lease | undefined;
  #pause = FIRST_LOOK;

  constructor(leases: LeaseStore, name: string, options: HoldOptions) {
    this.#leases = leases;
    this.#name = name;
    this.#options = options;
  }

  /** Tries. The ms to wait before trying again, or undefined when it is over, with or without the lease. */
  next(): number | undefined {
    const { waitMs, onWait } = this.#options;
    const at = steadyNow();
    const acquired = this.#isStillHeld() ? undefined : this.#acquire();
    if (acquired?.kind === 'acquired') {
      this.held = keep(this.#leases, acquired, this.#began !== undefined);
      return undefined;
    }
    if (acquired !== undefined) this.#holder = acquired.lease;
    if (this.#began === undefined) {
      this.#began = at;
      if (this.#holder !== undefined) onWait?.(this.#holder);
    }
    const left = waitMs === undefined ? LONGEST_LOOK : this.#began + waitMs - at;
    if (left <= 0) return undefined;
    const pause = Math.min(this.#pause, left);
    this.#pause = Math.min(this.#pause * 2, LONGEST_LOOK);
    return pause;
  }

  #acquire(): Acquired {
    return this.#leases.acquire(this.#name, (holder) => isAbandoned(holder, this.#options.now()));
  }

  /** Looking costs a tenth of trying, and keeps nobody from writing. */
  #isStillHeld(): boolean {
    if (this.#holder === undefined) return false;
    const holder = this.#leases.holder(this.#name);
    return holder?.token === this.#holder.token && !isAbandoned(holder, this.#options.now());
  }
}

/** Renews a lease until it is released. */
function keep(leases: LeaseStore, { lease, note }: Extract<Acquired, { kind: 'acquired' }>, waited: boolean): Held {
  noteHeld(lease);
  const beats = beatsOf(leases);
  beats.add(lease);
  return {
    lease,
    waited,
    note,
    release: (left) => {
      beats.delete(lease);
      noteGivenBack(lease);
      leases.release(lease, left);
    },
  };
}

/** Renews the leases of one store that are held here, all at a time, often enough that two beats may be missed. */
class Beats {
  readonly #leases: LeaseStore;
  readonly #held = new Set<Lease>();
  #timer: NodeJS.Timeout | undefined;

  constructor(leases: LeaseStore) {
    this.#leases = leases;
  }

  add(lease: Lease): void {
    this.#held.add(lease);
    this.#timer ??= setInterval(() => this.#beat(), lease.ttl / 3).unref();
  }

  delete(lease: Lease): void {
    this.#held.delete(lease);
    if (this.#held.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #beat(): void {
    try {
      this.#leases.together(() => {
        for (const lease of this.#held) this.#leases.renew(lease);
      });
    } catch {
      // They may be taken over then, which costs double work.
    }
  }
}

const known = new WeakMap<LeaseStore, Beats>();

function beatsOf(leases: LeaseStore): Beats {
  const beats = known.get(leases) ?? new Beats(leases);
  known.set(leases, beats);
  return beats;
}

/** Removes what holders that are gone have left behind. */
export function sweep(leases: LeaseStore, now: number): void {
  leases.clear((lease) => isAbandoned(lease, now));
}
