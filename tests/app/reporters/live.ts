/** The footer: what is on the screen at which moment, and that nothing of it stays. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Footer } from '../../../core/app/reporters/footer.ts';
import { liveReporter } from '../../../core/app/reporters/live.ts';
import { TestClock } from '../../_test-clock.ts';
import { done, end, output, start } from '../_events.ts';
import { FakeTerminal } from '../_screen.ts';

test('running tasks stand below what is over, with their time', () => {
  const [terminal, clock] = [new FakeTerminal({ isTTY: true }), new TestClock()];
  const { listener } = liveReporter(terminal, clock, 'grouped');
  listener({ type: 'plan', tasks: ['a', 'bundle', 'c'] });
  listener(done('a', 'cached', { ms: 1 }));
  listener(start('bundle'));
  clock.pass(100);
  assert.equal(terminal.screen, ['= a       cached      1ms', '… bundle  100ms', '1/3 done, 1 running']);
  listener(start('c'));
  clock.pass(1000);
  assert.equal(terminal.screen.slice(1), ['… bundle  1.1s', '… c       1s', '1/3 done, 2 running']);
  listener(done('bundle', 'ran', { ms: 1150 }));
  listener(done('c', 'ran', { ms: 1000 }));
  listener(end({ ran: 2, cached: 1 }));
  assert.equal(terminal.screen, [
    '= a       cached      1ms',
    '✓ bundle  ran        1.2s',
    '✓ c       ran          1s',
    '2 ran, 1 cached in 1.2s',
  ]);
  assert.is(clock.waiting, 0);
});

test('in a round of a watch a task that runs again is not done, and nobody knows how many will be', () => {
  const [terminal, clock] = [new FakeTerminal({ isTTY: true }), new TestClock()];
  const { listener } = liveReporter(terminal, clock, 'grouped');
  listener({ type: 'plan', tasks: ['a', 'b', 'c'], isOpen: true });
  listener(done('a', 'ran', { ms: 1 }));
  listener(done('b', 'ran', { ms: 1 }));
  listener(start('a'));
  clock.pass(100);
  assert.is(terminal.screen.at(-1), '1 done, 1 running');
  listener(done('a', 'ran', { ms: 100 }));
  listener(start('b'));
  clock.pass(100);
  assert.is(terminal.screen.at(-1), '1 done, 1 running');
});

test('a run that is answered from the cache never draws a footer', () => {
  const [terminal, clock] = [new FakeTerminal({ isTTY: true }), new TestClock()];
  const { listener } = liveReporter(terminal, clock, 'grouped');
  listener({ type: 'plan', tasks: ['a', 'b'] });
  listener(done('a', 'cached'));
  listener(done('b', 'cached'));
  listener(end({ cached: 2 }));
  assert.not.ok(terminal.text.includes('\u001b'));
  assert.is(terminal.screen.length, 3);
});

test('streamed lines stay above the footer', () => {
  const [terminal, clock] = [new FakeTerminal({ isTTY: true }), new TestClock()];
  const { listener } = liveReporter(terminal, clock, 'stream');
  listener({ type: 'plan', tasks: ['a'] });
  listener(start('a'));
  listener(output('a', 'one\ntwo\nthr'));
  clock.pass(100);
  assert.equal(terminal.screen, ['a │ one', 'a │ two', '… a  100ms', '0/1 done, 1 running']);
});

test('a run that breaks off leaves no footer behind', () => {
  const [terminal, clock] = [new FakeTerminal({ isTTY: true }), new TestClock()];
  const reporter = liveReporter(terminal, clock, 'stream');
  reporter.listener({ type: 'plan', tasks: ['a'] });
  reporter.listener(start('a'));
  reporter.listener(output('a', 'half'));
  reporter.close();
  reporter.close();
  assert.equal(terminal.screen, ['a │ half']);
  assert.is(clock.waiting, 0);
});

test('many running tasks are cut to a few rows', () => {
  const [terminal, clock] = [new FakeTerminal({ isTTY: true }), new TestClock()];
  const { listener } = liveReporter(terminal, clock, 'grouped');
  for (let i = 0; i < 20; i++) listener(start(`t${i}`));
  clock.pass(200);
  assert.is(terminal.screen.length, 9);
  assert.match(terminal.screen.at(-1) ?? '', /20 running, 12 not shown/);
});

test('and to what a low terminal has room for, the numbers before all else', () => {
  for (const [rows, lines] of [
    [6, 5],
    [2, 1],
    [1, 1],
  ] as const) {
    const [terminal, clock] = [new FakeTerminal({ isTTY: true, rows }), new TestClock()];
    const { listener } = liveReporter(terminal, clock, 'grouped');
    for (let i = 0; i < 20; i++) listener(start(`t${i}`));
    clock.pass(200);
    assert.is(terminal.screen.length, lines);
    assert.match(terminal.screen.at(-1) ?? '', new RegExp(`20 running, ${21 - lines} not shown`));
  }
});

test('the footer is cut to the width, in cells', () => {
  const [terminal, clock] = [new FakeTerminal({ isTTY: true, columns: 10 }), new TestClock()];
  new Footer(terminal, clock, () => ['0123456789', '漢字漢字漢字']).refresh();
  clock.pass(100);
  assert.equal(terminal.screen, ['01234567…', '漢字漢字…']);
});

test('it is redrawn at most ten times a second, and written to only when something changed', () => {
  const [terminal, clock] = [new FakeTerminal({ isTTY: true }), new TestClock()];
  let text = 'x';
  const footer = new Footer(terminal, clock, () => [text]);
  for (let ms = 0; ms < 1000; ms++) {
    text = `x${ms}`;
    footer.write(`line ${ms}\n`);
    clock.pass(1);
  }
  assert.ok(terminal.writes.length <= 11, String(terminal.writes.length));
  const before = terminal.writes.length;
  clock.pass(150);
  const after = terminal.writes.length;
  clock.pass(2000);
  assert.ok(after - before <= 2);
  assert.is(terminal.writes.length, after);
  footer.close();
  assert.equal(
    terminal.screen,
    Array.from({ length: 1000 }, (_, i) => `line ${i}`),
  );
});

test('it is taken away for others who write, and comes again', () => {
  const [terminal, clock] = [new FakeTerminal({ isTTY: true }), new TestClock()];
  const { listener, hide } = liveReporter(terminal, clock, 'grouped');
  listener({ type: 'plan', tasks: ['a'] });
  listener(start('a'));
  clock.pass(100);
  hide?.();
  terminal.write('somebody else\n');
  clock.pass(100);
  assert.equal(terminal.screen, ['somebody else', '… a  200ms', '0/1 done, 1 running']);
});

test('lines that a narrower window has wrapped are erased whole', () => {
  const [terminal, clock] = [new FakeTerminal({ isTTY: true, columns: 40 }), new TestClock()];
  const footer = new Footer(terminal, clock, () => ['x'.repeat(39), 'y']);
  footer.refresh();
  clock.pass(100);
  terminal.columns = 20;
  footer.close();
  assert.ok(terminal.text.endsWith('\u001b[3A\u001b[0J'));
});

test.run();
