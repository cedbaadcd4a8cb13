/**
 * Claims whose work is over. Whoever claims a task next must find what was noted of it, and noting it costs a wait for the
 * disk; so claims that end within a short time are given back together, after one commit.
 */
import type { Claim } from './claims.ts';

/** How much longer another process may have to wait for a claim, ms; as long as there may be between two of its looks. */
const LONGEST = 50;

export class SpentClaims {
  readonly #commit: () => void;
  readonly #together: (steps: () => void) => void;
  readonly #claims = new Map<string, Claim>();
  #due: NodeJS.Timeout | undefined;

  /** `commit` makes durable what was noted, and visible to other processes; `together` is that of the leases. */
  constructor(commit: () => void, together: (steps: () => void) => void) {
    this.#commit = commit;
    this.#together = together;
  }

  /** Whether a claim on this task waits to be given back. */
  has(task: string): boolean {
    return this.#claims.has(task);
  }

  add(task: string, claim: Claim): void {
    if (this.#claims.has(task)) this.release();
    this.#claims.set(task, claim);
    this.#due ??= setTimeout(() => this.release(), LONGEST);
  }

  /** Gives all of them back now. */
  release(): void {
    clearTimeout(this.#due);
    this.#due = undefined;
    if (this.#claims.size === 0) return;
    this.#commit();
    this.#together(() => {
      for (const claim of this.#claims.values()) claim.release();
    });
    this.#claims.clear();
  }
}
