/**
 * Stores that live as long as their process: for tests, for `cache = "memory"`, and as the first of a stack. They hold
 * everything they are given, without a limit, and know nothing of disks except to take in and give out files.
 */
import { readFileSync, rmSync, type Stats } from 'node:fs';
import { type Digest, type Key, sha256 } from '../base/hash.ts';
import { byCodeUnit } from '../base/order.ts';
import { type CallTerms, holds, newestFirst, type SyncCallStore } from './calls.ts';
import { writeNewFile } from './file-bytes.ts';
import { frozenRecord } from './frozen.ts';
import type { CallRecord } from './record.ts';
import type { StateStore } from './state.ts';
import { type BlobInfo, type FileValueStore, piecesOf, verified } from './values.ts';

interface Blob {
  readonly bytes: Uint8Array;
  touched: number;
}

/** A values store in memory. Its bytes are copies of what was put; those that `get` returns are not to be changed. */
export class MemoryValueStore implements FileValueStore {
  readonly location: undefined;
  readonly #blobs = new Map<Digest, Blob>();
  readonly #aliases = new Map<Digest, Digest>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  has(digest: Digest): boolean {
    return this.#blobs.has(digest);
  }

  get(digest: Digest): Uint8Array | undefined {
    const blob = this.#blobs.get(digest);
    if (blob === undefined) return undefined;
    const bytes = verified(digest, blob.bytes);
    // A reader wrote into what it was given.
    if (bytes === undefined) this.#blobs.delete(digest);
    return bytes;
  }

  pieces(digest: Digest): Iterable<Uint8Array> | undefined {
    const bytes = this.get(digest);
    return bytes && piecesOf(bytes);
  }

  put(digest: Digest, bytes: Uint8Array): void {
    const blob = this.#blobs.get(digest);
    if (blob === undefined) this.#blobs.set(digest, { bytes: Buffer.from(bytes), touched: this.#now() });
    else blob.touched = this.#now();
  }

  putLasting(digest: Digest, bytes: Uint8Array): void {
    this.put(digest, bytes);
  }

  delete(digest: Digest): boolean {
    return this.#blobs.delete(digest);
  }

  alias(value: Digest, blob: Digest): void {
    this.#aliases.set(value, blob);
  }

  target(value: Digest): Digest | undefined {
    return this.#aliases.get(value);
  }

  unalias(value: Digest): boolean {
    return this.#aliases.delete(value);
  }

  *list(): Generator<BlobInfo, void, undefined> {
    for (const [digest, blob] of this.#blobs) yield { digest, size: blob.bytes.length, touched: blob.touched };
  }

  aliases(): Iterable<readonly [Digest, Digest]> {
    return this.#aliases.entries();
  }

  matching(prefix: string, limit: number): readonly Digest[] {
    return beginningWith(this.#aliases.keys(), prefix).slice(0, limit);
  }

  putFile(path: string, expected?: Digest): { readonly digest: Digest; readonly size: number } {
    const known = expected === undefined ? undefined : this.#blobs.get(expected);
    if (known !== undefined && expected !== undefined) {
      known.touched = this.#now();
      return { digest: expected, size: known.bytes.length };
    }
    const bytes = readFileSync(path);
    const digest = sha256(bytes);
    this.put(digest, bytes);
    return { digest, size: bytes.length };
  }

  copyTo(digest: Digest, path: string, mode: number): Stats | undefined {
    const bytes = this.get(digest);
    return bytes === undefined ? undefined : writeNewFile(path, mode, bytes);
  }

  adopt(path: string, digest: Digest): void {
    this.put(digest, readFileSync(path));
    rmSync(path, { force: true });
  }

  flush(): void {}

  close(): void {}
}

/** A calls store in memory. Records come back frozen, always the same object. */
export class MemoryCallStore implements SyncCallStore {
  readonly location: undefined;
  readonly #records = new Map<Key, CallRecord>();
  readonly #byName = new Postings();
  readonly #byPart = new Postings();
  readonly #byResult = new Postings();

  get(key: Key): CallRecord | undefined {
    return this.#records.get(key);
  }

  put(record: CallRecord): void {
    const kept = frozenRecord(record);
    this.delete(kept.key);
    this.#records.set(kept.key, kept);
    this.#byName.add(kept.name, kept.key);
    for (const part of kept.parts) this.#byPart.add(part.digest, kept.key);
    for (const result of resultsOf(kept)) this.#byResult.add(result, kept.key);
  }

  delete(key: Key): boolean {
    const record = this.#records.get(key);
    if (record === undefined) return false;
    this.#records.delete(key);
    this.#byName.remove(record.name, key);
    for (const part of record.parts) this.#byPart.remove(part.digest, key);
    for (const result of resultsOf(record)) this.#byResult.remove(result, key);
    return true;
  }

  deleteAll(keys: Iterable<Key>): number {
    let count = 0;
    for (const key of keys) if (this.delete(key)) count++;
    return count;
  }

  find(terms: CallTerms): Iterable<CallRecord> {
    const found: CallRecord[] = [];
    for (const key of this.#candidates(terms)) {
      const record = this.#records.get(key);
      if (record !== undefined && holds(terms, record)) found.push(record);
    }
    return found.sort(newestFirst);
  }

  /** Keys of the fewest records among which all that fit must be. */
  #candidates(terms: CallTerms): Iterable<Key> {
    const sets: ReadonlySet<Key>[] = [];
    if (terms.name !== undefined) sets.push(this.#byName.of(terms.name));
    if (terms.result !== undefined) sets.push(this.#byResult.of(terms.result));
    for (const digest of Object.values(terms.parts ?? {})) sets.push(this.#byPart.of(digest));
    if (terms.uses !== undefined) sets.push(this.#byPart.of(terms.uses));
    if (sets.length === 0) return this.#records.keys();
    return sets.reduce((fewest, set) => (set.size < fewest.size ? set : fewest));
  }

  matching(prefix: string, limit: number): readonly Key[] {
    return beginningWith(this.#records.keys(), prefix).slice(0, limit);
  }

  count(): number {
    return this.#records.size;
  }

  flush(): void {}

  close(): void {}
}

/** The digests under which `find` knows a record's result. */
function resultsOf(record: CallRecord): readonly Digest[] {
  const value = record.result?.digest;
  if (value === undefined) return record.outputs === null ? [] : [record.outputs];
  return record.outputs === null || record.outputs === value ? [value] : [value, record.outputs];
}

function beginningWith<T extends Digest>(digests: Iterable<T>, prefix: string): T[] {
  const found: T[] = [];
  for (const digest of digests) if (digest.startsWith(prefix)) found.push(digest);
  return found.sort(byCodeUnit);
}

/** Keys by term. */
class Postings {
  readonly #keys = new Map<string, Set<Key>>();

  of(term: string): ReadonlySet<Key> {
    return this.#keys.get(term) ?? NONE;
  }

  add(term: string, key: Key): void {
    const keys = this.#keys.get(term);
    if (keys === undefined) this.#keys.set(term, new Set([key]));
    else keys.add(key);
  }

  remove(term: string, key: Key): void {
    const keys = this.#keys.get(term);
    if (keys?.delete(key) && keys.size === 0) this.#keys.delete(term);
  }
}

const NONE: ReadonlySet<Key> = new Set();

/** A state store in memory. */
export class MemoryStateStore implements StateStore {
  readonly #entries = new Map<string, Uint8Array>();

  get(name: string): Uint8Array | undefined {
    return this.#entries.get(name);
  }

  put(name: string, bytes: Uint8Array): void {
    this.#entries.set(name, Buffer.from(bytes));
  }

  delete(name: string): void {
    this.#entries.delete(name);
  }

  names(prefix: string): Iterable<string> {
    const found: string[] = [];
    for (const name of this.#entries.keys()) if (name.startsWith(prefix)) found.push(name);
    return found.sort(byCodeUnit);
  }

  flush(): void {}
}
