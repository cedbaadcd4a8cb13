/** What is offered on a command line, by what stands on it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { VERBS } from '../../../core/app/cli/verbs.ts';
import { type Names, type Offers, offersFor } from '../../../core/app/completion/offers.ts';

const NAMES: Names = {
  tasks: [
    ['build', 'tsc -p .'],
    ['bundle', 'in 2 packages'],
    ['test:unit', 'vitest'],
    ['ui#bundle', 'vite build'],
    ['app#bundle', 'vite build'],
  ],
  packages: [
    ['app', 'apps/app'],
    ['ui', 'packages/ui'],
  ],
};

const offers = (...words: string[]): Promise<Offers> => offersFor(words, VERBS, async () => NAMES);
const words = async (...typed: string[]): Promise<readonly string[]> =>
  (await offers(...typed)).words.map(([word]) => word);

test('verbs, with what they are for, and none that nobody calls', async () => {
  assert.equal((await offers('pl')).words, [['plan', 'say what run would do, and why']]);
  const all = await words('');
  assert.ok(all.includes('help'));
  assert.is(all.includes('__complete'), false);
  assert.equal(await words('--strict', '--cwd', 'x', 'wat'), ['watch']);
  assert.equal(await words('help', 'wa'), ['watch']);
});

test('options of the verb, those that were given but once', async () => {
  assert.equal(await words('run', '--js'), ['--json']);
  assert.equal(await words('run', '--json', '--js'), []);
  assert.equal(await words('run', '-F', 'a', '--fi'), ['--filter']);
  assert.equal(await words('why', '--jobs'), []);
  assert.equal(await words('run', '--', '--js'), []);
});

test('values of options, behind a blank and behind an equals sign', async () => {
  assert.equal(await words('run', '--log', 'g'), ['grouped']);
  assert.equal(await words('run', '--log=g'), ['--log=grouped']);
  assert.equal(await words('run', '-F', ''), ['app', 'ui']);
  assert.equal(await words('run', '--filter=u'), ['--filter=ui']);
  assert.equal(await words('run', '--jobs', ''), []);
  assert.equal(await offers('run', '--summary', 'o'), { words: [], paths: 'files' });
  assert.equal(await offers('--cwd=pa'), { words: [], paths: 'folders' });
  assert.equal(await words('watch', '--poll', 'bui'), ['build']);
});

test('tasks, and those of single packages where they are begun or nothing else is', async () => {
  assert.equal(await words('run', 'b'), ['build', 'bundle']);
  assert.equal(await words('run', 'build', 'ui#'), ['ui#bundle']);
  assert.equal(await words('run', 'a'), ['app#bundle']);
  assert.equal(await words('why', 'build', ''), []);
  assert.equal(await offers('lineage', 'build'), { words: [['build', 'tsc -p .']], paths: 'files' });
});

test('words that can only be these', async () => {
  assert.equal(await words('schema', 'p'), ['project', 'package']);
  assert.equal(await words('completion', ''), ['bash', 'zsh', 'fish']);
  assert.equal(await words('cache', 'pu'), ['push', 'pull', 'purge']);
  assert.equal(await words('cache', 'push', 'te'), ['test:unit']);
  assert.equal(await offers('cache', 'pack', ''), { words: [], paths: 'folders' });
  assert.equal(await words('graph', '--format='), [
    '--format=text',
    '--format=dot',
    '--format=mermaid',
    '--format=json',
  ]);
});

test('the project is asked only where it can be named', async () => {
  const never = (): Promise<Names> => Promise.reject(new Error('was asked'));
  for (const typed of [['r'], ['run', '--'], ['run', '--log='], ['schema', '']]) await offersFor(typed, VERBS, never);
});

test.run();
