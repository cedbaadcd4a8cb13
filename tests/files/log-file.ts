/** The file that takes a task's output, and who listens to it. */
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LogFile } from '../../core/files/log-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'fleche-'));
const path = join(folder, 'log');

test('a listener has everything by the time the file is closed, in pieces of its own', async () => {
  const chunks: Uint8Array[] = [];
  const log = new LogFile(path, (chunk) => void chunks.push(chunk));
  const text = 'line\n'.repeat(100_000);
  writeSync(log.fd, text);
  assert.is(chunks.length, 0);
  await log.close();
  assert.ok(chunks.length > 1);
  assert.is(Buffer.concat(chunks).toString(), text);
});

test('a listener hears of output while the file is open', async () => {
  let heard: (text: string) => void = () => {};
  const first = new Promise<string>((resolve) => {
    heard = resolve;
  });
  const log = new LogFile(path, (chunk) => heard(Buffer.from(chunk).toString()));
  writeSync(log.fd, 'now');
  assert.is(await first, 'now');
  await log.close();
});

test('a file that was there before is emptied', async () => {
  const first = new LogFile(path);
  writeSync(first.fd, 'old');
  await first.close();
  await new LogFile(path).close();
  assert.is(readFileSync(path, 'utf8'), '');
});

test('what is written after a truncation follows without a hole', async () => {
  const chunks: Uint8Array[] = [];
  const log = new LogFile(path, (chunk) => void chunks.push(chunk));
  writeSync(log.fd, 'gone');
  truncateSync(path);
  writeSync(log.fd, 'kept');
  await log.close();
  assert.is(readFileSync(path, 'utf8'), 'kept');
  assert.is(Buffer.concat(chunks).toString(), 'kept');
});

test('a listener that takes its time is told no more meanwhile', async () => {
  const pending: (() => void)[] = [];
  let told = 0;
  const log = new LogFile(path, () => {
    told++;
    return new Promise<void>((resolve) => pending.push(resolve));
  });
  writeSync(log.fd, 'x'.repeat(300_000));
  const closed = log.close().then(() => told);
  await new Promise(setImmediate);
  const order: number[] = [];
  while (pending.length > 0) {
    order.push(told);
    pending.shift()?.();
    await new Promise(setImmediate);
  }
  assert.is(await closed, 5);
  assert.equal(order, [1, 2, 3, 4, 5]);
});

test.after(() => rmSync(folder, { recursive: true }));

test.run();
