/** `fleche(fn)`: the public face of a memoised function, and its use as a method decorator. */
import { type Awaitable, chain } from '../base/awaitable.ts';
import { digest } from '../base/digest.ts';
import { DIGEST } from '../base/digestible.ts';
import { FlecheError } from '../base/errors.ts';
import type { Key } from '../base/hash.ts';
import { Ref } from '../base/ref.ts';
import { callerFile } from '../files/source-file.ts';
import type { CallRecord } from '../store/record.ts';
import type { BaseCache } from './base-cache.ts';
import { activeCache, currentScope, inScope } from './context.ts';
import { nearestCall, type PartChange } from './explain.ts';
import { type AnyFunction, type IdentityOptions, identityOf } from './function-identity.ts';
import { Memo, type MemoSettings } from './memo.ts';
import type { Collector } from './metadata.ts';
import type { Question } from './question.ts';

export interface FlecheOptions<Names extends string = string> extends IdentityOptions {
  /** Parameter names in order; taken from the source text when it is plain. They name arguments in keys and queries. */
  readonly args?: readonly Names[];
  /** Arguments that do not matter: left out of the key and of the record. */
  readonly ignore?: readonly Names[];
  /** Arguments without which a call is made uncached, with one warning. */
  readonly require?: readonly Names[];
  /** Metadata collectors beside those of the surroundings. */
  readonly meta?: readonly Collector[];
  /** Trouble with the cache is an error instead of a run and a warning. */
  readonly strict?: boolean;
  /** What an argument or result without a faithful digest does. Default: an error that names its path. */
  readonly onIndigestible?: 'throw' | 'run';
}

/** What helpers of a function give back: at once for a synchronous function, else as a promise. */
type Like<R, T> = R extends Promise<unknown> ? Promise<T> : T;

/** Why a call is, or is not, on file. */
export interface Explanation {
  readonly key: Key;
  readonly verdict: 'cached' | 'stale' | 'never-made';
  /** What differs from the nearest past call; empty when cached or never made. */
  readonly changes: readonly PartChange[];
  readonly nearest: Key | null;
}

/** A question without its answer. */
export interface PendingCall {
  readonly key: Key;
  readonly name: string;
  readonly module: string | null;
  /** Argument name to value, as they were passed. */
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** An argument, or a reference to a stored value in its place. */
export type OrRef<A extends readonly unknown[]> = { [I in keyof A]: A[I] | Ref };

export interface Helpers<A extends unknown[], R> {
  /** The call as it would be asked, without making it. */
  call(...args: OrRef<A>): Like<R, PendingCall>;
  /** The key of the call. */
  digest(...args: OrRef<A>): Like<R, Key>;
  /** Whether a successful call with these arguments is on file. */
  contains(...args: OrRef<A>): Like<R, boolean>;
  /** The stored result. Throws `CALL_UNKNOWN` if there is none. */
  load(...args: OrRef<A>): R;
  /** A reference to the result, made if needed, without loading it. */
  ref(...args: OrRef<A>): Like<R, Ref>;
  /** Makes the call anew, and every memoised call inside it, and files the answers. */
  rerun(...args: OrRef<A>): R;
  /** A function that always uses the cache and collectors that are active now. */
  bind(): (...args: OrRef<A>) => R;
  explain(...args: OrRef<A>): Like<R, Explanation>;
  /** The function without its cache. */
  readonly original: (...args: A) => R;
}

/** A memoised function: the same signature, and references are welcome in place of arguments. */
export interface Memoised<A extends unknown[], R> extends Helpers<A, R> {
  (...args: A): R;
  (...args: OrRef<A>): R;
}

type MethodDecorator = <A extends unknown[], R>(
  method: (...args: A) => R,
  context: ClassMethodDecoratorContext,
) => Memoised<A, R>;

/** Memoises a function. Throws `USAGE` for one without a name, `DUPLICATE_NAME` when another function has it. */
export function fleche<A extends unknown[], R>(fn: (...args: A) => R, options?: FlecheOptions): Memoised<A, R>;
/** Memoises a method: `@fleche class …`. The instance is an argument like any other, by its digest. */
export function fleche<A extends unknown[], R>(
  method: (...args: A) => R,
  context: ClassMethodDecoratorContext,
): Memoised<A, R>;
/** Memoises a method with options: `@fleche({ version: 2 })`. */
export function fleche(options: FlecheOptions): MethodDecorator;
export function fleche(
  first: AnyFunction | FlecheOptions,
  second?: FlecheOptions | ClassMethodDecoratorContext,
): Memoised<unknown[], unknown> | MethodDecorator {
  const file = callerFile(fleche);
  if (typeof first !== 'function') {
    return ((method: AnyFunction, context: ClassMethodDecoratorContext) =>
      memoiseMethod(method, context, first, file)) as MethodDecorator;
  }
  if (isDecoratorContext(second)) return memoiseMethod(first, second, {}, file);
  return wrap(memoOf(first, second ?? {}, file));
}

function isDecoratorContext(value: unknown): value is ClassMethodDecoratorContext {
  return typeof value === 'object' && value !== null && 'kind' in value && 'addInitializer' in value;
}

const registered = new Map<string, AnyFunction>();

function memoOf(fn: AnyFunction, options: FlecheOptions, file: string | undefined): Memo {
  const identity = identityOf(fn, options, file);
  const id = JSON.stringify([identity.module, identity.name]);
  const known = registered.get(id);
  if (known !== undefined && known !== fn) {
    throw new FlecheError(
      'DUPLICATE_NAME',
      `two memoised functions are called "${identity.name}" in ${identity.module ?? 'no module'}`,
      {
        hint: "Their answers would be filed as one function's. Give one of them another name: { name: '…' }.",
      },
    );
  }
  registered.set(id, fn);
  const settings: MemoSettings = {
    ignore: options.ignore ?? [],
    require: options.require ?? [],
    meta: options.meta ?? [],
    strict: options.strict ?? false,
    onIndigestible: options.onIndigestible ?? 'throw',
    onWarning: (message) => process.emitWarning(message, 'FlecheWarning'),
    now: Date.now,
  };
  return new Memo(fn, identity, settings);
}

/**
 * A method is replaced on its class's prototype by a getter as soon as there is an instance, so that helpers reached
 * through an object (`obj.compute.query(…)`) are about that object.
 */
function memoiseMethod(
  method: AnyFunction,
  context: ClassMethodDecoratorContext,
  options: FlecheOptions,
  file: string | undefined,
): Memoised<unknown[], unknown> {
  const name = options.name ?? String(context.name);
  const memo = memoOf(method, { ...options, name }, file);
  const wrapper = wrap(memo);
  const bound = new WeakMap<object, Memoised<unknown[], unknown>>();
  const boundTo = (receiver: object): Memoised<unknown[], unknown> => {
    const known = bound.get(receiver);
    if (known !== undefined) return known;
    const made = wrap(memo, receiver);
    bound.set(receiver, made);
    return made;
  };
  context.addInitializer(function (this: unknown) {
    for (let holder: unknown = this; holder !== null && holder !== undefined; holder = Object.getPrototypeOf(holder)) {
      const own = Object.getOwnPropertyDescriptor(holder, context.name);
      if (own === undefined) continue;
      if (own.value !== wrapper) return;
      Object.defineProperty(holder, context.name, {
        configurable: true,
        enumerable: false,
        get(this: object) {
          return this === holder ? wrapper : boundTo(this);
        },
      });
      return;
    }
  });
  return wrapper;
}

function wrap(memo: Memo, receiver?: object): Memoised<unknown[], unknown> {
  const invoke = function (this: unknown, ...args: unknown[]): unknown {
    return memo.invoke(receiver ?? this, args);
  };
  const { name } = memo.identity;
  Object.defineProperty(invoke, 'name', { value: name, configurable: true });
  Object.defineProperty(invoke, 'length', { value: memo.fn.length, configurable: true });
  Object.defineProperty(invoke, DIGEST, {
    value: () => [memo.identity.module, name, memo.identity.version, memo.identity.code],
  });
  return Object.assign(invoke, helpersOf(memo, receiver)) as unknown as Memoised<unknown[], unknown>;
}

/** The helpers of one function, about `receiver` for a method. Of an unbound method the instance is `this`. */
function helpersOf(memo: Memo, receiver: object | undefined): Helpers<unknown[], unknown> {
  const asking = <T>(args: unknown[], then: (key: Key, cache: BaseCache) => Awaitable<T>): Awaitable<T> => {
    const cache = activeCache();
    return chain(memo.question(cache, receiver, args), ({ key }) => then(key, cache));
  };
  const helpers = {
    original: memo.fn,
    call: (...args: unknown[]) =>
      chain(memo.question(activeCache(), receiver, args), (question): PendingCall => {
        const { name, module } = memo.identity;
        const values = Object.fromEntries(question.arguments.map(({ name, value }) => [name, value]));
        return { key: question.key, name, module, arguments: values };
      }),
    digest: (...args: unknown[]) => asking(args, (key) => key),
    contains: (...args: unknown[]) => asking(args, (key, cache) => cache.contains(key)),
    load: (...args: unknown[]) =>
      asking(args, (key, cache) =>
        chain(memo.stored(cache, key), (found) => {
          if (found.found) return found.value;
          throw new FlecheError('CALL_UNKNOWN', `no answer of ${memo.identity.name} is on file under ${key}`, {
            hint: 'Call the function to make it.',
          });
        }),
      ),
    ref: (...args: unknown[]) => {
      const refOf = (record: CallRecord | undefined): Ref | undefined =>
        record?.result == null ? undefined : new Ref(record.result.digest);
      return asking(args, (key, cache) =>
        chain(cache.lookup(key), (record) => {
          const known = refOf(record);
          return (
            known ??
            chain(memo.invoke(receiver, args) as Awaitable<unknown>, (value) => new Ref(digest(value, 'result')))
          );
        }),
      );
    },
    rerun: (...args: unknown[]) => inScope({ rerun: new Set<Key>() }, () => memo.invoke(receiver, args)),
    bind: () => {
      const { cache, collectors } = currentScope();
      const settings = { cache: cache ?? activeCache(), collectors };
      return (...args: unknown[]) => inScope(settings, () => memo.invoke(receiver, args));
    },
    explain: (...args: unknown[]) => {
      const cache = activeCache();
      return chain(memo.question(cache, receiver, args), (question) => explain(memo, cache, question));
    },
  };
  return helpers as unknown as Helpers<unknown[], unknown>;
}

function explain(memo: Memo, cache: BaseCache, question: Question): Awaitable<Explanation> {
  return chain(cache.lookup(question.key), (own) => {
    if (own !== undefined && own.failure === null) {
      return { key: question.key, verdict: 'cached' as const, changes: [], nearest: own.key };
    }
    const { name } = memo.identity;
    return chain(newest(cache.find({ kind: 'function', name })), (records): Explanation => {
      const nearest = nearestCall(records, memo.parts(question));
      if (nearest === undefined) return { key: question.key, verdict: 'never-made', changes: [], nearest: null };
      return { key: question.key, verdict: 'stale', changes: nearest.changes, nearest: nearest.record.key };
    });
  });
}

const COMPARED = 32;

/** The first records of a listing, at once if the listing is synchronous. */
function newest(records: AsyncIterable<CallRecord> | Iterable<CallRecord>): Awaitable<readonly CallRecord[]> {
  if (Symbol.iterator in records) return take(records);
  return (async () => {
    const found: CallRecord[] = [];
    for await (const record of records) {
      found.push(record);
      if (found.length === COMPARED) break;
    }
    return found;
  })();
}

function take(records: Iterable<CallRecord>): readonly CallRecord[] {
  const found: CallRecord[] = [];
  for (const record of records) {
    found.push(record);
    if (found.length === COMPARED) break;
  }
  return found;
}
