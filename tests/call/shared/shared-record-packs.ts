import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Key } from '../../../core/base/hash.ts';
import { Lanes } from '../../../core/base/lanes.ts';
import { SharedRecordPack } from '../../../core/call/shared/shared-record-pack.ts';
import { SharedTally } from '../../../core/call/shared/tally.ts';
import type { CallRecord } from '../../../core/store/record.ts';
import { enclose } from '../../../core/store/remote/envelope.ts';
import { MAX_RECORD_PACK, PACKED_TASKS, recordPackKeys, recordPackOf } from '../../../core/store/remote/record-pack.ts';
import type { Expectation } from '../../../core/store/remote/remote.ts';
import { Signer, Verifier } from '../../../core/store/remote/signing.ts';
import { MemoryRemote } from '../../store/remote/_memory-remote.ts';
import { type MachineUnderTest, machine, TRUSTED, taskRecord } from './_tiers.ts';

const COUNT = 8;
const NAMES: readonly string[] = Array.from({ length: PACKED_TASKS * COUNT }, (_, at) => `task${at}`);
const PACKS = recordPackKeys(NAMES);
const inPack = (at: number): readonly string[] => NAMES.filter((name) => recordPackOf(name, COUNT) === at);

/** Notes what is asked for and what is put. */
class Server extends MemoryRemote {
  readonly asked: Key[] = [];
  readonly written: Key[] = [];
  most = 0;
  #under = 0;

  override async getRecord(key: Key, expected: Expectation): Promise<Uint8Array | undefined> {
    this.asked.push(key);
    this.most = Math.max(this.most, ++this.#under);
    await new Promise((resolve) => setImmediate(resolve));
    this.#under--;
    return super.getRecord(key, expected);
  }

  override putRecord(key: Key, bytes: Uint8Array): Promise<void> {
    this.written.push(key);
    return super.putRecord(key, bytes);
  }
}

function client(server: MemoryRemote, options?: Parameters<typeof machine>[1]): MachineUnderTest {
  const made = machine(server, options);
  made.tier.expect(NAMES);
  return made;
}

/** An answer of each task with one output; `edition` decides their keys. */
function answersOf(at: MachineUnderTest, names = NAMES, edition = '', bytes = 10): readonly CallRecord[] {
  return names.map((name) => {
    const content = `${name}\n`.repeat(Math.ceil(bytes / name.length)).slice(0, bytes);
    return { ...taskRecord(at, name + edition, { [`out/${name}.txt`]: content }), name };
  });
}

async function sendAll(at: MachineUnderTest, records: readonly CallRecord[]): Promise<void> {
  for (const record of records) at.tier.push(record, at.side);
  assert.is(await at.tier.flush(60_000), true);
}

/** Asks for all at once. How many came. */
async function askAll(at: MachineUnderTest, records: readonly CallRecord[]): Promise<number> {
  const came = await Promise.all(records.map(({ key, name }) => at.tier.ask(key, at.side, name)));
  return came.filter((is) => is).length;
}

async function filled(bytes = 10): Promise<{ readonly server: Server; readonly records: readonly CallRecord[] }> {
  const server = new Server();
  const writer = client(server);
  const records = answersOf(writer, NAMES, '', bytes);
  await sendAll(writer, records);
  server.asked.length = 0;
  server.written.length = 0;
  server.most = 0;
  return { server, records };
}

test('answers of many tasks come in a few record packs, of which several are on their way at a time', async () => {
  const { server, records } = await filled();
  const reader = client(server);
  assert.is(await askAll(reader, records), records.length);
  assert.equal(new Set(server.asked), new Set(PACKS));
  assert.is(server.asked.length, COUNT);
  assert.ok(server.most > 1 && server.most <= 8, `${server.most} at a time`);
  for (const record of records) assert.equal(reader.calls.get(record.key), record);
});

test('outputs of as much as counts as small travel in record packs, compressed', async () => {
  const size = 64 * 1024;
  const { server, records } = await filled(size);
  const reader = client(server);
  assert.is(await askAll(reader, records), records.length);
  assert.is(server.asked.length, COUNT);
  const sent = PACKS.reduce((sum, key) => sum + (server.records.get(key)?.length ?? 0), 0);
  assert.ok(sent > 0 && sent < (records.length * size) / 4, `${sent} bytes`);
});

test('a task that was edited changes one record pack', async () => {
  const { server, records } = await filled();
  const before = new Map(server.records);
  const writer = client(server);
  const [first, ...others] = records;
  if (first === undefined) return assert.unreachable();
  const news = answersOf(writer, [first.name], 'new');
  await sendAll(writer, news);
  const changed = PACKS.filter((key) => server.records.get(key) !== before.get(key));
  assert.equal(changed, [PACKS[recordPackOf(first.name, COUNT)]]);
  server.asked.length = 0;
  assert.is(await askAll(client(server), [...news, ...others]), records.length);
  assert.equal(new Set(server.asked), new Set(PACKS));
});

test('of a record pack of which few answers are asked for none is fetched', async () => {
  const { server, records } = await filled();
  const [most, few] = [new Set(inPack(0)), new Set(inPack(1).slice(0, 4))];
  const wanted = records.filter(({ name }) => most.has(name) || few.has(name));
  assert.is(await askAll(client(server), wanted), wanted.length);
  const single = records.filter(({ name }) => few.has(name)).map(({ key }) => key);
  assert.equal(new Set(server.asked), new Set([PACKS[0], ...single]));
});

test('a record pack that is lost costs its answers a request each, and is made again by who may write', async () => {
  const { server, records } = await filled();
  server.records.delete(PACKS[2] as Key);
  const writer = client(server);
  assert.is(await askAll(writer, records), records.length);
  assert.is(server.asked.length, COUNT + inPack(2).length);
  await writer.tier.flush(60_000);
  assert.equal(server.written, [PACKS[2]]);
  server.asked.length = 0;
  assert.is(await askAll(client(server), records), records.length);
  assert.is(server.asked.length, COUNT);
});

test('record packs that change places are not believed, and no answer is lost', async () => {
  const { server, records } = await filled();
  const [a, b] = PACKS as unknown as readonly [Key, Key];
  const [ofA, ofB] = [server.records.get(a), server.records.get(b)];
  if (ofA === undefined || ofB === undefined) return assert.unreachable();
  server.records.set(a, ofB);
  server.records.set(b, ofA);
  for (const verifier of [new Verifier([TRUSTED.publicKey]), undefined]) {
    const reader = client(server, { verifier, writes: false });
    assert.is(await askAll(reader, records), records.length);
    assert.equal(reader.tier.report.rejected, verifier === undefined ? {} : { forged: 2 });
  }
});

test('two writers at once cost no answer', async () => {
  const { server, records } = await filled();
  const [one, other] = [client(server), client(server)];
  const newsOfOne = answersOf(one, NAMES.slice(0, 40), 'one');
  const newsOfOther = answersOf(other, NAMES.slice(20, 60), 'other');
  await Promise.all([sendAll(one, newsOfOne), sendAll(other, newsOfOther)]);
  const all = [...records, ...newsOfOne, ...newsOfOther];
  const reader = client(server);
  assert.is(await askAll(reader, all), all.length);
  for (const record of all) assert.equal(reader.calls.get(record.key), record);
});

test('a record pack that unpacks to more than it says, or to more than one may be, is not unpacked', async () => {
  const { server, records } = await filled();
  const place = { key: PACKS[0] as Key, namespace: 'trusted' };
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  for (const raw of [bomb.length + 1, MAX_RECORD_PACK, MAX_RECORD_PACK + 1, 64 * 1024 * 1024, 0xffff_ffff, 0]) {
    const payload = Buffer.alloc(4 + bomb.length);
    payload.writeUInt32BE(raw);
    bomb.copy(payload, 4);
    server.records.set(place.key, enclose('fleche-records 2\n', place, payload, new Signer(TRUSTED.privateKey)));
    const reader = client(server, { writes: false });
    const before = process.memoryUsage().arrayBuffers;
    assert.is(await askAll(reader, records), records.length);
    assert.equal(reader.tier.report.rejected, { 'not decodable': 1 });
    assert.ok(process.memoryUsage().arrayBuffers - before < 48 * 1024 * 1024);
  }
});

test('of a record pack that was let go nothing is kept, and nothing is found', async () => {
  const { server, records } = await filled();
  const pack = new SharedRecordPack(PACKS[0] as Key, {
    store: server,
    namespace: 'trusted',
    verifier: new Verifier([TRUSTED.publicKey]),
    signer: undefined,
    lanes: new Lanes(1),
    tally: new SharedTally('team', ''),
    signal: new AbortController().signal,
  });
  const [first, second] = records.filter(({ name }) => inPack(0).includes(name));
  if (first === undefined || second === undefined) return assert.unreachable();
  for (let at = 0; at < 5; at++) pack.expect();
  assert.equal((await pack.find(first.key))?.sealed.record, first);
  assert.ok(pack.held > 0);
  pack.letGo();
  assert.is(pack.held, 0);
  assert.is(await pack.find(second.key), undefined);
});

test('a record pack of an earlier format is a miss', async () => {
  const { server, records } = await filled();
  const place = { key: PACKS[0] as Key, namespace: 'trusted' };
  const bytes = Buffer.from(server.records.get(place.key) ?? []);
  const payload = bytes.subarray(bytes.indexOf('\n', 20) + 1);
  server.records.set(place.key, enclose('fleche-records 1\n', place, payload, new Signer(TRUSTED.privateKey)));
  const reader = client(server, { writes: false });
  assert.is(await askAll(reader, records), records.length);
  assert.equal(reader.troubles, []);
});

test('the order of the tasks makes no difference, and another task makes other record packs', () => {
  assert.equal(recordPackKeys([...NAMES].reverse()), PACKS);
  const others = recordPackKeys([...NAMES.slice(1), 'another']);
  assert.is(others.length, COUNT);
  assert.not.ok(others.some((key) => PACKS.includes(key)));
});

test.run();
