import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AbsPath, RelPath } from '../../../core/base/paths.ts';
import { Trash } from '../../../core/files/outputs/trash.ts';
import { onSmallDisk } from '../../_small-disk.ts';
import { contents, inFolder, put } from '../_folder.ts';

const NOON = (): number => Date.UTC(2031, 4, 6, 12);
const STAMP = '2031-05-06T12-00-00.000Z';

test('what is taken keeps its path, a folder all that is in it, and a link its text', () => {
  inFolder((root, outside) => {
    put(root, { 'a/b': 'b', 'a/deep/c': { script: 'c' }, 'x/l': { link: '../a' }, 'x/stays': '' });
    const trash = new Trash(root, join(outside, 'trash') as AbsPath, NOON);
    trash.take('a' as RelPath, 'one');
    trash.take('x/l' as RelPath, 'one');
    assert.equal(contents(join(outside, 'trash', STAMP)), {
      'a/b': 'b',
      'a/deep/c': { script: 'c' },
      'x/l': { link: '../a' },
    });
    assert.equal(contents(root), { 'x/stays': '' });
  });
});

test('nothing is made where nothing is taken', () => {
  inFolder((root, outside) => {
    assert.is(new Trash(root, join(outside, 'trash') as AbsPath, NOON).told(), undefined);
    assert.equal(contents(outside), {});
  });
});

test('where nothing can be put it goes to a folder for what is temporary, which is told', () => {
  inFolder((root) => {
    put(root, { a: 'one', '.fleche': 'a file' });
    const trash = new Trash(root, join(root, '.fleche/trash') as AbsPath, NOON);
    trash.take('a' as RelPath, 'task');
    const place = /moved to (.*): /.exec(trash.told() ?? '')?.[1] ?? '';
    assert.ok(place.startsWith(join(tmpdir(), 'fleche-trash-')), place);
    assert.equal(contents(place), { a: 'one' });
    assert.equal(contents(root), { '.fleche': 'a file' });
    rmSync(dirname(place), { recursive: true });
  });
});

test('two occasions at one moment do not mix', () => {
  inFolder((root, outside) => {
    const trashDir = join(outside, 'trash') as AbsPath;
    for (const text of ['one', 'two']) {
      put(root, { a: text });
      new Trash(root, trashDir, NOON).take('a' as RelPath, 'task');
    }
    assert.equal(contents(trashDir), { [`${STAMP}/a`]: 'one', [`${STAMP}-2/a`]: 'two' });
  });
});

test('a file that lies there already is not kept twice, one that is other than the last is', () => {
  inFolder((root, outside) => {
    const trashDir = join(outside, 'trash') as AbsPath;
    for (const text of ['one', 'one', 'two', 'one']) {
      put(root, { a: text });
      const trash = new Trash(root, trashDir, NOON);
      trash.take('a' as RelPath, 'task');
      assert.equal(contents(root), {});
    }
    assert.equal(contents(trashDir), { [`${STAMP}/a`]: 'one', [`${STAMP}-2/a`]: 'two', [`${STAMP}-3/a`]: 'one' });
    put(root, { a: { script: 'one' } });
    new Trash(root, trashDir, NOON).take('a' as RelPath, 'task');
    assert.equal(contents(trashDir)[`${STAMP}-4/a`], { script: 'one' });
  });
});

test('what finds no room goes to a folder for what is temporary, whole', () =>
  onSmallDisk(1, (disk) =>
    inFolder((root) => {
      const large = 'x'.repeat(700_000);
      put(root, { a: large, b: large });
      const trash = new Trash(root, join(disk, 'trash') as AbsPath, NOON);
      for (const path of ['a', 'b']) trash.take(path as RelPath, 'task');
      const [, first = '', second = ''] = /moved to (.*) and (.*): /.exec(trash.told() ?? '') ?? [];
      assert.is(first, join(disk, 'trash'));
      assert.equal(contents(first), { [`${STAMP}/a`]: large });
      assert.equal(contents(second), { [`${STAMP}/b`]: large });
      assert.equal(contents(root), {});
      rmSync(second, { recursive: true });
    }),
  ));

test('what stood at one path, or above or below another, is all kept', () => {
  inFolder((root) => {
    const trashDir = join(root, '.fleche/trash') as AbsPath;
    const trash = new Trash(root, trashDir, NOON);
    for (const things of [{ a: 'one' }, { a: 'two' }, { 'a/b': 'three' }, { 'a/c': 'four' }]) {
      put(root, things);
      for (const path of Object.keys(things)) trash.take(path as RelPath, path);
      rmSync(join(root, 'a'), { recursive: true, force: true });
    }
    assert.equal(contents(trashDir), {
      [`${STAMP}/a`]: 'one',
      [`${STAMP}-2/a`]: 'two',
      [`${STAMP}-3/a/b`]: 'three',
      [`${STAMP}-3/a/c`]: 'four',
    });
    assert.match(trash.told() ?? '', /^4 paths .* a, a\/b, a\/c were moved to \.fleche\/trash: /);
  });
});

test('one sentence says of all tasks what was taken, and says it once', () => {
  inFolder((root) => {
    const trash = new Trash(root, join(root, '.fleche/trash') as AbsPath, NOON);
    put(root, { a: '', b: '', c: '', d: '', e: '' });
    trash.take('a' as RelPath, 'build');
    assert.is(
      trash.told(),
      `1 path among the outputs of build was moved to .fleche/trash/${STAMP}: that task is not known to have written it`,
    );
    assert.is(trash.told(), undefined);
    for (const name of ['b', 'c', 'd', 'e']) trash.take(name as RelPath, `task ${name}`);
    assert.is(
      trash.told(),
      `4 paths among the outputs of task b, task c, task d and 1 more were moved to .fleche/trash/${STAMP}-2: these tasks are not known to have written them`,
    );
  });
});

test.run();
