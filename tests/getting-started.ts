/**
 * The two notebooks that introduce fleche, cell by cell, in one session: what was shown there happens here. Durations are
 * shorter, and what a cell printed is what it asserts.
 */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  Cache,
  CacheStack,
  cache,
  D,
  DIGEST,
  digest,
  FolderValueStore,
  fleche,
  LazyCall,
  MemoryCallStore,
  MemoryValueStore,
  memoised,
  QueryCall,
  ReservedCaches,
  SqlCallStore,
  setCacheResolver,
  tags,
} from '../core/index.ts';
import { inNewFolder } from './_new-folder.ts';
import { warningsOf } from './call/_warnings.ts';

const MODULE = 'tests/getting-started.ts';
const printed: string[] = [];
const print = (text: string): void => {
  printed.push(text);
};
/** What was printed since the last look. */
const output = (): readonly string[] => printed.splice(0);

/** Keeps the process busy, ms. */
function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
function timed(body: () => unknown): number {
  const start = performance.now();
  body();
  return performance.now() - start;
}

// As in a folder without a configuration; this repository has one.
setCacheResolver(new ReservedCaches((message) => process.emitWarning(message)));

test('[2] without a configuration, the memory cache is used, and it says so', async () => {
  const notices = await warningsOf(() => cache());
  assert.equal(notices, ['no cache is configured: answers are kept in memory and end with this process']);
});

const longRunningCalculation = fleche(
  function longRunningCalculation(x: number) {
    print(`Running calculation for ${x}...`);
    sleep(60);
    return x * x;
  },
  { args: ['x'] },
);

test('[4-6] the second call returns at once, a changed argument runs the function again', () => {
  assert.ok(timed(() => longRunningCalculation(2)) >= 59);
  assert.equal(output(), ['Running calculation for 2...']);
  assert.ok(timed(() => longRunningCalculation(2)) < 59);
  assert.equal(output(), []);
  longRunningCalculation(100);
  assert.equal(output(), ['Running calculation for 100...']);
});

let levels = 0;
const fib = fleche(
  (n: number): number => {
    levels++;
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
  },
  { name: 'fib', args: ['n'] },
);

test('[8] a recursive function is cached at every level', () => {
  assert.is(fib(20), 6765);
  assert.is(levels, 21);
});

const double = fleche(
  function double(x: number) {
    print(`Doubling ${x}...`);
    return x * 2;
  },
  { args: ['x'] },
);

test('[9] a digest, or the beginning of one, stands for the value it names', () => {
  longRunningCalculation(10);
  assert.equal(output(), ['Running calculation for 10...']);
  const valueDigest = digest(longRunningCalculation(10));
  const short = valueDigest.slice(0, 8);
  assert.match(short, /^[0-9a-f]{8}$/);
  assert.is(double(D(short)), 200);
  assert.equal(output(), ['Doubling 100...']);
});

test('[10-12] past calls of a function as a table, with the arguments and results that are asked for', () => {
  const bare = longRunningCalculation.query().table();
  assert.equal(bare.columns, [...['key', 'name', 'module', 'timestart', 'timestop', 'walltime', 'cputime', 'systime']]);
  assert.is(bare.length, 3);
  const withArguments = longRunningCalculation.query().table({ arguments: ['x'] });
  assert.equal(withArguments.column('x'), [10, 100, 2]);
  const withResults = longRunningCalculation.query().table({ arguments: ['x'], results: true });
  assert.equal(
    withResults.rows.map(({ name, module, result, x }) => [name, module, result, x]),
    [
      ['longRunningCalculation', MODULE, 100, 10],
      ['longRunningCalculation', MODULE, 10000, 100],
      ['longRunningCalculation', MODULE, 4, 2],
    ],
  );
  for (const { walltime } of withResults) assert.ok((walltime ?? 0) >= 59);
});

test('[14-16] the cache is asked by module, by name or by arguments', async () => {
  assert.is(
    (
      await cache()
        .query(new QueryCall({ module: MODULE }))
        .table()
    ).head().length,
    5,
  );
  const fibs = await cache()
    .query(new QueryCall({ name: 'fib' }))
    .table();
  assert.is(fibs.length, 21);
  assert.equal([...new Set(fibs.column('name'))], ['fib']);
  const hundreds = await cache()
    .query(new QueryCall({ arguments: { x: 100 } }))
    .table();
  assert.equal(hundreds.column('name'), ['double', 'longRunningCalculation']);
});

const anotherCalculation = fleche(
  function anotherCalculation(a: number, b: number) {
    return a + b;
  },
  { args: ['a', 'b'] },
);

test('[18-19] tags are kept with the calls, and found by presence and by value', () => {
  tags({ project: 'my_project', category: 'testing' }, () => {
    anotherCalculation(1, 2);
    anotherCalculation(3, 4);
  });
  for (const call of anotherCalculation.query({ a: 1, b: 2 }, { metadata: { tags: {} } })) {
    print(`${call.name} ${JSON.stringify(call.arguments)} ${JSON.stringify(call.metadata['tags'])}`);
  }
  assert.equal(output(), [
    `anotherCalculation {"a":"${digest(1)}","b":"${digest(2)}"} {"project":"my_project","category":"testing"}`,
  ]);
  for (const call of anotherCalculation.query({ a: 3, b: 4 }, { metadata: { tags: { project: 'my_project' } } })) {
    assert.is(call.metadata['tags']?.['project'], 'my_project');
    print(`${JSON.stringify(call.arguments)} ${call.result}`);
  }
  assert.equal(output(), [`{"a":"${digest(3)}","b":"${digest(4)}"} 7`]);
});

class MyClass {
  val: number;
  constructor(val: number) {
    this.val = val;
  }
  /** How the instance is identified in the cache. */
  [DIGEST](): unknown {
    return this.val;
  }
  @fleche
  compute(x: number): number {
    print(`Computing ${this.val} + ${x}...`);
    return this.val + x;
  }
}

test('[21-22] methods are cached by their instance; a changed instance is a miss', () => {
  const obj = new MyClass(10);
  assert.is(obj.compute(5), 15);
  assert.equal(output(), ['Computing 10 + 5...']);
  assert.is(obj.compute(5), 15);
  assert.equal(output(), []);
  obj.val = 20;
  assert.is(obj.compute(5), 25);
  assert.equal(output(), ['Computing 20 + 5...']);
});

test('[gotcha] helpers of a method are about the object they are reached through', () => {
  const obj = new MyClass(20);
  assert.is(memoised(obj.compute).query({ x: 5 }).only().result, 25);
  assert.is(memoised(obj.compute).contains(5), true);
  assert.is(memoised(obj.compute).contains(6), false);
  assert.is(memoised(obj.compute).digest(5), memoised(new MyClass(20).compute).digest(5));
});

test('[23] the same digest again is a hit', () => {
  assert.is(double(D(digest(longRunningCalculation(10)).slice(0, 8))), 200);
  assert.equal(output(), []);
});

test('[25-26] all calls in one table; a call without tags has none', async () => {
  tags({ project: 'my_project', category: 'testing' }, () => {
    anotherCalculation(1, 2);
    anotherCalculation(3, 4);
  });
  const table = await cache().table();
  assert.equal(table.columns, [
    ...['key', 'name', 'module', 'timestart', 'timestop', 'walltime', 'cputime', 'systime', 'project', 'category'],
  ]);
  assert.is(table.length, 3 + 21 + 1 + 2 + 2);
  const projects = table.column('project');
  assert.is(projects.filter((project) => project === 'my_project').length, 2);
  assert.is(projects.filter((project) => project === undefined).length, 27);
});

test('[27] a table is filtered as one likes', async () => {
  const table = (await cache().table()).filter((row) => row.name !== 'fib');
  assert.is(table.length, 8);
  const frame = await table.toArquero();
  assert.is(frame.filter('d => d.project === "my_project"').numRows(), 2);
});

test('[29] a past call loads its values when they are looked at', async () => {
  const key = fib.digest(20);
  const lazyCall = await cache().load(key);
  assert.instance(lazyCall, LazyCall);
  assert.is(lazyCall.name, 'fib');
  assert.is(lazyCall.result, 6765);
  const { arguments: args, result } = await lazyCall.fetch();
  assert.equal([args, result], [{ n: 20 }, 6765]);
});

test('[CacheStack] a hit further back moves to the front', () =>
  inNewFolder(async (folder) => {
    const remoteCache = new Cache(
      new FolderValueStore({ root: folder }),
      new SqlCallStore({ path: join(folder, 'cache.db') }),
    );
    const localCache = new Cache(new MemoryValueStore(), new MemoryCallStore());
    const expensiveComputation = fleche(function expensiveComputation(x: number) {
      print(`Computing ${x}...`);
      return x * 10;
    });
    cache(remoteCache, () => expensiveComputation(42));
    assert.equal(output(), ['Computing 42...']);
    const key = expensiveComputation.digest(42);
    assert.is(remoteCache.contains(key), true);
    assert.is(localCache.contains(key), false);

    const stack = new CacheStack([localCache, remoteCache]);
    assert.is(
      cache(stack, () => expensiveComputation(42)),
      420,
    );
    assert.equal(output(), []);
    assert.is(localCache.contains(key), true);
    assert.is(
      cache(localCache, () => expensiveComputation(42)),
      420,
    );
    assert.equal(output(), []);
    await remoteCache.close();
  }));

test.run();
