/**
 * A remote store on an HTTP server, in the layout of Bazel's caches: `<url>/<namespace>/cas/<digest>` for blobs and
 * `<url>/<namespace>/ac/<key>` for records, with GET, HEAD and PUT. nginx with WebDAV serves it, and bazel-remote (with
 * `--disable_http_ac_validation`, because these records are none of Bazel's). Connections are kept and reused.
 *
 * Redirects are not followed: with them the credentials would go to another host. Encoded answers are not taken: nothing
 * is ever unpacked that was not asked for.
 */
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf, systemCode } from '../../base/errors.ts';
import type { Digest, Key } from '../../base/hash.ts';
import { HttpProxy } from './proxy.ts';
import { type Content, contentOf, type Expectation, RemoteFault, type RemoteStore, tooLong } from './remote.ts';

export interface HttpOptions {
  /** `http:` or `https:`, without credentials. */
  readonly url: string;
  /** Steps of the path between the URL and `cas`; empty for none. */
  readonly namespace: string;
  /** The value of the header `Authorization`, asked for before the first request; undefined for none. */
  readonly authorization: () => Promise<string | undefined>;
  /** Time to connect, ms. */
  readonly connectMs: number;
  /** Time without a sign of the server, ms; also what is granted beside the least speed. */
  readonly timeoutMs: number;
  /** Connections at a time. */
  readonly connections: number;
  /** The address of a proxy; undefined for none. */
  readonly proxy?: string | undefined;
}

/** Who sends more slowly than this counts as not sending, bytes a second. */
const LEAST_SPEED = 64 * 1024;
/** Which key is asked for to see whether the server answers: one that no record has. */
const NOBODY = '0'.repeat(64) as Key;

export class HttpRemote implements RemoteStore {
  readonly location: string;
  readonly maxBlob: number = Number.MAX_SAFE_INTEGER;
  readonly #options: HttpOptions;
  readonly #base: URL;
  /** Made with the first request: what is wrong with it costs answers. */
  #client: Client | undefined;
  #authorization: Promise<string | undefined> | undefined;

  constructor(options: HttpOptions) {
    this.#options = options;
    this.#base = new URL(options.url);
    const steps = [this.#base.pathname.replace(/\/+$/, ''), ...(options.namespace === '' ? [] : [options.namespace])];
    this.#base.pathname = steps.join('/');
    this.location = this.#base.href.replace(/\/$/, '');
  }

  #connect(): Client {
    const { connections, proxy: address, connectMs } = this.#options;
    const keeping = { keepAlive: true, maxSockets: connections, maxFreeSockets: connections };
    const proxy = address === undefined ? undefined : new HttpProxy(address);
    if (this.#base.protocol === 'http:') return { agent: new Agent(keeping), request, through: proxy };
    const https = secureClient();
    const agent = proxy === undefined ? new https.Agent(keeping) : proxy.secureAgent(keeping, connectMs);
    return { agent, request: https.request, through: undefined };
  }

  async has(digests: readonly Digest[], signal?: AbortSignal): Promise<ReadonlySet<Digest>> {
    const there = await Promise.all(digests.map((digest) => this.#isThere(digest, signal)));
    return new Set(digests.filter((_, at) => there[at]));
  }

  async #isThere(digest: Digest, signal: AbortSignal | undefined): Promise<boolean> {
    const response = await this.#exchange('HEAD', `cas/${digest}`, { signal });
    response.resume();
    return isFound(response);
  }

  get(digest: Digest, expected: Expectation): Promise<Uint8Array | undefined> {
    return this.#read(`cas/${digest}`, expected);
  }

  getRecord(key: Key, expected: Expectation): Promise<Uint8Array | undefined> {
    return this.#read(`ac/${key}`, expected);
  }

  async stream(digest: Digest, expected: Expectation): Promise<AsyncIterable<Uint8Array> | undefined> {
    const response = await this.#open(`cas/${digest}`, expected);
    return response === undefined ? undefined : this.#pieces(response);
  }

  /** Without the machinery of streams, which costs more than a small answer. */
  async #read(path: string, expected: Expectation): Promise<Uint8Array | undefined> {
    const response = await this.#open(path, expected);
    if (response === undefined) return undefined;
    const pace = this.#pace();
    const pieces: Buffer[] = [];
    let size = 0;
    return new Promise((resolve, reject) => {
      const fail = (fault: RemoteFault): void => {
        reject(fault);
        response.destroy();
      };
      response.on('data', (piece: Buffer) => {
        size += piece.length;
        pieces.push(piece);
        if (size > expected.limit) fail(tooLong(expected.limit));
        else if (!pace(size)) fail(tooSlow());
      });
      response.on('end', () => resolve(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces, size)));
      response.on('error', (error) => fail(cutOff(error)));
      response.on('close', () => {
        if (!response.readableEnded) fail(cutOff());
      });
    });
  }

  /** Tells of how much has come whether that is fast enough. */
  #pace(): (size: number) => boolean {
    const begun = performance.now();
    return (size) => performance.now() - begun <= this.#options.timeoutMs + (size / LEAST_SPEED) * 1000;
  }

  /** An answer whose head is as it should be; undefined for none. */
  async #open(path: string, { limit, signal }: Expectation): Promise<IncomingMessage | undefined> {
    const response = await this.#exchange('GET', path, { signal });
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

  async *#pieces(response: IncomingMessage): AsyncGenerator<Uint8Array, void, undefined> {
    const pace = this.#pace();
    let size = 0;
    try {
      for await (const piece of response) {
        const bytes = piece as Uint8Array;
        size += bytes.length;
        if (!pace(size)) throw tooSlow();
        yield bytes;
      }
    } catch (error) {
      throw error instanceof RemoteFault ? error : cutOff(error);
    } finally {
      response.destroy();
    }
  }

  async put(digest: Digest, content: Content, signal?: AbortSignal): Promise<void> {
    await this.#send(`cas/${digest}`, content, signal);
  }

  async putRecord(key: Key, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#send(`ac/${key}`, contentOf(bytes), signal);
  }

  async #send(path: string, content: Content, signal: AbortSignal | undefined): Promise<void> {
    const response = await this.#exchange('PUT', path, { signal, content });
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
      const response = await this.#exchange('DELETE', `${part}/`, { signal });
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
    const response = await this.#exchange('GET', `ac/${NOBODY}`, { signal });
    response.resume();
    isFound(response);
  }

  close(): Promise<void> {
    this.#client?.agent.destroy();
    return Promise.resolve();
  }

  /** One request and the head of its answer; once more if a kept connection turned out to be closed. */
  async #exchange(method: string, path: string, message: Message): Promise<IncomingMessage> {
    this.#authorization ??= this.#options.authorization();
    const authorization = await this.#authorization;
    for (let attempt = 1; ; attempt++) {
      let sent: ClientRequest | undefined;
      try {
        sent = this.#request(method, path, message, authorization);
        const response = await this.#answer(sent, message);
        refuseBadHead(response);
        return response;
      } catch (error) {
        const isStale = sent?.reusedSocket === true && systemCode(error) === 'ECONNRESET';
        if (!isStale || attempt > this.#options.connections || message.signal?.aborted) throw fault(error);
      }
    }
  }

  #request(method: string, path: string, { content }: Message, authorization: string | undefined): ClientRequest {
    const headers: Record<string, string> = { accept: '*/*' };
    if (authorization !== undefined) headers['authorization'] = authorization;
    if (content !== undefined) {
      headers['content-length'] = String(content.size);
      headers['content-type'] = 'application/octet-stream';
    }
    this.#client ??= this.#connect();
    const { agent, request, through } = this.#client;
    const { protocol, host, hostname, port, pathname } = this.#base;
    const place = `${pathname.replace(/\/$/, '')}/${path}`;
    if (through !== undefined) {
      const { hostname, port } = through;
      const all = { host, ...headers, ...through.headers };
      return request({ protocol, hostname, port, path: `${protocol}//${host}${place}`, method, headers: all, agent });
    }
    return request({ protocol, hostname: hostname.replace(/^\[|\]$/g, ''), port, path: place, method, headers, agent });
  }

  #answer(sent: ClientRequest, { content, signal }: Message): Promise<IncomingMessage> {
    const { connectMs, timeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      let connecting: NodeJS.Timeout | undefined;
      const end = (settle: () => void): void => {
        clearTimeout(connecting);
        settle();
      };
      const giveUp = (ms: number, what: string): void => {
        sent.destroy(new RemoteFault('down', `${what} within ${ms} ms`));
      };
      // A signal among the options of the request would do this too, at several times the price.
      const interrupt = (): void => {
        sent.destroy(new RemoteFault('down', 'interrupted'));
      };
      signal?.addEventListener('abort', interrupt);
      sent.on('close', () => signal?.removeEventListener('abort', interrupt));
      if (signal?.aborted) interrupt();
      sent.on('socket', (socket) => {
        if (!socket.connecting) return;
        connecting = setTimeout(() => giveUp(connectMs, 'no connection'), connectMs);
        socket.once('connect', () => clearTimeout(connecting));
      });
      sent.setTimeout(timeoutMs, () => giveUp(timeoutMs, 'no sign of the server'));
      sent.on('response', (response) => end(() => resolve(response)));
      sent.on('error', (error) => end(() => reject(error)));
      if (content === undefined) sent.end();
      // A server may answer before it has everything: then the answer counts, not the broken pipe.
      else pipeline(Readable.from(content.open()), sent).catch((error: unknown) => end(() => reject(error)));
    });
  }
}

/** Encryption takes a while to load, and is not needed for a server of this machine. */
function secureClient(): Pick<typeof import('node:https'), 'Agent' | 'request'> {
  return createRequire(import.meta.url)('node:https') as typeof import('node:https');
}

/** How requests are made. */
interface Client {
  readonly agent: Agent;
  readonly request: typeof request;
  /** The proxy that is asked in place of the server. */
  readonly through: HttpProxy | undefined;
}

interface Message {
  readonly signal?: AbortSignal | undefined;
  readonly content?: Content;
}

function refuseBadHead(response: IncomingMessage): void {
  const status = response.statusCode ?? 0;
  const problem =
    status === 401 || status === 403 || status === 407
      ? new RemoteFault('refused', `the server refused it (${status})`)
      : status === 408 || status === 429 || status >= 500
        ? new RemoteFault('down', `the server answered ${status}`)
        : status >= 300 && status < 400
          ? new RemoteFault('bad', `the server sent a redirect (${status}), which is not followed`)
          : undefined;
  if (problem === undefined) return;
  response.resume();
  throw problem;
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

function fault(error: unknown): RemoteFault {
  if (error instanceof RemoteFault) return error;
  // Some errors of connections have nothing but a code.
  return new RemoteFault('down', messageOf(error) || (systemCode(error) ?? 'no connection'), error);
}
