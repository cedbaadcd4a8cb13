/**
 * A cache of this machine with shared tiers behind it, for memoised functions. What is not on file here is asked for
 * there, and filed here if it comes; what is filed here is sent there in the background. Functions that cannot wait use
 * the cache of this machine alone.
 */
import { type Awaitable, chain } from '../../base/awaitable.ts';
import type { Key } from '../../base/hash.ts';
import type { CallRecord } from '../../store/record.ts';
import type { BaseCache } from '../caches/base-cache.ts';
import { CacheView } from '../caches/views.ts';
import type { SharedAnswers } from './shared-answers.ts';

/** Shared answers with an end. */
export interface SharedLine extends SharedAnswers {
  /** Waits for what is being sent, at most as long as the tiers may take. */
  sent(): Promise<void>;
  /** The same, and gives up the rest. Rejects with `STORE_UNUSABLE` if a required tier was in trouble. */
  close(): Promise<void>;
}

export class SharedStack extends CacheView {
  readonly #shared: SharedLine;
  /** What was evicted here does not come back before it was made anew. */
  readonly #evicted = new Set<Key>();

  /** `shared` files what comes in `local`. */
  constructor(local: BaseCache, shared: SharedLine) {
    super(local);
    this.#shared = shared;
  }

  override get atOnce(): BaseCache {
    return this.inner.atOnce;
  }

  override lookup(key: Key): Awaitable<CallRecord | undefined> {
    return chain(this.inner.lookup(key), (record): Awaitable<CallRecord | undefined> => {
      if ((record !== undefined && record.failure === null) || this.#evicted.has(key)) return record;
      return this.#shared.ask(key).then((tier) => (tier === undefined ? record : this.inner.lookup(key)));
    });
  }

  override evict(key: Key): Awaitable<boolean> {
    this.#evicted.add(key);
    return this.inner.evict(key);
  }

  override evictAll(keys: Iterable<Key>): Awaitable<number> {
    const all = [...keys];
    for (const key of all) this.#evicted.add(key);
    return this.inner.evictAll(all);
  }

  override file(record: CallRecord): Awaitable<boolean> {
    return chain(this.inner.file(record), (taken) => {
      if (taken && record.failure === null) {
        this.#evicted.delete(record.key);
        this.#shared.push(record);
      }
      return taken;
    });
  }

  override flush(): Awaitable<void> {
    return this.flushed(() => chain(this.inner.flush(), () => this.#shared.sent()));
  }

  override async close(): Promise<void> {
    await this.idle();
    await this.#shared.close();
    await this.inner.close();
  }
}
