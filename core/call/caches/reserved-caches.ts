/** The caches that are there without any configuration: `memory`, `void` and `default`. */
import { FlecheError } from '../../base/errors.ts';
import { MemoryCallStore, MemoryValueStore } from '../../store/memory.ts';
import { VoidCallStore, VoidValueStore } from '../../store/void.ts';
import { type Collector, Runtime } from '../metadata.ts';
import type { BaseCache } from './base-cache.ts';
import { Cache } from './cache.ts';

/**
 * `memory` lives as long as the process and is one and the same whenever it is asked for. `void` keeps nothing, so that
 * every call is made. `default` is `memory` for want of a configuration.
 */
export class ReservedCaches {
  readonly isConfigured: boolean = false;
  readonly #onNotice: (message: string) => void;
  #memory: BaseCache | undefined;
  #void: BaseCache | undefined;
  #noticed = false;

  /** `onNotice` is told once when calls are kept in memory because nobody said where. */
  constructor(onNotice: (message: string) => void = () => {}) {
    this.#onNotice = onNotice;
  }

  /** Throws `CONFIG_UNKNOWN_CACHE` for any other name. */
  named(name: string): BaseCache {
    switch (name) {
      case 'memory':
        this.#memory ??= new Cache(new MemoryValueStore(), new MemoryCallStore());
        return this.#memory;
      case 'void':
        this.#void ??= new Cache(new VoidValueStore(), new VoidCallStore());
        return this.#void;
      case 'default':
        return this.standard();
      default:
        throw new FlecheError('CONFIG_UNKNOWN_CACHE', `there is no cache "${name}"`, {
          hint: 'Without a configuration there are: memory, void, default.',
        });
    }
  }

  standard(): BaseCache {
    if (!this.#noticed) this.#onNotice('no cache is configured: answers are kept in memory and end with this process');
    this.#noticed = true;
    return this.#memory ?? this.named('memory');
  }

  collectors(): readonly Collector[] {
    return STANDARD_COLLECTORS;
  }
}

const STANDARD_COLLECTORS: readonly Collector[] = [Runtime];
