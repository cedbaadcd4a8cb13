/** Splitting work among jobs: complete, without overlap, the same wherever it is worked out. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parsePart, shards, splitDigest } from '../../../core/app/ci/shards.ts';
import { TaskGraph } from '../../../core/graph/tasks/graph.ts';
import { commandTask } from '../../graph/_tasks.ts';

function graphOf(needs: Readonly<Record<string, readonly string[]>>): TaskGraph {
  return new TaskGraph(
    new Map(Object.entries(needs).map(([name, list]) => [name, commandTask(name, `make ${name}`, { needs: list })])),
  );
}

const dag = fc
  .array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 1, maxLength: 20 })
  .map((rows) =>
    Object.fromEntries(rows.map((row, at) => [`t${at}`, at === 0 ? [] : [...new Set(row.map((n) => `t${n % at}`))]])),
  );

test('every task is owned by exactly one job, and done by the job that owns it', () => {
  fc.assert(
    fc.property(
      dag,
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.nat(1000), { maxLength: 20 }),
      (needs, count, times) => {
        const graph = graphOf(needs);
        const timeOf = (name: string): number | undefined => times[Number(name.slice(1))];
        const parts = shards(graph, graph.names, count, timeOf);
        assert.is(parts.length, count);
        assert.equal(parts.flatMap(({ owned }) => owned).sort(), [...graph.names].sort());
        for (const { targets, owned } of parts) {
          const done = new Set(graph.closure(targets));
          for (const task of owned) assert.ok(done.has(task), `${task} is owned and not done`);
        }
      },
    ),
  );
});

test('the split is the same however the tasks are listed', () => {
  fc.assert(
    fc.property(dag, fc.integer({ min: 1, max: 5 }), (needs, count) => {
      const graph = graphOf(needs);
      const split = (names: readonly string[]): string => splitDigest(shards(graph, names, count, () => undefined));
      assert.is(split(graph.names), split([...graph.names].reverse()));
    }),
  );
});

test('long tasks are spread, and what shares its needs stays together', () => {
  const graph = graphOf({ gen: [], a: ['gen'], b: ['gen'], x: [], y: [] });
  const times: Readonly<Record<string, number>> = { gen: 100, a: 1, b: 1, x: 60, y: 50 };
  const parts = shards(graph, graph.names, 2, (name) => times[name]);
  assert.equal(
    parts.map(({ targets }) => targets),
    [
      ['a', 'b'],
      ['x', 'y'],
    ],
  );
  assert.equal(
    parts.map(({ ms }) => ms),
    [102, 110],
  );
});

test('a job may have nothing to do', () => {
  const parts = shards(graphOf({ only: [] }), ['only'], 3, () => undefined);
  assert.equal(
    parts.map(({ targets }) => targets),
    [['only'], [], []],
  );
});

test('what is no part is refused', () => {
  assert.equal(parsePart('2/5'), { index: 2, count: 5 });
  for (const text of ['0/2', '3/2', '1', '1/0', 'a/b', '1/2/3', '-1/2']) {
    assert.throws(
      () => parsePart(text),
      (error: { code?: string }) => error.code === 'USAGE',
    );
  }
});

test.run();
