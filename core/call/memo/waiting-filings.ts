/**
 * Answers that are known in this process already and wait to be filed: filing takes processor time, of which there is
 * more when whoever asks is done asking. What waits when the process ends is lost, as if the call had not been made.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Awaitable, chain, isPromise } from '../../base/awaitable.ts';
import { digest } from '../../base/digest.ts';
import type { Key } from '../../base/hash.ts';
import type { CallRecord } from '../../store/record.ts';
import type { BaseCache } from '../caches/base-cache.ts';
import type { Trouble } from '../trouble.ts';

/** One answer: the record but for its result, which is worked out when it is written. */
export interface Filing {
  readonly cache: BaseCache;
  readonly record: Omit<CallRecord, 'result'>;
  readonly value: unknown;
  /** Asked when it is written; false drops it. */
  readonly holds: () => boolean;
}

/** Filed in one turn of the event loop; some milliseconds. */
const SLICE = 64;
/** More do not wait for the end: they may hold large texts. */
const MOST = 1000;

export class WaitingFilings {
  readonly #waiting = new Map<Key, Filing>();
  readonly #trouble: Trouble;
  #draining: Promise<void> | undefined;

  constructor(trouble: Trouble) {
    this.#trouble = trouble;
  }

  /** What waits under a key for this cache. */
  of(cache: BaseCache, key: Key): Filing | undefined {
    const filing = this.#waiting.get(key);
    return filing?.cache === cache ? filing : undefined;
  }

  add(filing: Filing): void {
    this.#waiting.set(filing.record.key, filing);
    if (this.#waiting.size > MOST) void this.drain();
  }

  /** Files everything, and what is added meanwhile, between other things that happen. */
  drain(): Promise<void> {
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = undefined;
    });
    return this.#draining;
  }

  async #drain(): Promise<void> {
    const caches = new Set<BaseCache>();
    // Whoever asks for it does not wait for the first slice.
    await nextTurn();
    while (this.#waiting.size > 0) {
      let left = SLICE;
      for (const filing of this.#waiting.values()) {
        caches.add(filing.cache);
        const written = this.#trouble.attempt(() => write(filing), undefined);
        if (isPromise(written)) await written;
        // A later answer to the same call may have taken its place.
        const { key } = filing.record;
        if (this.#waiting.get(key) === filing) this.#waiting.delete(key);
        if (--left === 0) break;
      }
      await nextTurn();
    }
    for (const cache of caches) await this.#trouble.attempt(() => cache.flush(), undefined);
  }
}

function write({ cache, record, value, holds }: Filing): Awaitable<void> {
  if (!holds()) return;
  return chain(cache.keep(value, digest(value, 'answer')), (result) =>
    chain(cache.file({ ...record, result }), () => {}),
  );
}
