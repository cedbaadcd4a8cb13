/** Tasks that are done for each of many items: which items run, what is put together, and what is kept. */
import { renameSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decode } from '../../../core/base/decode.ts';
import type { RunEvent } from '../../../core/graph/tasks/outcome.ts';
import type { Foreach, Task } from '../../../core/graph/tasks/task.ts';
import { onSite, type Ran, type Site, until } from '../_site.ts';

const AT = { file: 'fleche.config.toml', line: 1, column: 1 };

const REQUEST = {
  targets: ['up'],
  jobs: 3,
  force: false,
  frozen: false,
  keepGoing: true,
  signal: new AbortController().signal,
};

function each(of: Foreach['of'], template: string | undefined, pattern = ''): Partial<Task> {
  const outputs = template === undefined ? [] : [template];
  return { foreach: { of, outputs, at: AT }, outputs: template === undefined ? [] : [pattern] };
}

const TEXTS = each({ kind: 'files', patterns: ['in/*.txt'] }, 'out/{name}.up', 'out/*.up');

/** `up` writes each text in capitals, `all` puts them together. */
const TASKS = {
  up: { run: 'say {name}; tr a-z A-Z < {path} > out/{name}.up', ...TEXTS },
  all: { run: 'say all; cat out/*.up > all.txt', needs: ['up'], outputs: ['all.txt'] },
};
const FILES = { 'in/a.txt': 'a\n', 'in/b.txt': 'b\n', 'in/c.txt': 'c\n' };

function items({ tasks }: Ran, name = 'up'): string {
  const { ran = 0, cached = 0, failed = 0, skipped = 0 } = tasks[name]?.items ?? {};
  return `${ran} ran, ${cached} cached, ${failed} failed, ${skipped} skipped`;
}

async function texts(work: (site: Site) => Promise<void>): Promise<void> {
  await onSite(TASKS, FILES, async (site) => {
    const first = await site.run();
    assert.equal([...first.log].sort(), ['a', 'all', 'b', 'c']);
    assert.is(items(first), '3 ran, 0 cached, 0 failed, 0 skipped');
    assert.is(site.read('all.txt'), 'A\nB\nC\n');
    await work(site);
  });
}

test('nothing runs twice', async () => {
  await texts(async (site) => {
    const again = await site.run();
    assert.equal(again.log, []);
    assert.equal(again.outcomes, { up: 'cached', all: 'cached' });
    assert.is(items(again), '0 ran, 3 cached, 0 failed, 0 skipped');
  });
});

test('an edited file runs alone, and a plan says so', async () => {
  await texts(async (site) => {
    site.write({ 'in/b.txt': 'bb\n' });
    const plan = await site.plan();
    assert.is(items(plan), '1 ran, 2 cached, 0 failed, 0 skipped');
    assert.equal(plan.tasks['up']?.reasons, [{ kind: 'file', change: 'changed', path: 'in/b.txt' }]);
    const run = await site.run();
    assert.equal(run.log, ['b', 'all']);
    assert.is(items(run), items(plan));
    assert.is(site.read('all.txt'), 'A\nBB\nC\n');
  });
});

test('why names the items that would run', async () => {
  await texts(async (site) => {
    assert.equal((await site.engine().why('up')).items, { total: 3, stale: [] });
    site.write({ 'in/b.txt': 'bb\n', 'in/d.txt': 'd\n' });
    assert.equal((await site.engine().why('up')).items, {
      total: 4,
      stale: [
        { name: 'in/b.txt', reasons: [{ kind: 'file', change: 'changed', path: 'in/b.txt' }] },
        { name: 'in/d.txt', reasons: [{ kind: 'first' }] },
      ],
    });
    site.retask('up', { env: ['LEVEL'] });
    const { items: all } = await site.engine().why('up');
    assert.equal(all?.stale[0], { name: 'in/a.txt', reasons: [{ kind: 'env', name: 'LEVEL', change: 'added' }] });
  });
});

test('an item whose output is the same leaves dependents alone', async () => {
  await texts(async (site) => {
    site.write({ 'in/b.txt': 'B\n' });
    const run = await site.run();
    assert.equal(run.log, ['b']);
    assert.equal(run.outcomes, { up: 'ran', all: 'cached' });
  });
});

test('a new file runs alone, and what was made of a removed one is removed', async () => {
  await texts(async (site) => {
    site.write({ 'in/d.txt': 'd\n', 'out/note.up': 'by hand' });
    site.remove('in/a.txt');
    const run = await site.run();
    assert.equal(run.log, ['d', 'all']);
    assert.equal(Object.keys(site.files()).sort(), [
      'all.txt',
      'in/b.txt',
      'in/c.txt',
      'in/d.txt',
      'out/b.up',
      'out/c.up',
      'out/d.up',
      'out/note.up',
    ]);
    assert.is(site.read('out/note.up'), 'by hand');
  });
});

test('where the rest is answered, a removed file makes nothing run', async () => {
  await onSite({ up: TASKS.up }, FILES, async (site) => {
    await site.run();
    site.remove('in/a.txt');
    const plan = await site.plan();
    assert.equal(plan.outcomes, { up: 'cached' });
    const run = await site.run({ frozen: true });
    assert.equal(run.log, []);
    assert.equal(run.outcomes, { up: 'cached' });
    assert.not.ok(site.exists('out/a.up'));
  });
});

test('a renamed file is another item, until it has its name again', async () => {
  await texts(async (site) => {
    renameSync(site.path('in/a.txt'), site.path('in/x.txt'));
    assert.equal((await site.run()).log, ['x', 'all']);
    renameSync(site.path('in/x.txt'), site.path('in/a.txt'));
    assert.equal((await site.run()).log, []);
    assert.not.ok(site.exists('out/x.up'));
    assert.is(site.read('all.txt'), 'A\nB\nC\n');
  });
});

test('an output that is changed by hand is put right without running', async () => {
  await texts(async (site) => {
    site.write({ 'out/b.up': 'wrong' });
    site.remove('out/c.up');
    const run = await site.run();
    assert.equal(run.log, []);
    assert.is(run.tasks['up']?.restored, 2);
    assert.is(site.read('out/b.up'), 'B\n');
  });
});

test('what all items read is in the question of each', async () => {
  const tasks = {
    pre: { run: 'say pre; cat word > pre.out', inputs: ['word'], outputs: ['pre.out'] },
    up: { ...TASKS.up, run: 'say {name}; cat pre.out style {path} > out/{name}.up', inputs: ['style'], needs: ['pre'] },
  };
  await onSite(tasks, { ...FILES, style: 's', word: 'w' }, async (site) => {
    await site.run({ jobs: 1 });
    site.write({ style: 'S' });
    assert.equal((await site.run({ jobs: 1 })).log, ['a', 'b', 'c']);
    site.write({ word: 'W' });
    assert.equal((await site.run({ jobs: 1 })).log, ['pre', 'a', 'b', 'c']);
    site.write({ style: 's', word: 'w' });
    assert.equal((await site.run({ jobs: 1 })).log, []);
    assert.is(site.read('out/a.up'), 'wsa\n');
  });
});

test('a failed item is named, and keeps nothing of the others from being kept', async () => {
  const up = { ...TASKS.up, run: 'say {name}; grep -v bad {path} > out/{name}.up' };
  await onSite({ ...TASKS, up }, { ...FILES, 'in/b.txt': 'bad\n' }, async (site) => {
    const run = await site.run({ keepGoing: true, jobs: 1 });
    assert.equal(run.log, ['a', 'b', 'c']);
    assert.equal(run.outcomes, { up: 'failed', all: 'skipped' });
    assert.is(items(run), '2 ran, 0 cached, 1 failed, 0 skipped');
    assert.is(run.tasks['up']?.message, '1 of 3 items failed: in/b.txt exited with code 1');
    assert.is(run.tasks['up']?.exitCode, 1);
    site.write({ 'in/b.txt': 'good\n' });
    const repaired = await site.run({ keepGoing: true, jobs: 1 });
    assert.equal(repaired.log, ['b', 'all']);
    assert.is(site.read('all.txt'), 'a\ngood\nc\n');
  });
});

test('after a failed item no other is begun, unless it is to go on', async () => {
  const up = { ...TASKS.up, run: 'say {name}; exit 3' };
  await onSite({ up }, FILES, async (site) => {
    const run = await site.run({ jobs: 1 });
    assert.equal(run.log, ['a']);
    assert.is(items(run), '0 ran, 0 cached, 1 failed, 2 skipped');
    const all = await site.run({ jobs: 1, keepGoing: true });
    assert.equal(all.log, ['a', 'b', 'c']);
    assert.is(
      all.tasks['up']?.message,
      '3 of 3 items failed:\nin/a.txt exited with code 3\nin/b.txt exited with code 3\nin/c.txt exited with code 3',
    );
  });
});

test('what was done before a run was cut short is not done again', async () => {
  const up = {
    ...TASKS.up,
    run: 'say {name}; test {name} != b || test -e go || kill $PPID; cat {path} > out/{name}.up',
  };
  await onSite({ up }, FILES, async (site) => {
    const stop = new AbortController();
    const slow = { ...up, run: up.run.replace('kill $PPID', 'sleep 10') };
    site.retask('up', { body: { kind: 'command', command: slow.run } });
    let isFirstDone = false;
    const listener = (event: RunEvent): void => {
      isFirstDone ||= event.type === 'progress' && event.items.ran === 1;
    };
    const running = site.run({ jobs: 1, signal: stop.signal, listener });
    await until(() => isFirstDone && site.said().includes('b'), 'the second item');
    stop.abort();
    const cut = await running;
    assert.equal(cut.outcomes, { up: 'skipped' });
    assert.equal(cut.log, ['a', 'b']);
    site.write({ go: '' });
    assert.equal((await site.run({ jobs: 1 })).log, ['b', 'c']);
    assert.equal(site.warnings, []);
  });
});

test('a timeout is for each item, and what is tried again are those that failed', async () => {
  const up = {
    ...TASKS.up,
    run: 'say {name}; test {name} != b || test -e seen || { touch seen; sleep 10; }; cat {path} > out/{name}.up',
    scheduling: { weight: 1, retries: 1, retryDelay: 1, timeout: 300 },
  };
  await onSite({ up }, FILES, async (site) => {
    const run = await site.run({ jobs: 1, keepGoing: true });
    assert.equal(run.log, ['a', 'b', 'c', 'b']);
    assert.equal(run.outcomes, { up: 'ran' });
    assert.is(run.tasks['up']?.attempts, 2);
    const retry = run.events.find(({ type }) => type === 'retry');
    assert.is(
      retry?.type === 'retry' && retry.message,
      '1 of 3 items failed: in/b.txt took longer than 300ms and was ended',
    );
  });
});

test('items take places of their own, as many as there are', async () => {
  /** Each waits for as many as there should be at a time, and a little longer for more. */
  const meeting = (count: number): string =>
    `say in {name}; touch at-{name}; i=0; while test $(ls -d at-* | wc -l) -lt ${count} && test $i -lt 400; do sleep 0.02; i=$((i+1)); done; sleep 0.05; say out {name}; cat {path} > out/{name}.up`;
  const most = async (over: Partial<Task>, jobs: number, count: number): Promise<number> => {
    let [now, top] = [0, 0];
    await onSite(
      { up: { ...TASKS.up, run: meeting(count), ...over } },
      { ...FILES, 'in/d.txt': 'd', 'in/e.txt': 'e' },
      async (site) => {
        for (const line of (await site.run({ jobs })).log) {
          now += line.startsWith('in') ? 1 : -1;
          top = Math.max(top, now);
        }
      },
    );
    return top;
  };
  assert.is(await most({}, 1, 1), 1);
  assert.is(await most({}, 3, 3), 3);
  const limit = { group: 'g', slots: 1, size: 1 };
  assert.is(await most({ scheduling: { weight: 1, retries: 0, retryDelay: 0, limit } }, 3, 1), 1);
});

test('answers of items grow old by themselves', async () => {
  await onSite({ up: { ...TASKS.up, staleAfter: 60_000 } }, FILES, async (site) => {
    await site.run({ jobs: 1 });
    site.ahead = 40_000;
    site.write({ 'in/b.txt': 'bb' });
    assert.equal((await site.run({ jobs: 1 })).log, ['b']);
    assert.equal((await site.run({ jobs: 1 })).log, []);
    site.ahead = 80_000;
    assert.equal((await site.run({ jobs: 1 })).log, ['a', 'c']);
  });
});

test('the questions of items are what they were', async () => {
  await texts(async (site) => {
    const keyOf = (name: string): string => [...site.calls.find({ name })][0]?.key ?? '';
    assert.is(keyOf('up[in/a.txt]'), '554d52a2ed38826356d775237662b1ea5770cc898fe64387c51494fa7e4b6bbc');
    assert.is(keyOf('up'), 'b34acb8bb3857de0e277df3a7aee159ee256c9be1071a2ec1d8369e0bfed5fd0');
  });
});

test('a forced run runs every item', async () => {
  await texts(async (site) => {
    assert.equal([...(await site.run({ force: true })).log].sort(), ['a', 'all', 'b', 'c']);
    assert.equal((await site.run()).log, []);
  });
});

test('without an item there is nothing to do, and that is said', async () => {
  await onSite({ up: TASKS.up }, {}, async (site) => {
    for (const _ of [1, 2]) {
      const run = await site.run();
      assert.equal(run.outcomes, { up: 'cached' });
      assert.equal(run.warnings, ['no file matches its foreach: in/*.txt']);
    }
  });
});

test('items that declare the same path are an error, before anything runs', async () => {
  const up = { ...TASKS.up, ...each({ kind: 'files', patterns: ['in/**/*.txt'] }, 'out/{name}.up', 'out/*.up') };
  await onSite({ up }, { 'in/a.txt': 'a', 'in/x/a.txt': 'xa' }, async (site) => {
    const run = await site.run();
    assert.equal(run.log, []);
    assert.ok(
      run.tasks['up']?.message?.includes('items "in/a.txt" and "in/x/a.txt" of task "up" both write out/a.up'),
      run.tasks['up']?.message ?? '',
    );
  });
});

test('an item that writes what another one wrote has failed', async () => {
  const up = {
    run: 'say {item}; echo > out/{item}.x; test {item} != a || echo > out/ab.x',
    ...each({ kind: 'values', values: ['a', 'ab'] }, 'out/{item}*', 'out/*'),
  };
  await onSite({ up }, {}, async (site) => {
    const run = await site.run({ jobs: 1, keepGoing: true });
    assert.equal(run.log, ['a', 'ab']);
    assert.is(items(run), '1 ran, 0 cached, 1 failed, 0 skipped');
    const says = 'items "a" and "ab" of task "up" both write out/ab.x';
    assert.ok(run.tasks['up']?.message?.includes(says), run.tasks['up']?.message ?? '');
  });
});

test('the values of a list: equal ones are one item, and their order is of no matter', async () => {
  const task = (values: readonly unknown[]): Partial<Task> & { run: string } => ({
    run: 'say {item}; echo {item} > out/{key}',
    ...each({ kind: 'values', values }, 'out/{key}', 'out/*'),
  });
  await onSite({ up: task(['x', 'y z', 'x']) }, {}, async (site) => {
    const first = await site.run({ jobs: 1 });
    assert.equal(first.log, ['x', 'y z']);
    assert.is(Object.keys(site.files()).length, 2);
    site.tasks({ up: task(['y z', 'x', { b: [1] }]) });
    const second = await site.run();
    assert.equal(second.log, ['{"b":[1]}']);
    assert.is(items(second), '1 ran, 2 cached, 0 failed, 0 skipped');
  });
});

test('what another task wrote: each of its files', async () => {
  const tasks = {
    split: {
      run: 'say split; mkdir -p parts; for word in $(cat words); do echo $word > parts/$word; done',
      inputs: ['words'],
      outputs: ['parts/*'],
    },
    up: {
      run: 'say {name}; tr a-z A-Z < {path} > out/{name}.up',
      needs: ['split'],
      ...each({ kind: 'from', task: 'split', isNeeded: false }, 'out/{name}.up', 'out/*.up'),
    },
  };
  await onSite(tasks, { words: 'a b c' }, async (site) => {
    assert.equal((await site.run({ jobs: 1 })).log, ['split', 'a', 'b', 'c']);
    site.write({ words: 'c d a' });
    assert.equal((await site.run({ jobs: 1 })).log, ['split', 'd']);
    assert.not.ok(site.exists('out/b.up'));
    assert.is(site.read('out/d.up'), 'D\n');
  });
});

test('what an item printed is shown piece by piece, whole and unmixed, however much it is and however slowly it is taken', async () => {
  const line = 'x'.repeat(1023);
  const up = {
    run: `yes {item}${line} | head -n 300; test {item} != b || exit 1`,
    ...each({ kind: 'values', values: ['a', 'b', 'c'] }, undefined),
  };
  await onSite({ up }, {}, async (site) => {
    const pieces: Buffer[] = [];
    let waiting = 0;
    const listener = async (event: RunEvent): Promise<void> => {
      if (event.type !== 'output') return;
      assert.is(waiting++, 0);
      await new Promise((resolve) => setImmediate(resolve));
      waiting--;
      pieces.push(Buffer.from(event.chunk));
    };
    const engine = site.engine();
    await engine.run({ ...REQUEST, listener });
    assert.ok(pieces.every(({ length }) => length <= 1 << 16));
    const whole = Buffer.concat(pieces).toString();
    const shown = whole.split(/^(?=\[)/m).sort();
    assert.equal(
      shown,
      ['a', 'b', 'c'].map((item) => `[${item}]\n${`${item}${line}\n`.repeat(300)}`),
    );
    site.retask('up', { body: { kind: 'command', command: `yes {item}${line} | head -n 300` } });
    const run = await site.run({ jobs: 1 });
    assert.is((await site.run()).printed, run.printed);
    assert.is(run.printed.length, whole.length);
  });
});

test('what items printed is shown again, each below its name', async () => {
  const up = { run: 'echo from {item}', ...each({ kind: 'values', values: ['a', 'b'] }, undefined) };
  await onSite({ up }, {}, async (site) => {
    assert.is((await site.run({ jobs: 1 })).printed, '[a]\nfrom a\n[b]\nfrom b\n');
    assert.is((await site.run()).printed, '[a]\nfrom a\n[b]\nfrom b\n');
  });
});

test('a record that is lost is made again of those of the items', async () => {
  await texts(async (site) => {
    for (const { key } of [...site.calls.find({ name: 'up' })]) site.calls.delete(key);
    const run = await site.run();
    assert.equal(run.log, []);
    assert.equal(run.outcomes, { up: 'cached', all: 'cached' });
  });
});

test('an item whose contents are lost runs again, and no other does', async () => {
  await texts(async (site) => {
    const [record] = site.calls.find({ name: 'up[in/b.txt]' });
    site.remove('out');
    for (const { digest } of [...site.values.list()]) {
      const bytes = site.values.get(digest);
      if (Buffer.from(bytes ?? '').toString() === 'B\n') site.values.delete(digest);
    }
    assert.ok(record);
    const run = await site.run();
    assert.equal(run.log, ['b']);
    assert.is(site.read('out/b.up'), 'B\n');
    assert.is(site.read('out/a.up'), 'A\n');
  });
});

test('functions of one task share threads, unless one leaves something behind', async () => {
  const up: Partial<Task> & { run: string } = {
    run: '',
    body: { kind: 'function', module: 'f.mjs' as never, export: 'f', args: {} },
    ...each({ kind: 'values', values: [1, 2, 3, 4] }, undefined),
  };
  const code = (leaves: string): string => `import { threadId } from 'node:worker_threads';
export const f = ({ item }) => {
  const mark = process.env.MARK;
  process.env.MARK = 'left by ' + item;
  ${leaves};
  return mark ?? threadId;
};`;
  const values = async (site: Site): Promise<readonly unknown[]> => {
    await site.run({ jobs: 1 });
    const [record] = site.calls.find({ name: 'up' });
    return decode(site.values.get(record?.result?.blob ?? ('' as never)) ?? new Uint8Array()) as readonly unknown[];
  };
  await onSite({ up }, { 'f.mjs': code('') }, async (site) => {
    const threads = await values(site);
    assert.is(new Set(threads).size, 1, `${threads}`);
    assert.type(threads[0], 'number', 'of the environment nothing is left');
    site.write({ 'f.mjs': code('setInterval(() => {}, 1000)') });
    assert.is(new Set(await values(site)).size, 4);
  });
});

test('a name with brackets means itself', async () => {
  const up = { ...TASKS.up, run: 'say {name}; cat {path} > out/{name}.up' };
  await onSite({ up }, { 'in/[a].txt': 'brackets', 'in/a.txt': 'a', 'in/{a,b}.txt': 'braces' }, async (site) => {
    const run = await site.run({ jobs: 1 });
    assert.equal(run.log, ['[a]', 'a', '{a,b}']);
    site.remove('out');
    assert.equal((await site.run()).log, []);
    assert.is(site.read('out/[a].up'), 'brackets');
    assert.is(site.read('out/a.up'), 'a');
    assert.is(site.read('out/{a,b}.up'), 'braces');
  });
});

test('a folder in the place of an output is moved aside', async () => {
  await texts(async (site) => {
    site.remove('out/b.up');
    site.write({ 'out/b.up/inside': 'x', 'in/b.txt': 'bb\n' });
    assert.equal((await site.run()).log, ['b', 'all']);
    assert.is(site.read('out/b.up'), 'BB\n');
  });
});

test('functions give a list, in the order of the items', async () => {
  const up: Partial<Task> & { run: string } = {
    run: '',
    body: { kind: 'function', module: 'f.mjs' as never, export: 'f', args: {} },
    ...each({ kind: 'values', values: [3, 1, 2, 1] }, undefined),
  };
  const code = 'export const f = ({ item }, ctx) => { ctx.log("square", item); return item * item; };';
  await onSite({ up }, { 'f.mjs': code }, async (site) => {
    const run = await site.run();
    assert.is(items(run), '3 ran, 0 cached, 0 failed, 0 skipped');
    const [record] = site.calls.find({ name: 'up' });
    const bytes = site.values.get(record?.result?.blob ?? ('' as never));
    assert.equal(decode(bytes ?? new Uint8Array()), [9, 1, 4, 1]);
    assert.is(run.printed.split('\n').filter((line) => line.startsWith('square')).length, 3);
  });
});

test.run();
