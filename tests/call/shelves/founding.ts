/** The examples that shelves were asked for with. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { check } from './_desk.ts';

check('a value that was saved is there the next time', async ({ start }) => {
  const first = start();
  const cache = first.shelf('my_simple_cache');
  assert.is(cache.get('my_key'), undefined);
  cache.set('my_key', 'my_value');
  await cache.save();
  await first.save();
  await first.close();
  assert.is(start().shelf('my_simple_cache').get('my_key'), 'my_value');
});

check('a shelf that does not persist saves nothing', async ({ start }) => {
  const first = start();
  const cache = first.shelf('my_simple_cache', { persist: false });
  cache.set('my_key', 'my_value');
  await cache.save();
  assert.is(cache.get('my_key'), 'my_value');
  await first.close();
  assert.is(existsSync(first.folder), false);
  assert.is(start().shelf('my_simple_cache').size, 0);
});

check('a shelf is loaded and saved by its own hooks', async ({ start }) => {
  const lines: string[] = [];
  const cache = start().shelf<string, string>('my_cache', {
    save: (name, contents) =>
      lines.push(`Save requested on ${name} cache content: ${JSON.stringify(Object.fromEntries(contents))}`),
    load: () => ({ load: 'faked' }),
  });
  await cache.save();
  cache.set('new', 'real');
  await cache.save();
  assert.equal(lines, [
    'Save requested on my_cache cache content: {"load":"faked"}',
    'Save requested on my_cache cache content: {"load":"faked","new":"real"}',
  ]);
});

check('a derived value follows its root, on the second run as well as on the first', async ({ start }) => {
  for (const run of [1, 2]) {
    const manager = start();
    const edge = manager.shelf<string, number>('edge_cache');
    const root = manager.shelf<string, number>('root_cache');
    edge.addDependency(root);
    const setProcessedValue = (): number => {
      let processed = edge.get('processed');
      if (processed === undefined) {
        processed = (root.get('raw') ?? 0) * 5;
        edge.set('processed', processed);
      }
      return processed;
    };
    if (run === 1) assert.is(setProcessedValue(), 0);
    root.set('raw', 1);
    assert.is(setProcessedValue(), run === 1 ? 0 : 5);
    await root.invalidate();
    assert.equal(new Map(edge), new Map());
    assert.is(setProcessedValue(), 0);
    await root.invalidate();
    root.set('raw', 1);
    assert.is(setProcessedValue(), 5);
    assert.equal(new Map(edge), new Map([['processed', 5]]));
    await manager.close();
  }
});

check('a manager is kept in the folder that it is given', async ({ start, root }) => {
  const manager = start({ dir: join(root, 'secret/cache/location') }, 'general_cache');
  const cache = manager.shelf('my_cache');
  cache.set('new', 'real');
  await cache.save();
  assert.is(manager.folder, join(root, 'secret/cache/location/general_cache'));
  assert.ok(existsSync(manager.folder));
  assert.equal(manager.stored(), ['my_cache']);
});

test.run();
