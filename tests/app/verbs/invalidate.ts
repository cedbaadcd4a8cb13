/** `invalidate`: what goes is told as what it was made of. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseInvocation } from '../../../core/app/cli/invocation.ts';
import { VERBS } from '../../../core/app/cli/verbs.ts';
import { invalidate } from '../../../core/app/verbs/invalidate.ts';
import { Cache } from '../../../core/call/caches/cache.ts';
import { cache } from '../../../core/call/context.ts';
import { fleche } from '../../../core/call/memo/fleche.ts';
import { MemoryCallStore, MemoryValueStore } from '../../../core/store/memory.ts';
import { call, fakeMachine } from '../_machine.ts';
import { COPY, outcomes, withScratch } from '../_scratch.ts';

const load = fleche((x: number) => [x], { name: 'load', module: null, code: 'manual', version: 1 });
const size = fleche((list: readonly number[]) => list.length + 41, { name: 'size', module: null, code: 'manual' });

/** A project whose cache has two calls, one made of the other. */
function withCalls(): { readonly store: Cache; readonly told: (...argv: string[]) => ReturnType<typeof call> } {
  const values = new MemoryValueStore();
  const calls = new MemoryCallStore();
  const store = new Cache(values, calls);
  cache(store, () => size(load(1)));
  const stores = (): never => ({ values, calls }) as never;
  return { store, told: (...argv) => call(invalidate, ['invalidate', ...argv], { build: [] }, {}, { stores }) };
}

test('each call is told under what it was made of', async () => {
  const { store, told } = withCalls();
  const key = cache(store, () => load.digest(1)).slice(0, 12);
  const dependent = cache(store, () => size.digest([1])).slice(0, 12);
  const lines = (end: string): string =>
    `- load function ${key}\n  - size function ${dependent} by arg:list\n${end} 2 calls\n`;
  assert.is((await told('load', '--dry-run')).stdout, lines('would invalidate'));
  assert.is(store.query().count(), 2);
  const { stdout, code, closed } = await told('load');
  assert.is(stdout, lines('invalidated'));
  assert.equal([code, closed, store.query().count()], [0, 1, 0]);
});

test('json is one object', async () => {
  const { stdout } = await withCalls().told('size', '--json', '--dry-run');
  const { type, dryRun, count, calls } = JSON.parse(stdout);
  assert.equal(
    [type, dryRun, count, calls.length, calls[0].name, calls[0].through],
    ['invalidate', true, 1, 1, 'size', null],
  );
});

test('what is not on file is an error', async () => {
  for (const word of ['nothing', 'build', 'abcdef123456']) {
    const error = await withCalls()
      .told(word)
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    assert.is((error as { code?: string }).code, 'CALL_UNKNOWN');
  }
});

test('a name that nothing has is met with one that is near', async () => {
  const error = await withCalls()
    .told('laod')
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  assert.is((error as { hint?: string }).hint, 'Did you mean "load"?');
});

test('a task, and what needs it, is run again; a file stands for the tasks that read it', async () => {
  await withScratch(COPY, async (scratch) => {
    const run = async (): Promise<unknown> => {
      const project = scratch.open();
      const done = await outcomes(project);
      await project.close();
      return done;
    };
    const told = async (...argv: readonly string[]): Promise<number> => {
      const project = scratch.open();
      const machine = fakeMachine({ cwd: scratch.root });
      const invocation = parseInvocation(['invalidate', '--json', ...argv], VERBS);
      await invalidate({ invocation, machine, open: () => Promise.resolve(project) });
      return JSON.parse(machine.stdout.text).count;
    };
    assert.equal(await run(), { copy: 'ran', look: 'ran' });
    assert.equal(await run(), { copy: 'cached', look: 'cached' });
    assert.is(await told('look'), 1);
    assert.equal(await run(), { copy: 'cached', look: 'ran' });
    for (const what of ['copy', 'in.txt']) {
      assert.is(await told(what), 2);
      assert.equal(await run(), { copy: 'ran', look: 'ran' });
    }
  });
});

test.run();
