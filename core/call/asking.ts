/** One call of a memoised function, with what surrounds it. */
import type { BaseCache } from './base-cache.ts';
import { activeCache, activeCollectors, currentScope, type Scope } from './context.ts';
import type { Controls } from './controls.ts';
import type { Collector } from './metadata.ts';
import type { CallOutcome } from './metrics.ts';

export class Asking {
  readonly cache: BaseCache;
  readonly scope: Scope;
  /** As they were when the call was made: a scope's settings can change while it is under way. */
  readonly collectors: readonly Collector[];
  readonly receiver: unknown;
  readonly args: readonly unknown[];
  readonly controls: Controls;
  /** How it was answered, or undefined for a call that could not even be asked. */
  outcome: CallOutcome | undefined;

  constructor(receiver: unknown, args: readonly unknown[], controls: Controls) {
    this.scope = currentScope();
    this.cache = activeCache(this.scope);
    this.collectors = activeCollectors(this.scope);
    this.receiver = receiver;
    this.args = args;
    this.controls = controls;
  }
}
