/** Tasks that are done for each of many items, as people run them: what runs, and what stands there afterwards. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { inNewFolder } from '../_new-folder.ts';
import { ended, isAlive, type Rig, type RunResult, until, withRig } from './_rig.ts';
import { folderLines, sharing } from './_sharing.ts';
import { WatchProcess } from './_watch.ts';

/**
 * `page` writes a page for each text, and `site` puts them together; `list` gives what `square` is done for, by a function,
 * and `sum` adds what that gave.
 */
const FILES: Readonly<Record<string, string>> = {
  'package.json': '{ "type": "module" }',
  'fleche.config.toml': `[default]
root = true
tasks = ["site", "sum"]

[tasks.page]
run = "echo {path} >> $TEST_LOG; cat style {path} > build/{dir}/{name}.html; test ! -e wait-{name} || sleep 60"
foreach = { glob = "docs/**/*.md" }
inputs = ["style"]
outputs = ["build/{dir}/{name}.html"]
pass_env = ["TEST_LOG"]

[tasks.site]
run = "echo site >> $TEST_LOG; find build -name '*.html' | sort | xargs cat > site.txt"
needs = ["page"]
inputs = []
outputs = ["site.txt"]
pass_env = ["TEST_LOG"]

[tasks.list]
call = "./tasks.ts#list"
args = { numbers = { file = "numbers.json" } }

[tasks.square]
call = "./tasks.ts#square"
foreach = { from = "list" }
pass_env = ["TEST_LOG"]

[tasks.sum]
call = "./tasks.ts#sum"
args = { squares = { from = "square" } }
pass_env = ["TEST_LOG"]
`,
  'tasks.ts': `import { appendFileSync } from 'node:fs';
import type { FileRef } from 'fleche';

export const list = ({ numbers }: { numbers: FileRef }): unknown => numbers.json();

export function square({ item }: { item: { n: number } }): number {
  appendFileSync(process.env.TEST_LOG, 'square ' + item.n + '\\n');
  if (item.n < 0) throw new Error('negative');
  return item.n * item.n;
}

export function sum({ squares }: { squares: number[] }): number {
  appendFileSync(process.env.TEST_LOG, 'sum ' + squares + '\\n');
  return squares.reduce((a, b) => a + b, 0);
}
`,
  style: '=\n',
  'docs/a.md': 'a\n',
  'docs/b.md': 'b\n',
  'docs/deep/a.md': 'deep\n',
  'numbers.json': '[{ "n": 1 }, { "n": 2 }, { "n": 3 }]',
};

async function built(use: (rig: Rig) => Promise<void>): Promise<void> {
  await withRig(FILES, async (rig) => {
    const first = await rig.run();
    assert.is(first.code, 0, first.stderr);
    assert.equal(sorted(first), [
      'docs/a.md',
      'docs/b.md',
      'docs/deep/a.md',
      'site',
      'square 1',
      'square 2',
      'square 3',
      'sum 1,4,9',
    ]);
    assert.is(rig.read('site.txt'), '=\na\n=\nb\n=\ndeep\n');
    await use(rig);
  });
}

/** The same project, which shares its answers in a folder. */
function sharedIn(folder: string): Readonly<Record<string, string>> {
  const config = (FILES['fleche.config.toml'] ?? '').replace('root = true\n', 'root = true\ncache = "team"\n');
  return { ...FILES, 'fleche.config.toml': `${config}${sharing(folderLines(folder))}` };
}

function sorted({ log }: RunResult): readonly string[] {
  return [...log].sort();
}

test('nothing runs twice; edited, new, renamed and removed files run alone', () =>
  built(async (rig) => {
    const again = await rig.run();
    assert.equal(again.log, []);
    assert.equal(again.summary?.cached, 5);
    assert.equal(again.tasks['page']?.items, { total: 3, ran: 0, cached: 3, failed: 0, skipped: 0 });

    rig.write({ 'docs/b.md': 'B\n' });
    assert.equal((await rig.run()).log, ['docs/b.md', 'site']);
    rig.write({ 'docs/c.md': 'c\n' });
    assert.equal((await rig.run()).log, ['docs/c.md', 'site']);
    rig.rename('docs/c.md', 'docs/d.md');
    assert.equal((await rig.run()).log, ['docs/d.md', 'site']);
    assert.not.ok(rig.exists('build/c.html'));
    rig.remove('docs/deep');
    rig.write({ 'build/hand.html': 'by hand\n' });
    assert.equal((await rig.run()).log, ['site']);
    assert.not.ok(rig.exists('build/deep'));
    assert.is(rig.read('site.txt'), '=\na\n=\nB\n=\nc\nby hand\n');
  }));

test('a name is never a part of a command', () =>
  withRig({ ...FILES, 'docs/a; touch hacked; $(touch hacked) `touch hacked` \'"&|.md': 'x\n' }, async (rig) => {
    assert.is((await rig.run(['page'])).code, 0);
    assert.not.ok(rig.exists('hacked'));
    assert.is(rig.read('build/a; touch hacked; $(touch hacked) `touch hacked` \'"&|.html'), '=\nx\n');
  }));

test('a list that changed by one element runs one; equal elements are one, and order is of no matter', () =>
  built(async (rig) => {
    rig.write({ 'numbers.json': '[{ "n": 1 }, { "n": 5 }, { "n": 3 }]' });
    assert.equal((await rig.run()).log, ['square 5', 'sum 1,25,9']);
    rig.write({ 'numbers.json': '[{ "n": 3 }, { "n": 1 }, { "n": 3 }, { "n": 7 }]' });
    assert.equal((await rig.run()).log, ['square 7', 'sum 9,1,9,49']);
    rig.write({ 'numbers.json': '[]' });
    const empty = await rig.run();
    assert.equal([empty.code, empty.log], [0, ['sum ']]);
    assert.match(empty.stderr, 'square: there is nothing to do it for');
    rig.write({ 'numbers.json': '{}' });
    const wrong = await rig.run();
    assert.is(wrong.code, 1);
    assert.match(wrong.tasks['square']?.message ?? '', /"list" gave an object, and foreach takes a list/);
    assert.match(wrong.tasks['square']?.message ?? '', 'fleche.config.toml:25:1');
  }));

test('where outputs stay the same, dependents are cut off', () =>
  built(async (rig) => {
    rig.edit('fleche.config.toml', 'cat style {path} >', 'cat style {path}  >');
    const run = await rig.run();
    assert.equal(sorted(run), ['docs/a.md', 'docs/b.md', 'docs/deep/a.md']);
    assert.equal(run.outcomes['site'], 'cached');
  }));

test('a failed item is named; the others are kept', () =>
  built(async (rig) => {
    rig.write({ 'numbers.json': '[{ "n": 1 }, { "n": -1 }, { "n": 4 }]' });
    const run = await rig.run(['--keep-going', '--jobs', '1']);
    assert.is(run.code, 1);
    assert.equal(run.log, ['square -1', 'square 4']);
    assert.is(run.tasks['square']?.message, '1 of 3 items failed: {"n":-1} negative');
    rig.write({ 'numbers.json': '[{ "n": 1 }, { "n": 4 }]' });
    assert.equal((await rig.run()).log, ['sum 1,16']);
  }));

test('a run that was killed half way goes on where it was', () =>
  withRig({ ...FILES, 'wait-b': '' }, async (rig) => {
    const child = rig.start(['run', 'page', '--jobs', '1']);
    const end = ended(child);
    const lines: string[] = [];
    const isThere = (): boolean => {
      lines.push(...rig.log());
      return lines.includes('docs/b.md');
    };
    await until(isThere, 'the second item');
    // What was done is on file a moment later.
    while (!(await rig.fleche(['query', 'page[docs/a.md]'])).stdout.includes('page['))
      assert.ok(isAlive(child.pid ?? 0));
    child.kill('SIGKILL');
    await end;
    assert.not.ok(isAlive(child.pid ?? 0));
    rig.remove('wait-b');
    const run = await rig.run(['page', '--jobs', '1']);
    assert.equal([run.code, run.log], [0, ['docs/b.md', 'docs/deep/a.md']]);
    assert.equal(run.tasks['page']?.items, { total: 3, ran: 2, cached: 1, failed: 0, skipped: 0 });
    assert.is(rig.read('build/a.html'), '=\na\n');
    assert.equal((await rig.run(['page'])).log, []);
  }));

test('items that others made come from a shared cache', () =>
  inNewFolder(async (shared) => {
    const files = sharedIn(shared);
    await withRig(files, async (here) => {
      assert.is((await here.run()).log.length, 8);
      await withRig({ ...files, 'docs/b.md': 'other\n' }, async (there) => {
        const run = await there.run();
        assert.equal([run.code, run.log], [0, ['docs/b.md', 'site']], run.stderr);
        assert.is(there.read('build/a.html'), '=\na\n');
        assert.equal(run.outcomes['square'], 'cached');
      });
      const { 'docs/b.md': _, ...fewer } = files;
      await withRig(fewer, async (there) => {
        const run = await there.run(['page']);
        assert.equal([run.outcomes, run.log], [{ page: 'cached' }, []], run.stderr);
        assert.is(there.read('build/deep/a.html'), '=\ndeep\n');
      });
    });
  }));

test('answers of items are packed, pushed and kept with those of their tasks', () =>
  inNewFolder(async (shared) => {
    const files = sharedIn(shared);
    await withRig(files, async (here) => {
      await here.run([], { FLECHE_SHARED_MODE: 'off' });
      const pack = `${here.aside}/pack`;
      assert.match((await here.fleche(['cache', 'pack', pack])).stdout, /^packed 11 answers /);
      const push = JSON.parse((await here.fleche(['cache', 'push', '--json'])).stdout) as Record<string, unknown>;
      assert.equal([push['answers'], push['absent']], [11, []]);
      assert.match((await here.fleche(['cache', 'prune'])).stdout, /^forgot 0 answers /);
      for (const bring of [['unpack', pack], ['pull']]) {
        await withRig({ ...files, 'docs/b.md': 'other\n' }, async (there) => {
          const env = { FLECHE_SHARED_MODE: bring[0] === 'pull' ? undefined : 'off' };
          assert.is((await there.fleche(['cache', ...bring], env)).code, 0);
          const run = await there.run([], { FLECHE_SHARED_MODE: 'off' });
          assert.equal(sorted(run), ['docs/b.md', 'site'], bring[0]);
        });
      }
    });
  }));

test('what is invalidated runs again, by the name of the task, an item, or a file', () =>
  built(async (rig) => {
    await rig.fleche(['invalidate', 'page[docs/b.md]']);
    assert.equal((await rig.run()).log, ['docs/b.md', 'site']);
    await rig.fleche(['invalidate', 'docs/a.md']);
    assert.equal((await rig.run()).log, ['docs/a.md', 'site']);
    await rig.fleche(['invalidate', 'list']);
    assert.equal(sorted(await rig.run()), ['square 1', 'square 2', 'square 3', 'sum 1,4,9']);
    await rig.fleche(['invalidate', 'page']);
    assert.equal((await rig.run(['page', '--jobs', '1'])).log, ['docs/a.md', 'docs/b.md', 'docs/deep/a.md']);
  }));

test('what was made of an item, and of which item a file was made', () =>
  built(async (rig) => {
    const back = await rig.fleche(['lineage', 'build/b.html']);
    assert.match(back.stdout, /^page\[docs\/b\.md\] task/);
    const forward = await rig.fleche(['lineage', '--forward', 'docs/b.md']);
    const names = forward.stdout.split('\n').map((line) => line.replace(/ task .*/, ''));
    assert.equal(names, ['page[docs/b.md]', '  page', '    site', '']);
  }));

test('one line is said of all items', () =>
  built(async (rig) => {
    rig.write({ 'docs/b.md': 'B\n' });
    const why = await rig.fleche(['why', 'page']);
    assert.match(why.stdout, '1 of 3 items would run\n  docs/b.md  docs/b.md changed\n');
    const plan = await rig.fleche(['plan', 'page']);
    assert.match(plan.stdout, /page +would run +1 of 3 items, docs\/b\.md changed\n/);
    const run = await rig.fleche(['run', 'page', '--trace', 'trace.json', '--summary', 'summary.json']);
    assert.match(run.stdout, /page +ran +\S+ +1 of 3 items, docs\/b\.md changed\n/);
    assert.match(rig.read('trace.json'), '"page[docs/b.md]"');
    assert.equal(JSON.parse(rig.read('summary.json')).tasks[0].items.ran, 1);
    const query = await rig.fleche(['query', 'page[docs/b.md]']);
    assert.is(query.stdout.split('\n').filter((line) => line.startsWith('page[')).length, 2);
  }));

test('a watch runs what was edited, made and removed', () =>
  built(async (rig) => {
    const watch = new WatchProcess(rig.start(['watch', '--json']));
    try {
      await watch.ready();
      rig.log();
      rig.write({ 'docs/b.md': 'watched\n' });
      await watch.rested('site');
      assert.equal(rig.log(), ['docs/b.md', 'site']);
      rig.write({ 'docs/new/n.md': 'new\n' });
      await watch.rested('site');
      assert.equal(rig.log(), ['docs/new/n.md', 'site']);
      rig.remove('docs/deep');
      await watch.rested('site');
      assert.equal(rig.log(), ['site']);
      assert.is(rig.read('site.txt'), '=\na\n=\nwatched\n=\nnew\n');
    } finally {
      await watch.end('SIGTERM');
    }
  }));

test.run();
