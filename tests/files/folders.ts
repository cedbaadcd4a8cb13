import { lstatSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { folderOf, type RelPath } from '../../core/base/paths.ts';
import { Folders } from '../../core/files/folders.ts';
import { contents, inFolder, put } from './_folder.ts';

const rel = (path: string): RelPath => path as RelPath;

test('the first step that is not a folder blocks a path', () => {
  inFolder((root) => {
    put(root, { 'a/b/c': '', 'a/file': '', 'a/link': { link: 'b' } });
    const folders = new Folders(root);
    assert.is(folders.blocker(rel('top')), undefined);
    assert.is(folders.blocker(rel('a/b/new')), undefined);
    assert.equal(folders.blocker(rel('a/file/x/y')), { path: 'a/file', kind: 'other' });
    assert.equal(folders.blocker(rel('a/link/c')), { path: 'a/link', kind: 'link' });
    assert.equal(folders.blocker(rel('x/y/z')), { path: 'x', kind: 'absent' });
  });
});

test('folders are made where nothing is', () => {
  inFolder((root) => {
    const folders = new Folders(root);
    folders.make(rel('a/b/c'));
    folders.make(rel('a/b/d'));
    assert.equal(contents(root), { 'a/b/c': { dir: true }, 'a/b/d': { dir: true } });
  });
});

test('where nothing was a folder is made without another look, unless something is there by now', () => {
  inFolder((root) => {
    put(root, { 'a/file': '' });
    const folders = new Folders(root);
    assert.is(folders.makeAbsent(rel('a/b')), false, 'nobody looked');
    for (const path of ['a/b/c/x', 'a/taken/x', 'a/link/deep/x', 'a/other/deep/x']) folders.blocker(rel(path));
    put(root, { 'a/taken/f': '', 'a/link': { link: '../elsewhere' }, 'a/other': '', 'elsewhere/f': '' });
    assert.is(folders.makeAbsent(rel('a/b/c')), true);
    assert.is(folders.isNew(rel('a/b')) && folders.isNew(rel('a/b/c')), true);
    for (const path of ['a/taken', 'a/link/deep', 'a/other/deep'])
      assert.is(folders.makeAbsent(rel(path)), false, path);
    assert.is(folders.isNew(rel('a/taken')), false);
    folders.lookAgain();
    assert.is(folders.blocker(rel('a/b/c/x')), undefined);
    assert.equal(folders.blocker(rel('a/link/deep/x')), { path: 'a/link', kind: 'link' });
    assert.equal(folders.blocker(rel('a/other/deep/x')), { path: 'a/other', kind: 'other' });
    assert.is(lstatSync(join(root, 'a/b/c')).isDirectory(), true);
    assert.equal(readdirSync(join(root, 'elsewhere')), ['f']);
  });
});

test('empty folders are removed upward, as far as allowed and never the root', () => {
  inFolder((root) => {
    const folders = new Folders(root);
    folders.make(rel('a/b/c'));
    assert.is(
      folders.removeEmpty(rel('a/b/c'), (folder) => folder !== 'a'),
      true,
    );
    assert.equal(contents(root), { a: { dir: true } });
    put(root, { 'a/x': '' });
    assert.is(
      folders.removeEmpty(rel('a'), () => true),
      false,
    );
    assert.is(
      folders.removeEmpty(rel('gone'), () => true),
      false,
    );
    assert.equal(contents(root), { 'a/x': '' });
    assert.is(
      folders.removeEmpty(rel('.'), () => true),
      false,
    );
  });
});

test('a folder that was removed or moved can be made again', () => {
  inFolder((root) => {
    const folders = new Folders(root);
    folders.make(rel('a/b'));
    folders.removeEmpty(rel('a/b'), () => true);
    folders.make(rel('a/b'));
    assert.ok(lstatSync(join(root, 'a/b')).isDirectory());
    renameSync(join(root, 'a'), join(root, 'c'));
    folders.forget(rel('a'));
    assert.equal(folders.blocker(rel('a/b/x')), { path: 'a', kind: 'absent' });
  });
});

test('a path at the top is in the root', () => {
  assert.is(folderOf(rel('a')), '.');
  assert.is(folderOf(rel('a/b/c')), 'a/b');
});

test.run();
