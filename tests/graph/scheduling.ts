/** When and how often tasks run: limits, retries, timeouts, and what a failure or an interruption does to the others. */
import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Scheduling } from '../../core/graph/tasks/task.ts';
import { onSite, until } from './_site.ts';

const scheduling = (over: Partial<Scheduling>): { readonly scheduling: Scheduling } => ({
  scheduling: { weight: 1, retries: 0, retryDelay: 1, ...over },
});

/** Says when it begins and ends, and fails if more than `most` of its kind are at work. */
const counted = (name: string, most: number): string =>
  `mkdir -p at; touch at/${name}; [ "$(ls at | wc -l)" -le ${most} ] || { echo crowd; exit 1; }; sleep 0.02; rm at/${name}; say ${name}`;

test('no more tasks of a group run at once than it has places for', async () => {
  const limit = { group: 'db', slots: 1, size: 1 };
  const names = ['a', 'b', 'c'];
  const tasks = Object.fromEntries(names.map((name) => [name, { run: counted(name, 1), ...scheduling({ limit }) }]));
  await onSite(tasks, {}, async (site) => {
    const { outcomes } = await site.run({ jobs: 3 });
    assert.equal(outcomes, { a: 'ran', b: 'ran', c: 'ran' });
  });
});

test('a heavy task runs alone where there are no more jobs than it takes', async () => {
  const tasks = {
    a: { run: counted('a', 1), ...scheduling({ weight: 2 }) },
    b: { run: counted('b', 1), ...scheduling({ weight: 8 }) },
    c: { run: counted('c', 1), ...scheduling({ weight: 2 }) },
  };
  await onSite(tasks, {}, async (site) => {
    assert.equal((await site.run({ jobs: 2 })).outcomes, { a: 'ran', b: 'ran', c: 'ran' });
  });
});

const FLAKY = 'say go; echo x >> tries; [ "$(wc -l < tries)" -ge 3 ] || { echo broken; exit 3; }; echo fine';

test('a task that fails is tried again, and its answer is that of the attempt that succeeded', async () => {
  await onSite({ flaky: { run: FLAKY, ...scheduling({ retries: 5 }) } }, {}, async (site) => {
    const { tasks, log, events, printed } = await site.run();
    assert.is(tasks['flaky']?.outcome, 'ran');
    assert.is(tasks['flaky']?.attempts, 3);
    assert.equal(tasks['flaky']?.reasons, [{ kind: 'first' }], 'not that it failed before');
    assert.is(log.length, 3);
    assert.is(printed, 'broken\nbroken\nfine\n');
    const retries = events.flatMap((event) => (event.type === 'retry' ? [event] : []));
    assert.equal(
      retries.map(({ attempt, attempts, message, ms }) => [attempt, attempts, message, ms]),
      [
        [1, 6, 'exited with code 3', 1],
        [2, 6, 'exited with code 3', 2],
      ],
      'each time it waits twice as long',
    );
    const again = await site.run();
    assert.is(again.tasks['flaky']?.outcome, 'cached');
    assert.is(again.tasks['flaky']?.attempts, 0);
    assert.is(again.printed, 'fine\n');
  });
});

test('a task that never succeeds fails after its last attempt', async () => {
  await onSite({ never: { run: 'say go; exit 4', ...scheduling({ retries: 2 }) } }, {}, async (site) => {
    const { tasks, log } = await site.run();
    assert.is(tasks['never']?.outcome, 'failed');
    assert.is(tasks['never']?.exitCode, 4);
    assert.is(tasks['never']?.attempts, 3);
    assert.is(log.length, 3);
  });
});

test('an interruption ends the waiting for the next attempt', async () => {
  const task = { run: 'say go; exit 1', ...scheduling({ retries: 9, retryDelay: 60_000 }) };
  await onSite({ never: task }, {}, async (site) => {
    const controller = new AbortController();
    const run = site.run({ signal: controller.signal, listener: ({ type }) => type === 'retry' && controller.abort() });
    const { outcomes, log } = await run;
    assert.equal(outcomes, { never: 'skipped' });
    assert.is(log.length, 1);
  });
});

test('while a task waits for its next attempt its place is free', async () => {
  const tasks = {
    flaky: { run: 'say flaky; [ -e other ] || exit 1', ...scheduling({ retries: 20, retryDelay: 1 }) },
    other: { run: 'say other; touch other', needs: [] },
  };
  await onSite(tasks, {}, async (site) => {
    assert.equal((await site.run({ jobs: 1 })).outcomes, { flaky: 'ran', other: 'ran' });
  });
});

test('a task that takes longer than it may is ended with all it started, and has failed', async () => {
  const task = {
    run: "sh -c 'trap : TERM; sleep 30 & sleep 30' & echo begun; sleep 30",
    ...scheduling({ timeout: 150 }),
  };
  await onSite({ slow: task }, {}, async (site) => {
    const { tasks, printed, report } = await site.run();
    assert.is(tasks['slow']?.outcome, 'failed');
    assert.is(tasks['slow']?.message, 'took longer than 150ms and was ended');
    assert.match(printed, /^begun\n/);
    assert.is(report.interrupted, false);
    assert.is((await site.run()).tasks['slow']?.reasons[0]?.kind, 'failed-before');
  });
});

test('nothing of the scheduling is part of the key', async () => {
  await onSite({ a: { run: 'say a' } }, {}, async (site) => {
    await site.run();
    const limit = { group: 'g', slots: 1, size: 1 };
    site.retask('a', scheduling({ weight: 2, retries: 3, timeout: 99_999, limit }));
    assert.equal((await site.run()).outcomes, { a: 'cached' });
  });
});

test('after a failure nothing more is begun, what runs comes to its end, and its answer is kept', async () => {
  const tasks = {
    bad: { run: 'while [ ! -e up ]; do sleep 0.01; done; exit 1' },
    slow: { run: 'touch up; sleep 0.2; say slow' },
    after: { run: 'say after', needs: ['slow'] },
    wide: { run: 'say wide', needs: ['bad'] },
  };
  await onSite(tasks, {}, async (site) => {
    const { outcomes, log } = await site.run({ jobs: 2 });
    assert.equal(outcomes, { bad: 'failed', slow: 'ran', after: 'skipped', wide: 'skipped' });
    assert.equal(log, ['slow']);
    assert.equal((await site.run({ targets: ['slow'] })).outcomes, { slow: 'cached' });
  });
});

test('with keep-going everything runs that does not need what failed', async () => {
  const tasks = {
    bad: { run: 'exit 1' },
    wide: { run: 'say wide', needs: ['bad'] },
    deep: { run: 'say deep', needs: ['wide'] },
    free: { run: 'say free' },
    last: { run: 'say last', needs: ['free'] },
  };
  await onSite(tasks, {}, async (site) => {
    const { tasks, outcomes, log } = await site.run({ jobs: 1, keepGoing: true });
    assert.equal(outcomes, { bad: 'failed', wide: 'skipped', deep: 'skipped', free: 'ran', last: 'ran' });
    assert.equal([...log].sort(), ['free', 'last']);
    assert.equal(tasks['deep']?.reasons, [{ kind: 'pending', task: 'wide' }]);
  });
});

test('an interruption ends every process of every task', async () => {
  const tasks = Object.fromEntries(
    ['a', 'b'].map((name) => [
      name,
      { run: `(sleep 40; say ${name}) & echo $! > ${name}.pid; touch ${name}.up; wait` },
    ]),
  );
  await onSite(tasks, {}, async (site) => {
    const controller = new AbortController();
    const run = site.run({ jobs: 2, signal: controller.signal });
    await until(() => site.exists('a.up') && site.exists('b.up'), 'both run');
    controller.abort();
    const { report, outcomes } = await run;
    assert.is(report.interrupted, true);
    assert.equal(outcomes, { a: 'skipped', b: 'skipped' });
    for (const name of ['a', 'b']) assert.is(isThere(Number(site.read(`${name}.pid`))), false);
  });
});

/** Whether a process runs; one that has ended and waits to be collected does not. */
function isThere(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return !/^(Z|$)/.test(stdout.trim());
}

test.run();
