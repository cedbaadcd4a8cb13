/**
 * A remote store on an HTTP server, in the layout of Bazel's caches: `<url>/<namespace>/cas/<digest>` for blobs and
 * `<url>/<namespace>/ac/<key>` for records, with GET, HEAD and PUT. nginx with WebDAV serves it, and bazel-remote (with
 * `--disable_http_ac_validation`, because these records are none of Bazel's). Encoded answers are not taken: nothing is
 * ever unpacked that was not asked for.
 */
import type { IncomingMessage } from 'node:http';
import type { Digest, Key } from '../../base/hash.ts';
import { HttpClient, type HttpClientOptions } from './http-client.ts';
import {
  type Content,
  contentOf,
  type Expectation,
  joined,
  RemoteFault,
  type RemoteStore,
  type Taker,
  tooLong,
} from './remote.ts';

interface HttpOptions extends HttpClientOptions {
  /** Steps of the path between the URL and `cas`; empty for none. */
  readonly namespace: string;
}

/** Who sends more slowly than this counts as not sending, bytes a second. */
const LEAST_SPEED = 64 * 1024;
/** Which key is asked for to see whether the server answers: one that no record has. */
const NOBODY = '0'.repeat(64) as Key;

export class HttpRemote implements RemoteStore {
  readonly location: string;
  readonly maxBlob: number = Number.MAX_SAFE_INTEGER;
  readonly #client: HttpClient;
  readonly #timeoutMs: number;

  constructor({ url, namespace, ...options }: HttpOptions) {
    const base = new URL(url);
    base.pathname = [base.pathname.replace(/\/+$/, ''), ...(namespace === '' ? [] : [namespace])].join('/');
    this.location = base.href.replace(/\/$/, '');
    this.#client = new HttpClient({ ...options, url: this.location });
    this.#timeoutMs = options.timeoutMs;
  }

  async has(digests: readonly Digest[], signal?: AbortSignal): Promise<ReadonlySet<Digest>> {
    const there = await Promise.all(digests.map((digest) => this.#isThere(digest, signal)));
    return new Set(digests.filter((_, at) => there[at]));
  }

  async #isThere(digest: Digest, signal: AbortSignal | undefined): Promise<boolean> {
    const response = await this.#client.exchange('HEAD', `cas/${digest}`, { signal });
    response.resume();
    return isFound(response);
  }

  get(digest: Digest, expected: Expectation): Promise<Uint8Array | undefined> {
    return this.#read(`cas/${digest}`, expected);
  }

  getRecord(key: Key, expected: Expectation): Promise<Uint8Array | undefined> {
    return this.#read(`ac/${key}`, expected);
  }

  stream(digest: Digest, expected: Expectation, take: Taker): Promise<boolean> {
    return this.#receive(`cas/${digest}`, expected, take);
  }

  async #read(path: string, expected: Expectation): Promise<Uint8Array | undefined> {
    const pieces: Uint8Array[] = [];
    const isThere = await this.#receive(path, expected, (piece) => void pieces.push(piece));
    return isThere ? joined(pieces) : undefined;
  }

  /** Without an iterator over the answer, which costs more than a small answer. */
  async #receive(path: string, expected: Expectation, take: Taker): Promise<boolean> {
    const response = await this.#open(path, expected);
    if (response === undefined) return false;
    const pace = this.#pace();
    let size = 0;
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        reject(error);
        response.destroy();
      };
      const taken = (piece: Buffer): void => {
        size += piece.length;
        if (size > expected.limit) throw tooLong(expected.limit);
        if (!pace(size)) throw tooSlow();
        const busy = take(piece);
        if (busy === undefined) return;
        response.pause();
        busy.then(() => response.resume(), fail);
      };
      response.on('data', (piece: Buffer) => {
        try {
          taken(piece);
        } catch (error) {
          fail(error);
        }
      });
      response.on('end', () => resolve(true));
      response.on('error', (error) => fail(cutOff(error)));
      response.on('close', () => {
        if (!response.readableEnded) fail(cutOff());
      });
    });
  }

  /** Tells of how much has come whether that is fast enough. */
  #pace(): (size: number) => boolean {
    const begun = performance.now();
    return (size) => performance.now() - begun <= this.#timeoutMs + (size / LEAST_SPEED) * 1000;
  }

  /** An answer whose head is as it should be; undefined for none. */
  async #open(path: string, { limit, signal }: Expectation): Promise<IncomingMessage | undefined> {
    const response = await this.#client.exchange('GET', path, { signal });
    if (!isFound(response)) {
      response.resume();
      return undefined;
    }
    const { 'content-encoding': encoding, 'content-length': length } = response.headers;
    const problem =
      encoding !== undefined && encoding !== 'identity'
        ? new RemoteFault('bad', `an answer is encoded (${encoding}), which was not asked for`)
        : Number(length ?? 0) > limit
          ? tooLong(limit)
          : undefined;
    if (problem === undefined) return response;
    response.destroy();
    throw problem;
  }

  async put(digest: Digest, content: Content, signal?: AbortSignal): Promise<void> {
    await this.#send(`cas/${digest}`, content, signal);
  }

  async putRecord(key: Key, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#send(`ac/${key}`, contentOf(bytes), signal);
  }

  async #send(path: string, content: Content, signal: AbortSignal | undefined): Promise<void> {
    const response = await this.#client.exchange('PUT', path, { signal, content });
    response.resume();
    const status = response.statusCode ?? 0;
    if (status === 413) throw new RemoteFault('full', 'the server takes nothing as large as this');
    // 409 and 412: somebody was first.
    if ((status >= 200 && status < 300) || status === 409 || status === 412) return;
    const takesBazelOnly = status === 400 && path.startsWith('ac/');
    const hint = takesBazelOnly ? '; bazel-remote needs --disable_http_ac_validation' : '';
    throw new RemoteFault('bad', `the server answered ${status} to a PUT${hint}`);
  }

  /** By the DELETE of whole folders that WebDAV has; there is no other way to learn what is there. */
  async purge(signal?: AbortSignal): Promise<void> {
    for (const part of ['ac', 'cas']) {
      const response = await this.#client.exchange('DELETE', `${part}/`, { signal });
      response.resume();
      const status = response.statusCode ?? 0;
      if (status >= 200 && status < 300) continue;
      // A server that knows no such request may say that there is no such path.
      if (part === 'cas' && status === 404) continue;
      throw new RemoteFault(
        'refused',
        `the server does not let clients delete: it answered ${status} to DELETE ${part}/`,
      );
    }
  }

  async ping(signal?: AbortSignal): Promise<void> {
    const response = await this.#client.exchange('GET', `ac/${NOBODY}`, { signal });
    response.resume();
    isFound(response);
  }

  close(): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }
}

/** Whether something was found. Throws `bad` for an answer that says neither. */
function isFound({ statusCode }: IncomingMessage): boolean {
  if (statusCode === 200) return true;
  if (statusCode === 404 || statusCode === 410) return false;
  throw new RemoteFault('bad', `the server answered ${statusCode}`);
}

/** The connection ended before what was announced had come. */
function cutOff(error?: unknown): RemoteFault {
  return new RemoteFault('bad', 'an answer was cut off', error);
}

function tooSlow(): RemoteFault {
  return new RemoteFault('down', 'an answer comes too slowly');
}
