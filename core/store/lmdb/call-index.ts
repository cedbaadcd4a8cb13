/**
 * The index of a calls store on disk: under which terms a record is found, as sortable bytes. An index key is a term
 * (17 bytes: its kind and a hash of what it says) followed by when the record was filed (8 bytes, later sorts first) and
 * the record's key (32 bytes). So the records of one term lie together, newest first, whatever the length of its text.
 *
 * Hashes of terms can collide and entries can be left over from damage: an entry says where to look, the record decides.
 */
import { type Digest, isDigest, type Key, sha256 } from '../../base/hash.ts';
import { type CallTerms, USED } from '../calls.ts';
import type { CallRecord } from '../record.ts';
import { digestKey, keyDigest } from './lmdb-table.ts';

/** Kinds of terms, one byte each. Frozen with the format of the environment. */
const KIND = { any: 1, kind: 2, name: 3, module: 4, part: 5, result: 6, tag: 7, plain: 8 } as const;

const TERM_BYTES = 17;
const TIME_BYTES = 8;
const INDEX_KEY_BYTES = TERM_BYTES + TIME_BYTES + 32;

/** A term: kind and hash. */
export type Term = Buffer;

function term(kind: number, text: string): Term {
  return termOfDigest(kind, sha256(text));
}

/** Terms of which there are few, for many records each. */
const few = new Map<string, Term>();
const MOST_KEPT = 256;

function commonTerm(kind: number, text: string): Term {
  const name = `${kind}${text}`;
  let found = few.get(name);
  if (found === undefined) {
    found = term(kind, text);
    if (few.size >= MOST_KEPT) few.clear();
    few.set(name, found);
  }
  return found;
}

function termOfDigest(kind: number, digest: Digest): Term {
  const bytes = Buffer.allocUnsafe(TERM_BYTES);
  bytes[0] = kind;
  bytes.write(digest, 1, TERM_BYTES - 1, 'hex');
  return bytes;
}

/** The term that every record has. */
export const ANY: Term = term(KIND.any, '');

/** Says of a part name that not all parts of that name are indexed, so that looking for them there proves nothing. */
export function plainPart(name: string): Term {
  return commonTerm(KIND.plain, name);
}

/** Names of a record's parts that are not indexed. */
export function plainParts(record: CallRecord): string[] {
  return record.parts.filter((part) => !USED.has(part.kind)).map((part) => part.name);
}

/** Whatever the part is called: the name is looked at in the record. Parts that say what a call is have none. */
const partTerm = (digest: Digest): Term => termOfDigest(KIND.part, digest);
const tagTerm = (name: string, value: unknown): Term => term(KIND.tag, JSON.stringify([name, value]));

/** All terms under which a record is found. */
export function termsOfRecord(record: CallRecord): Term[] {
  const terms = [ANY, commonTerm(KIND.kind, record.kind), commonTerm(KIND.name, record.name)];
  if (record.module !== null) terms.push(term(KIND.module, record.module));
  for (const part of record.parts) if (USED.has(part.kind)) terms.push(partTerm(part.digest));
  const result = record.result?.digest;
  if (result !== undefined) terms.push(termOfDigest(KIND.result, result));
  if (record.outputs !== null && record.outputs !== result) terms.push(termOfDigest(KIND.result, record.outputs));
  for (const [name, value] of Object.entries(record.metadata['tags'] ?? {})) {
    if (typeof value !== 'object' || value === null) terms.push(tagTerm(name, value));
  }
  return terms;
}

/** Terms that a record must have to be among those asked for, most telling first; `isPlain` knows unindexed parts. */
export function termsOfQuestion(asked: CallTerms, isPlain: (part: string) => boolean): Term[] {
  const terms: Term[] = [];
  for (const [name, digest] of Object.entries(asked.parts ?? {})) {
    if (isDigest(digest) && !isPlain(name)) terms.push(partTerm(digest));
  }
  if (asked.uses !== undefined) terms.push(partTerm(asked.uses));
  if (asked.result !== undefined) terms.push(termOfDigest(KIND.result, asked.result));
  for (const [name, value] of Object.entries(asked.tags ?? {})) terms.push(tagTerm(name, value));
  if (asked.name !== undefined) terms.push(term(KIND.name, asked.name));
  if (asked.module !== undefined) terms.push(term(KIND.module, asked.module));
  if (asked.kind !== undefined) terms.push(term(KIND.kind, asked.kind));
  return terms;
}

/** Where a record stands among those of one term: its time and key. */
export type Position = Buffer;

export function positionOf(record: CallRecord): Position {
  const position = Buffer.allocUnsafe(TIME_BYTES + 32);
  writeTime(position, record.filed);
  position.set(digestKey(record.key), TIME_BYTES);
  return position;
}

export function indexKey(term: Term, position: Position): Buffer {
  const key = Buffer.allocUnsafe(INDEX_KEY_BYTES);
  key.set(term);
  key.set(position, TERM_BYTES);
  return key;
}

/** The position in an index key, and the key of the record it leads to; undefined for an entry of another form. */
export function readIndexKey(bytes: Uint8Array): { readonly position: Position; readonly key: Key } | undefined {
  if (bytes.length !== INDEX_KEY_BYTES) return undefined;
  const position = Buffer.from(bytes.buffer, bytes.byteOffset + TERM_BYTES, TIME_BYTES + 32);
  const key = keyDigest(position.subarray(TIME_BYTES));
  return key === undefined ? undefined : { position, key: key as Key };
}

/** First and last possible index key of a term within a time span; the edges may belong to it or not. */
export function spanOf(
  term: Term,
  since: number | undefined,
  until: number | undefined,
): { start: Buffer; end: Buffer } {
  const start = Buffer.alloc(INDEX_KEY_BYTES, 0x00);
  const end = Buffer.alloc(INDEX_KEY_BYTES + 1, 0xff);
  start.set(term);
  end.set(term);
  if (until !== undefined) writeTime(start.subarray(TERM_BYTES), until);
  if (since !== undefined) writeTime(end.subarray(TERM_BYTES), since);
  return { start, end };
}

/** A number as 8 bytes that sort the other way round. The bits of a negative double already do, but for the sign. */
function writeTime(target: Buffer, time: number): void {
  // Adding 0 makes 0 of -0, which would not sort with it.
  target.writeDoubleBE(time + 0);
  if (target.readInt8() < 0) return;
  target.writeUInt32BE((target.readUInt32BE() ^ 0x7fff_ffff) >>> 0);
  target.writeUInt32BE(~target.readUInt32BE(4) >>> 0, 4);
}
