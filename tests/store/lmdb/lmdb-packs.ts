/** Blobs that are kept in the packs in which they came. */
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Digest, sha256 } from '../../../core/base/hash.ts';
import { blobFile, layoutOf } from '../../../core/store/layout.ts';
import { type LmdbStores, openLmdb } from '../../../core/store/lmdb/lmdb.ts';
import type { Pack } from '../../../core/store/remote/pack.ts';
import { inNewFolder } from '../../_new-folder.ts';
import { plainPack } from '../_packs.ts';

interface Place {
  readonly root: string;
  readonly open: (options?: { readonly readOnly: boolean }) => LmdbStores;
}

function check(name: string, work: (place: Place) => Promise<void> | void): void {
  test(name, () =>
    inNewFolder(async (folder) => {
      const root = join(folder, 'store');
      const opened: LmdbStores[] = [];
      const open: Place['open'] = (options) => {
        const stores = openLmdb(root, { onTrouble: assert.unreachable, ...options });
        opened.push(stores);
        return stores;
      };
      try {
        await work({ root, open });
      } finally {
        for (const stores of opened) await stores.close();
      }
    }),
  );
}

/** 30 blobs, 60 KB together: a pack that is kept as a file. */
const BLOBS: readonly (readonly [Digest, Buffer])[] = Array.from({ length: 30 }, (_, at) => {
  const bytes = Buffer.alloc(2000, `content ${at} `);
  return [sha256(bytes), bytes];
});

function put({ values }: LmdbStores, blobs = BLOBS): Pack {
  const pack = plainPack(blobs);
  values.putPack?.(pack, pack.bytes, new Map(blobs));
  return pack;
}

check('what came in a pack is found one by one, also by who opens the store later', async ({ root, open }) => {
  const first = open();
  const pack = put(first);
  assert.ok(existsSync(blobFile(layoutOf(root), pack.digest)));
  await first.close();
  for (const readOnly of [true, false]) {
    const { values, close } = open({ readOnly });
    for (const [digest, bytes] of BLOBS) {
      assert.is(values.has(digest), true);
      assert.ok(bytes.equals(values.get(digest) ?? Buffer.of()));
      assert.ok(bytes.equals(Buffer.concat([...(values.pieces(digest) ?? [])])));
    }
    assert.equal(
      [...values.list()].map(({ digest, size }) => [digest, size]).sort(),
      BLOBS.map(([digest, { length }]) => [digest, length]).sort(),
    );
    await close();
  }
});

check(
  'a pack that was altered or removed has nothing any more, and all of it can be put again',
  async ({ root, open }) => {
    for (const harm of [
      (file: string) => rmSync(file),
      (file: string) => writeFileSync(file, 'x'.repeat(60_000)),
      (file: string) => writeFileSync(file, ''),
    ]) {
      const first = open();
      const file = blobFile(layoutOf(root), put(first).digest);
      await first.close();
      chmodSync(file, 0o644);
      harm(file);
      const { values, flush, close } = open();
      for (const [digest] of BLOBS) assert.is(values.get(digest), undefined);
      for (const [digest] of BLOBS) assert.is(values.has(digest), false);
      flush();
      for (const [digest, bytes] of BLOBS) values.put(digest, bytes);
      for (const [digest, bytes] of BLOBS) assert.ok(bytes.equals(values.get(digest) ?? Buffer.of()));
      for (const [digest] of BLOBS) values.delete(digest);
      await close();
    }
  },
);

check('a pack is removed when nothing of it is left, and not before', ({ root, open }) => {
  const stores = open();
  const { values } = stores;
  const half = BLOBS.slice(0, 15);
  const files = [put(stores), put(stores, half)].map(({ digest }) => blobFile(layoutOf(root), digest));
  const there = (): readonly boolean[] => files.map((file) => existsSync(file));
  for (const [digest] of half) assert.is(values.delete(digest), true);
  for (const [digest] of half) assert.is(values.has(digest), false);
  values.flush();
  // Each blob counts for the pack in which it came last.
  assert.equal(there(), [true, false]);
  for (const [digest] of BLOBS.slice(15)) assert.is(values.delete(digest), true);
  assert.equal(there(), [true, false]);
  values.flush();
  assert.equal(there(), [false, false]);
  assert.equal([...values.list()], []);
});

test.run();
