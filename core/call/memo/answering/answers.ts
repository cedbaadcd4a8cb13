/** What is on file for the calls of one function, and what may be done with it. */
import { type Awaitable, chain, isPromise } from '../../../base/awaitable.ts';
import type { Key } from '../../../base/hash.ts';
import { decodeValue } from '../../../store/codecs/value-codec.ts';
import type { CallRecord } from '../../../store/record.ts';
import type { BaseCache } from '../../caches/base-cache.ts';
import { type Found, NOT_FOUND } from '../../caches/cache-core.ts';
import type { Trouble } from '../../trouble.ts';
import { Flights } from '../turns/flights.ts';
import { blobOf, type Filed } from '../turns/handover.ts';
import { ageOf, type Freshness, type FreshnessState, within } from './freshness.ts';

/** A record with what it is about: the value of a success, the error of a failure. */
export interface Entry {
  readonly record: CallRecord;
  /** Not looked for if nobody would be served it. */
  readonly found: Found;
}

export interface AnswersOptions {
  readonly freshness: Freshness;
  /** Whether an answer on file may be served; asked at every hit. */
  readonly validate: ((value: unknown, record: CallRecord) => Awaitable<boolean>) | undefined;
  /** ms since the epoch. */
  readonly now: () => number;
  readonly trouble: Trouble;
}

export class Answers {
  readonly #options: AnswersOptions;
  readonly #isEternal: boolean;
  /** Looks that take time, of caches that answer later: callers of the same moment share one. */
  readonly #looks = new Flights();

  constructor(options: AnswersOptions) {
    this.#options = options;
    this.#isEternal = options.freshness.staleAfter === Number.POSITIVE_INFINITY;
  }

  /** What is on file under a key. The value is looked for only if its age allows to serve it. */
  look(cache: BaseCache, key: Key): Awaitable<Entry | undefined> {
    const look = this.#looks.of(cache, key) as Promise<Entry | undefined> | undefined;
    if (look !== undefined) return look;
    const entry = chain(cache.lookup(key), (record) => {
      if (record === undefined) return undefined;
      return this.#state(record) === 'expired' ? { record, found: NOT_FOUND } : loaded(cache, record);
    });
    if (isPromise(entry)) this.#looks.track(cache, key, entry);
    return entry;
  }

  /** The successful call on file under a key with its value, however old. */
  last(cache: BaseCache, key: Key): Awaitable<Entry | undefined> {
    return chain(cache.lookup(key), (record) => {
      if (record === undefined || record.failure !== null || record.result === null) return undefined;
      return chain(loaded(cache, record), (entry) => (entry.found.found ? entry : undefined));
    });
  }

  /** What is on file, or was handed over if that is newer; failures with their errors. */
  newest(cache: BaseCache, key: Key, left: Filed | undefined): Awaitable<Entry | undefined> {
    return chain(cache.lookup(key), (record) => {
      if (
        left !== undefined &&
        left.record.key === key &&
        !(record !== undefined && record.filed > left.record.filed)
      ) {
        return left.bytes === null ? loaded(cache, left.record) : { record: left.record, found: decoded(left.bytes) };
      }
      return record === undefined ? undefined : loaded(cache, record);
    });
  }

  /** What may be done with an entry by a caller who wants nothing older than `maxAge` (ms). */
  state({ record, found }: Entry, maxAge: number): FreshnessState {
    return found.found ? this.#state(record, maxAge) : 'expired';
  }

  #state(record: CallRecord, maxAge = Number.POSITIVE_INFINITY): FreshnessState {
    if (record.failure !== null || record.result === null) return 'expired';
    if (this.#isEternal && maxAge === Number.POSITIVE_INFINITY) return 'fresh';
    return this.#options.freshness.state(this.age(record), maxAge);
  }

  /** Whether the function's own check lets an answer pass; one that throws does not. */
  isValid({ record, found }: Entry): Awaitable<boolean> {
    const { validate, trouble } = this.#options;
    if (validate === undefined || !found.found) return true;
    return trouble.attempt(() => validate(found.value, record), false);
  }

  /** Whether an answer is no older than its caller wants. */
  isWithin(entry: Entry, maxAge: number): boolean {
    return within(this.age(entry.record), maxAge);
  }

  /** ms. */
  age({ filed }: CallRecord): number {
    return ageOf(filed, this.#options.now());
  }
}

/** The value as the function hands it over: what was a promise is one again. */
export function handed({ record, found }: Entry): unknown {
  const value = found.found ? found.value : undefined;
  return record.promised ? Promise.resolve(value) : value;
}

function loaded(cache: BaseCache, record: CallRecord): Awaitable<Entry> {
  const blob = blobOf(record);
  if (blob === undefined) return { record, found: NOT_FOUND };
  return chain(cache.value(blob), (found) => ({ record, found }));
}

function decoded(bytes: Uint8Array): Found {
  try {
    return { found: true, value: decodeValue(bytes) };
  } catch {
    // A class that is not known to this process.
    return NOT_FOUND;
  }
}
