/** Removing answers of one function that nobody may be served any more: now and then, behind the callers' backs. */
import type { BaseCache } from '../caches/base-cache.ts';
import { collect } from '../caches/transfer.ts';
import type { Trouble } from '../trouble.ts';
import { nextTurn } from './answering/refreshing.ts';
import type { FunctionIdentity } from './function/function-identity.ts';

interface PurgingOptions {
  readonly identity: FunctionIdentity;
  /** Time between two rounds, ms. */
  readonly everyMs: number;
  /** What is older is removed, ms. */
  readonly horizonMs: number;
  /** ms since the epoch. */
  readonly now: () => number;
  readonly trouble: Trouble;
}

export class Purging {
  readonly #options: PurgingOptions;
  /** When the next round of a cache is due, ms since the epoch. */
  readonly #due = new WeakMap<BaseCache, number>();

  constructor(options: PurgingOptions) {
    this.#options = options;
  }

  /** Begins a round if it is time, the first at the first call. The cache knows of it, so that it can wait for it. */
  look(cache: BaseCache): void {
    const { now, everyMs, trouble } = this.#options;
    const at = now();
    if (at < (this.#due.get(cache) ?? Number.NEGATIVE_INFINITY)) return;
    this.#due.set(cache, at + everyMs);
    cache.track(Promise.resolve(trouble.attemptQuietly(() => this.#purge(cache, at))));
  }

  async #purge(cache: BaseCache, now: number): Promise<void> {
    const { identity, horizonMs } = this.#options;
    await nextTurn();
    const { name, module } = identity;
    for (const record of await collect(cache.find({ kind: 'function', name, until: now - horizonMs }))) {
      // What was made anew meanwhile stays.
      const present = record.module === module ? await cache.lookup(record.key) : undefined;
      if (present?.filed === record.filed) await cache.evict(record.key);
    }
  }
}
