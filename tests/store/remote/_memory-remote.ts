/** A remote store in memory: what a server would keep, without a server. For tests of what is built on remote stores. */
import type { Digest, Key } from '../../../core/base/hash.ts';
import {
  type Content,
  type Expectation,
  gathered,
  type RemoteStore,
  type Taker,
  tooLong,
} from '../../../core/store/remote/remote.ts';

export class MemoryRemote implements RemoteStore {
  readonly location = 'memory';
  readonly maxBlob: number = Number.MAX_SAFE_INTEGER;
  readonly blobs: Map<Digest, Uint8Array> = new Map();
  readonly records: Map<Key, Uint8Array> = new Map();

  has(digests: readonly Digest[]): Promise<ReadonlySet<Digest>> {
    return Promise.resolve(new Set(digests.filter((digest) => this.blobs.has(digest))));
  }

  get(digest: Digest, { limit }: Expectation): Promise<Uint8Array | undefined> {
    return within(limit, this.blobs.get(digest));
  }

  async stream(digest: Digest, expected: Expectation, take: Taker): Promise<boolean> {
    const bytes = await this.get(digest, expected);
    if (bytes !== undefined) await take(bytes);
    return bytes !== undefined;
  }

  async put(digest: Digest, content: Content): Promise<void> {
    if (!this.blobs.has(digest)) this.blobs.set(digest, await gathered(pieces(content.open()), content.size));
  }

  getRecord(key: Key, { limit }: Expectation): Promise<Uint8Array | undefined> {
    return within(limit, this.records.get(key));
  }

  putRecord(key: Key, bytes: Uint8Array): Promise<void> {
    this.records.set(key, Buffer.from(bytes));
    return Promise.resolve();
  }

  purge(): Promise<void> {
    this.records.clear();
    this.blobs.clear();
    return Promise.resolve();
  }

  ping(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function within(limit: number, bytes: Uint8Array | undefined): Promise<Uint8Array | undefined> {
  return bytes !== undefined && bytes.length > limit ? Promise.reject(tooLong(limit)) : Promise.resolve(bytes);
}

async function* pieces(
  all: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* all;
}
