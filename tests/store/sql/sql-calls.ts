import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { asKey, type Digest, type Key, sha256 } from '../../../core/base/hash.ts';
import { SqlCallStore } from '../../../core/store/sql/sql-calls.ts';
import { openSqlite, type SqliteConnection } from '../../../core/store/sql/sqlite.ts';
import { inNewFolder } from '../../_new-folder.ts';
import { callsContract } from '../_calls.ts';
import { startWriter } from '../_processes.ts';
import { aKey, aRecord } from '../_record.ts';

callsContract('sql in memory', () => {
  const store = new SqlCallStore({ path: ':memory:' });
  return { store, settle: () => store.flush(), close: () => store.close() };
});

callsContract('sql in a file', (root) => {
  const store = new SqlCallStore({ path: join(root, 'calls.db') });
  return { store, settle: () => store.flush(), close: () => store.close() };
});

function inFolder<T>(work: (path: string) => T): T {
  return inNewFolder((root) => work(join(root, 'calls.db')));
}

/** Works on the database as another program would. */
function directly(path: string, work: (database: SqliteConnection) => void): void {
  const database = openSqlite(path);
  work(database);
  database.close();
}

test('another program can ask for calls while the store is open', () =>
  inFolder((path) => {
    const store = new SqlCallStore({ path });
    store.put(aRecord({ metadata: { tags: { release: '1.2' } } }));
    directly(path, (database) => {
      const row = database
        .prepare('SELECT name, module, result FROM calls JOIN tags ON call_key = key WHERE tag = ? AND json = ?')
        .get('release', '"1.2"') as Record<string, unknown>;
      assert.is(row['name'], 'f');
      assert.is(row['module'], 'src/f.ts');
      assert.is(row['result'], sha256('result a'));
    });
    store.close();
  }));

test('what was put is there for the next process', () =>
  inFolder((path) => {
    const first = new SqlCallStore({ path });
    first.put(aRecord());
    first.close();
    const second = new SqlCallStore({ path });
    assert.equal(second.get(aKey('a')), aRecord());
    assert.is(second.location, path);
    second.close();
  }));

test('two stores on one file see each other', () =>
  inFolder((path) => {
    const one = new SqlCallStore({ path });
    const other = new SqlCallStore({ path });
    one.put(aRecord());
    assert.equal(other.get(aKey('a')), aRecord());
    other.delete(aKey('a'));
    assert.is(one.get(aKey('a')), undefined);
    one.close();
    other.close();
  }));

test('a row that is corrupt is absent and can be replaced', () =>
  inFolder((path) => {
    const damages = [
      "UPDATE calls SET record = x'00'",
      "UPDATE calls SET record = x''",
      "UPDATE calls SET record = 'text'",
      'UPDATE calls SET record = 5',
      `UPDATE calls SET record = substr(record, 1, length(record) - 1)`,
      `UPDATE calls SET key = '${sha256('other')}'`,
    ];
    const store = new SqlCallStore({ path });
    for (const damage of damages) {
      store.put(aRecord());
      directly(path, (database) => database.exec(damage));
      assert.is(store.get(aKey('a')), undefined, damage);
      assert.is(store.get(asKey(sha256('other'))), undefined, damage);
      assert.equal([...store.find({})], [], damage);
      store.put(aRecord());
      assert.equal(store.get(aKey('a')), aRecord(), damage);
      store.delete(asKey(sha256('other')));
    }
    store.close();
  }));

test('columns that do not fit the record do not change what is found', () =>
  inFolder((path) => {
    const store = new SqlCallStore({ path });
    store.put(aRecord());
    directly(path, (database) => database.exec("UPDATE calls SET name = 'g'"));
    assert.equal([...store.find({ name: 'g' })], []);
    store.close();
  }));

test('texts that no column could hold are found all the same', () => {
  const store = new SqlCallStore({ path: ':memory:' });
  const texts = [
    '\0',
    'a\0b',
    '\ud800',
    'x'.repeat(5000),
    `${'x'.repeat(5000)}y`,
    '',
    "'; DROP TABLE calls; --",
    '%',
    '?',
  ];
  for (const text of texts) {
    const part = { name: text, kind: 'env' as const, digest: sha256('x'), blob: null };
    store.put(aRecord({ salt: text, name: text, module: text, parts: [part], metadata: { tags: { [text]: text } } }));
  }
  for (const text of texts) {
    const keys = (found: Iterable<{ readonly key: Key }>): Key[] => [...found].map((record) => record.key);
    assert.equal(keys(store.find({ name: text, module: text })), [aKey(text)], JSON.stringify(text));
    assert.equal(keys(store.find({ parts: { [text]: sha256('x') } })), [aKey(text)], JSON.stringify(text));
    assert.equal(keys(store.find({ tags: { [text]: text } })), [aKey(text)], JSON.stringify(text));
  }
  store.close();
});

test('a listing larger than a page is complete and in order, whatever is corrupt in it', () =>
  inFolder((path) => {
    const store = new SqlCallStore({ path });
    for (let at = 0; at < 300; at++) store.put(aRecord({ salt: `${at}`, filed: Math.floor(at / 7) }));
    directly(path, (database) => database.exec("UPDATE calls SET record = x'00' WHERE filed = 20"));
    const found = [...store.find({})];
    assert.is(found.length, 293);
    const sorted = [...found].sort((a, b) => b.filed - a.filed || (a.key < b.key ? -1 : 1));
    assert.equal(found, sorted);
    store.close();
  }));

test('a save that fails leaves the earlier record whole', () => {
  const store = new SqlCallStore({ path: ':memory:' });
  store.put(aRecord());
  const part = { name: 'p', kind: 'env' as const, digest: Symbol('no digest') as unknown as Digest, blob: null };
  assert.throws(
    () => store.put(aRecord({ name: 'later', parts: [part] })),
    (error: { code?: string }) => error.code === 'STORE_UNUSABLE',
  );
  assert.equal(store.get(aKey('a')), aRecord());
  assert.equal([...store.find({ parts: { 'arg:x': sha256('a') } })], [aRecord()]);
  store.close();
});

test('a file that is no database, or of another program, is an error with a code and stays as it is', () =>
  inFolder((path) => {
    const unusable = (error: { code?: string }): boolean => error.code === 'STORE_UNUSABLE';
    writeFileSync(path, 'not a database, but longer than the header of one would have to be '.repeat(10));
    assert.throws(() => new SqlCallStore({ path }), unusable);
    assert.ok(existsSync(path));
    rmSync(path);
    directly(path, (database) => database.exec('CREATE TABLE calls (number TEXT)'));
    assert.throws(() => new SqlCallStore({ path }), unusable);
    assert.throws(() => new SqlCallStore({ path: join(path, 'below', 'a', 'file') }), unusable);
  }));

test('a database that turns bad while it is open is an error with a code', () => {
  const store = new SqlCallStore({ path: ':memory:' });
  store.close();
  for (const use of [
    () => store.get(aKey('a')),
    () => store.put(aRecord()),
    () => store.delete(aKey('a')),
    () => [...store.find({})],
    () => store.matching('', 1),
    () => store.count(),
  ]) {
    assert.throws(use, (error: { code?: string }) => error.code === 'STORE_UNUSABLE');
  }
});

test('several processes can put the same and other records at once', () =>
  inFolder(async (path) => {
    const writers = ['same', 'same', 'other'].map((name) => startWriter(['sql', path, name, 100]));
    for (const writer of writers) assert.is(await writer.ended, 0);
    const store = new SqlCallStore({ path });
    assert.is(store.count(), 200);
    assert.is([...store.find({})].length, 200);
    assert.is([...store.find({ parts: { 'arg:x': sha256('same 5') } })].length, 1);
    store.close();
  }));

test('a writer that is killed loses nothing that it had put', () =>
  inFolder(async (path) => {
    for (const name of ['a', 'b']) {
      const writer = startWriter(['sql', path, name, 1e6], ({ child, said }) => {
        if (said.length >= 30) child.kill('SIGKILL');
      });
      await writer.ended;
      const store = new SqlCallStore({ path });
      for (const salt of writer.said) assert.equal(store.get(aKey(salt)), aRecord({ salt }));
      store.close();
    }
  }));

test.run();
