/** What one shared tier did in this process, for people and for programs. */
import { byCodeUnit } from '../../base/order.ts';

/** Plain JSON. */
export interface SharedReport {
  /** As the tier is called in the configuration. */
  readonly name: string;
  readonly location: string;
  /** Answers that came from there. */
  readonly hits: number;
  readonly misses: number;
  /** Answers that were not believed, by why. They count as misses too. */
  readonly rejected: Readonly<Record<string, number>>;
  /** Answers that were put there. */
  readonly stored: number;
  /** Answers that were to be put there and were not. */
  readonly unstored: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** The first thing that went wrong with the server, or null. */
  readonly trouble: string | null;
}

export class SharedTally {
  readonly #about: { readonly name: string; readonly location: string };
  readonly #rejected = new Map<string, number>();
  #trouble: string | null = null;
  hits = 0;
  misses = 0;
  stored = 0;
  unstored = 0;
  bytesReceived = 0;
  bytesSent = 0;

  constructor(name: string, location: string) {
    this.#about = { name, location };
  }

  reject(why: string): void {
    this.#rejected.set(why, (this.#rejected.get(why) ?? 0) + 1);
  }

  /** Notes trouble; whether it is the first. */
  note(trouble: string): boolean {
    if (this.#trouble !== null) return false;
    this.#trouble = trouble;
    return true;
  }

  report(): SharedReport {
    const { hits, misses, stored, unstored, bytesReceived, bytesSent } = this;
    const rejected = Object.fromEntries([...this.#rejected].sort(([a], [b]) => byCodeUnit(a, b)));
    const trouble = this.#trouble;
    return { ...this.#about, hits, misses, rejected, stored, unstored, bytesReceived, bytesSent, trouble };
  }
}

/** What was not believed, as one sentence; undefined if everything was. */
export function rejectedText({ name, rejected }: SharedReport): string | undefined {
  const kinds = Object.entries(rejected);
  if (kinds.length === 0) return undefined;
  const count = kinds.reduce((sum, [, each]) => sum + each, 0);
  const why = kinds.map(([kind, each]) => `${each} ${kind}`).join(', ');
  return `the shared cache "${name}" gave ${count === 1 ? 'an answer that was' : `${count} answers that were`} not believed: ${why}`;
}
