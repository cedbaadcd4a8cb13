/** FLECHE_CACHE=off: for functions of a program, and for tasks. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isCachingOn } from '../../../core/app/caches/cache-switch.ts';
import { COPY, outcomes, withScratch } from '../_scratch.ts';

test('a few words switch caching off, anything else leaves it on', () => {
  for (const word of ['off', 'OFF', ' no ', 'false', '0']) assert.is(isCachingOn({ FLECHE_CACHE: word }), false);
  for (const word of [undefined, '', 'on', '1', 'local']) assert.is(isCachingOn({ FLECHE_CACHE: word }), true);
  assert.is(isCachingOn({}), true);
});

test('the functions of a program heed it', () => {
  const index = new URL('../../../core/index.ts', import.meta.url);
  const program = `
    import { cache, fleche, metrics } from '${index}';
    let made = 0;
    const f = fleche(() => ++made, { name: 'f' });
    cache('memory', () => { f(); f(); });
    console.log(made, metrics().snapshot().total.bypassed);
  `;
  const run = (value: string): string =>
    spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
      encoding: 'utf8',
      cwd: resolve(import.meta.dirname, '../..'),
      env: { ...process.env, FLECHE_CACHE: value },
    }).stdout.trim();
  assert.equal([run('off'), run('')], ['2 2', '1 0']);
});

test('tasks are neither looked up nor filed', async () => {
  await withScratch(COPY, async (scratch) => {
    const ran = { copy: 'ran', look: 'ran' };
    for (const [value, wanted] of [
      ['off', ran],
      ['', ran],
      ['off', ran],
      ['', { copy: 'cached', look: 'cached' }],
    ] as const) {
      const project = scratch.open({ env: { ...process.env, FLECHE_CACHE: value } });
      assert.equal(await outcomes(project), wanted);
      await project.close();
    }
  });
});

test.run();
