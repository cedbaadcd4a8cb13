/** What the passes of a watch tell of tasks. */
import { writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RelPath } from '../../../core/base/paths.ts';
import { onSite, until } from '../_site.ts';
import { turns, WatchedSite } from './_watch.ts';

const MODULE = `import { existsSync } from 'node:fs';
import { join } from 'node:path';
export async function make(args, { root }) {
  while (!existsSync(join(root, '../aside/end'))) await new Promise((resume) => setTimeout(resume, 10));
  return 'made';
}
`;

const TASKS = {
  make: {
    run: '',
    body: { kind: 'function', module: 'tasks.ts' as RelPath, export: 'make', args: {} },
    inputs: ['in'],
  },
} as const;

test('what a pass has to say too late says nothing of the work that a newer one began', async () => {
  await onSite(TASKS, { 'tasks.ts': MODULE, in: 'one' }, async (site) => {
    const make = site.engine.bind(site);
    let gate = Promise.resolve();
    site.engine = () => {
      const engine = make();
      const { code } = engine.surroundings;
      const closure = code.closure.bind(code);
      code.closure = async (...asked) => {
        await gate;
        return closure(...asked);
      };
      return engine;
    };
    writeFileSync(`${site.aside}/end`, '');
    const watched = await new WatchedSite(site).start();
    site.remove('../aside/end');

    let open = (): void => {};
    gate = new Promise((resume) => {
      open = resume;
    });
    watched.save({ in: 'two' });
    await watched.begin();
    gate = Promise.resolve();
    watched.save({ in: 'three' });
    await watched.begin();
    const told = (): readonly string[] =>
      watched.events.flatMap((event) => (event.type === 'task' ? event.event.type : event.type));
    await until(() => told().includes('start'), 'a start');
    open();
    await turns();
    assert.equal(told(), ['round', 'start']);

    writeFileSync(`${site.aside}/end`, '');
    await watched.quiet();
    assert.equal(told(), ['round', 'start', 'done', 'rested']);
    await watched.watch.close();
  });
});

test('what a round names is what changed since the one before, not since the last time that the work was done', async () => {
  const tasks = { list: { run: 'cat src/*', inputs: ['src/*'] } };
  await onSite(tasks, { 'src/a': 'one' }, async (site) => {
    const watched = await new WatchedSite(site).start();
    await watched.saved({ 'src/b': '', 'src/c': '' });
    site.remove('src/b', 'src/c');
    watched.tell('src/b', 'src/c');
    await watched.quiet();
    await watched.saved({ 'src/a': 'two' });
    assert.equal(
      watched.rounds.map(({ paths }) => paths),
      [['src/b', 'src/c'], ['src/b', 'src/c'], ['src/a']],
    );
    await watched.watch.close();
  });
});

test('what a task wrote that declares no outputs any more is removed by a watch too', async () => {
  const body = { kind: 'command', command: 'say t' } as const;
  await onSite({ t: { run: 'say t', inputs: ['in'] } }, { in: '' }, async (site) => {
    await site.run();
    site.retask('t', { body: { kind: 'command', command: 'say t; echo x > out' }, outputs: ['out'] });
    await site.run();
    assert.is(site.exists('out'), true);
    site.retask('t', { body, outputs: [] });
    const watched = await new WatchedSite(site).start();
    assert.equal(site.log(), []);
    assert.is(site.exists('out'), false);
    await watched.watch.close();
  });
});

test.run();
