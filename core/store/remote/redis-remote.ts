/**
 * A remote store in Redis: `<namespace>:c:<digest>` for blobs, `<namespace>:a:<key>` for records. The client is an
 * optional peer, loaded at the first question. A server for this is best one of its own with the policy `allkeys-lru`;
 * that a record outlives its blobs is then an everyday matter.
 */
import { messageOf } from '../../base/errors.ts';
import { type Digest, type Key, sha256 } from '../../base/hash.ts';
import { importPeer } from '../peer.ts';
import {
  type Content,
  type Expectation,
  gathered,
  RemoteFault,
  type RemoteStore,
  type Taker,
  tooLong,
} from './remote.ts';

interface RedisOptions {
  /** `redis:` or `rediss:`, without credentials. */
  readonly url: string;
  /** Empty for none. */
  readonly namespace: string;
  /** User and password, asked for before the first question; undefined for none. */
  readonly login: () => Promise<{ readonly username?: string; readonly password: string } | undefined>;
  /** Time to connect, ms. */
  readonly connectMs: number;
  /** Time for one answer, ms. */
  readonly timeoutMs: number;
}

/** Redis holds at most 512 MB under a key, all of it in memory. */
const MAX_BLOB = 64 * 1024 * 1024;
const EMPTY = sha256('');
/** Keys asked about in one command. */
const BATCH = 500;

/** What is used of the client. */
interface Client {
  connect(): Promise<unknown>;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  withTypeMapping(mapping: Readonly<Record<number, unknown>>): Client;
  ping(): Promise<unknown>;
  exists(key: string): Promise<number>;
  getRange(key: string, start: number, end: number): Promise<Uint8Array>;
  set(key: string, value: Uint8Array, options?: { readonly condition: 'NX' }): Promise<unknown>;
  scan(
    cursor: string,
    options: { readonly MATCH: string; readonly COUNT: number },
  ): Promise<{ readonly cursor: string | number; readonly keys: readonly string[] }>;
  unlink(keys: readonly string[]): Promise<unknown>;
  destroy(): void;
}

interface RedisPackage {
  createClient(options: object): Client;
  readonly RESP_TYPES: { readonly BLOB_STRING: number };
  /** What the server itself says is wrong. */
  readonly ErrorReply: abstract new (
    ...args: never[]
  ) => Error;
}

export class RedisRemote implements RemoteStore {
  readonly location: string;
  readonly maxBlob: number = MAX_BLOB;
  readonly #options: RedisOptions;
  readonly #prefix: string;
  #connecting: Promise<Connection> | undefined;
  #isReply: (error: unknown) => boolean = () => false;

  constructor(options: RedisOptions) {
    this.#options = options;
    this.#prefix = options.namespace === '' ? '' : `${options.namespace}:`;
    this.location = `${options.url.replace(/\/$/, '')}${options.namespace === '' ? '' : `#${options.namespace}`}`;
  }

  async has(digests: readonly Digest[], signal?: AbortSignal): Promise<ReadonlySet<Digest>> {
    const found = new Set<Digest>();
    for (let at = 0; at < digests.length; at += BATCH) {
      const batch = digests.slice(at, at + BATCH);
      // Commands of one turn go out together.
      const there = await this.#ask(
        ({ plain }) => Promise.all(batch.map((digest) => plain.exists(this.#blob(digest)))),
        signal,
      );
      for (const [index, digest] of batch.entries()) if (there[index] === 1) found.add(digest);
    }
    return found;
  }

  async get(digest: Digest, { limit, signal }: Expectation): Promise<Uint8Array | undefined> {
    const bytes = await this.#read(this.#blob(digest), limit, signal);
    // What is not there reads as empty.
    if (bytes.length === 0 && (digest !== EMPTY || (await this.has([digest], signal)).size === 0)) return undefined;
    return bytes;
  }

  async stream(digest: Digest, expected: Expectation, take: Taker): Promise<boolean> {
    const bytes = await this.get(digest, expected);
    if (bytes !== undefined) await take(bytes);
    return bytes !== undefined;
  }

  async getRecord(key: Key, { limit, signal }: Expectation): Promise<Uint8Array | undefined> {
    const bytes = await this.#read(this.#record(key), limit, signal);
    return bytes.length === 0 ? undefined : bytes;
  }

  /** Never takes in more than one byte beyond the limit, whatever stands there. Empty for nothing. */
  async #read(key: string, limit: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const bytes = await this.#ask(({ binary }) => binary.getRange(key, 0, limit), signal);
    if (bytes.length > limit) throw tooLong(limit);
    return bytes;
  }

  async put(digest: Digest, content: Content, signal?: AbortSignal): Promise<void> {
    if (content.size > MAX_BLOB) throw new RemoteFault('full', 'the blob is too large for Redis');
    const bytes = await gathered(only(...(await all(content))), content.size);
    await this.#ask(({ plain }) => plain.set(this.#blob(digest), bytes, { condition: 'NX' }), signal);
  }

  async putRecord(key: Key, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#ask(({ plain }) => plain.set(this.#record(key), Buffer.from(bytes)), signal);
  }

  async purge(signal?: AbortSignal): Promise<void> {
    // A namespace has no characters that mean something in a pattern, and another may begin with the same ones.
    for (const kind of ['a', 'c']) {
      const own = new RegExp(`^${this.#prefix}${kind}:[0-9a-f]{64}$`);
      for (let cursor = '0', isFirst = true; isFirst || cursor !== '0'; isFirst = false) {
        const options = { MATCH: `${this.#prefix}${kind}:*`, COUNT: BATCH };
        const found = await this.#ask(({ plain }) => plain.scan(cursor, options), signal);
        cursor = String(found.cursor);
        const keys = found.keys.filter((key) => own.test(key));
        if (keys.length > 0) await this.#ask(({ plain }) => plain.unlink(keys), signal);
      }
    }
  }

  async ping(signal?: AbortSignal): Promise<void> {
    await this.#ask(({ plain }) => plain.ping(), signal);
  }

  async close(): Promise<void> {
    const connecting = this.#connecting;
    this.#connecting = undefined;
    await connecting?.then(
      ({ plain }) => plain.destroy(),
      () => {},
    );
  }

  #blob(digest: Digest): string {
    return `${this.#prefix}c:${digest}`;
  }

  #record(key: Key): string {
    return `${this.#prefix}a:${key}`;
  }

  async #ask<T>(question: (connection: Connection) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    try {
      this.#connecting ??= this.#connect();
      const connection = await within(this.#connecting, undefined, signal);
      return await within(question(connection), this.#options.timeoutMs, signal);
    } catch (error) {
      const found = fault(error);
      // What is left of a connection that failed is not used again. One that brought an error of the server is sound, and
      // others are waiting for answers on it.
      if (found.kind === 'down' && !this.#isReply(error)) void this.close();
      throw found;
    }
  }

  async #connect(): Promise<Connection> {
    const { url, login, connectMs } = this.#options;
    const redis = (await importPeer('@redis/client', 'a shared cache in Redis')) as RedisPackage;
    const { createClient, RESP_TYPES, ErrorReply } = redis;
    this.#isReply = (error) => error instanceof ErrorReply;
    const plain = createClient({
      url,
      ...(await login()),
      disableOfflineQueue: true,
      socket: { connectTimeout: connectMs, reconnectStrategy: false },
    });
    // Told to whoever asks next.
    plain.on('error', () => {});
    // Only this is the server's time: loading the client takes longer on a busy machine, and a helper may ask a person.
    await within(plain.connect(), connectMs, undefined).catch((error: unknown) => {
      plain.destroy();
      throw error;
    });
    return { plain, binary: plain.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }) };
  }
}

interface Connection {
  readonly plain: Client;
  /** The same, whose answers are bytes. */
  readonly binary: Client;
}

/** Rejects when the time is over, if there is a limit, or the signal is given; what was asked goes on unheard. */
function within<T>(promise: Promise<T>, ms: number | undefined, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new RemoteFault('down', 'interrupted'));
    const late = (): void => reject(new RemoteFault('down', `no answer within ${ms} ms`));
    const timer = ms === undefined ? undefined : setTimeout(late, ms);
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(end);
  });
}

async function all(content: Content): Promise<readonly Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of content.open()) pieces.push(piece);
  return pieces;
}

async function* only(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  yield* pieces;
}

function fault(error: unknown): RemoteFault {
  if (error instanceof RemoteFault) return error;
  const message = messageOf(error);
  return new RemoteFault(/^(NOPERM|NOAUTH|WRONGPASS|READONLY)\b/.test(message) ? 'refused' : 'down', message, error);
}
