/** Services: started for who needs them, kept as long, ended with all they started. */
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Readiness, Task } from '../../../core/graph/tasks/task.ts';
import { onSite, type Site, until } from '../_site.ts';

type Ready = Readiness['when'];

const service = (when?: Ready, timeout = 10_000): Pick<Task, 'service'> => ({
  service: { ready: when === undefined ? undefined : { when, timeout } },
});

/** Says when it is up and when it is ended; is ready when it has printed so. */
const SERVER =
  "trap 'say down; exit 0' TERM; say up; echo $$ > server.pid; echo listening; while :; do sleep 0.02; done";
const LOG: Ready = { kind: 'log', text: 'listening' };
const server = { run: SERVER, ...service(LOG) };
const client = (name: string): { readonly run: string; readonly needs: string[]; readonly inputs: string[] } => ({
  run: `[ -e server.pid ] && say ${name}`,
  needs: ['server'],
  inputs: [`${name}.txt`],
});

function isThere(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return !/^(Z|$)/.test(stdout.trim());
}

test('a service is up while tasks run that need it, and is ended after the last', async () => {
  await onSite({ server, a: client('a'), b: client('b') }, { 'a.txt': '', 'b.txt': '' }, async (site) => {
    const { log, outcomes, tasks, printed } = await site.run({ targets: ['a', 'b'], jobs: 1 });
    assert.equal(log, ['up', 'a', 'b', 'down']);
    assert.equal(outcomes, { server: 'ran', a: 'ran', b: 'ran' });
    assert.equal(tasks['server']?.reasons, [{ kind: 'needed', task: 'a' }]);
    assert.match(printed, /^listening\n/);
    assert.is(isThere(Number(site.read('server.pid'))), false);
  });
});

test('an answer from the cache needs no service', async () => {
  await onSite({ server, a: client('a'), b: client('b') }, { 'a.txt': '', 'b.txt': '' }, async (site) => {
    await site.run({ targets: ['a', 'b'] });
    const again = await site.run({ targets: ['a', 'b'] });
    assert.equal(again.log, []);
    assert.equal(again.outcomes, { server: 'cached', a: 'cached', b: 'cached' });
    site.write({ 'b.txt': 'other' });
    const plan = await site.plan({ targets: ['a', 'b'] });
    assert.equal(plan.outcomes, { server: 'ran', a: 'cached', b: 'ran' });
    assert.equal(plan.tasks['server']?.reasons, [{ kind: 'needed', task: 'b' }]);
    assert.equal((await site.run({ targets: ['a', 'b'] })).log, ['up', 'b', 'down']);
  });
});

test('another command of a service is another input of who needs it', async () => {
  await onSite({ server, a: client('a') }, { 'a.txt': '' }, async (site) => {
    await site.run({ targets: ['a'] });
    site.retask('server', { body: { kind: 'command', command: `: other; ${SERVER}` } });
    const { log, tasks } = await site.run({ targets: ['a'] });
    assert.equal(log, ['up', 'a', 'down']);
    assert.equal(tasks['a']?.reasons, [{ kind: 'upstream', task: 'server', change: 'changed' }]);
  });
});

test('a service starts when what it needs is done, and services of services come first and go last', async () => {
  const tasks = {
    build: { run: 'say build; echo x > built', outputs: ['built'] },
    db: { ...server, needs: ['build'], run: `cat built; ${SERVER}` },
    web: {
      run: "trap 'say web down; exit 0' TERM; say web up; echo listening; while :; do sleep 0.02; done",
      needs: ['db'],
      ...service(LOG),
    },
    e2e: { run: 'say e2e', needs: ['web'] },
  };
  await onSite(tasks, {}, async (site) => {
    const { log } = await site.run({ targets: ['e2e'] });
    assert.equal(log.slice(0, 4), ['build', 'up', 'web up', 'e2e']);
    assert.equal([...log.slice(4)].sort(), ['down', 'web down']);
  });
});

test('a service that dies makes the task fail that is using it, with the last that it printed', async () => {
  const dying = {
    run: 'echo listening; while [ ! -e go ]; do sleep 0.01; done; echo out of memory; exit 9',
    ...service(LOG),
  };
  const user = { run: '(sleep 30; say never) & touch go; wait', needs: ['server'] };
  await onSite({ server: dying, user, other: { run: 'say other', needs: ['user'] } }, {}, async (site) => {
    const { outcomes, tasks, log } = await site.run();
    assert.equal(outcomes, { server: 'failed', user: 'failed', other: 'skipped' });
    const fault = 'ended by itself with exit code 9\nit printed last:\nlistening\nout of memory';
    assert.is(tasks['user']?.message, `its service "server" ${fault}`);
    assert.is(tasks['server']?.message, fault);
    assert.equal(log, []);
  });
});

test('a service that is not ready in time has failed, and who needs it is not begun', async () => {
  const mute = { run: 'echo starting; sleep 30', ...service(LOG, 100) };
  await onSite({ server: mute, a: client('a') }, { 'a.txt': '' }, async (site) => {
    const { outcomes, tasks } = await site.run({ targets: ['a'] });
    assert.equal(outcomes, { server: 'failed', a: 'skipped' });
    assert.is(tasks['server']?.message, 'was not ready after 100ms\nit printed last:\nstarting');
    assert.equal(tasks['a']?.reasons, [{ kind: 'pending', task: 'server' }]);
  });
});

test('a service is ready when its port answers, and not started where another program has it', async () => {
  const port = await freePort();
  const listen = `node -e "require('net').createServer().listen(${port}, '127.0.0.1')"`;
  const web = { run: listen, ...service({ kind: 'port', port }) };
  const use = `node -e "require('net').connect(${port}, '127.0.0.1').on('connect', () => process.exit(0)).on('error', () => process.exit(1))"`;
  await onSite({ web, use: { run: use, needs: ['web'] } }, {}, async (site) => {
    assert.equal((await site.run({ targets: ['use'] })).outcomes, { web: 'ran', use: 'ran' });
    site.retask('use', { body: { kind: 'command', command: `: again; ${use}` } });
    const foreign = createServer();
    await new Promise<void>((resolve) => foreign.listen(port, '127.0.0.1', resolve));
    const { outcomes, tasks } = await site.run({ targets: ['use'] });
    foreign.close();
    assert.equal(outcomes, { web: 'failed', use: 'skipped' });
    assert.is(tasks['web']?.message, 'cannot be started: something else listens at its port');
  });
});

test('a service is ready when a command succeeds', async () => {
  const slow = { run: 'sleep 0.1; touch ready; sleep 30', ...service({ kind: 'command', command: '[ -e ready ]' }) };
  await onSite({ slow, use: { run: '[ -e ready ] && say use', needs: ['slow'] } }, {}, async (site) => {
    assert.equal((await site.run({ targets: ['use'] })).log, ['use']);
  });
});

test('a service that is wanted itself is up until the run is interrupted', async () => {
  await onSite({ server }, {}, async (site) => {
    const controller = new AbortController();
    const run = site.run({ signal: controller.signal });
    await until(() => site.exists('server.pid'), 'the service is up');
    controller.abort();
    const { report, log, outcomes } = await run;
    assert.is(report.interrupted, true);
    assert.equal(log, ['up', 'down']);
    assert.equal(outcomes, { server: 'ran' });
  });
});

test('a service that is wanted itself and ends has failed, even with exit code 0', async () => {
  await onSite({ server: { run: 'echo done', ...service() } }, {}, async (site) => {
    const { outcomes, tasks } = await site.run();
    assert.equal(outcomes, { server: 'failed' });
    assert.is(tasks['server']?.message, 'ended by itself with exit code 0\nit printed last:\ndone');
  });
});

test('an interruption ends services with the tasks that use them', async () => {
  const user = { run: 'touch using; sleep 30', needs: ['server'] };
  await onSite({ server, user }, {}, async (site) => {
    const controller = new AbortController();
    const run = site.run({ targets: ['user'], signal: controller.signal });
    await until(() => site.exists('using'), 'the task runs');
    controller.abort();
    assert.equal((await run).outcomes, { server: 'ran', user: 'skipped' });
    assert.is(isThere(Number(site.read('server.pid'))), false);
  });
});

test('where nothing may run no service is started', async () => {
  await onSite({ server, a: client('a') }, { 'a.txt': '' }, async (site) => {
    const { report, log } = await site.run({ frozen: true });
    assert.is(report.frozenStale, true);
    assert.equal(log, []);
  });
});

test('two runs at once do not start the same service twice', async () => {
  await onSite({ server, a: client('a'), b: client('b') }, { 'a.txt': '', 'b.txt': '' }, async (site) => {
    const run = (target: string): ReturnType<Site['run']> => site.run({ targets: [target] });
    await Promise.all([run('a'), run('b')]);
    assert.equal(
      site.said().filter((line) => line === 'up' || line === 'down'),
      ['up', 'down', 'up', 'down'],
    );
  });
});

/** One that no outgoing connection of another program is given. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const probe = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => probe.close(resolve));
    return port;
  }
}

test.run();
