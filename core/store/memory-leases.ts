/** Leases within one process: for stores that no other process can see, and for tests. */
import type { Acquired, Lease, LeaseStore, Owner } from './leases.ts';

export class MemoryLeases implements LeaseStore {
  readonly #owner: Owner;
  readonly #now: () => number;
  readonly #ttl: number;
  readonly #leases: Map<string, Lease>;
  #token = 0;

  /** `shared` lets several stores, one for each pretended process, see the same leases. */
  constructor(owner: Owner, options: { now: () => number; ttlMs: number; shared?: Map<string, Lease> }) {
    this.#owner = owner;
    this.#now = options.now;
    this.#ttl = options.ttlMs;
    this.#leases = options.shared ?? new Map();
  }

  acquire(name: string, mayTake: (held: Lease) => boolean): Acquired {
    const held = this.#leases.get(name);
    if (held !== undefined && !mayTake(held)) return { kind: 'held', lease: held };
    const now = this.#now();
    this.#token = Math.max(this.#token, ...[...this.#leases.values()].map((lease) => lease.token)) + 1;
    const lease = { name, owner: this.#owner, token: this.#token, acquired: now, renewed: now, ttl: this.#ttl };
    this.#leases.set(name, lease);
    return { kind: 'acquired', lease };
  }

  renew(lease: Lease): boolean {
    const held = this.#leases.get(lease.name);
    if (held?.token !== lease.token) return false;
    this.#leases.set(lease.name, { ...held, renewed: this.#now() });
    return true;
  }

  release(lease: Lease): void {
    if (this.#leases.get(lease.name)?.token === lease.token) this.#leases.delete(lease.name);
  }

  holder(name: string): Lease | undefined {
    return this.#leases.get(name);
  }

  list(): readonly Lease[] {
    return [...this.#leases.values()];
  }

  clear(which: (lease: Lease) => boolean): number {
    const gone = this.list().filter(which);
    for (const lease of gone) this.#leases.delete(lease.name);
    return gone.length;
  }

  async close(): Promise<void> {}
}
