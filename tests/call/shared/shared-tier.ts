import { randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../../../core/base/hash.ts';
import { Signer, Verifier } from '../../../core/store/remote/signing.ts';
import { aRecord, resultBlob, resultBytes } from '../../store/_record.ts';
import { MemoryRemote } from '../../store/remote/_memory-remote.ts';
import { type Contents, fileDigests, keyPair, machine, manyFiles, receive, TRUSTED, taskRecord } from './_tiers.ts';

test('an answer of one machine is one of another, with all its content', async () => {
  const server = new MemoryRemote();
  for (const contents of [{}, { 'out/a.txt': 'a' }, manyFiles(300), { 'out/big.bin': randomBytes(9_000_000) }]) {
    const [here, there] = [machine(server), machine(server)];
    const record = taskRecord(here, JSON.stringify(Object.keys(contents)), contents as Contents);
    assert.is(await there.tier.ask(record.key, there.side), false);
    await here.push(record);
    const third = machine(server);
    assert.is(await receive(third, record, contents as Contents), true);
    assert.equal(third.calls.get(record.key), record);
    for (const content of Object.values(contents)) {
      assert.ok(Buffer.from(content).equals(third.values.get(sha256(Buffer.from(content))) ?? Buffer.from('absent')));
    }
    assert.equal([...here.troubles, ...there.troubles, ...third.troubles], []);
  }
});

test('content of outputs comes only when it is asked for, and only what is', async () => {
  const server = new MemoryRemote();
  const [here, there] = [machine(server), machine(server)];
  const contents = { 'out/a.bin': randomBytes(100_000), 'out/b.bin': randomBytes(100_000) };
  const record = taskRecord(here, 'two', contents);
  await here.push(record);
  assert.is(await there.tier.ask(record.key, there.side), true);
  assert.ok(there.tier.report.bytesReceived < 5000);
  assert.is(await there.tier.bring(record.key, [sha256(contents['out/a.bin'])], there.side, 'place'), true);
  assert.is(there.values.has(sha256(contents['out/a.bin'])), true);
  assert.is(there.values.has(sha256(contents['out/b.bin'])), false);
});

test('content that was lost here comes back, also in another process than the answer came in', async () => {
  const server = new MemoryRemote();
  const here = machine(server);
  const contents = manyFiles(200);
  const record = taskRecord(here, 'lost', contents);
  await here.push(record);
  const later = machine(server);
  assert.is(
    await later.tier.bring(record.key, [sha256(Buffer.from(contents['out/f3.txt'] ?? ''))], later.side, 'place'),
    true,
  );
});

test('large content is put into place as it came, and once one of it is damaged the rest is not asked for', async () => {
  const server = new MemoryRemote();
  const here = machine(server);
  const contents = Object.fromEntries(
    Array.from({ length: 40 }, (_, at) => [`out/${at}.bin`, randomBytes(100_000)] as const),
  );
  const digests = fileDigests(contents);
  const record = taskRecord(here, 'large', contents);
  await here.push(record);
  const there = machine(server);
  assert.is(await receive(there, record, contents), true);
  assert.equal([...there.spares()].sort(), [...digests].sort());
  const [first, ...others] = digests;
  if (first === undefined) throw new Error('nothing was made');
  server.blobs.set(first, randomBytes(100_000));
  const victim = machine(server, { width: 1 });
  assert.is(await receive(victim, record, contents), false);
  assert.equal(victim.tier.report.rejected, { damaged: 1 });
  const brought = others.filter((digest) => victim.values.has(digest));
  assert.ok(brought.length <= 1, `${brought.length} more were asked for`);
  assert.equal(victim.spares(), brought);
});

test('a value of a function is shared with the name under which it is found', async () => {
  const server = new MemoryRemote();
  const [here, there] = [machine(server), machine(server)];
  const record = aRecord({ salt: 'value' });
  here.values.put(resultBlob('value'), resultBytes('value'));
  await here.push(record);
  assert.is(await there.tier.ask(record.key, there.side), true);
  assert.is(there.values.target(record.result?.digest ?? sha256('')), resultBlob('value'));
  assert.equal(Buffer.from(there.values.get(resultBlob('value')) ?? ''), Buffer.from(resultBytes('value')));
});

test('an answer that differs in one file sends what that changed, not everything again', async () => {
  const server = new MemoryRemote();
  const here = machine(server);
  const contents = manyFiles(400);
  await here.push(taskRecord(here, 'first', contents));
  const before = server.blobs.size;
  const sent = here.tier.report.bytesSent;
  await here.push(taskRecord(here, 'second', { ...contents, 'out/f1.txt': 'edited' }));
  assert.ok(server.blobs.size - before <= 4, `${server.blobs.size - before} blobs more`);
  assert.ok((here.tier.report.bytesSent - sent) * 3 < sent);
});

test('small answers are one object', async () => {
  const server = new MemoryRemote();
  const here = machine(server);
  await here.push(taskRecord(here, 'small', { 'out/a.txt': 'a', 'out/b.txt': 'b'.repeat(5000) }));
  assert.is(server.blobs.size, 0);
  assert.is(server.records.size, 1);
});

test('packs that are small travel with the record', async () => {
  const server = new MemoryRemote();
  const [here, there] = [machine(server), machine(server)];
  const contents = Object.fromEntries(
    Array.from({ length: 100 }, (_, at) => [`out/f${at}.txt`, `${at} `.repeat(1000)]),
  );
  const record = taskRecord(here, 'packed', contents);
  await here.push(record);
  assert.equal([server.blobs.size, server.records.size], [0, 1]);
  assert.is(await receive(there, record, contents), true);
  const named = new Set([...fileDigests(contents), record.outputs, record.log]);
  for (const { digest } of there.values.list())
    assert.ok(named.has(digest), 'nothing but what the record names is kept');
  await there.push(record);
  assert.equal([...(await there.tier.lacking([record.key]))], []);
});

test('who may only read sends nothing, who may only write asks for nothing', async () => {
  const server = new MemoryRemote();
  const [reader, writer] = [machine(server, { writes: false }), machine(server, { reads: false })];
  await reader.push(taskRecord(reader, 'a', { 'out/a': 'a' }));
  assert.is(server.records.size, 0);
  const record = taskRecord(writer, 'a', { 'out/a': 'a' });
  await writer.push(record);
  assert.is(server.records.size, 1);
  assert.is(await machine(server, { reads: false }).tier.ask(record.key, writer.side), false);
});

test('failures are not sent', async () => {
  const server = new MemoryRemote();
  const here = machine(server);
  const record = taskRecord(here, 'failed', {});
  await here.push({ ...record, failure: { message: 'no', exitCode: 1, signal: null } });
  assert.is(server.records.size, 0);
});

test('keys are replaced without a day on which nothing is believed', async () => {
  const server = new MemoryRemote();
  const next = keyPair();
  const both = new Verifier([TRUSTED.publicKey, next.publicKey]);
  const [before, after] = [machine(server), machine(server, { signer: new Signer(next.privateKey) })];
  const [old, recent] = [taskRecord(before, 'old', { 'out/a': 'a' }), taskRecord(after, 'new', { 'out/a': 'b' })];
  await before.push(old);
  await after.push(recent);
  const reader = machine(server, { verifier: both });
  assert.is(await reader.tier.ask(old.key, reader.side), true);
  assert.is(await reader.tier.ask(recent.key, reader.side), true);
  const strict = machine(server, { verifier: new Verifier([next.publicKey]) });
  assert.is(await strict.tier.ask(old.key, strict.side), false);
  assert.equal(strict.tier.report.rejected, { 'unknown key': 1 });
});

test('what has a secret in its output, or outputs that not every system can have, is not sent', async () => {
  const server = new MemoryRemote();
  const here = machine(server, { secrets: async () => ['made printed'] });
  await here.push(taskRecord(here, 'printed', {}));
  await here.push(taskRecord(here, 'device', { 'out/aux.js': 'x' }));
  assert.is(server.records.size, 0);
  assert.is(here.tier.report.unstored, 2);
  assert.is(here.troubles.length, 2);
  assert.match(here.troubles.join('\n'), /secret[\s\S]*name of a device/);
});

test('what is too large for the tier stays here', async () => {
  const server = new MemoryRemote();
  const here = machine(server, { maxAnswer: 100_000 });
  await here.push(taskRecord(here, 'large', { 'out/a.bin': randomBytes(100_000) }));
  assert.is(server.records.size, 0);
  const record = taskRecord(here, 'large', { 'out/a.bin': randomBytes(100_000) });
  await machine(server).push(record);
});

test('sending ends at its deadline, and says what is left', async () => {
  const server = new MemoryRemote();
  server.putRecord = (_key, _bytes, signal?: AbortSignal) =>
    new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted'))));
  const here = machine(server);
  here.tier.push(taskRecord(here, 'slow', {}), here.side);
  await here.tier.close(20);
  assert.match(here.troubles.join(), '1 answer was not sent in time');
});

test('a required tier makes an error of what is a word otherwise', async () => {
  const server = new MemoryRemote();
  server.getRecord = () => Promise.reject(new Error('down'));
  server.putRecord = () => Promise.reject(new Error('down'));
  const [lenient, strict] = [machine(server), machine(server, { require: true })];
  const record = taskRecord(lenient, 'x', {});
  assert.is(await lenient.tier.ask(record.key, lenient.side), false);
  await lenient.tier.close(1000);
  assert.is(lenient.troubles.length, 1);
  const codes: unknown[] = [];
  const note = (error: { readonly code?: unknown }): void => void codes.push(error.code);
  await strict.tier.ask(record.key, strict.side).catch(note);
  strict.tier.push(taskRecord(strict, 'x', {}), strict.side);
  await strict.tier.close(1000).catch(note);
  assert.equal(codes, ['STORE_UNUSABLE', 'STORE_UNUSABLE']);
});

test.run();
