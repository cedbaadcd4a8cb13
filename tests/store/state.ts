import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../../core/base/hash.ts';
import { FolderState } from '../../core/store/folder/folder-state.ts';
import { openLmdb } from '../../core/store/lmdb/lmdb.ts';
import { MemoryStateStore } from '../../core/store/memory.ts';
import type { StateStore } from '../../core/store/state.ts';
import { inNewFolder } from '../_new-folder.ts';

function stateContract(
  label: string,
  open: (root: string) => { store: StateStore; settle: () => void; close: () => unknown },
) {
  const check = (name: string, work: (store: StateStore, settle: () => void) => void): void => {
    test(`${label}: ${name}`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'fleche-'));
      const { store, settle, close } = open(join(folder, 'store'));
      try {
        work(store, settle);
      } finally {
        await close();
        rmSync(folder, { recursive: true, force: true });
      }
    });
  };
  const text = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString();

  check('the last bytes under a name are remembered', (store, settle) => {
    assert.is(store.get('a'), undefined);
    for (const value of ['one', '', 'x'.repeat(100_000)]) {
      store.put('a', Buffer.from(value));
      settle();
      assert.is(text(store.get('a')), value);
    }
    store.delete('a');
    store.delete('b');
    settle();
    assert.is(store.get('a'), undefined);
    assert.equal([...store.names('')], []);
  });

  check('names of every kind are listed by their beginning, sorted by code unit', (store, settle) => {
    const names = ['', 'a', 'a/b', 'a/c', 'b', 'ä', '\u{1f600}', '\ufb01', '\u0000', '\u0001', 'a\u0000'];
    for (const name of names) store.put(name, Buffer.from(name));
    settle();
    assert.equal([...store.names('')], [...names].sort());
    assert.equal([...store.names('a')], ['a', 'a\u0000', 'a/b', 'a/c']);
    assert.equal([...store.names('a/')], ['a/b', 'a/c']);
    assert.equal([...store.names('zz')], []);
    for (const name of names) assert.is(text(store.get(name)), name);
  });

  check('what becomes of the given buffer does not matter', (store, settle) => {
    const bytes = Buffer.from('kept');
    store.put('a', bytes);
    bytes.fill(0);
    settle();
    assert.is(text(store.get('a')), 'kept');
  });

  check('a name that cannot be kept is forgotten, not confused with another', (store, settle) => {
    const lone = 'lone \ud800';
    const long = 'x'.repeat(5000);
    store.put(lone, Buffer.from('1'));
    store.put(long, Buffer.from('2'));
    store.put(`${long}y`, Buffer.from('3'));
    settle();
    for (const other of ['lone \udc00', 'lone \ufffd', 'x'.repeat(1000), 'x'.repeat(4999)])
      assert.is(store.get(other), undefined);
    for (const [name, value] of [
      [lone, '1'],
      [long, '2'],
    ] as const) {
      assert.ok([undefined, value as string].includes(text(store.get(name))));
    }
  });
}

stateContract('memory', () => ({ store: new MemoryStateStore(), settle: () => {}, close: () => {} }));

stateContract('folder', (root) => ({ store: new FolderState(root), settle: () => {}, close: () => {} }));

test('folder: an entry that was damaged or moved is absent, and what cannot be written is not remembered', () =>
  inNewFolder((folder) => {
    const store = new FolderState(folder);
    store.put('a', Buffer.from('kept'));
    const pathOf = (name: string): string => join(folder, sha256(name).slice(0, 2), `${sha256(name)}.state`);
    const bytes = readFileSync(pathOf('a'));
    mkdirSync(join(pathOf('b'), '..'), { recursive: true });
    writeFileSync(pathOf('b'), bytes);
    assert.is(store.get('b'), undefined);
    for (const damaged of [
      bytes.subarray(0, -1),
      bytes.map((byte, at) => (at === 12 ? byte ^ 1 : byte)),
      Buffer.alloc(0),
    ]) {
      writeFileSync(pathOf('a'), damaged);
      assert.is(store.get('a'), undefined);
      assert.equal([...store.names('a')], []);
    }
    const nowhere = new FolderState(join(pathOf('a'), 'below a file'));
    nowhere.put('a', bytes);
    nowhere.delete('a');
    assert.is(nowhere.get('a'), undefined);
  }));

const onTrouble = (message: string): void => {
  throw new Error(message);
};
stateContract('lmdb', (root) => {
  const { state: store, flush: settle, close } = openLmdb(root, { onTrouble });
  return { store, settle, close };
});
stateContract('lmdb before its commit', (root) => {
  const { state: store, close } = openLmdb(root, { onTrouble });
  return { store, settle: () => {}, close };
});

test.run();
