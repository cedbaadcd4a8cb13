/** Processes that are killed while they write, and several that write at once: nothing that was flushed is lost. */
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { layoutOf } from '../../../core/store/layout.ts';
import { openLmdb } from '../../../core/store/lmdb/lmdb.ts';
import { damageOf } from '../../../core/store/lmdb/lmdb-guard.ts';
import { inspectLmdb } from '../../../core/store/lmdb/lmdb-inspect.ts';
import { inNewFolder } from '../../_new-folder.ts';
import { start } from '../_child.ts';
import { aKey } from '../_record.ts';

const NIGHTLY = process.env['FLECHE_TEST_PROFILE'] === 'nightly';
const ROUNDS = NIGHTLY ? 500 : 10;
const WRITERS = 2;

/** Fails unless everything that was acknowledged is there, and of every record everything that it names. */
async function inspect(root: string, acknowledged: readonly string[]): Promise<void> {
  const troubles: string[] = [];
  assert.is(damageOf(layoutOf(root), true), undefined);
  const { values, calls, close } = openLmdb(root, { onTrouble: (message) => void troubles.push(message) });
  for (const salt of acknowledged) {
    const record = calls.get(aKey(salt));
    assert.ok(record, salt);
    assert.ok(values.get(record.result?.blob ?? record.key), salt);
  }
  let count = 0;
  for (const record of calls.find({ name: 'f' })) {
    count++;
    assert.ok(values.get(record.result?.blob ?? record.key), `a result of ${record.key}`);
  }
  assert.is(count, calls.count());
  await close();
  assert.equal(inspectLmdb(root).undecodable, []);
  assert.equal(troubles, []);
}

test('what was flushed survives kill -9 at any moment, and names nothing that is not there', () =>
  inNewFolder(async (folder) => {
    const root = join(folder, '.fleche');
    const acknowledged: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const writers = Array.from({ length: WRITERS }, (_, id) =>
        start('_lmdb-child.ts', 'write', root, `${round}-${id}`),
      );
      await Promise.race(writers.map((writer) => writer.printed(1)));
      for (const { child } of writers) {
        await wait(Math.random() * 60);
        child.kill('SIGKILL');
      }
      for (const { ended, lines } of writers) {
        assert.is((await ended).end, 'SIGKILL');
        acknowledged.push(...lines);
      }
      await inspect(root, acknowledged);
    }
    assert.ok(acknowledged.length >= ROUNDS);
  }));

test('several processes write at once, and lose nothing', () =>
  inNewFolder(async (folder) => {
    const root = join(folder, '.fleche');
    // All of them also make the cache.
    const writers = Array.from({ length: 4 }, (_, id) => start('_lmdb-child.ts', 'write', root, `${id}`));
    await Promise.all(writers.map((writer) => writer.printed(40)));
    for (const { child } of writers) child.kill('SIGKILL');
    const acknowledged: string[] = [];
    for (const { ended, lines } of writers) {
      const { end, stderr } = await ended;
      assert.is(end, 'SIGKILL', stderr);
      acknowledged.push(...lines);
    }
    assert.ok(acknowledged.length >= 160);
    await inspect(root, acknowledged);
  }));

test.run();
