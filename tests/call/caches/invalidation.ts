/** Invalidation: what was made of something goes with it, in one step and for good; everything else stays. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digest } from '../../../core/base/digest.ts';
import { type Digest, type Key, sha256 } from '../../../core/base/hash.ts';
import type { RelPath } from '../../../core/base/paths.ts';
import type { Cache } from '../../../core/call/caches/cache.ts';
import type { Invalidatable, InvalidatedCall } from '../../../core/call/caches/invalidation.ts';
import { LocalCache } from '../../../core/call/caches/local-cache.ts';
import { CacheStack } from '../../../core/call/caches/stack.ts';
import { ReadOnlyCache } from '../../../core/call/caches/views.ts';
import { cache } from '../../../core/call/context.ts';
import { productDigest } from '../../../core/call/lineage.ts';
import { fleche } from '../../../core/call/memo/fleche.ts';
import { FileRef } from '../../../core/files/refs.ts';
import { makeTree, type Tree, treeText } from '../../../core/files/trees/tree.ts';
import type { CallRecord, Part } from '../../../core/store/record.ts';
import { inNewFolder } from '../../_new-folder.ts';
import { codeOfLater } from '../../_thrown.ts';
import { aKey, aRecord } from '../../store/_record.ts';
import { laterCache, memoryCache } from '../_caches.ts';

const load = fleche((seed: number) => [seed, seed + 1], { name: 'load' });
const sum = fleche((list: readonly number[]) => list.reduce((a, b) => a + b, 0), { name: 'sum' });
const words = fleche((list: readonly number[]) => list.join(), { name: 'words' });
const join = fleche((total: number, text: string) => `${total}: ${text}`, { name: 'join' });
const apart = fleche((x: number) => x * 100, { name: 'apart' });

/** A diamond of calls: `load`, `sum` and `words` of it, `join` of both. */
const diamond = (seed: number): string => join(sum(load(seed)), words(load(seed)));

/** Names of the calls in a report, each with the part it depends by, and those under it. */
function shape(calls: readonly InvalidatedCall[]): readonly unknown[] {
  return calls.map(({ name, through, dependents }) => [name, through, ...shape(dependents)]);
}

test('what was made of an answer goes with it, and nothing else', async () => {
  const store = memoryCache();
  await cache(store, async () => {
    diamond(1);
    diamond(5);
    apart(7);
    const { count, dryRun, calls } = await store.invalidate(load.digest(1));
    assert.equal([count, dryRun], [4, false]);
    assert.equal(shape(calls), [['load', null, ['words', 'arg:list', ['join', 'arg:text']], ['sum', 'arg:list']]]);
    assert.equal(
      [load.contains(1), sum.contains([1, 2]), words.contains([1, 2]), join.contains(3, '1,2')],
      [false, false, false, false],
    );
    assert.equal(
      [load.contains(5), sum.contains([5, 6]), words.contains([5, 6]), join.contains(11, '5,6'), apart.contains(7)],
      [true, true, true, true, true],
    );
  });
});

test('a dry run tells the same and removes nothing', async () => {
  const store = memoryCache();
  await cache(store, async () => {
    diamond(1);
    const would = await store.invalidate({ name: 'load' }, { dryRun: true });
    assert.is(would.dryRun, true);
    assert.is(store.query().count(), 4);
    const did = await store.invalidate({ name: 'load' });
    assert.equal({ ...did, dryRun: true }, would);
    assert.is(store.query().count(), 0);
  });
});

test('all calls of a function by its name, one by its key or the beginning of it, several at once', async () => {
  const kinds: readonly ((key: Key) => Invalidatable | readonly Invalidatable[])[] = [
    () => 'apart',
    () => ({ name: 'apart' }),
    () => ({ name: 'apart', kind: 'function', module: 'tests/call/caches/invalidation.ts' }),
    (key) => [key.slice(0, 12), { name: 'load' }, 'apart'],
  ];
  for (const what of kinds) {
    const store = memoryCache();
    await cache(store, async () => {
      for (const x of [1, 2, 3]) apart(x);
      load(9);
      await store.invalidate(what(apart.digest(2)));
      assert.is(apart.query().count(), 0);
    });
  }
  const store = memoryCache();
  await cache(store, async () => {
    for (const x of [1, 2, 3]) apart(x);
    for (const what of [apart.digest(2), { key: apart.digest(1).slice(0, 16) }]) {
      assert.is((await store.invalidate(what)).count, 1);
    }
    assert.equal(apart.query().results(), [300]);
    assert.is(await codeOfLater(() => store.invalidate({ name: 'apart', module: 'elsewhere' })), 'CALL_UNKNOWN');
    assert.is(await codeOfLater(() => store.invalidate('never heard of')), 'CALL_UNKNOWN');
    assert.is(await codeOfLater(() => store.invalidate({ key: 'abcdef012345' })), 'CALL_UNKNOWN');
    assert.is(await codeOfLater(() => store.invalidate(aKey('nowhere'))), 'CALL_UNKNOWN');
  });
});

test('values that say nothing lead nowhere', async () => {
  const log = fleche((_: string): undefined => undefined, { name: 'log' });
  const isReady = fleche((_: number) => true, { name: 'isReady' });
  const optional = fleche((a: number, b?: unknown) => [a, b], { name: 'optional' });
  const store = memoryCache();
  await cache(store, async () => {
    log('x');
    isReady(1);
    optional(1);
    optional(1, true);
    assert.is((await store.invalidate(['log', 'isReady'])).count, 2);
    assert.is(optional.query().count(), 2);
  });
});

test('an answer that leads back to itself is told once', async () => {
  const store = memoryCache();
  const same = fleche((x: number) => x, { name: 'same' });
  const again = fleche((x: number) => x, { name: 'again' });
  await cache(store, async () => {
    again(same(4));
    const { count, calls } = await store.invalidate({ name: 'same' });
    assert.is(count, 2);
    assert.equal(shape(calls), [['same', null, ['again', 'arg:x']]]);
  });
});

test('a long chain is followed to its end, and told as it is', async () => {
  const store = memoryCache();
  const step = fleche((x: number) => x + 1000, { name: 'step' });
  await cache(store, async () => {
    for (let x = 0, steps = 0; steps < 1500; steps++) x = step(x);
    const { count, calls } = await store.invalidate(step.digest(0));
    assert.is(count, 1500);
    let depth = 0;
    for (let at = calls[0]; at !== undefined; at = at.dependents[0]) depth++;
    assert.is(depth, 1500);
    assert.is(step.query().count(), 0);
  });
});

test('what was invalidated stays so after a restart', () =>
  inNewFolder(async (root) => {
    let store = new LocalCache(root);
    cache(store, () => {
      diamond(1);
      diamond(5);
    });
    await store.close();
    store = new LocalCache(root);
    await cache(store, () => store.invalidate(load.digest(1)));
    // Another process that looks now, without a word from this one.
    const other = new LocalCache(root, { readOnly: true });
    assert.is(await other.query().count(), 4);
    await other.close();
    await store.close();
    store = new LocalCache(root);
    cache(store, () => {
      assert.equal([load.contains(1), join.contains(3, '1,2'), join.contains(11, '5,6')], [false, false, true]);
    });
    await store.close();
  }));

test('caches that answer later, and every layer of a stack', async () => {
  const later = laterCache();
  const f = fleche(async (x: number) => x * 2, { name: 'f' });
  const g = fleche(async (x: number) => x + 1, { name: 'g' });
  const front = memoryCache();
  for (const store of [later, new CacheStack([front, laterCache()])]) {
    await cache(store, async () => {
      await g(await f(21));
      assert.is((await store.invalidate('f')).count, 2);
      assert.is(await g.contains(42), false);
    });
  }
  assert.is(front.query().count(), 0);
});

test('a cache that takes nothing says so', async () => {
  const inner = memoryCache();
  cache(inner, () => load(1));
  assert.is(await codeOfLater(() => new ReadOnlyCache(inner).invalidate('load')), 'CACHE_READ_ONLY');
  assert.is((await new ReadOnlyCache(inner).invalidate('load', { dryRun: true })).count, 1);
});

/** A tree of files, by path and content. */
function treeOf(files: Readonly<Record<string, string>>): Tree {
  return makeTree(
    Object.entries(files).map(([path, content]) => ({
      kind: 'file',
      path: path as RelPath,
      executable: false,
      digest: sha256(content),
      size: content.length,
    })),
  );
}

function keep(store: Cache, tree: Tree): Digest {
  store.values.put(tree.digest, Buffer.from(treeText(tree.entries)));
  return tree.digest;
}

/** Files the record of a task that read and wrote trees. */
function fileTask(store: Cache, name: string, inputs: Tree, outputs: Tree, needs: readonly Part[] = []): CallRecord {
  const inputPart: Part = { name: 'inputs', kind: 'files', digest: keep(store, inputs), blob: inputs.digest };
  const record = aRecord({
    salt: name,
    kind: 'task',
    name,
    module: null,
    parts: [inputPart, ...needs],
    result: null,
    outputs: keep(store, outputs),
  });
  store.calls.put(record);
  return record;
}

function pipeline(): Cache {
  const store = memoryCache();
  const generated = treeOf({ 'gen/a.ts': 'a1', 'gen/b.ts': 'b1' });
  const bundle = treeOf({ 'dist/app.js': 'app1' });
  fileTask(store, 'codegen', treeOf({ 'schema/a.gql': 's1', 'schema/b.gql': 's2' }), generated);
  const need: Part = { name: 'need:codegen', kind: 'upstream', digest: generated.digest, blob: generated.digest };
  fileTask(store, 'bundle', treeOf({ 'src/main.ts': 'm1' }), bundle, [need]);
  // Reads one generated file by its path, without saying that it needs the task.
  fileTask(store, 'lint', treeOf({ 'gen/b.ts': 'b1', 'src/main.ts': 'm1' }), treeOf({}));
  // The same content under another path, and the same path with another content.
  fileTask(store, 'elsewhere', treeOf({ 'copy/b.ts': 'b1', 'gen/a.ts': 'a0' }), treeOf({}));
  return store;
}

test('tasks are followed through what they need and the files they read', async () => {
  const { calls } = await pipeline().invalidate('codegen');
  assert.equal(shape(calls), [['codegen', null, ['bundle', 'need:codegen'], ['lint', 'inputs']]]);
});

test('a file stands for the calls that read or wrote it', async () => {
  const about = async (file: string): Promise<unknown> => shape((await pipeline().invalidate({ file })).calls);
  assert.equal(await about('schema/b.gql'), [['codegen', null, ['bundle', 'need:codegen'], ['lint', 'inputs']]]);
  assert.equal(await about('dist/app.js'), [['bundle', null]]);
  assert.equal(await about('src/main.ts'), [
    ['bundle', null],
    ['lint', null],
  ]);
  assert.is((await pipeline().invalidate('src/main.ts')).count, 2);
  assert.is(await codeOfLater(() => pipeline().invalidate({ file: 'src/none.ts' })), 'CALL_UNKNOWN');
});

test('functions know a file by its content', async () => {
  const store = pipeline();
  const size = fleche((file: FileRef) => file.path.length, { name: 'size' });
  const ref = (path: string, content: string): FileRef => new FileRef('', path as RelPath, sha256(content), false);
  await cache(store, async () => {
    size(ref('dist/app.js', 'app1'));
    size(ref('data.json', '{}'));
    assert.equal(shape((await store.invalidate('bundle')).calls), [['bundle', null, ['size', 'arg:file']]]);
    assert.is((await store.invalidate({ file: 'data.json', content: sha256('{}') })).count, 1);
    assert.is(size.query().count(), 0);
  });
});

test('a task with a value and outputs is known to others by one digest of both', () => {
  const [value, outputs] = [digest('value'), sha256('outputs')];
  assert.is(productDigest(value, null), value);
  assert.is(productDigest(null, outputs), outputs);
  assert.is(productDigest(null, null), null);
  const both = productDigest(value, outputs);
  assert.ok(both !== value && both !== outputs && both !== productDigest(outputs, value));
});

test.run();
