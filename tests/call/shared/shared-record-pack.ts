import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Key } from '../../../core/base/hash.ts';
import type { CallRecord } from '../../../core/store/record.ts';
import { bind, MAX_RECORD_PACK, PACKED_TASKS, recordPackKeys, unbind } from '../../../core/store/remote/record-pack.ts';
import { type Expectation, RemoteFault } from '../../../core/store/remote/remote.ts';
import { seal } from '../../../core/store/remote/sealed.ts';
import { Signer, Verifier } from '../../../core/store/remote/signing.ts';
import { aKey, CASES } from '../../store/_record.ts';
import { MemoryRemote } from '../../store/remote/_memory-remote.ts';
import { type KeyPair, keyPair, type MachineUnderTest, machine, TRUSTED, taskRecord } from './_tiers.ts';

/** As many as have one record pack together. */
const TASKS = PACKED_TASKS;
const NAMES: readonly string[] = Array.from({ length: TASKS }, (_, at) => `task${at}`);
const PACK = recordPackKeys(NAMES)[0] ?? aKey('none');
/** So many are asked for one by one. */
const FEW = 4;

/** Notes what is asked for. */
class Server extends MemoryRemote {
  readonly asked: Key[] = [];

  override getRecord(key: Key, expected: Expectation): Promise<Uint8Array | undefined> {
    this.asked.push(key);
    return super.getRecord(key, expected);
  }

  recordPack(): Uint8Array {
    const pack = this.records.get(PACK);
    if (pack === undefined) throw new Error('there is no record pack');
    return pack;
  }
}

function client(server: MemoryRemote, options?: Parameters<typeof machine>[1]): MachineUnderTest {
  const made = machine(server, options);
  made.tier.expect(NAMES);
  return made;
}

/** An answer of each task; `edition` decides their keys. */
function answersOf(at: MachineUnderTest, names = NAMES, edition = ''): readonly CallRecord[] {
  return names.map((name) => ({ ...taskRecord(at, name + edition, { [`out/${name}.txt`]: name }), name }));
}

async function sendAll(at: MachineUnderTest, records: readonly CallRecord[]): Promise<void> {
  for (const record of records) at.tier.push(record, at.side);
  assert.is(await at.tier.flush(60_000), true);
}

/** Asks for all at once. How many came. */
async function askAll(at: MachineUnderTest, records: readonly Pick<CallRecord, 'key' | 'name'>[]): Promise<number> {
  const came = await Promise.all(records.map(({ key, name }) => at.tier.ask(key, at.side, name)));
  return came.filter((is) => is).length;
}

/** A server with a record pack of all tasks. */
async function filled(
  server = new Server(),
): Promise<{ readonly server: Server; readonly records: readonly CallRecord[] }> {
  const writer = client(server);
  const records = answersOf(writer);
  await sendAll(writer, records);
  server.recordPack();
  server.asked.length = 0;
  return { server, records };
}

test('many answers come with one request, and are those that were sent', async () => {
  const { server, records } = await filled();
  const reader = client(server);
  assert.is(await askAll(reader, records), TASKS);
  assert.equal(server.asked, [PACK]);
  for (const record of records) assert.equal(reader.calls.get(record.key), record);
  assert.equal(reader.troubles, []);
  assert.equal(reader.tier.report.hits, TASKS);
});

test('few answers are asked for one by one, and when they get more, the rest at once', async () => {
  const { server, records } = await filled();
  const reader = client(server);
  assert.is(await askAll(reader, records.slice(0, FEW)), FEW);
  assert.equal(new Set(server.asked), new Set(records.slice(0, FEW).map(({ key }) => key)));
  server.asked.length = 0;
  assert.is(await askAll(reader, records.slice(FEW)), TASKS - FEW);
  assert.equal(server.asked, [PACK]);
});

test('what is not in the record pack is asked for by itself', async () => {
  const { server, records } = await filled();
  const other = machine(server);
  const [extra] = answersOf(other, ['later']);
  if (extra === undefined) return assert.unreachable();
  await other.push(extra);
  assert.is(await askAll(client(server), [...records, extra]), TASKS + 1);
});

test('a new answer takes the place of the one of the same task, and all others stay', async () => {
  const { server, records } = await filled();
  const writer = client(server);
  const news = answersOf(writer, NAMES.slice(0, 3), 'new');
  await sendAll(writer, news);
  const now = [...news, ...records.slice(3)];
  server.asked.length = 0;
  assert.is(await askAll(client(server), now), TASKS);
  assert.equal(server.asked, [PACK]);
  const unbound = await unbind(server.recordPack(), { key: PACK, namespace: 'trusted' }, undefined);
  assert.is('entries' in unbound && unbound.entries.length, TASKS);
});

test('who may write makes a record pack of what it found without one; who may not, does not', async () => {
  const { server, records } = await filled();
  server.records.delete(PACK);
  const reader = client(server, { writes: false });
  assert.is(await askAll(reader, records), TASKS);
  await reader.tier.flush(60_000);
  assert.is(server.records.has(PACK), false);
  const writer = client(server);
  assert.is(await askAll(writer, records), TASKS);
  await writer.tier.flush(60_000);
  server.asked.length = 0;
  assert.is(await askAll(client(server), records), TASKS);
  assert.equal(server.asked, [PACK]);
});

test('nothing is sent where nothing is new', async () => {
  const { server, records } = await filled();
  const before = server.recordPack();
  const writer = client(server);
  await askAll(writer, records);
  await writer.tier.close(60_000);
  assert.is(server.recordPack(), before);
});

test('a record pack that nobody signed, or a stranger, or for another place, is not believed, and no answer is lost', async () => {
  const stranger = new Signer(keyPair().privateKey);
  const trusted = new Signer(TRUSTED.privateKey);
  const place = { key: PACK, namespace: 'trusted' };
  const elsewhere = { ...place, namespace: 'pr' };
  const another = { ...place, key: recordPackKeys(['a'])[0] ?? aKey('none') };
  for (const [signer, at, why] of [
    [undefined, place, 'unsigned'],
    [stranger, place, 'unknown key'],
    [trusted, elsewhere, 'forged'],
    [trusted, another, 'forged'],
  ] as const) {
    const { server, records } = await filled();
    const unbound = await unbind(server.recordPack(), place, undefined);
    if (!('entries' in unbound)) return assert.unreachable();
    server.records.set(PACK, await bind(unbound.entries, at, signer));
    const reader = client(server);
    assert.is(await askAll(reader, records), TASKS);
    assert.equal(reader.tier.report.rejected, { [why]: 1 });
  }
});

test('a record signed with a key that counts no more does not come in a record pack of one that does', async () => {
  const { server, records } = await filled();
  const later = keyPair();
  const writer = client(server, {
    verifier: new Verifier([TRUSTED.publicKey, later.publicKey]),
    signer: new Signer(later.privateKey),
  });
  const news = answersOf(writer, NAMES.slice(0, 1), 'new');
  await sendAll(writer, news);
  const reader = client(server, { verifier: new Verifier([later.publicKey]) });
  assert.is(await askAll(reader, [...records.slice(1), ...news]), 1);
  assert.is(reader.calls.get(news[0]?.key ?? aKey('none'))?.name, NAMES[0]);
});

/** A record pack in which somebody puts a record of his own that names another one as its maker. */
function forgery(records: readonly CallRecord[], by: KeyPair, as: Signer): Promise<Uint8Array> {
  const place = { key: PACK, namespace: 'trusted' };
  const entries = records.map((record) => {
    const sealed = {
      record: { ...record, log: null },
      producer: null,
      inline: new Map(),
      packs: [],
      single: new Map(),
    };
    const bytes = Buffer.from(seal(sealed, 'trusted', new Signer(by.privateKey)) ?? []);
    const own = new Signer(by.privateKey).key;
    return {
      key: record.key,
      name: record.name,
      bytes: Buffer.from(bytes.toString('latin1').replace(own, as.key), 'latin1'),
    };
  });
  return bind(entries, place, new Signer(by.privateKey));
}

test('what somebody only vouches for does not come in a record pack of another one', async () => {
  const other = keyPair();
  const both = new Verifier([TRUSTED.publicKey, other.publicKey]);
  const server = new Server();
  const maker = machine(server);
  const forged = answersOf(maker).map((record) => ({ ...record, outputs: null, log: null }));
  server.records.set(PACK, await forgery(forged, other, new Signer(TRUSTED.privateKey)));
  const writer = client(server, { verifier: both });
  assert.is(await askAll(writer, forged), TASKS);
  await sendAll(writer, answersOf(writer, NAMES.slice(0, 20), 'new'));
  const wary = client(server);
  assert.is(await askAll(wary, forged), 0);
});

test('an answer out of a record pack goes to another tier only if who vouches for it is believed there', async () => {
  const other = keyPair();
  const server = new Server();
  const forged = answersOf(machine(server)).map((record) => ({ ...record, outputs: null, log: null }));
  server.records.set(PACK, await forgery(forged, other, new Signer(TRUSTED.privateKey)));
  const reader = client(server, { verifier: new Verifier([TRUSTED.publicKey, other.publicKey]) });
  assert.is(await askAll(reader, forged), TASKS);
  const key = forged[0]?.key ?? aKey('none');
  assert.is(machine(new MemoryRemote()).tier.mayRelay(key, reader.tier), false);
  const friend = machine(new MemoryRemote(), { verifier: new Verifier([other.publicKey]) });
  assert.is(friend.tier.mayRelay(key, reader.tier), true);
});

test('a record under the key of another one is none', async () => {
  const { server, records } = await filled();
  const place = { key: PACK, namespace: 'trusted' };
  const unbound = await unbind(server.recordPack(), place, undefined);
  if (!('entries' in unbound)) return assert.unreachable();
  const { entries } = unbound;
  const mixed = entries.map((entry, at) => ({ ...entry, bytes: entries[(at + 1) % TASKS]?.bytes ?? entry.bytes }));
  server.records.set(PACK, await bind(mixed, place, new Signer(TRUSTED.privateKey)));
  const reader = client(server);
  assert.is(await askAll(reader, records), TASKS);
  for (const record of records) assert.equal(reader.calls.get(record.key), record);
});

test('whatever is changed in a record pack, the answers are the same', async () => {
  const { server, records } = await filled();
  const honest = Buffer.from(server.recordPack());
  const change = fc.record({ at: fc.nat(honest.length - 1), byte: fc.nat(255), cut: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(change, async ({ at, byte, cut }) => {
      const bytes = Buffer.from(cut ? honest.subarray(0, at) : honest);
      if (!cut) bytes[at] = byte;
      server.records.set(PACK, bytes);
      // Where signatures are not asked for, only the form of what comes can tell.
      for (const verifier of [undefined, new Verifier([TRUSTED.publicKey])]) {
        const reader = client(server, { verifier, writes: false });
        assert.is(await askAll(reader, records), TASKS);
        if (verifier === undefined) continue;
        for (const record of records) assert.equal(reader.calls.get(record.key), record);
      }
    }),
    { numRuns: Math.ceil(CASES / 3) },
  );
});

test('a record pack that is too long, or cannot be had, costs no answer', async () => {
  const { server, records } = await filled();
  server.records.set(PACK, Buffer.alloc(MAX_RECORD_PACK + 1));
  assert.is(await askAll(client(server), records), TASKS);
  class Broken extends Server {
    override getRecord(key: Key, expected: Expectation): Promise<Uint8Array | undefined> {
      return key === PACK ? Promise.reject(new RemoteFault('down', 'no')) : super.getRecord(key, expected);
    }
  }
  const broken = new Broken();
  for (const [key, bytes] of server.records) broken.records.set(key, bytes);
  assert.is(await askAll(client(broken), records), TASKS);
});

test('a record pack takes as many records as there is room for', async () => {
  const place = { key: PACK, namespace: '' };
  const entries = Array.from({ length: 300 }, (_, at) => ({
    key: aKey(String(at)),
    name: `"\u0000é${at}`,
    bytes: randomBytes(64 * 1024),
  }));
  const bytes = await bind(entries, place, undefined);
  assert.ok(bytes.length <= MAX_RECORD_PACK && bytes.length > MAX_RECORD_PACK * 0.9);
  const unbound = await unbind(bytes, place, undefined);
  if (!('entries' in unbound)) return assert.unreachable();
  for (const [at, entry] of unbound.entries.entries()) assert.equal(entry.bytes, entries[at]?.bytes);
});

test('who waits for a server that is down gives up with those who asked first', async () => {
  class Down extends Server {
    override async getRecord(key: Key): Promise<undefined> {
      this.asked.push(key);
      await new Promise((resolve) => setImmediate(resolve));
      throw new RemoteFault('down', 'no');
    }
  }
  const server = new Down();
  const keys = Array.from({ length: 200 }, (_, at) => ({ key: aKey(String(at)), name: `task${at}` }));
  for (const reader of [client(server), machine(server)]) {
    server.asked.length = 0;
    assert.is(await askAll(reader, keys), 0);
    assert.ok(server.asked.length <= 20, `${server.asked.length} were asked`);
  }
});

test('no record pack is made of few tasks', async () => {
  const server = new Server();
  const writer = machine(server);
  const names = NAMES.slice(0, 15);
  writer.tier.expect(names);
  await sendAll(writer, answersOf(writer, names));
  assert.is(server.records.size, names.length);
});

test.run();
