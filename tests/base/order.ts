import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { byCodeUnit, topologicalOrder } from '../../core/base/order.ts';

test('strings are ordered by code unit, whatever the locale', () => {
  assert.equal(['z', 'ä', 'a', 'Z', '~', 'B', '', 'aa'].sort(byCodeUnit), ['', 'B', 'Z', 'a', 'aa', 'z', '~', 'ä']);
  // U+1F600 begins with a surrogate (D83D), which sorts before U+FB01 although its code point is larger.
  assert.equal(['\ufb01', '\u{1f600}'].sort(byCodeUnit), ['\u{1f600}', '\ufb01']);
});

test('the order is total and agrees with the one of sort()', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (words) => {
      assert.equal([...words].sort(byCodeUnit), [...words].sort());
    }),
  );
});

const needsOf =
  (graph: Readonly<Record<string, readonly string[]>>) =>
  (name: string): readonly string[] =>
    graph[name] ?? [];

test('what is needed comes first, ties keep the given order', () => {
  const graph = { report: ['bundle', 'data'], bundle: ['codegen'], check: ['codegen'] };
  assert.equal(topologicalOrder(['report', 'check'], needsOf(graph)), {
    kind: 'ordered',
    order: ['codegen', 'bundle', 'data', 'report', 'check'],
  });
  assert.equal(topologicalOrder(['c', 'a', 'b'], needsOf({})), { kind: 'ordered', order: ['c', 'a', 'b'] });
});

test('a cycle is named by its path, without what leads to it', () => {
  const graph = { a: ['b'], b: ['c'], c: ['d', 'b'] };
  assert.equal(topologicalOrder(['a'], needsOf(graph)), { kind: 'cycle', path: ['b', 'c', 'b'] });
  assert.equal(topologicalOrder(['x'], needsOf({ x: ['x'] })), { kind: 'cycle', path: ['x', 'x'] });
});

test('a chain of a hundred thousand does not exhaust the stack', () => {
  const found = topologicalOrder(['0'], (name) => (Number(name) < 100_000 ? [String(Number(name) + 1)] : []));
  assert.is(found.kind === 'ordered' && found.order.length, 100_001);
});

/** A random graph over `size` names; an edge may point anywhere, so that some graphs have cycles. */
const graphs = fc
  .integer({ min: 1, max: 8 })
  .chain((size) => fc.array(fc.array(fc.nat(size - 1), { maxLength: 3 }), { minLength: size, maxLength: size }))
  .map((edges) => Object.fromEntries(edges.map((to, at) => [`t${at}`, to.map((n) => `t${n}`)])));

test('an order respects every need, a cycle is one', () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const found = topologicalOrder(Object.keys(graph), needsOf(graph));
      if (found.kind === 'cycle') {
        assert.is(found.path[0], found.path.at(-1));
        for (const [at, name] of found.path.slice(0, -1).entries()) {
          assert.ok(graph[name]?.includes(found.path[at + 1] ?? ''));
        }
        return;
      }
      assert.equal([...found.order].sort(), Object.keys(graph).sort());
      for (const [name, needs] of Object.entries(graph)) {
        for (const need of needs) assert.ok(found.order.indexOf(need) < found.order.indexOf(name));
      }
    }),
  );
});

test.run();
