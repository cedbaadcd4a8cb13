import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Ending } from '../../../core/graph/round/ending.ts';

test('the time of a task is its own: what it waits for does not count', async () => {
  let now = 100;
  const end = new Ending('a', () => now);
  now += 5;
  let go = (): void => {};
  const waiting = end.wait(new Promise<string>((resolve) => (go = () => resolve('slot'))));
  now += 1000;
  go();
  assert.is(await waiting, 'slot');
  now += 7;
  assert.is(end.settled({ outcome: 'ran' }).outcome.ms, 12);
});

test('waiting that fails does not count either', async () => {
  let now = 0;
  const end = new Ending('a', () => now);
  const waiting = end.wait(Promise.reject(new Error('gone')));
  now += 50;
  await waiting.then(
    () => assert.unreachable(),
    () => {},
  );
  assert.is(end.settled({ outcome: 'failed' }).outcome.ms, 0);
});

test.run();
