/** What can be done with a memoised function besides calling it. */
import { type Awaitable, chain, isPromise } from '../../base/awaitable.ts';
import { digest } from '../../base/digest.ts';
import { FlecheError } from '../../base/errors.ts';
import type { Key } from '../../base/hash.ts';
import { Ref } from '../../base/ref.ts';
import type { CallRecord } from '../../store/record.ts';
import type { BaseCache } from '../caches/base-cache.ts';
import { activeCache, activeCollectors, currentScope, inScope } from '../context.ts';
import { nearestCall } from '../explain.ts';
import { tellInvalidated } from '../follower.ts';
import { QueryIterator } from '../query/query.ts';
import { QueryCall } from '../query/query-call.ts';
import { atOnce, collector, pour } from '../query/sequence.ts';
import { controlsOf } from './answering/controls.ts';
import { ignore } from './answering/making.ts';
import { type Question, requireArgument, THIS } from './answering/question.ts';
import { type Entry, entriesOf, statsOf } from './entries.ts';
import type { AnyFunction } from './function/function-identity.ts';
import type { Memo } from './memo.ts';
import type { Explanation, Helpers, PendingCall, QueryOptions } from './memoised.ts';

/** The cache that calls of the function use now. */
function cacheOf({ identity }: Memo): BaseCache {
  const cache = activeCache();
  return identity.isAsync ? cache : cache.atOnce;
}

function forgetFlights(memo: Memo): number {
  return memo.forgetFlights(cacheOf(memo));
}

/** The helpers of one function; of a method, about `receiver`. */
export function helpersOf(memoOf: () => Memo, fn: AnyFunction, receiver: object | undefined): Helpers<AnyFunction> {
  const answered = <T>(memo: Memo, answer: Awaitable<T>): Awaitable<T> =>
    memo.identity.isAsync ? answer : atOnce(answer, () => answersLater(memo));
  const asking = <T>(
    args: readonly unknown[],
    then: (question: Question, cache: BaseCache, memo: Memo) => Awaitable<T>,
  ): Awaitable<T> => {
    const memo = memoOf();
    const cache = cacheOf(memo);
    const question = memo.question(cache, receiver, args);
    return answered(
      memo,
      chain(question, (question) => then(question, cache, memo)),
    );
  };
  const query = (args: Readonly<Record<string, unknown>> = {}, options: QueryOptions = {}): QueryIterator => {
    const memo = memoOf();
    const template = new QueryCall({ ...options, ...identityTerms(memo), arguments: named(memo, receiver, args) });
    return QueryIterator.of(cacheOf(memo), template, memo.identity.isAsync ? 'any' : 'at-once');
  };
  /** All calls on file, whatever version of the function made them and whatever became of them. */
  const everyCall = (): QueryIterator => {
    const memo = memoOf();
    const { name, module } = memo.identity;
    const template = { kind: 'function', name, module, outcome: 'any', arguments: named(memo, receiver, {}) } as const;
    return QueryIterator.of(cacheOf(memo), new QueryCall(template), memo.identity.isAsync ? 'any' : 'at-once');
  };
  const entries = (): Awaitable<readonly Entry[]> => {
    const memo = memoOf();
    const cache = cacheOf(memo);
    const listed = chain(everyCall().toArray(), (calls) =>
      entriesOf(
        memo,
        cache,
        calls.map(({ record }) => record),
      ),
    );
    return answered(memo, listed);
  };
  return {
    original: fn,
    call: (...args) => asking(args, (question, _, memo) => pending(question, memo)),
    digest: (...args) => asking(args, ({ key }) => key),
    contains: (...args) => asking(args, ({ key }, cache) => cache.contains(key)),
    load: (...args) => asking(args, ({ key }, cache, memo) => load(memo, cache, key)),
    ref: (...args) => asking(args, ({ key }, cache, memo) => ref(memo, cache, key, receiver, args)),
    query: query as unknown as Helpers<AnyFunction>['query'],
    rerun: (...args) => inScope({ rerun: new Set<Key>() }, () => memoOf().invoke(receiver, args)),
    bind: () => {
      const scope = currentScope();
      const settings = { cache: activeCache(scope), collectors: activeCollectors(scope) };
      return (...args) => inScope(settings, () => memoOf().invoke(receiver, args));
    },
    explain: (...args) => asking(args, (question, cache, memo) => explain(memo, cache, question)),
    precache: (args, result) => {
      const memo = memoOf();
      return answered(
        memo,
        chain(memo.file(cacheOf(memo), receiver, args, result), () => result),
      );
    },
    with: (options) => {
      const controls = controlsOf(options);
      return function (this: unknown, ...args) {
        return memoOf().invoke(receiver ?? this, args, controls);
      };
    },
    clear: (...args) => {
      const memo = memoOf();
      const cache = cacheOf(memo);
      const one = ({ key }: Question): Awaitable<number> => {
        memo.disown(cache, key);
        return chain(cache.evict(key), Number);
      };
      if (args.length === 0) memo.disown(cache);
      const removed = args.length === 0 ? everyCall().evict() : asking(args, one);
      return answered(
        memo,
        chain(removed, (count) => {
          const flushed = cache.flush();
          const told = tellInvalidated(memo.identity);
          if (memo.identity.isAsync) return chain(flushed, () => chain(told, () => count));
          // A cache that answers at once has written it by now; it is other work that it still waits for.
          if (isPromise(flushed)) flushed.catch(ignore);
          if (isPromise(told)) cache.track(told);
          return count;
        }),
      );
    },
    onInvalidate: (listener) => memoOf().following.onInvalidate(() => listener()),
    clearBeingCalculated: () => forgetFlights(memoOf()),
    entries,
    stats: () => {
      const memo = memoOf();
      const cache = cacheOf(memo);
      return answered(
        memo,
        chain(entries(), (entries) => statsOf(memo, cache, entries)),
      );
    },
    cacheLocation: () => activeCache().location,
  };
}

function answersLater({ identity }: Memo): FlecheError {
  return new FlecheError('CACHE_ASYNC', `${identity.name} is synchronous, and this cache answers later`, {
    hint: 'Ask the cache itself, make the function async, or use a cache that answers at once.',
  });
}

function pending(question: Question, { identity }: Memo): PendingCall {
  const values = Object.fromEntries(question.arguments.map(({ name, value }) => [name, value]));
  return { key: question.key, name: identity.name, module: identity.module, arguments: values };
}

function load(memo: Memo, cache: BaseCache, key: Key): Awaitable<unknown> {
  return chain<unknown, unknown>(memo.stored(cache, key), (found) => {
    const { name } = memo.identity;
    const stored = found as Awaited<ReturnType<Memo['stored']>>;
    if (stored.found) return stored.value;
    throw new FlecheError('CALL_UNKNOWN', `no answer of ${name} is on file under ${key}`, {
      hint: 'Call the function to make it.',
    });
  });
}

function ref(memo: Memo, cache: BaseCache, key: Key, receiver: unknown, args: readonly unknown[]): Awaitable<Ref> {
  const known = (): Awaitable<Ref | undefined> =>
    chain(cache.lookup(key), (record) => (record?.result == null ? undefined : new Ref(record.result.digest)));
  return chain(known(), (found) => {
    if (found !== undefined) return found;
    const made = memo.invoke(receiver, args) as Awaitable<unknown>;
    return chain(made, (value) => chain(known(), (found) => found ?? new Ref(digest(value, 'result'))));
  });
}

function identityTerms({ identity }: Memo): Pick<QueryCall['template'], 'kind' | 'name' | 'module' | 'version'> {
  const { name, module, version } = identity;
  return { kind: 'function', name, module, version };
}

/** Checks the names of a query's arguments; of a method that looks at its instance, that one is asked for too. */
function named(
  memo: Memo,
  receiver: object | undefined,
  args: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  for (const name of Object.keys(args)) {
    if (name !== THIS && !/^\d+$/.test(name)) requireArgument(memo.identity, name);
    if (!memo.ignores(name)) continue;
    throw new FlecheError(
      'USAGE',
      `the argument "${name}" of ${memo.identity.name} is ignored, so it is on no record`,
      {
        hint: 'Ask without it.',
      },
    );
  }
  const isAbout = receiver !== undefined && memo.identity.usesThis && !memo.ignores(THIS);
  return isAbout ? { [THIS]: receiver, ...args } : { ...args };
}

function explain(memo: Memo, cache: BaseCache, question: Question): Awaitable<Explanation> {
  const { key } = question;
  return chain(cache.lookup(key), (own): Awaitable<Explanation> => {
    if (own === undefined) return explainMiss(memo, cache, question);
    const known = (verdict: Explanation['verdict']): Explanation => ({ key, verdict, changes: [], nearest: key });
    if (own.failure !== null) return known('failed');
    return chain(memo.stored(cache, key), ({ found }) => {
      if (!found) return known('lost');
      return known(memo.freshnessOf(own).state === 'expired' ? 'expired' : 'cached');
    });
  });
}

/** How many of the newest records are looked at: enough for `nearestCall`. */
const NEWEST = 32;

function explainMiss(memo: Memo, cache: BaseCache, question: Question): Awaitable<Explanation> {
  const { key } = question;
  const records: CallRecord[] = [];
  const { take, end } = collector(records);
  const sink = { take: (record: CallRecord) => chain(take(record), () => records.length < NEWEST), end };
  return chain(pour(cache.find({ kind: 'function', name: memo.identity.name }), sink), (): Explanation => {
    const nearest = nearestCall(records, memo.parts(question));
    if (nearest === undefined) return { key, verdict: 'never-made', changes: [], nearest: null };
    return { key, verdict: 'stale', changes: nearest.changes, nearest: nearest.record.key };
  });
}
