/**
 * References among the arguments of a call. A reference has the digest of the value it names, wherever it stands in an
 * argument, so it has to be replaced by that value wherever it stands before the body may see the argument.
 */
import { types } from 'node:util';
import { type Awaitable, chain, isPromise } from '../base/awaitable.ts';
import { classCodecOf } from '../base/digestible.ts';
import { FlecheError } from '../base/errors.ts';
import type { Digest } from '../base/hash.ts';
import { Ref } from '../base/ref.ts';
import type { CacheCore } from './caches/cache-core.ts';
import { expandValue } from './prefix.ts';

/** Waits for all, at once if all are there. */
export function all<T>(values: readonly Awaitable<T>[]): Awaitable<readonly T[]> {
  return values.some((value) => isPromise(value)) ? Promise.all(values) : (values as readonly T[]);
}

/** Whether any of the values is or contains a reference. */
export function containRef(values: readonly unknown[]): boolean {
  const seen = new Set<object>();
  return values.some((value) => contains(value, seen));
}

/** `seen` has the containers looked at before: a value without a digest may be cyclic. */
function contains(value: unknown, seen: Set<object>): boolean {
  if (typeof value !== 'object' || value === null || seen.size === seen.add(value).size) return false;
  if (value instanceof Ref) return true;
  const within = (member: unknown): boolean => contains(member, seen);
  if (Array.isArray(value)) return value.some(within);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return Object.values(value).some(within);
  if (types.isMap(value)) return [...value.keys()].some(within) || [...value.values()].some(within);
  if (types.isSet(value)) return [...value].some(within);
  const codec = classCodecOf(prototype);
  return codec !== undefined && within(codec.encode(value));
}

/** The same value with every prefix completed. Throws what `expand` throws for a prefix that names no value. */
export function completeRefs(cache: CacheCore, value: unknown): Awaitable<unknown> {
  return replaceRefs(value, (ref) => chain(digestOf(cache, ref), (digest) => new Ref(digest)));
}

/** The same value with every reference replaced by what it names. Throws `DIGEST_UNKNOWN` for one that is not stored. */
export function loadRefs(cache: CacheCore, value: unknown): Awaitable<unknown> {
  return replaceRefs(value, (ref) =>
    chain(digestOf(cache, ref), (digest) =>
      chain(cache.target(digest), (blob) =>
        chain(blob === undefined ? undefined : cache.value(blob), (found) => {
          if (found?.found) return found.value;
          throw new FlecheError('DIGEST_UNKNOWN', `the value ${digest} is not in the cache`, {
            hint: 'Make it again, or use the cache that has it.',
          });
        }),
      ),
    ),
  );
}

/** The complete digest of a reference. */
export function digestOf(cache: CacheCore, ref: Ref): Awaitable<Digest> {
  return ref.digest ?? expandValue(cache, ref.prefix);
}

function replaceRefs(value: unknown, replace: (ref: Ref) => Awaitable<unknown>): Awaitable<unknown> {
  if (value instanceof Ref) return replace(value);
  if (typeof value !== 'object' || value === null || !containRef([value])) return value;
  const inside = (member: unknown): Awaitable<unknown> => replaceRefs(member, replace);
  if (types.isMap(value)) {
    return chain(
      all([...value].map((entry) => all(entry.map(inside)))),
      (entries) => new Map(entries as [unknown, unknown][]),
    );
  }
  if (types.isSet(value)) return chain(all([...value].map(inside)), (members) => new Set(members));
  const codec = classCodecOf(Object.getPrototypeOf(value));
  if (codec !== undefined) return chain(inside(codec.encode(value)), (plain) => codec.decode(plain));
  const keys = Object.keys(value);
  const members = all(keys.map((key) => inside((value as Record<string, unknown>)[key])));
  return chain(members, (members) => {
    const copy: object = Array.isArray(value)
      ? value.slice()
      : Object.create(Object.getPrototypeOf(value) as object | null);
    for (const [at, key] of keys.entries()) {
      Object.defineProperty(copy, key, { value: members[at], configurable: true, enumerable: true, writable: true });
    }
    return copy;
  });
}
