/**
 * A record pack: the records of many tasks in one, because a request and a signature take longer than all else that is done
 * with a small record. It is shared like a record, under a key of the names of the tasks, and replaced as a whole. Whoever
 * makes one has verified the records of others before they go in, and vouches for all of them with a signature of its own.
 * Nothing but time depends on it: what is not in it, or not in it any more, is asked for by itself.
 *
 * The header is `fleche-records 1` (`envelope.ts`), and the payload
 *
 *     length of the index (4 bytes)   the index (JSON): (key, name of the task, length) of each   the sealed records
 */
import { frame, isDigest, type Key, sha256 } from '../../base/hash.ts';
import { byCodeUnit } from '../../base/order.ts';
import { type Distrust, disclose, enclose, type Place } from './envelope.ts';
import type { Signer, Verifier } from './signing.ts';

/** A record pack is never longer, bytes. */
export const MAX_RECORD_PACK: number = 4 * 1024 * 1024;

/** A sealed record. Of one name there is only one in a record pack. */
export interface PackedRecord {
  readonly key: Key;
  /** The name in the record. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** `signer`: the name of the key of who vouches for it; null if nobody was asked to. */
type Unbound =
  | { readonly entries: readonly PackedRecord[]; readonly signer: string | null }
  | { readonly distrust: Distrust };

const HEADER = 'fleche-records 1\n';
/** Everything in a record pack but its index and its records, bytes. */
const OVERHEAD = 256;
/** What an entry weighs in the index beside its name, bytes. */
const INDEX_ENTRY = 88;

/** What the record pack of these tasks is shared under. Their order does not matter. */
export function recordPackKey(tasks: readonly string[]): Key {
  return sha256(`${HEADER}${[...tasks].sort(byCodeUnit).map(frame).join('')}`) as string as Key;
}

/** Binds as many of these entries, the first ones, as there is room for. */
export function bind(entries: Iterable<PackedRecord>, place: Place, signer: Signer | undefined): Uint8Array {
  const bound: PackedRecord[] = [];
  let room = MAX_RECORD_PACK - OVERHEAD;
  for (const entry of entries) {
    room -= entry.bytes.length + INDEX_ENTRY + JSON.stringify(entry.name).length * 3;
    if (room < 0) break;
    bound.push(entry);
  }
  const index = Buffer.from(JSON.stringify(bound.map(({ key, name, bytes }) => [key, name, bytes.length])));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(index.length);
  return enclose(HEADER, place, Buffer.concat([length, index, ...bound.map(({ bytes }) => bytes)]), signer);
}

/** `verifier`: whose signatures count; undefined where unsigned ones are taken too. */
export async function unbind(bytes: Uint8Array, place: Place, verifier: Verifier | undefined): Promise<Unbound> {
  const opened = await disclose(HEADER, place, bytes, verifier);
  if ('distrust' in opened) return opened;
  const entries = readEntries(opened.payload);
  return entries === undefined ? { distrust: 'not decodable' } : { entries, signer: opened.signer };
}

function readEntries(payload: Buffer): readonly PackedRecord[] | undefined {
  if (payload.length < 4) return undefined;
  let at = 4 + payload.readUInt32BE(0);
  const index = readIndex(payload.toString('utf8', 4, at));
  const entries = index?.map(([key, name, length]): PackedRecord => {
    const bytes = payload.subarray(at, at + length);
    at += length;
    return { key, name, bytes };
  });
  return at === payload.length ? entries : undefined;
}

function readIndex(text: string): readonly (readonly [Key, string, number])[] | undefined {
  let rows: unknown;
  try {
    rows = JSON.parse(text);
  } catch {
    return undefined;
  }
  const isRow = (row: unknown): row is readonly [Key, string, number] => {
    if (!Array.isArray(row) || row.length !== 3) return false;
    const [key, name, length]: readonly unknown[] = row;
    return typeof key === 'string' && isDigest(key) && typeof name === 'string' && Number.isSafeInteger(length);
  };
  return Array.isArray(rows) && rows.every(isRow) && rows.every(([, , length]) => length >= 0) ? rows : undefined;
}
