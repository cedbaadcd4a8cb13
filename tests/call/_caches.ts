/** Caches for tests: in memory, answering later, broken, and counting what is read. */
import { Cache } from '../../core/call/caches/cache.ts';
import { MemoryCallStore, MemoryValueStore } from '../../core/store/memory.ts';

export function memoryCache(): Cache {
  return new Cache(new MemoryValueStore(), new MemoryCallStore());
}

/** Listings of a store: everything else it has gives one answer. */
const LISTINGS = new Set(['find', 'list', 'aliases']);

/** The same store with every method replaced by what `change` makes of it. */
function changed<T extends object>(
  store: T,
  change: (name: string, call: (...args: unknown[]) => unknown) => unknown,
): T {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return change(String(name), (...args) => Reflect.apply(member, target, args) as unknown);
    },
  });
}

/** A cache like a remote one: every answer is a promise that takes some turns. */
export function laterCache(inner: Cache = memoryCache()): Cache {
  const later = <T extends object>(store: T): T =>
    changed(store, (name, call) => {
      if (!LISTINGS.has(name)) {
        return async (...args: unknown[]) => {
          await new Promise((resolve) => setImmediate(resolve));
          return call(...args);
        };
      }
      return async function* (...args: unknown[]) {
        for (const item of call(...args) as Iterable<unknown>) {
          await null;
          yield item;
        }
      };
    });
  return new Cache(later(inner.values), later(inner.calls));
}

/** A cache that keeps, but fails in the methods that are named. */
export function failingCache(names: readonly string[], inner: Cache = memoryCache()): Cache {
  const failing = <T extends object>(store: T): T =>
    changed(store, (name, call) =>
      names.includes(name)
        ? () => {
            throw new Error(`${name} is broken`);
          }
        : call,
    );
  return new Cache(failing(inner.values), failing(inner.calls));
}

/** Every method of both stores that a call can meet. */
export const STORE_METHODS: readonly string[] = [
  'has',
  'get',
  'put',
  'delete',
  'alias',
  'target',
  'find',
  'matching',
  'flush',
];

export interface Counts {
  /** Digests of values read, in order. */
  readonly read: string[];
  /** Names of the calls filed, in order. */
  readonly filed: string[];
}

/** A cache that notes what is read and filed. */
export function countingCache(): { readonly cache: Cache; readonly counts: Counts } {
  const counts: Counts = { read: [], filed: [] };
  const values = changed(new MemoryValueStore(), (name, call) => (...args: unknown[]) => {
    if (name === 'get') counts.read.push(String(args[0]));
    return call(...args);
  });
  const calls = changed(new MemoryCallStore(), (name, call) => (...args: unknown[]) => {
    if (name === 'put') counts.filed.push((args[0] as { name: string }).name);
    return call(...args);
  });
  return { cache: new Cache(values, calls), counts };
}
