/**
 * Proxies between this machine and an HTTP server, as the environment names them: `HTTP_PROXY` and `HTTPS_PROXY` by the
 * protocol of the server, else `ALL_PROXY`, in small letters or in large ones; `NO_PROXY` lists hosts that are reached
 * directly, with all below them, `host:port`, or `*`. This machine itself is always reached directly. Node has this of its
 * own only from 22.21 on, and only on demand.
 */
import { request } from 'node:http';
import type { Agent, AgentOptions } from 'node:https';
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { RemoteFault } from './remote.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$|\.localhost$/;
const PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** The proxy for a server, or undefined for none. What it says of the proxy may be wrong: that is told when it is used. */
export function proxyFor(server: URL, env: Environment): string | undefined {
  const variable = (name: string): string | undefined => env[name] || env[name.toUpperCase()] || undefined;
  const proxy = variable(server.protocol === 'https:' ? 'https_proxy' : 'http_proxy') ?? variable('all_proxy');
  return proxy === undefined || isDirect(server, variable('no_proxy') ?? '') ? undefined : proxy.trim();
}

function isDirect({ hostname, port, protocol }: URL, list: string): boolean {
  if (LOOPBACK.test(hostname)) return true;
  return list.split(/[\s,]+/).some((rule) => {
    const [, host = '', only] = /^(?:\*?\.)?(.*?)(?::(\d+))?$/.exec(rule.toLowerCase()) ?? [];
    if (rule === '*') return true;
    if (host === '' || (only !== undefined && only !== (port || PORTS[protocol]))) return false;
    return hostname === host || hostname.endsWith(`.${host}`);
  });
}

/** A proxy that speaks HTTP. */
export class HttpProxy {
  readonly hostname: string;
  readonly port: string;
  /** The value of the header `Proxy-Authorization`, or undefined. */
  readonly authorization: string | undefined;

  /** `address`: as the environment has it, the protocol may be missing. Throws a `RemoteFault` without it: it may have a password. */
  constructor(address: string) {
    const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? address : `http://${address}`;
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url?.protocol !== 'http:')
      throw new RemoteFault('down', 'the proxy that the environment names is not one of HTTP');
    this.hostname = url.hostname.replace(/^\[|\]$/g, '');
    this.port = url.port || '80';
    const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    this.authorization = login === ':' ? undefined : `Basic ${Buffer.from(login).toString('base64')}`;
  }

  get headers(): Readonly<Record<string, string>> {
    return this.authorization === undefined ? {} : { 'proxy-authorization': this.authorization };
  }

  /** An agent whose connections go through the proxy, encrypted from end to end. `connectMs`: time for the proxy, ms. */
  secureAgent(options: AgentOptions, connectMs: number): Agent {
    const load = createRequire(import.meta.url);
    const https = load('node:https') as typeof import('node:https');
    const tls = load('node:tls') as typeof import('node:tls');
    const agent = new https.Agent(options);
    const tunnel = (to: ConnectionOptions, done: Connected): void => {
      this.#connect(`${to.host}:${to.port}`, connectMs).then(
        (socket) => done(null, tls.connect({ ...to, socket })),
        (error: Error) => done(error),
      );
    };
    return Object.assign(agent, { createConnection: tunnel });
  }

  #connect(target: string, connectMs: number): Promise<Duplex> {
    const { hostname, port } = this;
    return new Promise((resolve, reject) => {
      const headers = { host: target, ...this.headers };
      const asked = request({ hostname, port, method: 'CONNECT', path: target, headers, agent: false });
      asked.setTimeout(connectMs, () => {
        asked.destroy(new RemoteFault('down', `no answer of the proxy within ${connectMs} ms`));
      });
      asked.on('connect', ({ statusCode = 0 }, socket) => {
        if (statusCode >= 200 && statusCode < 300) return resolve(socket);
        socket.destroy();
        const kind = statusCode === 407 || statusCode === 403 ? 'refused' : 'down';
        reject(new RemoteFault(kind, `the proxy answered ${statusCode}`));
      });
      asked.on('error', reject);
      asked.end();
    });
  }
}

type Connected = (error: Error | null, socket?: Duplex) => void;
