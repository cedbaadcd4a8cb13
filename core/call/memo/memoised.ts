/** The types of memoised functions: the function's own signature, references in place of arguments, and the helpers. */
import type { Awaitable } from '../../base/awaitable.ts';
import type { Key } from '../../base/hash.ts';
import type { Ref } from '../../base/ref.ts';
import type { CallRecord } from '../../store/record.ts';
import type { PartChange } from '../explain.ts';
import type { FOLLOWER, Follower } from '../follower.ts';
import type { Collector } from '../metadata.ts';
import type { Signature } from '../query/lazy-call.ts';
import type { QueryIterator } from '../query/query.ts';
import type { QueryTemplate } from '../query/query-call.ts';
import type { CallOptions } from './answering/controls.ts';
import type { FreshnessOptions } from './answering/freshness.ts';
import type { Entry, Stats } from './entries.ts';
import type { AnyFunction, IdentityOptions } from './function/function-identity.ts';

/** Names of a function's parameters in order, as far as the compiler knows them. */
export type Names = readonly string[];

/** What can be said about a function; `R` is what it returns, or what its promise gives. */
export interface FlecheOptions<N extends Names = Names, R = unknown> extends IdentityOptions, FreshnessOptions {
  /** Parameter names in order; taken from the source text when it is plain. They name arguments in keys and queries. */
  readonly args?: N;
  /** Arguments that do not matter: left out of the key and of the record. `this` is the instance of a method. */
  readonly ignore?: readonly (NoInfer<N>[number] | 'this')[];
  /** Arguments without which a call is made uncached, with one warning. */
  readonly require?: readonly NoInfer<N>[number][];
  /** Metadata collectors beside those of the surroundings. */
  readonly meta?: readonly Collector[];
  /** Trouble with the cache is an error instead of a run and a warning. */
  readonly strict?: boolean;
  /** What an argument or result without a faithful digest does. Default: an error that names its path. */
  readonly onIndigestible?: 'throw' | 'run';
  /**
   * Whether an answer on file may be served; asked at every hit. A check that throws lets nothing pass. That of a
   * synchronous function has to answer at once.
   */
  validate?(value: R, record: CallRecord): Awaitable<boolean>;
  /** Whether a result is to be filed. */
  shouldCache?(value: R): boolean;
  /** Larger results are given out but not filed: `"10MB"` or encoded bytes. Default: no limit. */
  readonly maxEntrySize?: string | number;
  /**
   * Whether processes that share the cache folder let one of them make a call while the others wait for its answer.
   * Costs about a tenth of a millisecond a miss, and nothing a hit. Default: yes.
   */
  readonly exclusive?: boolean;
  /** How long to wait for somebody else's execution, in this process or another: `"30s"` or ms. Default: till it ends. */
  readonly waitTimeout?: string | number;
  /** What to do then: make the call too (default), serve what is on file however old, or throw `WAIT_TIMEOUT`. */
  readonly onWaitTimeout?: 'compute' | 'stale' | 'throw';
  /**
   * What the function reads besides its arguments: shelves. When one of them is invalidated, by whichever process, its
   * answers from before are never served again. Throws `SHELF_CYCLE` for a shelf that is made from this function.
   */
  readonly dependsOn?: readonly Feeder[];
  /** Removes, in the background, answers that may no longer be served. Default: no. */
  readonly cleanupStale?: boolean;
  /** The time between two such rounds: a duration or ms. Default: a day. */
  readonly cleanupInterval?: string | number;
  /** The clock by which answers are filed and grow old, ms since the epoch. Default: that of the system. */
  readonly now?: () => number;
}

/** What a function can be made from, such as a shelf. */
export interface Feeder {
  readonly name: string;
  /** Takes in what is made from it. */
  addDependent(dependent: { readonly [FOLLOWER]: Follower }): void;
}

/** What helpers of a function give back: at once for a synchronous function, else perhaps as a promise. */
type Like<R, T> = [Extract<R, PromiseLike<unknown>>] extends [never] ? T : Awaitable<T>;

/** Objects that references are looked for inside of. */
type Container = { readonly [key: string]: unknown } | readonly unknown[];

/** A value, or a reference to a stored one in its place or in the place of anything in it. */
export type OrRef<T> = T | Ref | (T extends Container ? { [K in keyof T]: OrRef<T[K]> } : never);
type OrRefs<A extends readonly unknown[]> = { [I in keyof A]: OrRef<A[I]> };

/** Argument name to type; any name where the compiler knows none. */
type ArgumentsOf<A extends readonly unknown[], N extends Names> = string extends N[number]
  ? Readonly<Record<string, unknown>>
  : { readonly [I in Extract<keyof N, `${number}`> as Extract<N[I], string>]: I extends keyof A ? A[I] : unknown };

/** What is known of the calls of a function. */
interface SignatureOf<F extends AnyFunction, N extends Names> extends Signature {
  readonly arguments: ArgumentsOf<Parameters<F>, N>;
  readonly result: Awaited<ReturnType<F>>;
  readonly timing: [Extract<ReturnType<F>, PromiseLike<unknown>>] extends [never] ? 'at-once' : 'any';
}

/** Why a call is, or is not, on file. */
export interface Explanation {
  readonly key: Key;
  /**
   * `expired`: the answer is too old to be served. `lost`: the record is there, the result is not. `stale`: there is an
   * answer to a similar call only.
   */
  readonly verdict: 'cached' | 'expired' | 'failed' | 'lost' | 'stale' | 'never-made';
  /** What differs from the nearest past call: nothing unless `stale`. */
  readonly changes: readonly PartChange[];
  readonly nearest: Key | null;
}

/** A question without its answer. */
export interface PendingCall<A = Readonly<Record<string, unknown>>> {
  readonly key: Key;
  readonly name: string;
  readonly module: string | null;
  /** Argument name to value, as they were passed. */
  readonly arguments: A;
}

/** Arguments of a query: by name, each the value, a reference or `ANY`. */
type QueryArguments<A> = { readonly [K in keyof A]?: OrRef<A[K]> | symbol };

/** What else a query on a function can ask for. */
export type QueryOptions = Omit<QueryTemplate, 'kind' | 'name' | 'module' | 'version' | 'arguments'>;

export interface Helpers<F extends AnyFunction, N extends Names = Names> {
  /** The call as it would be asked, without making it. */
  call(...args: OrRefs<Parameters<F>>): Like<ReturnType<F>, PendingCall<ArgumentsOf<Parameters<F>, N>>>;
  /** The key of the call. */
  digest(...args: OrRefs<Parameters<F>>): Like<ReturnType<F>, Key>;
  /** Whether a successful call with these arguments is on file. */
  contains(...args: OrRefs<Parameters<F>>): Like<ReturnType<F>, boolean>;
  /** The stored result. Throws `CALL_UNKNOWN` if there is none. */
  load(...args: OrRefs<Parameters<F>>): ReturnType<F>;
  /** A reference to the result, made if needed, without loading it. */
  ref(...args: OrRefs<Parameters<F>>): Like<ReturnType<F>, Ref>;
  /** Past successful calls, newest first: those whose arguments have these values, by name. */
  query(args?: QueryArguments<ArgumentsOf<Parameters<F>, N>>, options?: QueryOptions): QueryIterator<SignatureOf<F, N>>;
  /** Makes the call anew, and every memoised call inside it, and files the answers. */
  rerun(...args: OrRefs<Parameters<F>>): ReturnType<F>;
  /** A function that always uses the cache and collectors that are active now. */
  bind(): (...args: OrRefs<Parameters<F>>) => ReturnType<F>;
  explain(...args: OrRefs<Parameters<F>>): Like<ReturnType<F>, Explanation>;
  /**
   * The function, for calls with wishes of their own: whether the cache is used, how old an answer may be. Throws `USAGE`
   * for options it does not know.
   */
  with(options: CallOptions): (this: unknown, ...args: OrRefs<Parameters<F>>) => ReturnType<F>;
  /** Files a known result, without a call. Returns it. */
  precache(args: OrRefs<Parameters<F>>, result: ReturnType<F>): Like<ReturnType<F>, Awaited<ReturnType<F>>>;
  /**
   * Removes the call with these arguments from the active cache, or without arguments all calls of this function. Returns
   * how many there were. Other processes see it when this returns. What this process is making meanwhile is given to
   * those who wait for it already, and to nobody else.
   */
  clear(...args: OrRefs<Parameters<F>> | []): Like<ReturnType<F>, number>;
  /**
   * Forgets which calls are under way, in this process and in others, so that the next caller of one makes it anew.
   * Returns how many other processes were at it.
   */
  clearBeingCalculated(): number;
  /** The calls on file, failed ones too, newest first. */
  entries(): Like<ReturnType<F>, readonly Entry[]>;
  /** How many calls are on file and in what state, and what this process did. */
  stats(): Like<ReturnType<F>, Stats>;
  /**
   * Calls the listener after every `clear` of this function, every invalidation that takes one of its calls along, and
   * every invalidation of a shelf that it is made from, by this process; until the function returned is called.
   */
  onInvalidate(listener: () => Awaitable<unknown>): () => void;
  /** Folder or URL of the active cache, or undefined for one without a place. */
  cacheLocation(): string | undefined;
  /** The function without its cache. */
  readonly original: F;
}

/** A memoised function: the same signature, and references are welcome in place of arguments. */
export type Memoised<F extends AnyFunction, N extends Names = Names> = F &
  ((...args: OrRefs<Parameters<F>>) => ReturnType<F>) &
  Helpers<F, N>;
