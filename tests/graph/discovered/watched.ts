/** A watch of tasks that tell what they read. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RelPath } from '../../../core/base/paths.ts';
import { onSite, until } from '../_site.ts';
import { WatchedSite } from '../watch/_watch.ts';

const CAT = {
  run: 'say cat; : >all; : >list; for f in $(cat main); do if [ -e $f ]; then cat $f >>all; echo $f >>list; else echo "?$f" >>list; fi; done',
  inputs: ['main'],
  outputs: ['all'],
  discovered: { form: 'list', file: 'list' as RelPath },
} as const;

/** Of a task that reads `a`, and looks for `b`: both are watched, until it reads `c` instead. */
async function followed(watched: WatchedSite): Promise<void> {
  assert.equal(await watched.saved({ a: '2' }), ['cat']);
  assert.equal(await watched.saved({ b: '1' }), ['cat']);
  assert.is(watched.site.read('all'), '21');
  assert.equal(await watched.saved({ c: '4' }), []);
  assert.equal(await watched.saved({ main: 'c' }), ['cat']);
  assert.equal(await watched.saved({ a: '9' }), []);
  assert.equal(await watched.saved({ c: '5' }), ['cat']);
  assert.is(watched.site.read('all'), '5');
}

test('what a task discovered is watched, what it no longer reads is not', () =>
  onSite({ cat: CAT }, { main: 'a b', a: '1', c: '3' }, async (site) => {
    const watched = await new WatchedSite(site).start();
    const paths = (): readonly string[] => watched.source.scopes.at(-1)?.paths ?? [];
    assert.ok(paths().includes('a') && paths().includes('b'));
    await followed(watched);
    assert.equal(await watched.saved({ c: '4' }), []);
    assert.is(site.read('all'), '4');
  }));

test('what a task discovered of which nothing is kept is watched too, and it runs when that changes', () =>
  onSite({ cat: { ...CAT, cache: false } }, { main: 'a b', a: '1' }, async (site) => {
    const watched = await new WatchedSite(site).start();
    await followed(watched);
    watched.watch.anything();
    await watched.quiet();
    assert.equal(site.log(), [], 'where nothing changed it does not run');
  }));

test('a failure of which nothing is kept is tried again when a file changes that it discovered', () =>
  onSite(
    { cat: { ...CAT, cache: false, run: `${CAT.run}; grep -q good all` } },
    { main: 'a', a: 'bad' },
    async (site) => {
      const watched = await new WatchedSite(site).start();
      assert.equal(await watched.saved({ a: 'good' }), ['cat']);
      assert.is(watched.rounds.at(-1)?.summary.failed, 0);
    },
  ));

test('what a task read before is watched while it runs with another question', () =>
  onSite(
    { cat: { ...CAT, run: `${CAT.run}; until [ -e go ]; do sleep 0.02; done` } },
    { main: 'a', a: '1', go: '' },
    async (site) => {
      const watched = await new WatchedSite(site).start();
      site.remove('go');
      watched.save({ main: 'a a' });
      await watched.begin();
      await until(() => site.exists('all') && site.read('all') === '11', 'it has read what it reads');
      site.remove('a');
      watched.tell('a');
      await watched.begin();
      site.write({ go: '' });
      await watched.quiet();
      assert.is(site.read('all'), '');
    },
  ));

test('a failure is tried again when a file changes that it discovered', () =>
  onSite({ cat: { ...CAT, run: `${CAT.run}; grep -q good all` } }, { main: 'a', a: 'bad' }, async (site) => {
    const watched = await new WatchedSite(site).start();
    assert.equal(await watched.saved({ a: 'good' }), ['cat']);
    assert.equal(
      watched.rounds.at(-1)?.outcomes.map(({ outcome }) => outcome),
      ['ran'],
    );
  }));

test.run();
