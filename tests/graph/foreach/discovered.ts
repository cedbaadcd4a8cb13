/** Items that tell what they read: which of them run when a file changes that some of them read. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RelPath } from '../../../core/base/paths.ts';
import type { Task } from '../../../core/graph/tasks/task.ts';
import { onSite, type Ran, type Site, until } from '../_site.ts';
import { WatchedSite } from '../watch/_watch.ts';

const AT = { file: 'fleche.config.toml', line: 1, column: 1 };
const REPORT = 'out/{name}.list' as RelPath;

/** Puts together the files that its own names, and tells which these were, `?` for what was not there. */
const COMPILE =
  'say {name}; : >out/{name}.o; : >out/{name}.told; for f in $(cat {path}); do' +
  ' if [ -e $f ]; then cat $f >>out/{name}.o; echo $f >>out/{name}.told; else echo "?$f" >>out/{name}.told; fi; done;' +
  ' mv out/{name}.told out/{name}.list';

const COMPILED: Partial<Task> & { readonly run: string } = {
  run: COMPILE,
  foreach: { of: { kind: 'files', patterns: ['src/*'] }, outputs: ['out/{name}.o'], at: AT },
  outputs: ['out/*.o'],
  discovered: { form: 'list', file: REPORT },
};
const TASKS = {
  cc: COMPILED,
  link: { run: 'say link; cat out/*.o >all', needs: ['cc'], outputs: ['all'] },
};
const FILES = { 'src/a': 'x y', 'src/b': 'y', 'src/c': 'z', x: '1', y: '2', z: '3' };

function items({ tasks }: Ran): string {
  const { ran = 0, cached = 0, failed = 0, skipped = 0 } = tasks['cc']?.items ?? {};
  return [ran, cached, failed, skipped].join(' ');
}

async function compiled(work: (site: Site) => Promise<void>): Promise<void> {
  await onSite(TASKS, FILES, async (site) => {
    const first = await site.run();
    assert.equal([[...first.log].sort(), first.warnings], [['a', 'b', 'c', 'link'], []]);
    assert.is(site.read('all'), '1223');
    await work(site);
  });
}

test('nothing runs twice, and nothing is left of what told it', () =>
  compiled(async (site) => {
    const again = await site.run();
    assert.equal([again.log, again.outcomes, items(again)], [[], { cc: 'cached', link: 'cached' }, '0 3 0 0']);
    assert.equal(Object.keys(site.files()).sort(), [
      'all',
      'out/a.o',
      'out/b.o',
      'out/c.o',
      'src/a',
      'src/b',
      'src/c',
      'x',
      'y',
      'z',
    ]);
  }));

test('an edited file runs exactly the items that read it, and a plan and why say so', () =>
  compiled(async (site) => {
    site.write({ y: '4' });
    const plan = await site.plan();
    assert.equal(
      [items(plan), plan.tasks['cc']?.reasons],
      ['2 1 0 0', [{ kind: 'file', path: 'y', change: 'changed' }]],
    );
    const reasons = [{ kind: 'file', change: 'changed', path: 'y' }];
    assert.equal((await site.engine().why('cc')).items, {
      total: 3,
      stale: [
        { name: 'src/a', reasons },
        { name: 'src/b', reasons },
      ],
    });
    const run = await site.run({ jobs: 1 });
    assert.equal([run.log, items(run)], [['a', 'b', 'link'], '2 1 0 0']);
    site.write({ z: '5' });
    assert.equal((await site.run()).log, ['c', 'link']);
    assert.is(site.read('all'), '1445');
    site.write({ y: '2', z: '3' });
    const back = await site.run();
    assert.equal([back.log, site.read('all')], [[], '1223']);
    assert.equal((await site.engine().why('cc')).items, { total: 3, stale: [] });
  }));

test('an edited item runs alone, and what it read before is not said to be gone', () =>
  compiled(async (site) => {
    site.write({ 'src/a': 'y x' });
    const edited = [{ kind: 'file', path: 'src/a', change: 'changed' }];
    assert.equal((await site.plan()).tasks['cc']?.reasons, edited);
    site.write({ z: '3.' });
    const both = [...edited, { kind: 'file', path: 'z', change: 'changed' }];
    assert.equal((await site.plan()).tasks['cc']?.reasons, both);
    site.write({ z: '3' });
    site.retask('cc', { env: ['LEVEL'] });
    assert.equal((await site.plan()).tasks['cc']?.reasons, [
      { kind: 'env', name: 'LEVEL', change: 'added' },
      ...edited,
    ]);
    site.retask('cc', { env: [] });
    assert.equal((await site.run()).log, ['a', 'link']);
    assert.equal((await site.run()).log, []);
    site.write({ x: '7' });
    assert.equal((await site.run()).log, ['a', 'link']);
    assert.is(site.read('all'), '2723');
  }));

test('a path that was looked for in vain counts for the item that looked', () =>
  compiled(async (site) => {
    site.write({ 'src/b': 'y w' });
    await site.run();
    assert.equal((await site.run()).log, []);
    site.write({ w: '9' });
    const plan = await site.plan();
    assert.equal(plan.tasks['cc']?.reasons, [{ kind: 'file', path: 'w', change: 'added' }]);
    assert.equal((await site.run()).log, ['b', 'link']);
    site.remove('w');
    assert.equal((await site.run()).log, []);
    assert.is(site.read('all'), '1223');
  }));

test('where an item makes the same, dependents are cut off', () =>
  compiled(async (site) => {
    site.write({ 'src/c': 'z ' });
    assert.equal((await site.run()).log, ['c']);
  }));

test('new, removed and renamed items leave the others alone', () =>
  compiled(async (site) => {
    site.write({ 'src/d': 'x z' });
    assert.equal((await site.run()).log, ['d', 'link']);
    site.remove('src/a');
    const less = await site.run();
    assert.equal([less.log, site.exists('out/a.o'), items(less)], [['link'], false, '0 3 0 0']);
    site.write({ x: '8' });
    assert.equal((await site.run()).log, ['d', 'link']);
    assert.is(site.read('all'), '2383');
  }));

test('what an upstream task wrote counts as its product says', () =>
  onSite(
    {
      gen: { run: 'say gen; head -c1 src.gen >gen.h', inputs: ['src.gen'], outputs: ['gen.h'] },
      mid: { run: 'say mid; echo mid >mid', needs: ['gen'], outputs: ['mid'] },
      cc: { ...COMPILED, needs: ['mid'] },
    },
    { 'src/a': 'gen.h', 'src/b': 'y', 'src.gen': 'xy', y: '2' },
    async (site) => {
      const first = await site.run({ jobs: 1 });
      assert.equal([first.log, first.warnings], [['gen', 'mid', 'a', 'b'], []]);
      site.write({ 'src.gen': 'xz' });
      assert.equal((await site.run()).log, ['gen']);
      site.remove('gen.h');
      assert.equal((await site.run()).log, []);
      site.write({ 'src.gen': 'yz' });
      assert.equal((await site.run()).log, ['gen', 'mid', 'a']);
      assert.is(site.read('out/a.o'), 'y');
    },
  ));

test('an item of which it is not told what it read is done again, and the others are not', () =>
  compiled(async (site) => {
    site.write({ 'src/b': 'y nothing' });
    site.retask('cc', {
      body: { kind: 'command', command: `${COMPILE}; grep -q nothing {path} && rm out/{name}.list; :` },
    });
    const run = await site.run();
    assert.equal([...run.log].sort(), ['a', 'b', 'c']);
    assert.equal(run.warnings, [
      'src/b: out/b.list was not written, so the result is not kept',
      'it is not known what src/b read, so the result is not kept',
    ]);
    assert.equal((await site.run()).log, ['b']);
    site.write({ 'src/b': 'y' });
    assert.equal((await site.run()).log, ['b']);
    assert.equal((await site.run()).log, []);
  }));

test('where many items do not tell, few are named', () =>
  onSite(
    { cc: { ...COMPILED, run: 'say {name}; echo >out/{name}.o' } },
    Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`src/${at}`, ''])),
    async (site) => {
      const run = await site.run({ jobs: 1 });
      assert.equal(run.warnings, [
        'src/0: out/0.list was not written, so the result is not kept',
        'src/1: out/1.list was not written, so the result is not kept',
        'src/2: out/2.list was not written, so the result is not kept',
        'there is something to say of 6 more items, such as src/8',
        'it is not known what src/0 and 8 more items read, so the result is not kept',
      ]);
    },
  ));

test('a file that changes while items run: those that read it before are not kept', () =>
  compiled(async (site) => {
    site.write({ 'src/c': 'z poke', poke: '' });
    site.retask('cc', { body: { kind: 'command', command: `${COMPILE}; grep -q poke {path} && echo 6 >z; :` } });
    const run = await site.run({ jobs: 1 });
    assert.equal(run.log, ['a', 'b', 'c']);
    assert.ok(run.warnings.includes('z changed while it ran, so the result is not kept'), String(run.warnings));
    site.write({ z: '3' });
    assert.equal((await site.run()).log, ['c']);
  }));

test('an item that failed is tried again alone, when what it told changes', () =>
  compiled(async (site) => {
    site.retask('cc', { body: { kind: 'command', command: `${COMPILE}; ! grep -q 5 out/{name}.o` } });
    await site.run();
    site.write({ z: '5' });
    const failed = await site.run();
    assert.equal([failed.log, items(failed)], [['c'], '0 2 1 0']);
    site.write({ z: '6' });
    const mended = await site.run();
    assert.equal([mended.log, items(mended)], [['c', 'link'], '1 2 0 0']);
  }));

test('two items that tell at the same place are an error that names both', () =>
  onSite(
    {
      cc: {
        ...COMPILED,
        foreach: { of: { kind: 'files', patterns: ['src/**'] }, outputs: ['out/{dir}/{name}.o'], at: AT },
        outputs: ['out/**/*.o'],
      },
    },
    { 'src/a': '', 'src/d/a': '' },
    async (site) => {
      const run = await site.run();
      assert.match(run.tasks['cc']?.message ?? '', 'items "src/a" and "src/d/a" of task "cc" both write out/a.list');
    },
  ));

test('folders are made for reports, and go with them; a file can take the place of a folder of items', () =>
  onSite(
    {
      cc: {
        run: 'say {path}; echo x >told/{dir}/{name}',
        foreach: { of: { kind: 'files', patterns: ['src/**'] }, outputs: [], at: AT },
        discovered: { form: 'list', file: 'told/{dir}/{name}' as RelPath },
      },
    },
    { 'src/a/b': '', 'src/c/d/e': '', 'src/c/f': '', x: '' },
    async (site) => {
      const first = await site.run({ jobs: 1 });
      assert.equal([first.log, first.warnings], [['src/a/b', 'src/c/d/e', 'src/c/f'], []]);
      assert.not.ok(site.exists('told'));
      site.remove('src/a');
      site.write({ 'src/a': '' });
      const second = await site.run({ jobs: 1 });
      assert.equal([second.log, second.warnings], [['src/a'], []]);
      site.write({ 'told/hand': 'by hand', 'src/new': '' });
      assert.equal((await site.run({ jobs: 1 })).log, ['src/new']);
      assert.is(site.read('told/hand'), 'by hand');
    },
  ));

test('what items tell in their outputs is an output, and what they print tells as well', () =>
  onSite(
    {
      cc: {
        ...COMPILED,
        foreach: { of: { kind: 'files', patterns: ['src/*'] }, outputs: ['out/{name}.*'], at: AT },
        outputs: ['out/*.*'],
      },
      tsc: {
        run: `say t{name}; for f in $(cat {path}); do echo "$PWD/$f"; done`,
        foreach: { of: { kind: 'files', patterns: ['src/*'] }, outputs: [], at: AT },
        discovered: { form: 'tsc', file: null },
      },
    },
    { 'src/a': 'x', 'src/b': 'y', x: '1', y: '2' },
    async (site) => {
      assert.equal([...(await site.run()).log].sort(), ['a', 'b', 'ta', 'tb']);
      assert.is(site.read('out/a.list'), 'x\n');
      assert.equal((await site.run()).log, []);
      site.write({ x: '3' });
      assert.equal([...(await site.run()).log].sort(), ['a', 'ta']);
    },
  ));

test('a watch looks at all that items read, and a file that one of them reads wakes that alone', () =>
  onSite(TASKS, FILES, async (site) => {
    const watched = await new WatchedSite(site).start();
    const paths = (): readonly string[] => watched.source.scopes.at(-1)?.paths ?? [];
    assert.equal(paths(), ['x', 'y', 'z']);
    assert.equal(await watched.saved({ z: '4' }), ['c', 'link']);
    assert.equal([...(await watched.saved({ y: '5' }))].sort(), ['a', 'b', 'link']);
    assert.equal(await watched.saved({ 'src/c': 'w' }), ['c', 'link']);
    assert.equal(paths(), ['w', 'x', 'y']);
    assert.equal(await watched.saved({ z: '6' }), []);
    assert.equal(await watched.saved({ w: '7' }), ['c', 'link']);
    assert.equal(await watched.saved({ 'src/d': 'x v' }), ['d', 'link']);
    assert.equal(await watched.saved({ v: '8' }), ['d', 'link']);
    assert.is(site.read('all'), '155718');
    site.remove('src/d');
    watched.tell('src/d');
    await watched.quiet();
    assert.equal([site.log(), site.read('all')], [[], '1557']);
  }));

test('what a watch learns of items at work ends none of them, and what it learns to be other does', () =>
  onSite(
    { cc: { ...COMPILED, run: `${COMPILE}; until [ -e go-{name} ]; do sleep 0.02; done` } },
    { ...FILES, 'go-a': '', 'go-b': '', 'go-c': '' },
    async (site) => {
      const watched = await new WatchedSite(site).start();
      site.remove('go-b', 'go-c');
      watched.save({ 'src/a': 'x', 'src/b': 'x y', 'src/c': 'x z' });
      await watched.begin();
      await until(() => site.said().length > 5, 'two items are done, or at work');
      watched.watch.anything();
      await watched.begin();
      site.write({ 'go-b': '', 'go-c': '' });
      await watched.quiet();
      assert.equal([...site.log()].sort(), ['a', 'b', 'c']);
    },
  ));

test('a watch tries an item that failed again when a file changes that it told of, or another item did', () =>
  onSite(
    { cc: { ...COMPILED, run: `${COMPILE}; grep -q bad out/{name}.o && rm out/{name}.list && exit 1; :` } },
    FILES,
    async (site) => {
      const watched = await new WatchedSite(site).start();
      assert.equal(await watched.saved({ z: 'bad' }), ['c']);
      assert.equal(watched.rounds.at(-1)?.summary.failed, 1);
      assert.equal(await watched.saved({ z: '4' }), ['c']);
      assert.equal(watched.rounds.at(-1)?.summary.failed, 0);
      assert.equal(await watched.saved({ 'src/a': 'y t', t: '1' }), ['a']);
      // What is new of an item it does not tell when it fails, but of another one it is known.
      assert.equal([...(await watched.saved({ 'src/c': 'z t', t: 'bad' }))].sort(), ['a', 'c']);
      assert.equal([...(await watched.saved({ t: '7' }))].sort(), ['a', 'c']);
    },
  ));

test.run();
