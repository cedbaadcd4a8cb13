import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { byValue } from '../../../core/call/query/compare.ts';

test('values of one kind have their own order, kinds have one among them', () => {
  const sorted = [
    null,
    false,
    true,
    Number.NEGATIVE_INFINITY,
    -1,
    2n,
    2.5,
    Number.NaN,
    new Date(1),
    new Date(2),
    new Date(Number.NaN),
    'B',
    'a',
    'ä',
  ];
  for (let i = 0; i < 20; i++) {
    const shuffled = sorted.map((_, at) => sorted[(at * 5 + i) % sorted.length]);
    assert.equal(shuffled.sort(byValue), sorted);
  }
  assert.is(byValue(undefined, null), -1);
});

test('everything else stays as it is', () => {
  const [a, b] = [{ a: 1 }, [1]];
  assert.is(byValue(a, b), 0);
  assert.ok(byValue('z', a) < 0);
});

test('the order is consistent', () => {
  const value = fc.oneof(
    fc.integer(),
    fc.double(),
    fc.bigInt(),
    fc.string(),
    fc.boolean(),
    fc.date(),
    fc.constant(null),
  );
  fc.assert(
    fc.property(value, value, value, (a, b, c) => {
      assert.is(Math.sign(byValue(a, b)) + Math.sign(byValue(b, a)), 0);
      if (byValue(a, b) <= 0 && byValue(b, c) <= 0) assert.ok(byValue(a, c) <= 0);
    }),
  );
});

test.run();
