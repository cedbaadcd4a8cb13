/** Filing the answers of one function: values first, then the record that names them. */
import { type Awaitable, chain, isPromise } from '../../../base/awaitable.ts';
import { digest } from '../../../base/digest.ts';
import { encode } from '../../../base/encode.ts';
import { FlecheError, messageOf, systemCode } from '../../../base/errors.ts';
import { sha256 } from '../../../base/hash.ts';
import { Ref } from '../../../base/ref.ts';
import type { CallRecord, Failure, Metadata, StoredValue } from '../../../store/record.ts';
import type { CacheCore } from '../../caches/cache-core.ts';
import type { Tally } from '../../metrics/metrics.ts';
import { all } from '../../references.ts';
import type { Filed } from '../turns/handover.ts';
import { type Argument, type Form, partsOf, type Question } from './question.ts';

/** Where the arguments of a call are kept; null for one that cannot be read back. */
export type Kept = readonly (StoredValue | null)[];

type Answer = Partial<Pick<CallRecord, 'result' | 'failure' | 'promised'>>;

export interface FilingOptions {
  /** ms since the epoch. */
  readonly now: () => number;
  /** Larger results are not filed, encoded bytes. */
  readonly maxBytes: number;
  readonly tally: Tally;
}

/** What an answer is about. */
export interface Subject {
  readonly cache: CacheCore;
  readonly question: Question;
  readonly kept: Awaitable<Kept>;
}

export class Filing {
  readonly #form: Form;
  readonly #options: FilingOptions;

  constructor(form: Form, options: FilingOptions) {
    this.#form = form;
    this.#options = options;
  }

  /** Stores the arguments as they are at this moment. */
  keepArguments(cache: CacheCore, question: Question): Awaitable<Kept> {
    return all(question.arguments.map((argument) => keepArgument(cache, argument)));
  }

  /**
   * Files a result as it is at this moment; undefined if it was not taken. `isPromised` says that it was handed over as
   * a promise. Throws `INDIGESTIBLE` or `UNSTORABLE` for what cannot be filed.
   */
  result(
    { cache, question, kept }: Subject,
    metadata: Metadata,
    value: unknown,
    isPromised: boolean,
  ): Awaitable<Filed | undefined> {
    const { maxBytes, tally } = this.#options;
    const valueDigest = digest(value, 'result');
    const bytes = cache.encode(value);
    if (bytes.length > maxBytes) {
      tally.counts.sizeRejections++;
      return undefined;
    }
    const result = { digest: valueDigest, blob: sha256(bytes) };
    return chain(both(kept, cache.keepBytes(result.blob, bytes, result.digest)), ([kept]) => {
      tally.counts.bytes += bytes.length;
      return file(cache, this.#record(question, kept, metadata, { result, promised: isPromised }), bytes);
    });
  }

  /** Files a failure, unless a success is on file. `isKept`: with the error, so that others can throw it too. */
  failure(
    { cache, question, kept }: Subject,
    metadata: Metadata,
    thrown: { readonly error: unknown; readonly isPromised: boolean; readonly isKept: boolean },
  ): Awaitable<Filed | undefined> {
    const { error, isPromised, isKept } = thrown;
    const bytes = isKept ? errorBytes(error) : null;
    const plain: Failure = { message: messageOf(error), exitCode: null, signal: null };
    const failure = bytes === null ? plain : { ...plain, error: sha256(bytes) };
    return chain(kept, (kept) =>
      chain(cache.lookup(question.key), (known) => {
        if (known !== undefined && known.failure === null) return undefined;
        const stored =
          failure.error === undefined || bytes === null ? undefined : cache.keepBytes(failure.error, bytes, null);
        return chain(stored, () =>
          file(cache, this.#record(question, kept, metadata, { failure, promised: isPromised }), bytes),
        );
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
      filed: this.#options.now(),
      ...answer,
    };
  }
}

function file(cache: CacheCore, record: CallRecord, bytes: Uint8Array | null): Awaitable<Filed | undefined> {
  return chain(cache.file(record), (taken) => (taken ? { record, bytes } : undefined));
}

/** What was thrown, or the essence of an error that cannot be stored as it is. */
function errorBytes(error: unknown): Uint8Array {
  try {
    return encode(error);
  } catch {
    // An error of a class of its own, or with members that cannot be stored.
  }
  const essence = new Error(messageOf(error));
  const code = systemCode(error);
  if (error instanceof Error)
    Object.defineProperty(essence, 'name', { value: String(error.name), configurable: true, writable: true });
  return encode(code === undefined ? essence : Object.assign(essence, { code }));
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
