/**
 * The examples that introduce the management of caches, one test each: clearing, crash recovery, known values, where a
 * cache is, looking after it. Durations are shorter, and what was printed is what is asserted.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cache, fleche, LocalCache } from '../core/index.ts';
import { warningsOf } from './call/_warnings.ts';

/** Runs `body` with a cache in a folder of its own. */
async function inFolder(body: (root: string, store: LocalCache) => unknown): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'fleche-'));
  const store = new LocalCache(join(root, 'cache'));
  await cache(store, async () => body(store.location ?? '', store));
  await store.close();
  rmSync(root, { recursive: true });
}

test('basic cache management', () =>
  inFolder((root) => {
    let calculated = 0;
    const expensiveCalculation = fleche(
      (n: number, precision: number) => {
        calculated++;
        return Array.from({ length: n }, (_, i) => i ** precision).reduce((a, b) => a + b, 0);
      },
      { name: 'expensiveCalculation', args: ['n', 'precision'], staleAfter: '1h' },
    );

    const result1 = expensiveCalculation(1000, 2);
    const result2 = expensiveCalculation(1000, 2);
    assert.is(result2, result1);
    assert.is(calculated, 1);

    assert.is(expensiveCalculation.clear(), 1);
    assert.is(expensiveCalculation(1000, 2), result1);
    assert.is(calculated, 2);

    const place = expensiveCalculation.cacheLocation();
    assert.is(place, root);
    assert.ok(existsSync(place ?? ''));

    assert.is(expensiveCalculation.precache([100, 2], 338_350), 338_350);
    assert.is(expensiveCalculation(100, 2), 338_350);
    assert.is(calculated, 2);
  }));

test('concurrent access management', () =>
  inFolder(async () => {
    let calculated = 0;
    const sharedComputation = fleche(
      async (dataId: string) => {
        calculated++;
        await new Promise((resolve) => setImmediate(resolve));
        return `processed_${dataId}`;
      },
      { name: 'sharedComputation', waitTimeout: '30s' },
    );

    const workers = Array.from({ length: 5 }, () => sharedComputation('shared_data'));
    assert.equal(new Set(await Promise.all(workers)), new Set(['processed_shared_data']));
    assert.is(calculated, 1);

    assert.is(sharedComputation.clearBeingCalculated(), 0);
  }));

test('pre-population of a cache', () =>
  inFolder(() => {
    const asked: unknown[] = [];
    interface User {
      readonly name: string;
      readonly email: string;
      readonly details?: string;
    }
    const apiLookup = fleche(
      (userId: number, includeDetails = false): User => {
        asked.push([userId, includeDetails]);
        throw new Error('no network here');
      },
      { name: 'apiLookup', args: ['userId', 'includeDetails'] },
    );
    const testUsers = new Map([
      [123, { name: 'Alice', email: 'alice@example.com' }],
      [456, { name: 'Bob', email: 'bob@example.com' }],
    ]);
    for (const [userId, user] of testUsers) {
      apiLookup.precache([userId], user);
      apiLookup.precache([userId, true], { ...user, details: 'full_profile' });
    }

    assert.equal(apiLookup(123), { name: 'Alice', email: 'alice@example.com' });
    assert.equal(apiLookup(456, true), { name: 'Bob', email: 'bob@example.com', details: 'full_profile' });
    assert.equal(asked, []);
    assert.throws(() => apiLookup(789), /no network here/);
  }));

test('selective clearing of a cache', () =>
  inFolder((root) => {
    const processed: string[] = [];
    const processFile = fleche(
      (path: string, options?: { readonly uppercase?: boolean }) => {
        processed.push(path);
        const content = `content of ${path}`;
        return { content: options?.uppercase ? content.toUpperCase() : content, size: content.length };
      },
      { name: 'processFile', args: ['path', 'options'] },
    );

    processFile('/path/to/file1.txt');
    assert.is(processFile('/path/to/file2.txt', { uppercase: true }).content, 'CONTENT OF /PATH/TO/FILE2.TXT');
    processFile('/path/to/file3.txt');

    // One call, then all of them.
    assert.is(processFile.clear('/path/to/file2.txt', { uppercase: true }), 1);
    assert.is(processFile.contains('/path/to/file1.txt'), true);
    assert.is(processFile.contains('/path/to/file2.txt', { uppercase: true }), false);
    assert.is(processFile.clear(), 2);
    assert.is(processFile.clear(), 0);
    processFile('/path/to/file1.txt');
    assert.is(processed.length, 4);
    assert.ok(readdirSync(root).length > 0);
  }));

test('recovery after a crash', () =>
  inFolder(async (_, store) => {
    const distributedTask = fleche(async (taskId: number) => `done ${taskId}`, {
      name: 'distributedTask',
      waitTimeout: '60s',
    });
    const problems: string[] = [];
    const recoverFromCrash = async (): Promise<void> => {
      try {
        distributedTask.clearBeingCalculated();
        await distributedTask.clear();
      } catch (error) {
        problems.push(`Recovery failed: ${error}`);
      }
    };

    await distributedTask(1);
    // What a process that was killed in the middle of a call leaves behind.
    const crashed = `call ["tests/cache-management.ts","distributedTask"] ${await distributedTask.digest(2)}`;
    store.exclusion?.leases.acquire(crashed, () => false);
    await recoverFromCrash();
    assert.equal(problems, []);
    assert.equal(store.exclusion?.leases.list(), []);
    assert.equal(await distributedTask.entries(), []);
    assert.is(await distributedTask(2), 'done 2');
  }));

test('inspection and maintenance of a cache', () =>
  inFolder(async (root, store) => {
    const clock = { now: 1_700_000_000_000 };
    const HOUR = 3_600_000;
    const monitoredFunction = fleche((param: string) => param.repeat(100), {
      name: 'monitoredFunction',
      args: ['param'],
      staleAfter: '1h',
      cleanupStale: true,
      cleanupInterval: '1h',
      now: () => clock.now,
    });

    const warnings = await warningsOf(async () => {
      for (const param of ['a', 'bb', 'ccc']) monitoredFunction(param);
      clock.now += HOUR / 2;
      monitoredFunction('dddd');

      const entries = monitoredFunction.entries();
      assert.equal(
        entries.map(({ age, size, state, calculating }) => [Math.round((age / HOUR) * 10), size, state, calculating]),
        [
          [0, entries[0]?.size, 'fresh', false],
          [5, entries[1]?.size, 'fresh', false],
          [5, entries[2]?.size, 'fresh', false],
          [5, entries[3]?.size, 'fresh', false],
        ],
      );
      const { entries: count, bytes } = monitoredFunction.stats();
      assert.is(count, 4);
      assert.is(
        bytes,
        entries.reduce((sum, { size }) => sum + (size ?? 0), 0),
      );
      assert.ok(bytes > 1000 && bytes < 1100);

      // What is too old to be served goes at the next call, in the background.
      clock.now += HOUR * 0.7;
      monitoredFunction('dddd');
      await store.flush();
      assert.is(monitoredFunction.stats().entries, 1);

      // Clear the cache if it is too large.
      const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).map((name) => statSync(join(root, name)));
      assert.ok(files.reduce((sum, { size }) => sum + size, 0) > 0);
      if (monitoredFunction.stats().bytes > 100) monitoredFunction.clear();
      assert.is(monitoredFunction.stats().entries, 0);
    });
    assert.equal(warnings, []);
  }));

test('the same methods are there on every kind of cache, at once or as promises', async () => {
  const { Cache, FolderCallStore, FolderValueStore, MemoryCallStore, MemoryValueStore, SqlCallStore } = await import(
    '../core/index.ts'
  );
  const root = mkdtempSync(join(tmpdir(), 'fleche-'));
  const stores = [
    new Cache(new MemoryValueStore(), new MemoryCallStore()),
    new Cache(new FolderValueStore({ root: join(root, 'v') }), new FolderCallStore({ root: join(root, 'c') })),
    new Cache(new MemoryValueStore(), new SqlCallStore({ path: ':memory:' })),
    new LocalCache(join(root, 'local')),
  ];
  const double = fleche((x: number) => x * 2, { name: 'double' });
  const doubleLater = fleche(async (x: number) => x * 2, { name: 'doubleLater' });
  for (const store of stores) {
    await cache(store, async () => {
      assert.is(double.precache([1], 3), 3);
      assert.is(double(1), 3);
      assert.is(double.entries().length, 1);
      assert.is(double.clear(1), 1);
      assert.is(double(1), 2);
      assert.is(await doubleLater.precache([1], Promise.resolve(3)), 3);
      assert.is(await doubleLater(1), 3);
      assert.is((await doubleLater.entries()).length, 1);
      assert.is(await doubleLater.clear(), 1);
      assert.is((await doubleLater.stats()).entries, 0);
      assert.is(double.clearBeingCalculated(), 0);
      assert.is(double.cacheLocation(), store.location);
    });
    await store.close();
  }
  rmSync(root, { recursive: true });
});

test.run();
