/** Watch mode without a watcher: events are told by the test, and time passes when it is told to. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RelPath } from '../../../core/base/paths.ts';
import type { RunListener } from '../../../core/graph/tasks/outcome.ts';
import { GRACE } from '../../../core/graph/watch/loop-guard.ts';
import { Watch } from '../../../core/graph/watch/watch.ts';
import type { WatchEvent, WatchRound } from '../../../core/graph/watch/watch-events.ts';
import { TestClock } from '../../_test-clock.ts';
import { outcomeOf, TestSource, TestTasks, turns } from './_watch.ts';

interface Rig {
  /** Whether the configuration is read as soon as that is wanted. */
  isPrompt: boolean;
  readonly tasks: TestTasks;
  readonly clock: TestClock;
  readonly source: TestSource;
  readonly watch: Watch;
  readonly events: WatchEvent[];
  readonly rounds: WatchRound[];
}

/** A watch whose first round is over. */
async function started(): Promise<Rig> {
  const tasks = new TestTasks();
  const clock = new TestClock();
  const source = new TestSource();
  const events: WatchEvent[] = [];
  const rounds: WatchRound[] = [];
  const listener = (event: WatchEvent): void => {
    events.push(event);
    if (event.type === 'rested') rounds.push(event.round);
    if (event.type === 'configuration' && rig.isPrompt) watch.configured();
  };
  const watch = new Watch({
    tasks,
    clock,
    configuration: { paths: ['config' as RelPath], patterns: ['packages/*/config'] },
    listener,
  });
  const rig: Rig = { isPrompt: true, tasks, clock, source, watch, events, rounds };
  await watch.start(source);
  await end(tasks);
  clock.pass(1000);
  return rig;
}

/** The pass that began last is over. */
async function end(tasks: TestTasks): Promise<void> {
  tasks.passes.at(-1)?.end();
  await turns();
}

function tell(watch: Watch, ...paths: readonly string[]): void {
  for (const path of paths) watch.path(path as RelPath);
}

/** Who listens to the pass that began last. */
function latest(tasks: TestTasks): RunListener {
  const pass = tasks.passes.at(-1);
  if (pass === undefined) throw new Error('no pass has begun');
  return pass.listener;
}

/** A task runs in the pass that began last. */
function runs({ tasks, clock }: Rig, name: string, path: string, ms: number, meanwhile: () => void = () => {}): void {
  const listener = latest(tasks);
  listener({ type: 'start', name, reasons: outcomeOf(name, 'ran', path).reasons });
  clock.pass(ms / 2);
  meanwhile();
  clock.pass(ms / 2);
  listener({ type: 'done', outcome: outcomeOf(name, 'ran', path) });
}

test('the first round begins at once, and is told even if there is nothing to do', async () => {
  const { tasks, rounds, events, source } = await started();
  assert.is(tasks.passes.length, 1);
  assert.equal(
    rounds.map(({ number, cause }) => [number, cause]),
    [[1, 'start']],
  );
  assert.ok(events.some(({ type }) => type === 'watching'));
  assert.equal(source.scopes[0]?.paths, ['config']);
});

test('a save begins a pass within 20 ms, and only for the tasks that read it', async () => {
  const { tasks, clock, watch } = await started();
  tell(watch, 'one/a');
  assert.is(tasks.passes.length, 1);
  clock.pass(20);
  assert.is(tasks.passes.length, 2);
  assert.equal(tasks.dirtied.at(-1), ['one']);
  assert.equal(tasks.rechecked.at(-1), ['one/a']);
});

test('events of one save are one pass', async () => {
  const { tasks, clock, watch } = await started();
  tell(watch, 'one/.a.tmp', 'one/a');
  for (let ms = 0; ms < 10; ms++) {
    clock.pass(1);
    tell(watch, 'one/a');
  }
  tell(watch, 'one/a', 'one', 'three/b');
  clock.pass(500);
  assert.is(tasks.passes.length, 2);
  assert.equal(tasks.dirtied.at(-1), ['one', 'three']);
});

test('a save that goes on begins a pass after 20 ms', async () => {
  const { tasks, clock, watch } = await started();
  for (let ms = 0; ms < 20; ms++) {
    assert.is(tasks.passes.length, 1);
    tell(watch, 'one/a');
    clock.pass(1);
  }
  assert.is(tasks.passes.length, 2);
});

test('what nobody reads or writes begins nothing', async () => {
  const { tasks, clock, watch } = await started();
  tell(watch, 'other/a', 'config');
  clock.pass(500);
  assert.is(tasks.passes.length, 1);
});

test('a file that would be of the configuration is watched for and told as one', async () => {
  const { clock, watch, events, source } = await started();
  const [scope] = source.scopes;
  assert.ok(scope?.bases.includes('packages' as RelPath));
  assert.ok(scope?.enters('packages/new' as RelPath));
  tell(watch, 'packages/new/other');
  clock.pass(500);
  assert.not(events.some(({ type }) => type === 'configuration'));
  tell(watch, 'packages/new/config');
  clock.pass(10);
  assert.ok(events.some(({ type }) => type === 'configuration'));
});

test('so is a folder that comes to be or is gone in which there may be one', async () => {
  for (const [folder, isTold] of [
    ['packages/new', true],
    ['packages', true],
    ['packages/new/src', false],
    ['other', false],
  ] as const) {
    const { clock, watch, events } = await started();
    watch.folder(folder as RelPath);
    clock.pass(10);
    assert.is(
      events.some(({ type }) => type === 'configuration'),
      isTold,
      folder,
    );
  }
});

test('a file of the configuration is told as such, and no pass begins before it is read', async () => {
  const rig = await started();
  const { tasks, clock, watch, events } = rig;
  rig.isPrompt = false;
  tell(watch, 'config', 'one/a');
  clock.pass(10);
  assert.is(events.at(-1)?.type, 'configuration');
  tell(watch, 'three/b');
  clock.pass(500);
  assert.is(tasks.passes.length, 1);
  watch.configured();
  clock.pass(10);
  assert.is(tasks.passes.length, 2);
  assert.equal(tasks.dirtied.at(-1), ['one', 'three']);
});

test('where anything may have changed, the configuration may have', async () => {
  const { watch, clock, events } = await started();
  watch.anything();
  clock.pass(10);
  assert.is(events.at(-1)?.type, 'configuration');
});

test('an event during a pass begins another one, which takes over', async () => {
  const { tasks, clock, watch, rounds } = await started();
  tell(watch, 'one/a');
  clock.pass(10);
  const pass = tasks.passes[1];
  assert.not.ok(pass?.signal.aborted);
  tell(watch, 'three/a');
  clock.pass(10);
  assert.ok(pass?.signal.aborted);
  assert.is(tasks.passes.length, 3);
  pass?.end();
  await turns();
  assert.is(rounds.length, 1, 'the pass that was taken over has nothing to say');
});

test('nothing is told of a round without news', async () => {
  const { tasks, clock, watch, rounds, events } = await started();
  const before = events.length;
  tell(watch, 'one/a');
  clock.pass(10);
  await end(tasks);
  assert.is(rounds.length, 1);
  assert.is(events.length, before);
});

test('a round is told with the files that made it run, once, whatever the number of its passes', async () => {
  const rig = await started();
  const { tasks, clock, watch, rounds, events } = rig;
  tell(watch, 'one/.a.tmp', 'one/a');
  clock.pass(10);
  runs(rig, 'one', 'one/a', 10);
  clock.pass(200);
  tell(watch, 'three/b');
  clock.pass(10);
  runs(rig, 'three', 'three/b', 10);
  await end(tasks);
  const [, round] = rounds;
  assert.equal([round?.number, round?.cause, round?.passes], [2, 'change', 2]);
  assert.equal(round?.paths, ['one/a', 'three/b']);
  assert.equal(round?.told, ['one', 'three']);
  assert.equal([round?.summary.ran, round?.summary.cached], [2, 1]);
  const heads = events.filter((event) => event.type === 'round').map((event) => event.paths);
  assert.equal(heads, [[], ['one/a']]);
});

test('what a service prints at rest is no round, and that it goes down is one of its own', async () => {
  const { tasks, clock, events, rounds } = await started();
  const listener = latest(tasks);
  const before = events.length;
  clock.pass(5000);
  listener({ type: 'output', name: 'three', chunk: new Uint8Array(), replayed: false });
  assert.equal(
    events.slice(before).map(({ type }) => type),
    ['task'],
  );
  clock.pass(5000);
  listener({ type: 'done', outcome: outcomeOf('three', 'failed') });
  assert.equal(
    events.slice(before + 1).map(({ type }) => type),
    ['round', 'task', 'rested'],
  );
  const { cause, paths, told, summary } = rounds.at(-1) ?? {};
  assert.equal([cause, paths, told, summary?.ms], ['change', [], ['three'], 0]);
});

test('several files wait for some quiet, and no longer than ten seconds', async () => {
  const { tasks, clock, watch } = await started();
  tell(watch, ...Array.from({ length: 9 }, (_, file) => `three/${file}`));
  for (let file = 0; file < 100; file++) {
    tell(watch, `one/${file}`);
    clock.pass(30);
  }
  assert.is(tasks.passes.length, 1);
  clock.pass(50);
  assert.is(tasks.passes.length, 2);
  tell(watch, ...Array.from({ length: 9 }, (_, file) => `two/${file}`));
  for (let file = 0; file < 333; file++) {
    tell(watch, `one/${file}`);
    clock.pass(30);
  }
  assert.is(tasks.passes.length, 2);
  clock.pass(10);
  assert.is(tasks.passes.length, 3);
});

test('five thousand files are one pass in which everything is looked at, and looked at once more', async () => {
  const { tasks, clock, watch } = await started();
  for (let file = 0; file < 5000; file++) {
    tell(watch, `one/${file}`);
    if (file % 10 === 0) clock.pass(1);
  }
  clock.pass(100);
  assert.is(tasks.passes.length, 2);
  assert.is(tasks.recheckedAll, 1);
  await end(tasks);
  clock.pass(900);
  assert.is(tasks.passes.length, 2);
  clock.pass(200);
  assert.is(tasks.passes.length, 3);
  assert.is(tasks.recheckedAll, 2);
  await end(tasks);
  clock.pass(60_000);
  assert.is(tasks.passes.length, 3);
});

test('while somebody holds a lock a pass waits for its end, and takes no more time than without one', async () => {
  const { watch, clock, tasks, source } = await started();
  source.held = 'lock 1';
  for (let file = 0; file < 2000; file++) {
    tell(watch, `one/${file}`);
    if (file % 100 === 0) clock.pass(500);
  }
  assert.is(tasks.passes.length, 1, 'more than ten seconds, and pauses longer than the usual quiet');
  source.held = undefined;
  clock.pass(110);
  assert.is(tasks.passes.length, 2);
  await end(tasks);
  clock.pass(2000);
  await end(tasks);
  source.held = 'lock 2';
  tell(watch, 'one/a');
  clock.pass(50);
  source.held = undefined;
  const before = tasks.passes.length;
  clock.pass(10);
  assert.is(tasks.passes.length, before + 1);
});

test('a lock that nobody gives back delays one pass by a second, and no other one', async () => {
  const { watch, clock, tasks, source } = await started();
  source.held = 'left behind';
  tell(watch, 'one/a');
  clock.pass(990);
  assert.is(tasks.passes.length, 1);
  clock.pass(20);
  assert.is(tasks.passes.length, 2);
  await end(tasks);
  for (let save = 0; save < 3; save++) {
    tell(watch, 'one/a');
    clock.pass(10);
    assert.is(tasks.passes.length, 3 + save);
    await end(tasks);
  }
  source.held = 'another one';
  tell(watch, 'one/a');
  clock.pass(100);
  assert.is(tasks.passes.length, 5, 'what another command does is waited for again');
});

test('under a lock with changes without an end a pass begins after half a minute', async () => {
  const { watch, clock, tasks, source } = await started();
  source.held = 'lock';
  for (let ms = 0; ms < 29_500; ms += 500) {
    tell(watch, `one/${ms}`);
    clock.pass(500);
  }
  tell(watch, 'one/a');
  clock.pass(490);
  assert.is(tasks.passes.length, 1);
  clock.pass(20);
  assert.is(tasks.passes.length, 2);
});

test('after the event loop stood still with events behind it, everything is looked at', async () => {
  const { tasks, clock, watch } = await started();
  tell(watch, 'one/a');
  clock.pass(10);
  clock.stall(300);
  tell(watch, 'one/a');
  clock.pass(10);
  assert.is(tasks.recheckedAll, 1);
  clock.stall(300);
  await end(tasks);
  clock.pass(5000);
  assert.is(tasks.recheckedAll, 1, 'nothing came behind it, so nothing was lost');
});

test('even if what came behind it matters to nobody', async () => {
  const { tasks, clock, watch, events } = await started();
  tell(watch, 'one/a');
  clock.pass(10);
  clock.stall(300);
  tell(watch, 'other/a');
  clock.pass(10);
  assert.is(tasks.recheckedAll, 1);
  assert.ok(events.some(({ type }) => type === 'configuration'));
});

test('what a task writes among its outputs while it is at work begins nothing', async () => {
  const rig = await started();
  const { tasks, clock, watch } = rig;
  tell(watch, 'two/a');
  clock.pass(10);
  runs(rig, 'two', 'two/a', 1000, () => tell(watch, 'out/two/own', 'out/two'));
  await end(tasks);
  clock.pass(5000);
  assert.is(tasks.passes.length, 2);
});

test('what comes late of it is looked at once', async () => {
  const rig = await started();
  const { tasks, clock, watch } = rig;
  tell(watch, 'two/a');
  clock.pass(10);
  runs(rig, 'two', 'two/a', 10);
  tell(watch, 'out/two/own');
  await end(tasks);
  clock.pass(5000);
  assert.is(tasks.passes.length, 3);
  assert.equal(tasks.dirtied.at(-1), ['two']);
});

test('what somebody else writes among the outputs of a task at work is not lost', async () => {
  const rig = await started();
  const { tasks, clock, watch } = rig;
  tell(watch, 'two/a');
  clock.pass(10);
  runs(rig, 'two', 'two/a', 10, () => tell(watch, 'out/two/foreign'));
  clock.pass(GRACE + 10);
  assert.equal(tasks.rechecked.at(-1), ['out/two/foreign']);
});

test('nor is what may have happened in a folder that comes to be while one of those works that write there', async () => {
  const rig = await started();
  const { tasks, clock, watch } = rig;
  tell(watch, 'two/a');
  clock.pass(10);
  const listener = latest(tasks);
  listener({ type: 'start', name: 'two', reasons: [] });
  watch.folder('out' as RelPath);
  clock.pass(10);
  assert.equal(tasks.dirtied.at(-1), ['one'], 'whose outputs may be gone');
  listener({ type: 'done', outcome: outcomeOf('two', 'ran', 'two/a') });
  clock.pass(10);
  assert.equal(tasks.dirtied.at(-1), ['three'], 'which reads what people put there');
  assert.equal(tasks.rechecked.at(-2), ['out']);
});

test('nor in one that is told when its writers are over, since what they wrote was taken in before', async () => {
  const rig = await started();
  const { tasks, clock, watch } = rig;
  tell(watch, 'two/a', 'one/a');
  clock.pass(10);
  const listener = latest(tasks);
  for (const name of ['one', 'two']) listener({ type: 'start', name, reasons: [] });
  for (const name of ['one', 'two']) listener({ type: 'done', outcome: outcomeOf(name, 'ran') });
  watch.folder('out' as RelPath);
  clock.pass(10);
  assert.equal(tasks.dirtied.at(-1), ['one', 'three', 'two']);
});

test('nor is what happens where a task writes more than is kept in mind', async () => {
  const rig = await started();
  const { tasks, clock, watch } = rig;
  tell(watch, 'two/a');
  clock.pass(10);
  const paths = Array.from({ length: 10_000 }, (_, index) => `out/two/own/${index}`);
  runs(rig, 'two', 'two/a', 1000, () => tell(watch, ...paths, 'out/two/foreign'));
  await end(tasks);
  clock.pass(1000);
  assert.is(tasks.recheckedAll, 1);
});

test('outputs that change while nobody is at work are looked at', async () => {
  const { tasks, clock, watch } = await started();
  tell(watch, 'out/three/own');
  clock.pass(10);
  assert.equal(tasks.dirtied.at(-1), ['three']);
});

test('another number of what is depended on has the source follow, and what is new to it is looked at', async () => {
  const { tasks, clock, watch, source } = await started();
  tasks.revision = 1;
  source.isMore = true;
  tell(watch, 'one/a');
  clock.pass(10);
  await end(tasks);
  assert.is(source.scopes.length, 2);
  clock.pass(10);
  assert.is(tasks.recheckedAll, 1);
});

/** Rounds in which a task changes a path as long after its start each time, until it is left alone. */
async function loop(rig: Rig, task: string, path: string, more: () => void = () => {}): Promise<number> {
  const { tasks, clock, watch, events } = rig;
  tell(watch, path);
  clock.pass(10);
  for (let runsSoFar = 1; ; runsSoFar++) {
    const passes = tasks.passes.length;
    runs(rig, task, path, 100, () => tell(watch, path));
    await end(tasks);
    more();
    if (events.some(({ type }) => type === 'loop') || runsSoFar === 20) return runsSoFar;
    for (let waited = 0; tasks.passes.length === passes && waited < 50; waited++) clock.pass(100);
  }
}

test('a task that changes what it reads is named with the file, and left alone', async () => {
  const rig = await started();
  const { tasks, clock, events } = rig;
  assert.is(await loop(rig, 'one', 'one/a'), 5);
  const loops = events.flatMap((event) => (event.type === 'loop' ? event.loops : []));
  assert.equal(loops, [{ task: 'one', path: 'one/a', reader: 'one' }]);
  const { length } = tasks.passes;
  clock.pass(60_000);
  assert.is(tasks.passes.length, length);
});

test('so is one that changes what a task reads that it needs', async () => {
  const rig = await started();
  await loop(rig, 'two', 'one/a');
  const loops = rig.events.flatMap((event) => (event.type === 'loop' ? event.loops : []));
  assert.equal(loops, [{ task: 'two', path: 'one/a', reader: 'one' }]);
});

test('it is taken up again when something else changes', async () => {
  const rig = await started();
  const { tasks, clock, watch, events } = rig;
  await loop(rig, 'one', 'one/a');
  clock.pass(2000);
  tell(watch, 'three/b');
  clock.pass(10);
  assert.equal(tasks.dirtied.at(-1), ['one', 'three']);
  assert.equal(tasks.rechecked.at(-1)?.toSorted(), ['one/a', 'three/b']);
  events.length = 0;
  runs(rig, 'one', 'one/a', 100);
  await end(tasks);
  clock.pass(2000);
  assert.not.ok(events.some(({ type }) => type === 'loop'));
});

test('a person who saves while the task runs is never taken for the task', async () => {
  const rig = await started();
  const { tasks, clock, watch, events } = rig;
  tell(watch, 'one/a');
  clock.pass(10);
  // As long after the start each time, but sometimes while the next round waits as well.
  for (let save = 0; save < 40; save++) {
    const { length } = tasks.passes;
    const listener = latest(tasks);
    listener({ type: 'start', name: 'one', reasons: [] });
    clock.pass(50);
    tell(watch, 'one/a');
    clock.pass(20);
    if (tasks.passes.length === length) {
      listener({ type: 'done', outcome: outcomeOf('one', 'ran', 'one/a') });
      clock.pass(200);
      tell(watch, 'one/a');
      clock.pass(20);
    } else {
      listener({ type: 'done', outcome: outcomeOf('one', 'skipped') });
    }
    assert.is(tasks.passes.length, length + 1, `save ${save} is not waited for`);
  }
  assert.not.ok(events.some(({ type }) => type === 'loop'));
});

test('asked to, it runs everything once more', async () => {
  const { tasks, watch, rounds } = await started();
  watch.force();
  assert.is(tasks.forced, 1);
  await end(tasks);
  assert.is(rounds.at(-1)?.cause, 'request');
});

test('other tasks take the place of the ones before, and everything is looked at', async () => {
  const { tasks, watch, rounds, source } = await started();
  const others = new TestTasks();
  await watch.replace(others, { paths: ['other' as RelPath], patterns: [] });
  assert.is(others.passes.length, 1);
  assert.is(others.recheckedAll, 1);
  await end(others);
  assert.is(rounds.at(-1)?.cause, 'configuration');
  await turns();
  assert.equal(source.scopes.at(-1)?.paths, ['other']);
  assert.is(tasks.passes.length, 1);
});

test('at its end all work ends, and nothing is told any more', async () => {
  const { tasks, clock, watch, source, events } = await started();
  tell(watch, 'one/a');
  clock.pass(10);
  events.length = 0;
  await watch.close();
  assert.ok(tasks.passes.at(-1)?.signal.aborted && tasks.isClosed && source.isClosed);
  tasks.passes.at(-1)?.listener({ type: 'start', name: 'one', reasons: [] });
  tell(watch, 'one/b', 'config');
  watch.anything();
  clock.pass(60_000);
  assert.equal(events, []);
  assert.is(tasks.passes.length, 2);
});

test('what costs time to find out is written down when there is quiet', async () => {
  const { tasks, clock, watch } = await started();
  const before = tasks.rests;
  tell(watch, 'one/a');
  clock.pass(10);
  await end(tasks);
  assert.is(tasks.rests, before);
  clock.pass(1000);
  assert.is(tasks.rests, before + 1);
});

test('hundreds of rounds leave nothing behind', async () => {
  const rig = await started();
  const { tasks, clock, watch } = rig;
  for (let round = 0; round < 500; round++) {
    tell(watch, `one/${round}`, `out/one/${round}`);
    clock.pass(10);
    runs(rig, 'one', `one/${round}`, 20, () => tell(watch, 'out/one/own', `out/one/${round}.new`));
    await end(tasks);
    clock.pass(700);
    await end(tasks);
    clock.pass(700);
    assert.is(clock.waiting, 0, `round ${round}`);
  }
});

test.run();
