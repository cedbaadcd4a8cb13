import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Slots } from '../../core/graph/slots.ts';

const never = new AbortController().signal;

test('no more places are taken than there are, and waiters come in their order', async () => {
  const slots = new Slots(2);
  const order: string[] = [];
  const take = async (name: string): Promise<void> => {
    await slots.take(never);
    order.push(name);
  };
  await Promise.all([take('a'), take('b')]);
  const waiting = [take('c'), take('d')];
  assert.equal(order, ['a', 'b']);
  slots.release();
  slots.release();
  await Promise.all(waiting);
  assert.equal(order, ['a', 'b', 'c', 'd']);
});

test('a freed place goes to the waiter, not to who asks in between', async () => {
  const slots = new Slots(1);
  await slots.take(never);
  const order: string[] = [];
  const first = slots.take(never).then(() => order.push('waiter'));
  slots.release();
  const second = slots.take(never).then(() => order.push('latecomer'));
  await first;
  assert.equal(order, ['waiter']);
  slots.release();
  await second;
  assert.equal(order, ['waiter', 'latecomer']);
});

test('an aborted waiter leaves the queue without a place', async () => {
  const slots = new Slots(1);
  await slots.take(never);
  const abort = new AbortController();
  const aborted = slots.take(abort.signal);
  const next = slots.take(never);
  abort.abort();
  assert.is(await aborted, false);
  slots.release();
  assert.is(await next, true);
  assert.is(await slots.take(abort.signal), false);
});

test('places are neither lost nor made, whatever the order of taking, aborting and releasing', async () => {
  const steps = fc.array(fc.constantFrom('take', 'abort', 'release'), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3 }), steps, async (count, sequence) => {
      const slots = new Slots(count);
      let held = 0;
      const waiting: AbortController[] = [];
      for (const step of sequence) {
        if (step === 'take') {
          const abort = new AbortController();
          waiting.push(abort);
          slots.take(abort.signal).then((granted) => {
            if (!granted) return;
            held++;
            waiting.splice(waiting.indexOf(abort), 1);
          });
        } else if (step === 'abort') {
          waiting.pop()?.abort();
        } else if (held > 0) {
          held--;
          slots.release();
        }
        await Promise.resolve();
        await Promise.resolve();
        assert.ok(held <= count);
        if (waiting.length > 0) assert.is(held, count);
      }
    }),
  );
});

test.run();
