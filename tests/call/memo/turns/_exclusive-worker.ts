/**
 * A process that calls a slow function once. Each run leaves a line in a file; it ends when a file `go` is there, or
 * after some ms. Says when it waits for another process, then the answer. Arguments: root, kind, `go` or ms, fails.
 */
import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { LocalCache } from '../../../../core/call/caches/local-cache.ts';
import { cache } from '../../../../core/call/context.ts';
import { fleche } from '../../../../core/call/memo/fleche.ts';

const [root = '', kind = 'sync', until = '0', fails = ''] = process.argv.slice(2);
const say = (text: string): boolean => process.stdout.write(`${text}\n`);
const end = Date.now() + Number(until === 'go' ? 60_000 : until);
const isOver = (): boolean => Date.now() >= end || (until === 'go' && existsSync(join(root, 'go')));
const LOOK = 5;

function begin(): void {
  appendFileSync(join(root, 'runs'), `${process.pid}\n`);
}
function finish(x: number): number {
  if (fails !== '') throw new RangeError(`failed ${x}`);
  return x * 2;
}

const slow = fleche(
  (x: number) => {
    begin();
    const sleeper = new Int32Array(new SharedArrayBuffer(4));
    while (!isOver()) Atomics.wait(sleeper, 0, 0, LOOK);
    return finish(x);
  },
  { name: 'slow' },
);
const slowLater = fleche(
  async (x: number) => {
    begin();
    while (!isOver()) await new Promise((resolve) => setTimeout(resolve, LOOK));
    return finish(x);
  },
  { name: 'slowLater' },
);

const store = new LocalCache(join(root, 'cache'));
const leases = store.exclusion?.leases;
if (leases !== undefined) {
  // Who holds a lease is asked only by those who wait for it.
  const holder = leases.holder.bind(leases);
  leases.holder = (name) => {
    leases.holder = holder;
    say('waits');
    return holder(name);
  };
}
try {
  say(String(await cache(store, async () => (kind === 'sync' ? slow(21) : slowLater(21)))));
} catch (error) {
  say(String(error));
}
await store.close();
