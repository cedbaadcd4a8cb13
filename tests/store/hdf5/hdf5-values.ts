import { existsSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import * as h5wasm from 'h5wasm/node';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isPromise } from '../../../core/base/awaitable.ts';
import { sha256 } from '../../../core/base/hash.ts';
import { Hdf5ValueStore } from '../../../core/store/hdf5/hdf5-values.ts';
import type { SyncValueStore } from '../../../core/store/values.ts';
import { inNewFolder } from '../../_new-folder.ts';
import { asFileStore } from '../_file-store.ts';
import { blobOf, startWriter } from '../_processes.ts';
import { CASES } from '../_record.ts';
import { valuesContract } from '../_values.ts';

function filesIn(root: string): string[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();
}

test('answers are promises until the package is loaded, except about what is not there', () =>
  inNewFolder(async (root) => {
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
  return { store: asFileStore(store), clock, settle: () => store.flush(), close: () => store.close() };
});

test('any tool for HDF5 shows the blobs as datasets, and names that lead to them', () =>
  inNewFolder(async (root) => {
    for (const place of [root, join(root, 'of my own.h5')]) {
      const store = new Hdf5ValueStore({ root: place, now: () => 1_700_000_000_000 });
      await store.put(sha256('hello'), Buffer.from('hello'));
      await store.alias(sha256('name'), sha256('hello'));
      await store.close();
      const file = new h5wasm.File(place === root ? join(root, 'values.h5') : place, 'r');
      for (const path of [`/values/${sha256('hello')}`, `/names/${sha256('name')}`]) {
        const dataset = file.get(path) as h5wasm.Dataset;
        assert.equal(Buffer.from(dataset.value as Uint8Array).toString(), 'hello');
        assert.is(dataset.get_attribute('touched', false), 1_700_000_000_000);
      }
      file.close();
    }
    assert.equal(filesIn(root), ['of my own.h5', 'values.h5']);
  }));

test('a file that was cut short or is another is set aside, costs its answers, and can be filled again', () =>
  inNewFolder(async (root) => {
    const store = new Hdf5ValueStore({ root });
    const bytes = Buffer.alloc(3000, 'hello');
    const digest = sha256(bytes);
    const path = join(root, 'values.h5');
    const damages = [
      () => truncateSync(path, 0),
      () => truncateSync(path, 700),
      () => truncateSync(path, 4000),
      () => writeFileSync(path, 'something else'),
      () => writeFileSync(path, bytes),
      () => writeFileSync(path, readFileSync(path).fill('x', 100)),
      () => {
        new h5wasm.File(`${path}.other`, 'w').close();
        renameSync(`${path}.other`, path);
      },
    ];
    for (const damage of damages) {
      await store.put(digest, bytes);
      await store.flush();
      damage();
      const found = readFileSync(path);
      assert.is(await store.get(digest), undefined, String(damage));
      await store.put(digest, bytes);
      await store.flush();
      const again = new Hdf5ValueStore({ root });
      assert.ok(bytes.equals((await again.get(digest)) ?? Buffer.alloc(0)), String(damage));
      await again.close();
      const [aside = '', ...others] = filesIn(root).filter((name) => name !== 'values.h5');
      assert.ok(found.equals(readFileSync(join(root, aside))), String(damage));
      assert.equal(others, []);
      rmSync(join(root, aside));
    }
    await store.close();
  }));

test('whatever is changed in a file, nothing else than what was put is given out, and all can be put again', () =>
  inNewFolder(async (root) => {
    const path = join(root, 'values.h5');
    const blobs = Array.from({ length: 40 }, (_, at) => Buffer.alloc(50 + at, `blob ${at}`));
    const fill = async (store: Hdf5ValueStore): Promise<void> => {
      for (const bytes of blobs) await store.put(sha256(bytes), bytes);
      await store.flush();
    };
    const first = new Hdf5ValueStore({ root });
    await fill(first);
    await first.close();
    const sound = readFileSync(path);
    await fc.assert(
      fc.asyncProperty(fc.nat(sound.length - 1), fc.uint8Array({ minLength: 1, maxLength: 64 }), async (at, noise) => {
        const bad = Buffer.from(sound);
        bad.set(noise.subarray(0, sound.length - at), at);
        writeFileSync(path, bad);
        const store = new Hdf5ValueStore({ root });
        for (const bytes of blobs) {
          const found = await store.get(sha256(bytes));
          assert.ok(found === undefined || bytes.equals(found));
        }
        await fill(store);
        for (const bytes of blobs) assert.ok(bytes.equals((await store.get(sha256(bytes))) ?? Buffer.alloc(0)));
        await store.close();
      }),
      { numRuns: Math.ceil(CASES / 6) },
    );
  }));

test('a writer that is killed leaves the old file or the new one, and nobody waits for it', () =>
  inNewFolder(async (root) => {
    for (const kill of [1, 4]) {
      const name = `killed ${kill}`;
      const writer = startWriter(['hdf5', root, name, 1e6], ({ child, said }) => {
        if (said.length >= kill) child.kill('SIGKILL');
      });
      await writer.ended;
      const store = new Hdf5ValueStore({ root });
      for (const salt of writer.said) {
        assert.ok(blobOf(salt).equals((await store.get(sha256(blobOf(salt)))) ?? Buffer.alloc(0)), salt);
        assert.is(await store.target(sha256(salt)), sha256(blobOf(salt)));
      }
      await store.put(sha256(name), Buffer.from(name));
      await store.close();
      assert.equal(filesIn(root), ['values.h5']);
    }
  }));

test('processes that write at the same time lose nothing of one another', () =>
  inNewFolder(async (root) => {
    const writers = ['a', 'b'].map((name) => startWriter(['hdf5', root, name, 10]));
    for (const writer of writers) assert.is(await writer.ended, 0);
    const store = new Hdf5ValueStore({ root });
    for (const salt of writers.flatMap((writer) => writer.said)) {
      assert.ok(blobOf(salt).equals((await store.get(sha256(blobOf(salt)))) ?? Buffer.alloc(0)), salt);
      assert.is(await store.target(sha256(salt)), sha256(blobOf(salt)));
    }
    await store.close();
    assert.is(writers.flatMap((writer) => writer.said).length, 20);
  }));

test('what another process put, took away or renamed is seen at once', () =>
  inNewFolder(async (root) => {
    const [one, two] = [new Hdf5ValueStore({ root }), new Hdf5ValueStore({ root })];
    const [a, b, name] = [sha256('a'), sha256('b'), sha256('name')];
    await one.put(a, Buffer.from('a'));
    await one.alias(name, a);
    await one.flush();
    assert.is(await two.target(name), a);
    await two.put(b, Buffer.from('b'));
    await two.alias(name, b);
    await two.delete(a);
    await two.flush();
    assert.equal([await one.has(a), await one.has(b), await one.target(name)], [false, true, b]);
    await one.close();
    await two.close();
  }));

test('what waits is written at the end of the turn, and at the end of the process', () =>
  inNewFolder(async (root) => {
    const store = new Hdf5ValueStore({ root });
    await store.put(sha256('a'), Buffer.from('a'));
    await new Promise<void>((done) => {
      const looking = setInterval(() => {
        if (!existsSync(join(root, 'values.h5'))) return;
        clearInterval(looking);
        done();
      }, 1);
    });
    await store.close();
    const writer = startWriter(['hdf5-unflushed', root, 'left', 3]);
    assert.is(await writer.ended, 0);
    const later = new Hdf5ValueStore({ root });
    for (const salt of writer.said) assert.is(await later.has(sha256(blobOf(salt))), true);
    await later.close();
  }));

test('a folder that cannot be written to is an error with a code', () =>
  inNewFolder(async (root) => {
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
