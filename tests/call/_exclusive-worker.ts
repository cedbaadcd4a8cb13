/** A process that calls a slow function once; each run leaves a line in a file. Arguments: root, kind, ms, fails. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { cache } from '../../core/call/context.ts';
import { fleche } from '../../core/call/fleche.ts';
import { LocalCache } from '../../core/call/local-cache.ts';

const [root = '', kind = 'sync', ms = '0', fails = ''] = process.argv.slice(2);
const note = (): void => appendFileSync(join(root, 'runs'), `${process.pid}\n`);

const slow = fleche(
  (x: number) => {
    note();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(ms));
    if (fails !== '') throw new RangeError(`failed ${x}`);
    return x * 2;
  },
  { name: 'slow' },
);
const slowLater = fleche(
  async (x: number) => {
    note();
    await new Promise((resolve) => setTimeout(resolve, Number(ms)));
    if (fails !== '') throw new RangeError(`failed ${x}`);
    return x * 2;
  },
  { name: 'slowLater' },
);

const store = new LocalCache(join(root, 'cache'));
process.stdout.write('ready\n');
try {
  const answer = await cache(store, async () => (kind === 'sync' ? slow(21) : slowLater(21)));
  process.stdout.write(`${answer}\n`);
} catch (error) {
  process.stdout.write(`${error}\n`);
}
await store.close();
