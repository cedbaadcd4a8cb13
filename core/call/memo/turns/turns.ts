/**
 * Whose turn it is to make a call, among the processes that share a cache. One makes it; the others wait, and find its
 * answer, filed or handed over. What goes wrong with the leases costs double work and one warning, and nothing else.
 */
import { messageOf } from '../../../base/errors.ts';
import type { Key } from '../../../base/hash.ts';
import { type Held, hold, holdSync, tryHold } from '../../../store/hold.ts';
import type { Lease } from '../../../store/leases.ts';
import { SELF } from '../../../store/owner.ts';
import type { BaseCache } from '../../caches/base-cache.ts';
import type { Exclusion } from '../../caches/cache-core.ts';
import type { Trouble } from '../../trouble.ts';
import { type Filed, handoverText, readHandover } from './handover.ts';

/** The turn to make a call. */
export interface Turn {
  /** Whether another process had it before. */
  readonly waited: boolean;
  /** What was handed over by those who had it before, if that is not committed yet. */
  readonly left: Filed | undefined;
  /** Makes visible what other processes filed. */
  refresh(): void;
  /** Ends the turn, once: later calls do nothing. An answer that was filed is handed over. */
  end(filed?: Filed): void;
}

/** `free`: there is nobody to wait for, or no way to know. `timeout`: waiting was given up. */
export type Waited = Turn | 'free' | 'timeout';

interface TurnOptions {
  readonly name: string;
  readonly module: string | null;
  /** Whether turns are taken at all. */
  readonly enabled: boolean;
  /** ms; undefined: as long as the other one lives. */
  readonly waitMs: number | undefined;
  readonly trouble: Trouble;
}

export class Turns {
  readonly #options: TurnOptions;
  readonly #prefix: string;

  constructor(options: TurnOptions) {
    this.#options = options;
    this.#prefix = `call ${JSON.stringify([options.module, options.name])} `;
  }

  /** Takes the turn if nobody has it. `taken`: another process has it. */
  try(cache: BaseCache, key: Key): Turn | 'free' | 'taken' {
    const exclusion = this.exclusionOf(cache);
    if (exclusion === undefined) return 'free';
    return this.#guarded<Turn | 'free' | 'taken'>('free', () => {
      const tried = tryHold(exclusion.leases, this.#prefix + key, exclusion.now);
      if ('lease' in tried) return this.#turn(exclusion, tried);
      // Waiting for itself a process would wait for ever.
      return tried.holder.owner.id === SELF.id ? 'free' : 'taken';
    });
  }

  /** Waits for the turn, blocking the thread. */
  wait(cache: BaseCache, key: Key): Waited {
    const exclusion = this.exclusionOf(cache);
    // Somebody may be waiting for a call that goes on only when this thread does.
    if (exclusion === undefined || floating > 0) return 'free';
    const { waitMs } = this.#options;
    return this.#guarded<Waited>('free', () =>
      this.#taken(exclusion, holdSync(exclusion.leases, this.#prefix + key, { now: exclusion.now, waitMs })),
    );
  }

  /** Waits for the turn. */
  async waitLater(cache: BaseCache, key: Key): Promise<Waited> {
    const exclusion = this.exclusionOf(cache);
    if (exclusion === undefined) return 'free';
    const { waitMs } = this.#options;
    try {
      const options = { now: exclusion.now, waitMs };
      return this.#taken(exclusion, await hold(exclusion.leases, this.#prefix + key, options));
    } catch (error) {
      return this.#without('free', error);
    }
  }

  #taken(exclusion: Exclusion, held: Held | undefined): Turn | 'timeout' {
    return held === undefined ? 'timeout' : this.#turn(exclusion, held);
  }

  #turn(exclusion: Exclusion, held: Held): Turn {
    let ended = false;
    return {
      waited: held.waited,
      left: held.note === undefined ? undefined : readHandover(held.note),
      refresh: () => exclusion.refresh(),
      end: (filed) => {
        if (ended) return;
        ended = true;
        this.#guarded(undefined, () => {
          held.release(filed === undefined ? undefined : handoverText(filed));
          if (filed !== undefined) forgetWhenVisible(exclusion, held.lease, this.#options.trouble);
        });
      },
    };
  }

  /** Keys of the calls that some process is making now. */
  underWay(cache: BaseCache): ReadonlySet<string> {
    const leases = this.exclusionOf(cache)?.leases.list() ?? [];
    return new Set(leases.filter(this.#isOwn).map(({ name }) => name.slice(this.#prefix.length)));
  }

  /** Takes the turn from everybody who has one. Returns from how many. */
  clear(cache: BaseCache): number {
    return this.exclusionOf(cache)?.leases.clear(this.#isOwn) ?? 0;
  }

  readonly #isOwn = ({ name }: Lease): boolean => name.startsWith(this.#prefix);

  exclusionOf(cache: BaseCache): Exclusion | undefined {
    return this.#options.enabled ? this.#guarded(undefined, () => cache.exclusion) : undefined;
  }

  #guarded<T>(otherwise: T, act: () => T): T {
    try {
      return act();
    } catch (error) {
      return this.#without(otherwise, error);
    }
  }

  #without<T>(otherwise: T, error: unknown): T {
    const { trouble, name } = this.#options;
    trouble.warnOnce(
      'leases',
      `${name}: other processes cannot be heard of (${messageOf(error)}); calls may be made twice`,
    );
    return otherwise;
  }
}

/** Turns of this thread whose calls go on when the event loop does. */
let floating = 0;

/** Notes that a call under way needs the event loop, until it is settled. */
export function float(call: Promise<unknown>): void {
  floating++;
  const land = (): void => void floating--;
  call.then(land, land);
}

/** Leases whose notes are to be forgotten after the next commit. */
const handedOver = new WeakMap<object, Lease[]>();

/** Once an answer can be seen by all, what was handed over is of no use any more. */
function forgetWhenVisible({ leases, whenVisible }: Exclusion, lease: Lease, trouble: Trouble): void {
  const waiting = handedOver.get(leases);
  if (waiting !== undefined) {
    waiting.push(lease);
    return;
  }
  const all = [lease];
  handedOver.set(leases, all);
  whenVisible(() => {
    handedOver.delete(leases);
    trouble.attemptQuietly(() => leases.forget(all));
  });
}
