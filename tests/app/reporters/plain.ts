/** What the plain reporter writes, to the letter. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PlainReporter } from '../../../core/app/reporters/plain.ts';
import type { LogMode, ReportMode } from '../../../core/app/reporters/reporter.ts';
import type { RunEvent } from '../../../core/graph/tasks/outcome.ts';
import { CHANGED, done, end, output, start } from '../_events.ts';
import { FakeTerminal } from '../_screen.ts';

function told(events: readonly RunEvent[], log: LogMode = 'grouped', mode: ReportMode = 'run', colors = false): string {
  const terminal = new FakeTerminal({ colors });
  const reporter = new PlainReporter(terminal, { log, mode, summary: true });
  for (const event of events) reporter.listener(event);
  reporter.close();
  return terminal.text;
}

const EVENTS: readonly RunEvent[] = [
  { type: 'plan', tasks: ['codegen', 'bundle', 'test', 'report'] },
  output('codegen', 'generated 3 files\n', true),
  done('codegen', 'cached', { ms: 3, restored: 2 }),
  start('bundle'),
  output('bundle', 'half a '),
  output('bundle', 'line\nno break at the end'),
  done('bundle', 'ran', { ms: 1234, reasons: [CHANGED, { kind: 'env', name: 'NODE_ENV', change: 'changed' }] }),
  start('test'),
  output('test', 'boom\n'),
  done('test', 'failed', { ms: 400, reasons: [{ kind: 'first' }], message: 'exited with code 1', exitCode: 1 }),
  done('report', 'skipped', { key: null, reasons: [{ kind: 'pending', task: 'test' }] }),
  end({ ran: 1, cached: 1, failed: 1, skipped: 1, saved: 4500 }),
];

test('grouped: every task has its line, and what it printed below it', () => {
  assert.is(
    told(EVENTS),
    [
      '= codegen  cached      3ms  2 outputs put right',
      '  │ generated 3 files',
      '✓ bundle   ran        1.2s  src/a.ts changed, NODE_ENV changed',
      '  │ half a line',
      '  │ no break at the end',
      '✗ test     failed    400ms  exited with code 1; first run',
      '  │ boom',
      '- report   skipped          needs test',
      'failed: test',
      '1 failed, 1 ran, 1 cached, 1 skipped in 1.2s, saved 4.5s',
      '',
    ].join('\n'),
  );
});

test('what a function threw is told once: where it is printed with its place', () => {
  const failed = (printed: string): string =>
    told([
      { type: 'plan', tasks: ['f'] },
      start('f'),
      output('f', printed),
      done('f', 'failed', { ms: 4, reasons: [{ kind: 'first' }], message: 'it broke' }),
    ]);
  assert.is(
    failed('Error: it broke\n    at f.ts:1\n'),
    '✗ f  failed      4ms  first run\n  │ Error: it broke\n  │     at f.ts:1\n',
  );
  assert.match(failed('it broke, they say\n'), '✗ f  failed      4ms  it broke; first run\n');
});

test('a failed attempt is told with what it printed, and the next begins with an empty page', () => {
  const retry: RunEvent = {
    type: 'retry',
    name: 'test',
    attempt: 1,
    attempts: 3,
    message: 'exited with code 1',
    ms: 2000,
  };
  const events = [
    start('test'),
    output('test', 'boom\n'),
    retry,
    output('test', 'fine\n'),
    done('test', 'ran', { ms: 20, reasons: [CHANGED] }),
  ];
  assert.is(
    told(events),
    [
      '↻ test: attempt 1 of 3 exited with code 1; again in 2s',
      '  │ boom',
      '✓ test  ran        20ms  src/a.ts changed',
      '  │ fine',
      '',
    ].join('\n'),
  );
});

test('stream: lines have the name of their task and come before its own line', () => {
  assert.is(
    told(EVENTS, 'stream'),
    [
      'codegen │ generated 3 files',
      '= codegen  cached      3ms  2 outputs put right',
      'bundle  │ half a line',
      'bundle  │ no break at the end',
      '✓ bundle   ran        1.2s  src/a.ts changed, NODE_ENV changed',
      'test    │ boom',
      '✗ test     failed    400ms  exited with code 1; first run',
      '- report   skipped          needs test',
      'failed: test',
      '1 failed, 1 ran, 1 cached, 1 skipped in 1.2s, saved 4.5s',
      '',
    ].join('\n'),
  );
});

test('quiet: failures, what they printed, and the closing line', () => {
  assert.is(
    told(EVENTS, 'quiet'),
    [
      '✗ test     failed    400ms  exited with code 1; first run',
      '  │ boom',
      '1 failed, 1 ran, 1 cached, 1 skipped in 1.2s, saved 4.5s',
      '',
    ].join('\n'),
  );
});

test('a plan says what would be, without times', () => {
  const events: readonly RunEvent[] = [
    { type: 'plan', tasks: ['a', 'b'] },
    done('a', 'ran', { reasons: [CHANGED] }),
    done('b', 'ran', { key: null, reasons: [{ kind: 'pending', task: 'a' }] }),
    end({ ran: 2 }),
  ];
  assert.is(
    told(events, 'grouped', 'plan'),
    '✓ a  would run  src/a.ts changed\n✓ b  would run  needs a\n2 would run\n',
  );
});

test('a failure whose line is the last is not named again', () => {
  const text = told([done('a', 'cached'), done('b', 'failed', { message: 'no' }), end({ failed: 1, cached: 1 })]);
  assert.not.match(text, /^failed: /m);
});

test('a task that failed and ran again in one round of a watch failed if it did the last time', () => {
  const failed = done('a', 'failed', { message: 'no' });
  const last = [done('b', 'ran'), end({ ran: 1 })];
  assert.not.match(told([failed, done('a', 'ran'), ...last]), /^failed: /m);
  assert.match(told([failed, failed, ...last]), /^failed: a$/m);
});

test('a message of several lines keeps them below the task', () => {
  const text = told([done('a', 'failed', { message: 'broken\nat line 3' })]);
  assert.is(text, '✗ a  failed     12ms  broken\n    at line 3\n');
});

test('nor is what leads to them parted from them by the reasons', () => {
  const text = told([done('a', 'failed', { message: '2 of 3 items failed:\nx\ny', reasons: [CHANGED] })]);
  assert.match(text, /2 of 3 items failed; src\/a\.ts changed:\n {4}x\n {4}y\n$/);
});

test('a warning names its task', () => {
  const text = told([
    { type: 'warning', name: 'a', message: 'left processes running' },
    { type: 'warning', name: null, message: 'cache is full' },
  ]);
  assert.is(text, '! a: left processes running\n! cache is full\n');
});

test('a run without tasks says so', () => {
  assert.is(told([{ type: 'plan', tasks: [] }, end({ ms: 4 })]), 'nothing to do in 4ms\n');
});

test('without colours nothing is written that acts on a terminal, whatever names and tasks contain', () => {
  const evil = '\u001b[2Jx\r\u202e\u0007';
  const events: readonly RunEvent[] = [
    { type: 'plan', tasks: [evil] },
    output(evil, `${evil}\u001b[31mred\u001b[0m\n`),
    { type: 'warning', name: evil, message: evil },
    done(evil, 'failed', { reasons: [{ kind: 'file', change: 'added', path: evil }], message: evil }),
    done('z', 'cached'),
    end({ failed: 1 }),
  ];
  for (const log of ['grouped', 'stream', 'quiet'] as const) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    assert.not.match(told(events, log), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  }
});

test('with colours what a task paints stays painted and ends with its line', () => {
  const text = told([output('a', '\u001b[31mred\u001b[2K\nplain\n'), done('a', 'ran')], 'stream', 'run', true);
  const [first, second] = text.split('\n');
  assert.ok(first?.endsWith('\u001b[31mred\u001b[0m'), text);
  assert.ok(second?.endsWith('plain'), text);
});

test('what a task printed that never came to its end is shown at the close', () => {
  assert.is(told([output('a', 'half')], 'stream'), 'a │ half\n');
});

test('on a screen names take no more than half of it: longer ones lose their middle, but for that of a failure', () => {
  const long = `@company/a-package-with-a-name-of-its-own#build`;
  const events: readonly RunEvent[] = [
    { type: 'plan', tasks: [long, 'b'] },
    done(long, 'ran', { ms: 5 }),
    done('b', 'cached', { ms: 1 }),
    done(long, 'failed', { ms: 5, message: 'exited with code 1' }),
  ];
  const onScreen = (columns: number): readonly string[] => {
    const terminal = new FakeTerminal({ isTTY: true, columns });
    const reporter = new PlainReporter(terminal, { log: 'grouped', mode: 'run', summary: false });
    for (const event of events) reporter.listener(event);
    return terminal.text.split('\n');
  };
  assert.equal(onScreen(40), [
    '✓ @company/…-own#build  ran         5ms',
    '= b                     cached      1ms',
    `✗ ${long}  failed      5ms  exited with code 1`,
    '',
  ]);
  assert.match(onScreen(120)[0] ?? '', `✓ ${long}  ran `);
  assert.match(told(events), `✓ ${long}  ran `);
});

test.run();
