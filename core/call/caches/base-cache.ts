/** What people do with a cache, whatever kind it is: each operation in terms of the primitives. */
import { type Awaitable, chain } from '../../base/awaitable.ts';
import { encode } from '../../base/encode.ts';
import { FlecheError } from '../../base/errors.ts';
import type { Digest, Key } from '../../base/hash.ts';
import type { CallTerms } from '../../store/calls.ts';
import type { CallRecord, StoredValue } from '../../store/record.ts';
import { expand, expandKey, shrink } from '../prefix.ts';
import { LazyCall, type Signature } from '../query/lazy-call.ts';
import { QueryIterator } from '../query/query.ts';
import { QueryCall, type QueryTemplate } from '../query/query-call.ts';
import type { ArgumentName, Row, Table, TableOptions } from '../query/table.ts';
import type { CacheCore, Exclusion, Found, Records } from './cache-core.ts';
import { type Invalidatable, type InvalidateOptions, type Invalidation, invalidate } from './invalidation.ts';

export abstract class BaseCache implements CacheCore {
  readonly #work = new Set<Promise<unknown>>();
  abstract readonly location: string | undefined;
  abstract lookup(key: Key): Awaitable<CallRecord | undefined>;
  abstract value(blob: Digest): Awaitable<Found>;
  abstract target(value: Digest): Awaitable<Digest | undefined>;
  abstract keep(value: unknown, digest: Digest): Awaitable<StoredValue>;
  abstract bytes(blob: Digest): Awaitable<Uint8Array | undefined>;
  abstract keepBytes(blob: Digest, bytes: Uint8Array, value: Digest | null): Awaitable<void>;
  abstract file(record: CallRecord): Awaitable<boolean>;
  abstract evict(key: Key): Awaitable<boolean>;
  abstract evictAll(keys: Iterable<Key>): Awaitable<number>;
  abstract find(terms: CallTerms): Records;
  abstract keysMatching(prefix: string, limit: number): Awaitable<readonly Key[]>;
  abstract valuesMatching(prefix: string, limit: number): Awaitable<readonly Digest[]>;
  abstract flush(): Awaitable<void>;
  abstract close(): Awaitable<void>;

  /** The bytes in which this cache keeps a value. Throws `UNSTORABLE` for what has no encoding. */
  encode(value: unknown): Uint8Array {
    return encode(value);
  }

  /** Notes work on this cache that no caller waits for: `flush` and `close` do. */
  track(work: Promise<unknown>): void {
    const done = (): void => void this.#work.delete(work);
    this.#work.add(work);
    work.then(done, done);
  }

  /** Waits for work that no caller waits for. */
  protected idle(): Awaitable<void> {
    if (this.#work.size > 0) return Promise.allSettled(this.#work).then(() => this.idle());
  }

  /** Flushes at once, and once more after work that no caller waits for. */
  protected flushed(flush: () => Awaitable<void>): Awaitable<void> {
    const flushed = flush();
    return this.#work.size === 0 ? flushed : chain(flushed, () => chain(this.idle(), flush));
  }

  /** The part of it that answers at once, for functions that cannot wait: itself, if it has no other. */
  get atOnce(): BaseCache {
    return this;
  }

  /** How processes that share this cache keep out of each other's way; undefined where there is no way. */
  get exclusion(): Exclusion | undefined {
    return undefined;
  }

  /** Whether a successful call is on file under the key. */
  contains(key: Key): Awaitable<boolean> {
    return chain(this.lookup(key), (record) => record !== undefined && record.failure === null);
  }

  /** The call under a key or a unique prefix of one. Throws `CALL_UNKNOWN`, or what `expand` throws. */
  load(key: string): Awaitable<LazyCall> {
    return chain(expandKey(this, key), (complete) =>
      chain(this.lookup(complete), (record) => {
        if (record !== undefined) return new LazyCall(this, record);
        throw new FlecheError('CALL_UNKNOWN', `no call is on file under ${key}`, {
          hint: 'It was never made with this cache, or was evicted since.',
        });
      }),
    );
  }

  /** The calls that match a template, newest first; all successful ones by default. */
  query(template: QueryCall | QueryTemplate = {}): QueryIterator {
    return QueryIterator.of(this, template instanceof QueryCall ? template : new QueryCall(template), 'any');
  }

  /** All successful calls, one row each, newest first. */
  table<const N extends ArgumentName<Signature> = never, R extends boolean = false>(
    options: TableOptions<N, R> = {},
  ): Awaitable<Table<Row<Signature, N, R>>> {
    return this.query().table(options);
  }

  /**
   * Removes calls and, transitively, all that used what they made, in one step: a call by its key, the calls of a
   * function or task by name, those about a file by its path. Throws `CALL_UNKNOWN` for what is not on file.
   */
  invalidate(what: Invalidatable | readonly Invalidatable[], options?: InvalidateOptions): Promise<Invalidation> {
    return invalidate(this, what, options);
  }

  /** The one key or value digest that begins with `prefix` (at least four characters). */
  expand(prefix: string): Awaitable<Digest> {
    return expand(this, prefix);
  }

  /** The shortest prefix that names `digest` and nothing else here; it can become ambiguous later. */
  shrink(digest: Digest): Awaitable<string> {
    return shrink(this, digest);
  }
}
