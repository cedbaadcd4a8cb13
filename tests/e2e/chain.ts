/** The promise of the whole: a chain of commands runs exactly what content makes necessary. */
import { chmodSync, statSync, utimesSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL_CACHED, ALL_RAN, CHAIN } from './_chain.ts';
import { type Rig, withRig } from './_rig.ts';

/** A project whose tasks have all run once. */
async function afterFirstRun(use: (rig: Rig) => Promise<void>): Promise<void> {
  await withRig(CHAIN, async (rig) => {
    assert.is((await rig.run()).code, 0);
    await use(rig);
  });
}

/** Runs and asserts that everything was answered from the cache and no command was started. */
async function assertAllCached(rig: Rig): Promise<void> {
  const { code, outcomes, log, stderr } = await rig.run();
  assert.is(code, 0, stderr);
  assert.equal(outcomes, ALL_CACHED);
  assert.equal(log, []);
}

test('the first run runs everything, in the order of needs', async () => {
  await withRig(CHAIN, async (rig) => {
    const { code, outcomes, summary, log, stderr } = await rig.run();
    assert.is(code, 0, stderr);
    assert.equal(outcomes, ALL_RAN);
    assert.equal([summary?.ran, summary?.cached, summary?.failed, summary?.skipped], [3, 0, 0, 0]);
    assert.equal(log, ['strip', 'join', 'count']);
    assert.equal(JSON.parse(rig.read('report.json')), { words: 12, unit: 'words', other: null });
  });
});

test('the second run starts no command at all', async () => {
  await afterFirstRun(async (rig) => {
    const before = rig.snapshot();
    await assertAllCached(rig);
    assert.equal(rig.snapshot(), before);
  });
});

test('an edit that leaves the output as it was stops there', async () => {
  await afterFirstRun(async (rig) => {
    const report = rig.read('report.json');
    rig.edit('src/one.txt', 'the first text\n', 'the first text  \t\n');
    const { outcomes, log, tasks } = await rig.run();
    assert.equal(outcomes, { strip: 'ran', join: 'cached', count: 'cached' });
    assert.equal(log, ['strip']);
    assert.equal(tasks['strip']?.reasons, [{ kind: 'file', change: 'changed', path: 'src/one.txt' }]);
    assert.is(rig.read('report.json'), report);
  });
});

test('an edit that changes the output goes as far as it matters', async () => {
  await afterFirstRun(async (rig) => {
    rig.edit('src/one.txt', 'two', 'three four');
    const { outcomes, log } = await rig.run();
    assert.equal(outcomes, ALL_RAN);
    assert.equal(log, ['strip', 'join', 'count']);
    assert.is(JSON.parse(rig.read('report.json')).words, 13);
  });
});

test('deleted outputs come back with bytes, modes and links', async () => {
  await afterFirstRun(async (rig) => {
    const before = rig.snapshot();
    rig.remove('gen', 'build', 'report.json');
    await assertAllCached(rig);
    assert.equal(rig.snapshot(), before);
  });
});

test('one deleted output comes back', async () => {
  await afterFirstRun(async (rig) => {
    const before = rig.snapshot();
    rig.remove('build/latest', 'gen/deep/two.txt');
    await assertAllCached(rig);
    assert.equal(rig.snapshot(), before);
  });
});

test('an output edited by hand is put right', async () => {
  await afterFirstRun(async (rig) => {
    const before = rig.snapshot();
    rig.append('build/all.txt', 'by hand\n');
    rig.write({ 'report.json': 'by hand' });
    const { outcomes, tasks, log } = await rig.run();
    assert.equal(outcomes, ALL_CACHED);
    assert.equal(log, []);
    assert.is(tasks['join']?.restored, 1);
    assert.is(tasks['count']?.restored, 1);
    assert.equal(rig.snapshot(), before);
  });
});

test('an output edited to the same length and time is put right', async () => {
  await afterFirstRun(async (rig) => {
    const before = rig.snapshot();
    const { atime, mtime } = statSync(rig.path('build/all.txt'));
    rig.edit('build/all.txt', 'first', 'FIRST');
    utimesSync(rig.path('build/all.txt'), atime, mtime);
    await assertAllCached(rig);
    assert.equal(rig.snapshot(), before);
  });
});

test('an output whose mode was changed is put right', async () => {
  await afterFirstRun(async (rig) => {
    const before = rig.snapshot();
    chmodSync(rig.path('build/show.sh'), 0o644);
    await assertAllCached(rig);
    assert.equal(rig.snapshot(), before);
  });
});

test('a renamed input is another input', async () => {
  await afterFirstRun(async (rig) => {
    rig.rename('src/one.txt', 'src/uno.txt');
    const { outcomes } = await rig.run();
    assert.equal(outcomes, ALL_RAN);
    assert.not.ok(rig.exists('gen/one.txt'), 'what the old name had made is gone');
    assert.ok(rig.exists('gen/uno.txt'));
    assert.match(rig.read('build/all.txt'), /== uno\.txt/);
  });
});

test('two inputs that swap their contents are changed', async () => {
  await afterFirstRun(async (rig) => {
    const [one, two] = [rig.read('src/one.txt'), rig.read('src/deep/two.txt')];
    rig.write({ 'src/one.txt': two, 'src/deep/two.txt': one });
    assert.equal((await rig.run()).outcomes, ALL_RAN);
  });
});

test('a removed input takes its output with it', async () => {
  await afterFirstRun(async (rig) => {
    rig.remove('src/deep');
    const { outcomes, tasks } = await rig.run();
    assert.equal(outcomes, ALL_RAN);
    assert.equal(tasks['strip']?.reasons, [{ kind: 'file', change: 'removed', path: 'src/deep/two.txt' }]);
    assert.not.ok(rig.exists('gen/deep/two.txt'));
    assert.is(JSON.parse(rig.read('report.json')).words, 7);
  });
});

test('a new file that matches is an input', async () => {
  await afterFirstRun(async (rig) => {
    rig.write({ 'src/new/three.txt': 'third\n' });
    const { outcomes, tasks } = await rig.run();
    assert.equal(outcomes, ALL_RAN);
    assert.equal(tasks['strip']?.reasons, [{ kind: 'file', change: 'added', path: 'src/new/three.txt' }]);
    assert.match(rig.read('build/all.txt'), /== new\/three\.txt\nthird\n/);
  });
});

test('a file that matches nothing re-runs nothing', async () => {
  await afterFirstRun(async (rig) => {
    rig.write({ 'notes.md': 'changed', 'src/four.md': 'new', 'other/five.txt': 'new' });
    await assertAllCached(rig);
  });
});

test('a touched input re-runs nothing', async () => {
  await afterFirstRun(async (rig) => {
    utimesSync(rig.path('src/one.txt'), new Date(), new Date());
    await assertAllCached(rig);
  });
});

test('an input changed to the same length and time is changed', async () => {
  await afterFirstRun(async (rig) => {
    const { atime, mtime } = statSync(rig.path('src/one.txt'));
    rig.edit('src/one.txt', 'first', 'FIRST');
    utimesSync(rig.path('src/one.txt'), atime, mtime);
    assert.equal((await rig.run()).outcomes, ALL_RAN);
  });
});

test('an input that becomes executable is changed', async () => {
  await afterFirstRun(async (rig) => {
    chmodSync(rig.path('src/one.txt'), 0o755);
    const { outcomes, tasks } = await rig.run();
    assert.equal(outcomes, { strip: 'ran', join: 'cached', count: 'cached' });
    assert.equal(tasks['strip']?.reasons, [{ kind: 'file', change: 'mode', path: 'src/one.txt' }]);
  });
});

test('a declared variable re-runs what declares it, any other one nothing', async () => {
  await afterFirstRun(async (rig) => {
    const changed = await rig.run([], { UNIT: 'tokens' });
    assert.equal(changed.outcomes, { strip: 'cached', join: 'cached', count: 'ran' });
    assert.equal(changed.tasks['count']?.reasons, [{ kind: 'env', name: 'UNIT', change: 'added' }]);
    assert.is(JSON.parse(rig.read('report.json')).unit, 'tokens');
    const other = await rig.run([], { UNIT: 'tokens', OTHER: 'x' });
    assert.equal(other.outcomes, ALL_CACHED);
    assert.equal((await rig.run()).outcomes, ALL_CACHED);
    assert.is(JSON.parse(rig.read('report.json')).unit, 'words');
  });
});

test('an undeclared variable does not reach a command', async () => {
  await withRig(CHAIN, async (rig) => {
    await rig.run([], { OTHER: 'x' });
    assert.is(JSON.parse(rig.read('report.json')).other, null);
  });
});

test('a changed command re-runs its task alone if its output stays', async () => {
  await afterFirstRun(async (rig) => {
    rig.edit('fleche.config.toml', 'node scripts/join.mjs', 'node scripts/join.mjs --again');
    const { outcomes, tasks, log } = await rig.run();
    assert.equal(outcomes, { strip: 'cached', join: 'ran', count: 'cached' });
    assert.equal(tasks['join']?.reasons, [{ kind: 'command' }]);
    assert.equal(log, ['join']);
  });
});

test('a changed script is an input like any other', async () => {
  await afterFirstRun(async (rig) => {
    rig.append('scripts/count.mjs', '// counted\n');
    assert.equal((await rig.run()).outcomes, { strip: 'cached', join: 'cached', count: 'ran' });
  });
});

test('going back to an earlier state is answered from the cache', async () => {
  await afterFirstRun(async (rig) => {
    const before = rig.snapshot();
    rig.write({ 'src/deep/more.txt': 'more\n' });
    rig.edit('src/one.txt', 'first', 'other');
    assert.equal((await rig.run()).outcomes, ALL_RAN);
    rig.remove('src/deep/more.txt');
    rig.edit('src/one.txt', 'other', 'first');
    await assertAllCached(rig);
    assert.equal(rig.snapshot(), before, 'and what the later state made is gone');
  });
});

test('a project that is moved re-runs nothing', async () => {
  await afterFirstRun(async (rig) => {
    rig.move();
    await assertAllCached(rig);
    const before = rig.snapshot();
    rig.remove('gen', 'build', 'report.json');
    await assertAllCached(rig);
    assert.equal(rig.snapshot(), before);
  });
});

test('a file made by hand among the outputs is kept', async () => {
  await afterFirstRun(async (rig) => {
    rig.write({ 'build/mine.txt': 'mine' });
    await assertAllCached(rig);
    assert.is(rig.read('build/mine.txt'), 'mine');
    rig.edit('src/one.txt', 'first', 'other');
    await rig.run();
    assert.is(rig.read('build/mine.txt'), 'mine');
  });
});

test('without its cache the project is built anew, to the same bytes', async () => {
  await afterFirstRun(async (rig) => {
    const before = rig.snapshot();
    rig.remove('.fleche');
    const { code, outcomes } = await rig.run();
    assert.is(code, 0);
    assert.equal(outcomes, ALL_RAN);
    assert.equal(rig.snapshot(), before);
  });
});

test('only what is asked for, and what it needs, is done', async () => {
  await withRig(CHAIN, async (rig) => {
    assert.equal((await rig.run(['join'])).outcomes, { strip: 'ran', join: 'ran' });
    assert.not.ok(rig.exists('report.json'));
  });
});

test('--force runs everything again', async () => {
  await afterFirstRun(async (rig) => {
    const { outcomes, tasks } = await rig.run(['--force']);
    assert.equal(outcomes, ALL_RAN);
    assert.equal(tasks['join']?.reasons, [{ kind: 'forced' }]);
  });
});

test('--frozen runs nothing, and says so by its exit code', async () => {
  await afterFirstRun(async (rig) => {
    assert.is((await rig.run(['--frozen'])).code, 0);
    rig.edit('src/one.txt', 'first', 'other');
    const { code, log } = await rig.run(['--frozen']);
    assert.is(code, 2);
    assert.equal(log, []);
  });
});

test('a plan says what a run would do, and does nothing', async () => {
  await afterFirstRun(async (rig) => {
    rig.edit('src/one.txt', 'first', 'other');
    const before = rig.snapshot();
    const { code, stdout } = await rig.fleche(['plan', '--json']);
    assert.is(code, 0);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(lines.find((line) => line.name === 'strip')?.outcome, 'ran');
    assert.equal(rig.log(), []);
    assert.equal(rig.snapshot(), before);
  });
});

test('what a command printed is shown again on a hit', async () => {
  await afterFirstRun(async (rig) => {
    const { stdout } = await rig.fleche(['run', '--log', 'stream']);
    assert.match(stdout, /joined 2/);
    assert.not.match((await rig.fleche(['run', '--log', 'quiet'])).stdout, /joined 2/);
  });
});

test.run();
