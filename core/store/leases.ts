/**
 * The contract of a lease store: cross-process marks that something is being calculated. A lease is a courtesy that
 * saves work, never what makes an answer right: losing all leases costs double work and nothing else.
 */

/** Who holds a lease. A process keeps one owner for its life. */
export interface Owner {
  /** Unique for every process that ever was. */
  readonly id: string;
  readonly pid: number;
  /** Names the machine, or the container, in which `pid` means something. */
  readonly host: string;
}

export interface Lease {
  /** What is being calculated: a key, or the name of a task. */
  readonly name: string;
  readonly owner: Owner;
  /** Grows with every acquisition in the store: a holder whose lease was taken over has a lower one. */
  readonly token: number;
  /** ms since the epoch. */
  readonly acquired: number;
  /** When the holder last said that it lives, ms since the epoch. */
  readonly renewed: number;
  /** How long after `renewed` the lease may be taken over, ms. A process gives all its leases of one store the same. */
  readonly ttl: number;
}

export type Acquired =
  /** `note`: what a former holder left for whoever comes next. */
  | { readonly kind: 'acquired'; readonly lease: Lease; readonly note: Uint8Array | undefined }
  | { readonly kind: 'held'; readonly lease: Lease };

export interface LeaseStore {
  /**
   * Takes the lease if it is free or if `mayTake` says so of its present holder; both in one step. A lease that this very
   * owner holds is held.
   */
  acquire(name: string, mayTake: (held: Lease) => boolean): Acquired;
  /** Says that the holder lives. False if the lease is no longer its own. */
  renew(lease: Lease): boolean;
  /**
   * Gives the lease back, if it is still the holder's own. A `note` takes the place of one that was left before, and is
   * there for all who take the lease from now on.
   */
  release(lease: Lease, note?: Uint8Array): void;
  /**
   * Takes some of these steps, which follow each other at once, as one: most of what a step costs is paid once. What fails at
   * the end is as if it had not been, and may be taken once more, from the beginning.
   */
  together(steps: () => void): void;
  /** Takes away the notes that were left by the holders of these leases. */
  forget(leases: readonly Lease[]): void;
  /** The present holder, or undefined. */
  holder(name: string): Lease | undefined;
  /** All leases, or those whose names `which` takes, by name. */
  list(which?: (name: string) => boolean): readonly Lease[];
  /** Removes those leases that `which` says, and the notes that such left; returns how many leases. */
  clear(which: (lease: Lease) => boolean): number;
  close(): Promise<void>;
}
