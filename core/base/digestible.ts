/**
 * How a class takes part in digests and storage. A class instance has no faithful digest by itself: its private state
 * and its invariants are invisible. It opts in by a method under `DIGEST`, or by registration with a codec, which also
 * makes it storable. Registrations are per process and must be made before the first value of the class is met.
 */
import { FlecheError } from './errors.ts';

/** A method under this symbol returns a plain value that stands for the instance: equal values, equal digests. */
export const DIGEST: unique symbol = Symbol.for('fleche.digest') as never;

/**
 * How deep values may be nested, to be digested and stored. Walks recurse, and a stack that overflows in the middle of
 * one could not be told from damage; this leaves a wide margin.
 */
export const MAX_DEPTH = 400;

export interface Digestible {
  [DIGEST](): unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: the one place where any constructor is meant
export type AnyClass<T = unknown> = abstract new (...args: any[]) => T;

/**
 * A class that can be digested and stored: `encode` gives a plain value, `decode` makes an equal instance of it.
 * `identity` gives a plain value that is equal for equal instances, where `encode` has more than makes them equal.
 */
export interface ClassCodec<T = unknown> {
  readonly name: string;
  readonly type: AnyClass<T>;
  readonly encode: (instance: T) => unknown;
  readonly decode: (plain: unknown) => T;
  readonly identity: (instance: T) => unknown;
}

const byPrototype = new Map<unknown, ClassCodec>();
const byName = new Map<string, ClassCodec>();

/**
 * Makes instances of `type` digestible and storable under `name`, which is part of their digest.
 * Throws `DUPLICATE_NAME` when another class has that name.
 */
export function registerClass<T>(
  name: string,
  type: AnyClass<T>,
  codec: {
    readonly encode: (instance: T) => unknown;
    readonly decode: (plain: unknown) => T;
    /** Default: `encode`. */
    readonly identity?: (instance: T) => unknown;
  },
): void {
  const known = byName.get(name);
  if (known !== undefined && known.type !== type) {
    throw new FlecheError('DUPLICATE_NAME', `two classes are registered as "${name}"`, {
      hint: 'Give one of them another name: the name is part of every digest of its instances.',
    });
  }
  const { encode, decode, identity = encode } = codec;
  const entry = { name, type, encode, decode, identity } as ClassCodec;
  byPrototype.set(type.prototype, entry);
  byName.set(name, entry);
}

export function classCodecOf(prototype: unknown): ClassCodec | undefined {
  return byPrototype.get(prototype);
}

export function classCodecNamed(name: string): ClassCodec | undefined {
  return byName.get(name);
}
