import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digest } from '../../../core/base/digest.ts';
import type { RelPath } from '../../../core/base/paths.ts';
import type { TreeEntry } from '../../../core/files/trees/tree.ts';
import { fileItem, folderAround, valueItems } from '../../../core/graph/foreach/item.ts';

const rel = (path: string): RelPath => path as RelPath;
const file = (path: string): TreeEntry => ({
  kind: 'file',
  path: rel(path),
  executable: false,
  digest: digest(path),
  size: 1,
});

test('a file is named by its path, and by where it lies below the fixed part of the patterns', () => {
  const { name, fields } = fileItem(file('docs/a/b.test.md'), rel('docs'), rel('.'));
  assert.is(name, 'docs/a/b.test.md');
  assert.equal(fields, { path: 'docs/a/b.test.md', dir: 'a', name: 'b.test', ext: '.md' });
  assert.is(fileItem(file('docs/b'), rel('docs'), rel('.')).fields.dir, '.');
  assert.is(fileItem(file('docs/b'), rel('docs'), rel('packages/x')).fields.path, '../../docs/b');
  assert.is(fileItem(file('-rf'), rel('.'), rel('.')).fields.path, './-rf', 'it is no option');
});

test('the folder around patterns', () => {
  assert.is(folderAround([rel('docs')], []), 'docs');
  assert.is(folderAround([rel('docs/a.md')], [rel('docs/a.md')]), 'docs');
  assert.is(folderAround([rel('docs/a'), rel('docs/b')], []), 'docs');
  assert.is(folderAround([rel('docs'), rel('docsx')], []), '.');
  assert.is(folderAround([], []), '.');
});

test('equal values are one item, in whatever order their members are', () => {
  const { items, places } = valueItems([{ a: 1, b: [2] }, 'x', { b: [2], a: 1 }, 'x']);
  assert.equal(places, [0, 1, 0, 1]);
  assert.equal(
    items.map(({ name }) => name),
    ['{"a":1,"b":[2]}', 'x'],
  );
  const [other] = valueItems([{ b: [2], a: 1 }]).items;
  assert.equal(other?.variables, items[0]?.variables, 'a command cannot tell them apart either');
  assert.is(other?.part.digest, items[0]?.part.digest);
});

test('every item has another name', () => {
  const { items } = valueItems([1, '1', '', 'x'.repeat(100), null, undefined, 2n]);
  assert.is(new Set(items.map(({ name }) => name)).size, 7);
  assert.equal(
    items.map(({ name }) => name.startsWith('#')),
    [false, true, true, true, false, true, true],
  );
  assert.equal(Object.keys(items[0]?.variables ?? {}).sort(), ['FLECHE_ITEM', 'FLECHE_KEY']);
});

test.run();
