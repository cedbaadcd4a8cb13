/** Tasks in the languages of programs. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { graphDot, graphJson, graphMermaid } from '../../core/app/task-drawing.ts';
import { commandTask } from '../graph/_tasks.ts';

const TASKS = [commandTask('a"b\\', 'make a"b\\'), commandTask('c:d', 'make c:d', { needs: ['a"b\\', 'elsewhere'] })];

test('dot quotes names and leaves out what is not there', () => {
  assert.is(
    graphDot(TASKS),
    [
      'digraph fleche {',
      '  rankdir=LR;',
      '  node [shape=box];',
      '  "a\\"b\\\\";',
      '  "c:d";',
      '  "a\\"b\\\\" -> "c:d";',
      '}',
      '',
    ].join('\n'),
  );
});

test('mermaid has numbers for names and entities in labels', () => {
  assert.is(graphMermaid(TASKS), 'graph LR\n  t0["a#34;b#92;"]\n  t1["c:d"]\n  t0 --> t1\n');
});

test('json has every task with what it needs', () => {
  const { type, tasks } = JSON.parse(graphJson(TASKS)) as { type: string; tasks: Record<string, unknown>[] };
  assert.is(type, 'graph');
  assert.equal(tasks[1]?.['needs'], ['a"b\\', 'elsewhere']);
  assert.is(tasks[0]?.['run'], 'make a"b\\');
});

test.run();
