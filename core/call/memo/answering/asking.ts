/** One call of a memoised function, with what surrounds it. */
import type { BaseCache } from '../../caches/base-cache.ts';
import { activeCache, activeCollectors, currentScope, type Scope } from '../../context.ts';
import type { Collector } from '../../metadata.ts';
import type { CallOutcome } from '../../metrics/metrics.ts';
import type { Controls } from './controls.ts';

export class Asking {
  readonly scope: Scope;
  readonly receiver: unknown;
  readonly args: readonly unknown[];
  readonly controls: Controls;
  /** How it was answered, or undefined for a call that could not even be asked. */
  outcome: CallOutcome | undefined;
  #cache: BaseCache | undefined;
  #collectors: readonly Collector[] | undefined;

  readonly #canWait: boolean;

  /** `canWait`: whether the function hands over promises, so that a cache may too. */
  constructor(receiver: unknown, args: readonly unknown[], controls: Controls, canWait: boolean) {
    this.#canWait = canWait;
    this.scope = currentScope();
    this.receiver = receiver;
    this.args = args;
    this.controls = controls;
  }

  /** A call that is bypassed needs no cache, unless it is given references, and opens none. */
  get cache(): BaseCache {
    this.#cache ??= this.#active();
    return this.#cache;
  }

  get collectors(): readonly Collector[] {
    this.#collectors ??= activeCollectors(this.scope);
    return this.#collectors;
  }

  /** Takes what surrounds the call as it is now: a scope's settings can change while it is under way. */
  settle(): void {
    this.#cache ??= this.#active();
    this.#collectors ??= activeCollectors(this.scope);
  }

  #active(): BaseCache {
    const cache = activeCache(this.scope);
    return this.#canWait ? cache : cache.atOnce;
  }
}
