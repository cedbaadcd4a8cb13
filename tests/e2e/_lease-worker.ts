/**
 * A process that asks for every key once, in an order of its own, and checks the answers. Each execution leaves a line
 * in a log when it begins. Prints the longest time a call took, ms. Arguments: folder, number of keys, seed.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalCache } from '../../core/call/caches/local-cache.ts';
import { cache } from '../../core/call/context.ts';
import { fleche } from '../../core/call/memo/fleche.ts';
import { answerOf, randomOf, shuffled } from './_lease-rules.ts';

const [folder = '', count = '0', seed = '0'] = process.argv.slice(2);
const random = randomOf(Number(seed));
const sleeper = new Int32Array(new SharedArrayBuffer(4));
const begin = (key: number): void => appendFileSync(join(folder, 'runs'), `${key} ${process.pid}\n`);

const quick = fleche(
  (key: number) => {
    begin(key);
    return answerOf(key);
  },
  { name: 'quick', module: 'stress', code: 'manual', args: ['n'] },
);
const blocking = fleche(
  (key: number) => {
    begin(key);
    Atomics.wait(sleeper, 0, 0, 1 + random() * 4);
    return answerOf(key);
  },
  { name: 'blocking', module: 'stress', code: 'manual', args: ['n'] },
);
const waiting = fleche(
  async (key: number) => {
    begin(key);
    await new Promise((resolve) => setTimeout(resolve, 1 + random() * 4));
    return answerOf(key);
  },
  { name: 'waiting', module: 'stress', code: 'manual', args: ['n'] },
);
const kinds = [quick, blocking, waiting];

let longest = 0;
const store = new LocalCache(join(folder, 'cache'));
await cache(store, async () => {
  for (const key of shuffled(Number(count), random)) {
    const started = performance.now();
    const answer = await kinds[key % kinds.length]?.(key);
    longest = Math.max(longest, performance.now() - started);
    if (answer !== answerOf(key)) throw new Error(`a wrong answer for ${key}`);
  }
});
await store.close();
process.stdout.write(`${longest}\n`);
