import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FlecheError } from '../../core/base/errors.ts';
import { ReservedCaches } from '../../core/call/caches/reserved-caches.ts';
import { cache, meta, project, setCacheResolver, tags } from '../../core/call/context.ts';
import { fleche } from '../../core/call/memo/fleche.ts';
import { CallInfo, Environment, Git, Runtime } from '../../core/call/metadata.ts';
import { turn } from '../_test-clock.ts';
import { failingCache, laterCache, memoryCache } from './_caches.ts';
import { warningsOf } from './_warnings.ts';

const noted = fleche((x: number) => x, { name: 'noted', args: ['x'] });
const notedLater = fleche(
  async (x: number) => {
    await null;
    return x;
  },
  { name: 'notedLater', args: ['x'] },
);
test('a callback is a scope, and gives back what the callback gives', () => {
  const store = memoryCache();
  const before = cache();
  assert.is(
    cache(store, () => cache()),
    store,
  );
  assert.is(cache(), before);
  assert.throws(() =>
    cache(store, () => {
      throw new Error('x');
    }),
  );
  assert.is(cache(), before);
});

test('without a callback a setting stays until it is restored', () => {
  const [one, two] = [memoryCache(), memoryCache()];
  cache(memoryCache(), () => {
    const first = cache(one);
    assert.is(first.cache, one);
    assert.is(cache(), one);
    const second = cache(two);
    assert.is(cache(), two);
    second.restore();
    assert.is(cache(), one);
    first.restore();
  });
});

test('`using` restores at the end of the block', () => {
  const [outer, inner] = [memoryCache(), memoryCache()];
  cache(outer, () => {
    {
      using _ = cache(inner);
      assert.is(cache(), inner);
    }
    assert.is(cache(), outer);
  });
});

test('a sticky setting ends with the scope it was made in', () => {
  const [outer, inner] = [memoryCache(), memoryCache()];
  cache(outer, () => {
    cache(outer, () => cache(inner));
    assert.is(cache(), outer);
  });
});

test('scopes that run at the same time never mix', async () => {
  const stores = Array.from({ length: 10 }, () => memoryCache());
  await Promise.all(
    stores.map((store, at) =>
      cache(store, () =>
        project(`p${at}`, async () => {
          for (let i = 0; i < 5; i++) {
            await turn();
            assert.is(cache(), store);
            tags({ step: i });
            await notedLater(i);
            noted(i);
          }
        }),
      ),
    ),
  );
  for (const [at, store] of stores.entries()) {
    const calls = [...store.query()];
    assert.is(calls.length, 10);
    for (const call of calls) {
      assert.equal(call.metadata['tags'], { project: `p${at}`, step: await call.arguments.get('x') });
    }
  }
});

test('an asynchronous call has the tags it was made with, whatever is set meanwhile', async () => {
  await cache(laterCache(), async () => {
    const sticky = tags({ when: 'before' });
    const answer = notedLater(1);
    sticky.restore();
    tags({ when: 'after' });
    await answer;
    const call = await notedLater.query().only();
    assert.equal(call.metadata['tags'], { when: 'before' });
  });
});

test('tags add up, later ones win, and a hit keeps those it was made with', () => {
  cache(memoryCache(), () => {
    tags({ a: 1, b: 1 }, () => tags({ b: 2 }, () => noted(1)));
    tags({ c: 3 }, () => noted(1));
    assert.equal(noted.query().only().metadata['tags'], { a: 1, b: 2 });
  });
});

test('collectors can be replaced, and a function has its own beside them', () => {
  const own = fleche((x: number) => x, { name: 'own', meta: [CallInfo] });
  cache(memoryCache(), () => {
    meta([], () => own(1));
    meta([Environment], () => own(2));
    own(3);
    const [third, second, first] = own.query();
    assert.equal(first?.metadata, { callInfo: { name: 'own', module: 'tests/call/context.ts' } });
    assert.is(second?.metadata['environment']?.['node'], process.version);
    assert.equal(Object.keys(third?.metadata ?? {}), ['runtime', 'callInfo']);
    const sticky = meta([Git]);
    own(4);
    sticky.restore();
    assert.equal(Object.keys(own.query().latest()?.metadata['git'] ?? {}), ['commit', 'branch', 'dirty']);
  });
});

test('the runtime is noted with every call', () => {
  cache(memoryCache(), () => {
    const before = Date.now();
    noted(1);
    const { timestart, timestop, walltime, cputime, systime } = noted.query().only().metadata['runtime'] ?? {};
    assert.ok(Number(timestart) >= before && Number(timestop) >= Number(timestart));
    assert.ok(Number(walltime) >= 0 && Number(cputime) >= 0 && Number(systime) >= 0);
  });
});

test('memory is one cache, void keeps nothing, default is memory', () => {
  let ran = 0;
  const counted = fleche((x: number) => ++ran + x, { name: 'counted' });
  assert.is(
    cache('memory', () => cache()),
    cache('memory', () => cache()),
  );
  assert.is(
    cache('default', () => cache()),
    cache('memory', () => cache()),
  );
  cache('void', () => {
    counted(1);
    counted(1);
    assert.is(counted.query().empty(), true);
  });
  assert.is(ran, 2);
  assert.throws(
    () => cache('elsewhere', () => 1),
    (error: unknown) => error instanceof FlecheError && error.code === 'CONFIG_UNKNOWN_CACHE',
  );
});

test('a cache that nobody chose is told of once', () => {
  const notices: string[] = [];
  const caches = new ReservedCaches((message) => notices.push(message));
  caches.named('memory');
  assert.is(notices.length, 0);
  caches.standard();
  caches.named('default');
  assert.is(notices.length, 1);
});

test('caches can come from elsewhere', async () => {
  const store = memoryCache();
  const reserved = new ReservedCaches();
  setCacheResolver({
    named: (name) => (name === 'mine' ? store : reserved.named(name)),
    standard: () => store,
    collectors: () => [Runtime, CallInfo],
  });
  assert.is(cache(), store);
  assert.is(
    cache('mine', () => cache()),
    store,
  );
  noted(1);
  assert.equal(Object.keys(noted.query().only().metadata), ['runtime', 'callInfo']);
  setCacheResolver(reserved);
  assert.is(await warningsOf(() => cache(failingCache(['put']), () => noted(1))).then((all) => all.length), 1);
});

test.run();
