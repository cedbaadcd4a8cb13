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
  message: null,
  causes: [],
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
      'the files it read: fleche lineage a',
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

test('behind other tasks the ones are named that it begins with', async () => {
  const causes = [
    { name: 'core', reasons: [CHANGED], message: null },
    { name: 'gen', reasons: [], message: 'it cannot be asked for\n  Do this.' },
  ];
  const reasons = [{ kind: 'pending', task: 'b' }] as const;
  const { stdout } = await told({ ...STALE, reasons, causes, parts: [], nearest: null, key: null });
  assert.is(
    stdout,
    [
      'a would run',
      '  needs b',
      '',
      'which begins with',
      '  core  src/a.ts changed',
      '  gen',
      '  it cannot be asked for',
      '    Do this.',
      '',
    ].join('\n'),
  );
});

test('a task that cannot be asked for says what stands in the way', async () => {
  const { stdout } = await told({ ...STALE, reasons: [], message: 'it reads b\n  Add b.', nearest: null, key: null });
  assert.match(stdout, /^a cannot run\n {2}it reads b\n {4}Add b\.\n/);
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
