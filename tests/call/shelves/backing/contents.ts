import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Change, Contents } from '../../../../core/call/shelves/backing/contents.ts';

const row = (key: string, order: number, value = 0, version = 1) => ({ key, value, order, version });
const keysOf = (contents: Contents<string, number>): readonly string[] =>
  Array.from(contents.entries(), ({ key }) => key);
const shown = (changes: readonly Change<string, number>[]): readonly unknown[] =>
  changes.map(({ key, set, order, version }) => [key, set?.value, order, version]);

/** As it is after two rows were loaded. */
function loaded(): Contents<string, number> {
  const contents = new Contents<string, number>(true);
  contents.reset([row('a', 0), row('b', 1)]);
  return contents;
}

test('what was read is no change', () => {
  const contents = loaded();
  assert.is(contents.changes, 0);
  assert.equal(contents.takeChanges(), []);
});

test('a change names the write that it was made upon', () => {
  const contents = loaded();
  contents.set('a', 7);
  contents.set('c', 8);
  contents.delete('b');
  assert.equal(shown(contents.takeChanges()), [
    ['b', undefined, undefined, 1],
    ['a', 7, 0, 1],
    ['c', 8, undefined, undefined],
  ]);
  assert.is(contents.changes, 0);
});

test('what is removed and set again comes last', () => {
  const contents = loaded();
  contents.delete('a');
  contents.set('a', 7);
  assert.equal(keysOf(contents), ['b', 'a']);
  assert.equal(shown(contents.takeChanges()), [['a', 7, undefined, 1]]);
});

test('new entries are handed out in the order in which they were added', () => {
  const contents = new Contents<string, number>(true);
  for (const key of ['x', 'y', 'z']) contents.set(key, 0);
  contents.delete('x');
  contents.set('x', 1);
  assert.equal(
    contents.takeChanges().map(({ key }) => key),
    ['y', 'z', 'x'],
  );
});

test('a change made while another of the key is being written builds upon that one', () => {
  const contents = loaded();
  contents.set('a', 7);
  const [change] = contents.takeChanges();
  assert.ok(change);
  contents.set('a', 8);
  contents.settle(change, { order: 0, version: 2 });
  assert.equal(shown(contents.takeChanges()), [['a', 8, 0, 2]]);
});

test('a key that is removed and set again while it is being written still comes last', () => {
  const contents = loaded();
  contents.set('a', 7);
  const [change] = contents.takeChanges();
  assert.ok(change);
  contents.delete('a');
  contents.set('a', 8);
  contents.settle(change, { order: 0, version: 2 });
  assert.equal(shown(contents.takeChanges()), [['a', 8, undefined, 2]]);
});

test('a change that was not written is made again, unless a later one took its place', () => {
  const contents = loaded();
  contents.set('a', 7);
  contents.delete('b');
  contents.set('c', 9);
  const changes = contents.takeChanges();
  contents.set('b', 8);
  contents.delete('c');
  for (const change of changes) contents.restore(change);
  assert.equal(shown(contents.takeChanges()), [
    ['c', undefined, undefined, undefined],
    ['a', 7, 0, 1],
    ['b', 8, undefined, 1],
  ]);
});

test('what others have saved is taken over, and own changes are kept', () => {
  const contents = loaded();
  contents.set('a', 7);
  contents.set('own', 8);
  contents.delete('b');
  contents.merge([row('new', 5), row('a', 9, 99, 4), row('b', 10, 99, 4)]);
  assert.equal(
    Array.from(contents.entries(), ({ key, value }) => [key, value]),
    [
      ['new', 0],
      ['a', 7],
      ['own', 8],
    ],
  );
  assert.equal(shown(contents.takeChanges()), [
    ['b', undefined, undefined, 1],
    ['a', 7, 0, 1],
    ['own', 8, undefined, undefined],
  ]);
});

test('what others have added is not removed by removing what was added here', () => {
  const contents = loaded();
  contents.set('c', 7);
  contents.delete('c');
  contents.set('d', 8);
  contents.merge([row('c', 2), row('d', 3)]);
  assert.equal(keysOf(contents), ['c', 'd']);
  assert.equal(shown(contents.takeChanges()), [['d', 8, undefined, 0]]);
});

test('what others have removed is gone, unless it was changed here; then it comes last', () => {
  const contents = loaded();
  contents.set('a', 7);
  contents.merge([row('c', 3)]);
  assert.equal(keysOf(contents), ['c', 'a']);
  assert.equal(shown(contents.takeChanges()), [['a', 7, undefined, 1]]);
});

test('where nobody is interested in changes none are noted', () => {
  const contents = new Contents<string, number>(false);
  contents.set('a', 1);
  contents.delete('a');
  assert.is(contents.changes, 0);
});

test.run();
