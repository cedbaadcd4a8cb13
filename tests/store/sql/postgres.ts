/**
 * The tests of a server start one of their own; FLECHE_TEST_POSTGRES can name another, as
 * `postgres://user@host:port/database`.
 */
import fc from 'fast-check';
import pg from 'pg';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { asKey, type Digest, type Key, sha256 } from '../../../core/base/hash.ts';
import { type CallTerms, holds, newestFirst } from '../../../core/store/calls.ts';
import type { CallRecord } from '../../../core/store/record.ts';
import { PostgresCallStore } from '../../../core/store/sql/postgres.ts';
import { aKey, aRecord, CASES, someKey, someRecord, someTerms } from '../_record.ts';
import { startPostgres, testWith } from '../remote/_servers.ts';

const GIVEN = process.env['FLECHE_TEST_POSTGRES'];

const unusable = (error: unknown): boolean => (error as { code?: string }).code === 'STORE_UNUSABLE';

test('a server that is not there is an error with a code, each time and without the password', async () => {
  const store = new PostgresCallStore({ url: 'postgres://user:se/cret@127.0.0.1:1/database' });
  const uses = [
    () => store.get(aKey('a')),
    () => store.put(aRecord()),
    () => store.delete(aKey('a')),
    () => store.deleteAll([aKey('a')]),
    () => store.find({})[Symbol.asyncIterator]().next(),
    () => store.matching('', 1),
    () => store.count(),
  ];
  for (const use of uses) {
    const error = await use().then(
      () => undefined,
      (error: unknown) => error,
    );
    assert.ok(unusable(error));
    assert.not.match(String(error), 'cret');
  }
  await store.close();
});

test('the location has no password', () => {
  const located = (url: string): string => new PostgresCallStore({ url }).location;
  assert.is(located('postgres://user:secret@host:5432/db'), 'postgres://user@host:5432/db');
  assert.is(located('postgres://user:p@ss@host/db'), 'postgres://user@host/db');
  assert.is(located('postgres://host/db?user=u&password=secret&x=1'), 'postgres://host/db?user=u&password=&x=1');
  assert.is(located('postgres:///db?host=/run/postgresql'), 'postgres:///db?host=/run/postgresql');
});

async function listed(records: AsyncIterable<CallRecord>): Promise<CallRecord[]> {
  const found: CallRecord[] = [];
  for await (const record of records) found.push(record);
  return found;
}

let schemas = 0;

/** A store in a schema of its own, and a connection to look at it. */
async function withServer(
  server: string,
  work: (store: PostgresCallStore, direct: pg.Client, url: string) => Promise<void>,
): Promise<void> {
  const schema = `fleche_test_${process.pid}_${schemas++}`;
  const url = `${server}${server.includes('?') ? '&' : '?'}options=${encodeURIComponent(`-c search_path=${schema}`)}`;
  const direct = new pg.Client({ connectionString: url });
  await direct.connect();
  await direct.query(`CREATE SCHEMA ${schema}`);
  const store = new PostgresCallStore({ url });
  try {
    await work(store, direct, url);
  } finally {
    await store.close();
    await direct.query(`DROP SCHEMA ${schema} CASCADE`);
    await direct.end();
  }
}

/** Started by the first test that needs it. */
let own: ReturnType<typeof startPostgres> | undefined;

const check = (name: string, work: Parameters<typeof withServer>[1]): void => {
  testWith(GIVEN === undefined ? ['postgres'] : [], `server: ${name}`, async () => {
    own ??= GIVEN === undefined ? startPostgres() : undefined;
    await withServer(GIVEN ?? (await own)?.url ?? '', work);
  });
};

check('a record comes back, is replaced, and is deleted once', async (store) => {
  assert.is(await store.get(aKey('a')), undefined);
  await store.put(aRecord());
  assert.equal(await store.get(aKey('a')), aRecord());
  await store.put(aRecord({ name: 'later', parts: [], metadata: { tags: { t: 1 } } }));
  assert.is((await store.get(aKey('a')))?.name, 'later');
  assert.is(await store.count(), 1);
  assert.equal(await listed(store.find({ name: 'f' })), []);
  assert.equal(await listed(store.find({ parts: { 'arg:x': sha256('a') } })), []);
  assert.is((await listed(store.find({ tags: { t: 1 } }))).length, 1);
  assert.is(await store.delete(aKey('a')), true);
  assert.is(await store.delete(aKey('a')), false);
  assert.equal(await listed(store.find({ tags: { t: 1 } })), []);
  assert.is(await store.count(), 0);
});

check('keys are found by their beginning, sorted and limited', async (store) => {
  const keys = Array.from({ length: 60 }, (_, index) => aKey(`${index}`)).sort();
  await Promise.all(keys.map((key) => store.put(aRecord({ key }))));
  for (const prefix of ['', 'a', 'ab', keys[7]?.slice(0, 7) ?? '', keys[8] ?? '', '../..']) {
    const expected = keys.filter((key) => key.startsWith(prefix));
    assert.equal(await store.matching(prefix, 100), expected);
  }
  assert.equal(await store.matching('', 2), keys.slice(0, 2));
});

check('a listing larger than a page is complete and in order while records come and go', async (store) => {
  const keys: Key[] = [];
  for (let at = 0; at < 300; at++) {
    keys.push(aKey(`${at}`));
    await store.put(aRecord({ salt: `${at}`, filed: at }));
  }
  const seen: Key[] = [];
  for await (const record of store.find({ name: 'f' })) {
    seen.push(record.key);
    if (seen.length % 50 !== 0) continue;
    await store.put(aRecord({ salt: `later ${seen.length}`, filed: 1e6 + seen.length }));
    await store.delete(seen[0] as Key);
  }
  assert.equal(seen, keys.reverse());
});

check('texts that no column could hold are found all the same', async (store) => {
  for (const text of ['\0', 'a\0b', '\ud800', 'é€😀'.repeat(2000), "'; DROP TABLE calls; --", '$1', '']) {
    const part = { name: text, kind: 'env' as const, digest: sha256('x'), blob: null };
    const record = aRecord({
      salt: text,
      name: text,
      module: text,
      parts: [part],
      metadata: { tags: { [text]: text } },
    });
    await store.put(record);
    const asked: CallTerms[] = [
      { name: text, module: text },
      { parts: { [text]: sha256('x') } },
      { tags: { [text]: text } },
    ];
    for (const terms of asked) assert.equal(await listed(store.find(terms)), [record], JSON.stringify(text));
  }
});

check('a row that is corrupt is absent and can be replaced', async (store, direct) => {
  const damages = ["record = '\\x00'", "record = ''", 'record = substr(record, 2)', `key = '${sha256('other')}'`];
  for (const damage of damages) {
    await store.put(aRecord());
    await direct.query(`UPDATE fleche_calls SET ${damage}`);
    assert.is(await store.get(aKey('a')), undefined, damage);
    assert.is(await store.get(asKey(sha256('other'))), undefined, damage);
    assert.equal(await listed(store.find({})), [], damage);
    await store.put(aRecord());
    assert.equal(await store.get(aKey('a')), aRecord(), damage);
    await store.delete(asKey(sha256('other')));
  }
});

check('a save that fails leaves the earlier record whole', async (store) => {
  await store.put(aRecord());
  const part = { name: 'p', kind: 'env' as const, digest: null as unknown as Digest, blob: null };
  const error = await store.put(aRecord({ name: 'later', parts: [part] })).catch((error: unknown) => error);
  assert.ok(unusable(error));
  assert.equal(await store.get(aKey('a')), aRecord());
  assert.equal(await listed(store.find({ parts: { 'arg:x': sha256('a') } })), [aRecord()]);
});

check('many stores can make the tables and put the same record at once', async (_, direct, url) => {
  const stores = Array.from({ length: 6 }, () => new PostgresCallStore({ url }));
  await Promise.all(stores.flatMap((store, at) => [store.put(aRecord()), store.put(aRecord({ salt: `${at}` }))]));
  assert.is(await stores[0]?.count(), 7);
  const { rows } = await direct.query('SELECT count(*)::int AS count FROM fleche_parts');
  assert.is(rows[0].count, 7 * 3);
  await Promise.all(stores.map((store) => store.close()));
});

check('a connection that breaks is replaced', async (store, direct) => {
  await store.put(aRecord());
  await direct.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fleche' AND pid <> pg_backend_pid()`,
  );
  const found = await store.get(aKey('a')).catch(() => store.get(aKey('a')));
  assert.equal(found, aRecord());
});

check('finds what a look at every record would find', async (store, direct) => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ put: someRecord }) },
    { weight: 1, arbitrary: fc.record({ delete: someKey }) },
  );
  await store.count();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), fc.array(someTerms), async (steps, questions) => {
      await direct.query('TRUNCATE fleche_calls, fleche_parts, fleche_tags');
      const model = new Map<Key, CallRecord>();
      for (const one of steps) {
        if ('put' in one) {
          await store.put(one.put);
          model.set(one.put.key, one.put);
        } else assert.is(await store.delete(one.delete), model.delete(one.delete));
      }
      for (const terms of [{}, ...questions]) {
        const expected = [...model.values()].filter((record) => holds(terms, record)).sort(newestFirst);
        assert.equal(await listed(store.find(terms)), expected, JSON.stringify(terms));
      }
    }),
    { numRuns: CASES },
  );
});

test.after(async () => (await own)?.end());

test.run();
