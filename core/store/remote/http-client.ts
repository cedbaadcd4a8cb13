/**
 * Requests to one HTTP server, for remote stores: connections are kept and reused, credentials and proxies taken care of.
 * Redirects are not followed: with them the credentials would go to another host.
 */
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf, systemCode } from '../../base/errors.ts';
import { HttpProxy } from './proxy.ts';
import { type Content, RemoteFault } from './remote.ts';

export interface HttpClientOptions {
  /** `http:` or `https:`, without credentials; paths of requests begin there. */
  readonly url: string;
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

export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #base: URL;
  /** Made with the first request: what is wrong with it costs answers. */
  #connection: Connection | undefined;
  #authorization: Promise<string | undefined> | undefined;

  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#base = new URL(options.url);
  }

  #connect(): Connection {
    const { connections, proxy: address, connectMs } = this.#options;
    const keeping = { keepAlive: true, maxSockets: connections, maxFreeSockets: connections };
    const proxy = address === undefined ? undefined : new HttpProxy(address);
    if (this.#base.protocol === 'http:') return { agent: new Agent(keeping), request, through: proxy };
    const https = secureClient();
    const agent = proxy === undefined ? new https.Agent(keeping) : proxy.secureAgent(keeping, connectMs);
    return { agent, request: https.request, through: undefined };
  }

  close(): void {
    this.#connection?.agent.destroy();
  }

  /** One request and the head of its answer; once more if a kept connection turned out to be closed. */
  async exchange(method: string, path: string, message: Message): Promise<IncomingMessage> {
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
    this.#connection ??= this.#connect();
    const { agent, request, through } = this.#connection;
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
interface Connection {
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
          : status === 200 && /^text\/html\b/i.test(response.headers['content-type'] ?? '')
            ? new RemoteFault('bad', 'a web page came in place of an answer, as from a network that wants a login')
            : undefined;
  if (problem === undefined) return;
  response.resume();
  throw problem;
}

function fault(error: unknown): RemoteFault {
  if (error instanceof RemoteFault) return error;
  // Some errors of connections have nothing but a code; those of encryption have the story of a library around a few words.
  const [, told] = /:SSL routines:[^:]*:([^:]+):/.exec(messageOf(error)) ?? [];
  const what = told === undefined ? messageOf(error) : `no encrypted connection (${told})`;
  return new RemoteFault('down', what || (systemCode(error) ?? 'no connection'), error);
}
