/**
 * Packs: many small blobs in one, because a request costs as much as a hundred kilobytes. Blobs are dealt to packs by the
 * first bits of their digests, so that whoever knows how many packs there are knows where a blob is, and an answer that
 * differs in a few files shares all other packs with the one before. A pack is a blob itself, compressed if that helps.
 *
 *     fleche-pack 1\n   count (4 bytes)   count × (digest (32 bytes), length (4 bytes))   the blobs
 */
import { promisify } from 'node:util';
import { type Digest, sha256 } from '../../base/hash.ts';
import { byCodeUnit } from '../../base/order.ts';
import { RemoteFault } from './remote.ts';

/** Larger blobs are sent each by itself, bytes. */
export const PACKED_BLOB: number = 64 * 1024;
/** No pack holds more, bytes before compression. */
export const MAX_PACK: number = 64 * 1024 * 1024;
/** No answer has more packs. */
export const MAX_PACKS = 4096;
/** What grows more than this when it is unpacked is not unpacked. */
const MAX_RATIO = 200;
/** About how many blobs, and how many bytes, a pack is to have. */
const COUNT = 256;
const BYTES = 2 * 1024 * 1024;

/** What is no larger is unpacked in less time than another thread would need to be told of it, bytes. */
const AT_ONCE = 256 * 1024;
/** What zlib takes at least, bytes. */
const LEAST_CHUNK = 64;

const HEADER = Buffer.from('fleche-pack 1\n');
const ENTRY_BYTES = 36;

/** Loading it takes longer than most runs have to do with packs. */
const zlib = (): typeof import('node:zlib') => process.getBuiltinModule('node:zlib');

export interface Sizes {
  /** As it is sent, bytes. */
  readonly size: number;
  /** Unpacked, bytes; the same as `size` for one that is not compressed. */
  readonly raw: number;
}

export interface PackName extends Sizes {
  readonly digest: Digest;
}

export interface Pack extends PackName {
  readonly bytes: Uint8Array;
}

/** Deals blobs (none larger than `PACKED_BLOB`) to packs; their number is a power of two, and some may be empty. */
export function deal(blobs: ReadonlyMap<Digest, number>): readonly (readonly Digest[])[] {
  if (blobs.size === 0) return [];
  const total = [...blobs.values()].reduce((sum, size) => sum + size, 0);
  const wanted = Math.max(blobs.size / COUNT, total / BYTES, 1);
  const count = Math.min(MAX_PACKS, 2 ** Math.ceil(Math.log2(wanted)));
  const packs: Digest[][] = Array.from({ length: count }, () => []);
  for (const digest of [...blobs.keys()].sort(byCodeUnit)) packs[packOf(digest, count)]?.push(digest);
  return packs;
}

/** Which of `count` packs, a power of two, has the blob. */
export function packOf(digest: Digest, count: number): number {
  return Number.parseInt(digest.slice(0, 4), 16) >>> (16 - Math.log2(count));
}

/** Makes a pack of blobs in the order of their digests. */
export async function makePack(blobs: readonly (readonly [Digest, Uint8Array])[]): Promise<Pack> {
  const head = Buffer.alloc(HEADER.length + 4 + blobs.length * ENTRY_BYTES);
  HEADER.copy(head);
  head.writeUInt32BE(blobs.length, HEADER.length);
  for (const [at, [digest, bytes]] of blobs.entries()) {
    const entry = HEADER.length + 4 + at * ENTRY_BYTES;
    head.write(digest, entry, 'hex');
    head.writeUInt32BE(bytes.length, entry + 32);
  }
  const plain = Buffer.concat([head, ...blobs.map(([, bytes]) => bytes)]);
  const bytes = await deflated(plain);
  return { digest: sha256(bytes), size: bytes.length, raw: plain.length, bytes };
}

/** What a pack is sent as: compressed if that helps. */
export async function deflated(plain: Buffer): Promise<Buffer> {
  const packed = await promisify(zlib().gzip)(plain, { level: 1, chunkSize: Math.max(plain.length, LEAST_CHUNK) });
  const isWorthIt = packed.length < plain.length * 0.9 && plain.length <= packed.length * MAX_RATIO;
  return isWorthIt ? packed : plain;
}

/** Whether a pack that somebody names can be one. */
export function isPackName({ size, raw }: Sizes): boolean {
  return raw >= size && raw <= MAX_PACK && raw <= size * MAX_RATIO;
}

/** The blobs of a pack, each verified. Rejects with a `bad` fault for what is not exactly what it says. */
export async function unpack(name: PackName, bytes: Uint8Array): Promise<ReadonlyMap<Digest, Uint8Array>> {
  return blobsIn(await inflated(name, bytes));
}

/** The same at once; undefined for what is not exactly what it says. */
export function unpackNow(name: PackName, bytes: Uint8Array): ReadonlyMap<Digest, Uint8Array> | undefined {
  try {
    return blobsIn(inflatedNow(name, bytes));
  } catch {
    return undefined;
  }
}

function blobsIn(plain: Buffer): ReadonlyMap<Digest, Uint8Array> {
  const first = HEADER.length + 4;
  if (plain.length < first || !plain.subarray(0, HEADER.length).equals(HEADER)) throw damaged();
  const count = plain.readUInt32BE(HEADER.length);
  let start = first + count * ENTRY_BYTES;
  if (start > plain.length) throw damaged();
  const blobs = new Map<Digest, Uint8Array>();
  for (let at = 0; at < count; at++) {
    const entry = first + at * ENTRY_BYTES;
    const end = start + plain.readUInt32BE(entry + 32);
    const blob = plain.subarray(start, end);
    const digest = sha256(blob);
    if (end > plain.length || plain.toString('hex', entry, entry + 32) !== digest) throw damaged();
    blobs.set(digest, blob);
    start = end;
  }
  if (start !== plain.length) throw damaged();
  return blobs;
}

/** What `deflated` was given. Rejects with a `bad` fault for anything else. */
export async function inflated(sizes: Sizes, bytes: Uint8Array): Promise<Buffer> {
  const { size, raw } = sizes;
  if (raw === size || raw <= AT_ONCE) return inflatedNow(sizes, bytes);
  try {
    // In one go: pieces of the usual 16 KB are a trip to another thread each.
    const plain = await promisify(zlib().gunzip)(bytes, {
      maxOutputLength: raw,
      chunkSize: Math.max(raw + 1, LEAST_CHUNK),
    });
    if (plain.length === raw) return plain;
  } catch {
    // Not compressed at all, damaged, or longer than it says.
  }
  throw damaged();
}

function inflatedNow({ size, raw }: Sizes, bytes: Uint8Array): Buffer {
  if (raw === size) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const plain = zlib().gunzipSync(bytes, { maxOutputLength: raw, chunkSize: Math.max(raw + 1, LEAST_CHUNK) });
    if (plain.length === raw) return plain;
  } catch {
    // As below.
  }
  throw damaged();
}

function damaged(): RemoteFault {
  return new RemoteFault('bad', 'a pack is not what it says');
}
