import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Deadline } from '../../../core/graph/commands/deadline.ts';
import { turn } from '../../_test-clock.ts';

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

test('when its time is over it is aborted, and says that it was for that', async () => {
  const deadline = new Deadline(new AbortController().signal, 1);
  await aborted(deadline.signal);
  assert.is(deadline.isOver, true);
  deadline.close();
});

test('it follows the other signal, and then its time was not over', () => {
  const outer = new AbortController();
  const deadline = new Deadline(outer.signal, 60_000);
  outer.abort();
  assert.is(deadline.signal.aborted, true);
  assert.is(deadline.isOver, false);
  deadline.close();
  const late = new Deadline(outer.signal, undefined);
  assert.is(late.signal.aborted, true);
  late.close();
});

test('a time that is longer than any timer is not over at once', async () => {
  const deadline = new Deadline(new AbortController().signal, 2 ** 40);
  await turn();
  await turn();
  assert.is(deadline.signal.aborted, false);
  deadline.close();
});

test('once it is closed nothing happens any more', async () => {
  const outer = new AbortController();
  const deadline = new Deadline(outer.signal, 0);
  deadline.close();
  outer.abort();
  await turn();
  assert.is(deadline.signal.aborted, false);
});

test.run();
