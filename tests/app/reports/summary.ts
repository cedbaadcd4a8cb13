import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { criticalPathOf, summaryReport } from '../../../core/app/reports/summary.ts';
import { TaskGraph } from '../../../core/graph/tasks/graph.ts';
import type { RunReport } from '../../../core/graph/tasks/outcome.ts';
import { commandTask, taskMap } from '../../graph/_tasks.ts';
import { CHANGED, KEY, outcome } from '../_events.ts';

const graph = new TaskGraph(
  taskMap(
    commandTask('lib', 'x'),
    commandTask('server', 'x', { service: { ready: undefined } }),
    commandTask('app', 'x', { needs: ['lib'] }),
    commandTask('test', 'x', { needs: ['lib', 'server'] }),
  ),
);
const report: RunReport = {
  outcomes: [
    outcome('lib', 'ran', { ms: 100, reasons: [CHANGED] }),
    outcome('server', 'ran', { ms: 9000 }),
    outcome('app', 'cached', { ms: 5, saved: 700 }),
    outcome('test', 'failed', { ms: 40, message: 'exited with code 1', exitCode: 1 }),
  ],
  summary: { type: 'summary', ran: 2, cached: 1, failed: 1, skipped: 0, ms: 150, saved: 700 },
  frozenStale: false,
  interrupted: false,
};

test('the critical path is that of the longest times, and services do not count', () => {
  assert.equal(criticalPathOf(report, graph), {
    ms: 140,
    tasks: [
      { name: 'lib', ms: 100 },
      { name: 'test', ms: 40 },
    ],
  });
});

test('the summary has what --json tells of every task, what it needs, the totals and the critical path', () => {
  const summary = summaryReport(report, { by: 'fleche 1.2.3', started: 0, targets: ['test'], jobs: 4, graph });
  assert.is(summary.version, 1);
  assert.is(summary.by, 'fleche 1.2.3');
  assert.is(summary.started, '1970-01-01T00:00:00.000Z');
  assert.equal(summary.totals, { ran: 2, cached: 1, failed: 1, skipped: 0, ms: 150, saved: 700 });
  assert.is(summary.criticalPath.ms, 140);
  assert.equal(summary.tasks[0], {
    name: 'lib',
    outcome: 'ran',
    key: KEY,
    reasons: [CHANGED],
    ms: 100,
    result: null,
    exitCode: null,
    message: null,
    restored: 0,
    saved: 0,
    attempts: 0,
    needs: [],
  });
  assert.equal(summary.tasks[3]?.needs, ['lib', 'server']);
  assert.equal(JSON.parse(JSON.stringify(summary)), summary);
});

test.run();
