/**
 * Leases that never fail a run. They are a courtesy among processes: when their database fails, this process goes on with
 * leases of its own, others may do the same work meanwhile, and that is told once.
 */
import { FlecheError, messageOf } from '../base/errors.ts';
import type { Acquired, Lease, LeaseStore } from './leases.ts';
import { MemoryLeases } from './memory-leases.ts';
import { SELF } from './owner.ts';

export interface SturdyOptions {
  /** ms since the epoch. */
  readonly now: () => number;
  /** How long a holder elsewhere may stay silent before its lease can be taken over, ms. */
  readonly ttlMs: number;
  /** Told once, in a sentence, when other processes cannot be heard of any more. */
  readonly onTrouble?: ((message: string) => void) | undefined;
}

export class SturdyLeases implements LeaseStore {
  readonly #leases: LeaseStore;
  readonly #options: SturdyOptions;
  /** Of this process alone, once the others have failed. */
  #alone: MemoryLeases | undefined;

  constructor(leases: LeaseStore, options: SturdyOptions) {
    this.#leases = leases;
    this.#options = options;
  }

  acquire(name: string, mayTake: (held: Lease) => boolean): Acquired {
    return this.#do((leases) => leases.acquire(name, mayTake));
  }

  renew(lease: Lease): boolean {
    return this.#do((leases) => leases.renew(lease));
  }

  release(lease: Lease, note?: Uint8Array): void {
    this.#do((leases) => leases.release(lease, note));
  }

  forget(leases: readonly Lease[]): void {
    this.#do((store) => store.forget(leases));
  }

  holder(name: string): Lease | undefined {
    return this.#do((leases) => leases.holder(name));
  }

  together(steps: () => void): void {
    this.#do((leases) => leases.together(steps));
  }

  list(which?: (name: string) => boolean): readonly Lease[] {
    return this.#do((leases) => leases.list(which));
  }

  clear(which: (lease: Lease) => boolean): number {
    return this.#do((leases) => leases.clear(which));
  }

  /** What the failed ones say when they are closed has been told. */
  async close(): Promise<void> {
    if (this.#alone === undefined) return this.#leases.close();
    await this.#leases.close().catch(() => {});
  }

  #do<T>(action: (leases: LeaseStore) => T): T {
    if (this.#alone !== undefined) return action(this.#alone);
    try {
      return action(this.#leases);
    } catch (error) {
      if (!isOfDatabase(error)) throw error;
      this.#alone = new MemoryLeases(SELF, this.#options);
      this.#options.onTrouble?.(`other processes cannot be heard of any more (${messageOf(error)})`);
      return action(this.#alone);
    }
  }
}

/** LMDB throws plain errors; what is of another kind is ours to mend. */
function isOfDatabase(error: unknown): boolean {
  return error instanceof Error && !(error instanceof FlecheError) && Object.getPrototypeOf(error) === Error.prototype;
}
