import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../../../core/base/hash.ts';
import type { RelPath } from '../../../core/base/paths.ts';
import { keptTree } from '../../../core/files/trees/kept-tree.ts';
import { makeTree, treeText } from '../../../core/files/trees/tree.ts';

test('a tree that somebody has is read once, whatever else is read', () => {
  const trees = Array.from({ length: 2000 }, (_, at) => makeTree([{ kind: 'dir', path: `out${at}` as RelPath }]));
  const bytes = trees.map(({ entries }) => Buffer.from(treeText(entries)));
  const read = trees.map(({ digest }, at) => keptTree(digest, bytes[at]));
  assert.equal(read, trees);
  for (const [at, { digest }] of trees.entries()) assert.is(keptTree(digest, bytes[at]), read[at]);
});

test('there is no tree without bytes, nor of bytes that are none', () => {
  const text = Buffer.from('fleche-tree 2\n');
  assert.is(keptTree(sha256(text), text), undefined);
  const tree = makeTree([]);
  assert.is(keptTree(tree.digest, undefined), undefined);
});

test.run();
