import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FlecheError } from '../../../../core/base/errors.ts';
import { Graph, labelOf } from '../../../../core/call/shelves/dependents/graph.ts';
import { codeOf } from '../../../_thrown.ts';

/** A graph of edges written `parent>child`. */
function graphOf(...edges: readonly string[]): Graph {
  const graph = new Graph();
  for (const edge of edges) {
    const [parent = '', child = ''] = edge.split('>');
    graph.link(child, parent);
  }
  return graph;
}

const downstream = (graph: Graph, ...names: readonly string[]): readonly string[] =>
  graph.downstream(names).map(labelOf);

test('what others are made from comes first', () => {
  const graph = graphOf('r>a', 'r>b', 'a>c', 'b>c', 'c>d', 'x>y');
  const order = downstream(graph, 'r');
  assert.equal(new Set(order), new Set(['r', 'a', 'b', 'c', 'd']));
  for (const { from, to } of graph.edges().filter((edge) => edge.from !== 'x')) {
    assert.ok(order.indexOf(from) < order.indexOf(to));
  }
  assert.equal(downstream(graph, 'c'), ['c', 'd']);
  assert.equal(downstream(graph, 'unknown'), ['unknown']);
  assert.equal(downstream(graph), []);
});

test('point 14: a cycle is refused with its path, and nothing is added', () => {
  const graph = graphOf('a>b', 'b>c');
  try {
    graph.link('a', 'c');
    assert.unreachable();
  } catch (error) {
    assert.ok(error instanceof FlecheError);
    assert.is(error.code, 'SHELF_CYCLE');
    assert.match(error.message, 'a → c → b → a');
  }
  assert.equal(graph.edges(), [
    { from: 'a', to: 'b' },
    { from: 'b', to: 'c' },
  ]);
  assert.is(
    codeOf(() => graph.link('a', 'a')),
    'SHELF_CYCLE',
  );
});

test('a cycle by way of something else is one too', () => {
  const graph = new Graph();
  const fn = { name: 'fn', invalidate: () => {}, onInvalidate: () => () => {} };
  graph.link(fn, 'a');
  graph.link('b', fn);
  assert.is(
    codeOf(() => graph.link('a', 'b')),
    'SHELF_CYCLE',
  );
  assert.equal(graph.shelvesAbove('b'), new Set(['a']));
  // Another thing with the same name is another thing.
  assert.ok(graph.link('a', { ...fn }));
});

test('edges can be removed, and are added once', () => {
  const graph = graphOf('a>b');
  assert.is(graph.link('b', 'a'), false);
  assert.is(graph.unlink('b', 'a'), true);
  assert.is(graph.unlink('b', 'a'), false);
  assert.equal(graph.edges(), []);
  assert.is(graph.link('a', 'b'), true);
});

test('parents and children of an item', () => {
  const graph = graphOf('r>a', 'q>a', 'a>b', 'a>c');
  assert.equal(graph.parents('a'), ['r', 'q']);
  assert.equal(graph.children('a'), ['b', 'c']);
});

test.run();
