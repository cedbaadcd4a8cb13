/** The contract of remote stores, held against every one of them; those of servers against the real servers. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { asKey, sha256 } from '../../../core/base/hash.ts';
import { DirectoryRemote } from '../../../core/store/remote/directory-remote.ts';
import { HttpRemote } from '../../../core/store/remote/http-remote.ts';
import { RedisRemote } from '../../../core/store/remote/redis-remote.ts';
import { contentOf, type RemoteStore } from '../../../core/store/remote/remote.ts';
import { onSmallDisk } from '../../_small-disk.ts';
import { MemoryRemote } from './_memory-remote.ts';
import { faultOf, type RemotesUnderTest, remotesContract } from './_remotes.ts';
import { freePort, READER, REDIS_PASSWORD, testWith, WRITER, withNginx, withRedis } from './_servers.ts';

/** Closes every store that a test opened. */
async function closing(
  make: (namespace: string) => RemoteStore,
  use: (under: RemotesUnderTest) => Promise<void>,
): Promise<void> {
  const opened: RemoteStore[] = [];
  try {
    await use({
      open(namespace = '') {
        const store = make(namespace);
        opened.push(store);
        return store;
      },
    });
  } finally {
    for (const store of opened) await store.close();
  }
}

/** Long: the machine may be busy with other tests. */
const TIMES = { connectMs: 20_000, timeoutMs: 60_000 };

function http(url: string, token: string | undefined, namespace = ''): HttpRemote {
  const authorization = async (): Promise<string | undefined> => (token === undefined ? undefined : `Bearer ${token}`);
  return new HttpRemote({ url, namespace, authorization, connections: 8, ...TIMES });
}

function redis(url: string, password: string, namespace = '', username?: string): RedisRemote {
  const login = async () => ({ password, ...(username === undefined ? {} : { username }) });
  return new RedisRemote({ url, namespace, login, ...TIMES });
}

remotesContract('memory', [], async (use) => {
  const spaces = new Map<string, MemoryRemote>();
  await closing((namespace) => {
    const space = spaces.get(namespace) ?? new MemoryRemote();
    spaces.set(namespace, space);
    return space;
  }, use);
});

async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'fleche-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

remotesContract('directory', [], (use) =>
  withFolder((root) => closing((namespace) => new DirectoryRemote({ root, namespace, now: Date.now }), use)),
);

remotesContract('http', ['nginx'], (use) =>
  withNginx(({ url }) => closing((namespace) => http(url, WRITER, namespace), use)),
);

remotesContract('redis', ['redis-server'], (use) =>
  withRedis(({ url }) => closing((namespace) => redis(url, REDIS_PASSWORD, namespace), use)),
);

const BYTES = Buffer.from('bytes');
const KEY = asKey(sha256('key'));

test('directory: nothing is left in the making, and a folder that is not there is an empty store', async () => {
  await withFolder(async (root) => {
    const store = new DirectoryRemote({ root: join(root, 'deep', 'store'), namespace: 'trusted', now: Date.now });
    assert.is(await store.getRecord(KEY, { limit: 10 }), undefined);
    await store.put(sha256(BYTES), contentOf(BYTES));
    assert.equal(readdirSync(join(root, 'deep/store/trusted/tmp')), []);
  });
});

test('directory: one that can be made answers, what is no folder does not', async () => {
  await withFolder(async (folder) => {
    writeFileSync(join(folder, 'file'), '');
    const ping = (...root: readonly string[]): Promise<void> =>
      new DirectoryRemote({ root: join(folder, ...root), namespace: 'pr/17', now: Date.now }).ping();
    await ping('store');
    assert.is(await faultOf(ping('file')), 'down');
    assert.is(await faultOf(ping('share', 'store')), 'down', 'such as where nothing is mounted');
  });
});

test('directory: what finds no room is not there, not even in part', () =>
  onSmallDisk(1, async (root) => {
    writeFileSync(join(root, 'ballast'), Buffer.alloc(600_000));
    const store = new DirectoryRemote({ root, namespace: '', now: Date.now });
    const large = Buffer.alloc(500_000, 1);
    assert.is(await faultOf(store.put(sha256(large), contentOf(large))), 'down');
    assert.is(await faultOf(store.putRecord(KEY, large)), 'down');
    assert.is((await store.has([sha256(large)])).size, 0);
    assert.is(await store.getRecord(KEY, { limit: large.length }), undefined);
    await store.put(sha256(BYTES), contentOf(BYTES));
  }));

test('http: no server is a fault within the time to connect, and the location tells no secret', async () => {
  const store = http(`http://127.0.0.1:${await freePort()}/base/`, 'secret', 'trusted');
  assert.is(await faultOf(store.ping()), 'down');
  assert.is(await faultOf(store.has([sha256(BYTES)])), 'down');
  assert.match(store.location, /^http:\/\/127\.0\.0\.1:\d+\/base\/trusted$/);
  await store.close();
});

testWith(['nginx'], 'http: the server refuses those who may only read, and lets them read', () =>
  withNginx(async ({ url }) => {
    const [writer, reader, stranger] = [
      http(url, WRITER, 'trusted'),
      http(url, READER, 'trusted'),
      http(url, undefined),
    ];
    await writer.put(sha256(BYTES), contentOf(BYTES));
    assert.is((await reader.has([sha256(BYTES)])).size, 1);
    assert.is(await faultOf(reader.put(sha256('other'), contentOf(Buffer.from('other')))), 'refused');
    assert.is(await faultOf(reader.putRecord(KEY, BYTES)), 'refused');
    assert.is(await faultOf(reader.purge()), 'refused');
    assert.is(await faultOf(stranger.ping()), 'refused');
    const pull = http(url, READER, 'pr/17');
    await pull.putRecord(KEY, BYTES);
    assert.is(await reader.getRecord(KEY, { limit: 100 }), undefined);
    for (const store of [writer, reader, stranger, pull]) await store.close();
  }),
);

testWith(['nginx'], 'http: what nginx keeps is what a directory keeps', () =>
  withNginx(async ({ url, data }) => {
    const client = http(url, WRITER, 'trusted');
    await client.put(sha256(BYTES), contentOf(BYTES));
    await client.putRecord(KEY, BYTES);
    const folder = new DirectoryRemote({ root: data, namespace: 'trusted', now: Date.now });
    assert.is((await folder.has([sha256(BYTES)])).size, 1);
    assert.is(Buffer.from((await folder.getRecord(KEY, { limit: 100 })) ?? '').toString(), 'bytes');
    await client.close();
  }),
);

testWith(['redis-server'], 'redis: the server refuses those who may only read, and lets them read', () =>
  withRedis(async ({ url }) => {
    const [writer, reader] = [redis(url, REDIS_PASSWORD), redis(url, READER, '', 'reader')];
    await writer.put(sha256(BYTES), contentOf(BYTES));
    assert.is((await reader.has([sha256(BYTES)])).size, 1);
    assert.is(await faultOf(reader.put(sha256('other'), contentOf(Buffer.from('other')))), 'refused');
    assert.is(await faultOf(reader.putRecord(KEY, BYTES)), 'refused');
    assert.is(await faultOf(redis(url, 'wrong').ping()), 'refused');
    for (const store of [writer, reader]) await store.close();
  }),
);

testWith(['redis-server'], 'redis: a helper may take longer to give the password than the server to take it', () =>
  withRedis(async ({ url }) => {
    const login = async () => {
      await new Promise((resolve) => setTimeout(resolve, 1200));
      return { password: REDIS_PASSWORD };
    };
    const store = new RedisRemote({ url, namespace: '', login, connectMs: 1000, timeoutMs: 60_000 });
    await store.ping();
    await store.close();
  }),
);

testWith(['redis-server'], 'redis: what a server has no room for costs nobody else the connection', () =>
  withRedis(async ({ url, admin }) => {
    const store = redis(url, REDIS_PASSWORD);
    await store.put(sha256(BYTES), contentOf(BYTES));
    const connections = (): number => Number(/total_connections_received:(\d+)/.exec(admin('INFO', 'stats'))?.[1]);
    const before = connections();
    admin('CONFIG', 'SET', 'maxmemory', '1');
    const other = sha256('other');
    assert.is(await faultOf(store.put(other, contentOf(Buffer.from('other')))), 'down');
    assert.is((await store.get(sha256(BYTES), { limit: 10 }))?.length, BYTES.length);
    assert.is(connections(), before + 2, 'only the two of the administrator are new');
    admin('CONFIG', 'SET', 'maxmemory', '0');
    admin('REPLICAOF', '127.0.0.1', String(await freePort()));
    assert.is(await faultOf(store.put(other, contentOf(Buffer.from('other')))), 'refused', 'a replica is only read');
    await store.close();
  }),
);

testWith(['redis-server'], 'redis: a server that is gone is a fault, and is asked again when it is back', () =>
  withRedis(async ({ url, kill }) => {
    const store = redis(url, REDIS_PASSWORD);
    await store.ping();
    await kill();
    assert.is(await faultOf(store.ping()), 'down');
    assert.is(await faultOf(store.has([sha256(BYTES)])), 'down');
    await store.close();
  }),
);

test.run();
