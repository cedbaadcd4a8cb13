/** The contract of a values store: bytes under their digest, and names for values that have several encodings. */
import type { Stats } from 'node:fs';
import type { Awaitable } from '../base/awaitable.ts';
import { type Digest, sha256 } from '../base/hash.ts';
import type { PackName } from './remote/pack.ts';

/** What a listing tells of one blob. */
export interface BlobInfo {
  readonly digest: Digest;
  /** Bytes at rest. */
  readonly size: number;
  /** When it was put or last refreshed, ms since the epoch. */
  readonly touched: number;
}

/**
 * Blobs are immutable: a second put of a digest changes nothing but refreshes the blob's age, which protects it from a
 * collection under way. `get` never returns bytes that do not match their digest: damage is reported as absence.
 * An alias names a blob by the digest of the value it encodes; the last alias given wins, any of them is right.
 */
export interface ValueStore {
  /** Folder or URL, or undefined for a store without a place. */
  readonly location: string | undefined;
  has(digest: Digest): Awaitable<boolean>;
  get(digest: Digest): Awaitable<Uint8Array | undefined>;
  put(digest: Digest, bytes: Uint8Array): Awaitable<void>;
  delete(digest: Digest): Awaitable<boolean>;
  alias(value: Digest, blob: Digest): Awaitable<void>;
  /** The blob that encodes the value, or undefined. */
  target(value: Digest): Awaitable<Digest | undefined>;
  unalias(value: Digest): Awaitable<boolean>;
  /** Blobs, in no particular order. */
  list(): AsyncIterable<BlobInfo> | Iterable<BlobInfo>;
  /** Aliases as [value, blob], in no particular order. */
  aliases(): AsyncIterable<readonly [Digest, Digest]> | Iterable<readonly [Digest, Digest]>;
  /** Value digests (aliases) that begin with `prefix`, at most `limit`, sorted. */
  matching(prefix: string, limit: number): Awaitable<readonly Digest[]>;
  /** Waits until everything put so far is durable. */
  flush(): Awaitable<void>;
  close(): Awaitable<void>;
}

/** A values store that answers at once: what a synchronous function can be memoised on. */
export interface SyncValueStore extends ValueStore {
  has(digest: Digest): boolean;
  get(digest: Digest): Uint8Array | undefined;
  put(digest: Digest, bytes: Uint8Array): void;
  delete(digest: Digest): boolean;
  alias(value: Digest, blob: Digest): void;
  target(value: Digest): Digest | undefined;
  unalias(value: Digest): boolean;
  list(): Iterable<BlobInfo>;
  aliases(): Iterable<readonly [Digest, Digest]>;
  matching(prefix: string, limit: number): readonly Digest[];
  flush(): void;
}

/** A blob, and of how many bytes. */
export interface SizedBlob {
  readonly digest: Digest;
  readonly size: number;
}

/** A local store that keeps large blobs as files, so that they can be taken in and given out without being read whole. */
export interface FileValueStore extends SyncValueStore {
  /**
   * The bytes of a blob piece by piece, so that a large one is never held whole; undefined if it is absent or damaged. It
   * is verified when it is asked for; each iteration reads it anew, and ends early if it was removed meanwhile.
   */
  pieces(digest: Digest): Iterable<Uint8Array> | undefined;
  /**
   * Takes in the content of a file, hashing while it copies, and returns its digest. When `expected` is given and the
   * store has it, nothing is read.
   */
  putFile(path: string, expected?: Digest): { readonly digest: Digest; readonly size: number };
  /**
   * Writes a blob to a new file at `path` (which must not exist) with exactly `mode`, verifying it on the way. Returns
   * what stands there then; undefined if the blob is absent or damaged, and nothing is left at `path`.
   */
  copyTo(digest: Digest, path: string, mode: number): Stats | undefined;
  /**
   * Copies a large blob to a new file at `path`, which only its owner can read, by threads of their own. False if it is
   * damaged, or nothing that is copied like this; then nothing is left at `path`. Rejects if it cannot be written. `chunk`
   * is lent. Not there where blobs are no files.
   */
  copyAside?(digest: Digest, path: string, chunk: Buffer): Promise<boolean>;
  /** Has what is large of these blobs ready to be copied out next. Not there where that is of no use. */
  makeReady?(blobs: readonly SizedBlob[]): Promise<void>;
  /** Like `put`, for bytes that nobody changes any more: they need not be copied. */
  putLasting(digest: Digest, bytes: Uint8Array): void;
  /** Takes over a file whose content was verified to have this digest; afterwards nothing is at `path`. */
  adopt(path: string, digest: Digest): void;
  /**
   * Takes in all blobs of a pack, which were verified, with the pack as it came. Not there where blobs are kept one by one.
   */
  putPack?(pack: PackName, bytes: Uint8Array, blobs: ReadonlyMap<Digest, Uint8Array>): void;
}

/**
 * The most that is kept in packs of what belongs together, bytes unpacked: of more the packs would be unpacked again and
 * again, because not all of it is held at a time.
 */
export const MOST_PACKED: number = 64 * 1024 * 1024;

/** Up to this size a blob is given out in one piece, bytes. */
export const PIECE: number = 1 << 16;

/** Bytes that are held already, as `FileValueStore.pieces` gives them. */
export function piecesOf(bytes: Uint8Array): readonly Uint8Array[] {
  const count = Math.ceil(bytes.length / PIECE);
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * PIECE, (at + 1) * PIECE));
}

/** Guards a read path: the bytes if they are what their digest says, else undefined. */
export function verified(digest: Digest, bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes !== undefined && sha256(bytes) === digest ? bytes : undefined;
}
