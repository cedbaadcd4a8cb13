/** Stacks, pools, views and limits; transfer, collection and renaming. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digest } from '../../../core/base/digest.ts';
import { sha256 } from '../../../core/base/hash.ts';
import type { Cache, CollectOptions } from '../../../core/call/caches/cache.ts';
import { collectGarbage } from '../../../core/call/caches/gc.ts';
import { SizeLimitedCache } from '../../../core/call/caches/limited.ts';
import { rename } from '../../../core/call/caches/rename.ts';
import { CachePool, CacheStack } from '../../../core/call/caches/stack.ts';
import { transfer } from '../../../core/call/caches/transfer.ts';
import { FilteredCache, ReadOnlyCache, RefreshingCache } from '../../../core/call/caches/views.ts';
import { fingerprint, part } from '../../../core/call/fingerprint.ts';
import { MemoryCallStore, MemoryValueStore } from '../../../core/store/memory.ts';
import type { CallRecord } from '../../../core/store/record.ts';
import { laterCache, memoryCache } from '../_caches.ts';

/** Files a call `name(x) = result` as a memoised function would. */
async function fileCall(cache: Cache, name: string, x: unknown, result: unknown, filed = 1): Promise<CallRecord> {
  const argument = await cache.keep(x, digest(x));
  const stored = await cache.keep(result, digest(result));
  const parts = [
    part('identity', 'name', digest(name)),
    part('identity', 'module', digest('m.ts')),
    part('argument', 'arg:x', argument.digest, argument.blob),
  ];
  const record: CallRecord = {
    ...fingerprint(parts),
    kind: 'function',
    name,
    module: 'm.ts',
    failure: null,
    result: stored,
    promised: false,
    outputs: null,
    log: null,
    metadata: {},
    filed,
  };
  await cache.file(record);
  return record;
}

async function resultOf(
  cache: { lookup(key: CallRecord['key']): unknown; value(blob: never): unknown },
  record: CallRecord,
): Promise<unknown> {
  const found = (await cache.lookup(record.key)) as CallRecord | undefined;
  return found === undefined ? undefined : await cache.value(found.result?.blob as never);
}

for (const [kind, remote] of [
  ['at once', memoryCache],
  ['later', laterCache],
] as const) {
  test(`a hit behind the front is copied to it with its values; a layer that answers ${kind}`, async () => {
    const [front, back] = [memoryCache(), remote()];
    const record = await fileCall(back, 'f', 1, { a: [1, 2] });
    const stack = new CacheStack([front, back]);
    assert.is(await front.contains(record.key), false);
    assert.equal(await resultOf(stack, record), { found: true, value: { a: [1, 2] } });
    assert.is(await front.contains(record.key), true);
    assert.equal(await resultOf(front, record), { found: true, value: { a: [1, 2] } });
    assert.is(await front.target(digest(1)), record.parts[2]?.blob);
  });
}

test('a record whose result is gone behind the front is not copied', async () => {
  const [front, back] = [memoryCache(), memoryCache()];
  const record = await fileCall(back, 'f', 1, 'lost');
  await back.values.delete(record.result?.blob ?? sha256(''));
  await new CacheStack([front, back]).lookup(record.key);
  assert.is(await front.lookup(record.key), undefined);
});

test('a stack is written at the front, evicted everywhere, and listed once', async () => {
  const [front, back] = [memoryCache(), memoryCache()];
  const stack = new CacheStack([front, back]);
  const both = await fileCall(front, 'f', 1, 1, 5);
  await fileCall(back, 'f', 1, 1, 5);
  const old = await fileCall(back, 'f', 2, 2, 3);
  const keys: string[] = [];
  for await (const record of stack.find({})) keys.push(record.key);
  assert.equal(keys, [both.key, old.key]);
  assert.is(await stack.evict(both.key), true);
  assert.is(await front.contains(both.key), false);
  assert.is(await back.contains(both.key), false);
});

test('a stack of stacks is one stack; a pool in a stack stays a pool', () => {
  const [a, b, c] = [memoryCache(), memoryCache(), memoryCache()];
  assert.equal(new CacheStack([new CacheStack([a, b]), c]).layers.length, 3);
  assert.equal(new CacheStack([a]).push(b).front, b);
  assert.equal(new CacheStack([a, new CachePool([b, c])]).layers.length, 2);
});

test('a pool answers from any member, copies nothing and takes nothing', async () => {
  const [a, b] = [memoryCache(), memoryCache()];
  const record = await fileCall(b, 'f', 1, 'from b');
  const pool = new CachePool([a, b]);
  assert.equal(await resultOf(pool, record), { found: true, value: 'from b' });
  assert.is(await a.contains(record.key), false);
  assert.is(await pool.file(record), false);
  assert.is(await pool.evict(record.key), false);
});

test('a read-only view takes nothing, a filtered one hides, a refreshing one never answers', async () => {
  const inner = memoryCache();
  const [shown, hidden] = [await fileCall(inner, 'f', 1, 1), await fileCall(inner, 'g', 1, 1)];
  const readOnly = new ReadOnlyCache(inner);
  assert.is(await readOnly.file(shown), false);
  assert.is(await readOnly.evict(shown.key), false);
  assert.is(await readOnly.contains(shown.key), true);
  const filtered = new FilteredCache(inner, (record) => record.name === 'f');
  assert.is(await filtered.contains(shown.key), true);
  assert.is(await filtered.contains(hidden.key), false);
  const refreshing = new RefreshingCache(inner);
  assert.is(await refreshing.contains(shown.key), false);
  assert.is(await refreshing.file(shown), true);
});

test('within a number of entries the least recently used goes first, with the values only it names', async () => {
  const cache = new SizeLimitedCache(new MemoryValueStore(), new MemoryCallStore(), { maxEntries: 2 });
  const [a, b] = [await fileCall(cache, 'f', 'a', 'result a'), await fileCall(cache, 'f', 'b', 'result b')];
  cache.lookup(a.key);
  const c = await fileCall(cache, 'f', 'c', 'result c');
  assert.equal(
    [a, b, c].map((record) => cache.lookup(record.key) !== undefined),
    [true, false, true],
  );
  assert.is(await cache.values.has(b.result?.blob ?? sha256('')), false);
  assert.is(await cache.values.has(a.result?.blob ?? sha256('')), true);
});

test('within a number of bytes a value that two calls share counts once and outlives one of them', async () => {
  const large = 'x'.repeat(1000);
  const cache = new SizeLimitedCache(new MemoryValueStore(), new MemoryCallStore(), { maxBytes: 1200 });
  const [a, b] = [await fileCall(cache, 'f', 'a', large), await fileCall(cache, 'f', 'b', large)];
  assert.is(cache.size.entries, 2);
  await cache.evict(a.key);
  assert.equal(await resultOf(cache, b), { found: true, value: large });
});

test('filing a call anew keeps the values that both answers name', async () => {
  const cache = new SizeLimitedCache(new MemoryValueStore(), new MemoryCallStore(), { maxEntries: 2 });
  const record = await fileCall(cache, 'f', 'a', 'same');
  await fileCall(cache, 'f', 'a', 'same');
  assert.equal(await resultOf(cache, record), { found: true, value: 'same' });
});

test('a transfer copies what the target lacks, overwrites or takes away only when told to', async () => {
  const [from, to] = [memoryCache(), memoryCache()];
  const [a, b] = [await fileCall(from, 'f', 1, 'a'), await fileCall(from, 'f', 2, 'b')];
  await fileCall(to, 'f', 2, 'other b');
  assert.equal(await transfer(from, to), { copied: 1, skipped: 1, failed: 0 });
  assert.equal(await resultOf(to, b), { found: true, value: 'other b' });
  assert.equal(await transfer(from, to, { overwrite: true, pop: true }), { copied: 2, skipped: 0, failed: 0 });
  assert.equal(await resultOf(to, b), { found: true, value: 'b' });
  assert.is(await from.contains(a.key), false);
});

test('a collection removes what no record names, and spares what is young or pinned', async () => {
  let now = 1000;
  const values = new MemoryValueStore(() => now);
  const cache = Object.assign(memoryCache(), {});
  const calls = new MemoryCallStore();
  const kept = sha256('kept');
  for (const text of ['kept', 'lost', 'pinned']) values.put(sha256(text), Buffer.from(text));
  values.alias(digest('lost'), sha256('lost'));
  now = 5000;
  values.put(sha256('young'), Buffer.from('young'));
  const record = await fileCall(cache, 'f', 1, 1);
  calls.put({ ...record, parts: [], result: { digest: kept, blob: kept } });
  const options = { graceMs: 1000, now, pinned: new Set([sha256('pinned')]) };
  const planned = await collectGarbage(values, calls, { ...options, dryRun: true });
  assert.is(values.has(sha256('lost')), true);
  const report = await collectGarbage(values, calls, options);
  assert.equal([report.removed, report.aliases], [planned.removed, planned.aliases]);
  assert.equal([report.removed, report.kept, report.aliases], [1, 3, 1]);
  assert.equal(
    ['kept', 'lost', 'pinned', 'young'].map((text) => values.has(sha256(text))),
    [true, false, true, true],
  );
});

test('a cache collects by itself what its calls do not name', async () => {
  const cache = memoryCache();
  const [kept, gone] = [await fileCall(cache, 'f', 1, 'kept'), await fileCall(cache, 'f', 2, 'gone')];
  await cache.evict(gone.key);
  const removed = async (options: CollectOptions): Promise<number> => (await cache.gc(options)).removed;
  assert.equal([await removed({}), await removed({ grace: 0, dryRun: true })], [0, 2]);
  assert.equal([await removed({ grace: '0s' }), await removed({ grace: 0 })], [2, 0]);
  assert.equal(await resultOf(cache, kept), { found: true, value: 'kept' });
});

test('the calls of a renamed function are answers of the new name', async () => {
  const cache = memoryCache();
  const old = await fileCall(cache, 'f', 1, 'one');
  const fresh = await fileCall(memoryCache(), 'g', 1, 'one');
  assert.equal(await rename(cache, { name: 'f' }, { name: 'g' }), { renamed: 1, conflicts: 0 });
  assert.is(await cache.contains(old.key), false);
  assert.equal(await resultOf(cache, fresh), { found: true, value: 'one' });
});

test('renaming leaves alone what the new name has answered itself', async () => {
  const cache = memoryCache();
  const old = await fileCall(cache, 'f', 1, 'old');
  const own = await fileCall(cache, 'g', 1, 'own');
  assert.equal(await rename(cache, { name: 'f' }, { name: 'g' }), { renamed: 0, conflicts: 1 });
  assert.is(await cache.contains(old.key), true);
  assert.equal(await resultOf(cache, own), { found: true, value: 'own' });
});

test.run();
