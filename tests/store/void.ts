import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../../core/base/hash.ts';
import { VoidCallStore, VoidValueStore } from '../../core/store/void.ts';
import { aKey, aRecord } from './_record.ts';

test('a void values store takes everything and has nothing', () => {
  const store = new VoidValueStore();
  const digest = sha256('x');
  store.put(digest, Buffer.from('x'));
  store.alias(sha256('value'), digest);
  store.flush();
  assert.is(store.has(digest), false);
  assert.is(store.get(digest), undefined);
  assert.is(store.target(sha256('value')), undefined);
  assert.is(store.delete(digest), false);
  assert.is(store.unalias(sha256('value')), false);
  assert.equal([...store.list()], []);
  assert.equal([...store.aliases()], []);
  assert.equal(store.matching(), []);
});

test('a void calls store takes everything and has nothing', () => {
  const store = new VoidCallStore();
  store.put(aRecord());
  store.flush();
  assert.is(store.get(aKey('a')), undefined);
  assert.is(store.delete(aKey('a')), false);
  assert.equal([...store.find()], []);
  assert.equal(store.matching(), []);
  assert.is(store.count(), 0);
});

test.run();
