/** Claims among pretended processes: what excludes what, who gives way, and that nobody is waited for in vain. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Claim, claim } from '../../../core/graph/round/claims.ts';
import { TaskGraph } from '../../../core/graph/tasks/graph.ts';
import type { Lease, Owner } from '../../../core/store/leases.ts';
import { MemoryLeases } from '../../../core/store/memory-leases.ts';
import { SELF } from '../../../core/store/owner.ts';
import { SturdyLeases } from '../../../core/store/sturdy-leases.ts';
import { commandTask, taskMap } from '../_tasks.ts';

const graph = new TaskGraph(
  taskMap(
    commandTask('top', ''),
    commandTask('left', '', { needs: ['top'] }),
    commandTask('right', '', { needs: ['top'] }),
    commandTask('bottom', '', { needs: ['left', 'right'] }),
    commandTask('apart', ''),
  ),
);

class Processes {
  readonly #shared = new Map<string, Lease>();
  readonly waits: string[] = [];
  /** Tasks of which this process has claims that wait to be given back. */
  readonly spent = new Set<string>();

  leases(owner: Owner): MemoryLeases {
    return new MemoryLeases(owner, { now: Date.now, ttlMs: 60_000, shared: this.#shared });
  }

  claim(task: string, { pid = process.pid, signal = new AbortController().signal } = {}): Promise<Claim | undefined> {
    return claim(task, {
      leases: this.leases({ ...SELF, id: `process ${pid}`, pid }),
      graph,
      now: Date.now,
      signal,
      isSpent: (other) => pid === process.pid && this.spent.has(other),
      onWait: (holder) => this.waits.push(`${task} waits for ${holder.name}`),
    });
  }

  get held(): readonly string[] {
    return [...this.#shared.keys()];
  }
}

/** Whether a promise is settled by the time that a waiter has looked several times. */
async function isWaiting(promise: Promise<unknown>): Promise<boolean> {
  const first = await Promise.race([promise, new Promise((resume) => setTimeout(resume, 80, 'later'))]);
  return first === 'later';
}

test('claims that were made in one step with a store that fails at its end are given back all the same', async () => {
  class Failing extends MemoryLeases {
    override together(steps: () => void): void {
      // So that its leases are not those of the store that takes its place.
      this.acquire('other', () => true);
      steps();
      throw new Error('no space left');
    }
  }
  const options = { now: Date.now, ttlMs: 60_000 };
  const leases = new SturdyLeases(new Failing(SELF, options), options);
  const { signal } = new AbortController();
  const onWait = (holder: Lease): void => assert.unreachable(`waits for ${holder.name}`);
  const claimed = (task: string): Promise<Claim | undefined> =>
    claim(task, { leases, graph, now: Date.now, signal, isSpent: () => false, together: true, onWait });
  for (const both of await Promise.all([claimed('top'), claimed('apart')])) both?.release();
  assert.equal(leases.list(), []);
  (await claimed('bottom'))?.release();
});

test('a claim of this process that only waits to be given back is in the way of no other of its own', async () => {
  const processes = new Processes();
  const top = await processes.claim('top');
  processes.spent.add('top');
  const left = await processes.claim('left');
  assert.is(left?.waited, false);
  const elsewhere = processes.claim('right', { pid: process.ppid });
  assert.ok(await isWaiting(elsewhere));
  for (const one of [top, left]) one?.release();
  (await elsewhere)?.release();
  assert.equal(processes.held, []);
});

test('what has nothing to do with each other goes on at the same time', async () => {
  const processes = new Processes();
  const claims = await Promise.all(['left', 'right', 'apart'].map((task) => processes.claim(task)));
  assert.equal(
    claims.map((one) => one?.waited),
    [false, false, false],
  );
  for (const one of claims) one?.release();
  assert.equal(processes.held, []);
});

for (const [first, second] of [
  ['left', 'left'],
  ['top', 'left'],
  ['left', 'top'],
  ['top', 'bottom'],
  ['bottom', 'top'],
] as const) {
  test(`${second} waits while another process is at ${first}`, async () => {
    const processes = new Processes();
    const held = await processes.claim(first);
    const waiting = processes.claim(second);
    assert.ok(await isWaiting(waiting));
    assert.equal(processes.held, [`task:${first}`], 'who waits holds nothing');
    held?.release();
    const claimed = await waiting;
    assert.ok(claimed?.waited);
    assert.equal(processes.waits, [`${second} waits for task:${first}`]);
    claimed?.release();
    assert.equal(processes.held, []);
  });
}

test('of many that want the same, each gets it once', async () => {
  const processes = new Processes();
  const order: string[] = [];
  const tasks = ['top', 'left', 'bottom', 'right', 'top', 'left', 'bottom', 'right'];
  await Promise.all(
    tasks.map(async (task) => {
      const claimed = await processes.claim(task);
      order.push(`+${task}`);
      await new Promise((resume) => setTimeout(resume, 2));
      order.push(`-${task}`);
      claimed?.release();
    }),
  );
  const held: string[] = [];
  for (const event of order) {
    const task = event.slice(1);
    if (event.startsWith('-')) held.splice(held.indexOf(task), 1);
    else {
      for (const other of held) assert.equal([task, other].sort(), ['left', 'right'], order.join(' '));
      held.push(task);
    }
  }
  assert.is(order.length, 16);
});

test('who is gone is not waited for', async () => {
  const processes = new Processes();
  const gone = 2 ** 22 + 1;
  await processes.claim('top', { pid: gone });
  const left = await processes.claim('left');
  assert.is(left?.waited, false);
  left?.release();
  assert.is((await processes.claim('top'))?.waited, false);
});

test('a claim that this process has given back is in nobody’s way, though it is still on file', async () => {
  const leases = new MemoryLeases(SELF, { now: () => 1, ttlMs: 60_000 });
  const { signal } = new AbortController();
  const options = { leases, graph, now: Date.now, signal, isSpent: () => false, onWait: () => assert.unreachable() };
  leases.acquire('task:top', () => false);
  const left = await claim('left', options);
  assert.is(left?.waited, false);
  left?.release();
  assert.is((await claim('top', options))?.waited, false);
});

test('an abort ends the waiting, for the same task and for another', async () => {
  const processes = new Processes();
  await processes.claim('top');
  for (const task of ['top', 'left']) {
    const abort = new AbortController();
    const waiting = processes.claim(task, { signal: abort.signal });
    assert.ok(await isWaiting(waiting));
    abort.abort();
    assert.is(await waiting, undefined);
    assert.equal(processes.held, ['task:top']);
  }
});

test('a task that this configuration does not have is nobody’s business', async () => {
  const processes = new Processes();
  processes.leases({ ...SELF, id: 'other' }).acquire('task:unknown', () => false);
  assert.is((await processes.claim('top'))?.waited, false);
});

test.run();
