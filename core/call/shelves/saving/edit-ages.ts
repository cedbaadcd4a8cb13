/**
 * How old the edits are that have not been saved, in a ring of buckets, and when they are old or many enough. Knows no
 * clock: times are ms of any clock that only moves forward.
 */
import { parseDuration } from '../../../base/duration.ts';
import { FlecheError } from '../../../base/errors.ts';

/**
 * So many edits are to be saved once they are older than the `within` of the band before (the first: at once) and not
 * yet older than their own, such as `60s` or ms. What is older than the last band's is saved whatever its number.
 */
export interface Band {
  readonly edits: number;
  readonly within: string | number;
}

/** 10 000 edits at once, 10 that are a minute old, one that is five minutes old. */
export const AUTOSYNC: readonly Band[] = [
  { edits: 10_000, within: '60s' },
  { edits: 10, within: '300s' },
  { edits: 1, within: '900s' },
];

/** Throws `USAGE` for bands that are not from the shortest to the longest, and `INVALID_DURATION`. */
export function checkBands(bands: readonly Band[]): void {
  let longest = 0;
  for (const { edits, within } of bands) {
    const ms = parseDuration(within);
    if (!Number.isSafeInteger(edits) || edits < 1) throw wrong(`${edits} is not a number of edits`);
    if (ms <= longest) throw wrong(`"${within}" is not longer than the band before it`);
    longest = ms;
  }
  if (bands.length === 0) throw wrong('there are no bands');
}

function wrong(what: string): FlecheError {
  return new FlecheError('USAGE', `autosync: ${what}`, {
    hint: "List bands from the shortest to the longest, such as [{ edits: 100, within: '10s' }, { edits: 1, within: '5m' }].",
  });
}

/** Edits whose ages are told apart no further. */
interface Bucket {
  /** When the first of them was made. */
  readonly start: number;
  count: number;
}

const BUCKETS = 60;

export class EditAges {
  readonly #bands: readonly { readonly edits: number; readonly from: number; readonly to: number }[];
  readonly #longest: number;
  /** Oldest first. */
  #buckets: Bucket[] = [];

  /** Throws as `checkBands`. */
  constructor(bands: readonly Band[]) {
    checkBands(bands);
    let from = 0;
    this.#bands = bands.map(({ edits, within }) => {
      const band = { edits, from, to: parseDuration(within) };
      from = band.to;
      return band;
    });
    this.#longest = from;
  }

  /** Notes edits made at `now`. */
  add(now: number, count: number): void {
    const newest = this.#buckets.at(-1);
    // Edits in a bucket are taken to be as old as its first: they are saved too early rather than too late.
    if (newest !== undefined && now - newest.start < this.#longest / BUCKETS) newest.count += count;
    else this.#buckets.push({ start: now, count });
    // More than a ring's worth are there only if saving fails: then all of them are due.
    const [first, second] = this.#buckets;
    if (this.#buckets.length > BUCKETS + 1 && first !== undefined && second !== undefined) {
      this.#buckets.splice(0, 2, { start: first.start, count: first.count + second.count });
    }
  }

  /** The earliest time at which they are to be saved if no more are made; infinite if there are none. */
  due(): number {
    const oldest = this.#buckets[0];
    if (oldest === undefined) return Number.POSITIVE_INFINITY;
    let earliest = oldest.start + this.#longest;
    for (const band of this.#bands) earliest = Math.min(earliest, this.#dueIn(band));
    return earliest;
  }

  /** The first time at which enough of them have an age within the band: always when a bucket enters it. */
  #dueIn({ edits, from, to }: { readonly edits: number; readonly from: number; readonly to: number }): number {
    const leaving = this.#buckets.values();
    let oldest = leaving.next();
    let within = 0;
    for (const entering of this.#buckets) {
      within += entering.count;
      while (!oldest.done && entering.start - oldest.value.start >= to - from) {
        within -= oldest.value.count;
        oldest = leaving.next();
      }
      if (within >= edits) return entering.start + from;
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Forgets all of them. */
  clear(): void {
    this.#buckets = [];
  }
}
