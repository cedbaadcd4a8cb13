import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Manager } from '../../../../core/call/shelves/manager.ts';
import type { Shelf } from '../../../../core/call/shelves/shelf.ts';
import { codeOf } from '../../../_thrown.ts';
import { check, deferred, type FakeHost, rejectionOf } from '../_desk.ts';

/** A chain a → b → c, each saved with one key. */
async function chainOf(
  desk: Manager,
): Promise<readonly [Shelf<string, unknown>, Shelf<string, unknown>, Shelf<string, unknown>]> {
  const a = desk.shelf('a');
  const b = desk.shelf('b', { dependsOn: [a] });
  const c = desk.shelf('c', { dependsOn: [b] });
  for (const shelf of [a, b, c]) await shelf.set('k', 1).save();
  return [a, b, c];
}

check('invalidating a shelf empties everything made from it, in memory before it returns', async ({ start }) => {
  const desk = start();
  const [a, b, c] = await chainOf(desk);
  const other = desk.shelf('other').set('k', 1);
  const done = b.invalidate();
  assert.equal([a.size, b.size, c.size, other.size], [1, 0, 0, 1]);
  await done;
});

check('point 13: nothing from before an invalidation is there after a restart', async ({ start }) => {
  const first = start();
  const [a, b] = await chainOf(first);
  b.set('unsaved', 1);
  await a.invalidate();
  await first.close();
  const next = start();
  for (const name of ['a', 'b', 'c']) assert.is(next.shelf(name).size, 0);
});

check(
  'point 13: what was made from a shelf is not loaded although it was not open when that was invalidated',
  async ({ start }) => {
    const first = start();
    await chainOf(first);
    await first.close();
    // Knows nothing of b and c.
    const second = start();
    await second.shelf('a').invalidate();
    await second.close();
    for (const name of ['c', 'b', 'a']) assert.is(start().shelf(name).size, 0);
  },
);

check('point 13: nor although neither it nor any edge to it was known to anybody by then', async ({ start }) => {
  const first = start();
  first.shelf('c').set('k', 1);
  await first.close();
  const second = start();
  await second.shelf('a').set('k', 1).invalidate();
  await second.close();
  const third = start();
  const a = third.shelf('a');
  const b = third.shelf('b', { dependsOn: [a], persist: false });
  assert.is(third.shelf('c', { dependsOn: [b] }).size, 0);
});

check('point 13: nor if the one between them persists nowhere', async ({ start }) => {
  const first = start();
  const a = first.shelf('a');
  const b = first.shelf('b', { dependsOn: [a], persist: false });
  await first
    .shelf('c', { dependsOn: [b] })
    .set('k', 1)
    .save();
  await first.close();
  const second = start();
  await second.shelf('a').invalidate();
  await second.close();
  assert.is(start().shelf('c').size, 0);
});

check('point 13: what was made before an invalidation elsewhere is not saved after it', async ({ start }) => {
  const one = start();
  const two = start();
  const told: unknown[] = [];
  const [, , c] = await chainOf(one);
  c.on('invalidated', (event) => told.push(event));
  c.set('late', 1);
  await two.shelf('a').invalidate();
  assert.is(c.size, 2, 'it was not asked');
  await c.save();
  assert.is(c.size, 0);
  assert.equal(told, [{ by: 'c', elsewhere: true }]);
  assert.is(start().shelf('c').size, 0);
  // From then on it goes on as ever.
  await c.set('new', 1).save();
  assert.equal([...start().shelf('c')], [['new', 1]]);
});

check('point 13: nothing is made of what was invalidated elsewhere, whoever asks first', async ({ start }) => {
  const define = (): readonly Shelf<string, number>[] => {
    const desk = start();
    const root = desk.shelf<string, number>('root');
    const built = desk.shelf<string, number>('built', {
      dependsOn: [root],
      build: () => ({ k: (root.get('k') ?? 0) * 5 }),
    });
    return [root, built];
  };
  for (const isLoaded of [true, false]) {
    const [root, built] = define();
    root?.set('k', 1);
    await root?.save();
    if (isLoaded) assert.is(built?.get('k'), 5);
    await start().shelf('root').invalidate();
    // The root, which nobody asks, still holds what it held.
    await built?.ready();
    assert.is(built?.get('k'), 0);
    await built?.save();
    assert.is(start().shelf('built').get('k'), 0);
  }
});

check('an invalidation elsewhere is noticed by those who ask, with all that is made from it', async ({ start }) => {
  const one = start();
  const [a, b, c] = await chainOf(one);
  const own = one.shelf('own', { persist: false, dependsOn: [c] }).set('k', 1);
  let cleared = 0;
  b.addDependent({ name: 'fn', clear: () => cleared++ });
  await start().shelf('a').invalidate();
  await a.ready();
  assert.equal([a.size, b.size, c.size, own.size, cleared], [0, 0, 0, 0, 1]);
  // Nobody is invalidated twice for it: what is made anew stays.
  await c.set('new', 1).save();
  await a.ready();
  await c.ready();
  assert.is(c.size, 1);
});

check('what two processes make anew after an invalidation is kept', async ({ start }) => {
  const one = start();
  const two = start();
  const [a] = await chainOf(one);
  const c = two.shelf('c');
  assert.is(c.size, 1);
  await a.invalidate();
  await one.shelf('c').set('one', 1).save();
  await c.ready();
  assert.equal([...c.keys()], ['one']);
  await c.set('two', 2).save();
  assert.equal([...start().shelf('c').keys()], ['one', 'two']);
});

check('contents that others depend on can be changed without invalidating anything', async ({ start }) => {
  const desk = start();
  const [a, b] = await chainOf(desk);
  a.set('k', 2);
  await desk.close();
  assert.is(start().shelf(b.name).size, 1);
});

check('edges that only records know are followed in memory too', async ({ start }) => {
  const first = start();
  await chainOf(first);
  await first.close();
  const desk = start();
  const c = desk.shelf('c');
  assert.is(c.size, 1);
  let cleared = 0;
  c.addDependent({ name: 'fn', clear: () => cleared++ });
  void desk.shelf('a').invalidate();
  assert.is(c.size, 0);
  assert.is(cleared, 1);
});

check('an invalidation that cannot be written holds, and is written as soon as it can be', async ({ start, host }) => {
  const desk = start();
  const [a, b, c] = await chainOf(desk);
  host.isFull = true;
  const error = await rejectionOf(AggregateError, a.invalidate());
  assert.is(error.errors.length, 1);
  assert.equal([a.size, b.size, c.size], [0, 0, 0]);
  assert.is(start().shelf('c').size, 1);
  host.pass(60_000);
  host.isFull = false;
  host.pass(60_000);
  assert.is(start().shelf('c').size, 0);
});

check('an invalidation that cannot be written is written with the next save', async ({ start, host }) => {
  const desk = start();
  const [a, b] = await chainOf(desk);
  host.isFull = true;
  await rejectionOf(AggregateError, a.invalidate());
  host.isFull = false;
  await b.set('new', 1).save();
  assert.equal([...start().shelf('b').keys()], ['new']);
  assert.is(start().shelf('c').size, 0);
});

check('edges are listed and can be removed', async ({ start }) => {
  const desk = start();
  const [a, b, c] = await chainOf(desk);
  assert.equal(desk.edges(), [
    { from: 'a', to: 'b' },
    { from: 'b', to: 'c' },
  ]);
  assert.equal(b.dependencies(), ['a']);
  assert.equal(b.dependents(), ['c']);
  assert.is(c.removeDependency(b), true);
  assert.is(c.removeDependency(b), false);
  await a.invalidate();
  assert.equal([b.size, c.size], [0, 1]);
  await desk.close();
  const next = start();
  await next.shelf('a').invalidate();
  assert.is(next.shelf('c').size, 1);
});

check('an edge that is declared later holds from then on, for others too', async ({ start }) => {
  const desk = start();
  const a = desk.shelf('a');
  const b = desk.shelf('b');
  const c = desk.shelf('c', { dependsOn: [b] });
  await c.set('k', 1).save();
  b.addDependency(a);
  await start().shelf('a').invalidate();
  assert.is(start().shelf('c').size, 0);
  await c.ready();
  assert.is(c.size, 0);
});

check('an edge that is left out of the definition is no edge any more', async ({ start }) => {
  const first = start();
  await chainOf(first);
  await first.close();
  const second = start();
  await second.shelf('c', { dependsOn: [] }).set('l', 1).save();
  await second.shelf('a').invalidate();
  assert.is(start().shelf('c').size, 2);
});

check('point 14: a cycle is refused when it is declared, with its path', async ({ start }) => {
  const desk = start();
  const [a, b, c] = await chainOf(desk);
  let message = '';
  try {
    a.addDependency(c);
  } catch (error) {
    message = String(error);
  }
  assert.match(message, 'a → c → b → a');
  assert.is(
    codeOf(() => a.addDependency(a)),
    'SHELF_CYCLE',
  );
  await a.close();
  assert.is(
    codeOf(() => desk.shelf('a', { dependsOn: [b] })),
    'SHELF_CYCLE',
  );
  assert.is(desk.has('a'), false);
  desk.shelf('a');
});

/** r → a, b → c, each built from those before it; `log` says when. */
function diamond(
  desk: Manager,
  log: string[],
  fail: (name: string) => boolean = () => false,
): readonly Shelf<string, number>[] {
  const made: Shelf<string, number>[] = [];
  const add = (name: string, ...parents: readonly Shelf<string, number>[]): Shelf<string, number> => {
    const shelf = desk.shelf<string, number>(name, {
      dependsOn: parents,
      build: async () => {
        log.push(`begin ${name}`);
        await nextTurn();
        if (fail(name)) throw new Error(`${name} on purpose`);
        log.push(`end ${name}`);
        return { k: parents.reduce((sum, parent) => sum + (parent.get('k') ?? 0), 1) };
      },
    });
    made.push(shelf);
    return shelf;
  };
  const r = add('r');
  add('c', add('b', r), add('a', r));
  return [r, ...made.slice(1)];
}

check('point 14: a diamond is rebuilt in topological order, a level at the same time', async ({ start }) => {
  const log: string[] = [];
  const [r, b, a, c] = diamond(start(), log);
  await r?.rebuild();
  assert.equal(log, ['begin r', 'end r', 'begin b', 'begin a', 'end b', 'end a', 'begin c', 'end c']);
  assert.equal(
    [r, a, b, c].map((shelf) => shelf?.get('k')),
    [1, 2, 2, 5],
  );
  log.length = 0;
  await a?.rebuild();
  assert.equal(log, ['begin a', 'end a', 'begin c', 'end c']);
  assert.is(start().shelf('c').get('k'), 5);
});

check('point 14: a node that cannot be built is told and stays empty with what is made from it', async ({ start }) => {
  const log: string[] = [];
  let broken = '';
  const desk = start();
  const [r, b, a, c] = diamond(desk, log, (name) => name === broken);
  await r?.rebuild();
  broken = 'b';
  log.length = 0;
  const error = await rejectionOf(AggregateError, r?.rebuild() ?? Promise.resolve());
  assert.equal(
    error.errors.map(({ code, message }: { code: string; message: string }) => [code, message]),
    [['SHELF_UNBUILT', 'shelf "b" could not be built: b on purpose']],
  );
  assert.equal(log, ['begin r', 'end r', 'begin b', 'begin a', 'end a']);
  assert.equal(
    [r, a, b, c].map((shelf) => shelf?.get('k')),
    [1, 2, undefined, undefined],
  );
  assert.equal(
    [b, c].map((shelf) => shelf?.size),
    [0, 0],
  );
  // At rest too: the next process builds what is missing.
  await desk.save();
  broken = '';
  const next = start();
  assert.equal(next.stored(), ['a', 'r']);
  const [, , , again] = diamond(next, log);
  for (const name of ['r', 'a', 'b']) await next.get(name).ready();
  assert.is((await again?.ready())?.get('k'), 5);
  await b?.rebuild();
  assert.equal(
    [r, a, b, c].map((shelf) => shelf?.get('k')),
    [1, 2, 2, 5],
  );
});

check('what is being made when its shelf is invalidated is made again', async ({ start }) => {
  const doors = [deferred<number>(), deferred<number>()];
  let builds = 0;
  const shelf = start().shelf<string, number>('a', {
    build: async () => ({ k: (await doors[builds++]?.promise) ?? 0 }),
  });
  const ready = shelf.ready();
  await nextTurn();
  await shelf.invalidate();
  doors[0]?.resolve(1);
  doors[1]?.resolve(2);
  assert.is((await ready).get('k'), 2);
  assert.is(builds, 2);
});

check('what is being saved when its shelf is invalidated is not loaded again', async ({ start }) => {
  const door = deferred<void>();
  let kept: ReadonlyMap<string, number> | undefined;
  const hooks = {
    load: () => kept,
    save: async (_name: string, contents: ReadonlyMap<string, number>) => {
      await door.promise;
      kept = contents;
    },
  };
  const desk = start();
  const shelf = desk.shelf<string, number>('a', hooks);
  shelf.set('k', 1);
  const saving = shelf.save();
  const invalidating = shelf.invalidate();
  assert.is(shelf.size, 0);
  door.resolve();
  await saving;
  await invalidating;
  assert.equal(kept, new Map([['k', 1]]));
  await desk.close();
  const next = start().shelf<string, number>('a', hooks);
  assert.is(next.size, 0);
  await next.set('l', 2).save();
  assert.is(start().shelf<string, number>('a', hooks).get('l'), 2);
});

check('a save with async transforms that is overtaken by an invalidation writes nothing', async ({ start }) => {
  const door = deferred<void>();
  const transform = {
    encode: async (value: number) => {
      await door.promise;
      return value;
    },
    decode: (value: number) => value,
  };
  const shelf = start().shelf<string, number>('a', { transform });
  shelf.set('k', 1);
  const saving = shelf.save();
  await shelf.invalidate();
  shelf.set('l', 2);
  door.resolve();
  await saving;
  assert.is(start().shelf('a').size, 0);
  assert.is(shelf.unsaved, 1);
  await shelf.save();
  assert.equal([...start().shelf('a')], [['l', 2]]);
});

check('hooks that remove what is kept are called, what others are made from first', async ({ start }) => {
  const log: string[] = [];
  const desk = start();
  const a = desk.shelf('a', { delete: (name) => log.push(name) });
  const b = desk.shelf('b', { delete: async (name) => log.push(name), dependsOn: [a] });
  desk.shelf('c', { delete: (name) => log.push(name), dependsOn: [b] });
  await a.invalidate();
  assert.equal(log, ['a', 'b', 'c']);
});

check('a hook that throws does not keep the others from being emptied', async ({ start }) => {
  const desk = start();
  const a = desk.shelf<string, number>('a', {
    delete: () => {
      throw new Error('on purpose');
    },
  });
  const b = desk.shelf<string, number>('b', { dependsOn: [a] });
  let cleared = 0;
  b.addDependent({ name: 'fn', clear: () => cleared++ });
  a.set('k', 1);
  b.set('k', 1);
  await desk.save();
  const error = await rejectionOf(AggregateError, a.invalidate());
  assert.match(error.message, 'on purpose');
  assert.equal([a.size, b.size, cleared], [0, 0, 1]);
  assert.is(start().shelf('b').size, 0);
});

check('a shelf is emptied when something else that it is made from is', async ({ start }) => {
  const listeners = new Set<() => unknown>();
  const source = {
    name: 'fn',
    onInvalidate(listener: () => unknown) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const desk = start();
  const a = desk.shelf('a', { dependsOn: [source] });
  const b = desk.shelf('b', { dependsOn: [a] });
  a.set('k', 1);
  b.set('k', 1);
  for (const listener of listeners) listener();
  assert.equal([a.size, b.size], [0, 0]);
  assert.equal(desk.edges(), [
    { from: 'a', to: 'b' },
    { from: 'fn', to: 'a' },
  ]);
  a.removeDependency(source);
  assert.is(listeners.size, 0);
  a.addDependency(source);
  await a.close();
  assert.is(listeners.size, 0);
});

check('a cascade is one transaction, however many shelves are in it', async ({ start, host }) => {
  const desk = start();
  const [a] = await chainOf(desk);
  const before: FakeHost['writes'] = host.writes;
  await a.invalidate();
  assert.is(host.writes, before + 1);
});

test.run();
