/** What one function is made from besides its arguments: their epochs are parts of every question it is asked. */
import type { Awaitable } from '../../base/awaitable.ts';
import { digest } from '../../base/digest.ts';
import { FlecheError, messageOf } from '../../base/errors.ts';
import { byCodeUnit } from '../../base/order.ts';
import type { Part } from '../../store/record.ts';
import { part } from '../fingerprint.ts';
import {
  type Follower,
  type InvalidationListener,
  type Named,
  type Origin,
  onInvalidation,
  tellInvalidated,
} from '../follower.ts';

const NONE: readonly Part[] = [];

export class Following implements Follower {
  readonly #of: Named;
  /** Sorted by name. */
  #origins: readonly Origin[] = [];

  constructor(of: Named) {
    this.#of = of;
  }

  get name(): string {
    return this.#of.name;
  }

  follow(origin: Origin): () => void {
    this.#origins = [...this.#origins, origin].sort((a, b) => byCodeUnit(a.name, b.name));
    return () => {
      this.#origins = this.#origins.filter((other) => other !== origin);
    };
  }

  invalidated(cause?: unknown): Awaitable<void> {
    return tellInvalidated(this.#of, cause);
  }

  onInvalidate(listener: InvalidationListener): () => void {
    return onInvalidation(this.#of, listener);
  }

  /** How things stand, in key order. Throws `SHELF_UNREADABLE` where that cannot be told. */
  parts(): readonly Part[] {
    if (this.#origins.length === 0) return NONE;
    return this.#origins.map((origin) => {
      try {
        // With its name: two origins that stand equally are no call's common input.
        return part('option', origin.name, digest([origin.name, origin.epoch()]));
      } catch (error) {
        throw new FlecheError('SHELF_UNREADABLE', `it cannot be told how ${origin.name} stands: ${messageOf(error)}`, {
          cause: error,
        });
      }
    });
  }
}
