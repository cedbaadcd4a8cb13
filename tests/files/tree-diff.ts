import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../../core/base/hash.ts';
import type { RelPath } from '../../core/base/paths.ts';
import { makeTree, type TreeEntry, treeText } from '../../core/files/tree.ts';
import { diffTrees, diffTreeTexts } from '../../core/files/tree-diff.ts';

const path = fc.constantFrom('a', 'b/c', 'b/d', 'e"\n', 'ü').map((text) => text as RelPath);
const content = fc.constantFrom('one', 'two').map((text) => sha256(text));
const entry: fc.Arbitrary<TreeEntry> = fc.oneof(
  fc.record({
    kind: fc.constant('file' as const),
    path,
    executable: fc.boolean(),
    digest: content,
    size: fc.nat({ max: 3 }),
  }),
  fc.record({ kind: fc.constantFrom('dir' as const, 'absent' as const), path }),
);
const tree = fc.array(entry, { maxLength: 5 }).map(makeTree);

test('texts of trees differ as the trees do', () => {
  fc.assert(
    fc.property(tree, tree, (past, present) => {
      assert.equal(diffTreeTexts(treeText(past.entries), treeText(present.entries)), diffTrees(past, present));
    }),
  );
});

test('a text that is no tree is refused where it differs', () => {
  assert.throws(() => diffTreeTexts('fleche-tree 1\nx\n', 'fleche-tree 1\n'));
  assert.throws(() => diffTreeTexts('fleche-tree 9\n', 'fleche-tree 1\n'));
});

test.run();
