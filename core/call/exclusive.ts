/**
 * One process at a time makes a call. The others wait, look again, and find the answer, or make the call themselves if
 * the holder failed or was killed. What goes wrong with the leases costs double work and nothing else.
 */
import { type Awaitable, chain, isPromise } from '../base/awaitable.ts';
import { type Held, hold, holdSync } from '../store/hold.ts';
import { SELF } from '../store/owner.ts';
import type { CacheCore, Exclusion, Found } from './cache-core.ts';
import type { Trouble } from './trouble.ts';

export interface Exclusive {
  readonly cache: CacheCore;
  readonly exclusion: Exclusion;
  /** Of the lease. */
  readonly name: string;
  /** ms since the epoch. */
  readonly now: () => number;
  /** How long to wait for another process before making the call all the same, ms; undefined: as long as it lives. */
  readonly waitMs: number | undefined;
  readonly trouble: Trouble;
  /** Looks for the answer once more. */
  readonly again: () => Awaitable<Found>;
  readonly make: () => unknown;
}

/** Blocks the thread while another process makes the call. */
export function exclusively(call: Exclusive): unknown {
  if (isOwn(call)) return call.make();
  const { exclusion, name, now, waitMs, trouble } = call;
  const held = trouble.attempt((): Held | undefined => holdSync(exclusion.leases, name, { now, waitMs }), undefined);
  return isPromise(held) ? call.make() : answered(call, held);
}

export async function exclusivelyLater(call: Exclusive): Promise<unknown> {
  if (isOwn(call)) return call.make();
  const { exclusion, name, now, waitMs, trouble } = call;
  return answered(call, await trouble.attempt(() => hold(exclusion.leases, name, { now, waitMs }), undefined));
}

/** Whether this very process makes the call already: waiting for itself it would wait for ever. */
function isOwn({ exclusion, name, trouble }: Exclusive): boolean {
  const holder = trouble.attempt(() => exclusion.leases.holder(name), undefined);
  return !isPromise(holder) && holder?.owner.id === SELF.id;
}

function answered(call: Exclusive, held: Held | undefined): unknown {
  if (held === undefined) return call.make();
  let answer: unknown;
  try {
    answer = held.waited ? madeMeanwhile(call) : call.make();
  } catch (error) {
    release(call, held);
    throw error;
  }
  const done = (): void => release(call, held);
  if (isPromise(answer)) answer.then(done, done);
  else done();
  return answer;
}

function madeMeanwhile({ exclusion, again, make }: Exclusive): unknown {
  exclusion.refresh();
  return chain(again(), (found) => (found.found ? found.value : make()));
}

/** What was filed has to be visible to others before they look. */
function release({ cache, trouble }: Exclusive, held: Held): void {
  const freed = (): void => held.release();
  const flushed = trouble.attemptQuietly(() => cache.flush());
  if (isPromise(flushed)) flushed.then(freed, freed);
  else trouble.attemptQuietly(freed);
}
