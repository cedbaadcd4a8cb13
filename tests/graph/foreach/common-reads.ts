import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RelPath } from '../../../core/base/paths.ts';
import { CommonReads } from '../../../core/graph/foreach/common-reads.ts';

test('what takes no time is looked at for every item', async () => {
  let looks = 0;
  const reads = new CommonReads(
    () => [`look ${++looks}` as RelPath],
    () => 0,
  );
  assert.equal(await Promise.all([reads.changes(), reads.changes()]), [['look 1'], ['look 2']]);
});

test('what takes long is looked at once for all that are done by then, and never before they are', async () => {
  let [looks, now] = [0, 0];
  const look = (): readonly RelPath[] => {
    now += 5;
    return [`look ${++looks}` as RelPath];
  };
  const reads = new CommonReads(look, () => now);
  assert.equal(await reads.changes(), ['look 1']);
  assert.equal(await Promise.all([reads.changes(), reads.changes(), reads.changes()]), [
    ['look 2'],
    ['look 2'],
    ['look 2'],
  ]);
  const third = reads.changes();
  assert.is(looks, 2);
  assert.equal(await third, ['look 3']);
});

test.run();
