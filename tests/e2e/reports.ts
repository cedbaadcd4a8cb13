/** Reports of the built program. */
import { readdirSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { traceFaults } from '../app/reports/_trace-format.ts';
import { withRig } from './_rig.ts';

const FILES = {
  'in.txt': 'x\n',
  'fleche.config.toml': `[default]
root = true
tasks = ["all"]

[tasks.one]
run = "cat in.txt > one.out"
inputs = ["in.txt"]
outputs = ["one.out"]

[tasks.all]
run = "cat one.out > all.out; echo x >> ran"
needs = ["one"]
inputs = ["one.out"]
outputs = ["all.out"]
`,
};

test('the trace of a run at several places, cold, warm, failed and with a service, is one that Perfetto opens', async () => {
  const tasks = Array.from(
    { length: 12 },
    (_, at) => `[tasks.t${at}]\nrun = "cat in.txt >t${at}.out"\ninputs = ["in.txt"]\noutputs = ["t${at}.out"]\n`,
  );
  const config = `[default]
root = true
tasks = ["use", "bad"]

${tasks.join('\n')}
[tasks.up]
run = "sleep 60"
persistent = true

[tasks.use]
run = "true"
needs = ["up", ${tasks.map((_, at) => `"t${at}"`).join(', ')}]

[tasks.bad]
run = "exit 3"
`;
  await withRig({ 'in.txt': 'x\n', 'fleche.config.toml': config }, async (rig) => {
    for (const text of ['x\n', 'x\n', 'y\n']) {
      rig.write({ 'in.txt': text });
      if (text === 'x\n' && rig.exists('t0.out')) rig.remove('t0.out');
      await rig.run(['--jobs', '3', '--keep-going', '--trace', 'trace.json']);
      const trace: unknown = JSON.parse(rig.read('trace.json'));
      assert.equal(traceFaults(trace), []);
    }
  });
});

test('--summary and --trace tell of a run, and leave nothing else behind', async () => {
  await withRig(FILES, async (rig) => {
    const { code, stderr } = await rig.run(['--summary', 'summary.json', '--trace', 'trace.json']);
    assert.is(code, 0, stderr);
    const summary = JSON.parse(rig.read('summary.json'));
    assert.equal(
      summary.tasks.map(({ name, outcome }: { name: string; outcome: string }) => [name, outcome]),
      [
        ['one', 'ran'],
        ['all', 'ran'],
      ],
    );
    assert.equal(summary.targets, ['all']);
    assert.equal(
      summary.criticalPath.tasks.map(({ name }: { name: string }) => name),
      ['one', 'all'],
    );
    const { traceEvents } = JSON.parse(rig.read('trace.json'));
    const kinds = (task: string): string[] =>
      traceEvents.flatMap(({ ph, name, cat }: { ph: string; name: string; cat: string }) =>
        ph === 'X' && name === task ? [cat] : [],
      );
    assert.equal(kinds('one'), ['run', 'lookup', 'wait']);
    assert.equal(
      readdirSync(rig.root).filter((name) => name.endsWith('.tmp')),
      [],
    );

    rig.remove('one.out', 'all.out');
    await rig.run(['--summary', 'summary.json', '--trace', 'trace.json']);
    const again = JSON.parse(rig.read('summary.json'));
    assert.equal(
      again.tasks.map(({ outcome, restored }: { outcome: string; restored: number }) => [outcome, restored]),
      [
        ['cached', 1],
        ['cached', 1],
      ],
    );
    assert.is(again.totals.saved, again.tasks[0].saved + again.tasks[1].saved);
    assert.ok(again.totals.saved > 0);
  });
});

test('a report that cannot be written is an error before anything runs', async () => {
  await withRig(FILES, async (rig) => {
    for (const option of ['--summary', '--trace']) {
      const { code, stderr } = await rig.run([option, 'nowhere/out.json']);
      assert.is(code, 3);
      assert.match(stderr, `${option}: "nowhere/out.json" cannot be written`);
      assert.match((await rig.run([option, '.'])).stderr, 'it is a folder');
    }
    assert.not.ok(rig.exists('ran'));
  });
});

test('a run that fails has reports too', async () => {
  await withRig(FILES, async (rig) => {
    rig.edit('fleche.config.toml', 'cat in.txt', 'exit 3; cat in.txt');
    const { code } = await rig.run(['--summary', 'summary.json']);
    assert.is(code, 1);
    const { tasks, totals } = JSON.parse(rig.read('summary.json'));
    assert.equal([tasks[0].outcome, tasks[0].exitCode, totals.failed, totals.skipped], ['failed', 3, 1, 1]);
  });
});

test('--critical-path shows the tasks with their times', async () => {
  await withRig(FILES, async (rig) => {
    const { stderr } = await rig.run(['--critical-path']);
    assert.match(stderr, /critical path \S+\n {2}one {2}\S+\n {2}all {2}\S+\n/, 'beside the lines of --json');
  });
});

test.run();
