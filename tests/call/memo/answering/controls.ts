/** Wishes of single calls, and the switch for all of them. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digestible } from '../../../../core/base/digestible-class.ts';
import { FlecheError } from '../../../../core/base/errors.ts';
import { cache } from '../../../../core/call/context.ts';
import { fleche, memoised } from '../../../../core/call/memo/fleche.ts';
import { caching } from '../../../../core/call/switch.ts';
import { codeOfLater } from '../../../_thrown.ts';
import { failingCache, laterCache, memoryCache, STORE_METHODS } from '../../_caches.ts';

test('bypass: neither looked up nor filed', () => {
  let made = 0;
  const count = fleche(() => ++made, { name: 'count' });
  cache(memoryCache(), () => {
    assert.is(count.with({ cache: 'bypass' })(), 1);
    assert.is(count.contains(), false);
    assert.is(count(), 2);
    assert.is(count.with({ cache: 'bypass' })(), 3);
    assert.is(count(), 2);
  });
});

test('refresh: made and filed, whatever is on file; calls inside are as ever', () => {
  let made = 0;
  const inner = fleche(() => ++made, { name: 'inner' });
  const outer = fleche(() => [++made, inner()], { name: 'outer' });
  cache(memoryCache(), () => {
    assert.equal(outer(), [1, 2]);
    assert.equal(outer.with({ cache: 'refresh' })(), [3, 2]);
    assert.equal(outer(), [3, 2]);
  });
});

test('only: served from the cache, never made', async () => {
  let made = 0;
  const sync = fleche((x: number) => ++made + x, { name: 'sync' });
  const later = fleche(async (x: number) => ++made + x, { name: 'later' });
  for (const store of [memoryCache(), laterCache()]) {
    await cache(store, async () => {
      assert.is(await codeOfLater(() => later.with({ cache: 'only' })(1)), 'CALL_UNKNOWN');
      const answer = await later(1);
      assert.is(await later.with({ cache: 'only' })(1), answer);
      assert.is(await codeOfLater(() => later.with({ cache: 'only', maxAge: 0 })(1)), 'CALL_UNKNOWN');
    });
  }
  await cache(memoryCache(), async () => {
    assert.is(await codeOfLater(() => sync.with({ cache: 'only' })(1)), 'CALL_UNKNOWN');
    const answer = sync(1);
    assert.is(sync.with({ cache: 'only' })(1), answer);
  });
});

test('only: joins a call that is under way', async () => {
  const slow = fleche(async (x: number) => x, { name: 'slow' });
  await cache(memoryCache(), async () => {
    const first = slow(1);
    assert.is(await slow.with({ cache: 'only' })(1), 1);
    await first;
  });
});

test('options that are not known are errors, for the compiler and at run time', async () => {
  const f = fleche(() => 1, { name: 'f' });
  // @ts-expect-error no such option
  assert.is(await codeOfLater(() => f.with({ maxage: 5 })), 'USAGE');
  // @ts-expect-error no such mode
  assert.is(await codeOfLater(() => f.with({ cache: 'skip' })), 'USAGE');
  assert.is(await codeOfLater(() => f.with({ maxAge: 'soon' })), 'INVALID_DURATION');
  assert.is(await codeOfLater(() => f.with({ maxAge: -1 })), 'INVALID_DURATION');
  assert.is(await codeOfLater(() => f.with({})), undefined);
});

@digestible
class Counter {
  from: number;
  constructor(from: number) {
    this.from = from;
  }
  @fleche
  next(by: number): number {
    return this.from + by;
  }
  @fleche
  async nextLater(by: number): Promise<number> {
    return this.from + by;
  }
}

test('point 11: every mode works for every shape of call, and keeps `this`', async () => {
  const rest = fleche((first: number, ...others: number[]) => [first, ...others], { name: 'rest' });
  const defaults = fleche((a: number, b = 2, { c = 3 } = {}) => a + b + c, { name: 'defaults' });
  const self = fleche(
    function self(this: { readonly n: number }, x: number) {
      return this.n + x;
    },
    { name: 'self' },
  );
  const length = fleche((text: string) => text.length, { name: 'length' });
  const promising = fleche((x: number) => Promise.resolve(x), { name: 'promising' });
  const counter = new Counter(10);
  const store = memoryCache();
  await cache(store, async () => {
    const text = fleche(() => 'four', { name: 'text' }).ref();
    for (const mode of ['default', 'refresh', 'only', 'bypass'] as const) {
      const options = { cache: mode };
      assert.equal(rest.with(options)(1, 2, 3), [1, 2, 3]);
      assert.is(defaults.with(options)(1), 6);
      assert.is(defaults.with(options)(1, 1, { c: 1 }), 3);
      assert.is(self.with(options).call({ n: 5 }, 1), 6);
      assert.is(length.with(options)(text), 4);
      assert.is(await promising.with(options)(1), 1);
      assert.is(memoised(counter.next).with(options)(1), 11);
      assert.is(await memoised(counter.nextLater).with(options)(1), 11);
    }
  });
});

test('bypass takes values without a digest, and needs no cache that works', () => {
  const size = fleche((map: WeakMap<object, number>) => map instanceof WeakMap, { name: 'size' });
  cache(failingCache(STORE_METHODS), () => {
    assert.is(size.with({ cache: 'bypass' })(new WeakMap()), true);
  });
});

test('bypass hands over what the function returns, and does not begin it', () => {
  let begun = 0;
  const lazy = {
    // biome-ignore lint/suspicious/noThenProperty: what query builders return
    then: () => {
      begun++;
    },
  };
  const query = fleche(() => lazy, { name: 'query' });
  cache(memoryCache(), () => {
    assert.is(query.with({ cache: 'bypass' })(), lazy as unknown);
    assert.is(begun, 0);
  });
});

test('a signal ends waiting, not what was begun', async () => {
  const ends: (() => void)[] = [];
  let made = 0;
  const slow = fleche(
    async (x: number) => {
      made++;
      await new Promise<void>((end) => ends.push(end));
      return x;
    },
    { name: 'slowly' },
  );
  await cache(memoryCache(), async () => {
    const abort = new AbortController();
    const impatient = slow.with({ signal: abort.signal })(1);
    const patient = slow(1);
    abort.abort(new Error('no time'));
    const error = await impatient.catch((error: unknown) => error);
    assert.ok(error instanceof FlecheError && error.code === 'ABORTED');
    assert.match(String((error as Error).cause), /no time/);
    for (const end of ends) end();
    assert.is(await patient, 1);
    assert.is(await codeOfLater(() => slow.with({ signal: abort.signal })(2)), 'ABORTED');
    assert.is(made, 1);
    assert.is(await slow.with({ signal: new AbortController().signal })(1), 1);
  });
});

test('point 11: with caching switched off every function runs as if it were none', async () => {
  let made = 0;
  const sync = fleche(() => ++made, { name: 'switched' });
  const later = fleche(async () => ++made, { name: 'switchedLater' });
  await cache(memoryCache(), async () => {
    assert.is(caching(), true);
    const first = sync();
    const off = caching(false);
    assert.is(caching(), false);
    assert.is(sync(), first + 1);
    assert.is(await later(), first + 2);
    assert.is(sync.with({ cache: 'refresh' })(), first + 3);
    off.restore();
    assert.is(caching(), true);
    assert.is(sync(), first);
    assert.is(await later(), first + 4);
  });
});

test.run();
