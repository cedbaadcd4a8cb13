/** `run` and `plan`: what they ask of the engine, what they print, and what they end with. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { plan } from '../../../core/app/verbs/plan.ts';
import { run } from '../../../core/app/verbs/run.ts';
import { FlecheError } from '../../../core/base/errors.ts';
import type { Engine } from '../../../core/graph/engine.ts';
import type { RunReport, RunRequest, RunSummary, TaskOutcome } from '../../../core/graph/tasks/outcome.ts';
import { CHANGED, outcome } from '../_events.ts';
import { call, fakeMachine } from '../_machine.ts';

function reportOf(outcomes: readonly TaskOutcome[], more: Partial<RunReport> = {}): RunReport {
  const count = (kind: string): number => outcomes.filter((one) => one.outcome === kind).length;
  const summary: RunSummary = {
    type: 'summary',
    ran: count('ran'),
    cached: count('cached'),
    failed: count('failed'),
    skipped: count('skipped'),
    ms: 7,
    saved: 0,
  };
  return { outcomes, summary, frozenStale: false, interrupted: false, ...more };
}

/** An engine that tells the report as events, and keeps what it was asked. */
function engineFor(report: RunReport): Partial<Engine> & { readonly asked: Partial<RunRequest>[] } {
  const asked: Partial<RunRequest>[] = [];
  return {
    asked,
    async run(request) {
      asked.push(request);
      request.listener({ type: 'plan', tasks: report.outcomes.map(({ name }) => name) });
      for (const outcome of report.outcomes) request.listener({ type: 'done', outcome });
      request.listener({ type: 'end', summary: report.summary });
      return report;
    },
    async plan(request) {
      asked.push(request);
      return report;
    },
  };
}

const GRAPH = { a: [], b: ['a'] };
const WELL = reportOf([outcome('a', 'cached'), outcome('b', 'ran', { reasons: [CHANGED] })]);

test('run tells what happened and ends with 0', async () => {
  const engine = engineFor(WELL);
  const told = await call(run, ['run', 'b'], GRAPH, engine);
  assert.is(told.stdout, '= a  cached     12ms\n✓ b  ran        12ms  src/a.ts changed\n1 ran, 1 cached in 7ms\n');
  assert.equal([told.code, told.stderr, told.closed], [0, '', 1]);
  const { targets, jobs, force, frozen, keepGoing } = engine.asked[0] ?? {};
  assert.equal([targets, jobs, force, frozen, keepGoing], [['b'], 2, false, false, false]);
});

test('options reach the engine', async () => {
  const engine = engineFor(WELL);
  await call(run, ['run', 'b', 'a', 'b', '--force', '--frozen', '-k', '-j', '50%'], GRAPH, engine);
  const { targets, jobs, force, frozen, keepGoing } = engine.asked[0] ?? {};
  assert.equal([targets, jobs, force, frozen, keepGoing], [['b', 'a'], 1, true, true, true]);
});

test('json: tasks and the summary on standard output, nothing else on either', async () => {
  const told = await call(run, ['run', 'b', '--json'], GRAPH, engineFor(WELL));
  const types = told.stdout
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { type: string }).type);
  assert.equal(types, ['task', 'task', 'summary']);
  assert.is(told.stderr, '');
});

test('json: a failure is told to people too, on standard error', async () => {
  const report = reportOf([outcome('a', 'failed', { message: 'exited with code 2' })]);
  const told = await call(run, ['run', 'a', '--json'], GRAPH, engineFor(report));
  assert.is(told.code, 1);
  assert.match(told.stderr, /✗ a .*exited with code 2/);
});

test('without tasks the defaults are run', async () => {
  const engine = engineFor(WELL);
  await call(run, ['run'], GRAPH, engine, { defaults: ['b'] });
  assert.equal(engine.asked[0]?.targets, ['b']);
});

test('without tasks and without defaults it is a usage error that names some', async () => {
  await assertThrows(['run'], 'USAGE', /: a, b\./);
});

test('an unknown task is named with the nearest', async () => {
  await assertThrows(['run', 'bb'], 'CONFIG_UNKNOWN_TASK', /Did you mean "b"\?/);
});

async function assertThrows(argv: readonly string[], code: string, hint: RegExp): Promise<void> {
  const engine = engineFor(WELL);
  const error = await call(run, argv, GRAPH, engine).catch((error: unknown) => error);
  assert.instance(error, FlecheError);
  assert.is((error as FlecheError).code, code);
  assert.match((error as FlecheError).hint ?? '', hint);
  assert.is(engine.asked.length, 0);
}

test('frozen: what would have to run is named, and the code is 2', async () => {
  const report = reportOf(
    [
      outcome('a', 'skipped', { reasons: [CHANGED] }),
      outcome('b', 'skipped', { reasons: [{ kind: 'pending', task: 'a' }] }),
    ],
    { frozenStale: true },
  );
  const told = await call(run, ['run', 'b', '--frozen'], GRAPH, engineFor(report));
  assert.equal([told.code, told.stderr], [2, 'frozen: 1 task would have to run: a\n']);
});

test('an interrupted run says so and ends with the code of the cause', async () => {
  const machine = fakeMachine();
  const engine: Partial<Engine> = {
    async run({ signal }) {
      machine.interruption.interrupt(143);
      assert.is(signal.aborted, true);
      return reportOf([outcome('a', 'skipped')], { interrupted: true });
    },
  };
  const told = await call(run, ['run', 'a'], GRAPH, engine, { machine });
  assert.equal([told.code, told.stderr, machine.exits], [143, 'interrupted\n', []]);
});

test('an engine that breaks leaves the project closed', async () => {
  let closed = 0;
  const close = async (): Promise<void> => {
    closed++;
  };
  const engine: Partial<Engine> = { run: () => Promise.reject(new Error('odd')) };
  await call(run, ['run', 'a'], GRAPH, engine, { close }).catch(() => {});
  assert.is(closed, 1);
});

test('a dry run is a plan', async () => {
  const [dry, planned] = [
    await call(run, ['run', 'b', '--dry-run'], GRAPH, engineFor(WELL)),
    await call(plan, ['plan', 'b'], GRAPH, engineFor(WELL)),
  ];
  assert.equal(dry, planned);
  assert.is(planned.stdout, '= a  cached\n✓ b  would run  src/a.ts changed\n1 would run, 1 cached\n');
  assert.is(planned.code, 0);
});

test('a frozen plan ends with 2 if something would run', async () => {
  assert.is((await call(plan, ['plan', 'b', '--frozen'], GRAPH, engineFor(WELL))).code, 2);
  const cached = reportOf([outcome('a', 'cached')]);
  assert.is((await call(plan, ['plan', 'a', '--frozen'], GRAPH, engineFor(cached))).code, 0);
});

test('plan and run print the same objects for programs', async () => {
  const [first, second] = [
    await call(run, ['run', 'b', '--json'], GRAPH, engineFor(WELL)),
    await call(plan, ['plan', 'b', '--json'], GRAPH, engineFor(WELL)),
  ];
  assert.is(first.stdout, second.stdout);
});

test.run();
