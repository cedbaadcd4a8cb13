/** Writing to streams. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type OutputStream, StreamTerminal } from '../../../core/app/terminal/terminal.ts';

class FakeStream implements OutputStream {
  readonly writes: string[] = [];
  columns: number | undefined;
  rows: number | undefined;
  writableLength = 0;
  readonly waiting: (() => void)[] = [];

  write(text: string, done?: () => void): boolean {
    this.writes.push(text);
    if (done !== undefined && this.writableLength > 0) this.waiting.push(done);
    else done?.();
    return true;
  }
}

test('what is written in one turn is one write, and nothing waits for longer', async () => {
  const stream = new FakeStream();
  const terminal = new StreamTerminal(stream, false);
  terminal.write('a');
  terminal.write('b');
  assert.equal(stream.writes, []);
  await new Promise(setImmediate);
  assert.equal(stream.writes, ['ab']);
  terminal.write('c');
  await terminal.flush();
  assert.is(stream.writes.join(''), 'abc');
});

test('much text does not wait', () => {
  const stream = new FakeStream();
  new StreamTerminal(stream, false).write('x'.repeat(100_000));
  assert.is(stream.writes.length, 1);
});

test('who writes faster than anybody reads is asked to wait until it was read', async () => {
  const stream = new FakeStream();
  const terminal = new StreamTerminal(stream, false);
  const much = 'x'.repeat(100_000);
  assert.is(terminal.write(much), undefined);
  stream.writableLength = 10_000_000;
  const told = terminal.write(much);
  let isRead = false;
  const after = Promise.resolve(told).then(() => {
    isRead = true;
  });
  await new Promise(setImmediate);
  assert.is(isRead, false);
  for (const done of stream.waiting) done();
  await after;
  assert.is(stream.writes.join('').length, 200_000);
});

test('a muted terminal writes nothing and still flushes', async () => {
  const stream = new FakeStream();
  const terminal = new StreamTerminal(stream, false);
  terminal.write('a');
  assert.is(terminal.mute(), true);
  assert.is(terminal.mute(), false);
  terminal.write('b');
  await terminal.flush();
  await new Promise(setImmediate);
  assert.equal(stream.writes, []);
});

test('width and height follow the stream', () => {
  const stream = new FakeStream();
  const terminal = new StreamTerminal(stream, false);
  assert.equal([terminal.columns, terminal.rows], [80, 24]);
  [stream.columns, stream.rows] = [40, 10];
  assert.equal([terminal.columns, terminal.rows], [40, 10]);
});

test.run();
