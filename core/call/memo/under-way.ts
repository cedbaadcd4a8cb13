/** Which calls the present code is a part of, also after an `await`: one that waits for one of these waits for ever. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Key } from '../../base/hash.ts';
import type { CacheCore } from '../caches/cache-core.ts';

/** A call, and the one whose body asked for it. */
interface Link {
  readonly cache: CacheCore;
  readonly key: Key;
  readonly outer: Link | undefined;
}

const calls = new AsyncLocalStorage<Link>();

/** Runs the body of a call. */
export function inCall<T>(cache: CacheCore, key: Key, body: () => T): T {
  return calls.run({ cache, key, outer: calls.getStore() }, body);
}

/** Whether the present code is a part of the call. */
export function isInCall(cache: CacheCore, key: Key): boolean {
  for (let link = calls.getStore(); link !== undefined; link = link.outer) {
    if (link.key === key && link.cache === cache) return true;
  }
  return false;
}
