/** Processes that open and close an environment which others use: nothing of what was committed is lost or mixed up. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { layoutOf, turnFile } from '../../../core/store/layout.ts';
import { Root } from '../../../core/store/lmdb/lmdb-root.ts';
import { alone, Mark } from '../../../core/store/lmdb/lmdb-users.ts';
import { bundled } from '../../_bundled.ts';

const USER = bundled(resolve(import.meta.dirname, '_lmdb-user.ts'));

let root = '';
test.before.each(() => {
  root = mkdtempSync(join(tmpdir(), 'fleche-'));
  mkdirSync(layoutOf(root).db);
});
test.after.each(() => rmSync(root, { recursive: true, force: true }));

interface User {
  readonly child: ChildProcess;
  /** Exit code or signal, and what it complained of. */
  readonly ended: Promise<{ readonly end: unknown; readonly stderr: string }>;
}

function start(...args: readonly string[]): User {
  const [what = '', ...rest] = args;
  const child = spawn(process.execPath, [USER, what, root, ...rest], { stdio: ['ignore', 'inherit', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  const ended = new Promise<{ end: unknown; stderr: string }>((done) => {
    child.on('close', (code, signal) => done({ end: signal ?? code, stderr }));
  });
  return { child, ended };
}

function log(): readonly string[] {
  const path = join(root, 'log');
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(2);
}

const marks = (): readonly string[] => readdirSync(layoutOf(root).db).filter((name) => name.startsWith('user-'));
const go = (): void => writeFileSync(join(root, 'go'), '');

test('who opens and closes an environment takes nothing from those who write, and harms nobody', async () => {
  const counts = { a: 400, b: 400, c: 60, d: 60, e: 60 };
  const users = Object.entries(counts).map(([name, times]) =>
    start(times > 100 ? 'write' : 'visit', name, String(times)),
  );
  for (const { ended } of users) assert.equal(await ended, { end: 0, stderr: '' });
  await start('tell', ...Object.keys(counts), 'all').ended;
  const all = Object.values(counts).reduce((sum, times) => sum + times, 0);
  assert.equal(log(), [...Object.entries(counts).map((each) => each.join(' ')), `all ${all}`]);
  assert.equal([marks(), existsSync(turnFile(layoutOf(root)))], [[], false]);
});

test('a commit waits for who opens the environment', async () => {
  const first = start('openLong');
  await until(() => log().includes('begun'));
  const second = start('commit');
  await until(() => log().includes('wants to commit'));
  go();
  await Promise.all([first.ended, second.ended]);
  assert.equal(log(), ['begun', 'wants to commit', 'done', 'committed']);
});

test('who opens the environment waits for commits and for others who open it', async () => {
  for (const what of ['commitLong', 'openLong']) {
    const first = start(what);
    await until(() => log().includes('begun'));
    const second = start('open');
    await until(() => log().includes('wants to open'));
    go();
    await Promise.all([first.ended, second.ended]);
    assert.equal(log(), ['begun', 'wants to open', 'done', 'opened'], what);
    for (const name of ['log', 'go']) rmSync(join(root, name));
  }
});

test('nobody waits for who was killed while it committed or opened', async () => {
  for (const what of ['commitLong', 'openLong']) {
    const { child, ended } = start(what);
    await until(() => log().includes('begun'));
    child.kill('SIGKILL');
    await ended;
    const started = performance.now();
    for (const next of ['open', 'commit', 'open']) assert.is((await start(next).ended).end, 0);
    assert.ok(performance.now() - started < 4900, what);
    assert.is(log().filter((line) => line === 'opened').length, 2);
    rmSync(join(root, 'log'));
  }
  assert.is(existsSync(turnFile(layoutOf(root))), false);
});

test('one thread opens an environment once, and the last of its users closes it', () => {
  const layout = layoutOf(root);
  const settings = { encoding: 'binary', keyEncoding: 'binary', overlappingSync: false } as const;
  const enter = (readOnly: boolean): Root | undefined =>
    Root.enter(layout, { settings, readOnly, isSound: () => true });
  const reader = enter(true);
  assert.equal(marks(), []);
  const [writer, other] = [enter(false), enter(false)];
  assert.is(writer, reader);
  assert.is(other, reader);
  assert.is(marks().length, 1);
  writer?.transact(() => writer.database.putSync(Buffer.from('a'), Buffer.from('b')));
  reader?.leave();
  writer?.leave();
  assert.is(other?.database.getBinary(Buffer.from('a'))?.toString(), 'b');
  other?.leave();
  assert.equal(marks(), []);
});

test('an environment that was moved away while it is opened is marked where it is now', () => {
  const layout = layoutOf(root);
  const mark = new Mark(layout);
  mark.alone(() => {
    rmSync(layout.db, { recursive: true });
    mkdirSync(layout.db);
  });
  assert.is(marks().length, 1);
  mark.remove();
  assert.equal(marks(), []);
});

test('where nothing can be written nobody is waited for', () => {
  const layout = layoutOf(join(root, 'missing', 'further'));
  assert.is(
    alone(layout, () => new Mark(layout).during(() => 1)),
    1,
  );
});

test.run();
