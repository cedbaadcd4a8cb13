import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../../../core/base/hash.ts';
import type { RelPath } from '../../../core/base/paths.ts';
import { makeTree, type Tree, type TreeEntry, treeText } from '../../../core/files/trees/tree.ts';
import { diffTrees, diffTreeTexts } from '../../../core/files/trees/tree-diff.ts';

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
/** In a large tree most lines are the same at the beginning, in between and at the end. */
const large = fc
  .array(fc.record({ at: fc.nat({ max: 199 }), size: fc.nat({ max: 20_000 }) }), { maxLength: 4 })
  .map((changes) =>
    makeTree(
      Array.from({ length: 200 }, (_, at): TreeEntry => {
        const size = changes.find((change) => change.at === at)?.size ?? 1;
        return { kind: 'file', path: `ü${at}` as RelPath, executable: false, digest: sha256(`${size}`), size };
      }).filter((_, at) => !changes.some((change) => change.at === at && change.size % 3 === 0)),
    ),
  );
const text = ({ entries }: Tree): Uint8Array => Buffer.from(treeText(entries));

test('texts of trees differ as the trees do', () => {
  fc.assert(
    fc.property(fc.oneof(fc.tuple(tree, tree), fc.tuple(large, large)), ([past, present]) => {
      assert.equal(diffTreeTexts(text(past), text(present)), diffTrees(past, present));
    }),
  );
});

test('a text that is no tree is refused where it differs', () => {
  const good = Buffer.from('fleche-tree 1\n');
  for (const bad of ['fleche-tree 1\nx\n', 'fleche-tree 9\n', 'fleche-tree 1', ''])
    assert.throws(() => diffTreeTexts(Buffer.from(bad), good));
});

test.run();
