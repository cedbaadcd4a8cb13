/** JSON lines: one for each task, the summary last, nothing else. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { jsonReporter } from '../../../core/app/reporters/json.ts';
import { CHANGED, done, end, KEY, output, start } from '../_events.ts';
import { FakeTerminal } from '../_screen.ts';

test('every task is one object on one line, and the summary is the last', () => {
  const terminal = new FakeTerminal();
  const { listener } = jsonReporter(terminal);
  listener({ type: 'plan', tasks: ['a', 'b\n'] });
  listener(start('a'));
  listener(output('a', 'noise\n'));
  listener({ type: 'warning', name: 'a', message: 'noise' });
  listener(done('a', 'ran', { reasons: [CHANGED], ms: 5 }));
  listener(done('b\n', 'cached'));
  listener(end({ ran: 1, cached: 1 }));
  const lines = terminal.text.split('\n');
  assert.is(lines.pop(), '');
  const [first, second, last] = lines.map((line): unknown => JSON.parse(line));
  assert.is(lines.length, 3);
  assert.equal(first, {
    type: 'task',
    name: 'a',
    outcome: 'ran',
    key: KEY,
    reasons: [{ kind: 'file', change: 'changed', path: 'src/a.ts' }],
    ms: 5,
    result: null,
    exitCode: null,
    message: null,
    restored: 0,
    saved: 0,
    attempts: 0,
  });
  assert.is((second as { readonly name: string }).name, 'b\n');
  assert.equal(last, { type: 'summary', ran: 1, cached: 1, failed: 0, skipped: 0, ms: 1234, saved: 0 });
});

test.run();
