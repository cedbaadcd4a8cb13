import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ShelfEvents } from '../../../../core/call/shelves/signals.ts';
import { turn } from '../../../_test-clock.ts';
import { check, deferred, rejection } from '../_desk.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

check('point 12: a single edit followed by silence is saved within the promised time', ({ start, host }) => {
  const shelf = start().shelf('a');
  shelf.set('k', 1);
  host.pass(5 * MINUTE - 1);
  assert.is(shelf.unsaved, 1);
  host.pass(1);
  assert.is(shelf.unsaved, 0);
  assert.is(start().shelf('a').get('k'), 1);
  assert.is(host.timers, 0);
});

check('point 12: sparse edits are saved, each within the promised time', ({ start, host }) => {
  const shelf = start().shelf<number, number>('a');
  for (let at = 0; at < 100; at++) {
    shelf.set(at, at);
    host.pass(20 * MINUTE);
    assert.is(shelf.unsaved, 0);
  }
  assert.is(host.writes, 100);
});

check('ten edits are saved after a minute', ({ start, host }) => {
  const shelf = start().shelf<number, number>('a');
  for (let at = 0; at < 10; at++) shelf.set(at, at);
  host.pass(MINUTE);
  assert.is(shelf.unsaved, 0);
  assert.is(host.writes, 1);
});

check('ten thousand edits are saved by the last of them', ({ start, host }) => {
  const shelf = start().shelf<number, number>('a');
  for (let at = 1; at < 10_000; at++) shelf.set(at % 50, at);
  assert.is(shelf.unsaved, 50);
  shelf.set(0, 0);
  assert.is(shelf.unsaved, 0);
  assert.is(host.writes, 1);
});

check('deletions are edits, and so is every key that is cleared', ({ start, host }) => {
  const shelf = start().shelf<number, number>('a', {
    autosync: [
      { edits: 4, within: '1s' },
      { edits: 1, within: '1h' },
    ],
  });
  for (const key of [1, 2, 3, 4]) shelf.set(key, key);
  assert.is(host.writes, 1);
  shelf.delete(1);
  assert.is(shelf.delete(1), false);
  assert.is(shelf.unsaved, 1);
  shelf.clear();
  assert.is(host.writes, 2);
  assert.is(start().shelf('a').size, 0);
});

check(
  'point 12: a save that fails neither throws out of set nor loses the edit, and is tried again',
  ({ start, host }) => {
    const shelf = start().shelf('a', { autosync: [{ edits: 1, within: '10s' }] });
    const errors: ShelfEvents<string, unknown>['error'][] = [];
    shelf.on('error', (error) => errors.push(error));
    host.isFull = true;
    shelf.set('k', 1);
    assert.equal(
      errors.map((error) => error.code),
      ['SHELF_UNSAVED'],
    );
    assert.match(errors[0]?.message ?? '', 'no space left');
    assert.is(shelf.unsaved, 1);
    shelf.set('l', 2);
    assert.is(errors.length, 1, 'it is not tried again at every edit');
    host.pass(SECOND);
    assert.is(errors.length, 2);
    host.isFull = false;
    host.pass(2 * SECOND - 1);
    assert.is(shelf.unsaved, 2);
    host.pass(1);
    assert.is(shelf.unsaved, 0);
    assert.equal(
      new Map(start().shelf('a')),
      new Map([
        ['k', 1],
        ['l', 2],
      ]),
    );
  },
);

check('pauses between tries grow, but not beyond a minute', ({ start, host }) => {
  const shelf = start().shelf('a', { autosync: [{ edits: 1, within: '10s' }] });
  let tries = 0;
  shelf.on('error', () => tries++);
  host.isFull = true;
  shelf.set('k', 1);
  host.pass(10 * MINUTE);
  assert.ok(tries > 10 && tries < 20, String(tries));
});

check('point 12: a failed save is told by the next save, unless that one succeeds', async ({ start, host, errors }) => {
  const shelf = start().shelf('a');
  shelf.set('k', 1);
  host.isFull = true;
  host.pass(5 * MINUTE);
  assert.is(await rejection(shelf.save()), 'SHELF_UNSAVED');
  assert.is(errors.length, 2);
  host.isFull = false;
  await shelf.save();
  assert.is(shelf.unsaved, 0);
  assert.is(start().shelf('a').get('k'), 1);
});

check('nothing is saved by itself where that is not wanted', async ({ start, host }) => {
  const shelf = start().shelf('a', { autosync: false });
  shelf.set('k', 1);
  assert.is(host.timers, 0);
  host.pass(60 * MINUTE);
  assert.is(shelf.unsaved, 1);
  await shelf.save();
  assert.is(shelf.unsaved, 0);
});

check('what is left is saved when the process exits', ({ start, host, errors }) => {
  const shelf = start().shelf('a', { autosync: false });
  shelf.set('k', 1);
  host.exit();
  assert.is(shelf.unsaved, 0);
  assert.is(start().shelf('a').get('k'), 1);
  shelf.set('k', 2);
  host.isFull = true;
  host.exit();
  assert.is(errors.length, 1);
});

check(
  'a save that takes time is begun when the process has nothing left to do, and not when it exits',
  async ({ start, host }) => {
    const saved: number[] = [];
    const shelf = start().shelf<string, number>('a', {
      autosync: false,
      save: async (_name, contents) => {
        await turn();
        saved.push(contents.get('k') ?? 0);
      },
    });
    shelf.set('k', 1);
    host.exit();
    assert.is(shelf.unsaved, 1);
    host.idle();
    await turn();
    await turn();
    assert.equal(saved, [1]);
    assert.is(shelf.unsaved, 0);
  },
);

check('a save that fails does not keep the process from ending', async ({ start, host }) => {
  let tries = 0;
  const shelf = start().shelf<string, number>('a', {
    autosync: false,
    save: async () => {
      tries++;
      throw new Error('on purpose');
    },
  });
  shelf.set('k', 1);
  for (let at = 0; at < 3; at++) {
    host.idle();
    await turn();
  }
  assert.is(tries, 1);
  shelf.set('k', 2);
  host.idle();
  assert.is(tries, 2);
  await turn();
});

check('of saves that are asked for at the same time one is under way and one waits', async ({ start }) => {
  const seen: number[] = [];
  const doors = [deferred<void>(), deferred<void>(), deferred<void>()];
  const shelf = start().shelf<string, number>('a', {
    autosync: false,
    save: (_name, contents) => {
      seen.push(contents.get('k') ?? 0);
      return doors[seen.length - 1]?.promise ?? Promise.resolve();
    },
  });
  shelf.set('k', 1);
  const first = shelf.save();
  const others: Promise<void>[] = [];
  for (const value of [2, 3, 4]) {
    shelf.set('k', value);
    others.push(shelf.save());
  }
  assert.equal(seen, [1]);
  doors[0]?.resolve();
  await first;
  await turn();
  assert.equal(seen, [1, 4]);
  assert.is(shelf.unsaved, 0);
  doors[1]?.resolve();
  await Promise.all(others);
  await turn();
  assert.equal(seen, [1, 4]);
});

check('edits made during a save that fails are not lost either', async ({ start }) => {
  const door = deferred<void>();
  const saved: ReadonlyMap<string, number>[] = [];
  const shelf = start().shelf<string, number>('a', {
    autosync: false,
    save: (_name, contents) => {
      if (saved.push(contents) === 1) return door.promise;
    },
  });
  shelf.set('k', 1).set('l', 1);
  const first = shelf.save();
  shelf.set('k', 2);
  shelf.delete('l');
  shelf.set('m', 3);
  door.reject(new Error('on purpose'));
  assert.is(await rejection(first), 'SHELF_UNSAVED');
  assert.is(shelf.unsaved, 3);
  await shelf.save();
  assert.equal(
    saved.at(-1),
    new Map([
      ['k', 2],
      ['m', 3],
    ]),
  );
  assert.is(shelf.unsaved, 0);
});

test.run();
