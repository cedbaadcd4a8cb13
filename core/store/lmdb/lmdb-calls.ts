/**
 * The calls store on disk: records under their key, and an index that is written in the same transaction. What is put
 * is visible in this process at once, and to others after the environment's next commit. A record that does not decode,
 * or that stands under a key not its own, is absent; it is left alone, since a newer build may be able to read it.
 */
import { FlecheError } from '../../base/errors.ts';
import type { Key } from '../../base/hash.ts';
import { type CallTerms, holds, newestFirst, type SyncCallStore } from '../calls.ts';
import { frozenRecord } from '../frozen.ts';
import { type CallRecord, decodeRecord, encodeRecord } from '../record.ts';
import {
  ANY,
  indexKey,
  type Position,
  plainPart,
  plainParts,
  positionOf,
  readIndexKey,
  spanOf,
  type Term,
  termsOfQuestion,
  termsOfRecord,
} from './call-index.ts';
import type { LmdbEnv, Pending } from './lmdb-env.ts';
import { digestKey, digestsBeginningWith, type Table } from './lmdb-table.ts';

/** What a record weighs while it waits, bytes; an estimate, since it is encoded only when it is written. */
const RECORD_BYTES = 1024;
/** Terms with at least this many records are equally good (or bad) to start a search from. */
const MANY = 200;

const NOTHING = new Uint8Array(0);

export class LmdbCalls implements SyncCallStore, Pending {
  readonly location: string;
  readonly #env: LmdbEnv;
  readonly #calls: Table;
  readonly #index: Table;
  /** Records to write, or null to remove. */
  readonly #waiting = new Map<Key, CallRecord | null>();

  constructor(env: LmdbEnv) {
    this.location = env.layout.root;
    this.#env = env;
    this.#calls = env.table('calls');
    this.#index = env.table('index');
    env.join(this);
  }

  get(key: Key): CallRecord | undefined {
    const waiting = this.#waiting.get(key);
    return waiting === undefined ? this.#stored(key) : (waiting ?? undefined);
  }

  #stored(key: Key): CallRecord | undefined {
    const bytes = this.#calls.get(digestKey(key));
    const record = bytes === undefined ? undefined : decodeRecord(bytes);
    return record?.key === key ? record : undefined;
  }

  put(record: CallRecord): void {
    this.#wait(record.key, frozenRecord(record));
  }

  delete(key: Key): boolean {
    const existed = this.get(key) !== undefined;
    if (existed) this.#wait(key, null);
    return existed;
  }

  deleteAll(keys: Iterable<Key>): number {
    this.#requireWritable();
    const there = [...new Set(keys)].filter((key) => this.get(key) !== undefined);
    if (there.length === 0) return 0;
    // What waits already is committed first, so that these are in one transaction however many they are.
    this.#env.commit();
    for (const key of there) this.#waiting.set(key, null);
    this.#env.changed(RECORD_BYTES);
    return there.length;
  }

  #wait(key: Key, record: CallRecord | null): void {
    this.#requireWritable();
    this.#waiting.set(key, record);
    this.#env.changed(RECORD_BYTES);
  }

  #requireWritable(): void {
    if (!this.#env.readOnly) return;
    throw new FlecheError('CACHE_READ_ONLY', `the cache in ${this.location} was opened for reading only`);
  }

  *find(terms: CallTerms): Generator<CallRecord, void, undefined> {
    const fresh: CallRecord[] = [];
    for (const record of this.#waiting.values()) if (record !== null && holds(terms, record)) fresh.push(record);
    // What waits now may be written before the last record is asked for, and then be found a second time.
    const hidden = new Set(this.#waiting.keys());
    fresh.sort(newestFirst);
    let next = 0;
    for (const record of this.#findStored(terms)) {
      if (hidden.has(record.key)) continue;
      for (let first = fresh[next]; first !== undefined && newestFirst(first, record) < 0; first = fresh[++next]) {
        yield first;
      }
      yield record;
    }
    yield* fresh.slice(next);
  }

  *#findStored(asked: CallTerms): Generator<CallRecord, void, undefined> {
    const terms = termsOfQuestion(asked, (part) => this.#index.has(plainPart(part)));
    const start = this.#fewest(terms, asked);
    if (start === undefined) return;
    const others = terms.filter((term) => term !== start);
    const span = spanOf(start, asked.since, asked.until);
    for (const bytes of this.#index.keys(span.start, span.end)) {
      const entry = readIndexKey(bytes);
      if (entry === undefined || !this.#hasAll(others, entry.position)) continue;
      const record = this.#stored(entry.key);
      if (record === undefined || !positionOf(record).equals(entry.position)) continue;
      if (holds(asked, record)) yield record;
    }
  }

  /** The term with the fewest records; of those with many the first. Undefined if there is one without any. */
  #fewest(terms: readonly Term[], asked: CallTerms): Term | undefined {
    let [best = ANY, ...others] = terms;
    if (others.length === 0) return best;
    const count = (term: Term, limit: number): number => {
      const { start, end } = spanOf(term, asked.since, asked.until);
      return this.#index.countBetween(start, end, limit);
    };
    let least = count(best, MANY);
    for (const term of others) {
      if (least === 0) return undefined;
      // Of those that have more it does not matter how many.
      const size = count(term, least);
      if (size >= least) continue;
      best = term;
      least = size;
    }
    return least === 0 ? undefined : best;
  }

  #hasAll(terms: readonly Term[], position: Position): boolean {
    return terms.every((term) => this.#index.has(indexKey(term, position)));
  }

  matching(prefix: string, limit: number): readonly Key[] {
    this.#env.commit();
    return digestsBeginningWith(this.#calls, prefix, limit) as Key[];
  }

  count(): number {
    this.#env.commit();
    return this.#calls.count();
  }

  write(): void {
    // Most records of one transaction have the same names of parts.
    const plain = new Set<string>();
    for (const [key, record] of this.#waiting) {
      const old = this.#stored(key);
      const after = record === null ? [] : indexKeys(record);
      for (const entry of old === undefined ? [] : indexKeys(old)) {
        if (!after.some((kept) => kept.equals(entry))) this.#index.remove(entry);
      }
      for (const entry of after) this.#index.put(entry, NOTHING);
      if (record === null) {
        this.#calls.remove(digestKey(key));
        continue;
      }
      for (const part of plainParts(record)) plain.add(part);
      this.#calls.put(digestKey(key), encodeRecord(record));
    }
    for (const mark of [...plain].map(plainPart)) if (!this.#index.has(mark)) this.#index.put(mark, NOTHING);
  }

  clear(): void {
    this.#waiting.clear();
  }

  flush(): void {
    this.#env.commit();
  }

  close(): void {
    this.flush();
  }
}

function indexKeys(record: CallRecord): Buffer[] {
  const position = positionOf(record);
  return termsOfRecord(record).map((term) => indexKey(term, position));
}
