/**
 * Bytes out of a remote store, verified: what does not have the size and the digest that were expected is a `bad` fault,
 * and nothing of it is left. Content that is too large for memory goes to a file on the way.
 */
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { type Digest, Sha256, sha256 } from '../../base/hash.ts';
import { NewFiles } from '../new-files.ts';
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

/**
 * A blob as new files that only their owner can read, each with the same content. False if it is not there. Where that
 * fails none of them is left.
 */
export async function downloadTo(
  paths: readonly string[],
  store: RemoteStore,
  { digest, size }: Expected,
  signal?: AbortSignal,
): Promise<boolean> {
  if (signal?.aborted) throw new RemoteFault('down', 'interrupted');
  const hash = new Sha256();
  const files = new NewFiles(paths);
  try {
    const isThere = await store.stream(digest, { limit: size, signal }, (piece) => {
      hash.update(piece);
      return files.add(piece);
    });
    if (!isThere) return false;
    if (files.size !== size || hash.digest() !== digest) throw mismatch();
    await files.finish();
    return true;
  } finally {
    await files.close();
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
