/**
 * Where memoizers and maps on disk go wrong, one promise a test: placeholders given out as answers, lost results, damaged
 * stores, keys that differ between processes, clearing too much. The names of tests, here and elsewhere, say which of
 * these they keep:
 *
 *  1. a process that is killed in the middle of a call hangs nobody (`memo/exclusive`, `e2e/leases`)
 *  2. who waits for a call that fails gets its error, never a placeholder (`memo/exclusive`)
 *  3. a failed refresh keeps the last good value, in every store
 *  4. `null` and `undefined` are answers, and what is under way is none
 *  5. however many ask for a key at once, it is run once, in one process and across processes (`memo/exclusive`)
 *  6. processes that store different keys at the same time lose nothing
 *  7. a record that is cut short, garbage or foreign is a miss
 *  8. clearing `foo` leaves `foo_bar`
 *  9. equal arguments have equal keys everywhere, different ones have not
 * 10. `maxAge` is never exceeded (`memo/freshness`)
 * 11. bypassing works for every shape of call, and keeps `this` (`memo/controls`)
 * 12. an edit followed by silence is saved in time; a failed save loses nothing (`shelves/autosync`)
 * 13. nothing from before an invalidation is there after a restart (`shelves/cascade`, `shelves/functions`)
 * 14. rebuilding is topological, cycles are refused, failures leave a defined state (`shelves/cascade`, `shelves/graph`)
 * 15. no old handle writes over newer data; processes that share a shelf merge or are told (`shelves/row-rest`)
 * 16. names may be anything (`shelves/manager`)
 * 17. the counts add up, and background work is visible (`metrics/metrics`)
 * 18. nothing is left behind after a crash (`e2e/leases`, `shelves/processes`)
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Cache } from '../../core/call/caches/cache.ts';
import { cache } from '../../core/call/context.ts';
import { fleche } from '../../core/call/memo/fleche.ts';
import { FolderCallStore } from '../../core/store/folder/folder-calls.ts';
import { FolderValueStore } from '../../core/store/folder/folder-values.ts';
import { bundled } from '../_bundled.ts';
import { inNewFolder } from '../_new-folder.ts';
import { turn } from '../_test-clock.ts';
import { laterCache, memoryCache } from './_caches.ts';
import { fakeClock, HOUR } from './_clock.ts';
import { sharedCaches } from './_shared-caches.ts';
import { warningsOf } from './_warnings.ts';

test('point 4: null and undefined are answers like any other, and nobody is given a placeholder for one', async () => {
  let made = 0;
  const nothing = fleche(
    async (what: null | undefined) => {
      made++;
      await turn();
      return what;
    },
    { name: 'nothing' },
  );
  for (const store of [memoryCache(), laterCache()]) {
    made = 0;
    await cache(store, async () => {
      assert.equal(await Promise.all([nothing(null), nothing(null), nothing(undefined)]), [null, null, undefined]);
      assert.equal([await nothing(null), await nothing(undefined)], [null, undefined]);
    });
    assert.is(made, 2);
  }
});

test('points 2 and 5: concurrent calls of one key are one execution, and share its error too', async () => {
  let made = 0;
  const slow = fleche(
    async (x: number) => {
      made++;
      await turn();
      if (x < 0) throw new Error(`no ${x}`);
      return { x };
    },
    { name: 'slow' },
  );
  for (const store of [memoryCache(), laterCache()]) {
    made = 0;
    await cache(store, async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, () => slow(1)));
      assert.ok(answers.every(({ x }) => x === 1));
      const errors = await Promise.all(Array.from({ length: 50 }, () => slow(-1).catch(String)));
      assert.equal(new Set(errors), new Set(['Error: no -1']));
    });
    assert.is(made, 2);
  }
});

/** A cache of every kind that keeps something on disk, and one that keeps it in memory. */
function everyCache(root: string): Readonly<Record<string, Cache>> {
  return { memory: memoryCache(), later: laterCache(), ...sharedCaches(root) };
}

test('point 6: processes that store different keys at the same time lose nothing, in any cache they share', () =>
  inNewFolder(async (root) => {
    const program = bundled(join(import.meta.dirname, '_writer.ts'));
    const [PROCESSES, KEYS] = [4, 20];
    const ends = Array.from({ length: PROCESSES }, async (_, at) => {
      const child = spawn(process.execPath, [program, root, String(at * KEYS), String(KEYS)], { stdio: 'inherit' });
      const [code] = await once(child, 'close');
      return code;
    });
    assert.equal(new Set(await Promise.all(ends)), new Set([0]));
    for (const [kind, store] of Object.entries(sharedCaches(root))) {
      const { rows } = await store.query({ module: 'writers' }).table({ arguments: ['x'], results: true });
      assert.is(new Set(rows.map(({ x }) => x)).size, PROCESSES * KEYS, kind);
      for (const { x, result } of rows) assert.is(result, Number(x) ** 2, kind);
      await store.close();
    }
  }));

test('point 3: a failed refresh keeps the last good value, in every store', () =>
  inNewFolder(async (root) => {
    for (const [kind, store] of Object.entries(everyCache(root))) {
      const clock = fakeClock();
      let fails = false;
      let made = 0;
      const aging = fleche(
        async () => {
          made++;
          if (fails) throw new Error('out of order');
          return { good: made };
        },
        { name: `aging ${kind}`, staleAfter: '1m', staleWhileRevalidate: true, now: clock.now },
      );
      await warningsOf(() =>
        cache(store, async () => {
          assert.equal(await aging(), { good: 1 }, kind);
          fails = true;
          for (let attempt = 2; attempt < 5; attempt++) {
            clock.ms += HOUR;
            assert.equal(await aging(), { good: 1 }, kind);
            await store.flush();
            assert.is(made, attempt, kind);
          }
          // Without serving what is old an error is an error, and costs the value nothing.
          const strict = aging.with({ cache: 'refresh' });
          assert.is(await strict().catch(String), 'Error: out of order');
          assert.equal(await aging.load(), { good: 1 }, kind);
          fails = false;
          clock.ms += HOUR;
          await aging();
          await store.flush();
          assert.equal(await aging(), { good: 6 }, kind);
        }),
      );
      await store.close();
    }
  }));

test('point 16: functions and arguments of any name are kept apart and where they belong', () =>
  inNewFolder(async (root) => {
    const names = ['../up', 'a/b', 'a', 'a\\b', 'CON', 'ü–😀', ' ', '%2e%2e', '\n', 'x'.repeat(5000), 'NAME', 'name'];
    for (const [kind, store] of Object.entries(everyCache(join(root, 'inside')))) {
      await cache(store, async () => {
        const functions = names.map((name) => fleche(async (x: string) => [name, x], { name, module: `any ${kind}` }));
        for (const [at, f] of functions.entries()) assert.equal(await f(names[at] ?? ''), [names[at], names[at]]);
        for (const [at, f] of functions.entries()) {
          assert.equal(await f.query().count(), 1, `${kind} ${at}`);
          assert.equal(await f.load(names[at] ?? ''), [names[at], names[at]]);
          assert.is(await f.clear(), 1);
        }
      });
      await store.close();
    }
    assert.equal(readdirSync(root), ['inside']);
  }));

test('what was begun before its function was cleared is no answer to anybody who asks after that', async () => {
  let price = 1;
  const ends: (() => void)[] = [];
  const current = fleche(
    async (x: number) => {
      const read = price * x;
      await new Promise<void>((end) => ends.push(end));
      return read;
    },
    { name: 'current' },
  );
  const clearings: readonly ((store: Cache) => unknown)[] = [
    () => current.clear(),
    () => current.clear(1),
    async (store) => {
      await current.precache([9], Promise.resolve(9));
      await store.invalidate('current');
    },
  ];
  for (const store of [memoryCache(), laterCache()]) {
    for (const clear of clearings) {
      await cache(store, async () => {
        price = 1;
        const early = current(1);
        while (ends.length < 1) await turn();
        price = 2;
        await clear(store);
        const late = current(1);
        while (ends.length < 2) await turn();
        for (const end of ends.splice(0)) end();
        assert.equal(await Promise.all([early, late]), [1, 2]);
        assert.is(await current(1), 2);
        assert.is(await current.clear(), 1);
      });
    }
  }
});

test('a call that asks for itself, directly or through another, is as without a cache', async () => {
  let isFirst = true;
  const round = fleche(
    async (x: number): Promise<number> => {
      await turn();
      if (!isFirst) return x;
      isFirst = false;
      return 10 * (await other(x));
    },
    { name: 'round' },
  );
  const other = fleche(async (x: number): Promise<number> => (await round(x)) + 1, { name: 'other' });
  for (const store of [memoryCache(), laterCache()]) {
    isFirst = true;
    await cache(store, async () => {
      assert.equal(await Promise.all([round(1), round(1)]), [20, 20]);
      assert.is(await round(1), 20);
    });
  }
});

test('point 6: different keys at the same time lose nothing', async () => {
  const store = laterCache();
  const square = fleche(async (x: number) => x * x, { name: 'square' });
  await cache(store, async () => {
    await Promise.all(Array.from({ length: 200 }, (_, x) => square(x)));
    assert.is(await square.query().count(), 200);
    const answers = await Promise.all(Array.from({ length: 200 }, (_, x) => square.load(x)));
    assert.equal(
      answers,
      Array.from({ length: 200 }, (_, x) => x * x),
    );
  });
});

test('point 7: records that are cut short, garbage or of another version are misses', () =>
  inNewFolder(async (root) => {
    let made = 0;
    const count = fleche((x: number) => x + 0 * ++made, { name: 'count' });
    const open = (): Cache =>
      new Cache(new FolderValueStore({ root: join(root, 'v') }), new FolderCallStore({ root: join(root, 'c') }));
    const files = (folder: string): string[] =>
      readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));
    const damages: readonly ((path: string) => void)[] = [
      (path) => truncateSync(path, 0),
      (path) => truncateSync(path, 20),
      (path) => writeFileSync(path, 'garbage'),
      (path) => writeFileSync(path, '{"format":999}'),
      (path) => {
        const bytes = readFileSync(path);
        bytes[0] = 99;
        writeFileSync(path, bytes);
      },
    ];
    const warnings = await warningsOf(() => {
      for (const folder of ['c', 'v']) {
        for (const damage of damages) {
          cache(open(), () => count(1));
          for (const path of files(folder)) {
            rmSync(path, { force: true });
            writeFileSync(path, '');
            damage(path);
          }
          const before = made;
          cache(open(), () => {
            assert.is(count(1), 1);
            assert.is(made, before + 1);
            assert.is(count(1), 1);
            assert.is(made, before + 1);
          });
        }
      }
    });
    assert.equal(warnings, []);
  }));

test('point 8: clearing one function leaves those whose names begin like its own', () => {
  const foo = fleche((x: number) => x, { name: 'foo' });
  const others = [
    fleche((x: number) => x, { name: 'foo_bar' }),
    fleche((x: number) => x, { name: 'foo ' }),
    fleche((x: number) => x, { name: 'foo', module: 'elsewhere' }),
    fleche((x: number) => x, { name: 'foo', module: null }),
  ];
  cache(memoryCache(), () => {
    for (const f of [foo, ...others]) f(1);
    assert.is(foo.clear(), 1);
    assert.is(foo.contains(1), false);
    for (const f of others) assert.is(f.contains(1), true);
  });
});

test('point 9: equal arguments have one key, in every process and however they were made; different ones have not', () => {
  const key = fleche((x: unknown) => x, { name: 'key' });
  const shared = { deep: [1, 2] };
  const same: readonly (readonly [unknown, unknown])[] = [
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [new Set(['x', 'y']), new Set(['y', 'x'])],
    [
      new Map([
        ['x', 1],
        ['y', 2],
      ]),
      new Map([
        ['y', 2],
        ['x', 1],
      ]),
    ],
    [
      [shared, shared],
      [{ deep: [1, 2] }, { deep: [1, 2] }],
    ],
    ['x'.repeat(3), 'xxx'],
    [Number.NaN, 0 / 0],
  ];
  const different: readonly (readonly [unknown, unknown])[] = [
    [1, '1'],
    [0, -0],
    [{ a: undefined }, {}],
    [new Map([['a', 1]]), { a: 1 }],
    [
      [1, 2],
      [2, 1],
    ],
    [null, undefined],
    [new Date(0), 0],
    [1n, 1],
    [[], {}],
  ];
  cache(memoryCache(), () => {
    for (const [a, b] of same) assert.is(key.digest(a), key.digest(b));
    for (const [a, b] of different) assert.is.not(key.digest(a), key.digest(b));
    const program = `
      import { fleche } from '${new URL('../../core/call/memo/fleche.ts', import.meta.url)}';
      const key = fleche((x) => x, { name: 'key', module: 'm', code: 'manual', args: ['x'] });
      console.log(key.digest({ b: new Map([['y', 1], ['x', new Set([2, 1])]]), a: [shared(), shared()] }));
      function shared() { return { z: -0, y: undefined }; }
    `;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', program],
      { encoding: 'utf8', cwd: join(import.meta.dirname, '../..') },
    );
    const one = { y: undefined, z: -0 };
    const value = {
      a: [one, one],
      b: new Map([
        ['x', new Set([1, 2])],
        ['y', 1],
      ] as [string, unknown][]),
    };
    const here = fleche((x: unknown) => x, { name: 'key', module: 'm', code: 'manual', args: ['x'] });
    assert.is(stdout.trim(), here.digest(value), stderr);
  });
});

test('changing what a caller got changes nothing for the next, nor does changing what was passed', () => {
  const lists = fleche((list: readonly number[]) => [...list, 0], { name: 'lists' });
  cache(memoryCache(), () => {
    const given = [1, 2];
    const got = lists(given);
    got.push(99);
    given.push(3);
    assert.equal(lists([1, 2]), [1, 2, 0]);
    assert.equal(lists([1, 2, 3]), [1, 2, 3, 0]);
  });
});

test('methods of different classes, and functions of different modules, never answer for each other', () => {
  const a = fleche(() => 'a', { name: 'load', module: 'a.ts', code: 'manual' });
  const b = fleche(() => 'b', { name: 'load', module: 'b.ts', code: 'manual' });
  cache(memoryCache(), () => assert.equal([a(), b(), a(), b()], ['a', 'b', 'a', 'b']));
});

test.run();
