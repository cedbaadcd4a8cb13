/**
 * How a call of one function is answered: from the cache, by somebody else's execution, or by its own; and what is done
 * when that takes too long or fails.
 */
import { type Awaitable, chain, isPromise } from '../../../base/awaitable.ts';
import { FlecheError } from '../../../base/errors.ts';
import type { Tally } from '../../metrics/metrics.ts';
import type { Trouble } from '../../trouble.ts';
import { isInCall } from '../../under-way.ts';
import type { FunctionIdentity } from '../function/function-identity.ts';
import type { Flights } from '../turns/flights.ts';
import { type Answers, type Entry, handed } from './answers.ts';
import type { Asking } from './asking.ts';
import type { Executions } from './executions.ts';
import type { Freshness, FreshnessState } from './freshness.ts';
import { ignore, type Making } from './making.ts';
import type { Question } from './question.ts';
import type { Refreshing } from './refreshing.ts';

export interface AnsweringOptions {
  readonly freshness: Freshness;
  /** How long to wait for somebody else's execution, ms; undefined: as long as it takes. */
  readonly waitMs: number | undefined;
  /** What to do then: make the call, serve what is on file however old, or throw `WAIT_TIMEOUT`. */
  readonly onWaitTimeout: 'compute' | 'stale' | 'throw';
  readonly tally: Tally;
}

interface AnsweringParts {
  readonly answers: Answers;
  readonly executions: Executions;
  readonly flights: Flights;
  readonly making: Making;
  readonly refreshing: Refreshing;
  readonly trouble: Trouble;
}

export class Answering {
  readonly #identity: FunctionIdentity;
  readonly #parts: AnsweringParts;
  readonly #options: AnsweringOptions;
  /** Whether a function that is not known to be asynchronous has been seen to hand over promises. */
  #hasPromised = false;

  constructor(identity: FunctionIdentity, parts: AnsweringParts, options: AnsweringOptions) {
    this.#identity = identity;
    this.#parts = parts;
    this.#options = options;
  }

  answer(asking: Asking, question: Question): unknown {
    const { flights, answers, executions, trouble, making } = this.#parts;
    const { cache, controls } = asking;
    const { key } = question;
    if (isForced(asking, question)) {
      asking.outcome = 'miss';
      return this.#track(asking, question, executions.force(asking, question));
    }
    // Where a stale answer is served at once nobody is to wait for the new one.
    const flight = this.#options.freshness.revalidates ? undefined : flights.of(cache, key);
    if (flight !== undefined) return this.#join(asking, question, flight);
    const entry = trouble.attempt(() => answers.look(cache, key), undefined);
    if (!isPromise(entry)) return this.#serveOrMake(asking, question, entry, false);
    if (this.#identity.isAsync) return entry.then((entry) => this.#serveOrMake(asking, question, entry, true));
    entry.then(ignore, ignore);
    trouble.meet(making.cannotWait());
    return controls.mode === 'only' ? this.#absent(asking, question, false) : this.bypass(asking);
  }

  /** Makes the call as if there were no cache. */
  bypass(asking: Asking): unknown {
    asking.outcome = 'bypassed';
    return this.#parts.making.bypass(asking);
  }

  /** `late`: something was waited for since the call was asked. */
  #serveOrMake(asking: Asking, question: Question, entry: Entry | undefined, late: boolean): unknown {
    const { answers, making } = this.#parts;
    const state = entry === undefined ? 'expired' : answers.state(entry, asking.controls.maxAge);
    if (entry === undefined || state === 'expired') return this.#absent(asking, question, late);
    const valid = answers.isValid(entry);
    const go = (valid: boolean, late: boolean): unknown =>
      valid ? this.#serve(asking, question, entry, state) : this.#absent(asking, question, late);
    return isPromise(valid) ? making.awaited(valid).then((valid) => go(valid, true)) : go(valid, late);
  }

  #serve(asking: Asking, question: Question, entry: Entry, state: FreshnessState): unknown {
    asking.outcome = 'hit';
    if (state === 'stale') {
      const { flights, refreshing, executions } = this.#parts;
      const { cache, controls } = asking;
      const { key } = question;
      this.#options.tally.counts.staleServed++;
      if (controls.mode !== 'only' && flights.of(cache, key) === undefined) {
        refreshing.begin(cache, key, () => executions.refresh(asking, question));
      }
    }
    return handed(entry);
  }

  /** There is nothing on file that may be served. */
  #absent(asking: Asking, question: Question, late: boolean): unknown {
    const { flights, executions } = this.#parts;
    const { cache, controls } = asking;
    if (controls.mode === 'only') {
      asking.outcome = 'miss';
      throw new FlecheError('CALL_UNKNOWN', `no answer of ${this.#identity.name} that may be served is on file`, {
        hint: 'It was never made, is too old, or its value is gone. Without cache: "only" it is made.',
      });
    }
    const flight = flights.of(cache, question.key);
    if (flight !== undefined) return this.#join(asking, question, flight);
    asking.outcome = 'miss';
    const isAsync = this.#identity.isAsync || this.#hasPromised;
    const onTimeout = (): unknown => this.#giveUp(asking, question);
    return this.#forgiving(asking, question, () =>
      this.#track(asking, question, executions.make(asking, question, { late, isAsync, onTimeout })),
    );
  }

  /** Notes that a call is under way, for those who come meanwhile. */
  #track({ cache }: Asking, { key }: Question, answer: unknown): unknown {
    if (!isPromise(answer)) return answer;
    this.#hasPromised = true;
    return this.#parts.flights.track(cache, key, answer);
  }

  /** Somebody in this process makes the call already. */
  #join(asking: Asking, question: Question, flight: Promise<unknown>): unknown {
    const { waitMs } = this.#options;
    // A function that calls itself does what it does without a cache: waiting for itself it would never end.
    if (isInCall(asking.cache, question.key)) return this.bypass(asking);
    asking.outcome = 'coalesced';
    return this.#forgiving(asking, question, () =>
      waitMs === undefined ? flight : orElse(flight, waitMs, () => this.#giveUp(asking, question)),
    );
  }

  /** Somebody else takes too long. */
  #giveUp(asking: Asking, question: Question): unknown {
    const { onWaitTimeout, waitMs, tally } = this.#options;
    tally.counts.waitTimeouts++;
    if (onWaitTimeout === 'throw') {
      throw new FlecheError('WAIT_TIMEOUT', `${this.#identity.name} is being made elsewhere for over ${waitMs} ms`, {
        hint: 'Wait longer (waitTimeout), or make it here too (onWaitTimeout: "compute").',
      });
    }
    const make = (): unknown => {
      asking.outcome = 'miss';
      return this.#parts.executions.makeLate(asking, question);
    };
    if (onWaitTimeout === 'compute') return make();
    return chain(this.#lastResort(asking, question, always), (last) => (last === undefined ? make() : last.value));
  }

  /** If the call fails, the answer before it will do, where that is wanted. */
  #forgiving(asking: Asking, question: Question, make: () => unknown): unknown {
    const { freshness } = this.#options;
    if (!freshness.forgives) return make();
    const forgive = (error: unknown): unknown => {
      if (error instanceof FlecheError && error.code === 'WAIT_TIMEOUT') throw error;
      const accepts = (age: number): boolean => freshness.servesOnError(age, asking.controls.maxAge);
      return chain(this.#lastResort(asking, question, accepts), (last) => {
        if (last === undefined) throw error;
        return last.value;
      });
    };
    let answer: unknown;
    try {
      answer = make();
    } catch (error) {
      return forgive(error);
    }
    return isPromise(answer) ? answer.then(undefined, forgive) : answer;
  }

  /** The answer on file, past its age, if its caller accepts it. */
  #lastResort(asking: Asking, question: Question, accepts: (age: number) => boolean): Awaitable<Resort | undefined> {
    const { answers, trouble } = this.#parts;
    const last = trouble.attempt(() => answers.last(asking.cache, question.key), undefined);
    return chain(last, (entry): Awaitable<Resort | undefined> => {
      if (entry === undefined || !answers.isWithin(entry, asking.controls.maxAge)) return undefined;
      if (!accepts(answers.age(entry.record))) return undefined;
      return chain(answers.isValid(entry), (valid) => {
        if (!valid) return undefined;
        this.#options.tally.counts.staleServed++;
        return { value: handed(entry) };
      });
    });
  }
}

interface Resort {
  readonly value: unknown;
}

const always = (): boolean => true;

/** Whether a call is to be made whatever is on file: once for each key during a rerun. */
function isForced({ scope, controls }: Asking, { key }: Question): boolean {
  if (controls.mode === 'refresh') return true;
  if (scope.rerun === undefined || scope.rerun.has(key)) return false;
  scope.rerun.add(key);
  return true;
}

/** A promise, unless it takes longer than `ms`. */
function orElse(promise: Promise<unknown>, ms: number, otherwise: () => unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      try {
        resolve(otherwise());
      } catch (error) {
        reject(error);
      }
    };
    const timer = setTimeout(giveUp, ms);
    const stop = (): void => clearTimeout(timer);
    promise.then(resolve, reject).then(stop, stop);
  });
}
