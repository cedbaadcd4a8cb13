import { readdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Key } from '../../../core/base/hash.ts';
import { FolderCallStore } from '../../../core/store/folder/folder-calls.ts';
import { inNewFolder } from '../../_new-folder.ts';
import { callsContract } from '../_calls.ts';
import { startWriter } from '../_processes.ts';
import { aKey, aRecord } from '../_record.ts';

callsContract('folder', (root) => {
  const store = new FolderCallStore({ root });
  return { store, settle: () => store.flush(), close: () => {} };
});

const pathOf = (root: string, key: Key): string => join(root, key.slice(0, 2), `${key}.call`);

test('a record is a file of its key, which other programs can read', () =>
  inNewFolder((root) => {
    const store = new FolderCallStore({ root, format: 'json' });
    store.put(aRecord());
    const document = JSON.parse(readFileSync(pathOf(root, aKey('a')), 'utf8'));
    assert.equal(document.record, aRecord());
    assert.is(document.format, 1);
  }));

test('records of either format are read, whichever is written', () =>
  inNewFolder((root) => {
    new FolderCallStore({ root, format: 'json' }).put(aRecord({ salt: 'a' }));
    new FolderCallStore({ root }).put(aRecord({ salt: 'b' }));
    for (const format of ['json', 'fleche'] as const) {
      const store = new FolderCallStore({ root, format });
      assert.equal(store.get(aKey('a')), aRecord({ salt: 'a' }));
      assert.equal(store.get(aKey('b')), aRecord({ salt: 'b' }));
      assert.is([...store.find({})].length, 2);
    }
    new FolderCallStore({ root }).put(aRecord({ salt: 'a', name: 'later' }));
    assert.is(new FolderCallStore({ root, format: 'json' }).get(aKey('a'))?.name, 'later');
  }));

test('a record that was cut short, edited, moved or is of another version is absent', () =>
  inNewFolder((root) => {
    for (const format of ['fleche', 'json'] as const) {
      const store = new FolderCallStore({ root, format });
      const path = pathOf(root, aKey('a'));
      const bytes = (): Buffer => readFileSync(path);
      const edited = (from: string, to: string) => () =>
        writeFileSync(path, bytes().toString('latin1').replace(from, to), 'latin1');
      const damages = {
        'cut short': () => truncateSync(path, bytes().length - 4),
        emptied: () => truncateSync(path, 0),
        edited: edited('src/f.ts', 'src/g.ts'),
        'of another version': format === 'json' ? edited('"format": 1', '"format": 2') : edited('\x01', '\x02'),
        'something else': () => writeFileSync(path, '{"a": 1}'),
        'not even JSON': () => writeFileSync(path, '{{{'),
      };
      for (const [name, damage] of Object.entries(damages)) {
        store.put(aRecord());
        assert.equal(store.get(aKey('a')), aRecord());
        damage();
        assert.is(store.get(aKey('a')), undefined, name);
        assert.equal([...store.find({})], [], name);
      }
      store.put(aRecord({ salt: 'b' }));
      renameSync(pathOf(root, aKey('b')), path);
      assert.is(store.get(aKey('a')), undefined, 'moved');
    }
  }));

test('a writer that is killed leaves whole records', () =>
  inNewFolder(async (root) => {
    const writer = startWriter(['calls', root, 'w', 1e6], ({ child, said }) => {
      if (said.length >= 50) child.kill('SIGKILL');
    });
    await writer.ended;
    const store = new FolderCallStore({ root });
    for (const salt of writer.said) assert.equal(store.get(aKey(salt)), aRecord({ salt }));
    assert.is(store.count(), [...store.find({})].length);
  }));

test('several processes can put the same and other records at once', () =>
  inNewFolder(async (root) => {
    const writers = ['same', 'same', 'other'].map((name) => startWriter(['calls', root, name, 100]));
    for (const writer of writers) assert.is(await writer.ended, 0);
    const store = new FolderCallStore({ root });
    assert.is(store.count(), 200);
    assert.is([...store.find({})].length, 200);
    assert.equal(readdirSync(join(root, 'tmp')), []);
  }));

test('a folder that cannot be written to is an error with a code, and reads as empty', () =>
  inNewFolder((root) => {
    writeFileSync(join(root, 'file'), '');
    const store = new FolderCallStore({ root: join(root, 'file') });
    assert.throws(
      () => store.put(aRecord()),
      (error: { code?: string }) => error.code === 'STORE_UNUSABLE',
    );
    assert.is(store.get(aKey('a')), undefined);
    assert.is(store.count(), 0);
    assert.equal([...store.find({})], []);
  }));

test.run();
