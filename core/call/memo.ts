/**
 * Memoisation of one function: asks, looks the answer up, and on a miss makes the call and files it. Synchronous
 * functions stay synchronous, whatever the function does with `this`, recursion, exceptions or mutated arguments is as
 * without a cache. Trouble with the cache costs a run and one warning, unless the function is strict.
 */
import { type Awaitable, chain, isPromise } from '../base/awaitable.ts';
import { digest } from '../base/digest.ts';
import { FlecheError, messageOf } from '../base/errors.ts';
import type { Key } from '../base/hash.ts';
import { Ref } from '../base/ref.ts';
import type { CallRecord, Metadata, Part, StoredValue } from '../store/record.ts';
import type { BaseCache } from './base-cache.ts';
import { type Found, NOT_FOUND } from './cache-core.ts';
import { activeCache, activeCollectors, currentScope, type Scope } from './context.ts';
import type { AnyFunction, FunctionIdentity } from './function-identity.ts';
import type { Collector, Fields } from './metadata.ts';
import {
  all,
  ask,
  completeRefs,
  containsRef,
  type Form,
  formOf,
  loadRefs,
  partsOf,
  type Question,
} from './question.ts';

export interface MemoSettings {
  readonly ignore: readonly string[];
  /** Arguments without which a call is made uncached. */
  readonly require: readonly string[];
  /** Collectors beside those of the surroundings. */
  readonly meta: readonly Collector[];
  /** Cache trouble is an error. */
  readonly strict: boolean;
  /** What a value without a faithful digest does: fail the call, or run it uncached with one warning. */
  readonly onIndigestible: 'throw' | 'run';
  readonly onWarning: (message: string) => void;
  /** ms since the epoch. */
  readonly now: () => number;
}

/** A function with the cache and scope its calls use. */
export class Memo {
  readonly identity: FunctionIdentity;
  readonly fn: AnyFunction;
  readonly #form: Form;
  readonly #settings: MemoSettings;
  readonly #inFlight = new Map<BaseCache, Map<Key, Promise<unknown>>>();
  readonly #warned = new Set<string>();

  constructor(fn: AnyFunction, identity: FunctionIdentity, settings: MemoSettings) {
    this.fn = fn;
    this.identity = identity;
    this.#form = formOf(identity, settings.ignore);
    this.#settings = settings;
  }

  /** A call with these arguments: from the cache, or made and filed. */
  invoke(receiver: unknown, args: readonly unknown[]): unknown {
    const scope = currentScope();
    const cache = activeCache(scope);
    if (this.#lacksRequired(args)) return this.fn.apply(receiver, args as unknown[]);
    let question: Awaitable<Question>;
    try {
      question = this.question(cache, receiver, args);
    } catch (error) {
      return this.#uncached(error, receiver, args);
    }
    if (isPromise(question)) return question.then((asked) => this.#answer(cache, scope, asked, receiver, args));
    return this.#answer(cache, scope, question, receiver, args);
  }

  /** The question of a call; prefixes among its arguments are completed by the cache. */
  question(cache: BaseCache, receiver: unknown, args: readonly unknown[]): Awaitable<Question> {
    try {
      return ask(this.#form, receiver, args);
    } catch (error) {
      if (!isIndigestible(error) || !args.some(containsRef)) throw error;
    }
    const complete = all(args.map((value) => completeRefs(cache, value)));
    return chain(complete, (values) => ask(this.#form, receiver, values));
  }

  /** The fingerprint of a question, in key order. */
  parts(question: Question): readonly Part[] {
    return partsOf(this.#form, question, []);
  }

  /** The stored answer to a question, if there is one that can be served. */
  stored(cache: BaseCache, key: Key): Awaitable<Found> {
    return chain(cache.lookup(key), (record) => {
      if (record === undefined || record.failure !== null || record.result === null) return NOT_FOUND;
      const found = cache.value(record.result.blob);
      return record.promised ? chain(found, promised) : found;
    });
  }

  #answer(cache: BaseCache, scope: Scope, question: Question, receiver: unknown, args: readonly unknown[]): unknown {
    if (scope.rerun !== undefined && !scope.rerun.has(question.key)) {
      scope.rerun.add(question.key);
      return this.#make(cache, scope, question, receiver, args);
    }
    const flight = this.#inFlight.get(cache)?.get(question.key);
    if (flight !== undefined) return flight;
    const found = this.#guarded(() => this.stored(cache, question.key), NOT_FOUND);
    if (!isPromise(found)) return found.found ? found.value : this.#make(cache, scope, question, receiver, args);
    return this.#once(cache, question.key, () =>
      found.then(
        (found) => (found.found ? found.value : this.#make(cache, scope, question, receiver, args)),
        (error: unknown) => {
          this.#trouble(error);
          return this.#make(cache, scope, question, receiver, args);
        },
      ),
    );
  }

  /** One execution a key: callers meanwhile share the promise, and its error. */
  #once(cache: BaseCache, key: Key, start: () => Promise<unknown>): Promise<unknown> {
    const flights = this.#inFlight.get(cache) ?? new Map<Key, Promise<unknown>>();
    this.#inFlight.set(cache, flights);
    const known = flights.get(key);
    if (known !== undefined) return known;
    const flight = start();
    flights.set(key, flight);
    const land = (): void => {
      flights.delete(key);
      if (flights.size === 0) this.#inFlight.delete(cache);
    };
    flight.then(land, land);
    return flight;
  }

  /** Makes the call. Arguments are stored as they were passed, before the body can change them. */
  #make(cache: BaseCache, scope: Scope, question: Question, receiver: unknown, args: readonly unknown[]): unknown {
    const { name, module } = this.identity;
    const facts = { name, module };
    const kept = this.#guarded(() => this.#keepArguments(cache, question), []);
    const given = args.some(containsRef) ? all(args.map((value) => loadRefs(cache, value))) : args;
    const collectors = [...activeCollectors(scope), ...this.#settings.meta];
    const before = collectors.map((collector) => collector.before(facts));
    const metadata = (): Metadata => collected(collectors, before, facts);
    const file = (result: unknown, promised: boolean): Awaitable<void> =>
      chain(kept, (kept) => this.#file(cache, question, kept, metadata(), result, promised));
    const fail = (error: unknown): Awaitable<void> =>
      chain(kept, (kept) => this.#fileFailure(cache, question, kept, metadata(), error));
    const run = (given: readonly unknown[]): unknown => {
      let result: unknown;
      try {
        result = this.fn.apply(receiver, given as unknown[]);
      } catch (error) {
        const filed = fail(error);
        if (isPromise(filed)) filed.catch((trouble: unknown) => this.#trouble(trouble));
        throw error;
      }
      if (!isPromise(result)) {
        const filed = file(result, false);
        return isPromise(filed) ? filed.then(() => result) : result;
      }
      return this.#once(cache, question.key, async () => {
        let value: unknown;
        try {
          value = await result;
        } catch (error) {
          await fail(error);
          throw error;
        }
        await file(value, true);
        return value;
      });
    };
    return isPromise(given) ? given.then(run) : run(given);
  }

  #keepArguments(cache: BaseCache, question: Question): Awaitable<readonly (StoredValue | null)[]> {
    return all(
      question.arguments.map(({ value, digest }) => {
        if (value instanceof Ref) {
          return chain(cache.target(digest), (blob) => (blob === undefined ? null : { digest, blob }));
        }
        try {
          return cache.keep(value, digest);
        } catch (error) {
          // A class that can be digested but not stored: the call is filed, this argument cannot be read back.
          if (error instanceof FlecheError && error.code === 'UNSTORABLE') return null;
          throw error;
        }
      }),
    );
  }

  #file(
    cache: BaseCache,
    question: Question,
    kept: readonly (StoredValue | null)[],
    metadata: Metadata,
    value: unknown,
    promised: boolean,
  ): Awaitable<void> {
    const save = (): Awaitable<void> =>
      chain(cache.keep(value, digest(value, 'result')), (result) =>
        chain(cache.file(this.#record(question, kept, metadata, { result, promised })), () => {}),
      );
    try {
      const saved = save();
      return isPromise(saved) ? saved.catch((error: unknown) => this.#notKept(error)) : saved;
    } catch (error) {
      this.#notKept(error);
    }
  }

  #fileFailure(
    cache: BaseCache,
    question: Question,
    kept: readonly (StoredValue | null)[],
    metadata: Metadata,
    error: unknown,
  ): Awaitable<void> {
    const failure = { message: messageOf(error), exitCode: null, signal: null };
    const record = this.#record(question, kept, metadata, { failure });
    const filed = this.#guarded(
      () =>
        chain(cache.lookup(question.key), (known) =>
          known === undefined || known.failure !== null ? chain(cache.file(record), () => {}) : undefined,
        ),
      undefined,
    );
    return isPromise(filed) ? filed.catch((trouble: unknown) => this.#trouble(trouble)) : filed;
  }

  #record(
    question: Question,
    kept: readonly (StoredValue | null)[],
    metadata: Metadata,
    answer: Partial<Pick<CallRecord, 'result' | 'failure' | 'promised'>>,
  ): CallRecord {
    const { name, module } = this.identity;
    return {
      key: question.key,
      kind: 'function',
      name,
      module,
      parts: partsOf(this.#form, question, kept),
      failure: null,
      result: null,
      promised: false,
      outputs: null,
      log: null,
      metadata,
      filed: this.#settings.now(),
      ...answer,
    };
  }

  #lacksRequired(args: readonly unknown[]): boolean {
    const { names } = this.identity.parameters;
    const missing = this.#settings.require.find((name) => args[names.indexOf(name)] === undefined);
    if (missing === undefined) return false;
    this.#warnOnce(`${this.identity.name} was called without "${missing}", so the call is not cached`);
    return true;
  }

  #uncached(error: unknown, receiver: unknown, args: readonly unknown[]): unknown {
    if (!isIndigestible(error) || this.#settings.onIndigestible === 'throw') throw error;
    this.#warnOnce(`${this.identity.name} is not cached: ${messageOf(error)}`);
    return this.fn.apply(receiver, args as unknown[]);
  }

  /** A result that was made but cannot be filed. */
  #notKept(error: unknown): void {
    const unfit = error instanceof FlecheError && (error.code === 'INDIGESTIBLE' || error.code === 'UNSTORABLE');
    if (unfit && this.#settings.onIndigestible === 'throw') throw error;
    this.#trouble(error);
  }

  #guarded<T>(ask: () => T, otherwise: T): T {
    try {
      return ask();
    } catch (error) {
      this.#trouble(error);
      return otherwise;
    }
  }

  #trouble(error: unknown): void {
    if (this.#settings.strict) throw error;
    this.#warnOnce(`${this.identity.name}: the cache could not be used: ${messageOf(error)}`);
  }

  #warnOnce(message: string): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.#settings.onWarning(message);
  }
}

function promised(found: Found): Found {
  return found.found ? { found: true, value: Promise.resolve(found.value) } : found;
}

function isIndigestible(error: unknown): boolean {
  return error instanceof FlecheError && error.code === 'INDIGESTIBLE';
}

function collected(
  collectors: readonly Collector[],
  before: readonly unknown[],
  facts: { name: string; module: string | null },
): Metadata {
  const metadata: Record<string, Fields> = {};
  for (const [at, collector] of collectors.entries()) {
    metadata[collector.name] = { ...metadata[collector.name], ...collector.after(before[at], facts) };
  }
  return metadata;
}
