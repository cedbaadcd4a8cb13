/** How a task's part in a round ends: its outcome, with the time that it took itself. */
import type { OutcomeKind, Reason, TaskOutcome } from '../tasks/outcome.ts';
import type { Product } from '../tasks/product.ts';
import type { Acted, Settled } from '../tasks/settled.ts';

/** What is to be said of an end; the rest is filled in. */
type EndFields = Partial<Omit<TaskOutcome, 'type' | 'name' | 'ms' | 'attempts'>> & {
  readonly outcome: OutcomeKind;
};

/** One task from the moment when all it needs is over. Time is counted unless it is spent waiting. */
export class Ending {
  readonly #name: string;
  readonly #now: () => number;
  readonly #began: number;
  #waited = 0;
  #attempts = 0;
  #reasons: readonly Reason[] | undefined;

  /** `now` gives ms since some moment. */
  constructor(name: string, now: () => number) {
    this.#name = name;
    this.#now = now;
    this.#began = now();
  }

  /** Waits for others, which does not count. */
  async wait<T>(waiting: Promise<T>): Promise<T> {
    const since = this.#now();
    try {
      return await waiting;
    } finally {
      this.#waited += this.#now() - since;
    }
  }

  /** The work is begun, for these reasons. Returns those of the first time, which hold for every further one. */
  begin(reasons: readonly Reason[]): readonly Reason[] {
    this.#attempts++;
    this.#reasons ??= reasons;
    return this.#reasons;
  }

  /** Why the work was begun; empty if it was not. */
  get reasons(): readonly Reason[] {
    return this.#reasons ?? [];
  }

  settled(fields: EndFields, product?: Product): Settled {
    const ms = Math.max(0, this.#now() - this.#began - this.#waited);
    return { outcome: { ...blank(this.#name), ms, attempts: this.#attempts, ...fields }, product };
  }

  acted(fields: EndFields, product?: Product): Acted {
    return { kind: 'settled', settled: this.settled(fields, product) };
  }
}

function blank(name: string): TaskOutcome {
  return {
    type: 'task',
    name,
    outcome: 'skipped',
    key: null,
    reasons: [],
    ms: 0,
    result: null,
    exitCode: null,
    message: null,
    restored: 0,
    saved: 0,
    attempts: 0,
  };
}
