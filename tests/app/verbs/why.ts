/** `why`: the comparison in words. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { why } from '../../../core/app/verbs/why.ts';
import type { WhyReport } from '../../../core/graph/engine.ts';
import { CHANGED, KEY } from '../_events.ts';
import { call } from '../_machine.ts';

const past = '1'.repeat(64);
const present = '2'.repeat(64);
const STALE: WhyReport = {
  task: 'a',
  verdict: 'stale',
  key: KEY,
  reasons: [CHANGED],
  parts: [
    { name: 'command', state: 'same', past, present: past },
    { name: 'inputs', state: 'changed', past, present },
    { name: 'env:CI', state: 'added', past: null, present },
    { name: 'need:b', state: 'removed', past, present: null },
  ],
  nearest: { key: KEY, filed: 1_000_000 - 90_000 },
};

const told = (report: WhyReport, ...options: string[]): ReturnType<typeof call> =>
  call(why, ['why', 'a', ...options], { a: [] }, { why: () => Promise.resolve(report) });

test('a stale task: reasons first, then every part beside the past one', async () => {
  const { stdout, code, closed } = await told(STALE);
  assert.is(
    stdout,
    [
      'a would run',
      '  src/a.ts changed',
      '',
      'compared with abababababab, 1m30s ago',
      '= command  111111111111',
      '~ inputs   111111111111 → 222222222222',
      '+ env:CI   (none) → 222222222222',
      '- need:b   111111111111 → (none)',
      '',
      `key ${KEY}`,
      '',
    ].join('\n'),
  );
  assert.equal([code, closed], [0, 1]);
});

test('a task that never ran has nothing to be compared with', async () => {
  const { stdout } = await told({ ...STALE, verdict: 'never-ran', reasons: [{ kind: 'first' }], nearest: null });
  assert.match(stdout, /^a would run: it has never run here\n {2}first run\n/);
  assert.not.match(stdout, /compared with/);
});

test('a cached task says that it is', async () => {
  const { stdout } = await told({ ...STALE, verdict: 'cached', reasons: [] });
  assert.match(stdout, /^a is cached/);
});

test('many reasons are cut', async () => {
  const { stdout } = await told({ ...STALE, reasons: Array.from({ length: 25 }, () => CHANGED) });
  assert.match(stdout, /and 5 more/);
});

test('json is the report as it is', async () => {
  const { stdout } = await told(STALE, '--json');
  assert.equal(JSON.parse(stdout), { type: 'why', ...STALE });
});

test.run();
