import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hold, holdSync, sweep, tryHold } from '../../core/store/hold.ts';
import type { Lease, LeaseStore, Owner } from '../../core/store/leases.ts';
import { openLeases } from '../../core/store/lmdb/lmdb-leases.ts';
import { MemoryLeases } from '../../core/store/memory-leases.ts';
import { isAbandoned, noteGivenBack, noteHeld, SELF } from '../../core/store/owner.ts';

const never = (): boolean => false;
const always = (): boolean => true;

/** The contract, for every kind of lease store; `now` can be moved. */
function contract(kind: string, open: (clock: { now: number }) => LeaseStore): void {
  const using = async (use: (leases: LeaseStore, clock: { now: number }) => void): Promise<void> => {
    const clock = { now: 1_000_000 };
    const leases = open(clock);
    try {
      use(leases, clock);
    } finally {
      await leases.close();
    }
  };

  test(`${kind}: one holder a name, until it is given back`, () =>
    using((leases) => {
      const first = taken(leases, 'a');
      assert.is(leases.acquire('a', never).kind, 'held');
      assert.is(leases.acquire('b', never).kind, 'acquired');
      leases.release(first);
      assert.is(leases.acquire('a', never).kind, 'acquired');
    }));

  test(`${kind}: tokens only grow, and one that was taken over can neither renew nor release`, () =>
    using((leases) => {
      const first = taken(leases, 'a');
      const second = leases.acquire('a', always);
      assert.ok(second.kind === 'acquired' && second.lease.token > first.token);
      assert.is(leases.renew(first), false);
      leases.release(first);
      assert.is(leases.holder('a')?.token, second.lease.token);
      leases.release(second.lease);
      assert.ok(taken(leases, 'a').token > second.lease.token);
    }));

  test(`${kind}: renewing moves the time of the last sign of life`, () =>
    using((leases, clock) => {
      const lease = taken(leases, 'a');
      clock.now += 500;
      assert.is(leases.renew(lease), true);
      assert.is(leases.holder('a')?.renewed, clock.now);
      assert.is(leases.holder('a')?.acquired, lease.acquired);
    }));

  test(`${kind}: a note is there for all who come later, until it is forgotten`, () =>
    using((leases) => {
      const noteOf = (): string | undefined => {
        const acquired = leases.acquire('a', never);
        if (acquired.kind !== 'acquired') throw new Error('held');
        leases.release(acquired.lease);
        return acquired.note && Buffer.from(acquired.note).toString();
      };
      assert.is(noteOf(), undefined);
      const first = taken(leases, 'a');
      leases.release(first, Buffer.from('one'));
      assert.equal([noteOf(), noteOf()], ['one', 'one']);
      const second = taken(leases, 'a');
      leases.release(second, Buffer.from('two'));
      leases.forget([first]);
      assert.is(noteOf(), 'two');
      leases.forget([second]);
      assert.is(noteOf(), undefined);
    }));

  test(`${kind}: who was taken over leaves no note; notes are cleared with their holders`, () =>
    using((leases) => {
      const first = taken(leases, 'a');
      const second = leases.acquire('a', always);
      leases.release(first, Buffer.from('one'));
      if (second.kind === 'acquired') leases.release(second.lease, Buffer.from('two'));
      assert.is(
        leases.clear((lease) => lease.token === first.token),
        0,
      );
      const third = leases.acquire('a', never);
      assert.is(third.kind === 'acquired' && String(third.note && Buffer.from(third.note)), 'two');
      if (third.kind === 'acquired') leases.release(third.lease);
      leases.clear(always);
      const fourth = leases.acquire('a', never);
      assert.is(fourth.kind === 'acquired' && fourth.note, undefined);
    }));

  test(`${kind}: leases that are given back together are all given back, and others can be taken afterwards`, () =>
    using((leases) => {
      const [one, other] = [taken(leases, 'a'), taken(leases, 'b')];
      leases.together(() => {
        for (const lease of [one, other]) leases.release(lease);
      });
      assert.equal(leases.list(), []);
      taken(leases, 'a');
      assert.is(leases.list().length, 1);
    }));

  test(`${kind}: leases that are taken together have tokens that grow, and so have those that come after them`, () =>
    using((leases) => {
      const all = [taken(leases, 'a')];
      leases.together(() => {
        for (const name of ['b', 'c']) all.push(taken(leases, name));
      });
      all.push(taken(leases, 'd'));
      const tokens = all.map(({ token }) => token);
      assert.equal(
        tokens,
        [...new Set(tokens)].sort((a, b) => a - b),
      );
      assert.equal(leases.holder('c'), all[2]);
    }));

  test(`${kind}: leases can be listed and cleared`, () =>
    using((leases) => {
      for (const name of ['a', 'b', 'task:ä/ö']) taken(leases, name);
      assert.equal(
        leases
          .list()
          .map(({ name }) => name)
          .sort(),
        ['a', 'b', 'task:ä/ö'],
      );
      const long = 'n'.repeat(3000);
      taken(leases, long);
      for (const name of ['task:ä/ö', long]) {
        assert.equal(
          leases.list((other) => other === name).map(({ name }) => name),
          [name],
        );
      }
      leases.clear(({ name }) => name === long);
      assert.is(
        leases.clear(({ name }) => name !== 'b'),
        2,
      );
      assert.equal(
        leases.list().map(({ name }) => name),
        ['b'],
      );
    }));
}

function taken(leases: LeaseStore, name: string): Lease {
  const acquired = leases.acquire(name, never);
  if (acquired.kind !== 'acquired') throw new Error(`${name} is held`);
  return acquired.lease;
}

const folders: string[] = [];
contract('memory', (clock) => new MemoryLeases(SELF, { now: () => clock.now, ttlMs: 100 }));
contract('lmdb', (clock) => {
  const folder = mkdtempSync(join(tmpdir(), 'fleche-'));
  folders.push(folder);
  return openLeases(folder, { now: () => clock.now, ttlMs: 100 });
});

function leaseOf(owner: Partial<Owner>, renewed: number): Lease {
  return { name: 'a', owner: { ...SELF, id: 'other', ...owner }, token: 1, acquired: renewed, renewed, ttl: 100 };
}

test('a holder on this machine is asked for, one elsewhere is believed until its time is over', () => {
  const GONE = 2 ** 22 + 1;
  assert.is(isAbandoned(leaseOf({ pid: GONE }, 1000), 1001), true);
  assert.is(isAbandoned(leaseOf({ pid: process.pid }, 1000), 1_000_000), false);
  assert.is(isAbandoned(leaseOf({ host: 'elsewhere' }, 1000), 1100), false);
  assert.is(isAbandoned(leaseOf({ host: 'elsewhere' }, 1000), 1101), true);
  // A clock elsewhere that goes ahead, or one here that was set back, makes nobody wait for it.
  assert.is(isAbandoned(leaseOf({ host: 'elsewhere' }, 1000), 900), false);
  assert.is(isAbandoned(leaseOf({ host: 'elsewhere' }, 1000), 899), true);
  const own = { ...leaseOf({}, 0), owner: SELF };
  noteHeld(own);
  assert.is(isAbandoned(own, 1_000_000), false);
  noteGivenBack(own);
  assert.is(isAbandoned(own, 1_000_000), true, 'one of this process that it does not hold any more');
});

test('a process id that is used again, and a thread that ended, are no longer the holder', async () => {
  const [pid, thread, started] = SELF.id.split('/');
  if (thread === '' || started === '') return assert.is.not(process.platform, 'linux');
  const other = (...id: unknown[]): boolean => isAbandoned(leaseOf({ id: id.join('/') }, 1000), 1000);
  assert.is(other(pid, thread, started, 'other'), false);
  assert.is(other(pid, thread, Number(started) + 1, 'other'), true);
  const module = new URL('../../core/store/owner.ts', import.meta.url);
  const worker = new Worker(
    `import('tsx/esm/api').then(async ({ register }) => {
      register();
      require('node:worker_threads').parentPort.postMessage((await import('${module}')).SELF);
      setInterval(() => {}, 1000);
    });`,
    { eval: true },
  );
  const owner = await new Promise<Owner>((resolve) => worker.once('message', resolve));
  assert.is(owner.host, SELF.host);
  assert.is(isAbandoned(leaseOf(owner, 1000), 1000), false);
  await worker.terminate();
  assert.is(isAbandoned(leaseOf(owner, 1000), 1000), true);
});

test('what holders that are gone left behind is swept away, and nothing else', () => {
  const shared = new Map<string, Lease>();
  const store = (owner: Owner): LeaseStore => new MemoryLeases(owner, { now: () => 0, ttlMs: 1000, shared });
  taken(store({ ...SELF, id: 'gone', pid: 2 ** 22 + 1 }), 'a');
  tryHold(store(SELF), 'b', () => 0);
  taken(store({ ...SELF, id: 'far', host: 'elsewhere' }), 'c');
  sweep(store(SELF), 500);
  assert.equal([...shared.keys()], ['b', 'c']);
  sweep(store(SELF), 1500);
  assert.equal([...shared.keys()], ['b']);
});

test('a lease is tried for without waiting', () => {
  const [one, two] = twoProcesses();
  const tried = tryHold(one, 'a', () => 0);
  assert.ok('lease' in tried && !tried.waited);
  const other = tryHold(two, 'a', () => 0);
  assert.is('holder' in other && other.holder.owner.id, 'one');
  if ('lease' in tried) tried.release(Buffer.from('note'));
  const held = tryHold(two, 'a', () => 0);
  assert.ok('lease' in held);
  if ('lease' in held) held.release();
});

/** Two stores that see the same leases, as two live processes do. */
function twoProcesses(): readonly [LeaseStore, LeaseStore] {
  const shared = new Map<string, Lease>();
  const store = (id: string): LeaseStore =>
    new MemoryLeases({ ...SELF, id, host: `${SELF.host} ${id}` }, { now: () => 0, ttlMs: 1000, shared });
  return [store('one'), store('two')];
}

test('all leases that are held of a store are renewed, for as long as they are held', async () => {
  const renewed: string[][] = [[]];
  let next = (): void => {};
  class Heard extends MemoryLeases {
    override together(steps: () => void): void {
      super.together(steps);
      renewed.push([]);
      next();
    }
    override renew(lease: Lease): boolean {
      renewed.at(-1)?.push(lease.name);
      return super.renew(lease);
    }
  }
  const leases = new Heard(SELF, { now: () => 0, ttlMs: 6 });
  const beat = (): Promise<void> => new Promise((resolve) => (next = resolve));
  // Beats alone keep no process alive.
  const alive = setInterval(() => {}, 1000);
  const [a, b] = ['a', 'b'].map((name) => tryHold(leases, name, () => 0));
  await beat();
  if (a !== undefined && 'release' in a) a.release();
  await beat();
  if (b !== undefined && 'release' in b) b.release();
  clearInterval(alive);
  assert.equal(renewed.slice(0, 2), [['a', 'b'], ['b']]);
});

test('who waits gets the lease when it is given back, and knows that it waited', async () => {
  const [one, two] = twoProcesses();
  const mine = taken(one, 'a');
  const holders: string[] = [];
  const waiting = hold(two, 'a', { now: () => 0, onWait: ({ owner }) => holders.push(owner.id) });
  one.release(mine);
  const held = await waiting;
  assert.is(held?.waited, true);
  assert.equal(holders, ['one']);
  held?.release();
  assert.equal(two.list(), []);
});

test('waiting ends with the time for it, and with its signal', async () => {
  const [one, two] = twoProcesses();
  taken(one, 'a');
  let now = 0;
  const clock = (): number => (now += 10);
  assert.is(await hold(two, 'a', { now: clock, waitMs: 20 }), undefined);
  assert.is(holdSync(two, 'a', { now: clock, waitMs: 20 }), undefined);
  const abort = new AbortController();
  const waiting = hold(two, 'a', { now: () => 0, signal: abort.signal });
  abort.abort();
  assert.is(await waiting, undefined);
  assert.is(one.holder('a')?.owner.id, 'one');
});

test.after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

test.run();
