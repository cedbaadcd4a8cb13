/**
 * Memoisation of one function: asks, looks the answer up, and on a miss makes the call and files it. Synchronous
 * functions stay synchronous; whatever the function does with `this`, recursion, exceptions or changed arguments is as
 * without a cache. Trouble with the cache costs a run and one warning, unless the function is strict.
 */
import { type Awaitable, chain, isPromise } from '../base/awaitable.ts';
import { FlecheError, messageOf } from '../base/errors.ts';
import type { Key } from '../base/hash.ts';
import type { Part } from '../store/record.ts';
import type { BaseCache } from './base-cache.ts';
import { type Found, NOT_FOUND } from './cache-core.ts';
import { activeCache, activeCollectors, currentScope, type Scope } from './context.ts';
import { type Exclusive, exclusively, exclusivelyLater } from './exclusive.ts';
import { Filing, type Kept } from './filing.ts';
import { Flights } from './flights.ts';
import type { AnyFunction, FunctionIdentity } from './function-identity.ts';
import type { Collector } from './metadata.ts';
import { Notes } from './notes.ts';
import { ask, type Form, formOf, partsOf, type Question, requireArgument } from './question.ts';
import { all, completeRefs, containRef, loadRefs } from './references.ts';
import { Trouble } from './trouble.ts';

export interface MemoSettings {
  readonly ignore: readonly string[];
  /** Arguments without which a call is made uncached. */
  readonly require: readonly string[];
  /** Collectors beside those of the surroundings. */
  readonly meta: readonly Collector[];
  /** Cache trouble is an error. */
  readonly strict: boolean;
  /** One process at a time makes a call; how long others wait for it, ms (undefined: as long as it lives). */
  readonly exclusive: { readonly waitMs: number | undefined } | undefined;
  /** What a value without a faithful digest does: fail the call, or run it uncached with one warning. */
  readonly onIndigestible: 'throw' | 'run';
  readonly onWarning: (message: string) => void;
  /** ms since the epoch. */
  readonly now: () => number;
}

/** One call with what surrounds it. */
interface Asking {
  readonly cache: BaseCache;
  readonly scope: Scope;
  /** As they were when the call was made: a scope's settings can change while it is under way. */
  readonly collectors: readonly Collector[];
  readonly receiver: unknown;
  readonly args: readonly unknown[];
}

export class Memo {
  readonly identity: FunctionIdentity;
  readonly fn: AnyFunction;
  readonly #form: Form;
  readonly #settings: MemoSettings;
  readonly #filing: Filing;
  readonly #flights = new Flights();
  readonly #trouble: Trouble;

  /** Throws `USAGE` when settings name arguments that the function does not have. */
  constructor(fn: AnyFunction, identity: FunctionIdentity, settings: MemoSettings) {
    this.fn = fn;
    this.identity = identity;
    this.#form = formOf(identity, settings.ignore);
    this.#settings = settings;
    this.#filing = new Filing(this.#form, settings.now);
    this.#trouble = new Trouble(identity.name, settings.strict, settings.onWarning);
    for (const name of settings.require) requireArgument(identity, name);
  }

  /** A call with these arguments: from the cache, or made and filed. */
  invoke(receiver: unknown, args: readonly unknown[]): unknown {
    if (!this.identity.isAsync) return this.#invoke(receiver, args);
    try {
      const answer = this.#invoke(receiver, args);
      return isPromise(answer) ? answer : Promise.resolve(answer);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #invoke(receiver: unknown, args: readonly unknown[]): unknown {
    const scope = currentScope();
    const cache = activeCache(scope);
    const asking: Asking = { cache, scope, collectors: activeCollectors(scope), receiver, args };
    if (this.#settings.require.length > 0 && this.#lacksRequired(args)) return this.#runUncached(asking);
    let question: Awaitable<Question>;
    try {
      question = this.question(cache, receiver, args);
    } catch (error) {
      return this.#unasked(asking, error);
    }
    if (!isPromise(question)) return this.#answer(asking, question);
    return this.#awaited(question).then(
      (question) => this.#answer(asking, question),
      (error: unknown) => this.#unasked(asking, error),
    );
  }

  /** The question of a call; prefixes among its arguments are completed by the cache. */
  question(cache: BaseCache, receiver: unknown, args: readonly unknown[]): Awaitable<Question> {
    try {
      return ask(this.#form, receiver, args);
    } catch (error) {
      if (!isIndigestible(error) || !containRef(args)) throw error;
    }
    const complete = all(args.map((value) => completeRefs(cache, value)));
    return chain(complete, (values) => ask(this.#form, receiver, values));
  }

  /** The fingerprint of a question, in key order. */
  parts(question: Question): readonly Part[] {
    return partsOf(this.#form, question, []);
  }

  /** Whether an argument is left out of the key and the record. */
  ignores(name: string): boolean {
    return this.#form.ignored.has(name);
  }

  /** The stored answer to a question, if there is one that can be served. */
  stored(cache: BaseCache, key: Key): Awaitable<Found> {
    return chain(cache.lookup(key), (record) => {
      if (record === undefined || record.failure !== null || record.result === null) return NOT_FOUND;
      const found = cache.value(record.result.blob);
      return record.promised ? chain(found, promised) : found;
    });
  }

  /** Files an answer that no call has made, as if the call had just been made. */
  file(cache: BaseCache, receiver: unknown, args: readonly unknown[], answer: unknown): Awaitable<void> {
    const isPromised = this.identity.isAsync || isPromise(answer);
    return chain(this.question(cache, receiver, args), (question) => {
      const kept = this.#filing.keepArguments(cache, question);
      return chain(answer, (value) => this.#filing.result(cache, question, kept, {}, value, isPromised));
    });
  }

  /** Forgets which calls are under way, in this process and in others, so that the next caller of one makes it anew. */
  forgetFlights(cache: BaseCache): void {
    this.#flights.clear();
    cache.exclusion?.leases.clear(({ name }) => name.startsWith(this.#leaseName('')));
  }

  #answer(asking: Asking, question: Question): unknown {
    const { cache, scope } = asking;
    const { key } = question;
    if (scope.rerun !== undefined && !scope.rerun.has(key)) {
      scope.rerun.add(key);
      return this.#make(asking, question);
    }
    const flight = this.#flights.of(cache, key);
    if (flight !== undefined) return flight;
    const found = this.#trouble.attempt(() => this.stored(cache, key), NOT_FOUND);
    if (!isPromise(found)) return found.found ? found.value : this.#makeMissing(asking, question);
    if (!this.identity.isAsync) {
      found.then(ignore, ignore);
      this.#trouble.meet(this.#cannotWait());
      return this.#runUncached(asking);
    }
    const answer = found.then((found) => (found.found ? found.value : this.#makeMissing(asking, question)));
    return this.#flights.track(cache, key, answer);
  }

  /** Makes a call that is not on file, unless another process makes it meanwhile. */
  #makeMissing(asking: Asking, question: Question): unknown {
    const { exclusive, now } = this.#settings;
    const { cache } = asking;
    const exclusion = exclusive && this.#trouble.attempt(() => cache.exclusion, undefined);
    if (exclusion === undefined || isPromise(exclusion)) return this.#make(asking, question);
    const call: Exclusive = {
      cache,
      exclusion,
      name: this.#leaseName(question.key),
      now,
      waitMs: exclusive?.waitMs,
      trouble: this.#trouble,
      again: () => this.#trouble.attempt(() => this.stored(cache, question.key), NOT_FOUND),
      make: () => this.#make(asking, question),
    };
    if (!this.identity.isAsync) return exclusively(call);
    return this.#flights.track(cache, question.key, exclusivelyLater(call));
  }

  #leaseName(key: string): string {
    return `call ${JSON.stringify([this.identity.module, this.identity.name])} ${key}`;
  }

  /** Makes the call. Arguments are stored as they were passed, before the body can change them. */
  #make(asking: Asking, question: Question): unknown {
    const { cache, args } = asking;
    const kept = this.#trouble.attempt(() => this.#filing.keepArguments(cache, question), []);
    if (isPromise(kept)) kept.then(ignore, ignore);
    const given = this.#given(cache, args);
    if (!isPromise(given)) return this.#run(asking, question, kept, given);
    const answer = this.#awaited(given).then((given) => this.#run(asking, question, kept, given));
    return this.#flights.track(cache, question.key, answer);
  }

  #run(asking: Asking, question: Question, kept: Awaitable<Kept>, given: readonly unknown[]): unknown {
    const { cache, collectors, receiver } = asking;
    const trouble = this.#trouble;
    const notes = new Notes([...collectors, ...this.#settings.meta], this.identity, (error) => trouble.meet(error));
    const file = (value: unknown, isPromised: boolean): Awaitable<void> => {
      const metadata = notes.close();
      const filing = (): Awaitable<void> => this.#filing.result(cache, question, kept, metadata, value, isPromised);
      return trouble.attempt(filing, undefined, this.#isUnfit);
    };
    const fail = (error: unknown): Awaitable<void> => {
      const metadata = notes.close();
      return trouble.attemptQuietly(() => this.#filing.failure(cache, question, kept, metadata, error));
    };
    let result: unknown;
    try {
      result = this.fn.apply(receiver, given as unknown[]);
    } catch (error) {
      fail(error);
      throw error;
    }
    if (isPromise(result)) return this.#flights.track(cache, question.key, settled(result, file, fail));
    const filed = file(result, this.identity.isAsync);
    if (this.identity.isAsync) return chain(filed, () => result);
    trouble.detach(filed);
    return result;
  }

  /** Whether an error says that a result cannot be filed, and that matters. */
  readonly #isUnfit = (error: unknown): boolean =>
    this.#settings.onIndigestible === 'throw' &&
    (isIndigestible(error) || (error instanceof FlecheError && error.code === 'UNSTORABLE'));

  #lacksRequired(args: readonly unknown[]): boolean {
    const { name, parameters } = this.identity;
    const missing = this.#settings.require.find((required) => args[parameters.names.indexOf(required)] === undefined);
    if (missing === undefined) return false;
    this.#trouble.warnOnce(`require ${missing}`, `${name} was called without "${missing}", so the call is not cached`);
    return true;
  }

  #unasked(asking: Asking, error: unknown): unknown {
    if (!isIndigestible(error) || this.#settings.onIndigestible === 'throw') throw error;
    this.#trouble.warnOnce('INDIGESTIBLE', `${this.identity.name} is not cached: ${messageOf(error)}`);
    return this.#runUncached(asking);
  }

  #runUncached({ cache, receiver, args }: Asking): unknown {
    const given = this.#given(cache, args);
    if (!isPromise(given)) return this.fn.apply(receiver, given as unknown[]);
    return this.#awaited(given).then((given) => this.fn.apply(receiver, given as unknown[]));
  }

  /** The arguments as the body gets them: what references name in place of the references. */
  #given(cache: BaseCache, args: readonly unknown[]): Awaitable<readonly unknown[]> {
    return containRef(args) ? all(args.map((value) => loadRefs(cache, value))) : args;
  }

  /** Something that has to be waited for, if the function's callers do wait. */
  #awaited<T>(later: Promise<T>): Promise<T> {
    if (this.identity.isAsync) return later;
    later.then(ignore, ignore);
    throw this.#cannotWait();
  }

  #cannotWait(): FlecheError {
    return new FlecheError('CACHE_ASYNC', `${this.identity.name} is synchronous, and this cache answers later`, {
      hint: 'Make the function async (or say so with async: true), or use a cache that answers at once.',
    });
  }
}

const ignore = (): void => {};

function promised(found: Found): Found {
  return found.found ? { found: true, value: Promise.resolve(found.value) } : found;
}

function isIndigestible(error: unknown): boolean {
  return error instanceof FlecheError && error.code === 'INDIGESTIBLE';
}

/** The outcome of a promise, given out once it is filed. */
async function settled(
  result: Promise<unknown>,
  file: (value: unknown, isPromised: boolean) => Awaitable<void>,
  fail: (error: unknown) => Awaitable<void>,
): Promise<unknown> {
  let value: unknown;
  try {
    value = await result;
  } catch (error) {
    await fail(error);
    throw error;
  }
  await file(value, true);
  return value;
}
