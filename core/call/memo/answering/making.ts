/**
 * Making the calls of one function: arguments are stored as they were passed, before the body can change them; the answer
 * is filed when it is there, and given out after that.
 */
import { type Awaitable, chain, isPromise } from '../../../base/awaitable.ts';
import { FlecheError } from '../../../base/errors.ts';
import type { BaseCache } from '../../caches/base-cache.ts';
import type { Collector } from '../../metadata.ts';
import { Notes } from '../../notes.ts';
import { all, containRef, loadRefs } from '../../references.ts';
import type { Trouble } from '../../trouble.ts';
import { CallUnderWay } from '../../under-way.ts';
import type { AnyFunction, FunctionIdentity } from '../function/function-identity.ts';
import type { Flights } from '../turns/flights.ts';
import type { Filed } from '../turns/handover.ts';
import { float, type Turn } from '../turns/turns.ts';
import type { Asking } from './asking.ts';
import type { Filing, Subject } from './filing.ts';
import { isIndigestible, type Question } from './question.ts';

export interface MakingOptions {
  /** Collectors beside those of the surroundings. */
  readonly meta: readonly Collector[];
  /** What a value without a faithful digest does: fail the call, or run it uncached with one warning. */
  readonly onIndigestible: 'throw' | 'run';
  /** Whether a result is to be filed. */
  readonly shouldCache: ((value: unknown) => boolean) | undefined;
}

/** What becomes of an answer before it is given out. */
interface Closing {
  file(value: unknown, isPromised: boolean): Awaitable<void>;
  fail(error: unknown, isPromised: boolean): Awaitable<void>;
}

export class Making {
  readonly #fn: AnyFunction;
  readonly #identity: FunctionIdentity;
  readonly #filing: Filing;
  readonly #flights: Flights;
  readonly #trouble: Trouble;
  readonly #options: MakingOptions;

  constructor(
    fn: AnyFunction,
    identity: FunctionIdentity,
    parts: { readonly filing: Filing; readonly flights: Flights; readonly trouble: Trouble },
    options: MakingOptions,
  ) {
    this.#fn = fn;
    this.#identity = identity;
    this.#filing = parts.filing;
    this.#flights = parts.flights;
    this.#trouble = parts.trouble;
    this.#options = options;
  }

  /** Makes the call, in this process's turn if there are turns, and ends the turn. */
  make(asking: Asking, question: Question, turn: Turn | undefined): unknown {
    const { cache } = asking;
    const forget = (): void => this.#flights.forget(cache, question.key);
    const call = new CallUnderWay(cache, question.key, this.#identity, forget);
    const end = (): void => {
      call.end();
      turn?.end();
    };
    let answer: unknown;
    try {
      answer = this.#make(asking, question, call, turn);
    } catch (error) {
      end();
      throw error;
    }
    if (!isPromise(answer)) {
      end();
      return answer;
    }
    if (turn !== undefined) float(answer);
    answer.then(end, end);
    return answer;
  }

  #make(asking: Asking, question: Question, call: CallUnderWay, turn: Turn | undefined): unknown {
    const { cache, args } = asking;
    const kept = this.#trouble.attempt(() => this.#filing.keepArguments(cache, question), []);
    if (isPromise(kept)) kept.then(ignore, ignore);
    const closing = this.#closing(asking, { cache, question, kept }, call, turn);
    const given = this.#given(cache, args);
    if (!isPromise(given)) return this.#run(asking, call, given, closing());
    const answer = this.awaited(given).then((given) => this.#run(asking, call, given, closing()));
    return this.#flights.track(cache, question.key, answer);
  }

  #run({ cache, receiver }: Asking, call: CallUnderWay, given: readonly unknown[], closing: Closing): unknown {
    let result: unknown;
    try {
      result = call.run(() => this.#fn.apply(receiver, given as unknown[]));
    } catch (error) {
      closing.fail(error, false);
      throw error;
    }
    if (isPromise(result)) return this.#flights.track(cache, call.key, settled(result, closing));
    const filed = closing.file(result, this.#identity.isAsync);
    if (this.#identity.isAsync) return chain(filed, () => result);
    this.#trouble.detach(filed);
    return result;
  }

  /** Opens the notes of a call when it begins. */
  #closing({ collectors }: Asking, subject: Subject, call: CallUnderWay, turn: Turn | undefined): () => Closing {
    const trouble = this.#trouble;
    const handOver = (filed: Filed | undefined): void => turn?.end(filed);
    return () => {
      const all = [...collectors, ...this.#options.meta];
      const notes = new Notes(all, this.#identity, (error) => trouble.meet(error));
      return {
        file: (value, isPromised) => {
          const metadata = notes.close();
          const filing = (): Awaitable<void> =>
            !call.isWanted || this.#options.shouldCache?.(value) === false
              ? undefined
              : chain(this.#filing.result(subject, metadata, value, isPromised), handOver);
          return trouble.attempt(filing, undefined, this.#isUnfit);
        },
        fail: (error, isPromised) => {
          const metadata = notes.close();
          if (!call.isWanted) return;
          return trouble.attemptQuietly(() =>
            chain(this.#filing.failure(subject, metadata, { error, isPromised, isKept: turn !== undefined }), handOver),
          );
        },
      };
    };
  }

  /** Whether an error says that a result cannot be filed, and that matters. */
  readonly #isUnfit = (error: unknown): boolean =>
    this.#options.onIndigestible === 'throw' &&
    (isIndigestible(error) || (error instanceof FlecheError && error.code === 'UNSTORABLE'));

  /** Makes the call as if there were no cache, but for references among its arguments. */
  bypass(asking: Asking): unknown {
    const { receiver, args } = asking;
    if (!containRef(args)) return this.#fn.apply(receiver, args as unknown[]);
    const given = this.#given(asking.cache, args);
    if (!isPromise(given)) return this.#fn.apply(receiver, given as unknown[]);
    return this.awaited(given).then((given) => this.#fn.apply(receiver, given as unknown[]));
  }

  /** The arguments as the body gets them: what references name in place of the references. */
  #given(cache: BaseCache, args: readonly unknown[]): Awaitable<readonly unknown[]> {
    return containRef(args) ? all(args.map((value) => loadRefs(cache, value))) : args;
  }

  /** Something that has to be waited for, if the function's callers do wait. */
  awaited<T>(later: Promise<T>): Promise<T> {
    if (this.#identity.isAsync) return later;
    later.then(ignore, ignore);
    throw this.cannotWait();
  }

  cannotWait(): FlecheError {
    return new FlecheError('CACHE_ASYNC', `${this.#identity.name} is synchronous, and this cache answers later`, {
      hint: 'Make the function async (or say so with async: true), or use a cache that answers at once.',
    });
  }
}

export const ignore = (): void => {};

/** The outcome of a promise, given out once it is filed. */
async function settled(result: Promise<unknown>, closing: Closing): Promise<unknown> {
  let value: unknown;
  try {
    value = await result;
  } catch (error) {
    await closing.fail(error, true);
    throw error;
  }
  await closing.file(value, true);
  return value;
}
