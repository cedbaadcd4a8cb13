/** Filing the answers of one function: values first, then the record that names them. */
import { type Awaitable, chain, isPromise } from '../base/awaitable.ts';
import { digest } from '../base/digest.ts';
import { FlecheError, messageOf } from '../base/errors.ts';
import { Ref } from '../base/ref.ts';
import type { CallRecord, Metadata, StoredValue } from '../store/record.ts';
import type { CacheCore } from './cache-core.ts';
import { type Argument, type Form, partsOf, type Question } from './question.ts';
import { all } from './references.ts';

/** Where the arguments of a call are kept; null for one that cannot be read back. */
export type Kept = readonly (StoredValue | null)[];

type Answer = Partial<Pick<CallRecord, 'result' | 'failure' | 'promised'>>;

export class Filing {
  readonly #form: Form;
  readonly #now: () => number;

  constructor(form: Form, now: () => number) {
    this.#form = form;
    this.#now = now;
  }

  /** Stores the arguments as they are at this moment. */
  keepArguments(cache: CacheCore, question: Question): Awaitable<Kept> {
    return all(question.arguments.map((argument) => keepArgument(cache, argument)));
  }

  /**
   * Files a result as it is at this moment. `isPromised` says that it was handed over as a promise. Throws
   * `INDIGESTIBLE` or `UNSTORABLE` for what cannot be filed.
   */
  result(
    cache: CacheCore,
    question: Question,
    kept: Awaitable<Kept>,
    metadata: Metadata,
    value: unknown,
    isPromised: boolean,
  ): Awaitable<void> {
    const stored = cache.keep(value, digest(value, 'result'));
    return chain(both(kept, stored), ([kept, result]) => {
      const record = this.#record(question, kept, metadata, { result, promised: isPromised });
      return chain(cache.file(record), done);
    });
  }

  /** Files a failure, unless a success is on file. */
  failure(
    cache: CacheCore,
    question: Question,
    kept: Awaitable<Kept>,
    metadata: Metadata,
    error: unknown,
  ): Awaitable<void> {
    const failure = { message: messageOf(error), exitCode: null, signal: null };
    return chain(kept, (kept) =>
      chain(cache.lookup(question.key), (known) => {
        if (known !== undefined && known.failure === null) return;
        return chain(cache.file(this.#record(question, kept, metadata, { failure })), done);
      }),
    );
  }

  #record(question: Question, kept: Kept, metadata: Metadata, answer: Answer): CallRecord {
    const { name, module } = this.#form.identity;
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
      filed: this.#now(),
      ...answer,
    };
  }
}

function keepArgument(cache: CacheCore, { value, digest }: Argument): Awaitable<StoredValue | null> {
  if (value instanceof Ref) {
    return chain(cache.target(digest), (blob) => (blob === undefined ? null : { digest, blob }));
  }
  const unstorable = (error: unknown): null => {
    // A class that can be digested but not stored: the call is filed, this argument cannot be read back.
    if (error instanceof FlecheError && error.code === 'UNSTORABLE') return null;
    throw error;
  };
  try {
    const stored = cache.keep(value, digest);
    return isPromise(stored) ? stored.then(undefined, unstorable) : stored;
  } catch (error) {
    return unstorable(error);
  }
}

function both<A, B>(a: Awaitable<A>, b: Awaitable<B>): Awaitable<readonly [A, B]> {
  return isPromise(a) || isPromise(b) ? Promise.all([a, b]) : [a, b];
}

const done = (): void => {};
