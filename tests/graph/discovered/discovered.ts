import { utimesSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RelPath } from '../../../core/base/paths.ts';
import type { Discovered } from '../../../core/graph/tasks/task.ts';
import { MemoryCallStore } from '../../../core/store/memory.ts';
import { onSite, type Site } from '../_site.ts';

const said = (form: Discovered['form'], file: string | null): Discovered => ({ form, file: file as RelPath | null });

/** Reads the first line of main, which names the files to read, and writes down what it read and what it missed. */
const CAT = {
  run: 'say cat; : >all; : >list; for f in $(cat main); do if [ -e $f ]; then cat $f >>all; echo $f >>list; else echo "?$f" >>list; fi; done; echo seen',
  inputs: ['main'],
  outputs: ['all'],
  discovered: said('list', 'list'),
};

const reasons = async (site: Site): Promise<unknown> => (await site.plan()).tasks['cat']?.reasons;

test('a discovered file is part of the question, and the reason when it changes', () =>
  onSite({ cat: CAT }, { main: 'a b', a: '1', b: '2', c: '3' }, async (site) => {
    assert.equal((await site.run()).outcomes, { cat: 'ran' });
    assert.equal(await site.run().then(({ outcomes, log }) => [outcomes, log]), [{ cat: 'cached' }, []]);
    site.write({ c: 'other' });
    assert.equal((await site.run()).outcomes, { cat: 'cached' });
    site.write({ b: '4' });
    assert.equal(await reasons(site), [{ kind: 'file', path: 'b', change: 'changed' }]);
    assert.equal((await site.run()).outcomes, { cat: 'ran' });
    assert.is(site.read('all'), '14');
    site.write({ b: '2' });
    const back = await site.run();
    assert.equal([back.outcomes, back.printed, site.read('all')], [{ cat: 'cached' }, 'seen\n', '12']);
  }));

test('a path that was looked for in vain is part of the question', () =>
  onSite({ cat: CAT }, { main: 'a b', a: '1' }, async (site) => {
    await site.run();
    assert.equal((await site.run()).outcomes, { cat: 'cached' });
    site.write({ b: '2' });
    assert.equal(await reasons(site), [{ kind: 'file', path: 'b', change: 'added' }]);
    await site.run();
    assert.is(site.read('all'), '12');
    site.remove('b');
    assert.equal((await site.run()).outcomes, { cat: 'cached' });
    assert.is(site.read('all'), '1');
    site.remove('a');
    assert.is((await site.run()).outcomes['cat'], 'ran');
    assert.is(site.read('all'), '');
  }));

test('several lists are kept for one declared question', () =>
  onSite(
    {
      cat: {
        ...CAT,
        run: `for f in $(cat main hidden); do ${CAT.run.slice(CAT.run.indexOf(' if'), CAT.run.indexOf(' done'))} done`,
      },
    },
    {},
    async (site) => {
      // What the task reads depends on a file that it discovers.
      site.tasks({ cat: { ...CAT, run: CAT.run.replace('$(cat main)', 'pick $(cat pick)') } });
      site.write({ main: '', pick: 'a', a: '1', b: '2' });
      assert.equal((await site.run()).outcomes, { cat: 'ran' });
      site.write({ pick: 'b' });
      assert.equal((await site.run()).outcomes, { cat: 'ran' });
      for (const [pick, all] of [
        ['a', 'a1'],
        ['b', 'b2'],
      ] as const) {
        site.write({ pick });
        assert.equal((await site.run()).outcomes, { cat: 'cached' });
        assert.is(site.read('all'), all);
      }
      site.write({ pick: 'a', b: 'never read now' });
      assert.equal((await site.run()).outcomes, { cat: 'cached' });
      site.write({ pick: 'b' });
      assert.equal((await site.run()).outcomes, { cat: 'ran' });
    },
  ));

test('what an upstream task wrote counts as its product says, and is put back before it is read', () =>
  onSite(
    {
      gen: { run: 'say gen; head -c1 src >gen.h', inputs: ['src'], outputs: ['gen.h'] },
      mid: { run: 'say mid; echo mid >mid', needs: ['gen'], outputs: ['mid'] },
      cat: { ...CAT, needs: ['mid'] },
    },
    { main: 'a gen.h', a: '1', src: 'xy' },
    async (site) => {
      assert.equal((await site.run()).log, ['gen', 'mid', 'cat']);
      site.write({ src: 'xz' });
      assert.equal((await site.run()).log, ['gen']);
      site.remove('gen.h');
      assert.equal((await site.run()).log, []);
      site.write({ src: 'yz' });
      assert.equal((await site.plan()).tasks['cat']?.outcome, 'ran');
      assert.equal((await site.run()).log, ['gen', 'mid', 'cat']);
      assert.is(site.read('all'), '1y');
      site.write({ src: 'xz', 'gen.h': 'by hand' });
      assert.equal((await site.run()).log, []);
      assert.is(site.read('gen.h'), 'x');
      assert.is(site.read('all'), '1x');
    },
  ));

test('a link that an upstream task wrote is read as what it leads to', () =>
  onSite(
    {
      gen: { run: 'say gen; cp src real; ln -s real link', inputs: ['src'], outputs: ['real', 'link'] },
      mid: { run: 'say mid; echo mid >mid', needs: ['gen'], outputs: ['mid'] },
      cat: { ...CAT, needs: ['mid'] },
    },
    { main: 'link', src: '1' },
    async (site) => {
      await site.run();
      site.write({ src: '2' });
      assert.equal((await site.run()).outcomes, { gen: 'ran', mid: 'ran', cat: 'ran' });
      assert.is(site.read('all'), '2');
      site.write({ src: '1' });
      assert.equal((await site.run()).log, []);
      assert.is(site.read('all'), '1');
    },
  ));

test('a discovered file that another task writes needs a path to it', () =>
  onSite({ gen: { run: 'echo x >gen.h', outputs: ['gen.h'] }, cat: CAT }, { main: 'gen.h' }, async (site) => {
    const { tasks } = await site.run({ jobs: 1 });
    assert.is(tasks['cat']?.outcome, 'failed');
    assert.not.match(tasks['cat']?.message ?? '', site.root);
    assert.match(tasks['cat']?.message ?? '', 'task "cat" reads gen.h, which task "gen" writes, but does not need it');
    assert.match(tasks['cat']?.message ?? '', 'Add to [tasks.cat]: needs = ["gen"]');
    site.retask('cat', { needs: ['gen'] });
    assert.equal((await site.run()).outcomes, { gen: 'cached', cat: 'ran' });
  }));

test('without a report the result is used and not kept', () =>
  onSite({ cat: { ...CAT, run: 'say cat; echo 1 >all' } }, { main: '' }, async (site) => {
    const first = await site.run();
    assert.equal(
      [first.outcomes, first.warnings],
      [{ cat: 'ran' }, ['list was not written, so the result is not kept']],
    );
    assert.is(site.read('all'), '1\n');
    site.write({ list: 'a\n', a: '' });
    assert.equal((await site.run()).warnings, ['list was left as an earlier run wrote it, so the result is not kept']);
    site.retask('cat', { body: { kind: 'command', command: 'echo 1 >all; echo gone >list' } });
    assert.equal((await site.run()).warnings, ['list names gone, which is not there, so the result is not kept']);
    site.retask('cat', { discovered: said('depfile', 'list') });
    assert.equal((await site.run()).warnings, [
      'list is not a depfile: there is no colon in "gone", so the result is not kept',
    ]);
  }));

test('a file that changes while the task runs is noticed although nobody knew that it matters', () =>
  onSite({ cat: { ...CAT, run: `${CAT.run}; echo 2 >a` } }, { main: 'a', a: '1' }, async (site) => {
    const { warnings } = await site.run();
    assert.equal(warnings, ['a changed while it ran, so the result is not kept']);
    site.retask('cat', { body: { kind: 'command', command: CAT.run } });
    assert.equal((await site.run()).outcomes, { cat: 'ran' });
    assert.equal((await site.run()).outcomes, { cat: 'cached' });
  }));

test('so is a file that a link to an older one takes the place of', () =>
  onSite({ cat: { ...CAT, run: `${CAT.run}; rm a; ln -s b a` } }, { main: 'a', a: '1', b: '2' }, async (site) => {
    assert.equal((await site.run()).warnings, ['a changed while it ran, so the result is not kept']);
    site.retask('cat', { body: { kind: 'command', command: CAT.run } });
    assert.equal((await site.run()).outcomes, { cat: 'ran' });
    assert.equal([(await site.run()).outcomes, site.read('all')], [{ cat: 'cached' }, '2']);
  }));

test('so is a link or a folder above it that another one takes the place of', async () => {
  for (const swap of ['ln -sfn v2 v', 'rm v; mv v2 v']) {
    await onSite(
      { cat: { ...CAT, run: `${CAT.run}; if [ -e once ]; then rm once; ${swap}; fi` } },
      { main: 'v/a', 'v1/a': '1', 'v2/a': '2', once: '' },
      async (site) => {
        site.link('v', 'v1');
        assert.equal((await site.run()).warnings, ['v changed while it ran, so the result is not kept']);
        assert.equal((await site.run()).outcomes, { cat: 'ran' });
        assert.equal([(await site.run()).outcomes, site.read('all')], [{ cat: 'cached' }, '2']);
      },
    );
  }
});

test('so is a link or a folder above an input that led elsewhere meanwhile', async () => {
  for (const inputs of [['v/a'], ['v/**'], ['a']]) {
    const cat = {
      run: 'if [ -e once ]; then rm once; ln -sfn v2 v; fi; cat v/a >all; ln -sfn v1 v',
      inputs,
      outputs: ['all'],
    };
    await onSite({ cat }, { 'v1/a': '1', 'v2/a': '2', once: '' }, async (site) => {
      site.link('v', 'v1');
      site.link('a', 'v/a');
      assert.equal((await site.run()).warnings, ['v changed while it ran, so the result is not kept']);
      site.retask('cat', { body: { kind: 'command', command: 'cat v/a >all' } });
      assert.equal([(await site.run()).outcomes, site.read('all')], [{ cat: 'ran' }, '1']);
      assert.equal((await site.run()).outcomes, { cat: 'cached' });
    });
  }
});

test('a file of the same size and time is read again', () =>
  onSite({ cat: CAT }, { main: 'a', a: '1' }, async (site) => {
    utimesSync(site.path('a'), 1e9, 1e9);
    await site.run();
    site.write({ a: '2' });
    utimesSync(site.path('a'), 1e9, 1e9);
    assert.equal((await site.run()).outcomes, { cat: 'ran' });
  }));

test('a task that fails tells what it read, so that its next question knows', () =>
  onSite({ cat: { ...CAT, run: `${CAT.run}; test $(cat a) = 2` } }, { main: 'a', a: '1' }, async (site) => {
    assert.equal((await site.run()).outcomes, { cat: 'failed' });
    assert.equal(await reasons(site), [{ kind: 'failed-before' }]);
    site.write({ a: '2' });
    assert.equal(await reasons(site), [{ kind: 'file', path: 'a', change: 'changed' }]);
    assert.equal((await site.run()).outcomes, { cat: 'ran' });
    assert.equal((await site.run()).outcomes, { cat: 'cached' });
  }));

test('everything remembered of the workspace can be lost', () =>
  onSite({ cat: CAT }, { main: 'a', a: '1' }, async (site) => {
    await site.run();
    site.forget();
    assert.equal((await site.run()).outcomes, { cat: 'cached' });
  }));

test('an answer that another process files in the last moment is served', () =>
  onSite({ cat: CAT }, { main: 'a', a: '1' }, async (site) => {
    await site.run();
    const calls = new MemoryCallStore();
    const refresh = (): void => {
      for (const record of site.calls.find({})) calls.put(record);
    };
    const { outcomes, log } = await site.run({}, site.engine({ calls, refresh }));
    assert.equal([outcomes, log], [{ cat: 'cached' }, []]);
  }));

test('what the task wrote itself is none of its inputs', () =>
  onSite(
    { cat: { ...CAT, run: 'say cat; cat a >all; printf "a\\nall\\n" >list' } },
    { a: '1', main: '' },
    async (site) => {
      await site.run();
      site.remove('all');
      assert.equal((await site.run()).log, ['cat'].slice(1));
      site.forget();
      site.remove('all');
      assert.equal((await site.run()).outcomes, { cat: 'cached' });
    },
  ));

test('files outside the project count, those of the system do not', () =>
  onSite({ cat: CAT }, { main: '../aside/header /bin/sh' }, async (site) => {
    site.write({ '../aside/header': '1' });
    assert.equal((await site.run()).warnings, []);
    assert.equal((await site.run()).outcomes, { cat: 'cached' });
    site.write({ '../aside/header': '2' });
    assert.equal(await reasons(site), [{ kind: 'file', path: '../aside/header', change: 'changed' }]);
    assert.not.match(JSON.stringify([...site.calls.find({})]), 'bin/sh');
  }));

test('two tasks in one folder of node_modules share nothing but the files', () =>
  onSite({ cat: CAT }, { main: 'node_modules/x/index.js', 'node_modules/x/index.js': '1' }, async (site) => {
    await site.run();
    assert.equal((await site.run()).outcomes, { cat: 'cached' });
    site.write({ 'node_modules/x/index.js': '2' });
    assert.equal((await site.run()).outcomes, { cat: 'ran' });
  }));

test('what is made or moved to where names were read, while they were, is noticed', async () => {
  for (const change of ['mv ../aside/moved src/b', 'mkdir src/b', 'ln -s a src/b']) {
    const run = `ls src >all; echo "src/*" >list; if [ -e once ]; then rm once; ${change}; fi`;
    await onSite({ cat: { ...CAT, run } }, { main: '', 'src/a': '1', once: '', '../aside/moved': '' }, async (site) => {
      assert.equal((await site.run()).warnings, ['src/b changed while it ran, so the result is not kept'], change);
      assert.equal((await site.run()).outcomes, { cat: 'ran' });
      assert.equal([(await site.run()).outcomes, site.read('all')], [{ cat: 'cached' }, 'a\nb\n']);
    });
  }
});

test('where a link leads is a part of the names in a folder', () =>
  onSite(
    { cat: { ...CAT, run: 'cat src/v/a >all; echo "src/*" >list' } },
    { main: '', 'v1/a': '1', 'v2/a': '2' },
    async (site) => {
      site.link('src/v', '../v1');
      await site.run();
      assert.equal((await site.run()).outcomes, { cat: 'cached' });
      site.remove('src/v');
      site.link('src/v', '../v2');
      assert.equal((await site.run()).outcomes, { cat: 'ran' });
      assert.is(site.read('all'), '2');
    },
  ));

test('a step up from behind a link leads to where the system takes it', () =>
  onSite(
    { cat: CAT },
    { main: 'src/inc/../b', 'src/b': 'wrong', 'vendor/b': '1', 'vendor/inc/a': '', 'other/inc/a': '' },
    async (site) => {
      site.link('src/inc', '../vendor/inc');
      assert.equal((await site.run()).warnings, []);
      site.write({ 'src/b': 'still wrong' });
      assert.equal((await site.run()).outcomes, { cat: 'cached' });
      site.write({ 'vendor/b': '2' });
      assert.equal(await reasons(site), [{ kind: 'file', path: 'vendor/b', change: 'changed' }]);
      assert.equal((await site.run()).outcomes, { cat: 'ran' });
      site.write({ 'other/b': '3' });
      site.remove('src/inc');
      site.link('src/inc', '../other/inc');
      assert.equal([(await site.run()).outcomes, site.read('all')], [{ cat: 'ran' }, '3']);
    },
  ));

test('a path that can be nowhere is one that is not there', () =>
  onSite({ cat: CAT }, { main: '' }, async (site) => {
    site.retask('cat', {
      body: {
        kind: 'command',
        command: `: >all; echo "?${'x'.repeat(300)}" >list; echo "?${'y/'.repeat(3000)}z" >>list`,
      },
    });
    assert.equal((await site.run()).warnings, []);
    assert.equal((await site.run()).outcomes, { cat: 'cached' });
  }));

/** Prints the absolute paths of all sources, as a compiler does that is told a folder. */
const TSC = {
  run: 'say tsc; mkdir -p dist; find "$PWD/src" -name "*.ts"; echo done >dist/out',
  inputs: ['tsconfig.json'],
  outputs: ['dist/**'],
  discovered: said('tsc', null),
};

test('a source that a compiler would find by itself is noticed, wherever it appears', () =>
  onSite({ tsc: TSC }, { 'tsconfig.json': '{}', 'src/a.ts': '1', 'src/deep/b.ts': '2' }, async (site) => {
    const reasons = async (): Promise<unknown> => (await site.plan()).tasks['tsc']?.reasons;
    assert.equal((await site.run()).warnings, []);
    assert.equal((await site.run()).outcomes, { tsc: 'cached' });
    site.write({ 'src/deep/c.ts': '3' });
    assert.equal(await reasons(), [{ kind: 'file', path: 'src/deep/*.ts', change: 'changed' }]);
    assert.equal((await site.run()).log, ['tsc']);
    site.write({ 'src/other/d.ts': '4' });
    assert.equal(await reasons(), [{ kind: 'file', path: 'src/*.ts', change: 'changed' }]);
    site.remove('src/other');
    assert.equal((await site.run()).outcomes, { tsc: 'cached' });
    site.remove('dist');
    assert.equal((await site.run()).outcomes, { tsc: 'cached' });
    site.write({ 'src/tsconfig.json': '{}' });
    assert.equal((await site.run()).outcomes, { tsc: 'ran' });
  }));

test('a source in a folder that had none is noticed, and what is no source anywhere re-runs nothing', () =>
  onSite(
    { tsc: TSC },
    { 'tsconfig.json': '{ "include": ["src"] }', 'src/a.ts': '1', 'src/css/x.css': '', 'docs/x.md': '' },
    async (site) => {
      assert.equal((await site.run()).warnings, []);
      site.write({ 'src/css/y.css': '', 'src/z.json': '', 'docs/y.ts': '' });
      assert.equal((await site.run()).outcomes, { tsc: 'cached' });
      site.write({ 'src/css/tokens.ts': '' });
      assert.equal((await site.plan()).tasks['tsc']?.reasons, [
        { kind: 'file', path: 'src/css/*.ts', change: 'changed' },
      ]);
      assert.equal((await site.run()).outcomes, { tsc: 'ran' });
      site.write({ 'node_modules/@types/x/index.d.ts': '' });
      assert.equal((await site.run()).outcomes, { tsc: 'ran' });
      site.write({ 'node_modules/@types/y/index.d.ts': '' });
      assert.equal((await site.run()).outcomes, { tsc: 'ran' });
      assert.equal((await site.run()).outcomes, { tsc: 'cached' });
    },
  ));

test('what is behind a link is found at its real place, and the link counts', () =>
  onSite(
    {
      bundle: {
        run: 'cat src/lib/impl.js >out; sed "s|LIB|$(readlink src/lib | cut -c4-)|g" meta.in >meta.json',
        inputs: ['meta.in'],
        outputs: ['out'],
        discovered: said('metafile', 'meta.json'),
      },
    },
    {
      'meta.in': JSON.stringify({
        inputs: {
          'src/a.js': { imports: [{ path: 'LIB/index.js', original: './lib/index' }] },
          'LIB/index.js': { imports: [{ path: 'LIB/impl.js', original: './impl' }] },
          'LIB/impl.js': {},
          'virtual:\0made-up': {},
        },
        outputs: {},
      }),
      'src/a.js': '',
      'v1/index.js': 'same',
      'v1/impl.js': '1',
      'v2/index.js': 'same',
      'v2/impl.js': '2',
    },
    async (site) => {
      site.link('src/lib', '../v1');
      assert.equal((await site.run()).warnings, []);
      assert.equal((await site.run()).outcomes, { bundle: 'cached' });
      site.remove('src/lib');
      site.link('src/lib', '../v2');
      assert.equal((await site.plan()).tasks['bundle']?.reasons, [
        { kind: 'file', path: 'src/lib', change: 'changed' },
      ]);
      assert.equal([(await site.run()).outcomes, site.read('out')], [{ bundle: 'ran' }, '2']);
    },
  ));

test('a file that would be found in place of one that a tsconfig.json maps a name to is noticed', () =>
  onSite(
    {
      bundle: {
        run: 'cat src/lib.ts src/lib/index.ts 2>/dev/null | head -n1 >out; cp meta.in meta.json',
        inputs: ['meta.in'],
        outputs: ['out'],
        discovered: said('metafile', 'meta.json'),
      },
    },
    {
      'meta.in': JSON.stringify({
        inputs: {
          'src/main.ts': { imports: [{ path: 'src/lib/index.ts', original: '@/lib' }] },
          'src/lib/index.ts': {},
        },
        outputs: {},
      }),
      'tsconfig.json': '{ "compilerOptions": { "paths": { "@/*": ["./over/*", "./src/*", "./never/*"] } } }',
      'src/main.ts': '',
      'src/lib/index.ts': '1\n',
    },
    async (site) => {
      assert.equal((await site.run()).warnings, []);
      site.write({ 'never/lib.ts': '', 'src/lib/index.js': '' });
      assert.equal((await site.run()).outcomes, { bundle: 'cached' });
      site.write({ 'src/lib.ts': '2\n' });
      assert.equal([(await site.run()).outcomes, site.read('out')], [{ bundle: 'ran' }, '2\n']);
      site.write({ 'over/lib/index.tsx': '' });
      assert.equal((await site.run()).outcomes, { bundle: 'ran' });
    },
  ));

test('the report is nobody’s input, wherever it stands', () =>
  onSite(
    {
      tsc: {
        ...TSC,
        run: 'say tsc; find "$PWD" -name "*.ts" >files.txt; mkdir -p dist; echo >dist/out',
        inputs: ['*.ts', '*.txt', 'list'],
        discovered: said('tsc', 'files.txt'),
      },
      cat: { ...CAT, needs: ['tsc'] },
    },
    { 'a.ts': '1', main: 'a.ts' },
    async (site) => {
      assert.equal((await site.run()).warnings, []);
      assert.equal((await site.run()).outcomes, { tsc: 'cached', cat: 'cached' });
      site.write({ 'files.txt': 'by hand', 'b.ts': '' });
      assert.equal((await site.run()).outcomes, { tsc: 'ran', cat: 'cached' });
    },
  ));

test('a list may name what is called what in a folder', () =>
  onSite(
    { cat: { ...CAT, run: 'say cat; ls src >all; echo "src/*" >list' } },
    { main: '', 'src/a': '1' },
    async (site) => {
      await site.run();
      site.write({ 'src/a': '2' });
      assert.equal((await site.run()).outcomes, { cat: 'cached' });
      site.write({ 'src/b': '' });
      assert.equal((await site.run()).outcomes, { cat: 'ran' });
      assert.is(site.read('all'), 'a\nb\n');
    },
  ));

test('a package that is found elsewhere by its name is another one, though what was read is still there', () =>
  onSite(
    {
      bundle: {
        run: 'say bundle; cat node_modules/x/index.js >out; cp meta.in meta.json',
        inputs: ['meta.in'],
        outputs: ['out'],
        discovered: said('metafile', 'meta.json'),
      },
    },
    {
      'meta.in': JSON.stringify({ inputs: { 'src/a.js': {}, 'store/x@1/node_modules/x/index.js': {} }, outputs: {} }),
      'src/a.js': '',
      'store/x@1/node_modules/x/index.js': '1',
      'store/x@1/node_modules/x/package.json': '{"version":"1.0.0"}',
      'store/x@2/node_modules/x/index.js': '2',
      'store/x@2/node_modules/x/package.json': '{"version":"2.0.0"}',
    },
    async (site) => {
      site.link('node_modules/x', '../store/x@1/node_modules/x');
      assert.equal((await site.run()).warnings, []);
      assert.equal((await site.run()).outcomes, { bundle: 'cached' });
      site.remove('node_modules/x');
      site.link('node_modules/x', '../store/x@2/node_modules/x');
      assert.equal((await site.run()).outcomes, { bundle: 'ran' });
      assert.is(site.read('out'), '2');
      site.write({ 'src/node_modules/x/index.js': '3' });
      assert.equal((await site.plan()).outcomes, { bundle: 'ran' });
    },
  ));

test.run();
