/**
 * A circuit breaker: after a few failures in a row nothing more is asked for a while, so that a server that is down costs
 * a second and not an afternoon. Then one question is let through, and its fate decides.
 */
import type { FaultKind } from '../../store/remote/remote.ts';

/** Failures in a row after which nothing is asked. */
const FAILURES = 3;
/** For how long, ms. */
const PAUSE = 30_000;

export class Breaker {
  readonly #now: () => number;
  #failures = 0;
  #until: number | undefined;
  #stops = 0;

  /** `now`: ms by a clock that does not go back. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether a question may be asked. The first one after a pause may, and further ones when that was answered. */
  allows(): boolean {
    if (this.#until === undefined) return true;
    if (this.#now() < this.#until) return false;
    this.#until = this.#now() + PAUSE;
    return true;
  }

  /** How often it stopped questions so far: who may ask and then has to wait gives up if that has changed. */
  get stops(): number {
    return this.#stops;
  }

  answered(): void {
    this.#failures = 0;
    this.#until = undefined;
  }

  /** What is refused once will be refused again. */
  failed(kind: FaultKind): void {
    if (kind === 'full') return;
    this.#failures++;
    if (kind !== 'refused' && this.#failures < FAILURES) return;
    this.#until = this.#now() + PAUSE;
    this.#stops++;
  }
}
