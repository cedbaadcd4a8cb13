/**
 * A full disk. Needs a small file system of its own, which only root can mount, and only on Linux: elsewhere the test
 * says so and passes.
 */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { onSmallDisk } from '../../_small-disk.ts';
import { runToEnd } from '../_child.ts';

test('a disk that fills up costs what is put, never the process, and is used again when it has room', () =>
  onSmallDisk(44, (folder) => {
    const { end, stdout, stderr } = runToEnd(
      '_lmdb-child.ts',
      'fill',
      join(folder, '.fleche'),
      join(folder, 'ballast'),
    );
    assert.is(end, 0, stderr);
    const { troubles, wrong, before, during, after } = JSON.parse(stdout);
    assert.is(wrong, 0);
    assert.is(before, true, 'what was put before is there');
    assert.ok(during > 0, 'some of what was put while the disk filled up is lost');
    assert.is(after, true, 'what is put when there is room again is kept');
    assert.is(troubles.length, 1);
    assert.match(troubles[0], /^the cache could not be written \(.+\); what is not kept is made again$/);
    const next = runToEnd('_lmdb-child.ts', 'has', join(folder, '.fleche'), 'before', 'after');
    assert.is(next.end, 0, next.stderr);
    assert.is(next.stdout, 'true\ntrue\n');
  }));

test('leases on a disk that fills up hold within their process, and others are given up once', () =>
  onSmallDisk(24, (folder) => {
    const { end, stdout, stderr } = runToEnd('_lmdb-child.ts', 'fill leases', folder, join(folder, 'ballast'));
    assert.is(end, 0, stderr);
    const { taken, held, troubles } = JSON.parse(stdout);
    assert.equal([taken, held], [3000, 'held']);
    assert.is(troubles.length, 1);
    assert.match(troubles[0], /^other processes cannot be heard of any more \(.+\)$/);
  }));

test('a cache is not opened on a disk that is almost full', () =>
  onSmallDisk(8, (folder) => {
    const { end, stderr } = runToEnd('_lmdb-child.ts', 'put', join(folder, '.fleche'), 'a');
    assert.is(end, 1);
    assert.match(stderr, /STORE_UNUSABLE/);
    assert.match(stderr, /the disk is almost full/);
  }));

test.run();
