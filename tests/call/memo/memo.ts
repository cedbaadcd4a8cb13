import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digest } from '../../../core/base/digest.ts';
import { DIGEST } from '../../../core/base/digestible.ts';
import { FlecheError } from '../../../core/base/errors.ts';
import { cache } from '../../../core/call/context.ts';
import { fleche } from '../../../core/call/memo/fleche.ts';
import { codeOfLater } from '../../_thrown.ts';
import { build, recipes, sameValue } from '../../base/_values.ts';
import { failingCache, laterCache, memoryCache, STORE_METHODS } from '../_caches.ts';
import { warningsOf } from '../_warnings.ts';

/** The error code of what is thrown, or of what a promise is rejected with. */
test('a second equal call is answered without running', () => {
  const ran: number[] = [];
  const square = fleche(function square(x: number) {
    ran.push(x);
    return x * x;
  });
  cache(memoryCache(), () => {
    assert.is(square(2), 4);
    assert.is(square(2), 4);
    assert.is(square(3), 9);
  });
  assert.equal(ran, [2, 3]);
});

test('a synchronous function stays synchronous, cold and warm', () => {
  const plain = fleche(function plain(x: number) {
    return { x };
  });
  cache(memoryCache(), () => {
    assert.equal(plain(1), { x: 1 });
    assert.equal(plain(1), { x: 1 });
  });
});

test('an asynchronous function stays asynchronous, cold and warm', async () => {
  let ran = 0;
  const later = fleche(async function later(x: number) {
    ran++;
    return x + 1;
  });
  await cache(memoryCache(), async () => {
    for (let i = 0; i < 2; i++) {
      const answer = later(1);
      assert.instance(answer, Promise);
      assert.is(await answer, 2);
    }
  });
  assert.is(ran, 1);
});

test('a function that returns promises without the keyword does so on a hit too', async () => {
  let ran = 0;
  const promising = fleche(function promising(x: number) {
    ran++;
    return Promise.resolve(x);
  });
  await cache(memoryCache(), async () => {
    assert.is(await promising(1), 1);
    assert.instance(promising(1), Promise);
    assert.is(await promising(1), 1);
  });
  assert.is(ran, 1);
});

test('an asynchronous function never throws at once', async () => {
  const fragile = fleche(async function fragile(x: unknown) {
    return x;
  });
  const answer = cache(memoryCache(), () => fragile(() => {}));
  assert.instance(answer, Promise);
  assert.is(await codeOfLater(() => answer), 'INDIGESTIBLE');
});

test('recursion is cached at every level', () => {
  const ran: number[] = [];
  const fib = fleche(
    (n: number): number => {
      ran.push(n);
      return n < 2 ? n : fib(n - 1) + fib(n - 2);
    },
    { name: 'fib' },
  );
  cache(memoryCache(), () => {
    assert.is(fib(10), 55);
    assert.is(ran.length, 11);
    assert.is(fib(9), 34);
    assert.is(fib(11), 89);
  });
  assert.is(ran.length, 12);
});

test('null and undefined are results like any other', () => {
  let ran = 0;
  const nothing = fleche(function nothing(what: null | undefined) {
    ran++;
    return what;
  });
  cache(memoryCache(), () => {
    for (let i = 0; i < 2; i++) {
      assert.is(nothing(null), null);
      assert.is(nothing(undefined), undefined);
    }
  });
  assert.is(ran, 2);
});

test('a failure is recorded and never served', () => {
  let ran = 0;
  const unlucky = fleche(function unlucky(x: number): number {
    ran++;
    throw new RangeError(`no ${x}`);
  });
  cache(memoryCache(), () => {
    for (let i = 0; i < 2; i++) assert.throws(() => unlucky(1), /no 1/);
    assert.is(unlucky.contains(1), false);
    const [failed] = unlucky.query({}, { outcome: 'failure' });
    assert.is(failed?.failure?.message, 'no 1');
    assert.is(unlucky.query().count(), 0);
  });
  assert.is(ran, 2);
});

test('a success takes the place of a failure, but not the other way round', () => {
  let fails = true;
  const moody = fleche(function moody(x: number) {
    if (fails) throw new Error('not today');
    return x;
  });
  cache(memoryCache(), () => {
    assert.throws(() => moody(1));
    fails = false;
    assert.is(moody(1), 1);
    fails = true;
    assert.throws(() => moody.rerun(1));
    assert.is(moody(1), 1);
  });
});

test('what the body does to its arguments changes neither the key nor the stored argument', () => {
  let ran = 0;
  const sort = fleche(
    function sort(list: number[]) {
      ran++;
      return list.sort((a, b) => a - b);
    },
    { args: ['list'] },
  );
  cache(memoryCache(), () => {
    assert.equal(sort([3, 1, 2]), [1, 2, 3]);
    assert.equal(sort([3, 1, 2]), [1, 2, 3]);
    assert.equal(sort.query().only().arguments.get('list'), [3, 1, 2]);
  });
  assert.is(ran, 1);
});

test('what a caller does to a result changes nothing in the cache', () => {
  const list = fleche(function list() {
    return [1, 2];
  });
  cache(memoryCache(), () => {
    list().push(3);
    list().push(4);
    assert.equal(list(), [1, 2]);
  });
});

test('a hit has the insertion order of its own call', () => {
  const pick = fleche(function pick(keys: string[]) {
    return Object.fromEntries(keys.map((key) => [key, 1]));
  });
  cache(memoryCache(), () => {
    pick(['b', 'a']);
    pick(['a', 'b']);
    assert.equal(Object.keys(pick(['b', 'a'])), ['b', 'a']);
    assert.equal(Object.keys(pick(['a', 'b'])), ['a', 'b']);
  });
});

test('arguments left out and given as undefined are one call; null is another', () => {
  let ran = 0;
  const optional = fleche(function optional(a: number, b?: number | null) {
    ran++;
    return [a, b];
  });
  cache(memoryCache(), () => {
    optional(1);
    optional(1, undefined);
    assert.is(ran, 1);
    optional(1, null);
    assert.is(ran, 2);
  });
});

test('arguments that the function cannot see do not count', () => {
  let ran = 0;
  const double = fleche(function double(x: number) {
    ran++;
    return x * 2;
  });
  cache(memoryCache(), () => {
    assert.equal([1, 1, 1].map(double), [2, 2, 2]);
  });
  assert.is(ran, 1);
});

test('arguments that it sees through `arguments` do count', () => {
  const count = fleche(function count(this: unknown, _a?: number) {
    // biome-ignore lint/complexity/noArguments: what is tested
    return arguments.length;
  });
  cache(memoryCache(), () => {
    const untyped = count as unknown as (...args: unknown[]) => number;
    assert.equal([untyped(), untyped(undefined), untyped(1, 2), untyped(1)], [0, 1, 2, 1]);
  });
});

test('a rest parameter is one argument', () => {
  const sum = fleche(
    function sum(first: number, ...others: number[]) {
      return others.reduce((a, b) => a + b, first);
    },
    { args: ['first', 'others'] },
  );
  cache(memoryCache(), () => {
    assert.is(sum(1, 2, 3), 6);
    assert.is(sum(1), 1);
    assert.equal(sum.call(1, 2, 3).arguments, { first: 1, others: [2, 3] });
  });
});

test('an ignored argument is neither in the key nor on record', () => {
  let ran = 0;
  const quiet = fleche(
    function quiet(x: number, log: (text: string) => void) {
      ran++;
      log('running');
      return x;
    },
    { ignore: ['log'] },
  );
  cache(memoryCache(), () => {
    quiet(1, () => {});
    quiet(1, console.log);
    assert.equal(quiet.query().only().arguments.names, ['x']);
  });
  assert.is(ran, 1);
});

test('without a required argument a call is not cached, with one warning', async () => {
  let ran = 0;
  const seeded = fleche(
    function seeded(x: number, seed?: number) {
      ran++;
      return x + (seed ?? 0);
    },
    { require: ['seed'] },
  );
  const warnings = await warningsOf(() =>
    cache(memoryCache(), () => {
      seeded(1);
      seeded(1);
      seeded(1, 5);
      seeded(1, 5);
    }),
  );
  assert.is(ran, 3);
  assert.equal(warnings, ['seeded was called without "seed", so the call is not cached']);
});

test('a value without a digest is an error that names its path', () => {
  let ran = 0;
  const take = fleche(function take(options: { readonly socket: unknown }) {
    ran++;
    return options;
  });
  cache(memoryCache(), () => {
    assert.throws(
      () => take({ socket: Symbol('x') }),
      (error: unknown) =>
        error instanceof FlecheError && error.code === 'INDIGESTIBLE' && error.message.startsWith('options.socket '),
    );
  });
  assert.is(ran, 0);
});

test('or it runs uncached with one warning, where that is wanted', async () => {
  let ran = 0;
  const lax = fleche(
    function lax(x: unknown) {
      ran++;
      return typeof x;
    },
    { onIndigestible: 'run' },
  );
  const warnings = await warningsOf(() =>
    cache(memoryCache(), () => {
      assert.is(lax(new WeakMap()), 'object');
      assert.is(lax(new WeakMap()), 'object');
    }),
  );
  assert.is(ran, 2);
  assert.is(warnings.length, 1);
  assert.match(warnings[0] ?? '', /^lax is not cached: x is an instance of WeakMap/);
});

test('an argument that has a digest but no encoding is on record by its digest alone', async () => {
  class Opaque {
    [DIGEST](): unknown {
      return 'opaque';
    }
  }
  let ran = 0;
  const peek = fleche((_: Opaque) => ++ran, { name: 'peek', args: ['at'] });
  await cache(memoryCache(), async () => {
    assert.equal([peek(new Opaque()), peek(new Opaque())], [1, 1]);
    const { arguments: args } = peek.query().only();
    assert.is(args.digest('at'), digest(new Opaque()));
    assert.is(await codeOfLater(() => args.get('at')), 'CALL_UNKNOWN');
    assert.equal(
      peek
        .query()
        .table({ arguments: ['at'] })
        .column('at'),
      [undefined],
    );
  });
});

test('a result without a digest is an error after the run, or a warning', async () => {
  const strict = fleche(function makesProxy() {
    return new WeakSet();
  });
  const lax = fleche(
    function makesWeakSet() {
      return new WeakSet();
    },
    { onIndigestible: 'run' },
  );
  assert.is(await codeOfLater(() => cache(memoryCache(), () => strict())), 'INDIGESTIBLE');
  const warnings = await warningsOf(() => cache(memoryCache(), () => assert.instance(lax(), WeakSet)));
  assert.is(warnings.length, 1);
});

test('concurrent callers of one key share one execution', async () => {
  let ran = 0;
  const release: (() => void)[] = [];
  const slow = fleche(async function slow(x: number) {
    ran++;
    await new Promise<void>((resolve) => release.push(resolve));
    return { x };
  });
  for (const store of [memoryCache(), laterCache()]) {
    ran = 0;
    await cache(store, async () => {
      const answers = [slow(1), slow(1), slow(1)];
      while (release.length === 0) await new Promise((resolve) => setImmediate(resolve));
      for (const go of release.splice(0)) go();
      assert.equal(await Promise.all(answers), [{ x: 1 }, { x: 1 }, { x: 1 }]);
      assert.equal(await slow(1), { x: 1 });
    });
    assert.is(ran, 1);
  }
});

test('waiters get the error of the call they wait for, and the next caller makes it anew', async () => {
  let ran = 0;
  const failing = fleche(async function failing(x: number) {
    ran++;
    await null;
    throw new Error(`failed ${x}`);
  });
  for (const store of [memoryCache(), laterCache()]) {
    ran = 0;
    await cache(store, async () => {
      const outcomes = await Promise.allSettled([failing(1), failing(1)]);
      for (const outcome of outcomes) assert.is(outcome.status === 'rejected' && outcome.reason.message, 'failed 1');
      assert.is(ran, 1);
      assert.is(await codeOfLater(() => failing(1)), 'Error: failed 1');
      assert.is(ran, 2);
      assert.is(await failing.query({}, { outcome: 'failure' }).count(), 1);
    });
  }
});

test('callers with different caches do not share', async () => {
  let ran = 0;
  const apart = fleche(async function apart(x: number) {
    ran++;
    return x;
  });
  await Promise.all([memoryCache(), memoryCache()].map((store) => cache(store, () => apart(1))));
  assert.is(ran, 2);
});

test('an asynchronous function works on a cache that answers later', async () => {
  let ran = 0;
  const store = memoryCache();
  const remote = fleche(async function remote(x: number) {
    ran++;
    return [x, null, undefined];
  });
  for (let i = 0; i < 2; i++) {
    assert.equal(await cache(laterCache(store), () => remote(1)), [1, null, undefined]);
  }
  assert.is(ran, 1);
});

test('a synchronous function is not cached there, with one warning', async () => {
  let ran = 0;
  const local = fleche(function local(x: number) {
    ran++;
    return x;
  });
  const warnings = await warningsOf(() => {
    cache(laterCache(), () => {
      assert.is(local(1), 1);
      assert.is(local(1), 1);
    });
  });
  assert.is(ran, 2);
  assert.is(warnings.length, 1);
  assert.match(warnings[0] ?? '', /local is synchronous, and this cache answers later/);
});

test('under strict that is an error', async () => {
  const strictly = fleche(
    function strictly(x: number) {
      return x;
    },
    { strict: true },
  );
  assert.is(await codeOfLater(() => cache(laterCache(), () => strictly(1))), 'CACHE_ASYNC');
  assert.is(await codeOfLater(() => cache(laterCache(), () => strictly.contains(1))), 'CACHE_ASYNC');
});

test('trouble with the cache never changes a result', async () => {
  const robust = fleche((x: number) => ({ x }), { name: 'robust' });
  const robustly = fleche(async (x: number) => ({ x }), { name: 'robustly' });
  const throwing = fleche(
    (x: number): number => {
      throw new RangeError(`own ${x}`);
    },
    { name: 'throwing' },
  );
  for (const method of [...STORE_METHODS, 'all']) {
    const broken = failingCache(method === 'all' ? STORE_METHODS : [method]);
    for (const store of [broken, laterCache(broken)]) {
      await warningsOf(async () => {
        for (let i = 0; i < 3; i++) {
          assert.equal(
            cache(store, () => robust(i % 2)),
            { x: i % 2 },
          );
          assert.equal(await cache(store, () => robustly(i % 2)), { x: i % 2 });
          assert.throws(() => cache(store, () => throwing(1)), /own 1/);
        }
      });
    }
  }
});

test('under strict it is an error, but an error of the function itself comes first', async () => {
  const exact = fleche((x: number) => x, { name: 'exact', strict: true });
  const exactly = fleche(async (x: number) => x, { name: 'exactly', strict: true });
  const throwing = fleche(
    (): number => {
      throw new RangeError('own');
    },
    { name: 'throwingStrictly', strict: true },
  );
  const isBroken = /is broken/;
  for (const method of ['get', 'put', 'alias']) {
    const store = failingCache([method]);
    assert.throws(() => cache(store, () => exact(1)), isBroken);
    assert.match(String(await codeOfLater(() => cache(store, () => exactly(1)))), isBroken);
    assert.match(String(await codeOfLater(() => cache(laterCache(store), () => exactly(1)))), isBroken);
  }
  await warningsOf(() => assert.throws(() => cache(failingCache(['put']), () => throwing()), /own/));
});

test('a warning is given once for each kind of trouble', async () => {
  const noisy = fleche((x: number) => x, { name: 'noisy' });
  const warnings = await warningsOf(() => {
    for (let i = 0; i < 5; i++) cache(failingCache(['put']), () => noisy(i));
  });
  assert.equal(warnings, ['noisy: the cache could not be used: put is broken']);
});

test('a collector that throws is left out', async () => {
  const watched = fleche((x: number) => x, {
    name: 'watched',
    meta: [
      {
        name: 'bad',
        before: () => {
          throw new Error('no metadata today');
        },
        after: () => ({}),
      },
      { name: 'good', before: () => 1, after: (before) => ({ before: before as number }) },
    ],
  });
  await warningsOf(() =>
    cache(memoryCache(), () => {
      assert.is(watched(1), 1);
      const { metadata } = watched.query().only();
      assert.equal(metadata['good'], { before: 1 });
      assert.is(metadata['bad'], undefined);
    }),
  );
});

test('a record whose result is gone is a miss', async () => {
  let ran = 0;
  const store = memoryCache();
  const lost = fleche((x: number) => ++ran + x, { name: 'lost' });
  await cache(store, async () => {
    lost(1);
    const { record } = lost.query().only();
    await store.values.delete(record.result?.blob ?? record.key);
    assert.is(lost.explain(1).verdict, 'lost');
    assert.is(lost(1), 3);
    assert.is(lost.explain(1).verdict, 'cached');
  });
});

test('rerun makes a call and the calls inside it anew, each once, and files the answers', () => {
  let offset = 0;
  const ran: string[] = [];
  const inner = fleche(
    (x: number) => {
      ran.push(`inner ${x}`);
      return x + offset;
    },
    { name: 'inner' },
  );
  const outer = fleche(
    (x: number) => {
      ran.push('outer');
      return inner(x) + inner(x) + inner(0);
    },
    { name: 'outer' },
  );
  cache(memoryCache(), () => {
    assert.is(outer(1), 2);
    offset = 10;
    assert.is(outer(1), 2);
    assert.is(outer.rerun(1), 32);
    assert.is(outer(1), 32);
    assert.is(inner(1), 11);
  });
  assert.equal(ran, ['outer', 'inner 1', 'inner 0', 'outer', 'inner 1', 'inner 0']);
});

test('a rerun of an asynchronous call does not wait for one under way, and later callers get its answer', async () => {
  let ran = 0;
  const release: (() => void)[] = [];
  const counted = fleche(async function counted() {
    const mine = ++ran;
    await new Promise<void>((resolve) => release.push(resolve));
    return mine;
  });
  await cache(memoryCache(), async () => {
    const first = counted();
    const again = counted.rerun();
    const waiting = counted();
    assert.is(release.length, 2);
    for (const go of release) go();
    assert.equal(await Promise.all([first, again, waiting]), [1, 2, 2]);
  });
});

test('a bound function keeps its cache and its tags', () => {
  let ran = 0;
  const [one, two] = [memoryCache(), memoryCache()];
  const where = fleche((x: number) => ++ran + x, { name: 'where' });
  const bound = cache(one, () => where.bind());
  assert.is(bound(1), 2);
  cache(two, () => {
    assert.is(bound(1), 2);
    assert.is(where.contains(1), false);
  });
  assert.is(
    cache(one, () => where(1)),
    2,
  );
});

test('explain says what differs from the nearest past call', () => {
  const explained = fleche((x: number, _y: string) => x, { name: 'explained', args: ['x', 'y'] });
  cache(memoryCache(), () => {
    assert.is(explained.explain(1, 'a').verdict, 'never-made');
    explained(1, 'a');
    explained(2, 'b');
    assert.is(explained.explain(1, 'a').verdict, 'cached');
    const { verdict, changes, nearest } = explained.explain(1, 'c');
    assert.is(verdict, 'stale');
    assert.equal(
      changes.map(({ name }) => name),
      ['arg:y'],
    );
    assert.is(nearest, explained.digest(1, 'a'));
  });
});

test('call, digest and contains ask without running', () => {
  let ran = 0;
  const asked = fleche((x: number, _y?: number) => ++ran + x, { name: 'asked' });
  cache(memoryCache(), () => {
    const { key, name, arguments: args } = asked.call(1);
    assert.is(key, asked.digest(1));
    assert.is(key, asked.digest(1, undefined));
    assert.is(name, 'asked');
    assert.equal(args, { x: 1, _y: undefined });
    assert.is(asked.contains(1), false);
    assert.throws(
      () => asked.load(1),
      (error: unknown) => error instanceof FlecheError && error.code === 'CALL_UNKNOWN',
    );
    assert.is(ran, 0);
    asked(1);
    assert.is(asked.contains(1), true);
    assert.is(asked.load(1), 2);
  });
  assert.is(ran, 1);
});

test('a result that is known can be filed without a call', async () => {
  let ran = 0;
  const known = fleche((x: number) => ++ran + x, { name: 'known' });
  const knownLater = fleche(async (x: number) => ++ran + x, { name: 'knownLater' });
  await cache(memoryCache(), async () => {
    assert.is(known.precache([1], 42), 42);
    assert.is(known(1), 42);
    await knownLater.precache([1], Promise.resolve(43));
    assert.is(await knownLater(1), 43);
  });
  assert.is(ran, 0);
});

test('clear removes the calls of one function alone', () => {
  const gone = fleche((x: number) => x, { name: 'gone' });
  const stays = fleche((x: number) => x, { name: 'stays' });
  cache(memoryCache(), () => {
    gone(1);
    gone(2);
    stays(1);
    assert.is(gone.clear(), 2);
    assert.is(gone.contains(1), false);
    assert.is(stays.contains(1), true);
    assert.is(gone.cacheLocation(), undefined);
  });
});

test('clearing what is being calculated lets the next caller calculate', async () => {
  let ran = 0;
  const stuck = fleche(
    async () => {
      if (++ran === 1) await new Promise(() => {});
      return ran;
    },
    { name: 'stuck' },
  );
  await cache(memoryCache(), async () => {
    void stuck();
    stuck.clearBeingCalculated();
    assert.is(await stuck(), 2);
  });
});

test('the order of calls is kept within a millisecond', () => {
  const quick = fleche((x: number) => x, { name: 'quick', args: ['x'] });
  cache(memoryCache(), () => {
    for (let i = 0; i < 50; i++) quick(i);
    assert.equal(
      [...quick.query()].map((call) => call.arguments.get('x')),
      Array.from({ length: 50 }, (_, i) => 49 - i),
    );
  });
});

test('cold and warm are indistinguishable, and equal calls run once', () => {
  let ran = 0;
  const pair = fleche(
    (a: unknown, b: unknown) => {
      ran++;
      return [b, { a }];
    },
    { name: 'pair' },
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(recipes, recipes), { minLength: 1, maxLength: 3 }), (drawn) => {
      ran = 0;
      const distinct: unknown[][] = [];
      cache(memoryCache(), () => {
        for (const calls of [drawn, [...drawn].reverse()]) {
          for (const [first, second] of calls) {
            const [a, b] = [build(first), build(second)];
            if (!distinct.some((known) => sameValue(known, [a, b]))) distinct.push([a, b]);
            assert.ok(sameValue(pair(a, b), [b, { a }]));
          }
        }
      });
      assert.is(ran, distinct.length);
    }),
    { numRuns: 300 },
  );
});

test.run();
