/** Proxies that the environment names, with real proxies and servers on loopback. */
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { asKey, sha256 } from '../../../core/base/hash.ts';
import { HttpRemote } from '../../../core/store/remote/http-remote.ts';
import { proxyFor } from '../../../core/store/remote/proxy.ts';
import { contentOf } from '../../../core/store/remote/remote.ts';
import { faultOf } from './_remotes.ts';

const proxyOf = (url: string, env: Readonly<Record<string, string>>): string | undefined => proxyFor(new URL(url), env);

test('the proxy is that of the protocol, small letters before large ones, and none for this machine', () => {
  const env = { HTTPS_PROXY: 'http://a', https_proxy: 'http://b', http_proxy: 'http://c' };
  assert.is(proxyOf('https://cache.example.com', env), 'http://b');
  assert.is(proxyOf('http://cache.example.com', env), 'http://c');
  assert.is(proxyOf('http://cache.example.com', { HTTPS_PROXY: 'http://a' }), undefined);
  assert.is(proxyOf('http://cache.example.com', { ALL_PROXY: 'http://d' }), 'http://d');
  assert.is(proxyOf('http://cache.example.com', { http_proxy: '' }), undefined);
  for (const host of ['localhost', '127.0.0.1', '[::1]', 'cache.localhost']) {
    assert.is(proxyOf(`https://${host}:8080`, env), undefined, host);
  }
});

test('NO_PROXY names hosts with all below them, ports, or everything', () => {
  const isDirect = (url: string, list: string): boolean =>
    proxyOf(url, { all_proxy: 'http://p', NO_PROXY: list }) === undefined;
  for (const list of ['example.com', '.example.com', '*.example.com', 'a.b, example.com', 'a EXAMPLE.com', '*']) {
    assert.ok(isDirect('https://cache.example.com', list), list);
  }
  assert.ok(isDirect('https://cache.example.com', 'example.com:443'));
  for (const list of ['', 'ample.com', 'other.com', 'cache.example.com:8080', 'com.']) {
    assert.not.ok(isDirect('https://cache.example.com', list), list);
  }
});

function listening(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
}

/** A server that keeps what it is given, and a proxy that leads every name to it. */
async function behindProxy(
  use: (proxy: { readonly port: number; readonly seen: string[]; answer: number }) => Promise<void>,
): Promise<void> {
  const kept = new Map<string, Buffer>();
  const server = createServer((asked, answer) => {
    const body: Buffer[] = [];
    asked.on('data', (piece: Buffer) => body.push(piece));
    asked.on('end', () => {
      if (asked.method === 'PUT') kept.set(asked.url ?? '', Buffer.concat(body));
      const found = kept.get(asked.url ?? '');
      answer.writeHead(found === undefined ? 404 : 200).end(asked.method === 'GET' ? found : undefined);
    });
  });
  const to = await listening(server);
  const seen: string[] = [];
  const state = { port: 0, seen, answer: 200 };
  const proxy = createServer((asked, answer) => {
    seen.push(`${asked.method} ${asked.url} ${asked.headers['proxy-authorization'] ?? '-'} ${asked.headers.host}`);
    const { pathname } = new URL(asked.url ?? '');
    const { host: _, ...headers } = asked.headers;
    const on = request({ port: to, host: '127.0.0.1', method: asked.method, path: pathname, headers }, (got) => {
      answer.writeHead(got.statusCode ?? 500, got.headers);
      got.pipe(answer);
    });
    asked.pipe(on);
  });
  proxy.on('connect', (asked, socket) => {
    seen.push(`CONNECT ${asked.url} ${asked.headers['proxy-authorization'] ?? '-'}`);
    if (state.answer !== 200) return socket.end(`HTTP/1.1 ${state.answer} No\r\n\r\n`);
    // What is behind it speaks no TLS, which is for the client to find out.
    const on = connect(to, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    on.pipe(socket).pipe(on);
    on.on('error', () => socket.destroy());
    return socket.on('error', () => on.destroy());
  });
  state.port = await listening(proxy);
  try {
    await use(state);
  } finally {
    for (const one of [server, proxy]) {
      one.closeAllConnections();
      one.close();
    }
  }
}

function remote(url: string, proxy: string): HttpRemote {
  const authorization = async (): Promise<string> => 'Bearer secret';
  return new HttpRemote({
    url,
    namespace: 'n',
    authorization,
    connectMs: 5000,
    timeoutMs: 5000,
    connections: 4,
    proxy,
  });
}

test('what is not encrypted is asked of the proxy by its whole address', () =>
  behindProxy(async ({ port, seen }) => {
    const store = remote('http://cache.test/base', `me:p%40ss@127.0.0.1:${port}`);
    const bytes = Buffer.from('bytes');
    await store.put(sha256(bytes), contentOf(bytes));
    assert.ok(bytes.equals((await store.get(sha256(bytes), { limit: 100 })) ?? Buffer.of()));
    assert.is(await store.getRecord(asKey(sha256('key')), { limit: 100 }), undefined);
    const login = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
    assert.is(seen[1], `GET http://cache.test/base/n/cas/${sha256(bytes)} ${login} cache.test`);
    await store.close();
  }));

test('what is encrypted goes through a tunnel, and a proxy that refuses one is told', () =>
  behindProxy(async (proxy) => {
    const store = remote('https://cache.test:8443', `http://127.0.0.1:${proxy.port}`);
    assert.is(await faultOf(store.ping()), 'down');
    assert.equal(proxy.seen, ['CONNECT cache.test:8443 -']);
    proxy.answer = 407;
    assert.is(await faultOf(store.ping()), 'refused');
    await store.close();
  }));

test('a proxy that speaks something else is a fault without its address', async () => {
  const store = remote('https://cache.test', 'socks5://me:secret@127.0.0.1:1080');
  const message = await store.ping().then(String, String);
  assert.match(message, 'is not one of HTTP');
  assert.not.match(message, 'secret');
  await store.close();
});

test.run();
