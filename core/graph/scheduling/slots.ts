/**
 * Places for running tasks. A task takes some of the places and, if it is limited, some of a group of its own kind; who
 * waits is served by rank. Places are given out once a turn of the event loop is over, so that a task that became ready
 * in it is among those who are asked.
 */
import { setImmediate as turn } from 'node:timers/promises';

/** What a task wants. */
export interface Want {
  /** Places it takes, at least 1; of more than there are it takes all. */
  readonly weight: number;
  /** What else it takes: `slots` of the `size` that a group has, or of as many as there are places. */
  readonly limit?: { readonly group: string; readonly slots: number; readonly size: number | undefined } | undefined;
  /** The greatest comes first; of equal ones who came first. Asked once, and only if not everyone can be served. */
  readonly rank: () => number;
}

export interface Place {
  /** A number that no other place has at the same time, from 0, as small as may be. */
  readonly lane: number;
  /** Whether time went by until it was free. */
  readonly waited: boolean;
  /** Gives the place back, if it was not given back already. */
  release(): void;
}

interface Waiter {
  readonly want: Want;
  readonly grant: (place: Place) => void;
  rank: number | undefined;
  /** The turn after which it came. */
  readonly turn: number;
}

/** What is taken: of the places, and of one group. */
interface Taken {
  readonly places: number;
  readonly group: string | undefined;
  readonly slots: number;
  readonly size: number;
}

export class Slots {
  readonly #count: number;
  #free: number;
  /** What is taken of each group. */
  readonly #used = new Map<string, number>();
  readonly #lanes: boolean[] = [];
  #waiting: Waiter[] = [];
  /** How often places were given out. */
  #turn = 0;
  #isDue = false;
  #isSorted = true;
  #turns: Promise<void> = Promise.resolve();

  /** `count` is at least 1. */
  constructor(count: number) {
    this.#count = count;
    this.#free = count;
  }

  /** How many places there are. */
  get count(): number {
    return this.#count;
  }

  /** Resolves with a place, which the caller must release, or with undefined once `signal` is aborted. */
  take(want: Want, signal: AbortSignal): Promise<Place | undefined> {
    if (signal.aborted) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const onAbort = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
        resolve(undefined);
        this.#serveSoon();
      };
      const waiter: Waiter = {
        want,
        rank: undefined,
        turn: this.#turn,
        grant(place) {
          signal.removeEventListener('abort', onAbort);
          resolve(place);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(waiter);
      this.#isSorted = false;
      this.#serveSoon();
    });
  }

  /**
   * Resolves after a turn of the event loop, in which nobody else is let go on who asked for one: who is at work is heard when
   * it ends, and who waits for a place that is free has begun before.
   */
  behind(): Promise<void> {
    this.#turns = this.#turns.then(async () => {
      do await turn();
      while (this.#isDue);
    });
    return this.#turns;
  }

  /** Whether somebody waits whose rank is at least this, which is asked for only if somebody waits. */
  isWanted(rank: () => number): boolean {
    if (this.#waiting.length === 0) return false;
    const least = rank();
    return this.#waiting.some((waiter) => this.#rankOf(waiter) >= least);
  }

  #rankOf(waiter: Waiter): number {
    waiter.rank ??= waiter.want.rank();
    return waiter.rank;
  }

  #serveSoon(): void {
    if (this.#isDue || this.#free === 0 || this.#waiting.length === 0) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#serve();
    });
  }

  /**
   * Serves whoever can be served. Who cannot keeps what it lacks from those behind it, so that it gets there: a task that
   * wants many places is not overtaken for ever by those who want few.
   */
  #serve(): void {
    this.#sort();
    this.#turn++;
    const left: Waiter[] = [];
    const withheld = new Set<string>();
    let at = 0;
    for (let isOpen = true; isOpen && at < this.#waiting.length && this.#free > 0; at++) {
      const waiter = this.#waiting[at];
      if (waiter === undefined) break;
      const taken = this.#takenBy(waiter.want);
      const { group } = taken;
      if (group !== undefined && (withheld.has(group) || taken.slots > taken.size - (this.#used.get(group) ?? 0))) {
        withheld.add(group);
        left.push(waiter);
      } else if (taken.places > this.#free) {
        isOpen = false;
        left.push(waiter);
      } else {
        this.#grant(waiter, taken);
      }
    }
    this.#waiting = [...left, ...this.#waiting.slice(at)];
  }

  #takenBy({ weight, limit }: Want): Taken {
    const places = Math.min(weight, this.#count);
    if (limit === undefined) return { places, group: undefined, slots: 0, size: 0 };
    const size = limit.size ?? this.#count;
    return { places, group: limit.group, slots: Math.min(limit.slots, size), size };
  }

  #grant({ grant, turn }: Waiter, { places, group, slots }: Taken): void {
    const lane = this.#lanes.includes(false) ? this.#lanes.indexOf(false) : this.#lanes.length;
    this.#lanes[lane] = true;
    this.#take(places, group, slots);
    let isHeld = true;
    grant({
      lane,
      waited: this.#turn > turn + 1,
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#lanes[lane] = false;
        this.#take(-places, group, -slots);
        this.#serveSoon();
      },
    });
  }

  #take(places: number, group: string | undefined, slots: number): void {
    this.#free -= places;
    if (group !== undefined) this.#used.set(group, (this.#used.get(group) ?? 0) + slots);
  }

  /** Where everyone can be served the order is of no matter, and finding it out costs something. */
  #sort(): void {
    if (this.#isSorted || (this.#waiting.length <= this.#free && this.#waiting.every(isPlain))) return;
    this.#waiting.sort((a, b) => this.#rankOf(b) - this.#rankOf(a));
    this.#isSorted = true;
  }
}

function isPlain({ want }: Waiter): boolean {
  return want.weight === 1 && want.limit === undefined;
}
