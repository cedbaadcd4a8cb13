import { inspect } from 'node:util';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Shelf } from '../../../core/call/shelves/shelf.ts';
import { codeOf } from '../../_thrown.ts';
import { build, recipes, sameValue } from '../../base/_values.ts';
import { check } from './_desk.ts';

check('a shelf is a map', ({ start }) => {
  const shelf = start().shelf<string, number>('a');
  const map: Map<string, number> = shelf;
  assert.is(map.set('x', 1).set('y', 2), shelf);
  assert.is(map.size, 2);
  assert.is(map.get('x'), 1);
  assert.is(map.get('z'), undefined);
  assert.is(map.has('z'), false);
  assert.equal(
    [...map],
    [
      ['x', 1],
      ['y', 2],
    ],
  );
  assert.equal([...map.keys()], ['x', 'y']);
  assert.equal([...map.values()], [1, 2]);
  assert.equal(
    [...map.entries()],
    [
      ['x', 1],
      ['y', 2],
    ],
  );
  assert.equal(Object.fromEntries(map), { x: 1, y: 2 });
  const seen: unknown[] = [];
  map.forEach(function (this: unknown, value, key, self) {
    seen.push([this, key, value, self === shelf]);
  }, 'receiver');
  assert.equal(seen, [
    ['receiver', 'x', 1, true],
    ['receiver', 'y', 2, true],
  ]);
  assert.is(map.delete('x'), true);
  assert.is(map.delete('x'), false);
  map.clear();
  assert.is(map.size, 0);
  assert.is(String(map), '[object Shelf]');
});

check('entries that are added or removed while it is gone through are met as in a map', ({ start }) => {
  const met = (map: Map<number, number>): readonly number[] => {
    const keys: number[] = [];
    for (const [key] of map) {
      keys.push(key);
      if (key === 1) map.delete(2);
      if (key < 5) map.set(key + 3, 0);
    }
    return keys;
  };
  const fill = (map: Map<number, number>): Map<number, number> => map.set(1, 0).set(2, 0).set(3, 0);
  assert.equal(met(fill(start().shelf<number, number>('a'))), met(fill(new Map())));
});

check('keys are equal when their values are', ({ start }) => {
  const shelf = start().shelf<unknown, string>('a');
  const pairs: readonly (readonly [unknown, unknown])[] = [
    [
      { a: 1, b: [2] },
      { b: [2], a: 1 },
    ],
    [new Date(0), new Date(0)],
    [new Map([[1, new Set([2])]]), new Map([[1, new Set([2])]])],
    [Number.NaN, Number.NaN],
    [10n, 10n],
    [undefined, undefined],
  ];
  for (const [one, other] of pairs) {
    shelf.clear();
    shelf.set(one, 'x').set(other, 'y');
    assert.is(shelf.size, 1);
    assert.is(shelf.get(one), 'y');
  }
  shelf.clear();
  const different = [
    1,
    '1',
    1n,
    true,
    'true',
    null,
    'null',
    undefined,
    0,
    -0,
    '',
    'n1',
    's1',
    {},
    [],
    [1],
    { 0: 1 },
    new Set([1]),
  ];
  for (const [at, key] of different.entries()) shelf.set(key, String(at));
  assert.is(shelf.size, different.length);
  for (const [at, key] of different.entries()) assert.is(shelf.get(key), String(at));
});

check('a key that is changed after it was used is still the key it was', ({ start }) => {
  const shelf = start().shelf<{ at: number }, string>('a');
  const key = { at: 1 };
  shelf.set(key, 'x');
  key.at = 2;
  assert.is(shelf.get({ at: 1 }), 'x');
  assert.is(shelf.has(key), false);
  assert.equal([...shelf.keys()], [{ at: 1 }]);
});

check('keys and values of any kind come back as they were, in insertion order', async ({ start }) => {
  const pairs = fc.array(fc.tuple(recipes, recipes), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(pairs, async (pairs) => {
      const first = start();
      const shelf = first.shelf<unknown, unknown>('a');
      shelf.clear();
      for (const [key, value] of pairs) shelf.set(build(key), build(value));
      const kept = [...shelf];
      await first.close();
      const second = start();
      const found = [...second.shelf('a')];
      await second.close();
      assert.ok(sameValue(found, kept));
    }),
    { numRuns: 40 },
  );
});

check('what cannot be saved is refused at once, with the way to it', ({ start }) => {
  const shelf = start().shelf<unknown, unknown>('a');
  const messageOf = (work: () => unknown): string => {
    try {
      work();
    } catch (error) {
      return String(error);
    }
    return '';
  };
  assert.match(
    messageOf(() => shelf.set('k', { a: [() => 1] })),
    'value.a[0]',
  );
  assert.match(
    messageOf(() => shelf.set({ a: new WeakMap() }, 1)),
    'key.a',
  );
  assert.is(
    codeOf(() => shelf.get(new WeakMap())),
    'INDIGESTIBLE',
  );
  assert.is(shelf.size, 0);
  assert.is(shelf.unsaved, 0);
});

check('what does not persist may hold anything', ({ start }) => {
  const shelf = start().shelf<string, () => number>('a', { persist: false });
  shelf.set('k', () => 7);
  assert.is(shelf.get('k')?.(), 7);
  assert.is(shelf.unsaved, 0);
});

check('a value is what was set until it is saved, and the very object that was set after that', async ({ start }) => {
  const shelf = start().shelf<string, number[]>('a');
  const list = [1];
  shelf.set('k', list);
  list.push(2);
  await shelf.save();
  assert.is(shelf.get('k'), list);
  assert.equal(start().shelf<string, number[]>('a').get('k'), [1]);
  shelf.set('k', list);
  await shelf.save();
  assert.equal(start().shelf<string, number[]>('a').get('k'), [1, 2]);
});

check('a shelf can be looked at without being loaded', ({ start, host }) => {
  const shelf: Shelf<string, number> = start().shelf<string, number>('a "b"');
  assert.is(inspect(shelf), 'Shelf "a \\"b\\"" not loaded');
  shelf.set('k', 1);
  assert.is(inspect(shelf), `Shelf "a \\"b\\"" Map(1) { 'k' => 1 }`);
  assert.is(host.writes, 0);
});

test.run();
