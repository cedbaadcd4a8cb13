import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RelPath } from '../../../core/base/paths.ts';
import { Sight } from '../../../core/graph/discovered/sight.ts';
import { Products } from '../../../core/graph/tasks/products.ts';
import { onSite, type Site } from '../_site.ts';

const TASKS = {
  gen: { run: 'true', outputs: ['made'] },
  other: { run: 'true', outputs: ['strange'] },
  cc: { run: 'true', needs: ['gen'], outputs: ['own'] },
};

function sightOf(site: Site): { readonly sight: Sight; readonly products: Products } {
  const around = site.engine().surroundings;
  const products = new Products(around);
  return { sight: new Sight(around.graph.task('cc'), products, around), products };
}

function entry(sight: Sight, path: string): unknown {
  const { kind } = sight.at(path as RelPath).entry;
  return kind;
}

test('a path is looked at once, whatever becomes of it', () =>
  onSite(TASKS, { a: '1' }, async (site) => {
    const { sight } = sightOf(site);
    const before = sight.at('a' as RelPath);
    assert.is(entry(sight, 'b'), 'absent');
    site.write({ a: '2', b: '3' });
    assert.is(sight.at('a' as RelPath), before);
    assert.is(entry(sight, 'b'), 'absent');
    assert.equal(before.seen?.changes(), ['a']);
    const { sight: later } = sightOf(site);
    assert.equal([entry(later, 'a'), entry(later, 'b')], ['file', 'file']);
  }));

test('what is upstream counts as it was made, what the task writes itself is none of it, and what others write is refused', () =>
  onSite(TASKS, { made: 'by hand', own: 'x', strange: 'x' }, async (site) => {
    const run = await site.run({ targets: ['gen'] });
    assert.is(run.outcomes['gen'], 'failed', 'it writes nothing');
    const { sight, products } = sightOf(site);
    products.set('gen', { value: null, outputs: { digest: '' as never, entries: [] }, result: null });
    assert.is(sight.at('own' as RelPath).entry.kind, 'absent');
    assert.throws(() => sight.at('strange' as RelPath), /reads strange, which task "other" writes/);
  }));

test('the names in a folder change with what is in it, not with what tasks write there', () =>
  onSite(TASKS, { 'src/a': '1' }, async (site) => {
    const names = (): unknown => sightOf(site).sight.at('src/*' as RelPath).entry;
    const before = names();
    site.write({ 'src/a': '2' });
    assert.equal(names(), before);
    site.write({ 'src/b': '' });
    assert.not.equal(names(), before);
  }));

test.run();
