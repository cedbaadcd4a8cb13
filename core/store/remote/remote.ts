/**
 * The contract of a remote store: blobs under their digest, records under their key, kept by a server or a folder that
 * many machines share. Nothing that it answers is to be believed: whoever asks verifies (`download.ts`, `sealed.ts`).
 * One store stands for one namespace of its server.
 */
import type { Digest, Key } from '../../base/hash.ts';

/** Bytes to send. `open` may be called again when sending has to be begun again. */
export interface Content {
  readonly size: number;
  open(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** Limits of one answer. */
export interface Expectation {
  /** More bytes than these are a bad answer. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/** Is given the pieces of an answer in their order, to keep; after a promise nothing comes until that is fulfilled. */
export type Taker = (piece: Uint8Array) => Promise<void> | undefined;

/** Every method but `close` rejects with a `RemoteFault`, and with nothing else. What is absent is `undefined`. */
export interface RemoteStore {
  /** URL or folder, without anything secret. */
  readonly location: string;
  /** The largest blob that it takes, bytes. */
  readonly maxBlob: number;
  /** Which of these blobs seem to be there, asked as one question. Never a proof of their content. */
  has(digests: readonly Digest[], signal?: AbortSignal): Promise<ReadonlySet<Digest>>;
  /** What claims to be the blob. */
  get(digest: Digest, expected: Expectation): Promise<Uint8Array | undefined>;
  /**
   * The same in pieces, for what is too large for memory. False if it is not there. Rejects with what `take` throws or
   * rejects with, too.
   */
  stream(digest: Digest, expected: Expectation, take: Taker): Promise<boolean>;
  /** Blobs are written once: that one is there already is a success. */
  put(digest: Digest, content: Content, signal?: AbortSignal): Promise<void>;
  /** What claims to be the record under the key. */
  getRecord(key: Key, expected: Expectation): Promise<Uint8Array | undefined>;
  /** Replaces the record under the key, where the server allows that. */
  putRecord(key: Key, bytes: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** Removes everything of the namespace, records first. Rejects with `refused` where that is not allowed. */
  purge(signal?: AbortSignal): Promise<void>;
  /** Makes sure that the server answers questions about records. */
  ping(signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/**
 * `down`: not reachable, too slow, or in trouble of its own. `refused`: the credentials do not allow it. `bad`: an answer
 * that no honest server gives, such as one that is longer or shorter than it says. `full`: too large for the server.
 */
export type FaultKind = 'down' | 'refused' | 'bad' | 'full';

/** What went wrong with a remote store. Costs an answer, never a result; does not leave the tier that asked. */
export class RemoteFault extends Error {
  readonly kind: FaultKind;

  constructor(kind: FaultKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'RemoteFault';
    this.kind = kind;
  }
}

/** What `namespace` may be: steps of a path that mean nothing special to any server or file system. */
export const NAMESPACE: RegExp = /^[A-Za-z0-9][A-Za-z0-9_-]*(?:\/[A-Za-z0-9][A-Za-z0-9_-]*)*$/;

/** Content that is in memory. */
export function contentOf(bytes: Uint8Array): Content {
  return { size: bytes.length, open: () => [bytes] };
}

/** Hands on pieces up to a limit. Rejects with `bad` for more. */
export async function handOn(pieces: AsyncIterable<Uint8Array>, limit: number, take: Taker): Promise<void> {
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    if (size > limit) throw tooLong(limit);
    await take(piece);
  }
}

/** Gathers pieces up to a limit. Rejects with `bad` for more. */
export async function gathered(pieces: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> {
  const all: Uint8Array[] = [];
  await handOn(pieces, limit, (piece) => void all.push(piece));
  return joined(all);
}

/** Pieces in one; a single one is not copied. */
export function joined(pieces: readonly Uint8Array[]): Buffer {
  const [only] = pieces;
  return pieces.length === 1 && only instanceof Buffer ? only : Buffer.concat(pieces);
}

export function tooLong(limit: number): RemoteFault {
  return new RemoteFault('bad', `an answer is longer than the ${limit} bytes expected`);
}
