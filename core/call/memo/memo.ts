/**
 * Memoisation of one function: asks, has the question answered, and counts. Synchronous functions stay synchronous;
 * whatever the function does with `this`, recursion, exceptions or changed arguments is as without a cache. Trouble with
 * the cache costs a run and one warning, unless the function is strict.
 */
import { type Awaitable, chain, isPromise } from '../../base/awaitable.ts';
import { type ErrorCode, FlecheError, messageOf } from '../../base/errors.ts';
import type { Key } from '../../base/hash.ts';
import type { CallRecord, Part } from '../../store/record.ts';
import type { BaseCache } from '../caches/base-cache.ts';
import { type Found, NOT_FOUND } from '../caches/cache-core.ts';
import type { Tally } from '../metrics/metrics.ts';
import { all, completeRefs, containRef } from '../references.ts';
import { caching } from '../switch.ts';
import { Trouble } from '../trouble.ts';
import { disown } from '../under-way.ts';
import { Answering, type AnsweringOptions } from './answering/answering.ts';
import { Answers, type AnswersOptions, handed } from './answering/answers.ts';
import { Asking } from './answering/asking.ts';
import { aborted, type Controls, ORDINARY, orAborted } from './answering/controls.ts';
import { Executions } from './answering/executions.ts';
import { Filing, type FilingOptions } from './answering/filing.ts';
import { ageOf, type FreshnessState } from './answering/freshness.ts';
import { ignore, Making, type MakingOptions } from './answering/making.ts';
import { ask, Form, isIndigestible, partsOf, type Question, requireArgument } from './answering/question.ts';
import { Refreshing } from './answering/refreshing.ts';
import { Following } from './following.ts';
import type { AnyFunction, FunctionIdentity } from './function/function-identity.ts';
import { Purging } from './purging.ts';
import { Flights } from './turns/flights.ts';
import { Turns } from './turns/turns.ts';

export interface MemoSettings extends AnsweringOptions, FilingOptions, MakingOptions, Omit<AnswersOptions, 'trouble'> {
  readonly ignore: readonly string[];
  /** Arguments without which a call is made uncached. */
  readonly require: readonly string[];
  /** Cache trouble is an error. */
  readonly strict: boolean;
  /** One process at a time makes a call. */
  readonly exclusive: boolean;
  /** How often answers that may no longer be served are removed, ms; undefined: never. */
  readonly purgeMs: number | undefined;
  readonly onWarning: (message: string) => void;
  /** ms since some moment, for durations. */
  readonly elapsed: () => number;
}

export class Memo {
  readonly identity: FunctionIdentity;
  readonly fn: AnyFunction;
  readonly following: Following;
  readonly #form: Form;
  readonly #settings: MemoSettings;
  readonly #trouble: Trouble;
  readonly #flights = new Flights();
  readonly #filing: Filing;
  readonly #answers: Answers;
  readonly #turns: Turns;
  readonly #making: Making;
  readonly #answering: Answering;
  readonly #purging: Purging | undefined;

  /** Throws `USAGE` when settings name arguments that the function does not have. */
  constructor(fn: AnyFunction, identity: FunctionIdentity, settings: MemoSettings) {
    const { name, module } = identity;
    const { now, tally, waitMs, freshness, purgeMs } = settings;
    this.fn = fn;
    this.identity = identity;
    this.#settings = settings;
    this.following = new Following(identity);
    this.#form = new Form(identity, settings.ignore);
    for (const argument of settings.require) requireArgument(identity, argument);
    const flights = this.#flights;
    const trouble = new Trouble(name, settings.strict, settings.onWarning);
    const filing = new Filing(this.#form, settings);
    const answers = new Answers({ ...settings, trouble });
    const turns = new Turns({ name, module, enabled: settings.exclusive, waitMs, trouble });
    const making = new Making(fn, identity, { filing, flights, trouble }, settings);
    const executions = new Executions({
      answers,
      turns,
      making,
      trouble,
      now,
      ask: (asking) => this.#askAgain(asking),
    });
    const onFailure = (error: unknown): void =>
      trouble.warnOnce('refresh', `${name} could not be made anew: ${messageOf(error)}`);
    const refreshing = new Refreshing({ now, tally, onFailure });
    this.#trouble = trouble;
    this.#filing = filing;
    this.#answers = answers;
    this.#turns = turns;
    this.#making = making;
    this.#answering = new Answering(identity, { answers, executions, flights, making, refreshing, trouble }, settings);
    this.#purging =
      purgeMs === undefined
        ? undefined
        : new Purging({ identity, everyMs: purgeMs, horizonMs: freshness.horizon, now, trouble });
  }

  /** A call with these arguments: from the cache, or made and filed. */
  invoke(receiver: unknown, args: readonly unknown[], controls: Controls = ORDINARY): unknown {
    const started = this.#settings.elapsed();
    const { isAsync } = this.identity;
    const asking = new Asking(receiver, args, controls, isAsync);
    let answer: unknown;
    try {
      answer = this.#invoke(asking);
    } catch (error) {
      this.#count(asking, started);
      if (!isAsync) throw error;
      return Promise.reject(error);
    }
    // What a bypassed function returns is its caller's, who may not even want it to be begun.
    if (!isPromise(answer) || (asking.outcome === 'bypassed' && !isAsync)) {
      this.#count(asking, started);
      return isAsync ? Promise.resolve(answer) : answer;
    }
    const count = (): void => this.#count(asking, started);
    answer.then(count, count);
    return controls.signal === undefined ? answer : orAborted(answer, controls.signal);
  }

  #count({ outcome }: Asking, started: number): void {
    if (outcome !== undefined) this.tally.add(outcome, this.#settings.elapsed() - started);
  }

  #invoke(asking: Asking): unknown {
    const { receiver, args, controls } = asking;
    if (controls.signal?.aborted) throw aborted(controls.signal);
    if (controls.mode === 'bypass' || !caching() || this.#lacksRequired(args)) return this.#answering.bypass(asking);
    let question: Awaitable<Question>;
    try {
      asking.settle();
      const { cache } = asking;
      this.#purging?.look(cache);
      question = this.question(cache, receiver, args);
    } catch (error) {
      return this.#unasked(asking, error);
    }
    if (!isPromise(question)) return this.#answering.answer(asking, question);
    return this.#making.awaited(question).then(
      (question) => this.#answering.answer(asking, question),
      (error: unknown) => this.#unasked(asking, error),
    );
  }

  #lacksRequired(args: readonly unknown[]): boolean {
    const { require } = this.#settings;
    if (require.length === 0) return false;
    const { name, parameters } = this.identity;
    const missing = require.find((required) => args[parameters.names.indexOf(required)] === undefined);
    if (missing === undefined) return false;
    this.#trouble.warnOnce(`require ${missing}`, `${name} was called without "${missing}", so the call is not cached`);
    return true;
  }

  #unasked(asking: Asking, error: unknown): unknown {
    if (isUntold(error)) {
      this.#trouble.meet(error);
      return this.#answering.bypass(asking);
    }
    if (!isIndigestible(error) || this.#settings.onIndigestible === 'throw') throw error;
    this.#trouble.warnOnce('INDIGESTIBLE', `${this.identity.name} is not cached: ${messageOf(error)}`);
    return this.#answering.bypass(asking);
  }

  /** The question of a call; prefixes among its arguments are completed by the cache. */
  question(cache: BaseCache, receiver: unknown, args: readonly unknown[]): Awaitable<Question> {
    const origins = this.following.parts();
    try {
      return ask(this.#form, receiver, args, origins);
    } catch (error) {
      if (!isIndigestible(error) || !containRef(args)) throw error;
    }
    const complete = all(args.map((value) => completeRefs(cache, value)));
    return chain(complete, (values) => ask(this.#form, receiver, values, origins));
  }

  /** The key that the call has by now; undefined if that cannot be told. */
  #askAgain({ cache, receiver, args }: Asking): Awaitable<Key | undefined> {
    try {
      return chain(this.question(cache, receiver, args), ({ key }) => key);
    } catch (error) {
      if (!isUntold(error)) throw error;
      this.#trouble.meet(error);
    }
  }

  /** The fingerprint of a question, in key order. */
  parts(question: Question): readonly Part[] {
    return partsOf(this.#form, question, []);
  }

  /** Whether an argument is left out of the key and the record. */
  ignores(name: string): boolean {
    return this.#form.ignored.has(name);
  }

  /** The stored answer to a question, however old. */
  stored(cache: BaseCache, key: Key): Awaitable<Found> {
    return chain(this.#answers.last(cache, key), (entry) =>
      entry === undefined ? NOT_FOUND : { found: true, value: handed(entry) },
    );
  }

  /** Files an answer that no call has made, as if the call had just been made. */
  file(cache: BaseCache, receiver: unknown, args: readonly unknown[], answer: unknown): Awaitable<void> {
    const isPromised = this.identity.isAsync || isPromise(answer);
    return chain(this.question(cache, receiver, args), (question) => {
      const kept = this.#filing.keepArguments(cache, question);
      return chain(answer, (value) =>
        chain(this.#filing.result({ cache, question, kept }, {}, value, isPromised), ignore),
      );
    });
  }

  /** Keys of the calls that are under way, in this process and in others. */
  underWay(cache: BaseCache): ReadonlySet<string> {
    return new Set([...this.#turns.underWay(cache), ...this.#flights.keys(cache)]);
  }

  /**
   * Forgets which calls are under way, in this process and in others, so that the next caller of one makes it anew.
   * Returns how many processes were at it.
   */
  forgetFlights(cache: BaseCache): number {
    this.#flights.clear();
    return this.#turns.clear(cache);
  }

  /** Calls under way, or the one with this key, are answers to those who wait for them already, and to nobody else. */
  disown(cache: BaseCache, key?: Key): void {
    const { name, module } = this.identity;
    disown((call) => {
      const isOwn = call.of.name === name && call.of.module === module && call.cache === cache;
      return isOwn && (key === undefined || call.key === key);
    });
  }

  /** The age of an answer, ms, and what may be done with it. */
  freshnessOf({ filed }: CallRecord): { readonly age: number; readonly state: FreshnessState } {
    const { freshness, now } = this.#settings;
    const age = ageOf(filed, now());
    return { age, state: freshness.state(age) };
  }

  /** The counters of this function. */
  get tally(): Tally {
    return this.#settings.tally;
  }
}

const UNTOLD: ReadonlySet<ErrorCode> = new Set(['CODE_CHANGED', 'SHELF_UNREADABLE', 'STORE_UNUSABLE']);

/**
 * Whether an error says that it cannot be told what a function is by now, how what it is made from stands, or what is on
 * file, because there is no opening the cache.
 */
function isUntold(error: unknown): boolean {
  return error instanceof FlecheError && UNTOLD.has(error.code);
}
