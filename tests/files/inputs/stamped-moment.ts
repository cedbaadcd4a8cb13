import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Moments } from '../../../core/files/inputs/stamped-moment.ts';
import { inNewFolder } from '../../_new-folder.ts';

function stampOf(folder: string): number {
  writeFileSync(join(folder, 'file'), '');
  return statSync(join(folder, 'file')).ctimeMs;
}

test('what is written after a moment has a later stamp, what was written before it has none', () =>
  inNewFolder(async (folder) => {
    for (let at = 0; at < 20; at++) {
      const before = stampOf(folder);
      const moment = await new Moments(join(folder, 'moment'), () => 0).latest();
      assert.ok(before <= moment);
      assert.ok(stampOf(folder) > moment);
    }
  }));

test('moments that follow closely are one, later ones are never before it, and all are in the past', () =>
  inNewFolder(async (folder) => {
    let now = 0;
    const moments = new Moments(join(folder, 'moment'), () => now);
    const first = await moments.latest();
    now = 1;
    assert.is(await moments.latest(), first);
    let last = first;
    for (let at = 0; last === first; at++) {
      assert.ok(at < 1000, 'another moment comes');
      now += 1000;
      last = await moments.latest();
      assert.ok(last >= first);
      assert.ok(stampOf(folder) > last);
      await new Promise((resume) => setImmediate(resume));
    }
  }));

test.run();
