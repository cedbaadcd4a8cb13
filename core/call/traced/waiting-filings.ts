/**
 * Answers that are known in this process already and wait to be filed: filing takes processor time, of which there is
 * more when whoever asks is done asking. What waits when the process ends is lost, as if the call had not been made.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Awaitable, chain, isPromise } from '../../base/awaitable.ts';
import { digest } from '../../base/digest.ts';
import type { Key } from '../../base/hash.ts';
import type { CallRecord, StoredValue } from '../../store/record.ts';
import type { BaseCache } from '../caches/base-cache.ts';
import type { Trouble } from '../trouble.ts';

/** One answer: the record but for its result, which is worked out when it is written. */
export interface Filing {
  readonly cache: BaseCache;
  readonly record: Omit<CallRecord, 'result'>;
  /** The value as it is by now. */
  readonly value: () => object;
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
  readonly #renew: () => void;
  #draining: Promise<void> | undefined;

  /** `renew` is called before filings are asked whether they hold. */
  constructor(trouble: Trouble, renew: () => void) {
    this.#trouble = trouble;
    this.#renew = renew;
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

  /**
   * Files everything, and what is added meanwhile, between other things that happen. Nobody has to wait for it: whoever
   * flushes or closes one of the caches does.
   */
  drain(): Promise<void> {
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = undefined;
    });
    return this.#draining;
  }

  async #drain(): Promise<void> {
    const round: Round = new Map();
    const written = this.#writeAll(round);
    for (const cache of new Set([...this.#waiting.values()].map(({ cache }) => cache))) cache.track(written);
    await written;
    for (const cache of round.keys()) await this.#trouble.attempt(() => cache.flush(), undefined);
  }

  async #writeAll(round: Round): Promise<void> {
    // Whoever asks for it does not wait for the first slice.
    await nextTurn();
    while (this.#waiting.size > 0) {
      let left = SLICE;
      this.#renew();
      for (const filing of this.#waiting.values()) {
        const written = this.#write(filing, round);
        if (isPromise(written)) await written;
        if (--left === 0) break;
      }
      await nextTurn();
    }
  }

  #write(filing: Filing, round: Round): Awaitable<void> {
    const written = this.#trouble.attempt(() => write(filing, round), undefined);
    return chain(written, () => {
      // A later answer to the same call may have taken its place.
      const { key } = filing.record;
      if (this.#waiting.get(key) === filing) this.#waiting.delete(key);
    });
  }

  /** Files at once what waits, in caches that answer at once. */
  finish(): void {
    const round: Round = new Map();
    this.#renew();
    for (const filing of this.#waiting.values()) void this.#write(filing, round);
    for (const cache of round.keys()) void this.#trouble.attempt(() => cache.flush(), undefined);
  }
}

/** The caches that something was written to, with what each was given: many records may have the very same value. */
type Round = Map<BaseCache, WeakMap<object, StoredValue>>;

function write({ cache, record, value, holds }: Filing, round: Round): Awaitable<void> {
  const given = round.get(cache) ?? new WeakMap<object, StoredValue>();
  round.set(cache, given);
  if (!holds()) return;
  const answer = value();
  const kept = given.get(answer) ?? cache.keep(answer, digest(answer, 'answer'));
  return chain(kept, (result) => {
    given.set(answer, result);
    return chain(cache.file({ ...record, result }), () => {});
  });
}
