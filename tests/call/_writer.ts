/**
 * A process that asks for some keys of its own in every cache of a folder, with pauses between looking and filing.
 * Arguments: folder, first key, number of keys.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { cache } from '../../core/call/context.ts';
import { fleche } from '../../core/call/memo/fleche.ts';
import { sharedCaches } from './_shared-caches.ts';

const [root = '', first = '0', count = '0'] = process.argv.slice(2);
const square = fleche(
  async (x: number) => {
    for (let pause = x % 5; pause > 0; pause--) await turn();
    return x * x;
  },
  { name: 'square', module: 'writers', code: 'manual', args: ['x'] },
);
const keys = Array.from({ length: Number(count) }, (_, at) => Number(first) + at);
for (const store of Object.values(sharedCaches(root))) {
  await cache(store, () => Promise.all(keys.map((key) => square(key))));
  await store.close();
}
