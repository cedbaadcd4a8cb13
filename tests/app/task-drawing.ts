/** Tasks in the languages of programs. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { graphDot, graphJson, graphMermaid } from '../../core/app/task-drawing.ts';
import type { RelPath } from '../../core/base/paths.ts';
import type { Task } from '../../core/graph/tasks/task.ts';

function task(name: string, needs: readonly string[]): Task {
  return {
    name,
    body: { kind: 'command', command: `make ${name}` },
    dir: '.' as RelPath,
    needs,
    inputs: [],
    outputs: [],
    env: [],
    passEnv: [],
    tools: [],
    clean: true,
    cache: true,
    at: { file: 'fleche.config.toml', line: 1, column: 1 },
  };
}

const TASKS = [task('a"b\\', []), task('c:d', ['a"b\\', 'elsewhere'])];

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
