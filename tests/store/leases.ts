import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hold, holdSync } from '../../core/store/hold.ts';
import type { Lease, LeaseStore, Owner } from '../../core/store/leases.ts';
import { openLeases } from '../../core/store/lmdb-leases.ts';
import { MemoryLeases } from '../../core/store/memory-leases.ts';
import { isAbandoned, SELF } from '../../core/store/owner.ts';

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
  assert.is(isAbandoned({ ...leaseOf({}, 0), owner: SELF }, 1_000_000), false);
});

/** Two stores that see the same leases, as two live processes do. */
function twoProcesses(): readonly [LeaseStore, LeaseStore] {
  const shared = new Map<string, Lease>();
  const store = (id: string): LeaseStore =>
    new MemoryLeases({ ...SELF, id, host: `${SELF.host} ${id}` }, { now: () => 0, ttlMs: 1000, shared });
  return [store('one'), store('two')];
}

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

test('the folders are gone', () => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

test.run();
