import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digest } from '../../../core/base/digest.ts';
import type { Digest } from '../../../core/base/hash.ts';
import { Cache } from '../../../core/call/caches/cache.ts';
import { part } from '../../../core/call/fingerprint.ts';
import { type Look, type TracedCall, TracedCalls } from '../../../core/call/traced/traced.ts';
import { MemoryCallStore, MemoryValueStore } from '../../../core/store/memory.ts';

const CALL: TracedCall = { name: 'shout', module: 'a.txt', parts: [part('argument', 'text', digest('a'))] };

function setup(cache: Cache = new Cache(new MemoryValueStore(), new MemoryCallStore())) {
  const warnings: string[] = [];
  const calls = (): TracedCalls =>
    new TracedCalls({ cache: () => cache, who: 'test', onWarning: (text) => warnings.push(text), now: () => 1 });
  return { cache, calls, warnings };
}

/** A world in which things are as `state` says; what it does not name cannot be told. */
function world(state: Readonly<Record<string, string>>): Look {
  return ({ name }) => (state[name] === undefined ? undefined : digest(state[name]));
}

function seen(name: string, text: string): { kind: 'files'; name: string; digest: Digest } {
  return { kind: 'files', name, digest: digest(text) };
}

test('an answer is found at once where it was filed, and by others when it is flushed', async () => {
  const { calls } = setup();
  const first = calls();
  const key = await first.file(CALL, [], () => 'A', { runtime: { walltime: 3 } });
  const found = await first.lookup(CALL, world({}));
  assert.equal(found, { found: true, key, value: 'A', metadata: { runtime: { walltime: 3 } } });
  assert.is((await calls().lookup(CALL, world({}))).found, false);
  await first.flush();
  assert.equal(await calls().lookup(CALL, world({})), found);
});

test('what was looked at leads to the answer that was made from it, before and after a flush', async () => {
  const { calls } = setup();
  const first = calls();
  await first.file(CALL, [seen('file:b', 'one')], () => 'A1', {});
  await first.file(CALL, [seen('file:b', 'two')], () => 'A2', {});
  await first.file(CALL, [seen('file:c', 'x')], () => 'A3', {});
  for (const asked of [first, calls()]) {
    const value = async (look: Look): Promise<unknown> => {
      const found = await asked.lookup(CALL, look);
      return found.found ? found.value : undefined;
    };
    assert.is(await value(world({ 'file:b': 'one' })), 'A1');
    assert.is(await value(world({ 'file:b': 'two' })), 'A2');
    assert.is(await value(world({ 'file:b': 'three', 'file:c': 'x' })), 'A3');
    assert.is(await value(world({ 'file:b': 'three' })), undefined);
    await first.flush();
  }
});

test('an answer is amended while it waits and when it is on file', async () => {
  const { calls } = setup();
  const first = calls();
  const key = await first.file(CALL, [], () => 'A', {});
  if (key === undefined) throw new Error('not filed');
  await first.amend(key, () => 'B');
  await first.flush();
  const later = calls();
  assert.is(((await later.lookup(CALL, world({}))) as { value: unknown }).value, 'B');
  await later.amend(key, () => 'C');
  await later.flush();
  assert.is(((await calls().lookup(CALL, world({}))) as { value: unknown }).value, 'C');
});

test('a cache that fails is a miss and one warning, when asked and when written', async () => {
  const { calls, cache, warnings } = setup();
  const fail = (): never => {
    throw new Error('out of order');
  };
  Object.assign(cache.calls, { put: fail });
  const first = calls();
  for (const text of ['a', 'b']) {
    await first.file({ ...CALL, parts: [part('argument', 'text', digest(text))] }, [], () => 'A', {});
  }
  await first.flush();
  assert.is(warnings.length, 1);
  assert.match(warnings[0] ?? '', 'out of order');
  Object.assign(cache.calls, { get: fail });
  assert.is((await first.lookup(CALL, world({}))).found, false);
  assert.is(warnings.length, 1);
});

test('what was seen a moment ago does not count when it is asked whether an answer still holds', async () => {
  const { cache } = setup();
  const asked: string[] = [];
  const first = new TracedCalls({
    cache: () => cache,
    who: 'test',
    onWarning: () => {},
    now: () => 0,
    renew: () => asked.push('renew'),
  });
  const holds = (): boolean => asked.push('holds') === 0;
  await first.file(CALL, [], () => 'A', {}, holds);
  await first.flush();
  assert.equal(asked, ['renew', 'holds']);
  assert.is((await first.lookup(CALL, world({}))).found, false);
  await first.file(CALL, [], () => 'A', {}, holds);
  first.finish();
  assert.equal(asked.slice(2), ['renew', 'holds']);
});

test('many answers are all written, those that come meanwhile too', async () => {
  const { calls } = setup();
  const first = calls();
  const call = (n: number): TracedCall => ({ ...CALL, parts: [part('argument', 'n', digest(n))] });
  for (let n = 0; n < 600; n++) await first.file(call(n), [], () => n, {});
  const flushed = first.flush();
  for (let n = 600; n < 700; n++) await first.file(call(n), [], () => n, {});
  await flushed;
  await first.flush();
  const later = calls();
  for (let n = 0; n < 700; n++) assert.is((await later.lookup(call(n), world({}))).found, true);
});

test.run();
