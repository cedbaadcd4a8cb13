/** What upstream tasks wrote is told from what is a task's own, also when it is not known. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RelPath } from '../../../core/base/paths.ts';
import type { Outputs } from '../../../core/files/outputs/outputs.ts';
import { makeTree } from '../../../core/files/trees/tree.ts';
import { TaskGraph } from '../../../core/graph/tasks/graph.ts';
import { product } from '../../../core/graph/tasks/product.ts';
import { Products } from '../../../core/graph/tasks/products.ts';
import { Writers } from '../../../core/graph/tasks/writers.ts';
import { commandTask, taskMap } from '../_tasks.ts';

const graph = new TaskGraph(
  taskMap(
    commandTask('code', '', { outputs: ['gen/**'] }),
    commandTask('bundle', '', { needs: ['code'], outputs: ['dist/**'] }),
    commandTask('report', '', { needs: ['bundle'] }),
    commandTask('lint', '', {}),
  ),
);
const writers = new Writers(graph);

/** What tasks are known to have written; null for a task of which it is not known. */
function outputsOf(owned: Readonly<Record<string, readonly string[] | null>>): Outputs {
  const owners = {
    owned: (task: string) => (owned[task] === null ? undefined : new Set(owned[task])),
    reach: () => (path: RelPath) => !path.endsWith('.keep'),
  };
  return { owners } as unknown as Outputs;
}

const wrote = (...paths: readonly string[]) =>
  product(null, makeTree(paths.map((path) => ({ kind: 'dir', path: path as RelPath }))));

const isFrom = (products: Products, path: string, task: string): boolean =>
  products.isFromUpstream(path as RelPath, task);

test('what a task made or once wrote is from upstream for those that need it, and for nobody else', () => {
  const products = new Products({ graph, writers, outputs: outputsOf({ code: ['gen/old', 'stray'] }) });
  assert.is(isFrom(products, 'gen/new', 'report'), false);
  products.set('code', wrote('gen/new'));
  for (const path of ['gen/new', 'gen/old', 'stray']) {
    assert.equal(
      ['code', 'bundle', 'report', 'lint'].map((task) => isFrom(products, path, task)),
      [false, true, true, false],
      path,
    );
  }
  assert.is(isFrom(products, 'gen/other', 'report'), false);
  assert.ok(products.knowsUpstream('report'));
});

test('where it is not known what a task wrote, all that it may remove is from it', () => {
  const products = new Products({ graph, writers, outputs: outputsOf({ code: null }) });
  products.set('code', wrote('gen/new'));
  products.set('bundle', wrote());
  assert.ok(isFrom(products, 'gen/other', 'report'));
  assert.not(isFrom(products, 'gen/.keep', 'report'));
  assert.not(isFrom(products, 'src/other', 'report'));
  assert.not(isFrom(products, 'gen/other', 'lint'));
  assert.equal(
    ['code', 'bundle', 'report', 'lint'].map((task) => products.knowsUpstream(task)),
    [true, false, false, true],
  );
});

test('what a task once wrote is not looked up where nobody needs it', () => {
  const asked: string[] = [];
  const owned = (task: string): ReadonlySet<string> => new Set(asked.splice(asked.length, 0, task));
  const outputs = { owners: { owned, reach: () => () => true } } as unknown as Outputs;
  const products = new Products({ graph, writers, outputs });
  for (const task of ['code', 'bundle', 'report', 'lint']) products.set(task, wrote());
  assert.equal(asked, ['code', 'bundle']);
});

test('what a task no longer makes is forgotten, and what another one wrote too is not', () => {
  const owned: Record<string, readonly string[] | null> = { code: ['gen/a', 'both'], bundle: ['both'] };
  const products = new Products({ graph, writers, outputs: outputsOf(owned) });
  products.set('code', wrote('gen/a'));
  products.set('bundle', wrote());
  owned['code'] = null;
  products.renew(['code', 'lint']);
  assert.not(products.knowsUpstream('bundle'));
  owned['code'] = ['gen/b'];
  products.renew(['code']);
  products.set('code', wrote());
  assert.ok(products.knowsUpstream('bundle'));
  assert.equal(
    ['gen/a', 'gen/b', 'both'].map((path) => isFrom(products, path, 'bundle')),
    [false, true, false],
  );
  assert.ok(isFrom(products, 'both', 'report'));
});

test.run();
