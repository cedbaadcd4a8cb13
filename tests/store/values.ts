import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Digest, sha256 } from '../../core/base/hash.ts';
import { ArrivingValues, type SpareRoom } from '../../core/store/arriving.ts';
import { blobFile, layoutOf } from '../../core/store/layout.ts';
import { openLmdb } from '../../core/store/lmdb/lmdb.ts';
import { MemoryValueStore } from '../../core/store/memory.ts';
import { PACKED_BLOB } from '../../core/store/remote/pack.ts';
import type { FileValueStore } from '../../core/store/values.ts';
import { inNewFolder } from '../_new-folder.ts';
import { plainPack } from './_packs.ts';
import { type ValuesUnderTest, valuesContract } from './_values.ts';

/** For stores that nothing is put into the workspace from. */
const NOWHERE: SpareRoom = { path: () => '', isNear: false };

valuesContract('memory', () => {
  const clock = { now: 0 };
  return { store: new MemoryValueStore(() => clock.now), clock, settle: () => {}, close: () => {} };
});

function lmdb(root: string, settle: 'flush' | 'nothing'): ValuesUnderTest {
  const clock = { now: 0 };
  const stores = openLmdb(root, {
    now: () => clock.now,
    onTrouble: (message) => {
      throw new Error(message);
    },
  });
  const { values: store, flush, close } = stores;
  return { store, clock, settle: settle === 'flush' ? flush : () => {}, close };
}

valuesContract('memory with arrivals', () => {
  const clock = { now: 0 };
  return {
    store: new ArrivingValues(new MemoryValueStore(() => clock.now), NOWHERE),
    clock,
    settle: () => {},
    close: () => {},
  };
});

test('what arrived is written out without being read again, once, and is in the store all the same', () =>
  inNewFolder((folder) => {
    const inner = new MemoryValueStore();
    const store = new ArrivingValues(inner, NOWHERE);
    const bytes = Buffer.from('bytes');
    const digest = sha256(bytes);
    store.arrive(digest, bytes);
    assert.ok(bytes.equals(inner.get(digest) ?? Buffer.of()));
    inner.delete(digest);
    assert.is(store.copyTo(digest, join(folder, 'one'), 0o644)?.size, bytes.length);
    assert.is(readFileSync(join(folder, 'one'), 'utf8'), 'bytes');
    assert.equal([store.has(digest), store.copyTo(digest, join(folder, 'two'), 0o644)], [false, undefined]);
    const large = Buffer.alloc(5_000_000);
    for (let at = 0; at < 16; at++) {
      large.writeUInt8(at);
      store.arrive(sha256(large), Buffer.from(large));
      inner.delete(sha256(large));
    }
    large.writeUInt8(0);
    assert.is(store.has(sha256(large)), false);
  }));

/** Takes in what is verified as a file, as large content of a shared cache comes. */
class FilesOnly extends ArrivingValues {
  readonly #folder: string;
  #made = 0;

  constructor(inner: FileValueStore, folder: string) {
    super(inner, NOWHERE);
    this.#folder = folder;
  }

  override put(digest: Digest, bytes: Uint8Array): void {
    if (sha256(bytes) !== digest) return super.put(digest, bytes);
    const path = join(this.#folder, `arrived-${this.#made++}`);
    writeFileSync(path, bytes);
    this.adopt(path, digest);
  }
}

valuesContract('lmdb with arrivals as files', (root) => {
  const under = lmdb(root, 'flush');
  return { ...under, store: new FilesOnly(under.store, root) };
});

test('what arrived as a file is verified when it is copied, the first time too', () =>
  inNewFolder(async (folder) => {
    const { store: inner, close } = lmdb(folder, 'flush');
    const store = new FilesOnly(inner, folder);
    const bytes = Buffer.alloc(100_000, 'x');
    const digest = sha256(bytes);
    store.put(digest, bytes);
    inner.delete(digest);
    assert.is(store.copyTo(digest, join(folder, 'none'), 0o644), undefined);
    assert.is(existsSync(join(folder, 'none')), false);
    store.put(digest, bytes);
    const kept = blobFile(layoutOf(folder), digest);
    chmodSync(kept, 0o644);
    writeFileSync(kept, Buffer.alloc(100_000, 'y'));
    assert.is(store.copyTo(digest, join(folder, 'altered'), 0o644), undefined);
    await close();
  }));

valuesContract('lmdb', (root) => lmdb(root, 'flush'));
valuesContract('lmdb before its commit', (root) => lmdb(root, 'nothing'));
valuesContract('lmdb in packs', (root) => {
  const under = lmdb(root, 'flush');
  return { ...under, store: inPacks(under.store) };
});

/** Puts what is small enough for a pack into one. */
function inPacks(store: FileValueStore): FileValueStore {
  const put = store.put.bind(store);
  store.put = (digest, bytes) => {
    if (bytes.length > PACKED_BLOB || store.has(digest)) return put(digest, bytes);
    const pack = plainPack([[digest, bytes]]);
    store.putPack?.(pack, pack.bytes, new Map([[digest, bytes]]));
  };
  return store;
}

test.run();
