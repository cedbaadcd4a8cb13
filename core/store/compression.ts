/**
 * Packed blobs: bytes made smaller, behind a header that says how, how large they were, and what their digest is. What
 * is unpacked is bounded by that size, and sizes by a ratio, so that no few bytes can fill the memory; whether the bytes
 * are those of the digest is for the reader to verify.
 */
import zlib from 'node:zlib';
import { FlecheError } from '../base/errors.ts';
import type { Digest } from '../base/hash.ts';

export type Compression = 'gzip' | 'brotli' | 'zstd';

interface Method {
  /** Its number in the header. */
  readonly number: number;
  readonly pack: (bytes: Uint8Array) => Uint8Array;
  readonly unpack: (packed: Uint8Array, size: number) => Uint8Array;
}

/** What DEFLATE can reach at most. The other methods are held to it: what they make smaller still is left to DEFLATE. */
const MAX_RATIO = 1032;
/** Larger blobs are not compressed: unpacking would need more memory than a cache should take at once. */
const MAX_SIZE = 2 ** 30;
/** Smaller blobs are not worth the header's bytes. */
const MIN_SIZE = 128;
/** At least this part of the bytes must be saved. */
const MIN_SAVED = 1 / 20;

const MAGIC = 0x7a66;
const FORMAT = 1;
const RAW = 0;
/** Magic (2), format (1), method (1), size (6, little-endian), digest (32). */
const HEADER_BYTES = 42;

const GZIP: Method = {
  number: 1,
  pack: (bytes) => zlib.gzipSync(bytes),
  unpack: (packed, size) => zlib.gunzipSync(packed, { maxOutputLength: size }),
};

const BROTLI: Method = {
  number: 2,
  // The default quality, 11, takes seconds a megabyte.
  pack: (bytes) => {
    const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = zlib.constants;
    return zlib.brotliCompressSync(bytes, {
      params: { [BROTLI_PARAM_QUALITY]: 5, [BROTLI_PARAM_SIZE_HINT]: bytes.length },
    });
  },
  unpack: (packed, size) => zlib.brotliDecompressSync(packed, { maxOutputLength: size }),
};

/** In Node since 22.15 and 23.8; the types are those of the oldest supported Node. */
interface Zstd {
  readonly zstdCompressSync?: (bytes: Uint8Array) => Uint8Array;
  readonly zstdDecompressSync?: (packed: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;
}

function zstd(): Method | undefined {
  const { zstdCompressSync, zstdDecompressSync } = zlib as Zstd;
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined) return undefined;
  return {
    number: 3,
    pack: zstdCompressSync,
    unpack: (packed, size) => zstdDecompressSync(packed, { maxOutputLength: size }),
  };
}

const METHODS: Readonly<Record<Compression, Method | undefined>> = { gzip: GZIP, brotli: BROTLI, zstd: zstd() };

/** Packs with one method. Throws `STORE_UNUSABLE` where this Node does not have the method. */
export function packer(compression: Compression): (digest: Digest, bytes: Uint8Array) => Uint8Array {
  const method = METHODS[compression];
  if (method !== undefined) return (digest, bytes) => pack(method, digest, bytes);
  throw new FlecheError('STORE_UNUSABLE', `this Node (${process.version}) has no ${compression} compression`, {
    hint: 'zstd needs Node 22.15 or later; "brotli" packs nearly as small, "gzip" nearly as fast.',
  });
}

function pack(method: Method, digest: Digest, bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  if (length < MIN_SIZE || length > MAX_SIZE || !compressible(bytes)) return framed(RAW, digest, bytes, bytes);
  let used = method;
  let packed = used.pack(bytes);
  if (length > packed.length * MAX_RATIO) {
    used = GZIP;
    packed = used.pack(bytes);
  }
  if (packed.length > length * (1 - MIN_SAVED)) return framed(RAW, digest, bytes, bytes);
  return framed(used.number, digest, bytes, packed);
}

function framed(method: number, digest: Digest, bytes: Uint8Array, content: Uint8Array): Uint8Array {
  const blob = Buffer.allocUnsafe(HEADER_BYTES + content.length);
  blob.writeUInt16BE(MAGIC, 0);
  blob[2] = FORMAT;
  blob[3] = method;
  blob.writeUIntLE(bytes.length, 4, 6);
  blob.write(digest, 10, 'hex');
  blob.set(content, HEADER_BYTES);
  return blob;
}

const SAMPLE_BYTES = 1 << 14;
/** Blobs above this are tried on samples first, so that a video is not packed only to find that it cannot be. */
const SAMPLED_ABOVE = 1 << 18;

function compressible(bytes: Uint8Array): boolean {
  if (bytes.length <= SAMPLED_ABOVE) return true;
  const starts = [0, 1, 2].map((third) => Math.floor(((bytes.length - SAMPLE_BYTES) * third) / 2));
  return starts.some((start) => {
    const sample = bytes.subarray(start, start + SAMPLE_BYTES);
    return zlib.deflateRawSync(sample, { level: 1 }).length < SAMPLE_BYTES * (1 - MIN_SAVED);
  });
}

/** The digest that a packed blob claims to be of; undefined if it is no packed blob. */
export function packedDigest(blob: Uint8Array): string | undefined {
  const whole = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
  if (whole.length < HEADER_BYTES || whole.readUInt16BE(0) !== MAGIC || whole[2] !== FORMAT) return undefined;
  return whole.toString('hex', 10, HEADER_BYTES);
}

/**
 * The bytes of a packed blob, unverified; undefined if it is foreign, damaged, of another format, of a method that this
 * Node does not have, or claims to unpack to more than it may.
 */
export function unpack(blob: Uint8Array): Uint8Array | undefined {
  if (packedDigest(blob) === undefined) return undefined;
  const number = blob[3];
  const size = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength).readUIntLE(4, 6);
  const content = blob.subarray(HEADER_BYTES);
  if (number === RAW) return content;
  const method = Object.values(METHODS).find((known) => known?.number === number);
  if (method === undefined || size > MAX_SIZE || size > content.length * MAX_RATIO) return undefined;
  try {
    return method.unpack(content, size);
  } catch {
    // Damaged, or larger than it says.
    return undefined;
  }
}
