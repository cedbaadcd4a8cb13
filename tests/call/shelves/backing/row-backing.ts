/** Several processes at one shelf: here each is a manager of its own. */
import { rmSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Conflict } from '../../../../core/call/shelves/backing/backing.ts';
import { check } from '../_desk.ts';

check('point 15: processes that share a shelf lose no key of each other', async ({ start }) => {
  const one = start().shelf<string, number>('a');
  const two = start().shelf<string, number>('a');
  one.set('x', 1);
  two.set('y', 2);
  await one.save();
  await two.save();
  await one.set('z', 3).save();
  assert.equal(
    [...start().shelf('a')],
    [
      ['x', 1],
      ['y', 2],
      ['z', 3],
    ],
  );
  assert.is(one.conflicts + two.conflicts, 0);
});

check('what others have saved is seen when it is asked for', async ({ start }) => {
  const one = start().shelf<string, number>('a');
  const two = start().shelf<string, number>('a');
  await one.set('x', 1).set('y', 1).save();
  assert.is(two.get('x'), 1);
  one.delete('y');
  await one.set('z', 1).save();
  two.set('own', 2);
  await two.reload();
  assert.equal(
    [...two],
    [
      ['x', 1],
      ['z', 1],
      ['own', 2],
    ],
  );
  assert.is(two.unsaved, 1);
});

check('point 15: of two changes of a key the last to be saved wins, and says so', async ({ start }) => {
  const one = start().shelf<string, number>('a');
  const two = start().shelf<string, number>('a');
  const told: Conflict<string, number>[] = [];
  two.on('conflict', (conflict) => told.push(conflict));
  await one.set('x', 1).set('y', 1).set('z', 1).set('same', 1).save();
  await two.reload();
  one.set('x', 10).set('y', 10).set('same', 7);
  one.delete('z');
  await one.save();
  two.set('x', 20).set('z', 20).set('same', 7);
  two.delete('y');
  await two.save();
  const byKey = new Map(told.map((conflict) => [conflict.key, conflict]));
  assert.equal(byKey.get('x'), { key: 'x', mine: { value: 20 }, theirs: { value: 10 } });
  assert.equal(byKey.get('y'), { key: 'y', mine: undefined, theirs: { value: 10 } });
  assert.equal(byKey.get('z'), { key: 'z', mine: { value: 20 }, theirs: undefined });
  assert.is(told.length, 3);
  assert.is(two.conflicts, 3);
  assert.equal(
    new Map(start().shelf('a')),
    new Map([
      ['x', 20],
      ['same', 7],
      ['z', 20],
    ]),
  );
});

check('a key that two processes add is a conflict only if they differ', async ({ start }) => {
  const one = start().shelf<string, number>('a');
  const two = start().shelf<string, number>('a');
  one.set('x', 1).set('y', 1);
  two.set('x', 1).set('y', 2);
  await one.save();
  await two.save();
  assert.is(two.conflicts, 1);
  assert.equal([...start().shelf('a')].sort(), [
    ['x', 1],
    ['y', 2],
  ]);
});

check('a change of what has been reloaded is no conflict', async ({ start }) => {
  const one = start().shelf<string, number>('a');
  const two = start().shelf<string, number>('a');
  await one.set('x', 1).save();
  await two.reload();
  await two.set('x', 2).save();
  await one.reload();
  assert.is(one.get('x'), 2);
  await one.set('x', 3).save();
  assert.is(one.conflicts + two.conflicts, 0);
});

check('a key that was removed by others is not brought back by a save of another key', async ({ start }) => {
  const one = start().shelf<string, number>('a');
  const two = start().shelf<string, number>('a');
  await one.set('x', 1).set('y', 1).save();
  await two.reload();
  one.delete('x');
  await one.save();
  await two.set('z', 2).save();
  assert.equal([...start().shelf('a').keys()], ['y', 'z']);
});

check('clearing removes what is here, and nothing that only others know', async ({ start }) => {
  const one = start().shelf<string, number>('a');
  const two = start().shelf<string, number>('a');
  await one.set('x', 1).save();
  await two.reload();
  await one.set('y', 1).save();
  two.clear();
  await two.save();
  assert.equal([...start().shelf('a').keys()], ['y']);
});

check('a folder that was removed meanwhile is written in full by the next save', async ({ start }) => {
  const desk = start();
  const shelf = desk.shelf<string, number>('a');
  await shelf.set('x', 1).set('y', 2).save();
  rmSync(desk.folder, { recursive: true });
  await shelf.set('z', 3).save();
  assert.equal([...shelf.keys()], ['x', 'y', 'z']);
  await desk.close();
  assert.equal(
    [...start().shelf('a')],
    [
      ['x', 1],
      ['y', 2],
      ['z', 3],
    ],
  );
});

check('the order of insertion is kept over changes, removals and restarts', async ({ start }) => {
  const one = start();
  const shelf = one.shelf<string, number>('a');
  await shelf.set('x', 1).set('y', 1).set('z', 1).save();
  shelf.set('x', 2);
  shelf.delete('y');
  await shelf.save();
  await shelf.set('y', 2).set('w', 2).save();
  assert.equal([...shelf.keys()], ['x', 'z', 'y', 'w']);
  await one.close();
  assert.equal([...start().shelf('a').keys()], ['x', 'z', 'y', 'w']);
});

check('saving a change writes its row and not the others', async ({ start }) => {
  const one = start();
  const shelf = one.shelf<number, number>('a');
  for (let key = 0; key < 100; key++) shelf.set(key, 0);
  await shelf.save();
  const saved: unknown[] = [];
  shelf.on('saved', (event) => saved.push(event));
  shelf.set(7, 1);
  shelf.delete(8);
  await shelf.save();
  await shelf.save();
  assert.equal(saved, [{ written: 1, removed: 1 }]);
});

test.run();
