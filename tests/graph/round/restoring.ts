/** The queue of restorations: what is noted before what is written, and who is told what. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Digest } from '../../../core/base/hash.ts';
import { RestoreQueue } from '../../../core/graph/round/restoring.ts';

class Bench {
  readonly log: string[] = [];
  now = 0;
  readonly queue: RestoreQueue = new RestoreQueue(
    () => this.log.push('note'),
    () => this.now,
  );

  /** `ready`: when what it needs is at hand. */
  restore(name: string, ms = 0, ready?: Promise<void>): Promise<unknown> {
    return this.queue.restore(() => {
      this.log.push(`begin ${name}`);
      const finish = (): { restored: number } => {
        this.log.push(`finish ${name}`);
        this.now += ms;
        return { restored: 1 };
      };
      const makeReady = (): typeof ready => {
        this.log.push(`ready ${name}`);
        return ready;
      };
      return { makeReady, finish };
    });
  }
}

test('what is due in one turn is noted together, before any of it is written', async () => {
  const bench = new Bench();
  assert.equal(await Promise.all([bench.restore('a'), bench.restore('b')]), [{ restored: 1 }, { restored: 1 }]);
  assert.equal(bench.log, ['begin a', 'begin b', 'note', 'ready a', 'ready b', 'finish a', 'finish b']);
});

test('what comes while others are at it is next', async () => {
  const bench = new Bench();
  const first = bench.restore('a').then(() => bench.restore('b'));
  await first;
  assert.equal(bench.log, ['begin a', 'note', 'ready a', 'finish a', 'begin b', 'note', 'ready b', 'finish b']);
});

test('others have a turn between long restorations', async () => {
  const bench = new Bench();
  const turns = ['a', 'b', 'c'].map((name) => bench.restore(name, 30));
  setImmediate(() => setImmediate(() => bench.log.push('other')));
  await Promise.all(turns);
  assert.ok(bench.log.indexOf('other') < bench.log.indexOf('finish c'), bench.log.join());
});

test('what needs much is made ready together with the rest, and is waited for', async () => {
  const bench = new Bench();
  let done = (): void => {};
  const copied = new Promise<void>((resolve) => {
    done = resolve;
  });
  const all = Promise.all([bench.restore('a', 0, copied), bench.restore('b')]);
  setImmediate(() =>
    setImmediate(() => {
      bench.log.push('copied');
      done();
    }),
  );
  await all;
  assert.equal(bench.log.slice(3), ['ready a', 'ready b', 'copied', 'finish a', 'finish b']);
});

test('what fails, or need not be done, holds nobody up', async () => {
  const bench = new Bench();
  const lost = 'f'.repeat(64) as Digest;
  const results = await Promise.allSettled([
    bench.queue.restore(() => {
      throw new Error('no');
    }),
    bench.queue.restore(() => undefined),
    bench.queue.restore(() => ({ lost })),
    bench.queue.restore(() => ({
      makeReady: () => undefined,
      finish: () => {
        throw new Error('neither');
      },
    })),
    bench.restore('a'),
  ]);
  assert.equal(
    results.map((result) => (result.status === 'fulfilled' ? result.value : String(result.reason))),
    ['Error: no', undefined, { lost }, 'Error: neither', { restored: 1 }],
  );
});

test.run();
