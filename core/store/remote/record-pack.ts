/**
 * Record packs: the records of many tasks in one, because a request and a signature take longer than all else that is done
 * with a small record. Records are dealt to packs by the names of their tasks, so that whoever knows the tasks knows where a
 * record is, and a task that was edited changes one pack. Each is shared like a record, under a key of the names of all tasks,
 * and replaced as a whole. Whoever makes one has verified the records of others before they go in, and vouches for all of
 * them with a signature of its own. Nothing but time depends on them: what is in none is asked for by itself.
 *
 * The header is `fleche-records 2` (`envelope.ts`), and the payload, of which all but the first length is compressed if that
 * helps
 *
 *     length of the rest before compression (4 bytes)
 *     length of the index (4 bytes)   the index (JSON): (key, name of the task, length) of each   the sealed records
 */
import { frame, isDigest, type Key, sha256 } from '../../base/hash.ts';
import { byCodeUnit } from '../../base/order.ts';
import { type Distrust, disclose, enclose, type Place } from './envelope.ts';
import { deflated, inflated, isPackName, MAX_PACKS, packOf } from './pack.ts';
import type { Signer, Verifier } from './signing.ts';

/** A record pack is never longer, neither as it is sent nor unpacked, bytes. */
export const MAX_RECORD_PACK: number = 8 * 1024 * 1024;
/** About so many tasks have a record pack together: a few requests more cost less than to send all of many for one. */
export const PACKED_TASKS = 64;

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

const HEADER = 'fleche-records 2\n';
/** Everything in a record pack but its index and its records, bytes. */
const OVERHEAD = 256;
/** What an entry weighs in the index beside its name, bytes. */
const INDEX_ENTRY = 88;
const LENGTH_BYTES = 4;

/** What the record packs of these tasks are shared under: a power of two of them. The order of the tasks does not matter. */
export function recordPackKeys(tasks: readonly string[]): readonly Key[] {
  const count = Math.min(MAX_PACKS, 2 ** Math.ceil(Math.log2(Math.max(1, tasks.length / PACKED_TASKS))));
  const all = sha256([...tasks].sort(byCodeUnit).map(frame).join(''));
  return Array.from({ length: count }, (_, at) => sha256(`${HEADER}${all} ${at}`) as string as Key);
}

/** Which of `count` record packs, a power of two, has the record of this name. */
export function recordPackOf(name: string, count: number): number {
  return packOf(sha256(name), count);
}

/** Binds as many of these entries, the first ones, as there is room for. */
export async function bind(
  entries: Iterable<PackedRecord>,
  place: Place,
  signer: Signer | undefined,
): Promise<Uint8Array> {
  const bound: PackedRecord[] = [];
  let room = MAX_RECORD_PACK - OVERHEAD;
  for (const entry of entries) {
    room -= entry.bytes.length + INDEX_ENTRY + JSON.stringify(entry.name).length * 3;
    if (room < 0) break;
    bound.push(entry);
  }
  const index = Buffer.from(JSON.stringify(bound.map(({ key, name, bytes }) => [key, name, bytes.length])));
  const plain = Buffer.concat([lengthOf(index), index, ...bound.map(({ bytes }) => bytes)]);
  return enclose(HEADER, place, Buffer.concat([lengthOf(plain), await deflated(plain)]), signer);
}

function lengthOf({ length }: Uint8Array): Buffer {
  const bytes = Buffer.alloc(LENGTH_BYTES);
  bytes.writeUInt32BE(length);
  return bytes;
}

/** `verifier`: whose signatures count; undefined where unsigned ones are taken too. */
export async function unbind(bytes: Uint8Array, place: Place, verifier: Verifier | undefined): Promise<Unbound> {
  const opened = await disclose(HEADER, place, bytes, verifier);
  if ('distrust' in opened) return opened;
  const entries = await unpacked(opened.payload);
  return entries === undefined ? { distrust: 'not decodable' } : { entries, signer: opened.signer };
}

async function unpacked(payload: Buffer): Promise<readonly PackedRecord[] | undefined> {
  if (payload.length < LENGTH_BYTES) return undefined;
  const packed = payload.subarray(LENGTH_BYTES);
  const sizes = { size: packed.length, raw: payload.readUInt32BE(0) };
  if (!isPackName(sizes) || sizes.raw > MAX_RECORD_PACK) return undefined;
  try {
    return readEntries(await inflated(sizes, packed));
  } catch {
    return undefined;
  }
}

function readEntries(plain: Buffer): readonly PackedRecord[] | undefined {
  if (plain.length < LENGTH_BYTES) return undefined;
  let at = LENGTH_BYTES + plain.readUInt32BE(0);
  const index = readIndex(plain.toString('utf8', LENGTH_BYTES, at));
  const entries = index?.map(([key, name, length]): PackedRecord => {
    const bytes = plain.subarray(at, at + length);
    at += length;
    return { key, name, bytes };
  });
  return at === plain.length ? entries : undefined;
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
