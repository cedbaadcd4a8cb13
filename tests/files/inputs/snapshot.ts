import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../../../core/base/hash.ts';
import type { RelPath } from '../../../core/base/paths.ts';
import {
  changedPaths,
  type Listed,
  listed,
  packSnapshot,
  type Snapshot,
  unpackSnapshot,
} from '../../../core/files/inputs/snapshot.ts';
import { listOf } from '../../../core/files/states/path-list.ts';
import { type PathState, stateOf } from '../../../core/files/states/path-states.ts';
import { makeTree, type TreeEntry } from '../../../core/files/trees/tree.ts';

const NOWHERE = { gone: [], unseen: [], earlier: undefined };
const KEY = { size: 1, mtime: 2, ctime: 3, ino: 4, mode: 0o100644 };

function file(name: string, content = name): PathState {
  const path = name as RelPath;
  return { path, kind: 'file', key: KEY, digest: sha256(content), trusted: true, target: '' };
}

function snapshotOf(...states: readonly PathState[]): Snapshot {
  return { folders: [stateOf('src' as RelPath, 'dir')], paths: listOf(states), summary: null };
}

const paths = (...names: readonly string[]): readonly RelPath[] => names as readonly RelPath[];

function treeDigest(...states: readonly PathState[]): string {
  return makeTree(
    states.map(({ path, digest }): TreeEntry => {
      if (digest === null) return { kind: 'absent', path };
      return { kind: 'file', path, executable: false, digest, size: 1 };
    }),
  ).digest;
}

/** Listed after it was kept and loaded. */
function again({ snapshot }: Listed): Snapshot {
  const unpacked = unpackSnapshot(packSnapshot(snapshot));
  assert.ok(unpacked !== undefined);
  return unpacked;
}

test('a snapshot that was kept gives the same tree without its entries, and the entries when they are asked for', () => {
  const first = listed(snapshotOf(file('a'), file('b')), NOWHERE);
  const kept = again(first);
  assert.equal(kept.summary, first.snapshot.summary);
  const second = listed(kept, NOWHERE);
  assert.is(second.snapshot, kept);
  assert.is(second.tree.digest, treeDigest(file('a'), file('b')));
  assert.equal(second.tree.entries, first.tree.entries);
  assert.is(listed(kept, { ...NOWHERE, earlier: first }).tree, first.tree);
});

test('other hidden or missing paths make another tree', () => {
  const kept = again(listed(snapshotOf(file('a'), file('c')), NOWHERE));
  const gone = stateOf('b' as RelPath, 'absent');
  const without = listed(kept, { ...NOWHERE, unseen: paths('a') });
  assert.is(without.tree.digest, treeDigest(file('c')));
  assert.equal(without.unseen, ['a']);
  const missing = listed(kept, { ...NOWHERE, gone: paths('b') });
  assert.is(missing.tree.digest, treeDigest(file('a'), gone, file('c')));
  assert.equal(
    missing.tree.entries.map(({ path }) => path),
    ['a', 'b', 'c'],
  );
  const both = again(listed(kept, { ...NOWHERE, gone: paths('b'), unseen: paths('c') }));
  assert.is(listed(both, { ...NOWHERE, gone: paths('b'), unseen: paths('c') }).snapshot, both);
  assert.is(listed(both, { ...NOWHERE, unseen: paths('b', 'c') }).tree.digest, treeDigest(file('a')));
  assert.is(listed(both, NOWHERE).tree.digest, treeDigest(file('a'), file('c')));
});

test('listed after another one, with other content, paths and hidden paths, the tree is the one that is listed anew', () => {
  const names = ['a', 'b', 'c', 'd'];
  const content = fc.constantFrom('one', 'two');
  const situation = fc.record({
    files: fc
      .subarray(names, { minLength: 2 })
      .chain((some) => fc.tuple(...some.map((name) => fc.tuple(fc.constant(name), content)))),
    unseen: fc.subarray(names),
    gone: fc.subarray(['0', 'bb']),
  });
  fc.assert(
    fc.property(fc.array(situation, { minLength: 2, maxLength: 4 }), (situations) => {
      let earlier: Listed | undefined;
      for (const { files, unseen, gone } of situations) {
        const snapshot = snapshotOf(...files.map(([name, text]) => file(name, text)));
        const there = files.map(([name]) => name).filter((name) => unseen.includes(name));
        const beside = { unseen: paths(...there), gone: paths(...gone) };
        const found = listed(snapshot, { ...beside, earlier });
        const anew = listed(snapshot, { ...beside, earlier: undefined });
        assert.is(found.tree.digest, anew.tree.digest);
        assert.equal(found.tree.entries, anew.tree.entries);
        earlier = found;
      }
    }),
  );
});

test('changed are paths with other entries, and files that were written in between', () => {
  const before = listed(snapshotOf(file('a'), file('b'), file('c'), file('d')), NOWHERE);
  assert.equal(changedPaths(before, listed(before.snapshot, NOWHERE)), []);
  const rewritten: PathState = { ...file('d'), key: { ...KEY, mtime: 9 } };
  const linked: PathState = { ...file('c'), key: { ...KEY, ctime: 9 } };
  const after = listed(snapshotOf(file('b', 'other'), linked, rewritten), NOWHERE);
  assert.equal(changedPaths(before, after), ['a', 'b', 'd']);
});

test('other bytes than those of a snapshot are none', () => {
  const packed = packSnapshot(listed(snapshotOf(file('a')), NOWHERE).snapshot);
  for (const bytes of [Uint8Array.of(), packed.subarray(1), packed.subarray(0, -1), Buffer.from('other')]) {
    assert.is(unpackSnapshot(bytes), undefined);
  }
});

test.run();
