import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Cache } from '../../core/call/cache.ts';
import type { Exclusion } from '../../core/call/cache-core.ts';
import { cache } from '../../core/call/context.ts';
import { fleche } from '../../core/call/fleche.ts';
import { LocalCache } from '../../core/call/local-cache.ts';
import type { Lease } from '../../core/store/leases.ts';
import { MemoryCallStore, MemoryValueStore } from '../../core/store/memory.ts';
import { MemoryLeases } from '../../core/store/memory-leases.ts';
import { SELF } from '../../core/store/owner.ts';
import { memoryCache } from './_caches.ts';

const WORKER = resolve(import.meta.dirname, '_exclusive-worker.ts');

interface Worker {
  readonly child: ChildProcess;
  /** What it printed last, when it has ended. */
  readonly answer: Promise<string>;
}

function start(root: string, ...args: readonly string[]): Worker {
  const child = spawn(process.execPath, ['--import', 'tsx', WORKER, root, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  const answer = new Promise<string>((done) => {
    child.on('close', () => done(output.trim().split('\n').at(-1) ?? ''));
  });
  return { child, answer };
}

const runs = (root: string): number => readFileSync(join(root, 'runs'), 'utf8').split('\n').length - 1;
/** When a worker has begun to run the function. */
function begun(root: string): Promise<void> {
  return new Promise((done) => {
    const seen = (): void => {
      if (!existsSync(join(root, 'runs')) || runs(root) === 0) return;
      watcher.close();
      done();
    };
    const watcher = watch(root, seen);
    seen();
  });
}

const folder = (): string => mkdtempSync(join(tmpdir(), 'fleche-'));

for (const kind of ['sync', 'async']) {
  test(`processes that ask at the same time share one execution (${kind})`, async () => {
    const root = folder();
    const workers = [1, 2, 3].map(() => start(root, kind, '400'));
    assert.equal(await Promise.all(workers.map(({ answer }) => answer)), ['42', '42', '42']);
    assert.is(runs(root), 1);
    rmSync(root, { recursive: true });
  });

  test(`a holder that is killed hangs nobody (${kind})`, async () => {
    const root = folder();
    const first = start(root, kind, '60000');
    await begun(root);
    const second = start(root, kind, '1');
    first.child.kill('SIGKILL');
    assert.is(await second.answer, '42');
    assert.is(runs(root), 2);
    rmSync(root, { recursive: true });
  });

  test(`who waits for a call that fails gets the error (${kind})`, async () => {
    const root = folder();
    const workers = [1, 2, 3].map(() => start(root, kind, '400', 'fails'));
    const answers = await Promise.all(workers.map(({ answer }) => answer));
    assert.equal(answers, ['RangeError: failed 21', 'RangeError: failed 21', 'RangeError: failed 21']);
    assert.is(runs(root), 1);
    rmSync(root, { recursive: true });
  });
}

test('a lease is given back whatever the call does', async () => {
  const root = folder();
  const store = new LocalCache(root);
  const held: number[] = [];
  const leased = fleche(
    (what: string): unknown => {
      held.push(store.exclusion?.leases.list().length ?? -1);
      if (what === 'throws') throw new Error(what);
      return what === 'rejects' ? Promise.reject(new Error(what)) : what;
    },
    { name: 'leased' },
  );
  await cache(store, async () => {
    assert.is(leased('returns'), 'returns');
    assert.throws(() => leased('throws'));
    await Promise.resolve(leased('rejects')).then(
      () => assert.unreachable(),
      () => {},
    );
    assert.equal(held, [1, 1, 1]);
    assert.equal(store.exclusion?.leases.list(), []);
  });
  await store.close();
  rmSync(root, { recursive: true });
});

/** A cache that another process, alive and elsewhere in a call, shares. */
class SharedCache extends Cache {
  readonly leases = new Map<string, Lease>();

  constructor() {
    super(new MemoryValueStore(), new MemoryCallStore());
  }
  #leasesOf(id: string): MemoryLeases {
    return new MemoryLeases({ ...SELF, id }, { now: Date.now, ttlMs: 60_000, shared: this.leases });
  }
  get other(): MemoryLeases {
    return this.#leasesOf('another process');
  }
  override get exclusion(): Exclusion {
    return { leases: this.#leasesOf(SELF.id), refresh: () => {}, whenVisible: (then) => then() };
  }
}

test('nobody waits longer than wanted', async () => {
  let ran = 0;
  const options = { waitTimeout: 20 };
  const impatient = fleche((x: number) => ++ran + x, { ...options, name: 'impatient' });
  const impatientLater = fleche(async (x: number) => ++ran + x, { ...options, name: 'impatientLater' });
  const store = new SharedCache();
  const take = (name: string, key: string): void => {
    store.other.acquire(`call ["tests/call/exclusive.ts","${name}"] ${key}`, () => false);
  };
  await cache(store, async () => {
    take('impatient', impatient.digest(1));
    take('impatientLater', await impatientLater.digest(1));
    assert.is(impatient(1), 2);
    assert.is(await impatientLater(1), 3);
    assert.is(store.leases.size, 2);
    impatient.clearBeingCalculated();
    assert.is(store.leases.size, 1);
  });
});

test('nobody waits for itself', async () => {
  const again = fleche(
    (x: number): unknown =>
      x === 0 ? 'done' : new Promise((resolve) => setImmediate(() => resolve(again.rerun(x - 1)))),
    { name: 'again' },
  );
  const store = new SharedCache();
  await cache(store, async () => {
    const first = again(1);
    const second = again.rerun(1);
    assert.equal(await Promise.all([first, second]), ['done', 'done']);
    assert.is(store.leases.size, 0);
  });
});

test('a cache that no other process sees needs no leases', () => {
  const alone = fleche((x: number) => x, { name: 'alone' });
  cache(memoryCache(), () => {
    assert.is(alone(1), 1);
    assert.is(alone(1), 1);
  });
});

test.run();
