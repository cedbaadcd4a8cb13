/**
 * A server that lies, in every way that one can: what it says must never be believed, never do harm, and never take
 * longer than it may. The client under test is the one that talks to real servers.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Digest, sha256 } from '../../../core/base/hash.ts';
import { makeTree, treeText } from '../../../core/files/trees/tree.ts';
import type { CallRecord } from '../../../core/store/record.ts';
import { HttpRemote } from '../../../core/store/remote/http-remote.ts';
import { seal } from '../../../core/store/remote/sealed.ts';
import { Signer } from '../../../core/store/remote/signing.ts';
import { CORPUS } from '../../files/_foreign-trees.ts';
import { aKey } from '../../store/_record.ts';
import {
  type Contents,
  keyPair,
  type MachineUnderTest,
  machine,
  manyFiles,
  receive,
  TRUSTED,
  taskRecord,
} from './_tiers.ts';

/** Answers instead of the honest server; false to let that answer. */
type Lie = (path: string, bytes: Buffer | undefined, response: ServerResponse, method: string) => boolean;

class Server {
  readonly files = new Map<string, Buffer>();
  lie: Lie = () => false;
  requests = 0;

  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    this.requests++;
    const { method = '', url = '' } = request;
    const body: Buffer[] = [];
    request.on('data', (piece: Buffer) => body.push(piece));
    request.on('end', () => {
      const path = url.replace(/^\/trusted/, '');
      const bytes = this.files.get(path);
      if (this.lie(path, bytes, response, method)) return;
      if (method === 'PUT') this.files.set(path, Buffer.concat(body));
      const found = method === 'PUT' || bytes !== undefined;
      response.writeHead(found ? 200 : 404, { 'content-length': method === 'GET' ? (bytes?.length ?? 0) : 0 });
      response.end(method === 'GET' ? bytes : undefined);
    });
  };

  at(kind: 'ac' | 'cas'): readonly string[] {
    return [...this.files.keys()].filter((path) => path.startsWith(`/${kind}/`));
  }

  record(key: Digest): Buffer {
    return this.files.get(`/ac/${key}`) ?? Buffer.alloc(0);
  }
}

interface Scene {
  readonly server: Server;
  readonly url: string;
  readonly client: (options?: Parameters<typeof machine>[1]) => MachineUnderTest;
  /** An answer that is on the server. */
  readonly record: CallRecord;
  readonly contents: Contents;
}

/** How long the client waits, ms: short where a test waits for it to give up. */
const PATIENT = 10_000;
const SHORT = 400;

/** A server with one honest answer of one honest machine. */
async function scene(
  contents: Contents,
  work: (scene: Scene) => Promise<void>,
  timeoutMs: number = PATIENT,
): Promise<void> {
  const server = new Server();
  const http = createServer(server.handle);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const clients: MachineUnderTest[] = [];
  const client: Scene['client'] = (options) => {
    const authorization = async (): Promise<string> => 'Bearer secret-token';
    const store = new HttpRemote({
      url,
      namespace: 'trusted',
      authorization,
      connectMs: 1000,
      timeoutMs,
      connections: 4,
    });
    const made = machine(store, options);
    clients.push(made);
    return made;
  };
  try {
    const honest = client();
    const record = taskRecord(honest, 'honest', contents);
    await honest.push(record);
    assert.is(honest.tier.report.stored, 1);
    await work({ server, url, client, record, contents });
  } finally {
    for (const each of clients) await each.tier.close(0).catch(() => {});
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  }
}

const SMALL: Contents = { 'out/a.txt': 'a', 'out/b.txt': 'b' };
const MANY: Contents = manyFiles(150);

/** The lie costs the answer, is counted as `why` if that is given, and files nothing. */
async function costs(scene: Scene, lie: Lie, why?: string): Promise<MachineUnderTest> {
  scene.server.lie = lie;
  const victim = scene.client();
  const began = performance.now();
  assert.is(await receive(victim, scene.record, scene.contents), false);
  assert.ok(performance.now() - began < PATIENT, 'took too long');
  if (why !== undefined) assert.equal(victim.tier.report.rejected, { [why]: 1 });
  for (const { digest, size } of victim.values.list()) assert.is(victim.values.get(digest)?.length, size);
  return victim;
}

const onRecord =
  (answer: (bytes: Buffer, response: ServerResponse) => void): Lie =>
  (path, bytes, response, method) => {
    if (method !== 'GET' || !path.startsWith('/ac/') || bytes === undefined) return false;
    answer(bytes, response);
    return true;
  };

const onBlob =
  (answer: (bytes: Buffer, response: ServerResponse) => void): Lie =>
  (path, bytes, response, method) => {
    if (method !== 'GET' || !path.startsWith('/cas/') || bytes === undefined) return false;
    answer(bytes, response);
    return true;
  };

test('the honest server is believed', async () => {
  await scene(MANY, async ({ client, record, contents }) => {
    const reader = client();
    assert.is(await receive(reader, record, contents), true);
    assert.equal(reader.tier.report.rejected, {});
    assert.is(reader.tier.report.hits, 1);
  });
});

test('every byte of a record counts: one that is changed anywhere is not believed', async () => {
  await scene(SMALL, async ({ server, client, record }) => {
    const whole = server.record(record.key);
    for (let at = 0; at < whole.length; at += Math.ceil(whole.length / 60)) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 1;
      server.files.set(`/ac/${record.key}`, changed);
      const victim = client();
      assert.is(await victim.tier.ask(record.key, victim.side), false, `byte ${at} of ${whole.length}`);
      assert.is(victim.calls.count(), 0);
    }
  });
});

test('a record that is cut off, or has something behind it, is not believed', async () => {
  await scene(SMALL, async (at) => {
    await costs(
      at,
      onRecord((bytes, response) => response.end(bytes.subarray(0, bytes.length - 5))),
      'forged',
    );
    await costs(
      at,
      onRecord((bytes, response) => response.end(bytes.subarray(0, 30))),
      'not decodable',
    );
    await costs(
      at,
      onRecord((_, response) => response.end()),
      'not decodable',
    );
    await costs(
      at,
      onRecord((bytes, response) => response.end(Buffer.concat([bytes, Buffer.from('x')]))),
      'forged',
    );
  });
});

test('a valid record of another key, of another namespace, or of another cache is not believed', async () => {
  await scene(SMALL, async (at) => {
    const { server, client, record } = at;
    const other = client();
    const second = taskRecord(other, 'second', { 'out/a.txt': 'evil' });
    await other.push(second);
    server.files.set(`/ac/${record.key}`, server.record(second.key));
    await costs(at, () => false, 'forged');
    const elsewhere = client({ namespace: 'pr/17' });
    await elsewhere.push(taskRecord(elsewhere, 'honest', { 'out/a.txt': 'evil' }));
    await costs(at, () => false, 'forged');
  });
});

test('a record without a signature, or with that of a stranger, is not believed', async () => {
  await scene(SMALL, async (at) => {
    const unsigned = at.client({ signer: undefined });
    await unsigned.push(taskRecord(unsigned, 'honest', { 'out/a.txt': 'evil' }));
    await costs(at, () => false, 'unsigned');
    const stranger = at.client({ signer: new Signer(keyPair().privateKey) });
    await stranger.push(taskRecord(stranger, 'honest', { 'out/a.txt': 'evil' }));
    await costs(at, () => false, 'unknown key');
  });
});

test('a signature of a stranger under the name of a trusted key is not believed', async () => {
  await scene(SMALL, async (at) => {
    const stranger = at.client({ signer: new Signer(keyPair().privateKey) });
    await stranger.push(taskRecord(stranger, 'honest', { 'out/a.txt': 'evil' }));
    const bytes = at.server.record(at.record.key);
    const { key } = new Signer(TRUSTED.privateKey);
    bytes.write(key, bytes.indexOf('\n') + 1, 'latin1');
    await costs(at, () => false, 'forged');
  });
});

test('content that is swapped, cut off, longer or shorter than it says is not believed', async () => {
  await scene(MANY, async (at) => {
    const others = at.server.at('cas').map((path) => at.server.files.get(path) ?? Buffer.alloc(0));
    await costs(
      at,
      onBlob((bytes, response) => response.end(others.find((other) => !other.equals(bytes)))),
    );
    await costs(
      at,
      onBlob((bytes, response) => response.end(randomBytes(bytes.length))),
    );
    await costs(
      at,
      onBlob((bytes, response) => response.end(bytes.subarray(1))),
    );
    await costs(
      at,
      onBlob((bytes, response) => response.end(Buffer.concat([bytes, bytes]))),
    );
    await costs(
      at,
      onBlob((_, response) => response.end()),
    );
    const cutOff = onBlob((bytes, response) => {
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 50), () => response.destroy());
    });
    await costs(at, cutOff);
    const tooLong = onBlob((bytes, response) => {
      response.writeHead(200, { 'content-length': bytes.length * 1000 });
      response.write(bytes);
    });
    await costs(at, tooLong);
  });
});

test('an answer without an end is left', async () => {
  await scene(SMALL, async (at) => {
    let sent = 0;
    const endless = onRecord((_, response) => {
      const chunk = randomBytes(65_536);
      const more = (): void => {
        if (response.destroyed) return;
        sent += chunk.length;
        response.write(chunk, () => setImmediate(more));
      };
      response.writeHead(200);
      more();
    });
    await costs(at, endless, 'damaged');
    assert.ok(sent < 32 * 1024 * 1024, `${sent} bytes`);
  });
});

test('an answer that never begins, or comes a byte at a time, is left', async () => {
  await scene(
    MANY,
    async (at) => {
      const silent = await costs(
        at,
        onRecord(() => {}),
      );
      assert.match(silent.troubles.join(), 'no sign of the server');
      const timers: NodeJS.Timeout[] = [];
      const dripping = onRecord((bytes, response) => {
        response.writeHead(200, { 'content-length': bytes.length });
        let at = 0;
        timers.push(setInterval(() => response.write(bytes.subarray(at, ++at)), 20));
      });
      const slow = await costs(at, dripping);
      for (const timer of timers) clearInterval(timer);
      assert.match(slow.troubles.join(), 'too slowly');
    },
    SHORT,
  );
});

test('an answer that unpacks to more is not unpacked', async () => {
  await scene(MANY, async (at) => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const encoded: Lie = onRecord((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': bomb.length });
      response.end(bomb);
    });
    await costs(at, encoded, 'damaged');
    const victim = at.client();
    const packs = [{ digest: sha256(bomb), size: bomb.length, raw: 64 * 1024 * 1024 }];
    const sealed = seal(
      { record: at.record, producer: null, inline: new Map(), packs, single: new Map() },
      'trusted',
      new Signer(TRUSTED.privateKey),
    );
    at.server.lie = () => false;
    at.server.files.set(`/ac/${at.record.key}`, Buffer.from(sealed ?? ''));
    at.server.files.set(`/cas/${sha256(bomb)}`, bomb);
    assert.is(await victim.tier.ask(at.record.key, victim.side), false);
    assert.equal(victim.tier.report.rejected, { 'not decodable': 1 });
  });
});

test('a redirect is not followed, so that no other host is told the token', async () => {
  await scene(SMALL, async (at) => {
    let told: string | undefined;
    const other = createServer((request, response) => {
      told = request.headers.authorization ?? 'nothing';
      response.end();
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const location = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;
    for (const status of [301, 302, 307, 308]) {
      await costs(at, (_path, _bytes, response) => {
        response.writeHead(status, { location });
        response.end();
        return true;
      });
    }
    assert.is(told, undefined);
    await new Promise((resolve) => other.close(resolve));
  });
});

test('a web page that answers everything with success has taken nothing, and nothing is there', async () => {
  await scene(MANY, async (at) => {
    const victim = await costs(at, (_path, _bytes, response) => {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<html>Log in</html>');
      return true;
    });
    await victim.push(taskRecord(victim, 'sent', MANY));
    const { stored, unstored, trouble } = victim.tier.report;
    assert.equal([stored, unstored], [0, 1]);
    assert.match(trouble ?? '', /^a web page came in place of an answer/);
  });
});

test('content that was evicted behind its record is a miss, and can be sent again', async () => {
  await scene(MANY, async (at) => {
    const { server, client, record, contents } = at;
    for (const path of server.at('cas')) server.files.delete(path);
    await costs(at, () => false);
    const again = client();
    await again.push(taskRecord(again, 'honest', contents));
    assert.is(await receive(client(), record, contents), true);
  });
});

test('a record that names content nowhere is a miss before anything is filed', async () => {
  await scene(SMALL, async (at) => {
    const sealed = seal(
      { record: at.record, producer: null, inline: new Map(), packs: [], single: new Map() },
      'trusted',
      new Signer(TRUSTED.privateKey),
    );
    at.server.files.set(`/ac/${at.record.key}`, Buffer.from(sealed ?? ''));
    const victim = await costs(at, () => false, 'incomplete');
    assert.is(victim.calls.count(), 0);
  });
});

test('outputs that would be written somewhere else, even if they are signed, are refused before anything is filed', async () => {
  await scene(SMALL, async (at) => {
    for (const { name, text } of CORPUS) {
      const bytes = Buffer.from(text);
      const record = { ...at.record, key: aKey(name), outputs: sha256(bytes), log: null };
      const sealed = seal(
        { record, producer: null, inline: new Map([[sha256(bytes), bytes]]), packs: [], single: new Map() },
        'trusted',
        new Signer(TRUSTED.privateKey),
      );
      at.server.files.set(`/ac/${record.key}`, Buffer.from(sealed ?? ''));
      const victim = at.client();
      assert.is(await victim.tier.ask(record.key, victim.side), false, name);
      assert.is(victim.calls.count() + [...victim.values.list()].length, 0, name);
    }
  });
});

test('a server that goes away in the middle costs one word, and soon nothing any more', async () => {
  await scene(SMALL, async ({ server, client, record }) => {
    const victim = client();
    assert.is(await victim.tier.ask(record.key, victim.side), true);
    server.lie = (_path, _bytes, response) => {
      response.destroy();
      return true;
    };
    const before = server.requests;
    for (let at = 0; at < 50; at++) assert.is(await victim.tier.ask(aKey(`k${at}`), victim.side), false);
    await victim.push(taskRecord(victim, 'late', SMALL));
    assert.is(victim.troubles.length, 1);
    assert.ok(server.requests - before < 30, `${server.requests - before} requests`);
  });
});

test('a server in trouble of its own, or that refuses, is not asked again and again', async () => {
  for (const status of [500, 503, 429, 401, 403]) {
    await scene(SMALL, async ({ server, client }) => {
      const victim = client();
      const before = server.requests;
      server.lie = (_path, _bytes, response) => {
        response.writeHead(status).end();
        return true;
      };
      for (let at = 0; at < 20; at++) assert.is(await victim.tier.ask(aKey(`k${at}`), victim.side), false);
      assert.ok(server.requests - before <= 3, `${status}: ${server.requests - before} requests`);
      assert.is(victim.troubles.length, 1);
      assert.not.match(victim.troubles.join(), 'secret-token');
    });
  }
});

test('two first writers at once leave one answer, whole', async () => {
  await scene(SMALL, async ({ server, client }) => {
    const [one, two] = [client(), client()];
    const [first, second] = [manyFiles(120, 'one'), manyFiles(120, 'two')];
    const [a, b] = [taskRecord(one, 'race', first), taskRecord(two, 'race', second)];
    await Promise.all([one.push(a), two.push(b)]);
    const reader = client();
    assert.is(await reader.tier.ask(a.key, reader.side), true);
    const won = reader.calls.get(a.key)?.outputs === a.outputs ? first : second;
    assert.is(await receive(client(), a, won), true);
    assert.is(server.at('ac').length, 2);
  });
});

test('a tree whose text is not the one that was signed for is damaged content', async () => {
  await scene(MANY, async (at) => {
    const forged = Buffer.from(treeText(makeTree([]).entries));
    await costs(
      at,
      onBlob((_, response) => response.end(forged)),
    );
  });
});

test.run();
