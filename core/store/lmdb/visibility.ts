/** Who wants to know when what was put so far can be seen by other processes. */
import type { Pending } from './lmdb-env.ts';

export class Visibility implements Pending {
  readonly #waiting: (() => void)[] = [];

  /** Calls back after the next commit, also if that failed: what it would have written is lost then. Must not throw. */
  add(then: () => void): void {
    this.#waiting.push(then);
  }

  write(): void {}

  clear(): void {
    for (const then of this.#waiting.splice(0)) then();
  }
}
