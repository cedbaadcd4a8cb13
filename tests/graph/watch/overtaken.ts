/** Watched tasks of which something they read was changed while they ran, and was put back. */
import { writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RelPath } from '../../../core/base/paths.ts';
import { onSite, until } from '../_site.ts';
import { WatchedSite } from './_watch.ts';

/** `use` reads what `make` wrote, and waits for a word before it does and one after it did. */
const TASKS = {
  make: { run: 'say make; cp in made', inputs: ['in'], outputs: ['made'] },
  use: {
    run: 'say use; wait_for() { while [ ! -e "../aside/$1" ]; do sleep 0.01; done; }; wait_for read; cat made > used 2>&1 || true; say read; wait_for end',
    needs: ['make'],
    inputs: [],
    outputs: ['used'],
  },
};

test('what a task made while an output that it reads was gone is no answer, though the output is put back', async () => {
  await onSite(TASKS, { in: 'one' }, async (site) => {
    const word = (name: string): void => writeFileSync(`${site.aside}/${name}`, '');
    word('read');
    word('end');
    const watched = await new WatchedSite(site).start();
    assert.is(site.read('used'), 'one');
    site.remove('../aside/read');
    site.remove('../aside/end');
    watched.save({ in: 'two' });
    await watched.begin();
    const said: string[] = [];
    const heard = (what: string): Promise<void> =>
      until(() => said.push(...site.log()) >= 0 && said.includes(what), what);
    watched.clock.pass(1000);
    await heard('use');
    site.remove('made');
    word('read');
    await heard('read');
    word('end');
    await watched.quiet();
    watched.tell('made');
    await watched.quiet();
    assert.is(site.read('made'), 'two');
    assert.is(site.read('used'), 'two');
    await watched.watch.close();
  });
});

test('what was made of a file that is gone before it is known that it was read is made again', async () => {
  const tasks = {
    use: {
      run: 'say use; if [ -e read ]; then echo read; else echo "?read"; fi > list; cat main read > out 2>/dev/null; while [ ! -e ../aside/end ]; do sleep 0.01; done',
      inputs: ['main'],
      outputs: ['out'],
      discovered: { form: 'list', file: 'list' as RelPath },
    },
  } as const;
  await onSite(tasks, { main: 'a', read: 'one' }, async (site) => {
    writeFileSync(`${site.aside}/end`, '');
    const watched = await new WatchedSite(site).start();
    assert.is(site.read('out'), 'aone');
    site.remove('../aside/end');
    watched.save({ main: 'b' });
    await watched.begin();
    watched.clock.pass(1000);
    await until(() => site.exists('out') && site.read('out') === 'bone', 'the command');
    site.remove('read');
    site.write({ '../aside/end': '' });
    await watched.quiet();
    watched.tell('read');
    await watched.quiet();
    assert.is(site.read('out'), 'b');
    await watched.watch.close();
  });
});

test.run();
