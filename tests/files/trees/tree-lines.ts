import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../../../core/base/hash.ts';
import type { RelPath } from '../../../core/base/paths.ts';
import { makeTree, type TreeEntry, treeText } from '../../../core/files/trees/tree.ts';
import { treeBytes, withEntries } from '../../../core/files/trees/tree-lines.ts';

const PATHS = ['a', 'b/c', 'b/ü', 'e"\n', 'zz'].map((text) => text as RelPath);

/** What stands at a path, of texts of several lengths. */
const entryAt = (path: RelPath): fc.Arbitrary<TreeEntry> =>
  fc.oneof(
    fc.record({
      kind: fc.constant('file' as const),
      path: fc.constant(path),
      executable: fc.boolean(),
      digest: fc.constantFrom('one', 'two').map((text) => sha256(text)),
      size: fc.nat({ max: 1_000_000 }),
    }),
    fc.record({
      kind: fc.constant('link' as const),
      path: fc.constant(path),
      target: fc.string(),
      digest: fc.constant(null),
      executable: fc.constant(false),
    }),
    fc.record({ kind: fc.constant('absent' as const), path: fc.constant(path) }),
  );
const entries = fc
  .subarray(PATHS)
  .chain((paths) => fc.tuple(...paths.map(entryAt)) as unknown as fc.Arbitrary<TreeEntry[]>);

test('a tree with some entries replaced, again and again, is the tree of all its entries', () => {
  fc.assert(
    fc.property(fc.tuple(...PATHS.map(entryAt)), fc.array(entries, { maxLength: 4 }), (first, edits) => {
      let tree = makeTree(first);
      const now = new Map(first.map((entry) => [entry.path, entry]));
      for (const edit of edits) {
        tree = withEntries(tree, edit.toReversed()) ?? makeTree([]);
        for (const entry of edit) now.set(entry.path, entry);
        const whole = makeTree(now.values());
        assert.is(tree.digest, whole.digest);
        assert.equal(treeText(tree.entries), treeText(whole.entries));
        assert.is(Buffer.from(treeBytes(tree)).toString(), treeText(whole.entries));
      }
    }),
  );
});

test('what is replaced by the same leaves the tree as it is, and another path makes none', () => {
  const tree = makeTree(PATHS.map((path) => ({ kind: 'dir', path })));
  assert.is(withEntries(tree, []), tree);
  assert.is(withEntries(tree, [{ kind: 'dir', path: 'a' as RelPath }]), tree);
  assert.is(withEntries(tree, [{ kind: 'dir', path: 'other' as RelPath }]), undefined);
});

test.run();
