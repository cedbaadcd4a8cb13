/** Memoised functions that are made from shelves, and shelves that are made from memoised functions. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cache } from '../../../core/call/context.ts';
import { fleche } from '../../../core/call/memo/fleche.ts';
import type { Shelf } from '../../../core/call/shelves/shelf.ts';
import { turn } from '../../_test-clock.ts';
import { codeOf } from '../../_thrown.ts';
import { laterCache, memoryCache } from '../_caches.ts';
import { warningsOf } from '../_warnings.ts';
import { check, deferred, rejectionOf } from './_desk.ts';

let made = 0;

/** A function as a process of its own would define it: the module is loaded anew, the code is the same. */
function totalOf(prices: Shelf<string, number>, name: string) {
  return fleche(
    (count: number) => {
      made++;
      return count * (prices.get('apple') ?? 0);
    },
    { name, code: 'manual', module: `test ${++defined}`, dependsOn: [prices] },
  );
}

let defined = 0;

/** The digest of how the shelf stands that a function is made from, as it is in the fingerprint of a call. */
function epochOf(f: ReturnType<typeof totalOf>): string {
  return cache(memoryCache(), () => {
    f(0);
    const parts = f
      .query()
      .only()
      .record.parts.filter(({ name }) => name === 'shelf:test/prices');
    assert.is(parts.length, 1);
    return parts[0]?.digest ?? '';
  });
}

check('a function forgets what it made of a shelf that is invalidated, before that returns', async ({ start }) => {
  const prices = start().shelf<string, number>('prices', { build: () => ({ apple: 2 }) });
  const total = totalOf(prices, 'total');
  await cache(memoryCache(), async () => {
    made = 0;
    assert.equal([total(3), total(3), made], [6, 6, 1]);
    prices.set('apple', 5);
    assert.equal([total(3), made], [6, 1], 'setting a key invalidates nothing');
    void prices.invalidate();
    assert.is(total.contains(3), false);
    assert.equal(
      total.explain(3).changes.map(({ name }) => name),
      ['shelf:test/prices'],
    );
    prices.set('apple', 5);
    assert.equal([total(3), total(3), made], [15, 15, 2]);
  });
});

check('point 13: a function never serves what was made before an invalidation, after a restart', ({ root }) => {
  const run = (...args: readonly string[]): string => {
    const child = ['--import', import.meta.resolve('tsx'), join(import.meta.dirname, '_child.ts'), ...args];
    return execFileSync(process.execPath, child, { encoding: 'utf8' }).trim();
  };
  assert.is(run('total', root, '2'), 'made 6 6');
  assert.is(run('total', root, ''), '6 6', 'the cache outlives the process');
  // Another program, which knows the shelf and nothing of the function, nor of its cache.
  run('invalidate', root, 'prices');
  assert.is(run('total', root, ''), 'made 0 0');
});

/** What one of two processes does. */
const ACT = fc.record({
  who: fc.constantFrom(0, 1),
  what: fc.constantFrom('set', 'set', 'save', 'invalidate root', 'invalidate middle', 'ask', 'ask', 'ready', 'restart'),
});

let stories = 0;

check(
  'point 13: whatever two processes do, nobody is given what was made before the last invalidation',
  async ({ start, root }) => {
    await fc.assert(
      fc.asyncProperty(fc.array(ACT, { minLength: 5, maxLength: 25 }), async (acts) => {
        const dir = join(root, String(stories++));
        const store = memoryCache();
        const open = () => {
          const manager = start({ dir });
          const root = manager.shelf<string, number>('root');
          const middle = manager.shelf<string, number>('middle', {
            dependsOn: [root],
            build: () => ({ k: root.get('k') ?? 0 }),
          });
          const ask = fleche(() => middle.get('k') ?? 0, {
            name: 'ask',
            module: `story ${++defined}`,
            code: 'manual',
            dependsOn: [middle],
          });
          return { manager, root, middle, ask };
        };
        // Without a store there is nothing by which processes could hear of each other.
        const first = start({ dir });
        await first.shelf('first').set('k', 0).save();
        await first.close();
        const processes = [open(), open()];
        let counter = 0;
        let floor = 0;
        for (const { who, what } of acts) {
          const process = processes[who];
          if (process === undefined) continue;
          const { manager, root, middle, ask } = process;
          if (what === 'set') root.set('k', ++counter);
          else if (what === 'save') await manager.save();
          else if (what === 'ready') await Promise.all([root.ready(), middle.ready()]);
          else if (what === 'invalidate middle') await middle.invalidate();
          else if (what === 'invalidate root') {
            await root.invalidate();
            floor = counter + 1;
          } else if (what === 'restart') {
            await manager.close();
            processes[who] = open();
          } else {
            const answer = cache(store, () => ask());
            assert.ok(answer === 0 || answer >= floor, `${answer} is older than ${floor}`);
            assert.is(
              cache(store, () => ask()),
              answer,
            );
          }
        }
        for (const { manager } of processes) await manager.close({ discard: true });
      }),
      { numRuns: process.env['FLECHE_TEST_PROFILE'] === 'nightly' ? 300 : 30 },
    );
  },
);

check('an invalidation by another process counts at the next call', async ({ start }) => {
  const prices = start().shelf<string, number>('prices');
  const total = totalOf(prices, 'total elsewhere');
  const theirs = start().shelf<string, number>('prices');
  await cache(memoryCache(), async () => {
    prices.set('apple', 2);
    await prices.save();
    assert.is(total(3), 6);
    await theirs.invalidate();
    theirs.set('apple', 7);
    await theirs.save();
    assert.is(total(3), 21);
  });
});

check('what a shelf is made from is what the function is made from', async ({ start }) => {
  const desk = start();
  const rates = desk.shelf<string, number>('rates');
  const prices = desk.shelf<string, number>('prices', {
    dependsOn: [rates],
    build: () => ({ apple: 2 * (rates.get('CHF') ?? 1) }),
  });
  const total = totalOf(prices, 'total of all');
  await cache(memoryCache(), async () => {
    rates.set('CHF', 2);
    assert.is(total(3), 12);
    // By somebody who does not know what is made from it.
    await start().shelf('rates').invalidate();
    assert.is(total(3), 6);
  });
});

check('two folders with shelves of one name do not answer for each other', async ({ start, root }) => {
  const [mine, theirs] = ['a', 'b'].map((dir) => start({ dir: `${root}/${dir}` }).shelf<string, number>('prices'));
  if (mine === undefined || theirs === undefined) throw new Error('no shelves');
  const define = (prices: Shelf<string, number>, module: string) =>
    fleche((count: number) => count * (prices.get('apple') ?? 0), {
      name: 'total',
      code: 'manual',
      module,
      dependsOn: [prices],
    });
  mine.set('apple', 1);
  theirs.set('apple', 2);
  cache(memoryCache(), () => {
    const [one, other] = [define(mine, 'one'), define(theirs, 'other')];
    assert.equal([one(1), other(1)], [1, 2]);
    assert.is.not(epochOf(one), epochOf(other));
  });
});

check('a folder that was removed is another one after a restart', async ({ start }) => {
  const first = start();
  const prices = first.shelf<string, number>('prices');
  const total = totalOf(prices, 'total of a folder');
  await cache(memoryCache(), async () => {
    prices.set('apple', 2);
    total(3);
    await prices.save();
    const before = epochOf(total);
    await first.close();
    assert.is(epochOf(totalOf(start().shelf('prices'), 'total of the same folder')), before);
    rmSync(first.folder, { recursive: true });
    assert.is.not(epochOf(totalOf(start().shelf('prices'), 'total of another folder')), before);
  });
});

check('what is kept nowhere is another shelf in every process, and whenever it is opened', async ({ start }) => {
  const desk = start();
  const define = () => desk.shelf<string, number>('session', { persist: false });
  const session = define();
  const total = totalOf(session, 'total of a session');
  await cache(memoryCache(), async () => {
    const before = total.digest(3);
    assert.is(total.digest(3), before);
    await session.close();
    define();
    assert.is.not(total.digest(3), before);
  });
});

check('asynchronous functions, and caches that answer later', async ({ start }) => {
  const prices = start().shelf<string, number>('prices');
  const total = fleche(async (count: number) => count * ((await prices.ready()).get('apple') ?? 0), {
    name: 'total later',
    dependsOn: [prices],
  });
  await cache(laterCache(), async () => {
    prices.set('apple', 2);
    assert.is(await total(3), 6);
    await prices.invalidate();
    assert.is(await total(3), 0);
  });
});

check('a call that is under way while its shelf is invalidated is no answer to later ones', async ({ start }) => {
  const prices = start().shelf<string, number>('prices');
  const gate = deferred<void>();
  const total = fleche(
    async (count: number) => {
      const price = prices.get('apple') ?? 0;
      await gate.promise;
      return count * price;
    },
    { name: 'total under way', dependsOn: [prices] },
  );
  await cache(memoryCache(), async () => {
    prices.set('apple', 2);
    const early = total(3);
    await prices.invalidate();
    prices.set('apple', 5);
    const late = total(3);
    gate.resolve();
    assert.equal(await Promise.all([early, late]), [6, 15]);
    assert.is(await total(3), 15);
  });
});

check(
  'where it cannot be told how a shelf stands, calls are made uncached, with one warning',
  async ({ start, host }) => {
    const prices = start().shelf<string, number>('prices');
    const total = totalOf(prices, 'total without a disk');
    const strict = fleche((count: number) => count, { name: 'strict total', strict: true, dependsOn: [prices] });
    host.isFull = true;
    prices.set('apple', 2);
    made = 0;
    const store = memoryCache();
    const warnings = await warningsOf(() =>
      cache(store, () => {
        assert.equal([total(3), total(3), made], [6, 6, 2]);
        assert.is(
          codeOf(() => strict(3)),
          'SHELF_UNREADABLE',
        );
      }),
    );
    assert.is(warnings.length, 1);
    host.isFull = false;
    cache(store, () => assert.equal([total(3), total(3), made], [6, 6, 3]));
  },
);

check('edges are declared by either side, are one, and can be removed', async ({ start }) => {
  const desk = start();
  const prices = desk.shelf<string, number>('prices');
  const total = fleche((count: number) => count, { name: 'total by edge' });
  await cache(memoryCache(), async () => {
    total(1);
    prices.addDependent(total);
    assert.is(total.contains(1), false);
    total(1);
    assert.equal(desk.edges(), [{ from: 'prices', to: 'total by edge' }]);
    assert.is(prices.removeDependent(total), true);
    assert.is(prices.removeDependent(total), false);
    await prices.invalidate();
    assert.is(total.contains(1), true);
  });
});

check('a shelf is emptied when the answers are cleared that it is made from', async ({ start }) => {
  const desk = start();
  const fetch = fleche(async (x: number) => x, { name: 'fetch' });
  const load = fleche((x: number) => x, { name: 'load for shelves' });
  const a = desk.shelf<string, number>('a', { dependsOn: [fetch] });
  const b = desk.shelf<string, number>('b', { dependsOn: [a, load] });
  const fill = (): void => {
    a.set('k', 1);
    b.set('k', 1);
  };
  const store = memoryCache();
  await cache(store, async () => {
    fill();
    load(1);
    assert.is(load.clear(1), 1);
    assert.equal([a.size, b.size], [1, 0]);
    fill();
    await fetch(1);
    await fetch.clear();
    assert.equal([a.size, b.size], [0, 0]);
    fill();
    load(1);
    await store.invalidate('load for shelves', { dryRun: true });
    assert.equal([a.size, b.size], [1, 1]);
    await store.invalidate('load for shelves');
    assert.equal([a.size, b.size], [1, 0]);
  });
  assert.equal([...start().shelf('b')], []);
});

check(
  'invalidation goes through functions to shelves of the same and of other managers, each once',
  async ({ start }) => {
    const [left, right] = [start(undefined, 'left'), start(undefined, 'right')];
    const f = fleche((x: number) => x, { name: 'through f' });
    const g = fleche((x: number) => x, { name: 'through g' });
    const root = left.shelf<string, number>('root');
    root.addDependent(f);
    const near = left.shelf<string, number>('near', { dependsOn: [f, root] });
    const far = right.shelf<string, number>('far', { dependsOn: [f] });
    far.addDependent(g);
    // Back where it began: no manager can see this round.
    root.addDependency(g);
    const emptied: string[] = [];
    for (const shelf of [root, near, far]) {
      shelf.set('k', 1);
      shelf.on('invalidated', () => emptied.push(shelf.name));
    }
    await root.invalidate();
    await turn();
    assert.equal(emptied, ['far', 'root', 'near']);
    assert.equal([root.size, near.size, far.size], [0, 0, 0]);
  },
);

check('point 14: a cycle through a function is refused, with its path', ({ start }) => {
  const desk = start();
  const f = fleche((x: number) => x, { name: 'round f' });
  const a = desk.shelf('a', { dependsOn: [f] });
  let message = '';
  try {
    a.addDependent(f);
  } catch (error) {
    message = String(error);
  }
  assert.match(message, 'round f → a → round f');
  assert.is(
    codeOf(() => fleche((x: number) => x, { name: 'no shelf', dependsOn: [{ name: 'x' } as never] })),
    'USAGE',
  );
});

check('listeners of a function are told, and harm nobody', async ({ start }) => {
  const prices = start().shelf('prices');
  const f = fleche((x: number) => x, { name: 'told f', dependsOn: [prices] });
  const told: string[] = [];
  const stop = f.onInvalidate(() => void told.push('first'));
  f.onInvalidate(() => {
    told.push('second');
    throw new Error('on purpose');
  });
  const warnings = await warningsOf(() =>
    cache(memoryCache(), async () => {
      await prices.invalidate();
      stop();
      f.clear();
    }),
  );
  assert.equal(told, ['first', 'second', 'second']);
  assert.is(warnings.length, 2);
});

check(
  'a shelf that could not be told at rest does not keep a function from being cleared',
  async ({ start, host, errors }) => {
    const f = fleche((x: number) => x, { name: 'cleared f' });
    const desk = start();
    const a = desk.shelf<string, number>('a', { dependsOn: [f] });
    a.set('k', 1);
    await a.save();
    cache(memoryCache(), () => {
      f(1);
      host.isFull = true;
      assert.is(f.clear(), 1);
      host.isFull = false;
    });
    assert.is(a.size, 0);
    await turn();
    assert.is(errors.length, 1);
    assert.instance(await rejectionOf(Error, Promise.reject(errors[0])), AggregateError);
  },
);

test.run();
