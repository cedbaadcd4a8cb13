/** What collectors note about one call: opened just before it, closed just after. */
import type { Metadata } from '../store/record.ts';
import type { CallFacts, Collector, Fields } from './metadata.ts';

interface Open {
  readonly collector: Collector;
  readonly before: unknown;
}

export class Notes {
  readonly #facts: CallFacts;
  readonly #open: readonly Open[];
  readonly #onTrouble: (error: unknown) => void;

  /** Collectors that throw are left out, and told of. */
  constructor(collectors: readonly Collector[], facts: CallFacts, onTrouble: (error: unknown) => void) {
    this.#facts = facts;
    this.#onTrouble = onTrouble;
    this.#open = collectors.flatMap((collector) =>
      this.#guarded([] as Open[], () => [{ collector, before: collector.before(facts) }]),
    );
  }

  /** All namespaces; collectors of the same namespace add to each other, later ones win. */
  close(): Metadata {
    const metadata: Record<string, Fields> = {};
    for (const { collector, before } of this.#open) {
      const fields = this.#guarded(undefined, () => collector.after(before, this.#facts));
      if (fields !== undefined) metadata[collector.name] = { ...metadata[collector.name], ...fields };
    }
    return metadata;
  }

  #guarded<T>(otherwise: T, note: () => T): T {
    try {
      return note();
    } catch (error) {
      this.#onTrouble(error);
      return otherwise;
    }
  }
}
