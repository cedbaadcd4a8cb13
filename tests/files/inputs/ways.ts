/** The folders and links that lead to paths. */
import { renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AbsPath, RelPath } from '../../../core/base/paths.ts';
import { Ways } from '../../../core/files/inputs/ways.ts';
import { inFolder, put, remove } from '../_folder.ts';

const waysTo = (root: AbsPath, ...paths: readonly string[]): Ways => new Ways(root, paths as readonly RelPath[]);

function lead(root: string, link: string, target: string): void {
  rmSync(join(root, link), { force: true });
  symlinkSync(target, join(root, link));
}

test('links on the way are known, and those that they lead to; what lies beside it is not looked at', () => {
  inFolder((root) => {
    put(root, { 'v1/a': '1', 'b/other': { link: '..' }, current: { link: 'latest' }, latest: { link: 'v1' } });
    assert.equal([...waysTo(root, 'current/a', 'b/c').links].sort(), ['current', 'latest']);
    assert.equal(waysTo(root, '../outside/a', 'nowhere/a').links, []);
  });
});

test('links that contain each other end', () => {
  inFolder((root) => {
    put(root, { a: { link: 'b' }, b: { link: 'a' }, 'c/d': { link: '../c' } });
    assert.equal([...waysTo(root, 'a/x', 'c/d/d/d/x').links].sort(), ['a', 'b', 'c/d', 'c/d/d', 'c/d/d/d']);
  });
});

test('a link that led elsewhere and leads back is a change, be it on the way or where a link leads', () => {
  inFolder((root) => {
    put(root, { 'v1/a': '1', 'v2/a': '2', current: { link: 'latest' }, latest: { link: 'v1' } });
    for (const [link, target] of [
      ['current', 'latest'],
      ['latest', 'v1'],
    ] as const) {
      const ways = waysTo(root, 'current/a');
      assert.equal(ways.changes(), []);
      lead(root, link, 'v2');
      lead(root, link, target);
      assert.equal(ways.changes(), [link]);
    }
  });
});

test('a folder that was moved away and back, replaced or removed is a change, one that gets files is none', () => {
  inFolder((root) => {
    put(root, { 'in/src/a': '1', 'other/src/a': '2' });
    const ways = waysTo(root, 'in/src/a');
    put(root, { 'in/src/b': '', 'in/c': '' });
    remove(root, 'in/src/b');
    assert.equal(ways.changes(), []);
    const before = waysTo(root, 'in/src/a');
    renameSync(join(root, 'in/src'), join(root, 'away'));
    renameSync(join(root, 'away'), join(root, 'in/src'));
    assert.ok(before.changes().includes('in/src' as RelPath));
    const again = waysTo(root, 'in/src/a');
    remove(root, 'in');
    renameSync(join(root, 'other'), join(root, 'in'));
    assert.equal([...again.changes()].sort(), ['in', 'in/src']);
    remove(root, 'in');
    assert.equal([...again.changes()].sort(), ['in', 'in/src']);
  });
});

test.run();
