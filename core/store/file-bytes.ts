/**
 * Bytes from and to files, a piece at a time. Knows nothing of stores; reading a disk that gives nothing back ends early.
 * What is done aside is done by the threads that Node has for files.
 */
import {
  closeSync,
  fchmodSync,
  fstatSync,
  openSync,
  read,
  readSync,
  rmSync,
  type Stats,
  writeSync,
  writev,
} from 'node:fs';
import { type Digest, Sha256 } from '../base/hash.ts';
import { inFolderOf } from './layout.ts';
import { PIECE } from './values.ts';

/** The most that is read at once, bytes. */
export const CHUNK: number = 1 << 20;
let shared: Buffer | undefined;

/** One buffer for all copying; nothing here keeps it across a call. */
export function chunkBuffer(): Buffer {
  shared ??= Buffer.allocUnsafeSlow(CHUNK);
  return shared;
}

/** The content of a file, each piece in bytes of its own; none of what is gone, or cannot be read. */
export function* piecesIn(path: string): Generator<Uint8Array, void, undefined> {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return;
  }
  try {
    const next = (): Uint8Array | undefined => readInto(fd, Buffer.allocUnsafeSlow(PIECE));
    for (let piece = next(); piece !== undefined; piece = next()) yield piece;
  } finally {
    closeSync(fd);
  }
}

export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

/** Writes a new file (`path` must not exist) with exactly `mode`, and returns what stands there then. On failure nothing is left there. */
export function writeNewFile(path: string, mode: number, bytes: Uint8Array): Stats {
  return writeNew(path, mode, (fd) => {
    writeAll(fd, bytes);
    return statsWith(fd, mode);
  });
}

function writeNew<T>(path: string, mode: number, fill: (fd: number) => T): T {
  const fd = openSync(path, 'wx', mode);
  let done = false;
  try {
    const filled = fill(fd);
    done = true;
    return filled;
  } finally {
    closeSync(fd);
    if (!done) rmSync(path, { force: true });
  }
}

/** What is known of an open file once it has exactly this mode: the one given to open is cut by the umask. */
export function statsWith(fd: number, mode: number): Stats {
  const stats = fstatSync(fd);
  if ((stats.mode & 0o7777) === mode) return stats;
  fchmodSync(fd, mode);
  return fstatSync(fd);
}

/** A file that was copied: the digest of what was read on the way, and what stands there. */
export interface Copied {
  readonly digest: Digest;
  readonly stats: Stats;
}

/** Copies the rest of an open file to a new one. */
export function copyRest(from: number, path: string, mode: number): Copied {
  return writeNew(path, mode, (to) => {
    const digest = hashRest(from, (piece) => writeAll(to, piece));
    return { digest, stats: statsWith(to, mode) };
  });
}

/** Digest of an open file from where it stands to its end. Each piece is lent until `each` returns. */
export function hashRest(fd: number, each: (piece: Uint8Array) => void): Digest {
  const hash = new Sha256();
  const next = (): Uint8Array | undefined => readInto(fd, chunkBuffer());
  for (let piece = next(); piece !== undefined; piece = next()) {
    hash.update(piece);
    each(piece);
  }
  return hash.digest();
}

function readInto(fd: number, chunk: Buffer): Uint8Array | undefined {
  try {
    const count = readSync(fd, chunk);
    return count === 0 ? undefined : chunk.subarray(0, count);
  } catch {
    return undefined;
  }
}

/** Copies an open file to a new one, aside, and gives the digest of what was read. `chunk` is lent. */
export async function copyAside(from: number, path: string, chunk: Buffer): Promise<Digest> {
  const to = inFolderOf(path, () => openSync(path, 'wx', 0o600));
  let done = false;
  try {
    const digest = await hashAside(from, chunk, (piece, at) => writeAllAside(to, [piece], at));
    done = true;
    return digest;
  } finally {
    closeSync(to);
    if (!done) rmSync(path, { force: true });
  }
}

/** Digest of an open file, read aside. Each piece is lent until what `each` promises is done. */
export async function hashAside(
  fd: number,
  chunk: Buffer,
  each: (piece: Uint8Array, at: number) => Promise<void> | undefined,
): Promise<Digest> {
  const hash = new Sha256();
  const { size } = fstatSync(fd);
  for (let at = 0; at < size; ) {
    const count = await readAside(fd, chunk, at);
    if (count === 0) break;
    const piece = chunk.subarray(0, count);
    const busy = each(piece, at);
    hash.update(piece);
    await busy;
    at += count;
  }
  return hash.digest();
}

/** How much was read; nothing from a disk that does not give it back. */
function readAside(fd: number, chunk: Buffer, at: number): Promise<number> {
  return new Promise((resolve) => {
    read(fd, chunk, 0, chunk.length, at, (error, count) => resolve(error ? 0 : count));
  });
}

/** Writes all of it to an open file, aside, from `start` on. */
export async function writeAllAside(fd: number, pieces: readonly Uint8Array[], start: number): Promise<void> {
  let at = start;
  for (let left = pieces; left.length > 0; ) {
    const count = await writeSomeAside(fd, left, at);
    at += count;
    left = behind(left, count);
  }
}

function writeSomeAside(fd: number, pieces: readonly Uint8Array[], at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    writev(fd, pieces, at, (error, count) => (error ? reject(error) : resolve(count)));
  });
}

/** What is left behind the first `count` bytes, as a rule nothing. */
function behind(pieces: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let [first, skipped] = [0, 0];
  for (const { length } of pieces) {
    if (skipped + length > count) break;
    skipped += length;
    first++;
  }
  return pieces.slice(first).map((piece, at) => (at === 0 ? piece.subarray(count - skipped) : piece));
}
