import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ShelfOptions, Validate } from '../../../core/call/shelves/options.ts';
import { turn } from '../../_test-clock.ts';
import { codeOf } from '../../_thrown.ts';
import { check, deferred, rejection } from './_desk.ts';

/** A place of one's own, with a note of what is called. */
function place(kept?: ReadonlyMap<string, number>) {
  const calls: string[] = [];
  const state: { kept: ReadonlyMap<string, number> | undefined } = { kept };
  const hooks: ShelfOptions<string, number> = {
    load: () => {
      calls.push('load');
      return state.kept;
    },
    validate: () => calls.push('validate'),
    build: () => {
      calls.push('build');
      return [['built', 1]];
    },
    save: (_name, contents) => {
      calls.push('save');
      state.kept = contents;
    },
    delete: () => {
      calls.push('delete');
      state.kept = undefined;
    },
  };
  return { calls, state, hooks };
}

check('what is kept is loaded at the first touch and looked at', ({ start }) => {
  const { calls, hooks } = place(new Map([['k', 1]]));
  const shelf = start().shelf('a', hooks);
  assert.equal(calls, []);
  assert.is(shelf.get('k'), 1);
  assert.is(shelf.get('k'), 1);
  assert.equal(calls, ['load', 'validate']);
});

check('if there is nothing it is built and saved at once', ({ start }) => {
  const { calls, state, hooks } = place();
  const shelf = start().shelf('a', hooks);
  assert.is(shelf.get('built'), 1);
  assert.equal(calls, ['load', 'build', 'save']);
  assert.equal(state.kept, new Map([['built', 1]]));
  assert.is(shelf.unsaved, 0);
});

check('what was built is there the next time, without building', async ({ start }) => {
  let builds = 0;
  const options: ShelfOptions<string, number> = {
    build: () => {
      builds++;
      return { a: 1, b: 2 };
    },
  };
  for (let run = 0; run < 3; run++)
    assert.equal(
      [...start().shelf('a', options)],
      [
        ['a', 1],
        ['b', 2],
      ],
    );
  assert.is(builds, 1);
});

check('a shelf that was saved without entries is loaded, not built', async ({ start }) => {
  const options = { build: () => ({ a: 1 }) };
  const first = start().shelf<string, number>('a', options);
  first.clear();
  await first.save();
  assert.is(start().shelf('a', options).size, 0);
});

check('contents that are refused count as nothing, and are replaced by the next save', async ({ start }) => {
  start().shelf('a').set('old', 1);
  const first = start();
  first.shelf('a').set('old', 1).set('older', 2);
  await first.close();
  const refusals: readonly Validate<string, unknown>[] = [
    (contents) => !contents.has('old'),
    (contents) => {
      if (contents.has('old')) throw new Error('on purpose');
      return true;
    },
    async (contents) => !contents.has('old'),
    {
      '~standard': {
        validate: (contents) =>
          (contents as Map<string, number>).has('old') ? { issues: ['old'] } : { value: contents },
      },
    },
  ];
  for (const validate of refusals) {
    const seen = await start().shelf('a', { validate }).ready();
    assert.is(seen.size, 0);
  }
  assert.is(start().shelf('a').size, 2, 'what was refused is still kept');
  const second = start();
  const shelf = await second.shelf<string, unknown>('a', { validate: refusals[2] ?? (() => true) }).ready();
  shelf.set('new', 3);
  await second.close();
  assert.equal(new Map(start().shelf('a')), new Map([['new', 3]]));
});

check('what is refused is built anew', ({ start }) => {
  const { calls, hooks } = place(new Map([['k', 1]]));
  const shelf = start().shelf('a', { ...hooks, validate: () => 0 });
  assert.equal([...shelf.keys()], ['built']);
  assert.equal(calls, ['load', 'build', 'save']);
});

check('a schema may make other contents of what was loaded', async ({ start }) => {
  const first = start();
  first.shelf<string, number>('a').set('x', 1).set('y', 2);
  await first.close();
  const validate = {
    '~standard': {
      validate: async (contents: unknown) => ({
        value: new Map(Array.from(contents as Map<string, number>, ([key, value]) => [key, value * 10])),
      }),
    },
  };
  const shelf = await start().shelf<string, number>('a', { validate }).ready();
  assert.equal(
    [...shelf],
    [
      ['x', 10],
      ['y', 20],
    ],
  );
  assert.is(shelf.unsaved, 0);
});

check('hooks that take their time have to be waited for', async ({ start }) => {
  const shelf = start().shelf<string, number>('a', { load: async () => new Map([['k', 1]]) });
  assert.is(
    codeOf(() => shelf.get('k')),
    'SHELF_NOT_READY',
  );
  assert.is(
    codeOf(() => shelf.set('k', 2)),
    'SHELF_NOT_READY',
  );
  assert.is((await shelf.ready()).get('k'), 1);
});

check('however many wait for a shelf, it is made once', async ({ start }) => {
  let builds = 0;
  const shelf = start().shelf<string, number>('a', {
    build: async () => {
      builds++;
      await turn();
      return { k: builds };
    },
  });
  const all = await Promise.all([shelf.ready(), shelf.ready(), shelf.ready()]);
  assert.equal(
    all.map((ready) => ready.get('k')),
    [1, 1, 1],
  );
});

check('hooks that throw tell whoever touches the shelf, and are tried again', async ({ start }) => {
  let isBroken = true;
  const fail = (): never => {
    throw new Error('on purpose');
  };
  const load = start().shelf<string, number>('load', { load: () => (isBroken ? fail() : { k: 1 }) });
  const build = start().shelf<string, number>('build', { build: () => (isBroken ? fail() : { k: 1 }) });
  const later = start().shelf<string, number>('later', { build: async () => (isBroken ? fail() : { k: 1 }) });
  assert.is(
    codeOf(() => load.get('k')),
    'SHELF_UNREADABLE',
  );
  assert.is(
    codeOf(() => build.get('k')),
    'SHELF_UNBUILT',
  );
  assert.is(await rejection(later.ready()), 'SHELF_UNBUILT');
  isBroken = false;
  assert.is(load.get('k'), 1);
  assert.is(build.get('k'), 1);
  assert.is((await later.ready()).get('k'), 1);
});

check('a hook that invalidates what it is called for does not go on for ever', async ({ start }) => {
  const desk = start();
  const root = desk.shelf('root');
  let built = 0;
  const own = desk.shelf<string, number>('own', {
    dependsOn: [root],
    build: () => {
      built++;
      void root.invalidate();
      return { k: built };
    },
  });
  const later = desk.shelf<string, number>('later', {
    build: async () => {
      await later.invalidate();
      return {};
    },
  });
  assert.is(
    codeOf(() => own.get('k')),
    'SHELF_UNBUILT',
  );
  assert.is(built, 100);
  assert.is(await rejection(later.ready()), 'SHELF_UNBUILT');
});

check('a shelf cannot be used by its own hooks', ({ start }) => {
  const desk = start();
  const shelf = desk.shelf<string, number>('a', { build: () => ({ k: desk.get('a').size }) });
  assert.is(
    codeOf(() => shelf.size),
    'SHELF_UNBUILT',
  );
});

check('values can be kept in another form', async ({ start }) => {
  class Point {
    readonly x: number;
    constructor(x: number) {
      this.x = x;
    }
  }
  const transform = { encode: (point: Point) => point.x, decode: (x: number) => new Point(x) };
  const first = start();
  first.shelf<string, Point, number>('a', { transform }).set('k', new Point(7));
  await first.close();
  assert.is(start().shelf<string, number>('a').get('k'), 7);
  assert.equal(start().shelf<string, Point, number>('a', { transform }).get('k'), new Point(7));
});

check('a transform is given a copy, and may take its time', async ({ start }) => {
  const transform = {
    encode: async (list: number[]) => {
      list.push(99);
      return list;
    },
    decode: async (list: number[]) => list.slice(0, -1),
  };
  const first = start();
  const shelf = first.shelf<string, number[]>('a', { transform });
  shelf.set('k', [1]);
  await shelf.save();
  assert.equal(shelf.get('k'), [1]);
  assert.equal((await start().shelf<string, number[]>('a', { transform }).ready()).get('k'), [1]);
});

check('an entry that cannot be transformed does not keep the others from being saved', async ({ start, errors }) => {
  let isBroken = true;
  const transform = {
    encode: (value: number) => {
      if (value === 13 && isBroken) throw new Error('on purpose');
      return value;
    },
    decode: (value: number) => value,
  };
  const shelf = start().shelf<string, number>('a', { transform });
  shelf.set('x', 1).set('y', 13).set('z', 2);
  assert.is(await rejection(shelf.save()), 'SHELF_UNSAVED');
  assert.is(shelf.unsaved, 1);
  assert.equal([...start().shelf<string, number>('a').keys()], ['x', 'z']);
  isBroken = false;
  await shelf.save();
  assert.is(shelf.unsaved, 0);
  assert.is(errors.length, 1);
});

check('an entry that cannot be read is not there, and the others are', async ({ start, errors }) => {
  const first = start();
  first.shelf<string, number>('a').set('x', 1).set('y', 2);
  await first.close();
  const decode = (value: number): number => {
    if (value === 1) throw new Error('on purpose');
    return value;
  };
  const shelf = start().shelf<string, number>('a', { transform: { encode: (value) => value, decode } });
  assert.equal([...shelf], [['y', 2]]);
  assert.match(String(errors[0]), '1 of 2 entries');
});

check('what was not saved can be given up', async ({ start, host }) => {
  const shelf = start().shelf<string, number>('a');
  shelf.set('x', 1).set('y', 2);
  await shelf.save();
  shelf.set('x', 10).set('z', 3);
  shelf.delete('y');
  await shelf.revert();
  assert.equal(
    [...shelf],
    [
      ['x', 1],
      ['y', 2],
    ],
  );
  assert.is(shelf.unsaved, 0);
  assert.is(host.timers, 0);
});

check('what is saved while a shelf is being reloaded is not undone by that', async ({ start }) => {
  const doors = [deferred<void>(), deferred<void>()];
  let reads = 0;
  const transform = {
    encode: (value: number) => value,
    decode: async (value: number) => {
      await doors[reads++]?.promise;
      return value;
    },
  };
  const first = start();
  await first.shelf('a').set('k', 1).save();
  await first.close();
  doors[0]?.resolve();
  const shelf = await start().shelf<string, number>('a', { transform }).ready();
  const reloading = shelf.reload();
  await turn();
  await shelf.set('k', 2).save();
  shelf.set('l', 3);
  doors[1]?.resolve();
  await reloading;
  assert.equal(
    [...shelf],
    [
      ['k', 2],
      ['l', 3],
    ],
  );
  assert.is(shelf.unsaved, 1);
});

check('what is kept can be removed without what is in memory; the next save writes all of it', async ({ start }) => {
  const { calls, hooks } = place();
  for (const options of [{}, { delete: hooks.delete ?? (() => {}) }]) {
    const first = start();
    const shelf = first.shelf<string, number>('a', options);
    shelf.set('x', 1).set('y', 2);
    await shelf.save();
    await shelf.deletePersisted();
    assert.is(shelf.get('x'), 1);
    assert.is(shelf.unsaved, 0);
    assert.is(start().shelf('a').size, 0);
    await shelf.save();
    assert.equal(
      [...start().shelf('a')],
      [
        ['x', 1],
        ['y', 2],
      ],
    );
    await first.close();
  }
  assert.equal(calls, ['delete']);
});

check('what was removed is not brought back by closing', async ({ start }) => {
  const first = start();
  const shelf = first.shelf('a').set('k', 1);
  await shelf.save();
  await shelf.deletePersisted();
  await first.close();
  assert.is(start().shelf('a').size, 0);
});

check('an empty shelf is not saved over a full one where that is not wanted', async ({ start }) => {
  const first = start();
  const shelf = first.shelf('a', { saveEmpty: false }).set('k', 1);
  await shelf.save();
  shelf.clear();
  await shelf.save();
  assert.is(start().shelf('a').size, 1);
  await first.close();
  assert.is(start().shelf('a').size, 1);
  await start().shelf('b', { saveEmpty: false }).save();
  assert.equal(start().stored(), ['a']);
});

check('a shelf whose contents come from elsewhere is never saved', async ({ start, host }) => {
  const shelf = start().shelf<string, number>('a', { load: () => ({ k: 1 }) });
  shelf.set('k', 2);
  await shelf.save();
  assert.is(shelf.unsaved, 0);
  assert.is(host.writes, 0);
  await shelf.revert();
  assert.is(shelf.get('k'), 1);
});

check(
  'point 15: a closed handle is of no use, and cannot write over what its successor saved',
  async ({ start, host }) => {
    const desk = start();
    const old = desk.shelf('a');
    old.set('k', 'old');
    await old.close();
    const next = desk.shelf('a');
    assert.is.not(next, old);
    assert.is(next.get('k'), 'old');
    next.set('k', 'new');
    await next.save();
    const uses: readonly (() => unknown)[] = [
      () => old.get('k'),
      () => old.set('k', 'old'),
      () => old.delete('k'),
      () => old.has('k'),
      () => old.size,
      () => old.clear(),
      () => [...old],
      () => old.addDependency(next),
    ];
    for (const use of uses) assert.is(codeOf(use), 'SHELF_CLOSED');
    const later: readonly Promise<unknown>[] = [
      old.save(),
      old.ready(),
      old.reload(),
      old.revert(),
      old.invalidate(),
      old.rebuild(),
      old.deletePersisted(),
    ];
    assert.equal(
      await Promise.all(later.map(rejection)),
      later.map(() => 'SHELF_CLOSED'),
    );
    await old.close();
    host.pass(3_600_000);
    host.exit();
    assert.is(start().shelf('a').get('k'), 'new');
  },
);

check('point 15: a name is not free while its shelf is still being saved', async ({ start }) => {
  const door = deferred<void>();
  const desk = start();
  const shelf = desk.shelf<string, number>('a', { save: () => door.promise });
  shelf.set('k', 1);
  const closing = shelf.close();
  assert.is(desk.shelf('a'), shelf);
  shelf.set('l', 2);
  door.resolve();
  await closing;
  assert.is(desk.has('a'), false);
});

check('what is set while a shelf is closing is saved too', async ({ start }) => {
  const saved: number[] = [];
  const shelf = start().shelf<string, number>('a', {
    save: async (_name, contents) => {
      saved.push(contents.size);
      await turn();
    },
  });
  shelf.set('k', 1);
  const closing = shelf.close();
  shelf.set('l', 2);
  await closing;
  assert.equal(saved, [1, 2]);
});

check('a shelf that cannot be saved is not closed, unless it is told to discard', async ({ start, host }) => {
  const shelf = start().shelf('a').set('k', 1);
  host.isFull = true;
  assert.is(await rejection(shelf.close()), 'SHELF_UNSAVED');
  assert.is(shelf.get('k'), 1);
  await shelf.close({ discard: true });
  assert.is(
    codeOf(() => shelf.get('k')),
    'SHELF_CLOSED',
  );
});

check('what happens to a shelf is told', async ({ start }) => {
  const told: unknown[] = [];
  const shelf = start().shelf<string, number>('a', { build: () => ({ k: 1 }) });
  shelf.on('loaded', (event) => told.push(event));
  const end = shelf.on('saved', (event) => told.push(event));
  shelf.on('invalidated', (event) => told.push(event));
  shelf.set('l', 2);
  shelf.delete('k');
  await shelf.save();
  end();
  await shelf.invalidate();
  assert.is(shelf.size, 1);
  assert.equal(told, [
    { size: 1, from: 'build' },
    { written: 1, removed: 0 },
    { written: 1, removed: 1 },
    { by: 'a', elsewhere: false },
    { size: 1, from: 'build' },
  ]);
});

check('a listener that throws harms nobody', async ({ start, errors }) => {
  const shelf = start().shelf('a');
  let heard = 0;
  shelf.on('saved', () => {
    throw new Error('on purpose');
  });
  shelf.on('saved', () => heard++);
  shelf.set('k', 1);
  await shelf.save();
  assert.is(heard, 1);
  assert.match(String(errors[0]), 'on purpose');
});

test.run();
