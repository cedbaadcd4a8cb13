/**
 * A record as it is shared: the record itself, where everything that it names is to be found, small content itself, and a
 * signature over all of it together with the key and the namespace it was made for. So a record that is valid somewhere
 * else, or under another key, is as good as forged here.
 *
 * The header is `fleche-shared 1` (`envelope.ts`), and the payload
 *
 *     length of the index (4 bytes)   the index (JSON)   the record   the blobs that the index calls inline
 *
 * What is read is held against its form before anything is believed: it may come from anybody.
 */
import { type Digest, isDigest, type Key, sha256 } from '../../base/hash.ts';
import { type CallRecord, decodeRecord, encodeRecord } from '../record.ts';
import { type Distrust, disclose, discloseVouched, enclose, type Opened, type Place } from './envelope.ts';
import { isPackName, MAX_PACKS, type PackName } from './pack.ts';
import type { Signer, Verifier } from './signing.ts';
import { isSoundRecord } from './sound-record.ts';

/** A sealed record is never longer, bytes. */
export const MAX_SEALED: number = 1024 * 1024;
/** Content up to this, all together, is sent inside the record, bytes. */
export const INLINE_TOTAL: number = 32 * 1024;
/** What a hit cannot do without, such as the list of outputs, is sent inside the record up to this, all together, bytes. */
export const INLINE_NEEDED: number = 256 * 1024;

/** Packs are sent inside the record up to this, all of them together, bytes: a request less for most answers. */
export const INLINE_PACKS: number = 128 * 1024;

/** What a shared record says of its content. */
export interface Sealed {
  readonly record: CallRecord;
  /** Who made it, in words of his own, such as the address of a CI job; null if nothing is told. */
  readonly producer: string | null;
  /** Packs may be among them. */
  readonly inline: ReadonlyMap<Digest, Uint8Array>;
  /** A power of two of them, or none; `packOf` tells where a blob is. */
  readonly packs: readonly PackName[];
  /** Blobs that are kept each by itself, with their sizes. */
  readonly single: ReadonlyMap<Digest, number>;
}

/** What is not in the record itself: the blobs that are sent before it. */
export function sentApart({ inline, packs, single }: Pick<Sealed, 'inline' | 'packs' | 'single'>): readonly Digest[] {
  return [...packs.flatMap(({ digest }) => (inline.has(digest) ? [] : digest)), ...single.keys()];
}

/** `signer`: the name of the key that signed it; null if nobody was asked to. */
type Unsealed = { readonly sealed: Sealed; readonly signer: string | null } | { readonly distrust: Distrust };

const HEADER = 'fleche-shared 1\n';

/** Undefined for what would be too long. */
export function seal(sealed: Sealed, namespace: string, signer: Signer | undefined): Uint8Array | undefined {
  const { record, producer, inline, packs, single } = sealed;
  const body = encodeRecord(record);
  const index = Buffer.from(
    JSON.stringify({
      producer,
      record: body.length,
      inline: [...inline].map(([digest, bytes]) => [digest, bytes.length]),
      packs: packs.map(({ digest, size, raw }) => [digest, size, raw]),
      single: [...single],
    }),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32BE(index.length);
  const payload = Buffer.concat([length, index, body, ...inline.values()]);
  const bytes = enclose(HEADER, { key: record.key, namespace }, payload, signer);
  return bytes.length > MAX_SEALED ? undefined : bytes;
}

/** `verifier`: whose signatures count; undefined where unsigned records are taken too. */
export async function unseal(bytes: Uint8Array, place: Place, verifier: Verifier | undefined): Promise<Unsealed> {
  return readAs(place.key, await disclose(HEADER, place, bytes, verifier));
}

/** Somebody who vouches for a record, and the name of his key. */
interface Voucher {
  readonly signer: string | null;
}

/**
 * The same for a record that somebody vouches for, who has verified its signature: that of a key which counts here. That it
 * was that key is his word alone, so he counts as who signed it.
 */
export function unsealVouched(
  bytes: Uint8Array,
  key: Key,
  verifier: Verifier | undefined,
  { signer }: Voucher,
): Unsealed {
  const read = readAs(key, discloseVouched(HEADER, bytes, verifier));
  return 'sealed' in read ? { ...read, signer } : read;
}

/** Whether a record may be vouched for: it has the signature of a key that counts. */
export async function isSigned(bytes: Uint8Array, place: Place, verifier: Verifier | undefined): Promise<boolean> {
  return !('distrust' in (await disclose(HEADER, place, bytes, verifier)));
}

function readAs(key: Key, opened: Opened): Unsealed {
  if ('distrust' in opened) return opened;
  const sealed = readPayload(opened.payload);
  return sealed?.record.key === key ? { sealed, signer: opened.signer } : { distrust: 'not decodable' };
}

function readPayload(payload: Buffer): Sealed | undefined {
  if (payload.length < 4) return undefined;
  const start = 4 + payload.readUInt32BE(0);
  const index = readIndex(payload.toString('utf8', 4, start));
  if (index === undefined) return undefined;
  const record = decodeRecord(payload.subarray(start, start + index.record));
  if (record === undefined || !isSoundRecord(record)) return undefined;
  const inline = new Map<Digest, Uint8Array>();
  let at = start + index.record;
  for (const [digest, size] of index.inline) {
    const bytes = payload.subarray(at, at + size);
    if (bytes.length !== size || sha256(bytes) !== digest) return undefined;
    inline.set(digest, bytes);
    at += size;
  }
  if (at !== payload.length) return undefined;
  return { record, producer: index.producer, inline, packs: index.packs, single: new Map(index.single) };
}

interface Index {
  readonly producer: string | null;
  readonly record: number;
  readonly inline: readonly (readonly [Digest, number])[];
  readonly packs: readonly PackName[];
  readonly single: readonly (readonly [Digest, number])[];
}

function readIndex(text: string): Index | undefined {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof read !== 'object' || read === null) return undefined;
  const { producer, record, inline, packs, single } = read as Record<string, unknown>;
  const names = rows(packs, 3)?.map(([digest, size, raw]) => ({ digest, size, raw }) as PackName);
  const isSound =
    (producer === null || typeof producer === 'string') &&
    isSize(record) &&
    names?.every(isPackName) === true &&
    (names.length === 0 || (names.length <= MAX_PACKS && Number.isInteger(Math.log2(names.length))));
  const inlined = rows(inline, 2);
  const singles = rows(single, 2);
  if (!isSound || names === undefined || inlined === undefined || singles === undefined) return undefined;
  return {
    producer,
    record,
    inline: inlined as unknown as Index['inline'],
    packs: names,
    single: singles as unknown as Index['single'],
  };
}

/** Lists of a digest and `width - 1` sizes. */
function rows(value: unknown, width: number): readonly (readonly unknown[])[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const isRow = (row: unknown): row is readonly unknown[] =>
    Array.isArray(row) &&
    row.length === width &&
    row.every((cell, at) => (at === 0 ? typeof cell === 'string' && isDigest(cell) : isSize(cell)));
  return value.every(isRow) ? value : undefined;
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
