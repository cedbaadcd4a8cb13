/**
 * The calls that match a template, as a lazy listing: nothing is asked of the cache until somebody looks, and each look
 * asks anew. Chained steps make further listings and load values only where they need them. Answers come at once from a
 * cache that answers at once, else as promises.
 */
import { type Awaitable, chain } from '../../base/awaitable.ts';
import { digest } from '../../base/digest.ts';
import { FlecheError } from '../../base/errors.ts';
import type { Digest } from '../../base/hash.ts';
import type { CallRecord } from '../../store/record.ts';
import type { CacheCore, Records } from '../caches/cache-core.ts';
import { type TransferOptions, type TransferReport, transferRecords } from '../caches/transfer.ts';
import { all } from '../references.ts';
import { byValue } from './compare.ts';
import { type Answer, LazyCall, type Signature } from './lazy-call.ts';
import type { Plan, QueryCall } from './query-call.ts';
import { atOnce, collector, type Listing, pour, type Sink, type Step, through, throughLater } from './sequence.ts';
import { type ArgumentName, type Row, type Table, type TableOptions, tableOf } from './table.ts';

/** What calls are told apart or ordered by: a function of the call, or the name of an argument. */
type CallKey<S extends Signature> = ArgumentName<S> | ((call: LazyCall<S>) => unknown);

export class QueryIterator<S extends Signature = Signature>
  implements Iterable<LazyCall<S>>, AsyncIterable<LazyCall<S>>
{
  readonly #cache: CacheCore;
  readonly #timing: S['timing'];
  readonly #open: () => Awaitable<Listing<LazyCall<S>>>;
  readonly #step: Step<LazyCall<S>, LazyCall<S>>;
  /** Whether calls come newest first, as caches list them. */
  readonly #newestFirst: boolean;

  /** `open` begins a listing; `timing` says whether an answer that comes later is an error (`CACHE_ASYNC`). */
  constructor(
    cache: CacheCore,
    timing: S['timing'],
    open: () => Awaitable<Listing<LazyCall<S>>>,
    step: Step<LazyCall<S>, LazyCall<S>> = (next) => next,
    newestFirst = true,
  ) {
    this.#cache = cache;
    this.#timing = timing;
    this.#open = open;
    this.#step = step;
    this.#newestFirst = newestFirst;
  }

  /** The calls of a cache that match a template, newest first. */
  static of<S extends Signature>(cache: CacheCore, query: QueryCall, timing: S['timing']): QueryIterator<S> {
    return new QueryIterator<S>(cache, timing, () =>
      chain(query.plan(cache), (plan) => (plan === undefined ? [] : listing<S>(cache, plan))),
    );
  }

  /** Throws `CACHE_ASYNC` if the cache answers later; `for await` works with any. */
  [Symbol.iterator](): Iterator<LazyCall<S>> {
    const listing = atOnce(this.#open(), late);
    if (Symbol.iterator in listing) return through(listing, this.#step, late);
    throw late();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<LazyCall<S>> {
    yield* throughLater(await this.#open(), this.#step);
  }

  filter(accepts: (call: LazyCall<S>) => Awaitable<boolean>): QueryIterator<S> {
    return this.#then((next) => ({
      take: (call) => chain(accepts(call), (accepted) => (accepted ? next.take(call) : true)),
      end: () => next.end(),
    }));
  }

  /** The first `count` calls. */
  take(count: number): QueryIterator<S> {
    return this.#then((next) => {
      let left = count;
      return {
        take: (call) => (left-- > 0 ? chain(next.take(call), (more) => more && left > 0) : false),
        end: () => next.end(),
      };
    });
  }

  /** All but the first `count` calls. */
  skip(count: number): QueryIterator<S> {
    return this.#then((next) => {
      let left = count;
      return { take: (call) => (left-- > 0 ? true : next.take(call)), end: () => next.end() };
    });
  }

  /** The first call of each key; keys are compared by digest. */
  unique(key: CallKey<S>): QueryIterator<S> {
    const keyOf = keyFunction(key);
    return this.#then((next) => {
      const seen = new Set<Digest>();
      return {
        take: (call) =>
          chain(keyOf(call), (value) => (seen.size === seen.add(digest(value, 'key')).size ? true : next.take(call))),
        end: () => next.end(),
      };
    });
  }

  /** In the order of `byValue`; by default oldest first. Equal calls stay in their order. */
  sorted(key?: CallKey<S>, options: { readonly descending?: boolean } = {}): QueryIterator<S> {
    const keyOf = key === undefined ? (call: LazyCall<S>): number => call.record.filed : keyFunction(key);
    const sign = options.descending ? -1 : 1;
    const step: Step<LazyCall<S>, LazyCall<S>> = (next) => {
      const calls: LazyCall<S>[] = [];
      const { take } = collector(calls);
      const sort = (keys: readonly unknown[]): Iterable<LazyCall<S>> =>
        calls
          .map((call, at) => ({ call, key: keys[at] }))
          .sort((a, b) => sign * byValue(a.key, b.key))
          .map(({ call }) => call);
      return { take, end: () => chain(all(calls.map(keyOf)), (keys) => pour(sort(keys), next)) };
    };
    return this.#then(step, false);
  }

  /** The one call there is. Throws `CALL_UNKNOWN` if there is none, `CALL_AMBIGUOUS` if there are more. */
  only(): Answer<S, LazyCall<S>> {
    return this.#answer(this.take(2).#calls(), ([call, other]) => {
      if (call === undefined)
        throw new FlecheError('CALL_UNKNOWN', 'no call on file matches', {
          hint: 'Make the call first, or ask with fewer terms; any() tells whether there is one.',
        });
      if (other === undefined) return call;
      throw new FlecheError('CALL_AMBIGUOUS', 'more than one call on file matches', {
        hint: 'Narrow the query, or take latest().',
      });
    });
  }

  any(): Answer<S, boolean> {
    return this.#answer(this.take(1).#calls(), ({ length }) => length > 0);
  }

  empty(): Answer<S, boolean> {
    return this.#answer(this.take(1).#calls(), ({ length }) => length === 0);
  }

  count(): Answer<S, number> {
    let count = 0;
    const counted = this.#pour({ take: () => ++count > 0, end: () => {} });
    return this.#answer(counted, () => count);
  }

  /** The call filed last, or undefined if there is none. */
  latest(): Answer<S, LazyCall<S> | undefined> {
    const calls = this.#newestFirst ? this.take(1) : this.sorted(undefined, { descending: true }).take(1);
    return this.#answer(calls.#calls(), ([call]) => call);
  }

  /** The call filed first, or undefined if there is none. */
  oldest(): Answer<S, LazyCall<S> | undefined> {
    return this.#answer(this.sorted().take(1).#calls(), ([call]) => call);
  }

  /** Listings of the calls as they are now, by key. Keys that are equal by digest are one. */
  groupBy<N extends ArgumentName<S>>(key: N): Answer<S, ReadonlyMap<S['arguments'][N], QueryIterator<S>>>;
  groupBy<K>(key: (call: LazyCall<S>) => Awaitable<K>): Answer<S, ReadonlyMap<K, QueryIterator<S>>>;
  groupBy(key: CallKey<S>): Answer<S, ReadonlyMap<unknown, QueryIterator<S>>> {
    const calls = this.#calls();
    const keys = chain(calls, (calls) => all(calls.map(keyFunction(key))));
    const grouped = chain(calls, (calls) => chain(keys, (keys) => groups(calls, keys)));
    return this.#answer(grouped, (groups) => new Map(groups.map(({ key, calls }) => [key, this.#fixed(calls)])));
  }

  toArray(): Answer<S, readonly LazyCall<S>[]> {
    return this.#answer(this.#calls(), (calls) => calls);
  }

  /** All results, loaded. Throws `CALL_UNKNOWN` for a call without a result, or whose result is gone. */
  results(): Answer<S, readonly S['result'][]> {
    const loaded = chain(this.#calls(), (calls) => all(calls.map((call): Awaitable<S['result']> => call.result)));
    return this.#answer(loaded, (results) => results);
  }

  /** Removes the calls from the cache; their values stay until a collection. Returns how many were removed. */
  evict(): Answer<S, number> {
    const evicted = chain(this.#calls(), (calls) => all(calls.map(({ key }) => this.#cache.evict(key))));
    return this.#answer(evicted, (evicted) => evicted.filter(Boolean).length);
  }

  /** Copies the calls to another cache, with everything they name. */
  async transfer(to: CacheCore, options: Omit<TransferOptions, 'terms' | 'filter'> = {}): Promise<TransferReport> {
    const calls = await this.#calls();
    return transferRecords(
      calls.map(({ record }) => record),
      this.#cache,
      to,
      options,
    );
  }

  /** One row a call. Arguments and results are loaded only where they are asked for. */
  table<const N extends ArgumentName<S> = never, R extends boolean = false>(
    options: TableOptions<N, R> = {},
  ): Answer<S, Table<Row<S, N, R>>> {
    return this.#answer(
      chain(this.#calls(), (calls) => tableOf(calls, options)),
      (table) => table,
    );
  }

  #then(step: Step<LazyCall<S>, LazyCall<S>>, newestFirst = this.#newestFirst): QueryIterator<S> {
    const before = this.#step;
    return new QueryIterator<S>(this.#cache, this.#timing, this.#open, (next) => before(step(next)), newestFirst);
  }

  #fixed(calls: readonly LazyCall<S>[]): QueryIterator<S> {
    return new QueryIterator<S>(this.#cache, this.#timing, () => calls, undefined, this.#newestFirst);
  }

  #pour(sink: Sink<LazyCall<S>>): Awaitable<void> {
    return chain(this.#open(), (listing) => pour(listing, this.#step(sink)));
  }

  #calls(): Awaitable<readonly LazyCall<S>[]> {
    const calls: LazyCall<S>[] = [];
    return chain(this.#pour(collector(calls)), () => calls);
  }

  #answer<T, A>(found: Awaitable<T>, answer: (found: T) => A): Answer<S, A> {
    const answered = chain(found, answer);
    return (this.#timing === 'at-once' ? atOnce(answered, late) : answered) as Answer<S, A>;
  }
}

function late(): FlecheError {
  return new FlecheError('CACHE_ASYNC', 'this cache answers later', {
    hint: 'Read it with for await, or await its answers: query the cache itself, or make the function async.',
  });
}

function keyFunction<S extends Signature>(key: CallKey<S>): (call: LazyCall<S>) => Awaitable<unknown> {
  return typeof key === 'function' ? key : (call) => call.arguments.get(key);
}

interface Group<S extends Signature> {
  readonly key: unknown;
  readonly calls: LazyCall<S>[];
}

function groups<S extends Signature>(calls: readonly LazyCall<S>[], keys: readonly unknown[]): readonly Group<S>[] {
  const found = new Map<Digest, Group<S>>();
  for (const [at, call] of calls.entries()) {
    const id = digest(keys[at], 'key');
    const group = found.get(id);
    if (group === undefined) found.set(id, { key: keys[at], calls: [call] });
    else group.calls.push(call);
  }
  return [...found.values()];
}

function listing<S extends Signature>(cache: CacheCore, { terms, accepts }: Plan): Listing<LazyCall<S>> {
  const records: Records = cache.find(terms);
  return Symbol.iterator in records ? lazyCalls(cache, records, accepts) : lazyCallsLater(cache, records, accepts);
}

function* lazyCalls<S extends Signature>(
  cache: CacheCore,
  records: Iterable<CallRecord>,
  accepts: Plan['accepts'],
): Generator<LazyCall<S>, void, undefined> {
  for (const record of records) if (accepts(record)) yield new LazyCall<S>(cache, record);
}

async function* lazyCallsLater<S extends Signature>(
  cache: CacheCore,
  records: AsyncIterable<CallRecord>,
  accepts: Plan['accepts'],
): AsyncGenerator<LazyCall<S>, void, undefined> {
  for await (const record of records) if (accepts(record)) yield new LazyCall<S>(cache, record);
}
