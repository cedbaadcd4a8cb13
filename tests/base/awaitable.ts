import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { chain, isPromise } from '../../core/base/awaitable.ts';

test('a value that is there is passed on at once', () => {
  assert.is(
    chain(1, (value) => value + 1),
    2,
  );
  assert.is(
    chain(null, (value) => String(value)),
    'null',
  );
});

test('a value that comes later is passed on then', async () => {
  const later = chain(Promise.resolve(1), (value) => value + 1);
  assert.ok(isPromise(later));
  assert.is(await later, 2);
});

test('what comes next may come later itself', async () => {
  assert.is(await chain(1, async (value) => value + 1), 2);
  assert.is(await chain(Promise.resolve(1), async (value) => value + 1), 2);
});

test('a throw and a rejection both reach the caller', async () => {
  assert.throws(() => chain(1, () => { throw new Error('now'); }), /now/); // biome-ignore format: short
  let message = '';
  try {
    await chain(Promise.reject<number>(new Error('later')), (value) => value);
  } catch (error) {
    message = (error as Error).message;
  }
  assert.is(message, 'later');
});

test('whatever has a then is a promise, and nothing else', () => {
  assert.ok(isPromise(Promise.resolve()));
  // biome-ignore lint/suspicious/noThenProperty: a promise of another library
  assert.ok(isPromise({ then: () => undefined }));
  // biome-ignore lint/suspicious/noThenProperty: what is no promise
  for (const value of [undefined, null, 0, '', 'then', {}, { then: 1 }, () => undefined])
    assert.not.ok(isPromise(value));
});

test.run();
