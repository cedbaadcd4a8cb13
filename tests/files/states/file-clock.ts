import { statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AbsPath } from '../../../core/base/paths.ts';
import { readContent } from '../../../core/files/states/contents.ts';
import { fileClock } from '../../../core/files/states/file-clock.ts';
import { sameKey } from '../../../core/files/states/stat-key.ts';
import { inNewFolder } from '../../_new-folder.ts';

test('whatever is changed after the clock has passed a file has another key, of the same size too', () =>
  inNewFolder((folder) => {
    const place = join(folder, 'file') as AbsPath;
    const clock = fileClock(Date.now, join(folder, 'moment'));
    let passed = 0;
    const deadline = Date.now() + 10_000;
    for (let at = 0; at < 300 || (passed === 0 && Date.now() < deadline); at++) {
      writeFileSync(place, String(at % 10));
      const content = readContent(place, clock);
      if (content?.trusted !== true) continue;
      passed++;
      writeFileSync(place, String((at + 1) % 10));
      assert.not.ok(sameKey(content.key, statSync(place)));
    }
    assert.ok(passed > 0, 'a clock moves on');
  }));

test('a file of the future, of another device, or where nothing can be written is not passed', () =>
  inNewFolder((folder) => {
    const place = join(folder, 'file');
    writeFileSync(place, '');
    const { hasPassed } = fileClock(Date.now, join(folder, 'moment'));
    const stats = statSync(place);
    assert.is(hasPassed?.(Object.assign(stats, { mtimeMs: 0, ctimeMs: 0 })), true);
    assert.is(hasPassed?.(Object.assign(stats, { dev: stats.dev + 1 })), false);
    const future = Date.now() / 1000 + 60;
    utimesSync(place, future, future);
    assert.is(hasPassed?.(statSync(place)), false);
    const nowhere = fileClock(Date.now, join(folder, 'gone', 'moment'));
    assert.is(nowhere.hasPassed?.(Object.assign(statSync(place), { mtimeMs: 0, ctimeMs: 0 })), false);
  }));

test('a file of long ago is trusted without asking', () =>
  inNewFolder((folder) => {
    const place = join(folder, 'file') as AbsPath;
    writeFileSync(place, 'x');
    const clock = Object.assign(() => Date.now() + 60_000, {
      hasPassed: (): boolean => assert.unreachable('the file is old') as never,
    });
    const content = readContent(place, clock);
    assert.is(content?.trusted, true);
    assert.ok(content && sameKey(content.key, statSync(place)));
  }));

test.run();
