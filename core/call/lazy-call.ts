/** A past call: digests at once, values when they are looked at. */
import { inspect } from 'node:util';
import { type Awaitable, chain } from '../base/awaitable.ts';
import { FlecheError } from '../base/errors.ts';
import type { Digest, Key } from '../base/hash.ts';
import { Ref } from '../base/ref.ts';
import type { CallRecord, Failure, Metadata, Part, StoredValue } from '../store/record.ts';
import type { CacheCore } from './cache-core.ts';

const ARGUMENT = 'arg:';

/** A call with everything loaded. */
export interface Call {
  readonly key: Key;
  readonly name: string;
  readonly module: string | null;
  /** Argument name to value, in declared order. */
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly result: unknown;
  readonly metadata: Metadata;
}

/** The arguments of a past call by name. Each look loads anew; printing shows digests. */
export class LazyArguments {
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

  digest(name: string): Digest | undefined {
    return this.#parts.get(name)?.digest;
  }

  /** The value of an argument. Throws `CALL_UNKNOWN` if the call has no such argument or its value is gone. */
  get(name: string): Awaitable<unknown> {
    const part = this.#parts.get(name);
    if (part === undefined) {
      throw new FlecheError('CALL_UNKNOWN', `the call has no argument "${name}"`, {
        hint: `It has: ${this.names.join(', ')}.`,
      });
    }
    return loadStored(this.#cache, { digest: part.digest, blob: part.blob }, `argument "${name}"`);
  }

  toJSON(): Record<string, string> {
    return Object.fromEntries([...this.#parts].map(([name, part]) => [name, part.digest]));
  }
}

/** A record with the cache it came from. Immutable. */
export class LazyCall {
  readonly record: CallRecord;
  readonly arguments: LazyArguments;
  readonly #cache: CacheCore;

  constructor(cache: CacheCore, record: CallRecord) {
    this.#cache = cache;
    this.record = record;
    this.arguments = new LazyArguments(cache, record.parts);
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

  /** Digest of the result by value, or null if the call failed. */
  get resultDigest(): Digest | null {
    return this.record.result?.digest ?? null;
  }

  /** A reference to the result, to pass on without loading it. Throws `CALL_UNKNOWN` if the call failed. */
  get ref(): Ref {
    return new Ref(this.#stored().digest);
  }

  /** The result value, loaded anew at each look. Throws `CALL_UNKNOWN` if the call failed or the value is gone. */
  get result(): Awaitable<unknown> {
    return loadStored(this.#cache, this.#stored(), 'the result');
  }

  #stored(): StoredValue {
    if (this.record.result !== null) return this.record.result;
    throw new FlecheError('CALL_UNKNOWN', `${this.name} has no result: ${this.failure?.message ?? 'it returns none'}`);
  }

  /** Loads everything. */
  fetch(): Awaitable<Call> {
    const { key, name, module, metadata } = this;
    return chain(this.#fetchArguments(), (args) =>
      chain(this.result, (result) => ({ key, name, module, arguments: args, result, metadata })),
    );
  }

  #fetchArguments(): Awaitable<Record<string, unknown>> {
    return this.arguments.names.reduce<Awaitable<Record<string, unknown>>>(
      (before, name) =>
        chain(before, (args) => chain(this.arguments.get(name), (value) => ({ ...args, [name]: value }))),
      {},
    );
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
  stored: { digest: Digest; blob: Digest | null },
  what: string,
): Awaitable<unknown> {
  const blob = stored.blob ?? cache.target(stored.digest);
  return chain(blob, (blob) =>
    chain(blob === undefined ? { found: false as const } : cache.value(blob), (found) => {
      if (found.found) return found.value;
      throw new FlecheError('CALL_UNKNOWN', `${what} is no longer in the cache (digest ${stored.digest})`, {
        hint: 'It was evicted, collected or damaged; make the call again.',
      });
    }),
  );
}
