/** Leases within one process: for stores that no other process can see, and for tests. */
import type { Acquired, Lease, LeaseStore, Owner } from './leases.ts';

/** What the holder of a lease left. */
export interface Note {
  readonly lease: Lease;
  readonly text: Uint8Array;
}

export class MemoryLeases implements LeaseStore {
  readonly #owner: Owner;
  readonly #now: () => number;
  readonly #ttl: number;
  readonly #leases: Map<string, Lease>;
  readonly #notes: Map<string, Note>;
  #token = 0;

  /** `shared` and `notes` let several stores, one for each pretended process, see the same leases. */
  constructor(
    owner: Owner,
    options: { now: () => number; ttlMs: number; shared?: Map<string, Lease>; notes?: Map<string, Note> },
  ) {
    this.#owner = owner;
    this.#now = options.now;
    this.#ttl = options.ttlMs;
    this.#leases = options.shared ?? new Map();
    this.#notes = options.notes ?? new Map();
  }

  acquire(name: string, mayTake: (held: Lease) => boolean): Acquired {
    const held = this.#leases.get(name);
    if (held !== undefined && !mayTake(held)) return { kind: 'held', lease: held };
    const now = this.#now();
    this.#token = Math.max(this.#token, ...[...this.#leases.values()].map((lease) => lease.token)) + 1;
    const lease = { name, owner: this.#owner, token: this.#token, acquired: now, renewed: now, ttl: this.#ttl };
    this.#leases.set(name, lease);
    return { kind: 'acquired', lease, note: this.#notes.get(name)?.text };
  }

  renew(lease: Lease): boolean {
    const held = this.#leases.get(lease.name);
    if (held?.token !== lease.token) return false;
    this.#leases.set(lease.name, { ...held, renewed: this.#now() });
    return true;
  }

  release(lease: Lease, note?: Uint8Array): void {
    if (this.#leases.get(lease.name)?.token !== lease.token) return;
    this.#leases.delete(lease.name);
    if (note !== undefined) this.#notes.set(lease.name, { lease, text: note });
  }

  forget(leases: readonly Lease[]): void {
    for (const { name, token } of leases) if (this.#notes.get(name)?.lease.token === token) this.#notes.delete(name);
  }

  holder(name: string): Lease | undefined {
    return this.#leases.get(name);
  }

  together(steps: () => void): void {
    steps();
  }

  list(which: (name: string) => boolean = () => true): readonly Lease[] {
    return [...this.#leases.values()].filter(({ name }) => which(name));
  }

  clear(which: (lease: Lease) => boolean): number {
    const gone = this.list().filter(which);
    for (const lease of gone) this.#leases.delete(lease.name);
    for (const [name, { lease }] of this.#notes) if (which(lease)) this.#notes.delete(name);
    return gone.length;
  }

  async close(): Promise<void> {}
}
