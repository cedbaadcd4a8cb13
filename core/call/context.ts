/**
 * What surrounds a call: the active cache, the metadata collectors, and whether answers are to be made anew. Settings
 * are sticky within a scope; a scope opened with a callback is seen by everything the callback starts, also after an
 * `await`, and by nothing else.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Key } from '../base/hash.ts';
import type { BaseCache } from './caches/base-cache.ts';
import { ReservedCaches } from './caches/reserved-caches.ts';
import { type Collector, type Fields, Tags } from './metadata.ts';

export interface Scope {
  cache: BaseCache | undefined;
  collectors: readonly Collector[] | undefined;
  /** Keys already made anew, while a rerun is under way. */
  readonly rerun: Set<Key> | undefined;
}

const root: Scope = { cache: undefined, collectors: undefined, rerun: undefined };
const scopes = new AsyncLocalStorage<Scope>();

export function currentScope(): Scope {
  return scopes.getStore() ?? root;
}

/** Runs `body` in a scope of its own that begins with the present settings, changed by `changes`. */
export function inScope<R>(changes: Partial<Scope>, body: () => R): R {
  return scopes.run({ ...currentScope(), ...changes }, body);
}

/** Undoes a sticky setting; `using` does so at the end of the block. */
export interface Restorable extends Disposable {
  restore(): void;
}

/** `restore`, and the same for `using`. */
export function restorable(restore: () => void): Restorable {
  return { restore, [Symbol.dispose ?? Symbol.for('Symbol.dispose')]: restore } as Restorable;
}

/** Finds a cache by its configured or reserved name, and the default one. */
export interface CacheResolver {
  /** False where nobody said which the default one is. */
  readonly isConfigured?: boolean;
  /** Throws `CONFIG_UNKNOWN_CACHE` for a name that is neither configured nor reserved. */
  named(name: string): BaseCache;
  /** The cache of calls that are given none. */
  standard(): BaseCache;
  /** The collectors of calls that are given none. */
  collectors(): readonly Collector[];
}

let resolver: CacheResolver = new ReservedCaches((message) => process.emitWarning(message, 'FlecheNotice'));

/** Says where caches come from; without it there are only the reserved ones. For the composition root. */
export function setCacheResolver(next: CacheResolver): void {
  resolver = next;
}

/** The cache that calls use now. */
export function activeCache(scope: Scope = currentScope()): BaseCache {
  return scope.cache ?? resolver.standard();
}

/** The active cache, if somebody said which it is: otherwise answers would end with this process. */
export function chosenCache(): BaseCache | undefined {
  return currentScope().cache ?? (resolver.isConfigured === false ? undefined : resolver.standard());
}

/** The collectors that calls use now, before those of the function itself. */
export function activeCollectors(scope: Scope): readonly Collector[] {
  return scope.collectors ?? resolver.collectors();
}

/** The active cache. */
export function cache(): BaseCache;
/** Makes a cache active in this scope, until restored. By name: a configured cache, `memory`, `void` or `default`. */
export function cache(which: BaseCache | string): Restorable & { readonly cache: BaseCache };
/** Runs `body` with a cache active. */
export function cache<R>(which: BaseCache | string, body: () => R): R;
export function cache<R>(which?: BaseCache | string, body?: () => R): BaseCache | Restorable | R {
  if (which === undefined) return activeCache();
  const chosen = typeof which === 'string' ? resolver.named(which) : which;
  if (body !== undefined) return inScope({ cache: chosen }, body);
  const scope = currentScope();
  const before = scope.cache;
  scope.cache = chosen;
  return Object.assign(
    restorable(() => {
      scope.cache = before;
    }),
    { cache: chosen },
  );
}

/** Replaces the collectors in this scope, until restored. */
export function meta(collectors: readonly Collector[]): Restorable;
/** Runs `body` with other collectors. */
export function meta<R>(collectors: readonly Collector[], body: () => R): R;
export function meta<R>(collectors: readonly Collector[], body?: () => R): Restorable | R {
  if (body !== undefined) return inScope({ collectors }, body);
  const scope = currentScope();
  const before = scope.collectors;
  scope.collectors = collectors;
  return restorable(() => {
    scope.collectors = before;
  });
}

/** Adds tags to the calls made in this scope, until restored. A hit keeps the tags it was made with. */
export function tags(fields: Fields): Restorable;
/** Runs `body` with tags added to the calls it makes. */
export function tags<R>(fields: Fields, body: () => R): R;
export function tags<R>(fields: Fields, body?: () => R): Restorable | R {
  const collectors = [...activeCollectors(currentScope()), Tags(fields)];
  return body === undefined ? meta(collectors) : meta(collectors, body);
}

/** `tags({ project: name })`. */
export function project(name: string): Restorable;
export function project<R>(name: string, body: () => R): R;
export function project<R>(name: string, body?: () => R): Restorable | R {
  return body === undefined ? tags({ project: name }) : tags({ project: name }, body);
}
