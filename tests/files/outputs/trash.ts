import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AbsPath, RelPath } from '../../../core/base/paths.ts';
import { Trash } from '../../../core/files/outputs/trash.ts';
import { contents, inFolder, put } from '../_folder.ts';

const NOON = (): number => Date.UTC(2031, 4, 6, 12);

test('what is taken keeps its path, a folder all that is in it, and a link its text', () => {
  inFolder((root, outside) => {
    put(root, { 'a/b': 'b', 'a/deep/c': { script: 'c' }, 'x/l': { link: '../a' }, 'x/stays': '' });
    const trash = new Trash(root, join(outside, 'trash') as AbsPath, 'task:one/two', NOON);
    assert.is(trash.folder, undefined);
    trash.take('a' as RelPath);
    trash.take('x/l' as RelPath);
    assert.is(trash.count, 2);
    assert.is(trash.folder, join(outside, 'trash/2031-05-06T12-00-00.000Z-task_one_two'));
    assert.equal(contents(trash.folder ?? ''), {
      'a/b': 'b',
      'a/deep/c': { script: 'c' },
      'x/l': { link: '../a' },
    });
    assert.equal(contents(root), { 'x/stays': '' });
  });
});

test('nothing is made where nothing is taken', () => {
  inFolder((root, outside) => {
    new Trash(root, join(outside, 'trash') as AbsPath, 'task', NOON);
    assert.equal(contents(outside), {});
  });
});

test('two occasions at one moment do not mix', () => {
  inFolder((root, outside) => {
    const trashDir = join(outside, 'trash') as AbsPath;
    const folders = ['one', 'two'].map((text) => {
      put(root, { a: text });
      const trash = new Trash(root, trashDir, 'task', NOON);
      trash.take('a' as RelPath);
      return trash.folder ?? '';
    });
    assert.equal(
      folders.map((folder) => contents(folder)),
      [{ a: 'one' }, { a: 'two' }],
    );
  });
});

test.run();
