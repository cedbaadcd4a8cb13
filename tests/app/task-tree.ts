/** Trees of needs. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { graphTree } from '../../core/app/task-tree.ts';
import { styleFor } from '../../core/app/terminal/style.ts';

const style = styleFor({ colors: false });
const tree = (tops: readonly string[], needs: Readonly<Record<string, readonly string[]>>): string =>
  graphTree(tops, (name) => needs[name] ?? [], style);

test('what is needed twice is shown once, and marked the second time', () => {
  assert.is(
    tree(['report', 'lint'], {
      report: ['bundle', 'test'],
      bundle: ['codegen'],
      test: ['bundle', 'data'],
      lint: ['codegen'],
    }),
    [
      'report',
      '├─ bundle',
      '│  └─ codegen',
      '└─ test',
      '   ├─ bundle (above)',
      '   └─ data',
      'lint',
      '└─ codegen',
      '',
    ].join('\n'),
  );
});

test('a diamond of any depth has one line for every edge', () => {
  const depth = 60;
  const needs: Record<string, string[]> = {};
  for (let i = 0; i < depth; i++) {
    needs[`t${i}`] = [`l${i}`, `r${i}`];
    needs[`l${i}`] = [`t${i + 1}`];
    needs[`r${i}`] = [`t${i + 1}`];
  }
  assert.is(tree(['t0'], needs).split('\n').length - 1, 4 * depth + 1);
});

test('a long chain does not overflow', () => {
  const text = graphTree(['0'], (name) => (Number(name) < 3000 ? [String(Number(name) + 1)] : []), style);
  assert.is(text.split('\n').length, 3002);
});

test('no task, no line', () => assert.is(tree([], {}), ''));

test.run();
