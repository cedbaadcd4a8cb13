import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LocalCache } from '../../../core/call/caches/local-cache.ts';
import { cache, tags } from '../../../core/call/context.ts';
import { fleche } from '../../../core/call/memo/fleche.ts';
import { inNewFolder } from '../../_new-folder.ts';
import { warningsOf } from '../_warnings.ts';

let ran = 0;
const spell = fleche(
  (count: number) => {
    ran++;
    return { count, letters: 'x'.repeat(count), when: new Date(count), odd: new Set([count % 2]) };
  },
  { name: 'spell', args: ['count'] },
);
const spellLater = fleche(async (count: number) => spell(count), { name: 'spellLater', args: ['count'] });

test('what one process files the next one finds', () =>
  inNewFolder(async (root) => {
    ran = 0;
    for (let session = 0; session < 3; session++) {
      const store = new LocalCache(join(root, 'cache'));
      assert.is(store.location, join(root, 'cache'));
      await cache(store, async () => {
        for (const count of [1, 40, 100_000]) {
          const { letters, when, odd } = tags({ session }, () => spell(count));
          assert.is(letters.length, count);
          assert.equal(when, new Date(count));
          assert.equal([...odd], [count % 2]);
          assert.is((await spellLater(count)).count, count);
        }
        assert.equal(
          spell
            .query()
            .sorted('count')
            .table({ arguments: ['count'] })
            .column('session'),
          [0, 0, 0],
        );
        assert.is(spell.query({ count: 40 }, { metadata: { tags: { session: 0 } } }).count(), 1);
        assert.is(spell.query({}, { metadata: { tags: { session: 1 } } }).count(), 0);
        assert.is((await store.load(spell.digest(1).slice(0, 12))).name, 'spell');
      });
      await store.close();
    }
    assert.is(ran, 3);
  }));

test('a cache that is not there is made when something is filed, and found by who has looked already', () =>
  inNewFolder(async (root) => {
    ran = 0;
    const [first, second] = [new LocalCache(root), new LocalCache(root)];
    const data = join(root, 'db-1/data.mdb');
    assert.is(
      cache(first, () => spell.contains(1)),
      false,
    );
    assert.is(existsSync(data), false);
    cache(second, () => spell(1));
    second.flush();
    assert.is(existsSync(data), true);
    assert.is(
      cache(first, () => spell.contains(1)),
      true,
    );
    cache(first, () => spell(1));
    assert.is(ran, 1);
    await Promise.all([first.close(), second.close()]);
  }));

test('a cache that is made while its process ends is whole, and left as by any other', () =>
  inNewFolder((root) => {
    const core = `${import.meta.dirname}/../../../core`;
    const program = `
      import { LocalCache } from '${core}/call/caches/local-cache.ts';
      import { cache } from '${core}/call/context.ts';
      import { fleche } from '${core}/call/memo/fleche.ts';
      cache(new LocalCache(${JSON.stringify(root)}), () => fleche((x) => x + 1, { name: 'next', args: ['x'] })(1));
      process.exit();`;
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', program],
      { encoding: 'utf8' },
    );
    assert.equal([status, stderr], [0, '']);
    assert.equal(readdirSync(join(root, 'db-1')).sort(), ['data.mdb', 'lock.mdb']);
    const store = new LocalCache(root);
    assert.is(store.query().count(), 1);
    return store.close();
  }));

test('a cache for reading only answers, and makes what it has not', () =>
  inNewFolder(async (root) => {
    ran = 0;
    const writing = new LocalCache(root);
    cache(writing, () => spell(1));
    await writing.close();
    const warnings: string[] = [];
    const reading = new LocalCache(root, { readOnly: true, onTrouble: (message) => warnings.push(message) });
    const given = await warningsOf(() =>
      cache(reading, () => {
        assert.is(spell(1).count, 1);
        assert.is(spell(2).count, 2);
        assert.is(spell(2).count, 2);
      }),
    );
    assert.is(ran, 3);
    assert.equal([...warnings, ...given], []);
    await reading.close();
  }));

test('a value or an environment that was damaged costs a run, and what is made then is found again', () =>
  inNewFolder(async (root) => {
    const LARGE = 100_000;
    const damages: readonly (readonly [name: string, damage: () => void, runs: number, told: RegExp | undefined])[] = [
      ['a value in a file', () => writeFileSync(largeFile(root), 'x'), 1, undefined],
      ['a file that is cut short', () => truncateSync(largeFile(root), LARGE - 1), 1, undefined],
      ['an environment that is cut short', () => truncateSync(join(root, 'db-1/data.mdb'), 5000), 2, /damaged/],
      [
        'an environment of something else',
        () => writeFileSync(join(root, 'db-1/data.mdb'), 'x'.repeat(9999)),
        2,
        /damaged/,
      ],
    ];
    const session = async (): Promise<readonly [ran: number, told: readonly string[]]> => {
      const told: string[] = [];
      const store = new LocalCache(root, { onTrouble: (message) => told.push(message) });
      ran = 0;
      for (const count of [1, LARGE]) assert.is(cache(store, () => spell(count)).letters.length, count);
      await store.close();
      return [ran, told];
    };
    assert.equal(await session(), [2, []]);
    for (const [name, damage, runs, expected] of damages) {
      damage();
      const [ran, told] = await session();
      assert.is(ran, runs, name);
      if (expected === undefined) assert.equal(told, [], name);
      else assert.match(told.join(), expected);
      assert.equal(await session(), [0, []], name);
    }
  }));

/** The file of the one value that is too large for the environment. */
function largeFile(root: string): string {
  const [file = ''] = readdirSync(join(root, 'cas'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    /[0-9a-f]{64}$/.test(path),
  );
  chmodSync(join(root, 'cas', file), 0o644);
  return join(root, 'cas', file);
}

test.run();
