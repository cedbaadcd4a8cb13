/**
 * Processes that share a cache, under stress: they ask for the same keys at the same time, and are killed in the middle.
 * Every key is calculated at most once for each owner that was lost, no answer is wrong, nobody hangs, nothing is left.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { removeLeftovers } from '../../core/app/caches/leftovers.ts';
import { doctor } from '../../core/app/verbs/doctor.ts';
import type { AbsPath } from '../../core/base/paths.ts';
import { LocalCache } from '../../core/call/caches/local-cache.ts';
import { layoutOf } from '../../core/store/layout.ts';
import { bundled } from '../_bundled.ts';
import { inNewFolder } from '../_new-folder.ts';
import { call } from '../app/_machine.ts';
import { answerOf, randomOf } from './_lease-rules.ts';

const NIGHTLY = process.env['FLECHE_TEST_PROFILE'] === 'nightly';
const KEYS = 200;
const PROCESSES = 8;
const KILLS = NIGHTLY ? 200 : 16;
/** Nobody waits longer for an answer, ms. */
const LONGEST = 5000;

const HOUR = 3_600_000;

/** What `doctor` has to say about a cache folder, a day from now: no file is in the making any more. */
async function findings(folder: string): Promise<unknown> {
  const store = new LocalCache(folder);
  const told = await call(
    doctor,
    ['doctor', '--json'],
    {},
    {},
    {
      cacheFolder: () => folder as AbsPath,
      now: () => Date.now() + 24 * HOUR,
      stores: () => ({ leases: () => store.exclusion?.leases }) as never,
    },
  );
  await store.close();
  const { type, report, findings, leftovers } = JSON.parse(told.stdout);
  assert.equal([type, report.exists, told.code], ['doctor', true, findings.length === 0 ? 0 : 1]);
  return [...findings, ...leftovers];
}

const WORKER = bundled(resolve(import.meta.dirname, '_lease-worker.ts'));

interface Worker {
  readonly child: ChildProcess;
  /** Exit code and what it printed, when it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>;
}

function start(folder: string, seed: number): Worker {
  const child = spawn(process.execPath, [WORKER, folder, String(KEYS), String(seed)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  const ended = new Promise<{ code: number | null; output: string }>((done) => {
    child.on('close', (code) => done({ code, output }));
  });
  return { child, ended };
}

test('points 1, 5 and 18: killed owners cost one execution each, nobody hangs and nothing is left behind', () =>
  inNewFolder(async (folder) => {
    const seed = Math.floor(Math.random() * 1_000_000);
    const random = randomOf(seed);
    const about = `seed ${seed}`;
    const killed = new Set<number>();
    const running = new Set<Worker>();
    const ends: { readonly pid: number; readonly code: number | null; readonly output: string }[] = [];
    let started = 0;
    const add = (): void => {
      const worker = start(folder, seed + started++);
      running.add(worker);
      void worker.ended.then((end) => {
        running.delete(worker);
        ends.push({ pid: worker.child.pid ?? 0, ...end });
      });
    };

    const living = (): readonly Worker[] => [...running].filter(({ child }) => !killed.has(child.pid ?? 0));
    for (let kills = 0; ; ) {
      while (living().length < PROCESSES) add();
      if (kills === KILLS) break;
      await delay(20 + random() * 120);
      const victim = living()[Math.floor(random() * living().length)];
      if (victim?.child.pid !== undefined && victim.child.kill('SIGKILL')) {
        killed.add(victim.child.pid);
        kills++;
      }
    }
    while (running.size > 0) await Promise.all([...running].map(({ ended }) => ended));

    const survivors = ends.filter(({ pid }) => !killed.has(pid));
    assert.ok(survivors.length >= PROCESSES, about);
    for (const { code, output } of survivors) {
      assert.is(code, 0, about);
      const longest = Number(output);
      assert.ok(longest > 0 && longest < LONGEST, `${about}: a call took ${longest} ms`);
    }

    const runs = new Map<number, number[]>();
    for (const line of readFileSync(join(folder, 'runs'), 'utf8').trim().split('\n')) {
      const [key = -1, pid = -1] = line.split(' ').map(Number);
      runs.set(key, [...(runs.get(key) ?? []), pid]);
    }
    assert.is(runs.size, KEYS);
    for (const [key, pids] of runs) {
      assert.is(new Set(pids).size, pids.length, `${about}: ${key} was run twice by one process: ${pids}`);
      const byLiving = pids.filter((pid) => !killed.has(pid));
      assert.ok(byLiving.length <= 1, `${about}: ${key} was run by ${pids}, of which ${byLiving} lived on`);
    }

    const store = new LocalCache(join(folder, 'cache'));
    const answers = await store.query({ module: 'stress' }).table({ arguments: ['n'], results: true });
    assert.is(answers.length, KEYS, about);
    for (const { n, result } of answers) assert.ok(result === answerOf(Number(n)), `${about}: ${n}`);
    assert.equal(store.exclusion?.leases.list(), [], about);
    await store.close();
    // A file that was in the making when its process was killed is all that may be left, and `fleche gc` removes it.
    const { tmp, trash } = layoutOf(join(folder, 'cache'));
    writeFileSync(join(tmp, '1-0-0123456789ab'), 'as if it was');
    const places = { folder: join(folder, 'cache'), tempDir: tmp, trashDir: trash };
    removeLeftovers(places, Date.now() + 25 * HOUR, false);
    const found = await findings(join(folder, 'cache'));
    assert.equal(found, [], about);
  }));

test.run();
