import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { chain, isPromise } from '../../../core/base/awaitable.ts';
import { collector, pour, type Sink, type Step, through, throughLater } from '../../../core/call/query/sequence.ts';

const late = (): Error => new Error('late');
/** Doubles each item, tells the end, and wants no more than `count`; every third item makes it wait if it is to. */
const step =
  (count: number, waits: boolean): Step<number, number> =>
  (next) => {
    let left = count;
    return {
      take: (item) => {
        const taken = waits && item % 3 === 0 ? Promise.resolve(item * 2) : item * 2;
        return chain(taken, (item) => chain(next.take(item), (more) => more && --left > 0));
      },
      end: () => chain(next.take(-1), () => next.end()),
    };
  };
async function* later(items: readonly number[]): AsyncGenerator<number> {
  for (const item of items) {
    await null;
    yield item;
  }
}

test('however a listing is driven, the same comes out', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(20)), fc.integer({ min: 1, max: 10 }), async (items, count) => {
      const expected = [...items.slice(0, count).map((item) => item * 2), -1];
      assert.equal([...through(items, step(count, false), late)], expected);
      for (const waits of [false, true]) {
        for (const listing of [items, later(items)]) {
          const out: number[] = [];
          const poured = pour(listing, step(count, waits)(collector(out)));
          if (listing === items && !waits) assert.is(isPromise(poured), false);
          await poured;
          assert.equal(out, expected);
        }
        for (const listing of [items, later(items)]) {
          const out: number[] = [];
          for await (const item of throughLater(listing, step(count, waits))) out.push(item);
          assert.equal(out, expected);
        }
      }
    }),
  );
});

test('a step that waits is an error where nothing may wait', () => {
  assert.throws(() => [...through([1, 2, 3], step(9, true), late)], 'late');
});

test('a listing is closed when no more is wanted, and when a sink throws', async () => {
  let closed = 0;
  function* items(): Generator<number> {
    try {
      for (let i = 1; ; i++) yield i;
    } finally {
      closed++;
    }
  }
  const throwing = (when: 'at once' | 'later'): Sink<number> => ({
    take: (item) => {
      if (item < 2) return true;
      if (when === 'at once') throw new Error('full');
      return Promise.reject(new Error('full'));
    },
    end: () => {},
  });
  pour(items(), step(2, false)(collector([])));
  assert.is(closed, 1);
  await pour(items(), step(5, true)(collector([])));
  assert.is(closed, 2);
  await pour(items(), step(3, true)(collector([])));
  assert.is(closed, 3);
  assert.throws(() => pour(items(), throwing('at once')), 'full');
  assert.is(closed, 4);
  await Promise.resolve(pour(items(), throwing('later'))).then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error.message, 'full'),
  );
  assert.is(closed, 5);
});

test('a hundred thousand items do not exhaust the stack', async () => {
  const many = Array.from({ length: 100_000 }, (_, i) => i + 1);
  const out: number[] = [];
  await pour(many, step(Number.POSITIVE_INFINITY, true)(collector(out)));
  assert.is(out.length, 100_001);
});

test.run();
