import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Place, Slots, type Want } from '../../../core/graph/scheduling/slots.ts';
import { turn } from '../../_test-clock.ts';

const never = new AbortController().signal;
const PLAIN: Want = { weight: 1, rank: () => 0 };
/** Takes places under names, and says who has one. */
class Queue {
  readonly slots: Slots;
  readonly order: string[] = [];
  readonly places = new Map<string, Place>();

  constructor(count: number) {
    this.slots = new Slots(count);
  }

  take(name: string, want: Partial<Want> = {}, signal: AbortSignal = never): void {
    this.slots.take({ ...PLAIN, ...want }, signal).then((place) => {
      if (place === undefined) return;
      this.order.push(name);
      this.places.set(name, place);
    });
  }

  release(name: string): void {
    this.places.get(name)?.release();
    this.places.delete(name);
  }
}

const rank = (rank: number): Partial<Want> => ({ rank: () => rank });

test('no more places are taken than there are, and equals come in their order', async () => {
  const queue = new Queue(2);
  for (const name of ['a', 'b', 'c', 'd']) queue.take(name);
  await turn();
  assert.equal(queue.order, ['a', 'b']);
  queue.release('a');
  queue.release('b');
  await turn();
  assert.equal(queue.order, ['a', 'b', 'c', 'd']);
});

test('the greatest rank comes first, of those who wait and of those who come when a place is given back', async () => {
  const queue = new Queue(1);
  queue.take('low', rank(1));
  queue.take('high', rank(3));
  await turn();
  assert.equal(queue.order, ['high']);
  queue.release('high');
  queue.take('middle', rank(2));
  await turn();
  assert.equal(queue.order, ['high', 'middle']);
});

test('nobody is asked for a rank where everyone has a place', async () => {
  const queue = new Queue(2);
  const asked = { rank: () => assert.unreachable() as never };
  queue.take('a', asked);
  queue.take('b', asked);
  await turn();
  assert.equal(queue.order, ['a', 'b']);
});

test('it is told whether time went by until a place was free', async () => {
  const queue = new Queue(1);
  queue.take('a');
  queue.take('b');
  await turn();
  assert.is(queue.places.get('a')?.waited, false);
  queue.release('a');
  await turn();
  assert.is(queue.places.get('b')?.waited, true);
});

test('lanes are the smallest numbers that are free', async () => {
  const queue = new Queue(3);
  for (const name of ['a', 'b', 'c']) queue.take(name);
  await turn();
  queue.release('b');
  queue.take('d');
  await turn();
  assert.is(queue.places.get('d')?.lane, 1);
});

test('an aborted waiter leaves the queue without a place', async () => {
  const queue = new Queue(1);
  queue.take('a');
  const abort = new AbortController();
  queue.take('b', {}, abort.signal);
  queue.take('c');
  abort.abort();
  await turn();
  queue.release('a');
  await turn();
  assert.equal(queue.order, ['a', 'c']);
  assert.is(await queue.slots.take(PLAIN, abort.signal), undefined);
});

test('a heavy task waits for as many places, and is not overtaken for ever', async () => {
  const queue = new Queue(3);
  queue.take('one', rank(9));
  queue.take('heavy', { weight: 3, rank: () => 5 });
  queue.take('late', rank(1));
  await turn();
  assert.equal(queue.order, ['one'], 'the places that are free are kept for it');
  queue.release('one');
  await turn();
  assert.equal(queue.order, ['one', 'heavy']);
  queue.release('heavy');
  await turn();
  assert.equal(queue.order, ['one', 'heavy', 'late']);
});

test('a task that wants more places than there are takes all of them', async () => {
  const queue = new Queue(2);
  queue.take('a');
  queue.take('giant', { weight: 100 });
  await turn();
  assert.equal(queue.order, ['a']);
  queue.release('a');
  await turn();
  assert.equal(queue.order, ['a', 'giant']);
});

test('a full group holds back its own tasks and no others', async () => {
  const queue = new Queue(4);
  const db = { limit: { group: 'db', slots: 1, size: 1 } };
  queue.take('first', db);
  queue.take('second', db);
  queue.take('other');
  queue.take('big', { limit: { group: 'mem', slots: 9, size: undefined } });
  await turn();
  assert.equal(queue.order, ['first', 'other', 'big'], 'a group without a size has one for every place');
  queue.release('first');
  await turn();
  assert.equal(queue.order, ['first', 'other', 'big', 'second']);
});

test('no more is ever taken than there is, nothing is lost, and nobody waits for what is free', async () => {
  const want = fc.record({
    weight: fc.integer({ min: 1, max: 4 }),
    rank: fc.nat(5),
    group: fc.constantFrom('a', 'b', undefined),
    slots: fc.integer({ min: 1, max: 3 }),
  });
  const step = fc.oneof(
    want.map((want) => ({ kind: 'take', want }) as const),
    fc.constantFrom({ kind: 'abort' } as const, { kind: 'release' } as const, { kind: 'turn' } as const),
  );
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 40 }), async (count, steps) => {
      const slots = new Slots(count);
      const held: { readonly place: Place; readonly places: number; readonly group: string; readonly slots: number }[] =
        [];
      const waiting = new Set<AbortController>();
      const check = (): void => {
        assert.ok(held.reduce((sum, { places }) => sum + places, 0) <= count);
        for (const group of ['a', 'b']) {
          const used = held.filter((one) => one.group === group).reduce((sum, one) => sum + one.slots, 0);
          assert.ok(used <= 2, `${used} of group ${group}`);
        }
        assert.is(new Set(held.map(({ place }) => place.lane)).size, held.length);
      };
      for (const one of steps) {
        if (one.kind === 'take') {
          const { weight, rank, group, slots: wanted } = one.want;
          const abort = new AbortController();
          waiting.add(abort);
          const limit = group === undefined ? undefined : { group, slots: wanted, size: 2 };
          slots.take({ weight, limit, rank: () => rank }, abort.signal).then((place) => {
            waiting.delete(abort);
            if (place === undefined) return;
            held.push({ place, places: Math.min(weight, count), group: group ?? '', slots: Math.min(wanted, 2) });
            check();
          });
        } else if (one.kind === 'abort') {
          [...waiting].at(-1)?.abort();
        } else if (one.kind === 'release') {
          held.shift()?.place.release();
        } else {
          await turn();
        }
      }
      for (let left = waiting.size + held.length; waiting.size > 0 && left >= 0; left--) {
        await turn();
        held.shift()?.place.release();
      }
      await turn();
      assert.is(waiting.size, 0, 'everyone gets there');
    }),
  );
});

test('it is told whether somebody waits who is as urgent, and nobody is compared with nobody', async () => {
  const queue = new Queue(1);
  queue.take('a');
  await turn();
  const never = (): number => {
    throw new Error('nobody waits');
  };
  assert.is(queue.slots.isWanted(never), false);
  queue.take('b', rank(3));
  assert.is(
    queue.slots.isWanted(() => 3),
    true,
  );
  assert.is(
    queue.slots.isWanted(() => 4),
    false,
  );
});

test('a place that is given back twice is given back once', async () => {
  const queue = new Queue(1);
  queue.take('a');
  await turn();
  const place = queue.places.get('a');
  place?.release();
  place?.release();
  for (const name of ['b', 'c']) queue.take(name);
  await turn();
  assert.equal(queue.order, ['a', 'b']);
});

test.run();
