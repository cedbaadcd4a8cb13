/**
 * The calls that this process is making. Of one it can be told whether the present code is a part of it, since waiting
 * for it would be waiting for ever; and one that was begun before its function was cleared is not to be filed after that.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Key } from '../base/hash.ts';
import type { CacheCore } from './caches/cache-core.ts';
import type { Named } from './follower.ts';

export class CallUnderWay {
  readonly cache: CacheCore;
  readonly key: Key;
  readonly of: Named;
  readonly #onDisowned: () => void;
  /** The call whose body asked for this one. */
  readonly #outer: CallUnderWay | undefined;

  /** From now on it is under way, until it has ended. `onDisowned` is called if it is nobody else's answer any more. */
  constructor(cache: CacheCore, key: Key, of: Named, onDisowned: () => void) {
    this.cache = cache;
    this.key = key;
    this.of = of;
    this.#onDisowned = onDisowned;
    this.#outer = inner.getStore();
    all.add(this);
  }

  /** Whether its answer is to be filed. */
  get isWanted(): boolean {
    return all.has(this);
  }

  end(): void {
    all.delete(this);
  }

  /** Its answer may be of before what those who ask from now on know of: it is not filed, and not theirs. */
  disown(): void {
    this.end();
    this.#onDisowned();
  }

  /** Runs its body. */
  run<T>(body: () => T): T {
    return inner.run(this, body);
  }

  /** Whether it is this call, or a part of it. */
  isPartOf(cache: CacheCore, key: Key): boolean {
    for (let call: CallUnderWay | undefined = this; call !== undefined; call = call.#outer) {
      if (call.key === key && call.cache === cache) return true;
    }
    return false;
  }
}

const all = new Set<CallUnderWay>();
const inner = new AsyncLocalStorage<CallUnderWay>();

/** Whether the present code is a part of the call. */
export function isInCall(cache: CacheCore, key: Key): boolean {
  return inner.getStore()?.isPartOf(cache, key) ?? false;
}

/** Disowns the calls of which `which` says so. */
export function disown(which: (call: CallUnderWay) => boolean): void {
  for (const call of [...all]) if (which(call)) call.disown();
}
