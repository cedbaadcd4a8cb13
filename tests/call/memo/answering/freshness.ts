/** How old an answer may be: bounds of functions and of single calls, refreshing, errors, rounds of removal. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cache } from '../../../../core/call/context.ts';
import { ageOf, Freshness } from '../../../../core/call/memo/answering/freshness.ts';
import { fleche } from '../../../../core/call/memo/fleche.ts';
import { turn } from '../../../_test-clock.ts';
import { codeOf } from '../../../_thrown.ts';
import { laterCache, memoryCache } from '../../_caches.ts';
import { fakeClock, HOUR, SECOND } from '../../_clock.ts';
import { warningsOf } from '../../_warnings.ts';

let made = 0;
/** A number that is another at every look. */
const next = (): number => ++made;

test('an answer is served up to its age, and not after', () => {
  const clock = fakeClock();
  const hourly = fleche(() => next(), { name: 'hourly', staleAfter: '1h', now: clock.now });
  cache(memoryCache(), () => {
    const first = hourly();
    clock.ms += HOUR - 1;
    assert.is(hourly(), first);
    clock.ms += 2;
    const second = hourly();
    assert.is(second, first + 1);
    assert.is(hourly(), second);
  });
});

test('an answer that may no longer be served is still on file', () => {
  const clock = fakeClock();
  const kept = fleche(() => next(), { name: 'kept', staleAfter: HOUR, now: clock.now });
  cache(memoryCache(), () => {
    const first = kept();
    clock.ms += 2 * HOUR;
    assert.is(kept.load(), first);
    assert.is(kept.contains(), true);
    assert.is(kept.explain().verdict, 'expired');
    kept();
    assert.is(kept.explain().verdict, 'cached');
  });
});

test('how old answers may be never enters the key', () => {
  const same = (x: number): number => x;
  const options = [{}, { staleAfter: 1 }, { staleAfter: '2d', staleWhileRevalidate: true, staleIfError: '1w' }];
  const keys = options.map((each) => fleche(same, { name: 'timeless', ...each }).digest(1));
  assert.is(new Set(keys).size, 1);
});

test('a call can want a younger answer, and never gets an older one than the function allows', () => {
  const clock = fakeClock();
  const daily = fleche(() => next(), { name: 'daily', staleAfter: '1d', now: clock.now });
  cache(memoryCache(), () => {
    const first = daily();
    clock.ms += 60 * SECOND;
    assert.is(daily.with({ maxAge: '2m' })(), first);
    assert.is(daily.with({ maxAge: '1m1s' })(), first);
    const second = daily.with({ maxAge: '59s' })();
    assert.is(second, first + 1);
    assert.is(daily(), second);
    clock.ms += 25 * HOUR;
    assert.is(daily.with({ maxAge: '7d' })(), second + 1);
    assert.is(daily.with({ maxAge: 0 })(), second + 2);
  });
});

test('a call of a function whose answers never grow old can want a young one', () => {
  const clock = fakeClock();
  const forever = fleche(() => next(), { name: 'forever', now: clock.now });
  cache(memoryCache(), () => {
    const first = forever();
    clock.ms += HOUR;
    assert.is(forever.with({ maxAge: '1h1s' })(), first);
    assert.is(forever.with({ maxAge: '59m' })(), first + 1);
  });
});

const KINDS = [
  ['at once', memoryCache],
  ['later', laterCache],
] as const;

for (const [kind, makeCache] of KINDS) {
  test(`a stale answer is served while a new one is made (cache answers ${kind})`, async () => {
    const clock = fakeClock();
    let ends: (() => void)[] = [];
    const slow = fleche(
      async () => {
        const mine = next();
        await new Promise<void>((end) => ends.push(end));
        return mine;
      },
      { name: `slow ${kind}`, staleAfter: HOUR, staleWhileRevalidate: true, now: clock.now },
    );
    const store = makeCache();
    await cache(store, async () => {
      const cold = slow();
      while (ends.length === 0) await turn();
      ends.pop()?.();
      const first = await cold;
      clock.ms += 2 * HOUR;
      // Nobody waits for the new one, however many ask.
      assert.equal(await Promise.all([slow(), slow(), slow()]), [first, first, first]);
      while (ends.length === 0) await turn();
      assert.is(await slow(), first);
      assert.is(ends.length, 1);
      ends.pop()?.();
      await store.flush();
      assert.is(await slow(), first + 1);
      assert.is(made, first + 1);
      ends = [];
    });
  });
}

test('a synchronous function refreshes in a later turn', async () => {
  const clock = fakeClock();
  const store = memoryCache();
  const sync = fleche(() => next(), { name: 'sync', staleAfter: '1h', staleWhileRevalidate: '1h', now: clock.now });
  await cache(store, async () => {
    const first = sync();
    clock.ms += HOUR + 1;
    assert.is(sync(), first);
    assert.is(sync(), first);
    assert.is(made, first);
    await store.flush();
    assert.is(made, first + 1);
    assert.is(sync(), first + 1);
    clock.ms += 2 * HOUR + 1;
    assert.is(sync(), first + 2);
  });
});

test('what is being made anew keeps nobody from clearing a synchronous function', async () => {
  const clock = fakeClock();
  const store = memoryCache();
  const sync = fleche(() => next(), { name: 'cleared', staleAfter: '1h', staleWhileRevalidate: true, now: clock.now });
  await cache(store, async () => {
    sync();
    clock.ms += HOUR + 1;
    sync();
    assert.is(sync.clear(), 1);
    assert.is(sync.contains(), false);
    await store.flush();
  });
});

test('point 10: maxAge is never exceeded, even where stale answers are served', async () => {
  const clock = fakeClock();
  const store = memoryCache();
  const swr = fleche(async () => next(), {
    name: 'swr',
    staleAfter: SECOND,
    staleWhileRevalidate: true,
    now: clock.now,
  });
  await cache(store, async () => {
    const first = await swr();
    clock.ms += 10 * SECOND;
    assert.is(await swr.with({ maxAge: '10s' })(), first);
    await store.flush();
    clock.ms += 10 * SECOND;
    const second = first + 1;
    assert.is(await swr.with({ maxAge: '9s' })(), second + 1);
  });
});

test('point 10: maxAge is never exceeded, whatever the options, ages and outcomes', async () => {
  const durations = fc.oneof(fc.constant(undefined), fc.integer({ min: 0, max: 20 }));
  const graces = fc.oneof(fc.constant(undefined), fc.boolean(), fc.integer({ min: 0, max: 20 }));
  const step = fc.record({
    wait: fc.integer({ min: 0, max: 20 }),
    maxAge: durations,
    fails: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(durations, graces, graces, fc.array(step, { maxLength: 12 }), async (after, swr, error, steps) => {
      const clock = fakeClock();
      const store = memoryCache();
      let fails = false;
      const aged = fleche(
        async () => {
          if (fails) throw new Error('no answer');
          return clock.ms;
        },
        {
          name: 'aged',
          module: `property ${made++}`,
          now: clock.now,
          ...(after === undefined ? {} : { staleAfter: after }),
          ...(after === undefined || swr === undefined ? {} : { staleWhileRevalidate: swr }),
          ...(after === undefined || error === undefined ? {} : { staleIfError: error }),
        },
      );
      await warningsOf(() =>
        cache(store, async () => {
          for (const { wait, maxAge, fails: failing } of steps) {
            clock.ms += wait;
            fails = failing;
            const answer = await aged
              .with(maxAge === undefined ? {} : { maxAge })()
              .catch(() => undefined);
            const age = answer === undefined ? 0 : clock.ms - answer;
            assert.ok(age <= (maxAge ?? Number.POSITIVE_INFINITY));
            if (after !== undefined && swr !== true && error !== true) {
              assert.ok(age <= after + Math.max(Number(swr ?? 0), Number(error ?? 0)));
            }
            await store.flush();
          }
        }),
      );
    }),
    { numRuns: 150 },
  );
});

test('a failed refresh keeps the last good value, is tried again later, and says so once', async () => {
  const clock = fakeClock();
  const store = memoryCache();
  let fails = false;
  const shaky = fleche(
    async () => {
      const mine = next();
      if (fails) throw new Error('out of order');
      return mine;
    },
    { name: 'shaky', staleAfter: SECOND, staleWhileRevalidate: true, now: clock.now },
  );
  const warnings = await warningsOf(() =>
    cache(store, async () => {
      const first = await shaky();
      fails = true;
      clock.ms += 2 * SECOND;
      const ask = async (): Promise<number> => {
        const answer = await shaky();
        await store.flush();
        return answer;
      };
      // One attempt, then none for a second, then none for two, then none for four.
      for (const [wait, attempts] of [
        [0, 1],
        [SECOND - 1, 1],
        [2, 2],
        [2 * SECOND - 1, 2],
        [2, 3],
        [3 * SECOND, 3],
        [SECOND + 1, 4],
      ] as const) {
        clock.ms += wait;
        assert.is(await ask(), first);
        assert.is(made, first + attempts);
      }
      fails = false;
      clock.ms += 10 * SECOND;
      assert.is(await ask(), first);
      assert.is(await ask(), first + 5);
    }),
  );
  assert.equal(warnings, ['shaky could not be made anew: out of order']);
});

test('arguments that changed meanwhile are not refreshed under their old key', async () => {
  const clock = fakeClock();
  const store = memoryCache();
  const sums = fleche((list: readonly number[]) => list.reduce((a, b) => a + b, 0), {
    name: 'sums',
    staleAfter: SECOND,
    staleWhileRevalidate: true,
    now: clock.now,
  });
  await cache(store, async () => {
    const list = [1, 2];
    assert.is(sums(list), 3);
    clock.ms += 2 * SECOND;
    assert.is(sums(list), 3);
    list.push(10);
    await store.flush();
    assert.is(sums([1, 2]), 3);
  });
});

test('closing a cache waits for what is being made anew', async () => {
  const clock = fakeClock();
  const store = memoryCache();
  const ends: string[] = [];
  const last = fleche(
    async () => {
      for (let i = 0; i < 5; i++) await turn();
      ends.push('refreshed');
    },
    { name: 'last', staleAfter: SECOND, staleWhileRevalidate: true, now: clock.now },
  );
  await cache(store, async () => {
    await last();
    clock.ms += 2 * SECOND;
    await last();
    await store.close();
    ends.push('closed');
  });
  assert.equal(ends, ['refreshed', 'refreshed', 'closed']);
});

test('after an error the answer before it is served, if that is wanted and it is not too old', async () => {
  const clock = fakeClock();
  let fails = false;
  const options = { staleAfter: '1h', staleIfError: '2h', now: clock.now } as const;
  const body = (): number => {
    if (fails) throw new Error('no answer');
    return next();
  };
  const sync = fleche(body, { ...options, name: 'forgiving' });
  const later = fleche(async () => body(), { ...options, name: 'forgivingLater' });
  await cache(memoryCache(), async () => {
    const first = sync();
    const firstLater = await later();
    fails = true;
    clock.ms += 2 * HOUR;
    assert.is(sync(), first);
    assert.equal(await Promise.all([later(), later()]), [firstLater, firstLater]);
    assert.throws(() => sync.with({ maxAge: '1h' })(), /no answer/);
    assert.throws(() => sync.with({ cache: 'refresh' })(), /no answer/);
    clock.ms += HOUR + 1;
    assert.throws(() => sync(), /no answer/);
    fails = false;
    assert.is(sync(), firstLater + 1);
  });
});

test('without a wish for it an error is an error, and the answer before it stays on file', () => {
  const clock = fakeClock();
  let fails = false;
  const strict = fleche(
    () => {
      if (fails) throw new Error('no answer');
      return next();
    },
    { name: 'unforgiving', staleAfter: '1h', now: clock.now },
  );
  cache(memoryCache(), () => {
    const first = strict();
    fails = true;
    clock.ms += 2 * HOUR;
    assert.throws(() => strict(), /no answer/);
    assert.is(strict.load(), first);
  });
});

test('a check decides whether an answer on file may be served', async () => {
  let accepted = true;
  const seen: unknown[] = [];
  const checked = fleche(() => ({ at: next() }), {
    name: 'checked',
    validate(value, record) {
      seen.push([value.at, record.name]);
      return accepted;
    },
  });
  const checkedLater = fleche(async () => next(), { name: 'checkedLater', validate: async () => accepted });
  const throwing = fleche(() => next(), {
    name: 'throwing',
    validate: () => {
      throw new Error('cannot tell');
    },
  });
  await cache(memoryCache(), async () => {
    const { at } = checked();
    assert.equal(seen, []);
    assert.is(checked().at, at);
    assert.equal(seen, [[at, 'checked']]);
    const first = await checkedLater();
    assert.is(await checkedLater(), first);
    accepted = false;
    assert.is(checked().at, first + 1);
    assert.is(await checkedLater(), first + 2);
    const warnings = await warningsOf(() => {
      const before = throwing();
      assert.is(throwing(), before + 1);
    });
    assert.is(warnings.length, 1);
  });
});

test('what is not to be filed is given out all the same', () => {
  const body = (x: number): number => {
    next();
    return x;
  };
  const even = fleche(body, { name: 'even', shouldCache: (value) => value % 2 === 0 });
  cache(memoryCache(), () => {
    const before = made;
    for (const x of [1, 2, 1, 2]) assert.is(even(x), x);
    assert.is(made, before + 3);
    assert.equal(even.query().results(), [2]);
  });
});

test('what is too large is not filed, and takes the place of nothing', () => {
  const clock = fakeClock();
  let length = 10;
  const long = fleche(() => 'x'.repeat(length), {
    name: 'long',
    maxEntrySize: '1KB',
    staleAfter: '1h',
    now: clock.now,
  });
  cache(memoryCache(), () => {
    assert.is(long().length, 10);
    clock.ms += 2 * HOUR;
    length = 2000;
    assert.is(long().length, 2000);
    assert.is(long.load().length, 10);
    assert.is(long.stats().metrics.sizeRejections, 1);
    assert.is(long.precache([], 'y'.repeat(5000)).length, 5000);
    assert.is(long.load().length, 10);
  });
});

test('answers that may no longer be served are removed now and then', async () => {
  const clock = fakeClock();
  const store = memoryCache();
  const swept = fleche((x: number) => next() + x, {
    name: 'swept',
    staleAfter: '1h',
    staleIfError: '1h',
    cleanupStale: true,
    cleanupInterval: '3h',
    now: clock.now,
  });
  const other = fleche((x: number) => x, { name: 'swept_too', now: clock.now });
  await cache(store, async () => {
    swept(1);
    other(1);
    await store.flush();
    clock.ms += 2.5 * HOUR;
    swept(2);
    await store.flush();
    assert.is(swept.entries().length, 2);
    clock.ms += 0.9 * HOUR;
    swept(2);
    await store.flush();
    assert.equal(
      swept.entries().map(({ state }) => state),
      ['fresh'],
    );
    assert.is(other.contains(1), true);
  });
});

test('options without a meaning are told when the function is defined', () => {
  const f = (): number => 1;
  const define = (options: object): string | undefined => codeOf(() => fleche(f, { name: 'unmade', ...options }));
  assert.is(define({ staleWhileRevalidate: true }), 'USAGE');
  assert.is(define({ staleIfError: '1h' }), 'USAGE');
  assert.is(define({ cleanupStale: true }), 'USAGE');
  assert.is(define({ staleAfter: 'soon' }), 'INVALID_DURATION');
  assert.is(define({ staleAfter: -1 }), 'INVALID_DURATION');
  assert.is(define({ waitTimeout: '5' }), 'INVALID_DURATION');
  assert.is(define({ maxEntrySize: 'big' }), 'INVALID_SIZE');
  assert.is(define({ staleAfter: '1h', staleWhileRevalidate: false, staleIfError: true }), undefined);
});

test('states follow one another as an answer grows old', () => {
  const age = fc.integer({ min: 0, max: 100 });
  fc.assert(
    fc.property(age, age, age, age, (staleAfter, swr, a, b) => {
      const freshness = new Freshness({ staleAfter, staleWhileRevalidate: swr });
      const rank = (ms: number): number => ['fresh', 'stale', 'expired'].indexOf(freshness.state(ms));
      if (a <= b) assert.ok(rank(a) <= rank(b));
      assert.is(freshness.state(a) === 'fresh', a <= staleAfter && staleAfter > 0);
      assert.ok(a <= freshness.horizon || freshness.state(a) === 'expired');
    }),
  );
});

test('a clock that is set, forth or back, makes nothing immortal', () => {
  const clock = fakeClock();
  const aging = fleche(() => next(), { name: 'set clock', staleAfter: '1h', now: clock.now });
  cache(memoryCache(), () => {
    const first = aging();
    // Set a year forth by mistake, and back.
    clock.ms += 365 * 24 * HOUR;
    assert.is(aging(), first + 1);
    clock.ms -= 365 * 24 * HOUR;
    assert.is(aging(), first + 2, 'filed in the future');
    assert.is(aging(), first + 2);
    clock.ms += HOUR / 2;
    assert.is(aging(), first + 2);
    clock.ms += HOUR;
    assert.is(aging(), first + 3);
    // What is made anew takes the place of what was filed by the other clock.
    assert.is(aging.entries().length, 1);
    assert.is(aging.entries()[0]?.state, 'fresh');
  });
});

test('an answer from the future is of no age, unless it is from too far in the future', () => {
  assert.is(ageOf(1000, 5000), 4000);
  assert.is(ageOf(5000, 1000), 0);
  assert.is(ageOf(1_000_000, 1000), Number.POSITIVE_INFINITY);
});

test.run();
