import { randomBytes } from 'node:crypto';
import zlib from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Digest, sha256 } from '../../core/base/hash.ts';
import { CompressedValueStore } from '../../core/store/compressed.ts';
import { type Compression, packedDigest, packer, unpack } from '../../core/store/compression.ts';
import { FolderValueStore } from '../../core/store/folder/folder-values.ts';
import { MemoryValueStore } from '../../core/store/memory.ts';
import type { SyncValueStore } from '../../core/store/values.ts';
import { answeringLater } from './_async-store.ts';
import { asFileStore } from './_file-store.ts';
import { valuesContract } from './_values.ts';

/** Around a store that answers at once, which the store around it then does too. */
function compressedSync(inner: SyncValueStore, compression: Compression): SyncValueStore {
  return new CompressedValueStore(inner, compression) as unknown as SyncValueStore;
}

const HAS_ZSTD = 'zstdCompressSync' in zlib;
const COMPRESSIONS: readonly Compression[] = HAS_ZSTD ? ['gzip', 'brotli', 'zstd'] : ['gzip', 'brotli'];

for (const compression of COMPRESSIONS) {
  valuesContract(`${compression} in memory`, () => {
    const clock = { now: 0 };
    const inner = new MemoryValueStore(() => clock.now);
    return { store: asFileStore(compressedSync(inner, compression)), clock, settle: () => {}, close: () => {} };
  });
}

valuesContract('gzip in a folder', (root) => {
  const clock = { now: 0 };
  const store = asFileStore(compressedSync(new FolderValueStore({ root, now: () => clock.now }), 'gzip'));
  return { store, clock, settle: () => store.flush(), close: () => {} };
});

const text = (lines: number): Buffer => Buffer.from(Array.from({ length: lines }, (_, at) => `line ${at}\n`).join(''));

/** The first blob of a store. */
function only(store: MemoryValueStore): { readonly digest: Digest; readonly bytes: Buffer } {
  const [info] = store.list();
  assert.ok(info !== undefined);
  return { digest: info.digest, bytes: Buffer.from(store.get(info.digest) ?? []) };
}

/** Puts what is not what it says in the place of the blob `digest`. */
function replace(inner: MemoryValueStore, bytes: Uint8Array): void {
  const [alias] = inner.aliases();
  assert.ok(alias !== undefined);
  inner.put(sha256(bytes), bytes);
  inner.alias(alias[0], sha256(bytes));
}

test('what repeats is smaller at rest, under the digest of what was put', () => {
  for (const compression of COMPRESSIONS) {
    const inner = new MemoryValueStore();
    const store = compressedSync(inner, compression);
    store.put(sha256(text(5000)), text(5000));
    assert.ok(only(inner).bytes.length < text(5000).length / 3);
    assert.equal(
      [...store.list()].map((info) => info.digest),
      [sha256(text(5000))],
    );
    assert.ok(text(5000).equals(store.get(sha256(text(5000))) ?? Buffer.alloc(0)));
  }
});

test('what does not get smaller is kept as it is', () => {
  for (const compression of COMPRESSIONS) {
    for (const size of [0, 5, 1000, 300_000]) {
      const bytes = randomBytes(size);
      const packed = packer(compression)(sha256(bytes), bytes);
      assert.is(packed.length, size + 42);
      assert.ok(bytes.equals(unpack(packed) ?? Buffer.from('absent')));
    }
  }
});

test('large bytes of which only a part gets smaller are compressed', () => {
  const bytes = Buffer.concat([Buffer.alloc(200_000), randomBytes(200_000)]);
  assert.ok(packer('gzip')(sha256(bytes), bytes).length < 250_000);
});

test('bytes that shrink beyond what DEFLATE can reach still come back', () => {
  const zeros = Buffer.alloc(20_000_000);
  for (const compression of COMPRESSIONS) {
    const packed = packer(compression)(sha256(zeros), zeros);
    assert.ok(packed.length < zeros.length / 500, compression);
    assert.ok(zeros.equals(unpack(packed) ?? Buffer.alloc(0)), compression);
  }
});

test('a blob is not unpacked to more than it may be', () => {
  const bomb = (size: number, content: Uint8Array, method: number): Buffer => {
    const header = Buffer.from(packer('gzip')(sha256('x'), Buffer.from('x'))).subarray(0, 42);
    header[3] = method;
    header.writeUIntLE(size, 4, 6);
    return Buffer.concat([header, content]);
  };
  const zeros = Buffer.alloc(5_000_000);
  const gzipped = zlib.gzipSync(zeros);
  const brotlied = zlib.brotliCompressSync(zeros);
  assert.is(unpack(bomb(5_000_000, gzipped, 1))?.length, 5_000_000);
  assert.is(unpack(bomb(4_999_999, gzipped, 1)), undefined, 'more than it says');
  assert.is(unpack(bomb(5_000_001, gzipped, 1))?.length, 5_000_000);
  assert.is(unpack(bomb(2 ** 40, gzipped, 1)), undefined, 'more than any blob');
  assert.is(unpack(bomb(5_000_000, brotlied, 2)), undefined, 'a ratio that no honest blob has');
  assert.is(unpack(bomb(5, Buffer.from('hello'), 9)), undefined, 'an unknown method');
});

test('a packed blob that is damaged, foreign or of another format is absent', () => {
  const bytes = text(100);
  const packed = Buffer.from(packer('gzip')(sha256(bytes), bytes));
  assert.is(packedDigest(packed), sha256(bytes));
  for (let length = 0; length < packed.length; length += 7) {
    assert.is(bytes.equals(unpack(packed.subarray(0, length)) ?? Buffer.alloc(0)), false, `${length} bytes`);
  }
  for (const at of [0, 1, 2]) {
    const other = Buffer.from(packed);
    other[at] = 0xee;
    assert.is(unpack(other), undefined);
    assert.is(packedDigest(other), undefined);
  }
});

test('what is unpacked is verified, and what fails makes room for a good blob', () => {
  const inner = new MemoryValueStore();
  const store = compressedSync(inner, 'gzip');
  const bytes = text(100);
  const digest = sha256(bytes);
  const lies = [
    packer('gzip')(digest, text(101)),
    packer('gzip')(sha256(text(101)), text(101)),
    Buffer.from('no packed blob'),
    Buffer.alloc(0),
  ];
  for (const lie of lies) {
    store.put(digest, bytes);
    replace(inner, lie);
    assert.is(store.get(digest), undefined);
    store.put(digest, bytes);
    assert.ok(bytes.equals(store.get(digest) ?? Buffer.alloc(0)));
  }
});

test('a blob that is gone inside is absent', () => {
  const inner = new MemoryValueStore();
  const store = compressedSync(inner, 'gzip');
  store.put(sha256(text(100)), text(100));
  inner.delete(only(inner).digest);
  assert.is(store.has(sha256(text(100))), false);
  assert.is(store.get(sha256(text(100))), undefined);
  assert.equal([...store.list()], []);
});

test('a blob that a crash left without a name is listed, and can be deleted', () => {
  const inner = new MemoryValueStore();
  const store = compressedSync(inner, 'gzip');
  store.put(sha256(text(100)), text(100));
  const leftover = packer('gzip')(sha256(text(5)), text(5));
  inner.put(sha256(leftover), leftover);
  assert.equal([...store.list()].map((info) => info.digest).sort(), [sha256(text(100)), sha256(leftover)].sort());
  assert.is(store.delete(sha256(leftover)), true);
  assert.is(store.delete(sha256(leftover)), false);
  assert.is(store.has(sha256(text(100))), true);
});

test('names of blobs are not among the names of values, however many there are', () => {
  const store = compressedSync(new MemoryValueStore(), 'gzip');
  for (let at = 0; at < 200; at++) store.put(sha256(`${at}`), Buffer.from(`${at}`));
  const values = ['a', 'b', 'c', 'd', 'e'].map((name) => sha256(name)).sort();
  for (const value of values) store.alias(value, sha256('1'));
  assert.equal(store.matching('', 100), values);
  assert.equal(store.matching('', 3), values.slice(0, 3));
  assert.equal(
    [...store.aliases()].sort(),
    values.map((value) => [value, sha256('1')]),
  );
});

test('around a store that answers later it answers later, and the same', async () => {
  const store = new CompressedValueStore(answeringLater(new MemoryValueStore()), 'gzip');
  const digest = sha256(text(100));
  assert.is(await store.has(digest), false);
  assert.is(await store.get(digest), undefined);
  await store.put(digest, text(100));
  await store.put(digest, text(100));
  await store.alias(sha256('value'), digest);
  assert.is(await store.has(digest), true);
  assert.ok(text(100).equals((await store.get(digest)) ?? Buffer.alloc(0)));
  assert.is(await store.target(sha256('value')), digest);
  assert.equal(await store.matching('', 10), [sha256('value')]);
  const blobs: Digest[] = [];
  for await (const info of store.list()) blobs.push(info.digest);
  assert.equal(blobs, [digest]);
  const aliases: (readonly [Digest, Digest])[] = [];
  for await (const alias of store.aliases()) aliases.push(alias);
  assert.equal(aliases, [[sha256('value'), digest]]);
  assert.is(await store.unalias(sha256('value')), true);
  assert.is(await store.delete(digest), true);
  assert.is(await store.delete(digest), false);
  await store.flush();
  await store.close();
});

test('zstd is there, or an error that says what to do', () => {
  if (HAS_ZSTD) {
    assert.ok(compressedSync(new MemoryValueStore(), 'zstd'));
    return;
  }
  assert.throws(
    () => new CompressedValueStore(new MemoryValueStore(), 'zstd'),
    (error: { code?: string; hint?: string }) => error.code === 'STORE_UNUSABLE' && /22\.15/.test(error.hint ?? ''),
  );
});

test.run();
