/** How many at once. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseJobs } from '../../core/app/jobs.ts';

test('a number, a part of the processors, or one for each', () => {
  assert.is(parseJobs('3', undefined, 8), 3);
  assert.is(parseJobs('50%', undefined, 8), 4);
  assert.is(parseJobs('200%', undefined, 8), 16);
  assert.is(parseJobs('1%', undefined, 8), 1);
  assert.is(parseJobs(undefined, undefined, 8), 8);
  assert.is(parseJobs(undefined, 3, 8), 3);
  assert.is(parseJobs('2', 3, 8), 2);
});

test('anything else is refused', () => {
  for (const wish of ['0', '-1', '1.5', 'all', '', '%', '0%', '1e3', ' 2', '99999999']) {
    assert.throws(
      () => parseJobs(wish, undefined, 8),
      (error: { code?: string }) => error.code === 'USAGE',
      wish,
    );
  }
});

test.run();
