/** A plan says what a run then does, `why` says what a plan says; function tasks with every kind of argument. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RelPath } from '../../core/base/paths.ts';
import type { Task, TaskArg } from '../../core/graph/tasks/task.ts';
import { onSite, type Site } from './_site.ts';

const TASKS = {
  strip: { run: "say strip; grep -v '^#' a.txt > a.out", inputs: ['a.txt'], outputs: ['a.out'] },
  join: {
    run: 'say join; cat a.out b.txt > all.out',
    needs: ['strip'],
    inputs: ['a.out', 'b.txt'],
    outputs: ['all.out'],
    env: ['LEVEL'],
  },
  parts: {
    run: 'say parts; mkdir -p parts; for w in $(cat all.out); do echo $w > parts/$w; done',
    needs: ['join'],
    inputs: ['all.out'],
    outputs: ['parts/**'],
  },
  index: { run: 'say index; ls parts > index', needs: ['parts'], inputs: ['parts/**'], outputs: ['index'] },
  side: { run: 'say side; cat c.txt', inputs: ['c.txt'] },
};
const FILES = { 'a.txt': '# one\na\n', 'b.txt': 'b\n', 'c.txt': 'c\n' };

/** Changes that a plan must foresee, one after the other. */
const CHANGES: readonly (readonly [name: string, change: (site: Site) => void])[] = [
  ['nothing', () => {}],
  ['a comment', (site) => site.write({ 'a.txt': '# two\na\n' })],
  ['a source', (site) => site.write({ 'b.txt': 'x y\n' })],
  ['back', (site) => site.write({ 'a.txt': FILES['a.txt'], 'b.txt': FILES['b.txt'] })],
  ['a variable', (site) => Object.assign(site.env, { LEVEL: '2' })],
  ['a command', (site) => site.retask('side', { body: { kind: 'command', command: 'say side; wc c.txt' } })],
  ['outputs gone', (site) => site.remove('parts', 'index')],
  ['an output edited', (site) => site.write({ 'parts/a': 'edited' })],
  ['a file of somebody', (site) => site.write({ 'parts/hand': 'made' })],
  ['that file changed', (site) => site.write({ 'parts/hand': 'changed' })],
  ['that file gone', (site) => site.remove('parts/hand')],
  ['a need less', (site) => site.retask('index', { needs: [], inputs: ['c.txt'] })],
  ['blobs gone', (site) => [...site.values.list()].forEach(({ digest }) => void site.values.delete(digest))],
  ['memory gone', (site) => site.forget()],
  ['the runtime', (site) => Object.assign(site, { runtime: 'node v9 here' })],
  ['a failure', (site) => site.retask('side', { body: { kind: 'command', command: 'say side; false' } })],
];

test('a plan runs and writes nothing, and says what a run then does and why', async () => {
  await onSite(TASKS, FILES, async (site) => {
    for (const [name, change] of CHANGES) {
      change(site);
      const before = site.files();
      const plan = await site.plan();
      assert.equal([plan.log, site.files()], [[], before], name);
      const run = await site.run({ keepGoing: true });
      for (const planned of plan.report.outcomes) {
        const done = run.tasks[planned.name];
        if (planned.reasons.some(({ kind }) => kind === 'pending')) continue;
        assert.is(done?.key, planned.key, `${name}: ${planned.name}`);
        assert.equal(done?.reasons, planned.reasons, `${name}: ${planned.name}`);
        const outcome = done?.outcome === 'failed' ? 'ran' : done?.outcome;
        assert.is(outcome, planned.outcome, `${name}: ${planned.name}`);
      }
      const ran = run.report.outcomes.filter(({ outcome }) => outcome !== 'cached').map((task) => task.name);
      for (const task of ran) assert.is(plan.outcomes[task], 'ran', `${name}: ${task} was not planned`);
    }
  });
});

test('what waits for something that must run is pending, with its name', async () => {
  await onSite(TASKS, FILES, async (site) => {
    const { tasks } = await site.plan();
    assert.equal(tasks['strip']?.reasons, [{ kind: 'first' }]);
    assert.equal(tasks['join']?.reasons, [{ kind: 'pending', task: 'strip' }]);
    assert.is(tasks['join']?.key, null);
  });
});

test('a forced plan runs everything', async () => {
  await onSite({ a: { run: 'say a' }, b: { run: 'say b' } }, {}, async (site) => {
    await site.run();
    const { tasks } = await site.plan({ force: true });
    assert.equal([tasks['a']?.reasons, tasks['b']?.reasons], [[{ kind: 'forced' }], [{ kind: 'forced' }]]);
  });
});

test('what is too old is run again, and what needs it only if something came out differently', async () => {
  const HOUR = 3_600_000;
  const tasks = { strip: { ...TASKS.strip, staleAfter: HOUR }, join: TASKS.join };
  await onSite(tasks, FILES, async (site) => {
    assert.equal((await site.run()).log, ['strip', 'join']);
    site.ahead = HOUR / 2;
    assert.equal((await site.run()).log, []);
    site.ahead = HOUR * 2;
    const planned = (await site.plan()).tasks['strip']?.reasons[0];
    assert.is(planned?.kind, 'expired');
    assert.is((await site.engine().why('strip')).reasons[0]?.kind, 'expired');
    assert.equal((await site.run()).log, ['strip']);
    assert.equal((await site.run()).log, []);
  });
});

test('why: never ran, cached, and stale with the parts that differ', async () => {
  await onSite(TASKS, FILES, async (site) => {
    const first = await site.engine().why('strip');
    assert.equal([first.verdict, first.nearest, first.reasons], ['never-ran', null, [{ kind: 'first' }]]);
    await site.run();
    const cached = await site.engine().why('join');
    assert.is(cached.verdict, 'cached');
    assert.is(cached.nearest?.key, cached.key);
    assert.ok(cached.parts.every(({ state, past, present }) => state === 'same' && past === present));
    site.write({ 'b.txt': 'B\n' });
    site.env['LEVEL'] = 'x';
    const stale = await site.engine().why('join');
    assert.is(stale.verdict, 'stale');
    assert.equal(stale.reasons, [
      { kind: 'env', name: 'LEVEL', change: 'added' },
      { kind: 'file', change: 'changed', path: 'b.txt' },
    ]);
    assert.equal(
      stale.parts.filter(({ state }) => state !== 'same').map(({ name }) => name),
      ['env:LEVEL', 'inputs'],
    );
    const pending = await site.engine().why('parts');
    assert.equal([pending.key, pending.reasons], [null, [{ kind: 'pending', task: 'join' }]]);
    assert.equal(site.log(), []);
  });
});

test('why: a part that came and a part that is gone', async () => {
  await onSite({ go: { run: 'say go', env: ['A'] } }, {}, async (site) => {
    await site.run();
    site.retask('go', { env: ['B'] });
    const { parts } = await site.engine().why('go');
    const changed = parts.filter(({ state }) => state !== 'same');
    assert.equal(
      changed.map(({ name, state }) => [name, state]),
      [
        ['env:B', 'added'],
        ['env:A', 'removed'],
      ],
    );
    assert.is(changed[0]?.past, null);
    assert.is(changed[1]?.present, null);
  });
});

const MODULE = `
export function report(args) {
  const show = (value) => (value?.text ? value.text() : Array.isArray(value) ? value.map(show) : value?.entries ? 'tree' : value);
  const seen = Object.fromEntries(Object.entries(args).map(([name, value]) => [name, show(value)]));
  console.log(Object.keys(args).join(' '));
  return seen;
}
export const size = ({ of }) => JSON.stringify(of ?? null).length;
export const undone = () => undefined;
`;

function fn(
  name: string,
  exported: string,
  args: Readonly<Record<string, TaskArg>>,
  over: Partial<Task> = {},
): Partial<Task> & { run: string } {
  const needs = Object.values(args).flatMap((arg) => (arg.kind === 'from' ? [arg.task] : []));
  return {
    run: '',
    body: { kind: 'function', module: 'tasks.ts' as RelPath, export: exported, args },
    needs,
    name,
    ...over,
  };
}

test('a function gets every kind of argument, and each one is a reason of its own', async () => {
  const args: Readonly<Record<string, TaskArg>> = {
    value: { kind: 'value', value: { b: 1, a: [true, null] } },
    file: { kind: 'file', path: 'data.txt' as RelPath },
    glob: { kind: 'glob', patterns: ['src/*'] },
    level: { kind: 'env', name: 'LEVEL', default: 'full' },
    made: { kind: 'from', task: 'make' },
    counted: { kind: 'from', task: 'size' },
  };
  const tasks = {
    make: { run: 'say make; echo made > made', outputs: ['made'] },
    size: fn('size', 'size', { of: { kind: 'value', value: [1, 2] } }),
    report: fn('report', 'report', args),
  };
  await onSite(tasks, { 'tasks.ts': MODULE, 'data.txt': 'data', 'src/a': 'A', 'src/b': 'B' }, async (site) => {
    const first = await site.run();
    assert.equal(first.outcomes, { make: 'ran', size: 'ran', report: 'ran' }, first.tasks['report']?.message ?? '');
    assert.is(first.printed, 'value file glob level made counted\n');
    const reasons = async (): Promise<unknown> => (await site.run()).tasks['report']?.reasons;
    assert.equal(await reasons(), []);
    site.write({ 'data.txt': 'more' });
    assert.equal(await reasons(), [{ kind: 'file', change: 'changed', path: 'data.txt' }]);
    site.write({ 'src/c': 'C' });
    assert.equal(await reasons(), [{ kind: 'file', change: 'added', path: 'src/c' }]);
    site.env['LEVEL'] = 'low';
    assert.equal(await reasons(), [{ kind: 'argument', name: 'level', change: 'changed' }]);
    site.write({ 'tasks.ts': MODULE.replace("'tree'", "'a tree'") });
    assert.equal(await reasons(), [{ kind: 'code' }]);
    site.retask('make', { body: { kind: 'command', command: 'say make; echo other > made' } });
    assert.equal(await reasons(), [{ kind: 'upstream', task: 'make', change: 'changed' }]);
    site.retask('size', { body: { ...fnBody('size'), args: { of: { kind: 'value', value: [3, 4] } } } });
    assert.equal(await reasons(), [], 'the same size');
  });
});

function fnBody(exported: string): Extract<Task['body'], { kind: 'function' }> {
  return { kind: 'function', module: 'tasks.ts' as RelPath, export: exported, args: {} };
}

test('an argument by the digest of a stored value', async () => {
  const tasks = { size: fn('size', 'size', { of: { kind: 'value', value: 'x' } }) };
  await onSite(tasks, { 'tasks.ts': MODULE }, async (site) => {
    const { tasks } = await site.run();
    const result = tasks['size']?.result ?? '';
    site.retask('size', { body: { ...fnBody('size'), args: { of: { kind: 'digest', prefix: result.slice(0, 10) } } } });
    assert.equal((await site.run()).outcomes, { size: 'ran' });
    assert.equal((await site.run()).outcomes, { size: 'cached' });
    site.retask('size', { body: { ...fnBody('size'), args: { of: { kind: 'digest', prefix: 'ffffffffff' } } } });
    assert.match((await site.run()).tasks['size']?.message ?? '', /no stored value has a digest that begins with/);
  });
});

test('undefined is a result like any other', async () => {
  const tasks = {
    undone: fn('undone', 'undone', {}),
    size: fn('size', 'size', { of: { kind: 'from', task: 'undone' } }),
  };
  await onSite(tasks, { 'tasks.ts': MODULE }, async (site) => {
    assert.equal((await site.run()).outcomes, { undone: 'ran', size: 'ran' });
    assert.equal((await site.run()).outcomes, { undone: 'cached', size: 'cached' });
  });
});

test('a file argument that is not there is told of, not run', async () => {
  const tasks = { report: fn('report', 'report', { file: { kind: 'file', path: 'gone.txt' as RelPath } }) };
  await onSite(tasks, { 'tasks.ts': MODULE }, async (site) => {
    const { tasks } = await site.run();
    assert.is(tasks['report']?.outcome, 'failed');
    assert.match(tasks['report']?.message ?? '', /gone\.txt does not exist/);
  });
});

test('a result that turns out to be damaged is made again for the one who wants it', async () => {
  const tasks = {
    size: fn('size', 'size', { of: { kind: 'value', value: 'x' } }),
    report: fn('report', 'report', { n: { kind: 'from', task: 'size' } }),
  };
  await onSite(tasks, { 'tasks.ts': MODULE }, async (site) => {
    await site.run();
    const [record] = site.calls.find({ name: 'size' });
    const blob = record?.result?.blob;
    assert.ok(blob);
    site.values.get(blob)?.fill(7);
    site.retask('report', { dir: 'other' as RelPath });
    const { outcomes, tasks, events } = await site.run();
    assert.equal(outcomes, { size: 'ran', report: 'ran' }, tasks['report']?.message ?? '');
    assert.equal(tasks['size']?.reasons, [{ kind: 'lost', what: 'the result' }]);
    assert.equal(
      events.flatMap((event) => (event.type === 'done' ? [`${event.outcome.name} ${event.outcome.outcome}`] : [])),
      ['size cached', 'size ran', 'report ran'],
    );
  });
});

test.run();
