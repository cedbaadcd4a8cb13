import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FlecheError } from '../../core/base/errors.ts';
import { formatSize, parseSize } from '../../core/base/size.ts';

test('units are powers of 1024, in either case', () => {
  assert.is(parseSize('0'), 0);
  assert.is(parseSize('12B'), 12);
  assert.is(parseSize('1k'), 1024);
  assert.is(parseSize('1KiB'), 1024);
  assert.is(parseSize('1.5 MB'), 1_572_864);
  assert.is(parseSize('5GB'), 5_368_709_120);
  assert.is(parseSize('5gb'), 5_368_709_120);
  assert.is(parseSize(' 2T '), 2_199_023_255_552);
  assert.is(parseSize('1PB'), 2 ** 50);
});

test('a number is bytes, and a part of a byte is dropped', () => {
  assert.is(parseSize(1000), 1000);
  assert.is(parseSize('1.9B'), 1);
});

test('everything else is refused, with a hint', () => {
  const wrong = ['', ' ', 'GB', '5XB', '-1KB', '1,5MB', '5 G B', '1e3', '.5MB', '5GBs', 'lots', '9000PB'];
  for (const size of [...wrong, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    assert.throws(
      () => parseSize(size),
      (error: unknown) => error instanceof FlecheError && error.code === 'INVALID_SIZE' && error.hint !== undefined,
      `accepted ${size}`,
    );
  }
});

test('a size is shown in the largest fitting unit', () => {
  const shown: readonly (readonly [number, string])[] = [
    [0, '0B'],
    [9, '9B'],
    [1023, '1023B'],
    [1024, '1KB'],
    [1536, '1.5KB'],
    [10_188, '9.9KB'],
    [10_240, '10KB'],
    [1_048_575, '1MB'],
    [5_368_709_120, '5GB'],
    [2 ** 50, '1PB'],
    [Number.MAX_SAFE_INTEGER, '8PB'],
  ];
  for (const [bytes, text] of shown) assert.is(formatSize(bytes), text);
});

test('what is shown reads back as nearly the same', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 52 }), (bytes) => {
      const back = parseSize(formatSize(bytes));
      assert.ok(Math.abs(back - bytes) <= Math.max(0, bytes * 0.051), `${bytes} became ${back}`);
      assert.is(formatSize(back), formatSize(bytes));
    }),
  );
});

test.run();
