/**
 * Claims whose work is over. Whoever claims a task next must find what was noted of it, and noting it costs a wait for the
 * disk; so claims that end in one turn of the event loop are given back together, after one commit.
 */
import type { Claim } from './claims.ts';

export class SpentClaims {
  readonly #commit: () => void;
  readonly #claims = new Map<string, Claim>();
  #turn: NodeJS.Immediate | undefined;

  /** `commit` makes durable what was noted, and visible to other processes. */
  constructor(commit: () => void) {
    this.#commit = commit;
  }

  /** Whether a claim on this task waits to be given back. */
  has(task: string): boolean {
    return this.#claims.has(task);
  }

  add(task: string, claim: Claim): void {
    this.#claims.set(task, claim);
    this.#turn ??= setImmediate(() => this.release());
  }

  /** Gives all of them back now. */
  release(): void {
    clearImmediate(this.#turn);
    this.#turn = undefined;
    if (this.#claims.size === 0) return;
    this.#commit();
    for (const claim of this.#claims.values()) claim.release();
    this.#claims.clear();
  }
}
