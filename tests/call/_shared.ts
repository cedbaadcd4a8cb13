/** A cache that other processes share: pretended ones, that hold leases and file answers as real ones do. */
import { Cache } from '../../core/call/caches/cache.ts';
import type { Exclusion } from '../../core/call/caches/cache-core.ts';
import type { Lease, LeaseStore } from '../../core/store/leases.ts';
import { MemoryCallStore, MemoryValueStore } from '../../core/store/memory.ts';
import { MemoryLeases, type Note } from '../../core/store/memory-leases.ts';
import { SELF } from '../../core/store/owner.ts';

export class SharedCache extends Cache {
  readonly leases: Map<string, Lease> = new Map();
  readonly notes: Map<string, Note> = new Map();
  /** What happens when this process looks for what others filed; empties itself. */
  readonly onRefresh: (() => void)[] = [];

  constructor() {
    super(new MemoryValueStore(), new MemoryCallStore());
  }

  /** The leases as a live process with this name sees them. */
  seenBy(id: string, host: string = SELF.host): LeaseStore {
    const { leases: shared, notes } = this;
    return new MemoryLeases({ ...SELF, id, host }, { now: Date.now, ttlMs: 60_000, shared, notes });
  }

  /** Takes a lease as another process that lives. */
  take(name: string, by = 'another process'): Lease {
    const acquired = this.seenBy(by).acquire(name, () => false);
    if (acquired.kind !== 'acquired') throw new Error(`${name} is held`);
    return acquired.lease;
  }

  override get exclusion(): Exclusion {
    return {
      leases: this.seenBy(SELF.id),
      now: Date.now,
      refresh: () => {
        for (const happen of this.onRefresh.splice(0)) happen();
      },
      whenVisible: (then) => then(),
    };
  }
}
