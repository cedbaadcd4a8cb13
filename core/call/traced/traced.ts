/**
 * Calls that find out what they depend on while they are made, such as transforms of modules. Looked up in two steps:
 * what is known beforehand leads to the lists of things that past calls looked at, and what these are like now leads to
 * the answer. Does not know what can be looked at: the caller names things and says what they are like. An answer is
 * valid as long as everything it was made from is as it was. Trouble with the cache is a miss and one warning.
 */
import { type Awaitable, chain, isPromise } from '../../base/awaitable.ts';
import type { Digest, Key } from '../../base/hash.ts';
import type { Metadata, Part, PartKind } from '../../store/record.ts';
import type { BaseCache } from '../caches/base-cache.ts';
import { collect } from '../caches/transfer.ts';
import { compareParts, type PartChange } from '../explain.ts';
import { type Fingerprint, fingerprint, part } from '../fingerprint.ts';
import { LISTED } from '../listed.ts';
import { Turns } from '../memo/turns/turns.ts';
import { Trouble } from '../trouble.ts';
import { WaitingFilings } from './waiting-filings.ts';

/** A thing that a call looked at. `name` is unique among the parts of the call, such as `file:src/theme.yml`. */
export interface Sight {
  readonly kind: PartKind;
  readonly name: string;
}

/** What it was like. */
export interface Seen extends Sight {
  readonly digest: Digest;
}

/** What is known of a call before it is made. */
export interface TracedCall {
  /** Who makes it, such as the name of a plugin. */
  readonly name: string;
  /** What it is made for: a path relative to the project, or null. */
  readonly module: string | null;
  readonly parts: readonly Part[];
}

export type TracedAnswer =
  | { readonly found: true; readonly key: Key; readonly value: unknown; readonly metadata: Metadata }
  | { readonly found: false };

/** What a thing is like now; undefined if that cannot be said, which is a miss. */
export type Look = (sight: Sight) => Digest | undefined | Promise<Digest | undefined>;

export interface TracedOptions {
  /** Asked at every call; what it throws is trouble with the cache. */
  readonly cache: () => BaseCache;
  /** Begins every warning. */
  readonly who: string;
  readonly onWarning: (message: string) => void;
  /** ms since the epoch. */
  readonly now: () => number;
  /** Called before it is asked whether things still hold: what was seen a moment ago does not count then. */
  readonly renew?: () => void;
}

type Lists = readonly (readonly [PartKind, string][])[];

interface CallTurn {
  end(): void;
}

const ALONE: CallTurn = { end: () => {} };

/** What is filed under the parts that are known beforehand: the answer itself if nothing else was looked at. */
type Filed = { readonly answer: unknown } | { readonly sights: Lists };

interface Found {
  readonly filed: Filed;
  readonly metadata: Metadata;
}

const MISSING: TracedAnswer = { found: false };

/** So many different lists are kept for one call; a branch that is left and taken up again finds its own. */
const LISTS = 8;
/** So many of the newest past calls are compared with one that is not on file. */
const COMPARED = 16;

export class TracedCalls {
  readonly #options: TracedOptions;
  readonly #trouble: Trouble;
  readonly #waiting: WaitingFilings;
  readonly #fingerprints = new WeakMap<TracedCall, Fingerprint>();
  /** The latest. */
  #lists: { readonly text: string; readonly filed: Filed } | undefined;

  constructor(options: TracedOptions) {
    this.#options = options;
    this.#trouble = new Trouble(options.who, false, options.onWarning);
    this.#waiting = new WaitingFilings(this.#trouble, options.renew ?? ((): void => {}));
  }

  lookup(call: TracedCall, look: Look): Awaitable<TracedAnswer> {
    return this.#trouble.attempt<TracedAnswer>(() => this.#lookup(call, look), MISSING);
  }

  #lookup(call: TracedCall, look: Look): Awaitable<TracedAnswer> {
    const cache = this.#options.cache();
    const { key } = this.#known(call);
    return chain(this.#under(cache, key), (first) => {
      if (first === undefined) return MISSING;
      if ('answer' in first.filed) return { found: true, key, value: first.filed.answer, metadata: first.metadata };
      return this.#listed(cache, call, first.filed.sights, look);
    });
  }

  async #listed(cache: BaseCache, call: TracedCall, lists: Lists, look: Look): Promise<TracedAnswer> {
    const looked = new Map<string, Digest | undefined>();
    for (const sights of lists) {
      const seen = await lookAll(sights, look, looked);
      if (seen === undefined) continue;
      const { key } = fingerprint([...call.parts, ...seen.map(partOf)]);
      const found = await this.#under(cache, key);
      if (found !== undefined && 'answer' in found.filed)
        return { found: true, key, value: found.filed.answer, metadata: found.metadata };
    }
    return MISSING;
  }

  /**
   * The turn to make a call, among the processes that share the cache: waits while another one makes it. When it begins the
   * call is to be looked up once more, for another one may have made it since. `place` keeps apart what is asked in different folders. To be ended after
   * what was filed is flushed.
   */
  async turn(call: TracedCall, place: string): Promise<CallTurn> {
    const cache = this.#trouble.attempt<BaseCache | undefined>(() => this.#options.cache(), undefined);
    if (cache === undefined || isPromise(cache)) return ALONE;
    const options = { name: call.name, module: place, enabled: true, waitMs: undefined, trouble: this.#trouble };
    const turn = await new Turns(options).waitLater(cache, this.#known(call).key);
    if (typeof turn === 'string') return ALONE;
    turn.refresh();
    return turn;
  }

  /** The fingerprint of what is known of a call: it is asked for before the call is made and after it. */
  #known(call: TracedCall): Fingerprint {
    let known = this.#fingerprints.get(call);
    if (known === undefined) {
      known = fingerprint(call.parts);
      this.#fingerprints.set(call, known);
    }
    return known;
  }

  /**
   * Files an answer, and what it was made from beside the parts of the call. `value` is asked for the answer, which must
   * have a digest, when it is written, with the next `flush`, if `holds` says that the parts of the call are still true,
   * and when it is found here, at once. Undefined if it cannot be filed.
   */
  file(
    call: TracedCall,
    seen: readonly Seen[],
    value: () => unknown,
    metadata: Metadata,
    holds: () => boolean = always,
  ): Awaitable<Key | undefined> {
    return this.#trouble.attempt<Key | undefined>(() => this.#file(call, seen, value, metadata, holds), undefined);
  }

  #file(
    call: TracedCall,
    seen: readonly Seen[],
    value: () => unknown,
    metadata: Metadata,
    holds: () => boolean,
  ): Awaitable<Key> {
    const cache = this.#options.cache();
    const known = this.#known(call);
    const answer = (): Filed => ({ answer: value() });
    if (seen.length === 0) {
      this.#put(cache, call.name, call.module, known, answer, metadata, holds);
      return known.key;
    }
    const whole = fingerprint([...call.parts, ...seen.map(partOf)]);
    this.#put(cache, call.name, call.module, whole, answer, metadata, holds);
    const list = seen.map(({ kind, name }): [PartKind, string] => [kind, name]);
    return chain(this.#under(cache, known.key), (found) => {
      const before = found?.filed;
      const others = before !== undefined && 'sights' in before ? before.sights.filter(differsFrom(list)) : [];
      const lists = this.#sharedLists([list, ...others].slice(0, LISTS));
      this.#put(cache, call.name + LISTED, call.module, known, () => lists, {}, holds);
      return whole.key;
    });
  }

  /** The same object for the same lists: plugins look at the same things for most modules. */
  #sharedLists(sights: Lists): Filed {
    const text = JSON.stringify(sights);
    if (this.#lists?.text !== text) this.#lists = { text, filed: { sights } };
    return this.#lists.filed;
  }

  /** Files another value with an answer that was filed or found; it is asked for as with `file`. */
  amend(key: Key, value: () => unknown, holds: () => boolean = always): Awaitable<void> {
    return this.#trouble.attempt(() => {
      const cache = this.#options.cache();
      const before = this.#waiting.of(cache, key);
      return chain(before?.record ?? cache.lookup(key), (record) => {
        if (record === undefined) return;
        const both = before === undefined ? holds : () => before.holds() && holds();
        this.#waiting.add({ cache, record, value: () => ({ answer: value() }), holds: both });
      });
    }, undefined);
  }

  #put(
    cache: BaseCache,
    name: string,
    module: string | null,
    { key, parts }: Fingerprint,
    value: () => Filed,
    metadata: Metadata,
    holds: () => boolean,
  ): void {
    const kind = 'transform';
    const filed = this.#options.now();
    const rest = { failure: null, promised: false, outputs: null, log: null, metadata, filed };
    this.#waiting.add({ cache, record: { key, kind, name, module, parts, ...rest }, value, holds });
  }

  #under(cache: BaseCache, key: Key): Awaitable<Found | undefined> {
    const waiting = this.#waiting.of(cache, key);
    if (waiting !== undefined) return { filed: waiting.value() as Filed, metadata: waiting.record.metadata };
    return chain(cache.lookup(key), (record) => {
      if (record === undefined || record.kind !== 'transform' || record.result === null || record.failure !== null)
        return undefined;
      return chain(cache.value(record.result.blob), (found) =>
        found.found ? { filed: found.value as Filed, metadata: record.metadata } : undefined,
      );
    });
  }

  /** What differs from the nearest past call of the same name for the same module; undefined if there was none. */
  async explain(call: TracedCall, look: Look): Promise<readonly PartChange[] | undefined> {
    return this.#trouble.attempt(async () => {
      const { name, module } = call;
      const past = await collect(this.#options.cache().find({ kind: 'transform', name, ...(module && { module }) }));
      const looked = new Map<string, Digest | undefined>();
      let best: readonly PartChange[] | undefined;
      for (const { parts } of past.slice(0, COMPARED)) {
        const known = new Set(call.parts.map((part) => part.name));
        const sights = parts.flatMap(({ kind, name }) => (known.has(name) ? [] : [[kind, name] as const]));
        const present = [...call.parts];
        for (const [kind, name] of sights) {
          if (!looked.has(name)) looked.set(name, await look({ kind, name }));
          const digest = looked.get(name);
          if (digest !== undefined) present.push(part(kind, name, digest));
        }
        const changes = compareParts(parts, present);
        if (best === undefined || changes.length < best.length) best = changes;
      }
      return best;
    }, undefined);
  }

  /** Writes everything filed so far, between other things that happen; then it is durable and seen by other processes. */
  flush(): Promise<void> {
    return this.#waiting.drain();
  }

  /** The same at once, in caches that answer at once: for a process that ends. */
  finish(): void {
    this.#waiting.finish();
  }
}

const always = (): boolean => true;

/** Undefined as soon as something cannot be said. */
async function lookAll(
  sights: readonly (readonly [PartKind, string])[],
  look: Look,
  looked: Map<string, Digest | undefined>,
): Promise<readonly Seen[] | undefined> {
  const seen: Seen[] = [];
  for (const [kind, name] of sights) {
    if (!looked.has(name)) looked.set(name, await look({ kind, name }));
    const digest = looked.get(name);
    if (digest === undefined) return undefined;
    seen.push({ kind, name, digest });
  }
  return seen;
}

function partOf({ kind, name, digest }: Seen): Part {
  return part(kind, name, digest);
}

function differsFrom(
  list: readonly [PartKind, string][],
): (other: readonly (readonly [PartKind, string])[]) => boolean {
  const text = JSON.stringify(list);
  return (other) => JSON.stringify(other) !== text;
}
