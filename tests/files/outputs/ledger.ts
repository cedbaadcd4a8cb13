import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RelPath } from '../../../core/base/paths.ts';
import { Ledgers } from '../../../core/files/outputs/ledger.ts';
import { stateOf } from '../../../core/files/states/path-states.ts';
import { CountingState } from '../_fakes.ts';

const STATES = [stateOf('dist/a.js' as RelPath, 'file'), stateOf('dist/l' as RelPath, 'link', 'a.js')];

test('a ledger comes back from the store, finished or not', () => {
  const state = new CountingState();
  new Ledgers(state).finish('build:all', STATES);
  const finished = new Ledgers(state).read('build:all');
  assert.is(finished?.finished, true);
  assert.equal([...(finished?.paths.values() ?? [])], STATES);
  assert.equal([...(finished?.names ?? [])], ['dist/a.js', 'dist/l']);
  new Ledgers(state).begin('build:all', STATES.slice(1));
  const begun = new Ledgers(state).read('build:all');
  assert.is(begun?.finished, false);
  assert.equal([...(begun?.paths.values() ?? [])], STATES.slice(1));
});

test('what another process wrote is seen', () => {
  const state = new CountingState();
  const [one, other] = [new Ledgers(state), new Ledgers(state)];
  one.finish('task', STATES);
  assert.is(one.read('task')?.paths.size, 2);
  other.finish('task', []);
  assert.is(one.read('task')?.paths.size, 0);
});

test('the beginning of a run is durable, and what else is noted after a flush', () => {
  const state = new CountingState();
  const ledgers = new Ledgers(state);
  ledgers.finish('task', STATES);
  assert.is(state.flushes, 0);
  ledgers.begin('task', []);
  assert.is(state.flushes, 1);
  ledgers.flush();
  assert.is(state.flushes, 2);
});

test('the first beginning of a task says something only where files stood that are not its own', () => {
  const state = new CountingState();
  const ledgers = new Ledgers(state);
  ledgers.begin('task', []);
  assert.is(state.flushes, 0);
  assert.equal(ledgers.tasks(), []);
  ledgers.begin('task', STATES);
  assert.is(state.flushes, 1);
  assert.is(ledgers.read('task')?.finished, false);
});

test('damaged, unknown and forgotten ledgers are none', () => {
  const state = new CountingState();
  const ledgers = new Ledgers(state);
  ledgers.finish('task', STATES);
  ledgers.finish('other', STATES);
  assert.equal(ledgers.tasks(), ['other', 'task']);
  for (const name of state.names('outputs/task')) state.put(name, Buffer.from('damage'));
  assert.is(ledgers.read('task'), undefined);
  assert.is(ledgers.read('never'), undefined);
  ledgers.delete('other');
  assert.is(ledgers.read('other'), undefined);
  assert.equal(ledgers.tasks(), ['task']);
});

test.run();
