/** A past call: digests at once, values when they are looked at. */
import { inspect } from 'node:util';
import { type Awaitable, chain } from '../../base/awaitable.ts';
import { FlecheError } from '../../base/errors.ts';
import type { Digest, Key } from '../../base/hash.ts';
import { Ref } from '../../base/ref.ts';
import type { CallRecord, Failure, Metadata, Part, StoredValue } from '../../store/record.ts';
import type { CacheCore } from '../caches/cache-core.ts';
import { ARGUMENT } from '../memo/answering/question.ts';

/** What is known to the compiler about a past call. */
export interface Signature {
  /** Argument name to type. */
  readonly arguments: Readonly<Record<string, unknown>>;
  /** What the function returns, or what its promise gives. */
  readonly result: unknown;
  /** Whether the cache answers at once (a synchronous function's does), or may answer later. */
  readonly timing: 'at-once' | 'any';
}

/** An answer of a cache: at once where that is known, else perhaps later. */
export type Answer<S extends Signature, T> = S['timing'] extends 'at-once' ? T : Awaitable<T>;

/** A call with everything loaded. */
export interface Call<S extends Signature = Signature> {
  readonly key: Key;
  readonly name: string;
  readonly module: string | null;
  /** Argument name to value, in declared order. */
  readonly arguments: S['arguments'];
  readonly result: S['result'];
  readonly metadata: Metadata;
}

/** The arguments of a past call by name. Each look loads anew; printing shows digests. */
export class LazyArguments<S extends Signature = Signature> {
  readonly #cache: CacheCore;
  readonly #parts: ReadonlyMap<string, Part>;

  constructor(cache: CacheCore, parts: readonly Part[]) {
    this.#cache = cache;
    this.#parts = new Map(
      parts.filter(({ name }) => name.startsWith(ARGUMENT)).map((part) => [part.name.slice(ARGUMENT.length), part]),
    );
  }

  /** Argument names in declared order. */
  get names(): readonly string[] {
    return [...this.#parts.keys()];
  }

  has(name: string): boolean {
    return this.#parts.has(name);
  }

  /** The digest of an argument's value, or undefined if the call has no such argument. */
  digest(name: string): Digest | undefined {
    return this.#parts.get(name)?.digest;
  }

  /** The value of an argument. Throws `CALL_UNKNOWN` if the call has no such argument or its value is gone. */
  get<N extends keyof S['arguments'] & string>(name: N): Answer<S, S['arguments'][N]> {
    const part = this.#parts.get(name);
    if (part === undefined) {
      throw new FlecheError('CALL_UNKNOWN', `the call has no argument "${name}"`, {
        hint: `It has: ${this.names.join(', ')}.`,
      });
    }
    return loadStored(this.#cache, part, `argument "${name}"`) as Answer<S, S['arguments'][N]>;
  }

  toJSON(): Record<string, string> {
    return Object.fromEntries([...this.#parts].map(([name, part]) => [name, part.digest]));
  }
}

/** A record with the cache it came from. Immutable. */
export class LazyCall<S extends Signature = Signature> {
  readonly record: CallRecord;
  readonly #cache: CacheCore;
  #arguments: LazyArguments<S> | undefined;

  constructor(cache: CacheCore, record: CallRecord) {
    this.#cache = cache;
    this.record = record;
  }

  get arguments(): LazyArguments<S> {
    this.#arguments ??= new LazyArguments(this.#cache, this.record.parts);
    return this.#arguments;
  }

  get key(): Key {
    return this.record.key;
  }

  get name(): string {
    return this.record.name;
  }

  get module(): string | null {
    return this.record.module;
  }

  get metadata(): Metadata {
    return this.record.metadata;
  }

  get failure(): Failure | null {
    return this.record.failure;
  }

  /** Digest of the result by value, or null if the call has none. */
  get resultDigest(): Digest | null {
    return this.record.result?.digest ?? null;
  }

  /** A reference to the result, to pass on without loading it. Throws `CALL_UNKNOWN` if the call has none. */
  get ref(): Ref {
    return new Ref(this.#stored().digest);
  }

  /** The result value, loaded anew at each look. Throws `CALL_UNKNOWN` if the call has none or the value is gone. */
  get result(): Answer<S, S['result']> {
    return loadStored(this.#cache, this.#stored(), 'the result') as Answer<S, S['result']>;
  }

  #stored(): StoredValue {
    if (this.record.result !== null) return this.record.result;
    throw new FlecheError('CALL_UNKNOWN', `${this.name} has no result: ${this.failure?.message ?? 'it returns none'}`, {
      hint: 'Ask for calls that succeeded, or look at failure.',
    });
  }

  /** Loads everything. */
  fetch(): Answer<S, Call<S>> {
    const { key, name, module, metadata } = this;
    return chain(this.#fetchArguments(), (args) =>
      chain(this.result, (result) => ({ key, name, module, arguments: args, result, metadata })),
    ) as Answer<S, Call<S>>;
  }

  #fetchArguments(): Awaitable<Record<string, unknown>> {
    const args: Record<string, unknown> = {};
    const add = (name: string) => (): Awaitable<void> =>
      chain<unknown, void>(this.arguments.get(name), (value) => {
        Object.defineProperty(args, name, { value, configurable: true, enumerable: true, writable: true });
      });
    const added = this.arguments.names.reduce<Awaitable<void>>((before, name) => chain(before, add(name)), undefined);
    return chain(added, () => args);
  }

  toJSON(): Record<string, unknown> {
    const { key, name, module, resultDigest, metadata } = this;
    return { key, name, module, arguments: this.arguments.toJSON(), result: resultDigest, metadata };
  }
}

for (const type of [LazyArguments, LazyCall]) {
  Object.defineProperty(type.prototype, inspect.custom, {
    value(this: LazyArguments | LazyCall): string {
      return `${type.name} ${inspect(this.toJSON())}`;
    },
  });
}

function loadStored(
  cache: CacheCore,
  stored: { readonly digest: Digest; readonly blob: Digest | null },
  what: string,
): Awaitable<unknown> {
  return chain<Digest | undefined, unknown>(stored.blob ?? cache.target(stored.digest), (blob) =>
    chain(blob === undefined ? undefined : cache.value(blob), (found) => {
      if (found?.found) return found.value;
      throw new FlecheError('CALL_UNKNOWN', `${what} is no longer in the cache (digest ${stored.digest})`, {
        hint: 'It was evicted, collected or damaged; make the call again.',
      });
    }),
  );
}
