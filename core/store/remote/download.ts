/**
 * Bytes out of a remote store, verified: what does not have the size and the digest that were expected is a `bad` fault,
 * and nothing of it is left. Content that is too large for memory goes to a file on the way.
 */
import { closeSync, createReadStream, openSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { type Digest, Sha256, sha256 } from '../../base/hash.ts';
import { writeAll } from '../file-bytes.ts';
import { inFolderOf } from '../layout.ts';
import { type Content, RemoteFault, type RemoteStore } from './remote.ts';

export interface Expected {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** A blob in memory; undefined if it is not there. */
export async function download(
  store: RemoteStore,
  { digest, size }: Expected,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  const bytes = await store.get(digest, { limit: size, signal });
  if (bytes === undefined) return undefined;
  if (bytes.length !== size || sha256(bytes) !== digest) throw mismatch();
  return bytes;
}

/** A blob as a new file, which only its owner can read. False if it is not there. */
export async function downloadTo(
  path: string,
  store: RemoteStore,
  { digest, size }: Expected,
  signal?: AbortSignal,
): Promise<boolean> {
  const pieces = await store.stream(digest, { limit: size, signal });
  if (pieces === undefined) return false;
  const hash = new Sha256();
  let got = 0;
  const file = inFolderOf(path, () => openSync(path, 'wx', 0o600));
  let isWhole = false;
  try {
    for await (const piece of pieces) {
      got += piece.length;
      if (got > size) throw mismatch();
      hash.update(piece);
      // At once: to have another thread write it takes longer than to write it.
      writeAll(file, piece);
    }
    isWhole = got === size && hash.digest() === digest;
    if (!isWhole) throw mismatch();
    return true;
  } finally {
    closeSync(file);
    if (!isWhole) rmSync(path, { force: true });
  }
}

function mismatch(): RemoteFault {
  return new RemoteFault('bad', 'the content does not match its digest');
}

/** The content of a file, to be sent. */
export function fileContent(path: string, size: number): Content {
  return { size, open: () => createReadStream(path, { highWaterMark: 1 << 18 }) };
}

/** Removes a file that was made for a transfer. */
export async function discard(path: string): Promise<void> {
  await rm(path, { force: true });
}
