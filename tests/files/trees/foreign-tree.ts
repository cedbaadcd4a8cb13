import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../../../core/base/hash.ts';
import type { RelPath } from '../../../core/base/paths.ts';
import { faultOfTree } from '../../../core/files/trees/foreign-tree.ts';
import { makeTree, parseTree, type TreeEntry } from '../../../core/files/trees/tree.ts';
import { CORPUS } from '../_foreign-trees.ts';

const LIMITS = { maxEntries: 1000, maxBytes: 1 << 30 };

test('nothing of the corpus may be put into a workspace', () => {
  const accepted = CORPUS.filter(({ text }) => {
    try {
      return faultOfTree(parseTree(text), LIMITS) === undefined;
    } catch {
      return false;
    }
  });
  assert.equal(
    accepted.map(({ name }) => name),
    [],
  );
});

const digest = sha256('x');
const file = (path: string, size = 1): TreeEntry => ({
  kind: 'file',
  path: path as RelPath,
  executable: false,
  digest,
  size,
});

test('what a build writes may be', () => {
  const tree = makeTree([
    file('dist/app.js'),
    file('dist/.vite/manifest.json'),
    file('dist/a b/ä-é.txt'),
    file('dist/console.js'),
    file('dist/.gitkeep'),
    { kind: 'dir', path: 'dist/empty' as RelPath },
    { kind: 'link', path: 'dist/latest' as RelPath, target: 'app.js', digest: null, executable: false },
    { kind: 'link', path: 'dist/up' as RelPath, target: '../package.json', digest: null, executable: false },
  ]);
  assert.is(faultOfTree(tree, LIMITS), undefined);
});

test('the limits hold', () => {
  const many = makeTree(Array.from({ length: 11 }, (_, at) => file(`out/${at}`, 10)));
  assert.is(faultOfTree(many, { maxEntries: 11, maxBytes: 110 }), undefined);
  assert.is(faultOfTree(many, { maxEntries: 10, maxBytes: 110 }), 'too many entries');
  assert.is(faultOfTree(many, { maxEntries: 11, maxBytes: 109 }), 'too large');
});

test.run();
