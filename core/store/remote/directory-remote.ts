/**
 * A remote store in a folder that several machines mount, or that a CI keeps between jobs. The layout is that of the
 * HTTP paths, fanned out, so that a web server can serve the folder as it is:
 *
 *     <root>/<namespace>/cas/ab/ab12…     a blob
 *     <root>/<namespace>/ac/ab/ab34…      a record
 *     <root>/<namespace>/tmp/…            files in the making; what stays here was left by a crash
 *
 * Written beside and renamed into place, so that a name always stands for whole content whoever else writes. Content is
 * not verified here. But for `purge` nothing is removed except files in the making that are a day old.
 */
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { messageOf, systemCode } from '../../base/errors.ts';
import { asDigest, type Digest, type Key } from '../../base/hash.ts';
import {
  type Content,
  contentOf,
  type Expectation,
  gathered,
  handOn,
  RemoteFault,
  type RemoteStore,
  type Taker,
  tooLong,
} from './remote.ts';

/** Files in the making that are older than this were left by a crash, ms. */
const ORPHANED_AFTER = 86_400_000;

interface DirectoryOptions {
  /** Absolute. Made when something is first put; a folder that is not there is empty. */
  readonly root: string;
  /** Empty for none. */
  readonly namespace: string;
  /** ms since the epoch. */
  readonly now: () => number;
}

export class DirectoryRemote implements RemoteStore {
  readonly location: string;
  readonly maxBlob: number = Number.MAX_SAFE_INTEGER;
  readonly #base: string;
  /** That of the namespace. */
  readonly #root: string;
  readonly #now: () => number;
  #swept = false;
  #made = 0;

  constructor({ root, namespace, now }: DirectoryOptions) {
    this.location = join(root, namespace);
    this.#base = root;
    this.#root = this.location;
    this.#now = now;
  }

  #path(kind: 'cas' | 'ac', name: Digest): string {
    const digest = asDigest(name);
    return join(this.#root, kind, digest.slice(0, 2), digest);
  }

  async has(digests: readonly Digest[]): Promise<ReadonlySet<Digest>> {
    const sizes = await Promise.all(digests.map((digest) => sizeOf(this.#path('cas', digest))));
    return new Set(digests.filter((_, at) => sizes[at] !== undefined));
  }

  get(digest: Digest, expected: Expectation): Promise<Uint8Array | undefined> {
    return this.#read(this.#path('cas', digest), expected);
  }

  async stream(digest: Digest, expected: Expectation, take: Taker): Promise<boolean> {
    const pieces = await this.#open(this.#path('cas', digest), expected);
    if (pieces !== undefined) await handOn(pieces, expected.limit, take);
    return pieces !== undefined;
  }

  async #read(path: string, expected: Expectation): Promise<Uint8Array | undefined> {
    const pieces = await this.#open(path, expected);
    return pieces === undefined ? undefined : gathered(pieces, expected.limit);
  }

  async #open(path: string, { limit, signal }: Expectation): Promise<AsyncIterable<Uint8Array> | undefined> {
    const size = await sizeOf(path);
    if (size === undefined) return undefined;
    if (size > limit) throw tooLong(limit);
    return faulting(createReadStream(path, { signal, highWaterMark: 1 << 18 }));
  }

  async put(digest: Digest, content: Content, signal?: AbortSignal): Promise<void> {
    const path = this.#path('cas', digest);
    // One of another size was cut off by a broken disk or put there by somebody: a good one takes its place.
    if ((await sizeOf(path)) !== content.size) await this.#write(path, content, signal);
  }

  getRecord(key: Key, expected: Expectation): Promise<Uint8Array | undefined> {
    return this.#read(this.#path('ac', key), expected);
  }

  putRecord(key: Key, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    return this.#write(this.#path('ac', key), contentOf(bytes), signal);
  }

  async #write(path: string, content: Content, signal: AbortSignal | undefined): Promise<void> {
    const folder = join(this.#root, 'tmp');
    const scratch = join(folder, `${hostname()}-${process.pid}-${this.#made++}-${randomBytes(6).toString('hex')}`);
    try {
      await mkdir(folder, { recursive: true });
      await this.#sweep(folder);
      const file = await open(scratch, 'wx', 0o644);
      try {
        for await (const piece of content.open()) {
          signal?.throwIfAborted();
          // All of it: on a disk that is almost full a single write takes a part, and tells it by a number alone.
          await file.writeFile(piece);
        }
      } finally {
        await file.close();
      }
      await mkdir(dirname(path), { recursive: true });
      await rename(scratch, path);
    } catch (error) {
      await rm(scratch, { force: true }).catch(() => {});
      throw fault(error);
    }
  }

  async #sweep(folder: string): Promise<void> {
    if (this.#swept) return;
    this.#swept = true;
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      const found = await stat(path).catch(() => undefined);
      if (found !== undefined && this.#now() - found.mtimeMs > ORPHANED_AFTER) await rm(path, { force: true });
    }
  }

  async purge(): Promise<void> {
    try {
      // A namespace may lie in another: only what is in the layout goes.
      for (const part of ['ac', 'cas', 'tmp']) await rm(join(this.#root, part), { recursive: true, force: true });
    } catch (error) {
      throw fault(error);
    }
  }

  async ping(): Promise<void> {
    // What nobody has written to yet is made with the first thing that is put.
    const around = dirname(this.#base);
    const found = await stat(this.#root)
      .catch(() => stat(this.#base))
      .catch(() => stat(around))
      .catch((error: unknown) => {
        throw fault(error);
      });
    if (!found.isDirectory()) throw new RemoteFault('down', 'something else stands where the folder would be');
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : undefined;
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
    throw fault(error);
  }
}

async function* faulting(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* pieces;
  } catch (error) {
    throw fault(error);
  }
}

function fault(error: unknown): RemoteFault {
  if (error instanceof RemoteFault) return error;
  const code = systemCode(error);
  const kind = code === 'EACCES' || code === 'EPERM' || code === 'EROFS' ? 'refused' : 'down';
  return new RemoteFault(kind, messageOf(error), error);
}
