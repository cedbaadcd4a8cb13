import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatDuration, parseDuration } from '../../core/base/duration.ts';
import { FlecheError } from '../../core/base/errors.ts';

test('units add up, from the largest to the smallest', () => {
  assert.is(parseDuration('0ms'), 0);
  assert.is(parseDuration('250ms'), 250);
  assert.is(parseDuration('90s'), 90_000);
  assert.is(parseDuration('1.5s'), 1500);
  assert.is(parseDuration('5m'), 300_000);
  assert.is(parseDuration('1h30m'), 5_400_000);
  assert.is(parseDuration('1h 30m'), 5_400_000);
  assert.is(parseDuration(' 2w3d '), 17 * 86_400_000);
  assert.is(parseDuration('1w1d1h1m1s1ms'), 694_861_001);
});

test('a number is milliseconds', () => {
  assert.is(parseDuration(0), 0);
  assert.is(parseDuration(1500), 1500);
});

test('everything else is refused, with a hint', () => {
  const wrong = ['', ' ', '5', '5 m', 'm', '1m1h', '1h1h', '-1s', '1,5s', '.5s', '1e3s', '1y', '1M', '1h30', 'forever'];
  for (const duration of [...wrong, -1, Number.NaN, Number.POSITIVE_INFINITY, `${'9'.repeat(400)}w`]) {
    assert.throws(
      () => parseDuration(duration),
      (error: unknown) => error instanceof FlecheError && error.code === 'INVALID_DURATION' && error.hint !== undefined,
      `accepted ${duration}`,
    );
  }
});

test('a duration is shown in at most two units', () => {
  const shown: readonly (readonly [number, string])[] = [
    [0, '0ms'],
    [0.4, '0ms'],
    [340, '340ms'],
    [999.4, '999ms'],
    [999.6, '1s'],
    [12_345, '12.3s'],
    [59_949, '59.9s'],
    [59_960, '1m'],
    [90_000, '1m30s'],
    [3_599_600, '1h'],
    [3_600_000, '1h'],
    [5_430_000, '1h31m'],
    [86_399_999, '1d'],
    [187_200_000, '2d4h'],
    [604_800_000, '1w'],
    [1_209_600_000 + 86_400_000, '2w1d'],
  ];
  for (const [ms, text] of shown) assert.is(formatDuration(ms), text);
});

test('what is shown reads back as nearly the same', () => {
  // The coarsest step is half a day in a week.
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e12, noNaN: true }), (ms) => {
      const back = parseDuration(formatDuration(ms));
      assert.ok(Math.abs(back - ms) <= Math.max(0.5, ms * 0.072), `${ms} became ${back}`);
      assert.is(formatDuration(back), formatDuration(ms));
    }),
  );
});

test.run();
