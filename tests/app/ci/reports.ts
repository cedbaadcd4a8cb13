/** What CI services are told: notes, groups, a page, and a file for machines. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CiReporter } from '../../../core/app/ci/ci-reporter.ts';
import { writeJobFiles } from '../../../core/app/ci/job-files.ts';
import { jobSummary } from '../../../core/app/ci/job-summary.ts';
import { junitXml } from '../../../core/app/ci/junit.ts';
import { markupOf } from '../../../core/app/ci/markup.ts';
import type { ProviderName } from '../../../core/app/ci/provider.ts';
import type { LogMode } from '../../../core/app/reporters/reporter.ts';
import type { OutcomeKind, RunReport, TaskOutcome } from '../../../core/graph/tasks/outcome.ts';
import { inNewFolder } from '../../_new-folder.ts';
import { FakeTerminal } from '../_screen.ts';

function outcome(name: string, kind: OutcomeKind, message: string | null = null): TaskOutcome {
  return {
    type: 'task',
    name,
    outcome: kind,
    key: null,
    reasons: kind === 'cached' ? [] : [{ kind: 'file', change: 'changed', path: 'a|b.ts' }],
    ms: 1500,
    result: null,
    exitCode: null,
    message,
    restored: 0,
    attempts: 1,
    saved: 0,
  };
}

function report(...outcomes: readonly TaskOutcome[]): RunReport {
  const count = (kind: OutcomeKind): number => outcomes.filter((one) => one.outcome === kind).length;
  return {
    outcomes,
    summary: {
      type: 'summary',
      ran: count('ran'),
      cached: count('cached'),
      failed: count('failed'),
      skipped: count('skipped'),
      ms: 2000,
      saved: 3000,
    },
    frozenStale: false,
    interrupted: false,
  };
}

/** The log of a job in which these tasks print these lines. */
function logOf(
  provider: ProviderName,
  tasks: readonly (readonly [TaskOutcome, string])[],
  log: LogMode = 'grouped',
): string {
  const terminal = new FakeTerminal();
  const at = { file: 'fleche.config.toml', line: 3 };
  const reporter = new CiReporter(terminal, {
    log,
    markup: markupOf(provider, () => 7),
    secret: 'SECRET',
    place: () => at,
  });
  const { summary } = report(...tasks.map(([one]) => one));
  reporter.listener({ type: 'plan', tasks: tasks.map(([{ name }]) => name) });
  for (const [one, text] of tasks) {
    const { name } = one;
    if (text !== '') reporter.listener({ type: 'output', name, chunk: Buffer.from(text), replayed: false });
    reporter.listener({ type: 'done', outcome: one });
  }
  reporter.listener({ type: 'end', summary });
  return terminal.text;
}

test('on GitHub what ran is a group, and no command is found in what it printed', () => {
  const log = logOf('github', [[outcome('build', 'ran'), '::error::injected\n']]);
  const lines = log.split('\n');
  assert.match(lines[0] ?? '', /^::group::✓ build/);
  assert.equal(lines.slice(1, 5), ['::stop-commands::SECRET', '::error::injected', '::SECRET::', '::endgroup::']);
});

test('elsewhere what a task printed or threw is no command either, wherever in a line it stands', () => {
  const evil = '::error::a\nx ##vso[task.setvariable variable=a]b\n##[endgroup]\n--- c\n+++ d\n';
  const tasks = [
    [outcome('good', 'ran'), evil],
    [outcome('bad', 'failed', `it threw\n${evil}`), evil],
  ] as const;
  for (const mode of ['grouped', 'stream'] as const) {
    const own = /^##(?:\[group\]✓ good|\[endgroup\]$|vso\[task\.logissue )/;
    const commands = logOf('azure', tasks, mode)
      .split('\n')
      .filter((line) => line.includes('##') && !own.test(line));
    assert.equal(commands, []);
    assert.is(logOf('azure', tasks, mode).match(/^##\[endgroup\]$/gm)?.length ?? 0, mode === 'grouped' ? 1 : 0);
    assert.not.match(logOf('buildkite', tasks, mode), /^(?:---|\+\+\+) [cd]/m);
    const outside = logOf('github', tasks, mode)
      .replace(/^::stop-commands::SECRET$[\s\S]*?^::SECRET::$/gm, '')
      .replace(/^::error file=.*$/gm, '');
    assert.not.match(outside, /^\s*::error::|##\[/m);
  }
});

test('files that cannot be written cost none of the others, and only those that were asked for matter', () => {
  inNewFolder((folder) => {
    const path = (name: string): string => join(folder, name);
    const files = { junit: path('junit.xml'), page: path('no/page'), values: path('no/values'), timings: folder };
    const story = { heading: '', cache: '', timings: new Map<string, number>(), tail: () => [] };
    const told = writeJobFiles({ ...files, pageBy: 'GITHUB_STEP_SUMMARY' }, report(outcome('a', 'ran')), story);
    assert.equal(
      told.map(({ message, isAsked }) => [message.split(':')[0], isAsked]),
      [
        ['--timings', true],
        ['GITHUB_STEP_SUMMARY', false],
        ['GITHUB_OUTPUT', false],
      ],
    );
    assert.match(readFileSync(files.junit, 'utf8'), /<testcase /);
  });
});

test('lines are shown as they come, or only those of what failed', () => {
  const tasks = [
    [outcome('good', 'ran'), '::error::injected\n'],
    [outcome('bad', 'failed', 'exited with code 1'), 'oh\n'],
  ] as const;
  const stream = logOf('github', tasks, 'stream').split('\n');
  const beginning = ['::stop-commands::SECRET', 'good │ ::error::injected', '::SECRET::'];
  assert.equal(stream.slice(0, 3), beginning);
  assert.match(stream[3] ?? '', /^✓ good/);
  assert.ok(stream.lastIndexOf('oh') > stream.indexOf('bad  │ oh'), 'failures come last all the same');
  const quiet = logOf('github', tasks, 'quiet');
  assert.not.match(quiet, /good|injected/);
  assert.match(quiet, /✗ bad[\s\S]*bad failed[\s\S]*oh/);
});

test('failures come last, unfolded, with a note at the place where the task is defined', () => {
  const log = logOf('github', [
    [outcome('bad', 'failed', 'exited with code 1'), 'oh: 100%, no\n'],
    [outcome('good', 'ran'), ''],
  ]);
  assert.ok(log.indexOf('bad failed') > log.indexOf('✓ good'));
  assert.match(log, /^::error file=fleche.config.toml,line=3,title=bad exited with code 1::oh: 100%25, no$/m);
});

test('no more notes than the service shows, and the last one counts the rest', () => {
  const failures = Array.from({ length: 14 }, (_, at) => [outcome(`t${at}`, 'failed', 'is wrong'), ''] as const);
  const notes = logOf('github', failures).match(/^::error .*$/gm) ?? [];
  assert.is(notes.length, 10);
  assert.match(notes[9] ?? '', /title=5 more::t9 is wrong%0A/);
});

test('GitLab, Buildkite and Azure have groups of their own', () => {
  const build = [outcome('build', 'ran'), 'hi\n'] as const;
  assert.match(logOf('gitlab', [build]), /section_start:7:fleche_1\[collapsed=true\]\r/);
  assert.match(logOf('gitlab', [build]), /section_end:7:fleche_1\r/);
  assert.match(logOf('buildkite', [build]), /^--- ✓ build/);
  assert.match(logOf('azure', [build]), /^##\[group\]✓ build/);
  assert.match(
    logOf('azure', [[outcome('bad', 'failed', 'is wrong'), '']]),
    /##vso\[task.logissue type=error;sourcepath=/,
  );
  assert.match(logOf('generic', [build]), /^✓ build/);
});

test('the page has failures first, says why, and what is in it is nothing but text', () => {
  const page = jobSummary(report(outcome('a', 'cached'), outcome('<b>`', 'failed', 'x | y')), 'Job', 'cache: empty');
  const rows = page.split('\n').filter((line) => /^\| [❌💾]/u.test(line));
  assert.match(rows[0] ?? '', /^\| ❌ \| `<b>'` \| failed \| 1.5s \| x \\\| y; a\\\|b.ts changed \|$/);
  assert.match(rows[1] ?? '', /^\| 💾 \| `a` \| cached \|/);
  assert.match(page, /\*\*1 failed · 0 ran · 1 cached · 0 skipped\*\* · 100 % from the cache/);
});

test('a page that would be too long is cut, and says so', () => {
  const many = Array.from({ length: 30_000 }, (_, at) => outcome(`task-${at}`, 'ran'));
  const page = jobSummary(report(...many), 'Job', 'cache');
  assert.ok(Buffer.byteLength(page) < 1024 * 1024);
  assert.match(page, /\n\d+ more tasks\.\n$/);
});

test('JUnit has a case a task, and text that XML can hold', () => {
  const xml = junitXml(
    report(outcome('pkg#a', 'ran'), outcome('b', 'failed', 'x < "y"\nmore'), outcome('c', 'skipped')),
    (task) => (task === 'b' ? ['\u0001<&>\ud800'] : []),
  );
  assert.match(xml, /<testsuite name="fleche" tests="3" failures="1" errors="0" skipped="1" time="2.000">/);
  assert.match(xml, /<testcase classname="pkg" name="pkg#a" time="1.500">/);
  assert.match(xml, /<failure message="x &lt; &quot;y&quot;">x &lt; &quot;y&quot;&#10;more<\/failure>/);
  assert.match(xml, /<system-out>\ufffd&lt;&amp;&gt;\ufffd<\/system-out>/);
  assert.match(xml, /<property name="outcome" value="skipped"\/><\/properties><skipped\/>/);
});

test.run();
