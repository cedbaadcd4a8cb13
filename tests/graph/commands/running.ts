import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

/** What a process left behind: who it was, and what it noted. */
function note(folder: string, owner: typeof SELF, ...lines: readonly unknown[]): void {
  const text = [owner, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('');
  writeFileSync(join(folder, owner.id.replaceAll('/', '-')), text);
}

function begun(group: ProcessGroup, log = 'none.log', leader = identityOf(group.id)): unknown {
  return { group: group.id, leader, log };
}

test('a command of a process that is gone is ended, with all it started', () =>
  withGroup(async (folder, group) => {
    note(folder, GONE, begun(group));
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
    const [own = ''] = readdirSync(folder);
    const text = readFileSync(join(folder, own), 'utf8').replace(`"id":"${SELF.id}"`, `"id":"${GONE.id}"`);
    writeFileSync(join(folder, own), text.replace(`"pid":${SELF.pid}`, `"pid":${GONE.pid}`));
    assert.is(await endOrphans(folder), 0, 'it is noted that it has ended');
    assert.is(group.alive(), true);
    assert.equal(readdirSync(folder), []);
  }));

test('what is noted after the folder was removed is there', () =>
  withGroup(async (folder, group, log) => {
    for (let round = 0; round < 2; round++) {
      rmSync(folder, { recursive: true, force: true });
      const entry = noteRunning(folder, group, log);
      assert.match(readFileSync(join(folder, readdirSync(folder)[0] ?? ''), 'utf8'), `"group":${group.id}`);
      entry.remove();
    }
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
    note(folder, GONE, { group: 2 ** 22 + 2, leader: null, log });
    assert.is(await endOrphans(folder), 0);
    assert.is(group.alive(), true);
  }, `task-${GONE.pid}.log`));

test('another process that has the number by now is left alone, and the note goes', () =>
  withGroup(async (folder, group) => {
    if (identityOf(group.id) === null) return;
    note(folder, GONE, begun(group, 'none.log', 'another'));
    assert.is(await endOrphans(folder), 0);
    assert.is(group.alive(), true);
    assert.equal(readdirSync(folder), []);
  }));

test('a note of another machine, a torn one and a stray file end nothing', () =>
  withGroup(async (folder, group) => {
    note(folder, { ...GONE, host: 'elsewhere' }, begun(group));
    mkdirSync(join(folder, 'stray'));
    assert.is(await endOrphans(folder), 0);
    writeFileSync(join(folder, `${GONE.pid}-torn`), `${JSON.stringify(GONE)}\n{"group":${group.id},"lea`);
    assert.is(await endOrphans(folder), 0);
    assert.is(group.alive(), true);
    assert.is(await endOrphans(join(folder, 'stray', 'missing')), 0);
  }));

test('numbers that would mean this process or everyone are no groups', () => {
  for (const id of [0, 1, -1, Number.NaN]) assert.throws(() => new ProcessGroup(id), /no process group/);
});

test.run();
