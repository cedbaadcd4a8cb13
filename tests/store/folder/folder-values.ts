import { existsSync, mkdirSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Digest, sha256 } from '../../../core/base/hash.ts';
import { FolderValueStore } from '../../../core/store/folder/folder-values.ts';
import { inNewFolder } from '../../_new-folder.ts';
import { blobOf, startWriter } from '../_processes.ts';
import { valuesContract } from '../_values.ts';

valuesContract('folder', (root) => {
  const clock = { now: 0 };
  const store = new FolderValueStore({ root, now: () => clock.now });
  return { store, clock, settle: () => store.flush(), close: () => {} };
});

const filesBelow = (root: string): string[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();

test('a blob is the file of its digest, an alias a small file beside', () =>
  inNewFolder((root) => {
    const store = new FolderValueStore({ root });
    const digest = sha256('hello');
    store.put(digest, Buffer.from('hello'));
    store.alias(sha256('value'), digest);
    assert.ok(existsSync(join(root, digest.slice(0, 2), digest)));
    assert.ok(existsSync(join(root, sha256('value').slice(0, 2), `${sha256('value')}.alias`)));
    assert.equal(filesBelow(root), [digest, `${sha256('value')}.alias`].sort());
  }));

test('a file that was cut short, emptied or changed is absent, and can be put again', () =>
  inNewFolder((root) => {
    const store = new FolderValueStore({ root });
    const digest = sha256('hello');
    const path = join(root, digest.slice(0, 2), digest);
    const damages = [
      () => truncateSync(path, 3),
      () => truncateSync(path, 0),
      () => writeFileSync(path, 'hellO', { mode: 0o644 }),
    ];
    for (const damage of damages) {
      store.put(digest, Buffer.from('hello'));
      rmSync(path);
      writeFileSync(path, 'hello');
      damage();
      assert.is(store.get(digest), undefined);
      assert.is(store.copyTo(digest, join(root, 'out'), 0o644), undefined);
      store.put(digest, Buffer.from('hello'));
      assert.equal(Buffer.from(store.get(digest) ?? []).toString(), 'hello');
    }
  }));

test('an alias that is no digest leads nowhere', () =>
  inNewFolder((root) => {
    const store = new FolderValueStore({ root });
    for (const text of ['', 'x', `${sha256('a')}0`, '../../etc/passwd', sha256('a').toUpperCase()]) {
      store.alias(sha256('value'), sha256('blob'));
      writeFileSync(join(root, sha256('value').slice(0, 2), `${sha256('value')}.alias`), text);
      assert.is(store.target(sha256('value')), undefined);
    }
    assert.equal([...store.aliases()], []);
  }));

test('files of others are not listed', () =>
  inNewFolder((root) => {
    const store = new FolderValueStore({ root });
    store.put(sha256('hello'), Buffer.from('hello'));
    mkdirSync(join(root, 'zz'));
    writeFileSync(join(root, 'zz', sha256('x')), '');
    writeFileSync(join(root, sha256('hello').slice(0, 2), 'notes.txt'), '');
    writeFileSync(join(root, 'README'), '');
    assert.equal(
      [...store.list()].map((info) => info.digest),
      [sha256('hello')],
    );
    assert.equal([...store.aliases()], []);
    assert.equal(store.matching('', 10), []);
  }));

test('no name leads out of the folder', () =>
  inNewFolder((root) => {
    const store = new FolderValueStore({ root: join(root, 'store') });
    writeFileSync(join(root, 'secret'), 'secret');
    const name = '../secret' as Digest;
    for (const use of [
      () => store.get(name),
      () => store.has(name),
      () => store.put(name, Buffer.from('x')),
      () => store.delete(name),
      () => store.target(name),
      () => store.alias(name, sha256('x')),
      () => store.unalias(name),
      () => store.copyTo(name, join(root, 'out'), 0o644),
    ]) {
      assert.throws(use, (error: { code?: string }) => error.code === 'DIGEST_UNKNOWN');
    }
    assert.equal(filesBelow(root), ['secret']);
  }));

test('a folder that cannot be written to is an error with a code, and reads as empty', () =>
  inNewFolder((root) => {
    writeFileSync(join(root, 'file'), '');
    const store = new FolderValueStore({ root: join(root, 'file') });
    const unusable = (error: { code?: string }): boolean => error.code === 'STORE_UNUSABLE';
    assert.throws(() => store.put(sha256('x'), Buffer.from('x')), unusable);
    assert.throws(() => store.alias(sha256('x'), sha256('x')), unusable);
    assert.is(store.get(sha256('x')), undefined);
    assert.is(store.has(sha256('x')), false);
    assert.is(store.target(sha256('x')), undefined);
    assert.equal([...store.list()], []);
    assert.equal(store.matching('', 10), []);
  }));

test('what a crashed writer left is swept by a later one when it is an hour old', () =>
  inNewFolder((root) => {
    mkdirSync(join(root, 'tmp'));
    const hourAgo = Date.now() / 1000 - 3700;
    writeFileSync(join(root, 'tmp', 'old'), 'x');
    utimesSync(join(root, 'tmp', 'old'), hourAgo, hourAgo);
    writeFileSync(join(root, 'tmp', 'young'), 'x');
    new FolderValueStore({ root }).alias(sha256('value'), sha256('blob'));
    assert.equal(readdirSync(join(root, 'tmp')), ['young']);
  }));

test('a writer that is killed leaves whole blobs and files in the making, nothing else', () =>
  inNewFolder(async (root) => {
    for (const [index, enough] of [1, 7, 30].entries()) {
      const writer = startWriter(['values', root, `${index}`, 1e6], ({ child, said }) => {
        if (said.length >= enough) child.kill('SIGKILL');
      });
      await writer.ended;
      assert.ok(writer.said.length >= enough);
      const store = new FolderValueStore({ root });
      for (const salt of writer.said) {
        const blob = store.target(sha256(salt));
        assert.is(blob, sha256(blobOf(salt)));
        assert.ok(blob !== undefined && blobOf(salt).equals(store.get(blob) ?? Buffer.from('absent')), salt);
      }
      for (const { digest } of store.list()) assert.ok(store.get(digest) !== undefined, 'a part of a blob has a name');
    }
  }));

test('several processes can put the same and other blobs at once', () =>
  inNewFolder(async (root) => {
    const writers = ['same', 'same', 'other'].map((name) => startWriter(['values', root, name, 40]));
    for (const writer of writers) {
      assert.is(await writer.ended, 0);
      assert.is(writer.said.length, 40);
    }
    const store = new FolderValueStore({ root });
    assert.is([...store.list()].length, 80);
    for (const [value, blob] of store.aliases()) assert.ok(store.get(blob) !== undefined, value);
    assert.equal(readdirSync(join(root, 'tmp')), []);
  }));

test.run();
