import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isPromise } from '../../core/base/awaitable.ts';
import { sha256 } from '../../core/base/hash.ts';
import { Hdf5ValueStore } from '../../core/store/hdf5.ts';
import type { SyncValueStore } from '../../core/store/values.ts';
import { asFileStore } from './_file-store.ts';
import { valuesContract } from './_values.ts';

const HDF5_SIGNATURE = '\x89HDF\r\n\x1a\n';

async function inFolder(work: (root: string) => Promise<void> | void): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'fleche-'));
  try {
    await work(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

test('answers are promises until the package is loaded, except about what is not there', () =>
  inFolder(async (root) => {
    const store = new Hdf5ValueStore({ root });
    const digest = sha256('hello');
    assert.is(store.get(digest), undefined);
    const put = store.put(digest, Buffer.from('hello'));
    assert.ok(isPromise(put));
    await put;
    await store.ready();
    const bytes = store.get(digest);
    assert.ok(!isPromise(bytes));
    assert.equal(Buffer.from(bytes ?? []).toString(), 'hello');
  }));

valuesContract('hdf5', (root) => {
  const clock = { now: 0 };
  // Loaded by the test above, so that it answers at once.
  const store = new Hdf5ValueStore({ root, now: () => clock.now }) as unknown as SyncValueStore;
  return { store: asFileStore(store), clock, settle: () => store.flush(), close: () => {} };
});

test('a blob is an HDF5 file of its digest', () =>
  inFolder(async (root) => {
    const store = new Hdf5ValueStore({ root });
    const digest = sha256('hello');
    await store.put(digest, Buffer.from('hello'));
    const file = readFileSync(join(root, digest.slice(0, 2), `${digest}.h5`));
    assert.ok(file.toString('latin1').startsWith(HDF5_SIGNATURE));
    assert.ok(file.includes('hello'));
    assert.equal(
      [...store.list()].map((info) => info.size),
      [file.length],
    );
  }));

test('a file that was cut short, changed, or is none of HDF5 is absent, and can be put again', () =>
  inFolder(async (root) => {
    const store = new Hdf5ValueStore({ root });
    const bytes = Buffer.alloc(3000, 'hello');
    const digest = sha256(bytes);
    const path = join(root, digest.slice(0, 2), `${digest}.h5`);
    const damages = [
      () => truncateSync(path, 0),
      () => truncateSync(path, 700),
      () => truncateSync(path, 4000),
      () => writeFileSync(path, 'something else'),
      () => writeFileSync(path, bytes),
      () => writeFileSync(path, readFileSync(path).fill('x', 4000)),
      () => writeFileSync(path, Buffer.from(readFileSync(path).toString('latin1').replace('value', 'vague'), 'latin1')),
    ];
    for (const damage of damages) {
      await store.put(digest, bytes);
      damage();
      assert.is(await store.get(digest), undefined, String(damage));
      await store.put(digest, bytes);
      assert.ok(bytes.equals((await store.get(digest)) ?? Buffer.alloc(0)), String(damage));
    }
  }));

test('a folder that cannot be written to is an error with a code', () =>
  inFolder(async (root) => {
    writeFileSync(join(root, 'file'), '');
    const store = new Hdf5ValueStore({ root: join(root, 'file') });
    await store.ready();
    assert.throws(
      () => store.put(sha256('x'), Buffer.from('x')),
      (error: { code?: string }) => error.code === 'STORE_UNUSABLE',
    );
    assert.is(store.get(sha256('x')), undefined);
  }));

test.run();
