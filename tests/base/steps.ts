import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Awaitable, isPromise } from '../../core/base/awaitable.ts';
import { later, run, type Steps, wait } from '../../core/base/steps.ts';

function* sum(...values: readonly Awaitable<number>[]): Steps<number> {
  let total = 0;
  for (const value of values) total += yield* wait(value);
  return total;
}

test('without a promise it is done at once', () => {
  assert.is(run(sum(1, 2, 3)), 6);
});

test('with a promise it is done later', async () => {
  const done = run(sum(1, Promise.resolve(2), 3));
  assert.ok(isPromise(done));
  assert.is(await done, 6);
});

test('an error before the first wait is thrown at once, one behind it is a rejection', async () => {
  const failing = function* (first: Awaitable<number>): Steps<number> {
    yield* wait(first);
    throw new Error('on purpose');
  };
  assert.throws(() => run(failing(1)), 'on purpose');
  const done = run(failing(Promise.resolve(1)));
  assert.is(await Promise.resolve(done).catch((error: Error) => error.message), 'on purpose');
});

test('a rejection can be caught on the way', async () => {
  const caught = function* (): Steps<string> {
    try {
      yield* wait(Promise.reject(new Error('on purpose')));
      return 'not thrown';
    } catch (error) {
      return `caught ${String(error)}`;
    }
  };
  assert.is(await run(caught()), 'caught Error: on purpose');
});

test('for those who wait in any case every error is a rejection', async () => {
  const failing = function* (): Steps<number> {
    yield* wait(undefined);
    throw new Error('on purpose');
  };
  assert.is(await later(failing()).catch((error: Error) => error.message), 'on purpose');
});

test('what needs no time is done when `later` returns', () => {
  let done = false;
  const step = function* (): Steps<void> {
    yield* wait(1);
    done = true;
  };
  void later(step());
  assert.ok(done);
});

test.run();
