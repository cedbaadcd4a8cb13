import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ProcessGroup } from '../../../core/graph/commands/process-group.ts';
import { endOrphans, noteRunning } from '../../../core/graph/commands/running.ts';
import { identityOf, SELF } from '../../../core/store/owner.ts';

const GONE = { ...SELF, id: '4194305///gone', pid: 2 ** 22 + 1 };

/** A group of two processes that ignores SIGTERM and prints to a log beside a folder. */
async function withGroup(
  use: (folder: string, group: ProcessGroup, log: string) => Promise<void>,
  log = `task-${process.pid}.log`,
): Promise<void> {
  const tempDir = mkdtempSync(join(tmpdir(), 'fleche-'));
  const folder = join(tempDir, 'running');
  mkdirSync(folder);
  const output = openSync(join(tempDir, log), 'w');
  const child = spawn('/bin/sh', ['-c', 'trap "" TERM; sleep 1000 & echo ready >&3; wait'], {
    detached: true,
    stdio: ['ignore', output, 'ignore', 'pipe'],
  });
  closeSync(output);
  const ready = child.stdio[3];
  if (ready === null || ready === undefined) throw new Error('it has no pipe');
  await once(ready, 'data');
  const group = new ProcessGroup(child.pid ?? 0);
  try {
    await use(folder, group, log);
  } finally {
    group.kill();
    rmSync(tempDir, { recursive: true });
  }
}

function note(folder: string, group: ProcessGroup, entry: unknown): void {
  writeFileSync(join(folder, String(group.id)), JSON.stringify(entry));
}

test('a command of a process that is gone is ended, with all it started', () =>
  withGroup(async (folder, group) => {
    note(folder, group, { owner: GONE, leader: identityOf(group.id) });
    assert.is(await endOrphans(folder), 1);
    assert.is(group.alive(), false);
    assert.equal(readdirSync(folder), []);
  }));

test('a command of a living process is left alone', () =>
  withGroup(async (folder, group, log) => {
    rmSync(folder, { recursive: true });
    const entry = noteRunning(folder, group, log);
    assert.is(await endOrphans(folder), 0);
    assert.is(group.alive(), true);
    entry.remove();
    assert.equal(readdirSync(folder), []);
  }));

test('a command that was started and not noted any more is found by where it prints', () => {
  if (process.platform !== 'linux') return console.log('only Linux tells where others print');
  return withGroup(async (folder, group) => {
    assert.is(await endOrphans(folder), 1);
    assert.is(group.alive(), false);
  }, `task-${GONE.pid}.log`);
});

test('what a command left behind that was noted is left alone, as what has left its group', () =>
  withGroup(async (folder, group, log) => {
    const other = 2 ** 22 + 2;
    writeFileSync(join(folder, String(other)), JSON.stringify({ owner: GONE, leader: null, log }));
    assert.is(await endOrphans(folder), 0);
    assert.is(group.alive(), true);
  }, `task-${GONE.pid}.log`));

test('another process that has the number by now is left alone, and the note goes', () =>
  withGroup(async (folder, group) => {
    if (identityOf(group.id) === null) return;
    note(folder, group, { owner: GONE, leader: 'another' });
    assert.is(await endOrphans(folder), 0);
    assert.is(group.alive(), true);
    assert.equal(readdirSync(folder), []);
  }));

test('a note of another machine, a torn one and a stray file end nothing', () =>
  withGroup(async (folder, group) => {
    note(folder, group, { owner: { ...GONE, host: 'elsewhere' }, leader: identityOf(group.id) });
    mkdirSync(join(folder, 'stray'));
    assert.is(await endOrphans(folder), 0);
    writeFileSync(join(folder, String(group.id)), '{"own');
    assert.is(await endOrphans(folder), 0);
    assert.is(group.alive(), true);
    assert.is(await endOrphans(join(folder, 'stray', 'missing')), 0);
  }));

test('numbers that would mean this process or everyone are no groups', () => {
  for (const id of [0, 1, -1, Number.NaN]) assert.throws(() => new ProcessGroup(id), /no process group/);
});

test.run();
