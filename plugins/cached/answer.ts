/**
 * What is at rest for one call of a hook: what was answered for a module, and with it what was answered for parts of it
 * (`a.vue?vue&type=style`), which are not asked for without the whole. Answers are immutable.
 */
import type { Seen } from '../../core/index.ts';
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
    const list = typeof value === 'string' && value.startsWith(FORMAT) ? unjoined(value) : value;
    if (!Array.isArray(list) || (list === value && list[0] !== FORMAT)) return undefined;
    const [whole, ...rest] = (list === value ? list.slice(1) : list) as [Packed, ...Packed[]];
    const parts = new Map<string, Packed>();
    for (let at = 0; at + 1 < rest.length; at += 2) parts.set(String(rest[at]), rest[at + 1] ?? '');
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

  /** One text if all of it is text, since that is written and read much faster than a list. */
  get atRest(): unknown {
    const list: readonly Packed[] = [this.#whole, ...[...this.#parts].flat()];
    return list.every((one) => typeof one === 'string') ? joined(list) : [FORMAT, ...list];
  }
}

/** Begins what is at rest. */
const FORMAT = 'answer 2';

function joined(texts: readonly string[]): string {
  let lengths = FORMAT;
  let all = '';
  // Concatenation copies nothing before the text is written, and it is replaced with every part that is added.
  for (const text of texts) {
    lengths += ` ${text.length}`;
    all += text;
  }
  return `${lengths}\n${all}`;
}

function unjoined(text: string): readonly string[] {
  const head = text.indexOf('\n');
  let at = head + 1;
  return text
    .slice(FORMAT.length + 1, head)
    .split(' ')
    .map((length) => {
      const start = at;
      at += Number(length);
      return text.slice(start, at);
    });
}

/** Throws `INDIGESTIBLE` for a value that cannot be kept. */
export function packedCall({ value, effects, seen, ms }: Kept): Packed {
  return pack([value, effects, seen, ms]);
}

function unpacked(packed: Packed): Kept {
  const [value, effects, seen, ms] = unpack(packed) as [unknown, readonly Effect[], readonly Seen[], number];
  return { value, effects, seen, ms };
}
