/** Files and trees as values. */
import { isDeepStrictEqual } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decode } from '../../core/base/decode.ts';
import { digest } from '../../core/base/digest.ts';
import { encode } from '../../core/base/encode.ts';
import { sha256 } from '../../core/base/hash.ts';
import { type AbsPath, normalRel } from '../../core/base/paths.ts';
import { decodeAt, FileRef, TreeRef } from '../../core/files/refs.ts';
import { makeTree, type TreeEntry } from '../../core/files/trees/tree.ts';
import { codeOf } from '../_thrown.ts';
import { inFolder, put } from './_folder.ts';

function entry(path: string, text: string, executable = false): TreeEntry {
  return { kind: 'file', path: normalRel(path), executable, digest: sha256(text), size: text.length };
}

test('a file is its path, content and mode, not its root', () => {
  const here = FileRef.of('/a' as AbsPath, entry('x', 'text'));
  const there = FileRef.of('/b' as AbsPath, entry('x', 'text'));
  assert.is(digest(here), digest(there));
  assert.ok(isDeepStrictEqual(here, there));
  assert.is(here.digest, sha256('text'));
  for (const other of [entry('x', 'text', true), entry('x', 'other'), entry('y', 'text'), entry('d/x', 'text')]) {
    assert.is.not(digest(here), digest(FileRef.of('/a' as AbsPath, other)));
    assert.not.ok(isDeepStrictEqual(here, FileRef.of('/a' as AbsPath, other)));
  }
});

test('a tree is its entries, not its root', () => {
  const [one, same, other] = [['a'], ['a'], ['b']].map(([path = '']) => makeTree([entry(path, '1')]));
  if (one === undefined || same === undefined || other === undefined) throw new Error('no tree');
  assert.is(digest(new TreeRef('/a', one)), digest(new TreeRef('/b', same)));
  assert.ok(isDeepStrictEqual(new TreeRef('/a', one), new TreeRef('/b', same)));
  assert.is.not(digest(new TreeRef('/a', one)), digest(new TreeRef('/a', other)));
});

test('stored and read back, references belong to the root they are decoded at', () => {
  inFolder((root, outside) => {
    put(outside, { 'd/x': 'text' });
    const tree = makeTree([
      entry('d/x', 'text', true),
      { kind: 'link', path: normalRel('l'), target: 'd', digest: null, executable: false },
    ]);
    const bytes = encode({
      file: FileRef.of(root, entry('d/x', 'text', true)),
      deep: [new Map([[1, new TreeRef(root, tree)]])],
    });
    assert.not.match(Buffer.from(bytes).toString('latin1'), root);
    const { file, deep } = decodeAt(outside, bytes) as { file: FileRef; deep: [Map<number, TreeRef>] };
    assert.is(file.text(), 'text');
    assert.is(file.path, 'd/x');
    assert.ok(file.executable);
    const back = deep[0].get(1);
    assert.equal(back?.entries, tree.entries);
    assert.equal(back?.list().map(String), ['d/x']);
    assert.is(back?.file('d/x').text(), 'text');
    assert.is(
      codeOf(() => back?.file('l')),
      'INPUT_UNREADABLE',
    );
    assert.is(
      codeOf(() => (decode(bytes) as { file: FileRef }).file.text()),
      'INPUT_UNREADABLE',
    );
  });
});

test('reading gives the digested content or an error', () => {
  inFolder((root) => {
    put(root, { 'x.json': '{"a":1}' });
    const file = FileRef.of(root, entry('x.json', '{"a":1}'));
    assert.equal(file.json(), { a: 1 });
    assert.is(file.bytes().length, 7);
    put(root, { 'x.json': '{"a":2}' });
    assert.is(
      codeOf(() => file.text()),
      'INPUT_UNREADABLE',
    );
    assert.is(
      codeOf(() => FileRef.of(root, entry('gone', '')).bytes()),
      'INPUT_UNREADABLE',
    );
  });
});

test('a link that was read through is a file, a folder is none', () => {
  const path = normalRel('p');
  assert.is(
    FileRef.of('/' as AbsPath, { kind: 'link', path, target: 'x', digest: sha256('1'), executable: false }).digest,
    sha256('1'),
  );
  for (const other of [
    { kind: 'link', path, target: 'x', digest: null, executable: false },
    { kind: 'dir', path },
    { kind: 'absent', path },
  ] as const) {
    assert.is(
      codeOf(() => FileRef.of('/' as AbsPath, other)),
      'INPUT_UNREADABLE',
    );
  }
});

test.run();
