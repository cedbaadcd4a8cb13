/** Runs of small sets of real commands: what runs, why, and what the workspace is like afterwards. */
import { renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Digest, sha256 } from '../../../core/base/hash.ts';
import type { RelPath } from '../../../core/base/paths.ts';
import type { Reason } from '../../../core/graph/tasks/outcome.ts';
import type { Stdin, Task } from '../../../core/graph/tasks/task.ts';
import { onSite, type Site, until } from '../_site.ts';

/** `strip` takes comments out of a file, `join` puts two files together, `count` counts lines. */
const CHAIN = {
  strip: { run: "say strip; grep -v '^#' a.txt > a.out", inputs: ['a.txt'], outputs: ['a.out'] },
  join: {
    run: 'say join; cat a.out b.txt > all.out',
    needs: ['strip'],
    inputs: ['a.out', 'b.txt'],
    outputs: ['all.out'],
  },
  count: {
    run: 'say count; wc -l < all.out > n.out; cat n.out',
    needs: ['join'],
    inputs: ['all.out'],
    outputs: ['n.out'],
  },
};
const CHAIN_FILES = { 'a.txt': '# one\na\n', 'b.txt': 'b\n' };

/** `top` is needed by `left` and `right`, which `bottom` needs. */
const DIAMOND = {
  top: { run: 'say top; tr a-z A-Z < in.txt > top.out', inputs: ['in.txt'], outputs: ['top.out'] },
  left: { run: 'say left; head -n 1 top.out > left.out', needs: ['top'], inputs: ['top.out'], outputs: ['left.out'] },
  right: {
    run: 'say right; tail -n 1 top.out > right.out',
    needs: ['top'],
    inputs: ['top.out'],
    outputs: ['right.out'],
  },
  bottom: {
    run: 'say bottom; cat left.out right.out > bottom.out',
    needs: ['left', 'right'],
    inputs: ['*.out', '!bottom.out', '!top.out'],
    outputs: ['bottom.out'],
  },
};

function changed(path: string, change: 'added' | 'removed' | 'changed' | 'mode' = 'changed'): Reason {
  return { kind: 'file', change, path };
}

async function chain(work: (site: Site) => Promise<void>): Promise<void> {
  await onSite(CHAIN, CHAIN_FILES, async (site) => {
    assert.equal((await site.run()).log, ['strip', 'join', 'count']);
    await work(site);
  });
}

test('everything runs once, in order, and then nothing does', async () => {
  await onSite(CHAIN, CHAIN_FILES, async (site) => {
    const first = await site.run();
    assert.equal(first.log, ['strip', 'join', 'count']);
    assert.equal(first.outcomes, { strip: 'ran', join: 'ran', count: 'ran' });
    assert.equal(first.tasks['strip']?.reasons, [{ kind: 'first' }]);
    assert.is(site.read('all.out'), 'a\nb\n');
    const second = await site.run();
    assert.equal(second.log, []);
    assert.equal(second.outcomes, { strip: 'cached', join: 'cached', count: 'cached' });
    assert.equal(second.printed, first.printed);
    assert.is(second.tasks['count']?.restored, 0);
  });
});

test('equal outputs stop the cascade', async () => {
  await chain(async (site) => {
    site.write({ 'a.txt': '# another comment\na\n' });
    const { log, outcomes, tasks } = await site.run();
    assert.equal(log, ['strip']);
    assert.equal(outcomes, { strip: 'ran', join: 'cached', count: 'cached' });
    assert.equal(tasks['strip']?.reasons, [changed('a.txt')]);
  });
});

test('a change goes as far as content changes', async () => {
  await chain(async (site) => {
    site.write({ 'b.txt': 'B\n' });
    const { log, tasks } = await site.run();
    assert.equal(log, ['join', 'count']);
    assert.equal(tasks['count']?.reasons, [changed('all.out'), { kind: 'upstream', task: 'join', change: 'changed' }]);
    assert.equal((await site.run()).log, []);
  });
});

test('going back to an earlier state runs nothing and puts its outputs back', async () => {
  await chain(async (site) => {
    const before = site.files();
    site.write({ 'a.txt': 'x\ny\n' });
    await site.run();
    site.write({ 'a.txt': CHAIN_FILES['a.txt'] });
    const { log, tasks } = await site.run();
    assert.equal(log, []);
    assert.is(tasks['strip']?.restored, 1);
    assert.equal(site.files(), before);
  });
});

test('a diamond runs its top once and its bottom after both sides', async () => {
  await onSite(DIAMOND, { 'in.txt': 'a\nb\nc\n' }, async (site) => {
    const { log } = await site.run({ jobs: 4 });
    assert.equal([...log].sort(), ['bottom', 'left', 'right', 'top']);
    assert.is(log[0], 'top');
    assert.is(log[3], 'bottom');
    assert.is(site.read('bottom.out'), 'A\nC\n');
    site.write({ 'in.txt': 'a\nx\nc\n' });
    assert.equal([...(await site.run()).log].sort(), ['left', 'right', 'top'], 'both sides come out the same');
  });
});

test('a wanted task brings along what it needs, and nothing else', async () => {
  await onSite(DIAMOND, { 'in.txt': 'a\n' }, async (site) => {
    const { log, outcomes } = await site.run({ targets: ['left'] });
    assert.equal(log, ['top', 'left']);
    assert.equal(Object.keys(outcomes), ['top', 'left']);
  });
});

test('a touched input is no change', async () => {
  await chain(async (site) => {
    utimesSync(site.path('a.txt'), 1e9, 1e9);
    assert.equal((await site.run()).log, []);
  });
});

test('a changed command, environment, runtime or option is a reason', async () => {
  const task = { run: 'say go; echo "$LEVEL" > out', inputs: ['in'], outputs: ['out'], env: ['LEVEL'] };
  await onSite({ go: task }, { in: 'x' }, async (site) => {
    const reasons = async (): Promise<unknown> => (await site.run()).tasks['go']?.reasons;
    await site.run();
    site.env['LEVEL'] = 'high';
    assert.equal(await reasons(), [{ kind: 'env', name: 'LEVEL', change: 'added' }]);
    assert.is(site.read('out'), 'high\n');
    site.env['LEVEL'] = 'low';
    assert.equal(await reasons(), [{ kind: 'env', name: 'LEVEL', change: 'changed' }]);
    site.env['OTHER'] = 'x';
    assert.equal(await reasons(), []);
    site.retask('go', { body: { kind: 'command', command: `${task.run}; true` } });
    assert.equal(await reasons(), [{ kind: 'command' }]);
    site.runtime = 'node v1 here';
    assert.equal(await reasons(), [{ kind: 'runtime', from: 'node v0 here', to: 'node v1 here' }]);
    site.retask('go', { env: [] });
    assert.equal(await reasons(), [{ kind: 'env', name: 'LEVEL', change: 'removed' }]);
    site.retask('go', { outputs: ['out', 'other*'] });
    assert.equal(await reasons(), [{ kind: 'option', name: 'outputs' }]);
  });
});

test('a variable that is unset is removed', async () => {
  await onSite({ go: { run: 'say go', env: ['LEVEL'] } }, {}, async (site) => {
    site.env['LEVEL'] = 'high';
    await site.run();
    delete site.env['LEVEL'];
    assert.equal((await site.run()).tasks['go']?.reasons, [{ kind: 'env', name: 'LEVEL', change: 'removed' }]);
    assert.equal((await site.run()).log, []);
  });
});

test('files that come, go, move, or become executable are named', async () => {
  const list = 'say list; for f in in/*; do if [ -x "$f" ]; then echo "$f*"; else echo "$f"; fi; done > out';
  await onSite(
    { list: { run: list, inputs: ['in/**'], outputs: ['out'] } },
    { 'in/a': 'a', 'in/b': 'b' },
    async (site) => {
      const reasons = async (): Promise<unknown> => (await site.run()).tasks['list']?.reasons;
      await site.run();
      site.write({ 'in/c': 'c' });
      assert.equal(await reasons(), [changed('in/c', 'added')]);
      site.write({ 'in/d': 'd' });
      site.remove('in/a');
      assert.equal(await reasons(), [changed('in/a', 'removed'), changed('in/d', 'added')]);
      renameSync(site.path('in/b'), site.path('in/e'));
      assert.equal(await reasons(), [changed('in/b', 'removed'), changed('in/e', 'added')]);
      site.chmod('in/c', 0o755);
      assert.equal(await reasons(), [changed('in/c', 'mode')]);
      assert.is(site.read('out'), 'in/c*\nin/d\nin/e\n');
    },
  );
});

test('what an input link leads to is read: its content, whether it is executable, and what is in a folder', async () => {
  const run = 'say go; { if [ -x prog ]; then echo x; fi; cat prog in/lib/*; } > out';
  const tasks = { go: { run, inputs: ['prog', 'in/**'], outputs: ['out'] } };
  await onSite(tasks, { 'real/prog': 'p', 'lib/a': 'a' }, async (site) => {
    site.link('prog', 'real/prog');
    site.link('in/lib', '../lib');
    const reasons = async (): Promise<unknown> => (await site.run()).tasks['go']?.reasons;
    await site.run();
    assert.equal(await reasons(), []);
    site.write({ 'real/prog': 'q' });
    assert.equal(await reasons(), [changed('prog')]);
    site.chmod('real/prog', 0o755);
    assert.equal(await reasons(), [changed('prog', 'mode')]);
    assert.is(site.read('out'), 'x\nqa');
    site.write({ 'lib/b': 'b' });
    assert.equal(await reasons(), [changed('in/lib')]);
    site.chmod('lib/b', 0o755);
    assert.equal(await reasons(), [changed('in/lib')]);
    site.link('other', 'real/prog');
    site.remove('prog');
    site.link('prog', 'other');
    assert.equal(await reasons(), [changed('prog')], 'another text, the same content');
    assert.is(site.read('out'), 'x\nqab');
  });
});

test('two inputs that swap their contents are a change', async () => {
  await onSite(
    { cat: { run: 'say cat; cat a b > out', inputs: ['a', 'b'], outputs: ['out'] } },
    { a: '1', b: '2' },
    async (site) => {
      await site.run();
      site.write({ a: '2', b: '1' });
      assert.equal((await site.run()).log, ['cat']);
      assert.is(site.read('out'), '21');
    },
  );
});

test('with force everything runs, and what comes out the same changes nothing for others', async () => {
  await chain(async (site) => {
    const { log, tasks } = await site.run({ force: true });
    assert.equal(log, ['strip', 'join', 'count']);
    assert.equal(tasks['join']?.reasons, [{ kind: 'forced' }]);
    assert.equal((await site.run()).log, []);
  });
});

test('frozen runs nothing, restores what is on file, and tells of the rest', async () => {
  await chain(async (site) => {
    site.remove('all.out');
    const hit = await site.run({ frozen: true });
    assert.equal([hit.log, hit.report.frozenStale, hit.tasks['join']?.restored], [[], false, 1]);
    site.write({ 'b.txt': 'new\n' });
    const { log, outcomes, tasks, report } = await site.run({ frozen: true });
    assert.equal(log, []);
    assert.equal(outcomes, { strip: 'cached', join: 'skipped', count: 'skipped' });
    assert.equal(tasks['join']?.reasons, [changed('b.txt')]);
    assert.equal(tasks['count']?.reasons, [{ kind: 'pending', task: 'join' }]);
    assert.ok(report.frozenStale);
  });
});

const TROUBLE = {
  bad: { run: 'say bad; echo trouble; echo half > bad.out; exit 3', inputs: ['bad.in'], outputs: ['bad.out'] },
  after: { run: 'say after; cat bad.out > after.out', needs: ['bad'], inputs: ['bad.out'], outputs: ['after.out'] },
  good: { run: 'say good', inputs: ['good.in'] },
};

test('a failure stops what needs it, with its exit code and output', async () => {
  await onSite(TROUBLE, { 'bad.in': '1' }, async (site) => {
    const { outcomes, tasks, printed } = await site.run({ keepGoing: true });
    assert.equal(outcomes, { bad: 'failed', after: 'skipped', good: 'ran' });
    assert.is(tasks['bad']?.exitCode, 3);
    assert.is(tasks['bad']?.message, 'exited with code 3');
    assert.equal(tasks['after']?.reasons, [{ kind: 'pending', task: 'bad' }]);
    assert.is(printed, 'trouble\n');
  });
});

test('without keep-going nothing is started after a failure', async () => {
  await onSite(TROUBLE, {}, async (site) => {
    const { outcomes, log } = await site.run({ jobs: 1 });
    assert.equal(log, ['bad']);
    assert.equal(outcomes, { bad: 'failed', after: 'skipped', good: 'skipped' });
  });
});

test('a failure is not served, and its leftovers are gone before the next try', async () => {
  await onSite(TROUBLE, { 'bad.in': '1' }, async (site) => {
    await site.run({ keepGoing: true });
    assert.equal(site.warnings, []);
    site.retask('bad', { body: { kind: 'command', command: 'say bad; ls bad.out 2>/dev/null; exit 4' } });
    const again = await site.run({ keepGoing: true });
    assert.equal(again.log, ['bad']);
    assert.is(again.printed, '');
    const third = await site.run({ keepGoing: true });
    assert.equal(third.tasks['bad']?.reasons, [{ kind: 'failed-before' }]);
  });
});

test('a failure does not take the place of a success', async () => {
  const flaky = { run: "say flaky; test ! -e '../aside/broken' && echo whole > out", inputs: ['in'], outputs: ['out'] };
  await onSite({ flaky }, { in: '1' }, async (site) => {
    await site.run();
    writeFileSync(`${site.aside}/broken`, '');
    assert.equal((await site.run({ force: true })).outcomes, { flaky: 'failed' });
    assert.equal((await site.run()).outcomes, { flaky: 'cached' });
    assert.is(site.read('out'), 'whole\n');
  });
});

test('a declared output that is not written is a failure, and so is no output at all', async () => {
  await onSite({ go: { run: 'say go; echo > a', outputs: ['a', 'b'] } }, {}, async (site) => {
    const { tasks } = await site.run();
    assert.is(tasks['go']?.outcome, 'failed');
    assert.match(tasks['go']?.message ?? '', /did not write its declared output b\n {2}Correct/);
    site.retask('go', { outputs: ['out/**'] });
    assert.match((await site.run()).tasks['go']?.message ?? '', /out\/\*\*/);
  });
});

test('outputs that a task need not write are outputs if it does, and stand for no others', async () => {
  const go = {
    run: 'say go; mkdir -p out; cp in* out; true',
    inputs: ['in*'],
    outputs: ['out/**'],
    optional: ['out/**'],
  };
  await onSite({ go }, {}, async (site) => {
    assert.equal((await site.run()).outcomes, { go: 'ran' });
    assert.equal((await site.run()).outcomes, { go: 'cached' });
    site.write({ in: '1' });
    assert.equal((await site.run()).outcomes, { go: 'ran' });
    site.remove('in');
    assert.equal((await site.run()).outcomes, { go: 'cached' });
    assert.not(site.exists('out/in'), 'what another input had it write is gone again');
    site.retask('go', { outputs: ['dist/**', 'out/**'] });
    site.write({ in: '1' });
    const { message } = (await site.run()).tasks['go'] ?? {};
    assert.match(message ?? '', /did not write its declared output dist\/\*\*\n/);
  });
});

test('inputs that match nothing are warned of when the task runs', async () => {
  await onSite({ go: { run: 'say go', inputs: ['scr/**', '!scr/x'] } }, { 'src/a': '1' }, async (site) => {
    assert.equal((await site.run()).warnings, ['no file matches its inputs: scr/**, !scr/x']);
    assert.equal((await site.run()).warnings, []);
    site.retask('go', { inputs: ['scr/**', 'src/**'] });
    assert.equal((await site.run()).warnings, []);
    site.retask('go', { inputs: [] });
    assert.equal((await site.run()).warnings, []);
  });
});

test('an aborted run ends its commands, skips the rest, and files nothing', async () => {
  const tasks = {
    slow: { run: 'say slow; echo half > slow.out; sleep 30', outputs: ['slow.out'] },
    after: { run: 'say after', needs: ['slow'] },
  };
  await onSite(tasks, {}, async (site) => {
    const abort = new AbortController();
    const running = site.run({ signal: abort.signal });
    await until(() => site.exists('slow.out'), 'the command starts');
    abort.abort();
    const { outcomes, report } = await running;
    assert.equal(outcomes, { slow: 'skipped', after: 'skipped' });
    assert.ok(report.interrupted);
    assert.is(site.calls.count(), 0);
    assert.equal(site.leases.list(), []);
    site.retask('slow', {
      body: { kind: 'command', command: 'say slow; test ! -e slow.out && echo whole > slow.out' },
    });
    assert.equal((await site.run()).outcomes, { slow: 'ran', after: 'ran' });
    assert.equal(site.warnings, [], 'what was left behind is known to be its own');
  });
});

test('what is not cached runs every time, its dependents only when they must', async () => {
  const tasks = {
    always: { run: 'say always; cat in > out', inputs: ['in'], outputs: ['out'], cache: false },
    after: { run: 'say after; cat out > end', needs: ['always'], inputs: ['out'], outputs: ['end'] },
  };
  await onSite(tasks, { in: '1' }, async (site) => {
    await site.run();
    const { log, tasks } = await site.run();
    assert.equal(log, ['always']);
    assert.equal(tasks['always']?.reasons, [{ kind: 'uncached' }]);
    site.write({ in: '2' });
    assert.equal((await site.run()).log, ['always', 'after']);
  });
});

test('an output that was edited, removed, or made executable by hand is put right', async () => {
  await chain(async (site) => {
    const wanted = site.files();
    site.write({ 'all.out': 'edited\n' });
    assert.is((await site.run()).tasks['join']?.restored, 1);
    assert.equal(site.files(), wanted);
    site.remove('all.out', 'n.out');
    const { log, tasks } = await site.run();
    assert.equal([log, tasks['join']?.restored, tasks['count']?.restored], [[], 1, 1]);
    assert.equal(site.files(), wanted);
    site.chmod('n.out', 0o755);
    assert.equal((await site.run()).log, []);
    assert.equal(site.files(), wanted);
  });
});

test('what somebody does to an output while its task is at work is taken for its doing, afterwards it is put right', async () => {
  const waits = 'say at work; while [ ! -e ../aside/end ]; do sleep 0.01; done';
  const foreach: Task['foreach'] = {
    of: { kind: 'files', patterns: ['in'] },
    outputs: ['{name}.out'],
    at: { file: 'fleche.config.toml', line: 1, column: 1 },
  };
  for (const over of [{ inputs: ['in'] }, { foreach }]) {
    const tasks = { copy: { run: `cp in in.out; ${waits}`, outputs: ['in.out'], ...over } };
    await onSite(tasks, { in: 'a' }, async (site) => {
      const running = site.run();
      await until(() => site.log().includes('at work'), 'the command');
      site.chmod('in.out', 0o755);
      site.write({ '../aside/end': '' });
      assert.equal((await running).outcomes, { copy: 'ran' });
      site.chmod('in.out', 0o644);
      assert.is((await site.run()).tasks['copy']?.restored, 1);
      assert.equal(site.files(), { in: 'a', 'in.out*': 'a' });
    });
  }
});

const SPLIT = {
  split: {
    run: 'say split; mkdir -p out; for w in $(cat in); do echo $w > out/$w; done',
    inputs: ['in'],
    outputs: ['out/**'],
  },
  list: { run: 'say list; ls out > list.out', needs: ['split'], inputs: ['out/**'], outputs: ['list.out'] },
};

test('files that a task no longer writes are removed, those of people stay', async () => {
  await onSite(SPLIT, { in: 'a b c' }, async (site) => {
    await site.run();
    site.write({ 'out/notes': 'mine', in: 'a c' });
    const { log } = await site.run();
    assert.equal(log, ['split', 'list']);
    assert.equal(site.files()['list.out'], 'a\nc\nnotes\n');
    site.write({ in: 'a b c' });
    assert.equal((await site.run()).log, ['list'], 'it lists another set of files than ever');
    assert.is(site.read('list.out'), 'a\nb\nc\nnotes\n');
    site.remove('out/notes');
    assert.equal((await site.run()).log, []);
    assert.is(site.read('list.out'), 'a\nb\nc\n');
    assert.equal(site.warnings, []);
  });
});

test('what a task wrote is gone when it declares no outputs any more, run or cached', async () => {
  await onSite({ go: { run: 'say go; echo > out', outputs: ['out'] } }, {}, async (site) => {
    await site.run();
    site.retask('go', { body: { kind: 'command', command: 'say quiet' }, outputs: [] });
    assert.equal((await site.run()).log, ['quiet']);
    assert.equal(site.files(), {});
    site.retask('go', { body: { kind: 'command', command: 'say go; echo > out' }, outputs: ['out'] });
    assert.equal((await site.run()).outcomes, { go: 'cached' });
    assert.equal(site.files(), { out: '\n' });
    site.retask('go', { body: { kind: 'command', command: 'say quiet' }, outputs: [] });
    const { outcomes, tasks } = await site.run();
    assert.equal([outcomes, tasks['go']?.restored], [{ go: 'cached' }, 1]);
    assert.equal(site.files(), {});
    assert.is((await site.run()).tasks['go']?.restored, 0);
  });
});

test('files of people among the outputs of a task that reads them are inputs', async () => {
  const gather = 'say gather; cat in/* > in/all.gen';
  await onSite({ gather: { run: gather, inputs: ['in/**'], outputs: ['in/*.gen'] } }, { 'in/a': '1' }, async (site) => {
    await site.run();
    assert.equal((await site.run()).log, []);
    site.write({ 'in/hand.gen': 'x' });
    assert.equal((await site.run()).tasks['gather']?.reasons, [changed('in/hand.gen', 'added')]);
    assert.is(site.read('in/all.gen'), '1x');
    assert.equal((await site.run()).log, []);
    site.write({ 'in/hand.gen': 'y' });
    assert.equal((await site.run()).log, ['gather']);
    assert.is(site.read('in/all.gen'), '1y');
  });
});

test('a link that something upstream wrote is an input with what it leads to, a file, a folder, or a source', async () => {
  const tasks = {
    make: {
      run: 'say make; mkdir -p made/v1; cat src > made/v1/file; ln -s v1 made/latest; ln -s v1/file made/link; ln -s ../other made/out',
      inputs: ['src'],
      outputs: ['made/**'],
    },
    mid: { run: 'say mid; echo mid > mid', needs: ['make'], outputs: ['mid'] },
    ...Object.fromEntries(
      Object.entries({ file: 'link', folder: 'latest', source: 'out' }).map(([name, link]) => [
        name,
        {
          run: `say ${name}; cat $(find -L made/${link} -type f) > ${name}`,
          needs: ['mid'],
          inputs: [`made/${link}`],
          outputs: [name],
        },
      ]),
    ),
  };
  await onSite(tasks, { src: '1', other: 'a' }, async (site) => {
    await site.run();
    assert.equal((await site.run()).log, []);
    site.write({ src: '2' });
    assert.equal([...(await site.run()).log].sort(), ['file', 'folder', 'make', 'mid']);
    assert.equal([site.read('file'), site.read('folder')], ['2', '2']);
    site.write({ other: 'b' });
    assert.equal((await site.run()).log, ['source']);
    assert.is(site.read('source'), 'b');
  });
});

test('what somebody puts below the place of a file that the task wrote has to make way, and is no input', async () => {
  const gather = 'say gather; mkdir -p in/gen; echo 1 > in/gen/all';
  await onSite(
    { gather: { run: gather, inputs: ['in/**'], outputs: ['in/gen/**'] } },
    { 'in/a': '1' },
    async (site) => {
      await site.run();
      site.remove('in/gen/all');
      site.write({ 'in/gen/all/inside': 'x' });
      assert.equal((await site.run()).outcomes, { gather: 'cached' });
      assert.is(site.read('in/gen/all'), '1\n');
    },
  );
});

test('a task that writes one file more than before among its own inputs is kept', async () => {
  const run = 'say go; for w in $(cat in/words); do echo > in/$w.gen; done';
  await onSite({ go: { run, inputs: ['in/**'], outputs: ['in/*.gen'] } }, { 'in/words': 'a' }, async (site) => {
    await site.run();
    site.write({ 'in/words': 'a b' });
    assert.equal((await site.run()).warnings, []);
    assert.equal((await site.run()).log, []);
  });
});

test('lost blobs cost a run, damaged ones too, and nothing else', async () => {
  await chain(async (site) => {
    const wanted = site.files();
    const outputs = site.calls.find({ name: 'join' });
    const [record] = [...outputs];
    const list = record?.outputs as Digest;
    site.values.delete(list);
    assert.equal((await site.run()).tasks['join']?.reasons, [{ kind: 'lost', what: 'the list of outputs' }]);
    for (const { digest } of [...site.values.list()]) site.values.delete(digest);
    const all = await site.run();
    assert.equal(all.log, ['strip', 'join', 'count']);
    assert.equal(site.files(), wanted);
    for (const { digest } of [...site.values.list()]) site.values.get(digest)?.fill(0);
    site.remove('a.out', 'all.out', 'n.out');
    assert.equal((await site.run()).log, ['strip', 'join', 'count']);
    assert.equal(site.files(), wanted);
  });
});

test('contents of outputs are wanted where they must be put back, and a plan says so', async () => {
  await chain(async (site) => {
    const wanted = site.files();
    const lose = () => ['a.out', 'all.out'].forEach((name) => void site.values.delete(sha256(site.read(name) ?? '')));
    lose();
    assert.equal((await site.plan()).outcomes, { strip: 'cached', join: 'cached', count: 'cached' });
    assert.equal((await site.run()).log, []);
    site.remove('all.out');
    const lost = [{ kind: 'lost', what: 'all.out' }];
    assert.equal((await site.plan()).tasks['join']?.reasons, lost);
    const { log, tasks } = await site.run();
    assert.equal(tasks['join']?.reasons, lost);
    assert.equal(log, ['join']);
    assert.equal(site.files(), wanted);
    lose();
    site.remove('all.out', 'a.out');
    assert.is((await site.run({ frozen: true })).outcomes['strip'], 'skipped');
    assert.equal((await site.run()).log, ['strip', 'join']);
  });
});

test('without any state the outputs are recognised by their content', async () => {
  await chain(async (site) => {
    site.forget();
    const { log, tasks } = await site.run();
    assert.equal([log, tasks['count']?.restored], [[], 0]);
    assert.equal(site.warnings, []);
  });
});

test('a task that reads what another writes without needing it is refused', async () => {
  const tasks = {
    make: { run: 'say make; echo > made.txt', outputs: ['made.txt'] },
    read: { run: 'say read', inputs: ['*.txt'] },
  };
  await onSite(tasks, { 'in.txt': '' }, async (site) => {
    await site.run({ targets: ['make'] });
    const { tasks } = await site.run({ targets: ['read'] });
    assert.is(tasks['read']?.outcome, 'failed');
    assert.match(tasks['read']?.message ?? '', /reads made\.txt, which task "make" writes/);
  });
});

test('two tasks that write one path are told of', async () => {
  const tasks = {
    one: { run: 'say one; mkdir -p out; echo 1 > out/x', outputs: ['out/*'] },
    two: { run: 'say two; mkdir -p out; echo 2 > out/x', outputs: ['out/**'], needs: ['one'] },
  };
  await onSite(tasks, {}, async (site) => {
    const { tasks } = await site.run();
    assert.is(tasks['one']?.outcome, 'failed');
    assert.match(tasks['one']?.message ?? '', /tasks "one" and "two" both write out\/x/);
  });
});

/** Waits for a word, then reads. */
const WAITING = {
  wait: {
    run: "say began; while [ ! -e '../aside/go' ]; do sleep 0.01; done; cat in > out",
    inputs: ['in'],
    outputs: ['out'],
  },
};

async function whileItWaits(site: Site, change: () => void): ReturnType<Site['run']> {
  const said: string[] = [];
  const running = site.run();
  await until(() => said.push(...site.log()) > 0, 'the command begins');
  change();
  writeFileSync(`${site.aside}/go`, '');
  const ran = await running;
  rmSync(`${site.aside}/go`);
  return ran;
}

test('a run that saw an input change keeps nothing, even if the input is put back', async () => {
  await onSite(WAITING, { in: 'one' }, async (site) => {
    const { outcomes, warnings } = await whileItWaits(site, () => site.write({ in: 'two' }));
    assert.equal(outcomes, { wait: 'ran' });
    assert.match(warnings[0] ?? '', /^in changed while it ran/);
    assert.is(site.calls.count(), 0);
    site.write({ in: 'one' });
    writeFileSync(`${site.aside}/go`, '');
    assert.equal((await site.run()).outcomes, { wait: 'ran' });
    assert.is(site.read('out'), 'one');
    rmSync(`${site.aside}/go`);
    site.write({ in: 'three' });
    const back = await whileItWaits(site, () => {
      site.write({ in: 'four!' });
      site.write({ in: 'three' });
    });
    assert.match(back.warnings[0] ?? '', /^in changed/);
  });
});

test('a run during which an input was away and came back keeps nothing, whatever its time says', async () => {
  const ways: readonly ((site: Site) => void)[] = [
    (site) => {
      const { atime, mtime } = statSync(site.path('in'));
      site.write({ in: 'two' });
      site.write({ in: 'one' });
      utimesSync(site.path('in'), atime, mtime);
    },
    (site) => {
      renameSync(site.path('in'), site.path('kept'));
      site.write({ in: 'two' });
      renameSync(site.path('kept'), site.path('in'));
    },
    (site) => {
      renameSync(site.path('src'), site.path('kept'));
      site.write({ 'src/a': 'other' });
      rmSync(site.path('src'), { recursive: true });
      renameSync(site.path('kept'), site.path('src'));
    },
  ];
  for (const [at, way] of ways.entries()) {
    await onSite(WAITING, { in: 'one', 'src/a': '1' }, async (site) => {
      site.retask('wait', { inputs: ['in', 'src/**'] });
      const { warnings } = await whileItWaits(site, () => way(site));
      assert.match(warnings[0] ?? '', /changed while it ran/, `way ${at}`);
      assert.is(site.calls.count(), 0);
    });
  }
});

test('a task that links its input into its outputs is kept', async () => {
  const link = { run: 'say link; mkdir -p out; ln in out/in', inputs: ['in'], outputs: ['out/**'] };
  await onSite({ link }, { in: 'one' }, async (site) => {
    for (const text of ['one', 'two']) {
      site.write({ in: text });
      assert.equal((await site.run()).log, ['link']);
      assert.equal((await site.run()).log, []);
    }
  });
});

test('a run that saw what its upstream wrote change keeps nothing', async () => {
  const tasks = {
    make: { run: 'say make; echo made > in', outputs: ['in'] },
    wait: { ...WAITING.wait, needs: ['make'], inputs: [] },
  };
  await onSite(tasks, {}, async (site) => {
    await site.run({ targets: ['make'] });
    const { outcomes, warnings } = await whileItWaits(site, () => site.write({ in: 'by hand' }));
    assert.equal(outcomes, { make: 'cached', wait: 'ran' });
    assert.match(warnings[0] ?? '', /^in changed while it ran/);
    writeFileSync(`${site.aside}/go`, '');
    const next = await site.run();
    assert.equal(next.outcomes, { make: 'cached', wait: 'ran' });
    assert.is(site.read('out'), 'made\n');
  });
});

test('what is changed between two tasks is put right before the second reads it', async () => {
  const tasks = {
    make: { run: 'say make; echo made > made', outputs: ['made'] },
    meddle: { run: 'say meddle; echo meddled > made', needs: ['make'] },
    read: { run: 'say read; cat made > out', needs: ['make', 'meddle'], outputs: ['out'] },
  };
  await onSite(tasks, {}, async (site) => {
    const { log } = await site.run();
    assert.equal(log, ['make', 'meddle', 'read']);
    assert.is(site.read('out'), 'made\n');
    assert.is(site.read('made'), 'made\n');
  });
});

test('what is written over and over is a failure with its reason', async () => {
  const tasks = {
    make: { run: 'say make; echo made > made', outputs: ['made'] },
    read: { run: 'say read; cat made > out', needs: ['make'], outputs: ['out'] },
  };
  await onSite(tasks, {}, async (site) => {
    // Whenever a task is claimed, somebody writes.
    const { leases } = site;
    const meddling = new Proxy(leases, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          if (name === 'acquire' && args[0] === 'task:read') site.write({ made: `${Math.random()}` });
          return value.apply(target, args);
        };
      },
    });
    const { outcomes, tasks } = await site.run({}, site.engine({ leases: meddling }));
    assert.equal(outcomes, { make: 'ran', read: 'failed' });
    assert.match(tasks['read']?.message ?? '', /changed again and again/);
    assert.equal((await site.run()).outcomes, { make: 'cached', read: 'ran' });
  });
});

test('the claims of a run are gone when it is over', async () => {
  await chain(async (site) => {
    assert.equal(site.leases.list(), []);
  });
});

test('two engines over one workspace work once', async () => {
  const slow = Object.fromEntries(
    Object.entries(CHAIN).map(([name, task]) => [name, { ...task, run: `sleep 0.03; ${task.run}` }]),
  );
  await onSite(slow, CHAIN_FILES, async (site) => {
    const both = await Promise.all([site.run(), site.run()]);
    assert.equal(both.flatMap(({ log }) => log).length, 3);
    for (const { outcomes, printed } of both) {
      assert.not.ok(Object.values(outcomes).some((outcome) => outcome === 'failed' || outcome === 'skipped'));
      assert.match(printed, '2');
    }
    assert.equal(site.warnings, []);
  });
});

test('two engines that both force everything both end right', async () => {
  await onSite(CHAIN, CHAIN_FILES, async (site) => {
    for (let round = 0; round < 5; round++) {
      const both = await Promise.all([site.run({ force: true }), site.run({ force: true })]);
      for (const { outcomes } of both) assert.equal(outcomes, { strip: 'ran', join: 'ran', count: 'ran' });
      assert.equal((await site.run()).log, []);
    }
    assert.equal(site.warnings, []);
  });
});

test('an error of the program ends the run, and nothing goes on behind its back', async () => {
  const tasks = { slow: { run: 'sleep 0.1; say slow' }, broken: { run: 'say broken' } };
  await onSite(tasks, {}, async (site) => {
    const { leases } = site;
    const failing = new Proxy(leases, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          if (args[0] === 'task:broken') throw new TypeError('a bug');
          return value.apply(target, args);
        };
      },
    });
    let thrown: unknown;
    try {
      await site.run({}, site.engine({ leases: failing }));
    } catch (error) {
      thrown = error;
    }
    assert.instance(thrown, TypeError);
    assert.equal(site.log(), ['slow'], 'it was waited for');
  });
});

test('standard input is part of the question', () =>
  onSite({ go: { run: 'say go; cat >out', outputs: ['out'] } }, { data: '1' }, async (site) => {
    const stdin = (stdin: Stdin | undefined): void =>
      site.retask('go', { body: { kind: 'command', command: 'say go; cat >out', ...(stdin && { stdin }) } });
    const reasons = async (): Promise<unknown> => (await site.plan()).tasks['go']?.reasons;
    await site.run();
    assert.is(site.read('out'), '');
    stdin({ kind: 'text', text: 'a\nb' });
    assert.equal(await reasons(), [{ kind: 'option', name: 'stdin' }]);
    await site.run();
    assert.is(site.read('out'), 'a\nb');
    stdin({ kind: 'file', path: 'data' as RelPath });
    await site.run();
    assert.is(site.read('out'), '1');
    assert.equal((await site.run()).outcomes, { go: 'cached' });
    site.write({ data: '2' });
    assert.equal(await reasons(), [{ kind: 'file', path: 'data', change: 'changed' }]);
    assert.equal((await site.run()).log, ['go']);
    assert.is(site.read('out'), '2');
    site.remove('data');
    assert.match((await site.run()).tasks['go']?.message ?? '', 'data does not exist');
  }));

test.run();
