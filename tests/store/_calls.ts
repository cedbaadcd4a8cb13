/** What every local calls store must do. Registers tests; the caller runs them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { asKey, type Key, sha256 } from '../../core/base/hash.ts';
import { type CallTerms, holds, newestFirst, type SyncCallStore } from '../../core/store/calls.ts';
import type { CallRecord } from '../../core/store/record.ts';
import { aKey, aRecord, CASES, someKey, someRecord, someTerms } from './_record.ts';

export interface CallsUnderTest {
  readonly store: SyncCallStore;
  /** Called between steps: a store with states between put and durable goes from one to the next. */
  readonly settle: () => void;
  readonly close: () => Promise<void> | void;
}

export function callsContract(label: string, open: (folder: string) => CallsUnderTest): void {
  const check = (name: string, work: (under: CallsUnderTest) => Promise<void> | void): void => {
    test(`${label}: ${name}`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'fleche-'));
      const under = open(join(folder, 'store'));
      try {
        await work(under);
      } finally {
        await under.close();
        rmSync(folder, { recursive: true, force: true });
      }
    });
  };
  const salts = (records: Iterable<CallRecord>): string[] =>
    [...records].map((record) => String(record.metadata['tags']?.['salt']));
  const salted = (salt: string, fields: Partial<CallRecord> = {}): CallRecord =>
    aRecord({ salt, ...fields, metadata: { tags: { salt, ...fields.metadata?.['tags'] } } });

  check('a record comes back under its key and no other', ({ store, settle }) => {
    assert.is(store.get(aKey('a')), undefined);
    assert.is(store.count(), 0);
    store.put(aRecord({ salt: 'a' }));
    settle();
    assert.equal(store.get(aKey('a')), aRecord({ salt: 'a' }));
    assert.is(store.get(aKey('b')), undefined);
    assert.is(store.count(), 1);
  });

  check('a later record under a key replaces the earlier, in every index', ({ store, settle }) => {
    store.put(salted('old', { key: aKey('k'), name: 'old', module: 'old', outputs: sha256('old'), filed: 1 }));
    settle();
    store.put(salted('new', { key: aKey('k'), name: 'new', module: 'new', outputs: sha256('new'), filed: 2 }));
    settle();
    assert.is(store.count(), 1);
    assert.equal(salts(store.find({})), ['new']);
    const asked = (salt: string): CallTerms[] => [
      { name: salt },
      { module: salt },
      { parts: { 'arg:x': sha256(salt) } },
      { result: sha256(`result ${salt}`) },
      { result: sha256(salt) },
      { tags: { salt } },
    ];
    for (const terms of asked('old')) assert.equal(salts(store.find(terms)), [], JSON.stringify(terms));
    for (const terms of asked('new')) assert.equal(salts(store.find(terms)), ['new'], JSON.stringify(terms));
  });

  check('a deleted record is gone, once, from every index', ({ store, settle }) => {
    store.put(salted('a'));
    settle();
    assert.is(store.delete(aKey('a')), true);
    assert.is(store.delete(aKey('a')), false);
    settle();
    assert.is(store.get(aKey('a')), undefined);
    assert.is(store.count(), 0);
    assert.equal([...store.find({})], []);
    assert.equal([...store.find({ name: 'f' })], []);
    assert.equal([...store.find({ parts: { 'arg:x': sha256('a') } })], []);
  });

  check('several records are deleted at once; what was not there does not count', ({ store, settle }) => {
    for (let index = 0; index < 50; index++) store.put(aRecord({ salt: `${index}`, filed: index }));
    settle();
    store.put(aRecord({ salt: 'new', filed: 100 }));
    const doomed = ['0', '1', 'new', 'new', 'nowhere', ...Array.from({ length: 45 }, (_, index) => `${index + 5}`)];
    assert.is(store.deleteAll(doomed.map(aKey)), 48);
    assert.is(store.deleteAll(doomed.map(aKey)), 0);
    settle();
    assert.is(store.count(), 3);
    assert.equal(
      [...store.find({})].map(({ filed }) => filed),
      [4, 3, 2],
    );
    assert.equal([...store.find({ uses: sha256('0') })], []);
  });

  check('what was used is found by its digest, whatever it was called', ({ store, settle }) => {
    const digest = sha256('x');
    const using = (kind: 'argument' | 'upstream' | 'files' | 'env', name: string): Partial<CallRecord> => ({
      parts: [{ name, kind, digest, blob: null }],
    });
    store.put(salted('1', { ...using('argument', 'arg:a'), filed: 1 }));
    store.put(salted('2', { ...using('upstream', 'need:b'), filed: 2 }));
    store.put(salted('3', { ...using('files', 'inputs'), filed: 3 }));
    store.put(salted('4', { ...using('env', 'env:E'), filed: 4 }));
    settle();
    assert.equal(salts(store.find({ uses: digest })), ['3', '2', '1']);
    assert.equal(salts(store.find({ uses: digest, since: 2, until: 3 })), ['2']);
    assert.equal(salts(store.find({ uses: sha256('y') })), []);
  });

  check('several terms must all hold', ({ store, settle }) => {
    store.put(salted('1', { name: 'f', module: 'm', filed: 1 }));
    store.put(salted('2', { name: 'f', module: 'n', filed: 2 }));
    settle();
    store.put(salted('3', { name: 'g', module: 'm', filed: 3, kind: 'task' }));
    assert.equal(salts(store.find({ name: 'f' })), ['2', '1']);
    assert.equal(salts(store.find({ name: 'f', module: 'm' })), ['1']);
    assert.equal(salts(store.find({ module: 'm' })), ['3', '1']);
    assert.equal(salts(store.find({ kind: 'task', name: 'f' })), []);
    assert.equal(salts(store.find({ since: 2 })), ['3', '2']);
    assert.equal(salts(store.find({ until: 2 })), ['1']);
    assert.equal(salts(store.find({ since: 2, until: 3, name: 'f' })), ['2']);
  });

  check('parts of every kind are found by their digest', ({ store, settle }) => {
    const part = (name: string, kind: 'env' | 'files') => ({ name, kind, digest: sha256('x'), blob: null });
    store.put(salted('env', { parts: [part('p', 'env')], filed: 1 }));
    store.put(salted('files', { parts: [part('p', 'files')], filed: 2 }));
    store.put(salted('other', { parts: [part('q', 'files')], filed: 3 }));
    settle();
    assert.equal(salts(store.find({ parts: { p: sha256('x') } })), ['files', 'env']);
    assert.equal(salts(store.find({ parts: { p: sha256('y') } })), []);
    assert.equal(salts(store.find({ parts: { q: sha256('x') } })), ['other']);
  });

  check('ties in time are listed by key', ({ store, settle }) => {
    const keys = ['a', 'b', 'c', 'd', 'e'].map(aKey);
    for (const salt of ['c', 'a', 'e']) store.put(aRecord({ salt }));
    settle();
    for (const salt of ['d', 'b']) store.put(aRecord({ salt }));
    assert.equal(
      [...store.find({})].map((record) => record.key),
      keys.sort(),
    );
  });

  check('neither the writer nor a reader can change what is stored', ({ store, settle }) => {
    const tags = { list: [1, 2] };
    const parts = [...aRecord().parts];
    store.put(aRecord({ parts, metadata: { tags } }));
    const expected = aRecord({ metadata: { tags: { list: [1, 2] } } });
    tags.list.push(3);
    parts.pop();
    const change = (): void => {
      try {
        const got = store.get(aKey('a')) ?? aRecord();
        (got.metadata['tags'] as { list: number[] }).list.push(4);
      } catch {
        // A frozen record refuses.
      }
    };
    change();
    assert.equal(store.get(aKey('a')), expected);
    settle();
    change();
    assert.equal(store.get(aKey('a')), expected);
  });

  check('keys are found by their beginning, sorted and limited', ({ store, settle }) => {
    const keys = Array.from({ length: 600 }, (_, index) => aKey(`${index}`)).sort();
    for (const key of keys) store.put(aRecord({ key }));
    settle();
    for (const prefix of ['', 'a', 'ab', keys[7]?.slice(0, 7) ?? '', keys[8] ?? '']) {
      assert.equal(
        store.matching(prefix, 1000),
        keys.filter((key) => key.startsWith(prefix)),
      );
    }
    assert.equal(store.matching('', 2), keys.slice(0, 2));
    assert.equal(store.matching('../', 2), []);
  });

  check('a listing survives everything that happens while it is read', async ({ store, settle }) => {
    const keys: Key[] = [];
    for (let index = 0; index < 1500; index++) {
      const key = asKey(sha256(`${index}`));
      keys.push(key);
      store.put(aRecord({ key, filed: index }));
      if (index === 900) settle();
    }
    const seen: Key[] = [];
    for (const record of store.find({ name: 'f' })) {
      seen.push(record.key);
      if (seen.length % 100 !== 0) continue;
      // A later one does not appear, one that was passed may go, and time may pass.
      store.put(aRecord({ salt: `later ${seen.length}`, filed: 1e6 + seen.length }));
      store.delete(seen[0] as Key);
      settle();
      await Promise.resolve();
    }
    assert.equal(seen, keys.reverse());
  });

  test(`${label}: finds what a look at every record would find`, async () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ put: someRecord }) },
      { weight: 1, arbitrary: fc.record({ delete: someKey }) },
      { weight: 1, arbitrary: fc.constant('settle' as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), fc.array(someTerms), async (steps, questions) => {
        const folder = mkdtempSync(join(tmpdir(), 'fleche-'));
        const { store, settle, close } = open(join(folder, 'store'));
        const model = new Map<Key, CallRecord>();
        for (const one of steps) {
          if (one === 'settle') settle();
          else if ('put' in one) {
            store.put(one.put);
            model.set(one.put.key, one.put);
          } else assert.is(store.delete(one.delete), model.delete(one.delete));
        }
        for (const terms of [{}, ...questions]) {
          const expected = [...model.values()].filter((record) => holds(terms, record)).sort(newestFirst);
          assert.equal([...store.find(terms)], expected, JSON.stringify(terms));
        }
        assert.is(store.count(), model.size);
        await close();
        rmSync(folder, { recursive: true, force: true });
      }),
      { numRuns: CASES },
    );
  });
}
