/**
 * What is at rest for one call of a hook: what was answered for a module, and with it what was answered for parts of it
 * (`a.vue?vue&type=style`), which are not asked for without the whole. Answers are immutable.
 */
import type { Seen } from '../core/index.ts';
import { type Packed, pack, unpack } from './packed.ts';
import type { Effect } from './recording.ts';

/** What one call came to. */
export interface Kept {
  readonly value: unknown;
  readonly effects: readonly Effect[];
  /** What it looked at; of a whole module empty, since it is in the record. */
  readonly seen: readonly Seen[];
  /** How long it took, ms; of a whole module 0, since it is in the record. */
  readonly ms: number;
}

/** So many parts of one module are kept; of more, the latest. */
const MOST_PARTS = 32;

export class Answer {
  readonly #whole: Packed;
  /** By digests of the questions. */
  readonly #parts: ReadonlyMap<string, Packed>;

  constructor(whole: Packed, parts: ReadonlyMap<string, Packed> = new Map()) {
    this.#whole = whole;
    this.#parts = parts;
  }

  /** The answer in a record, or undefined for what another version may have filed. */
  static of(value: unknown): Answer | undefined {
    if (!Array.isArray(value) || value[0] !== FORMAT) return undefined;
    const [, whole, ...rest] = value as [string, Packed, ...(string | Packed)[]];
    const parts = new Map<string, Packed>();
    for (let at = 0; at < rest.length; at += 2) parts.set(String(rest[at]), rest[at + 1] as Packed);
    return new Answer(whole, parts);
  }

  get whole(): Kept {
    return unpacked(this.#whole);
  }

  part(asked: string): Kept | undefined {
    const packed = this.#parts.get(asked);
    return packed === undefined ? undefined : unpacked(packed);
  }

  with(asked: string, part: Packed): Answer {
    const others = [...this.#parts].filter(([name]) => name !== asked);
    return new Answer(this.#whole, new Map([...others.slice(1 - MOST_PARTS), [asked, part]]));
  }

  get atRest(): readonly unknown[] {
    return [FORMAT, this.#whole, ...[...this.#parts].flat()];
  }
}

const FORMAT = 'answer 2';

/** Throws `INDIGESTIBLE` for a value that cannot be kept. */
export function packedCall({ value, effects, seen, ms }: Kept): Packed {
  return pack([value, effects, seen, ms]);
}

function unpacked(packed: Packed): Kept {
  const [value, effects, seen, ms] = unpack(packed) as [unknown, readonly Effect[], readonly Seen[], number];
  return { value, effects, seen, ms };
}
