/**
 * Random pipelines live through random histories, with real commands, a real cache on disk, and the whole program but
 * for its command line. See `_history.ts` for what is compared with what, and the other oracles for other worlds.
 */
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { live } from './_history.ts';
import { Noted, tally } from './_noted.ts';
import { EXTENTS, hold, withBase } from './_oracle.ts';
import { PIPELINES } from './_pipeline.ts';
import { story } from './_story.ts';

test('whatever happens to a workspace, a run makes it what a clean build makes, and works no more than it must', async () => {
  await hold(
    fc.asyncProperty(story('inside', PIPELINES), (story) =>
      withBase((base) => live(story, PIPELINES, new Noted(base))),
    ),
    EXTENTS.pipelines,
  );
});

test('notes were asked, and some of them were answers', () => {
  const { asked, answered } = tally;
  console.log(`${answered} of ${asked} runs were answered by a note`);
  assert.ok(asked === 0 || answered > 0);
});

test('every CI run lives through 300 histories at least, and a nightly one through 20 000', () => {
  const sum = (profile: 'normal' | 'nightly'): number =>
    Object.values(EXTENTS).reduce((total, one) => total + (one.seconds === undefined ? one[profile] : 0), 0);
  assert.ok(sum('normal') >= 300, `${sum('normal')}`);
  assert.ok(sum('nightly') >= 20_000, `${sum('nightly')}`);
});

test.run();
