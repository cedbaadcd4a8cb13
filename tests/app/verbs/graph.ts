/** `graph`: which tasks are shown, in which form. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { graph } from '../../../core/app/verbs/graph.ts';
import { call } from '../_machine.ts';

const GRAPH = { codegen: [], lint: [], bundle: ['codegen'], report: ['bundle', 'codegen'] };

test('without tasks the whole graph, from what nobody needs', async () => {
  const told = await call(graph, ['graph'], GRAPH, {});
  assert.is(told.stdout, 'lint\nreport\n├─ bundle\n│  └─ codegen\n└─ codegen\n');
  assert.equal([told.code, told.closed], [0, 1]);
});

test('with tasks only what they need', async () => {
  assert.is((await call(graph, ['graph', 'bundle'], GRAPH, {})).stdout, 'bundle\n└─ codegen\n');
});

test('every form names every task', async () => {
  for (const format of ['text', 'dot', 'mermaid', 'json']) {
    const { stdout } = await call(graph, ['graph', '--format', format], GRAPH, {});
    for (const name of Object.keys(GRAPH)) assert.match(stdout, name, format);
  }
  const { stdout } = await call(graph, ['graph', '--json'], GRAPH, {});
  assert.is(stdout, (await call(graph, ['graph', '--format=json'], GRAPH, {})).stdout);
});

test.run();
