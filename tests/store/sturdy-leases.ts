/** Leases whose database fails, by itself or on a disk that is full for real. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FlecheError } from '../../core/base/errors.ts';
import { MemoryLeases } from '../../core/store/memory-leases.ts';
import { SELF } from '../../core/store/owner.ts';
import { SturdyLeases } from '../../core/store/sturdy-leases.ts';

const now = (): number => 1000;
const never = (): boolean => false;

/** Leases that work until they are told to throw something. */
class Failing extends MemoryLeases {
  fault: unknown;
  calls = 0;

  constructor() {
    super(SELF, { now, ttlMs: 1000 });
  }

  override acquire(...args: Parameters<MemoryLeases['acquire']>): ReturnType<MemoryLeases['acquire']> {
    this.#fail();
    return super.acquire(...args);
  }

  override release(...args: Parameters<MemoryLeases['release']>): void {
    this.#fail();
    super.release(...args);
  }

  #fail(): void {
    this.calls++;
    if (this.fault !== undefined) throw this.fault;
  }
}

test('a database that fails costs the knowledge of others, which is told once, and is not asked again', () => {
  const failing = new Failing();
  const told: string[] = [];
  const leases = new SturdyLeases(failing, { now, ttlMs: 1000, onTrouble: (message) => told.push(message) });
  const first = leases.acquire('a', never);
  assert.is(first.kind, 'acquired');
  failing.fault = new Error('MDB_BAD_TXN');
  leases.release(first.lease);
  const asked = failing.calls;
  assert.is(leases.acquire('a', never).kind, 'acquired');
  assert.is(leases.acquire('a', never).kind, 'held', 'within this process they still hold');
  assert.is(failing.calls, asked);
  assert.equal(told, ['other processes cannot be heard of any more (MDB_BAD_TXN)']);
});

test('what is no failure of the database is thrown', () => {
  for (const fault of [new TypeError('a bug'), new FlecheError('STORE_UNUSABLE', 'closed')]) {
    const failing = new Failing();
    failing.fault = fault;
    const leases = new SturdyLeases(failing, { now, ttlMs: 1000 });
    let thrown: unknown;
    try {
      leases.acquire('a', never);
    } catch (error) {
      thrown = error;
    }
    assert.is(thrown, fault);
  }
});

test.run();
