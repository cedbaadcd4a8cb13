import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { asDigest, type Digest, sha256 } from '../../../core/base/hash.ts';
import { blobFile, layoutOf } from '../../../core/store/layout.ts';
import { type LmdbOptions, type LmdbStores, openLmdb } from '../../../core/store/lmdb/lmdb.ts';
import { LmdbEnv } from '../../../core/store/lmdb/lmdb-env.ts';
import { inspectLmdb } from '../../../core/store/lmdb/lmdb-inspect.ts';
import { loadLmdb } from '../../../core/store/lmdb/lmdb-load.ts';
import { LmdbValues } from '../../../core/store/lmdb/lmdb-values.ts';
import { runToEnd } from '../_child.ts';
import { aKey, aRecord, resultBlob, resultBytes } from '../_record.ts';

interface Bench {
  readonly root: string;
  readonly troubles: string[];
  open(options?: Partial<LmdbOptions>, root?: string): LmdbStores;
}

/** A test with a cache folder of its own; what it opens is closed afterwards. */
function check(name: string, work: (bench: Bench) => Promise<void> | void): void {
  test(name, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fleche-'));
    const opened: LmdbStores[] = [];
    const troubles: string[] = [];
    const root = join(folder, '.fleche');
    try {
      await work({
        root,
        troubles,
        open: (options, at = root) => {
          const stores = openLmdb(at, { onTrouble: (message) => void troubles.push(message), ...options });
          opened.push(stores);
          return stores;
        },
      });
    } finally {
      for (const stores of opened) await stores.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

function putCall({ values, calls }: LmdbStores, salt: string): void {
  values.put(resultBlob(salt), resultBytes(salt));
  values.alias(sha256(`result ${salt}`), resultBlob(salt));
  calls.put(aRecord({ salt }));
}

function large(salt: string): { readonly digest: Digest; readonly bytes: Buffer } {
  const bytes = Buffer.alloc(100_000, salt);
  return { digest: sha256(bytes), bytes };
}

const hasCode =
  (code: string) =>
  (error: { code?: string }): boolean =>
    error.code === code;

/** Writes into the databases behind the store's back. */
async function tamper(root: string, table: string, change: (bytes: Buffer, key: Uint8Array) => Buffer): Promise<void> {
  const env = loadLmdb().open<Uint8Array, Uint8Array>({
    path: layoutOf(root).db,
    encoding: 'binary',
    overlappingSync: false,
  });
  const db = env.openDB({ name: table, encoding: 'binary', keyEncoding: 'binary' });
  const entries = Array.from(db.getRange({ start: Uint8Array.of(0) }), ({ key, value }) => ({ key, value }));
  for (const { key, value } of entries) db.putSync(key, change(Buffer.from(value), key));
  await env.close();
}

const flipLast = (bytes: Buffer): Buffer => {
  const last = bytes.length - 1;
  if (last >= 0) bytes.writeUInt8(bytes.readUInt8(last) ^ 1, last);
  return bytes;
};

check('a cache folder is marked as one, and ignored by git', ({ root, open }) => {
  const stores = open();
  const { digest, bytes } = large('x');
  stores.values.put(digest, bytes);
  stores.flush();
  assert.match(readFileSync(join(root, 'CACHEDIR.TAG'), 'utf8'), /^Signature: 8a477f597d28d172789f06886806bc55\n/);
  assert.is(readFileSync(join(root, '.gitignore'), 'utf8'), '*\n');
  assert.equal(readdirSync(root).sort(), ['.gitignore', 'CACHEDIR.TAG', 'cas', 'db-1', 'logs', 'tmp']);
  const file = join(root, 'cas', digest.slice(0, 1), digest);
  assert.ok(readFileSync(file).equals(bytes));
  assert.is(statSync(file).mode & 0o222, 0);
  assert.equal(readdirSync(stores.tmpDir), []);
});

check('others see what is put after the next turn of the event loop', async ({ root, open }) => {
  const stores = open();
  putCall(stores, 'a');
  assert.equal(runToEnd('_lmdb-child.ts', 'has', root, 'a').stdout, 'false\n');
  await nextTurn();
  await nextTurn();
  assert.equal(runToEnd('_lmdb-child.ts', 'has', root, 'a').stdout, 'true\n');
});

check('a process keeps what it put, however it ends by itself', ({ root, open }) => {
  assert.is(runToEnd('_lmdb-child.ts', 'put', root, 'a').end, 0);
  assert.is(runToEnd('_lmdb-child.ts', 'put and exit', root, 'b').end, 0);
  assert.is(runToEnd('_lmdb-child.ts', 'put and throw', root, 'c').end, 1);
  const { calls, values } = open();
  for (const salt of ['a', 'b', 'c']) {
    assert.equal(calls.get(aKey(salt)), aRecord({ salt }));
    assert.is(values.has(resultBlob(salt)), true);
  }
});

check('what a process wrote within one turn is seen after a refresh', ({ root, open }) => {
  const stores = open();
  assert.is(stores.calls.get(aKey('a')), undefined);
  assert.is(runToEnd('_lmdb-child.ts', 'put', root, 'a').end, 0);
  stores.refresh();
  assert.equal(stores.calls.get(aKey('a')), aRecord({ salt: 'a' }));
});

check('one process may open a cache twice', ({ open }) => {
  const [one, other] = [open(), open()];
  putCall(one, 'a');
  putCall(other, 'b');
  one.flush();
  other.flush();
  for (const stores of [one, other]) {
    stores.refresh();
    assert.is(stores.calls.count(), 2);
    assert.ok(stores.values.get(resultBlob('a')));
    assert.ok(stores.values.get(resultBlob('b')));
  }
});

check('closing one handle leaves the other working', async ({ open }) => {
  const [one, other] = [open(), open()];
  await one.close();
  putCall(other, 'a');
  other.flush();
  assert.equal(other.calls.get(aKey('a')), aRecord({ salt: 'a' }));
});

check('after closing nothing is found and nothing is kept', async ({ open, troubles }) => {
  const stores = open();
  putCall(stores, 'a');
  await stores.close();
  putCall(stores, 'b');
  stores.state.put('s', Buffer.from('s'));
  stores.flush();
  for (const salt of ['a', 'b']) assert.is(stores.calls.get(aKey(salt)), undefined);
  assert.is(stores.values.get(resultBlob('a')), undefined);
  assert.is(stores.state.get('s'), undefined);
  await stores.close();
  const again = open();
  assert.is(again.calls.count(), 1);
  assert.equal(troubles, []);
});

check('a cache that is removed while it is open starts again, with one word', async ({ root, open, troubles }) => {
  const stores = open();
  const { digest, bytes } = large('x');
  putCall(stores, 'a');
  stores.values.put(digest, bytes);
  stores.flush();
  for (const round of ['b', 'c']) {
    rmSync(root, { recursive: true });
    assert.is(stores.values.get(digest), undefined);
    assert.is(stores.values.copyTo(digest, join(root, '..', 'out'), 0o644), undefined);
    putCall(stores, round);
    stores.values.put(digest, bytes);
    stores.flush();
    assert.equal(stores.calls.get(aKey(round)), aRecord({ salt: round }));
    assert.is(stores.calls.get(aKey('a')), undefined);
    assert.ok(stores.values.get(digest));
    assert.is(stores.calls.count(), 1);
    assert.is(open().calls.count(), 1);
  }
  assert.is(troubles.length, 1);
  assert.match(troubles[0] ?? '', /was removed or replaced while it was in use/);
});

check('a cache opened for reading only gives and takes nothing', async ({ root, open, troubles }) => {
  const writer = open();
  const { digest, bytes } = large('x');
  putCall(writer, 'a');
  writer.values.put(digest, bytes);
  writer.state.put('s', bytes);
  await writer.close();
  const { values, calls, state, flush } = open({ readOnly: true });
  assert.equal(calls.get(aKey('a')), aRecord({ salt: 'a' }));
  assert.ok(bytes.equals(values.get(digest) ?? Buffer.alloc(0)));
  assert.is(calls.count(), 1);
  const readOnly = hasCode('CACHE_READ_ONLY');
  assert.throws(() => values.put(digest, bytes), readOnly);
  assert.throws(() => values.putFile(join(root, 'CACHEDIR.TAG')), readOnly);
  assert.throws(() => values.delete(digest), readOnly);
  assert.throws(() => values.alias(digest, digest), readOnly);
  assert.throws(() => calls.put(aRecord()), readOnly);
  assert.throws(() => calls.delete(aKey('a')), readOnly);
  state.put('s', Buffer.from('other'));
  flush();
  assert.ok(bytes.equals(state.get('s') ?? Buffer.alloc(0)));
  // Damage is seen, but not removed.
  const file = blobFile(layoutOf(root), digest);
  chmodSync(file, 0o644);
  truncateSync(file, 50_000);
  assert.is(values.get(digest), undefined);
  assert.ok(existsSync(file));
  assert.equal(troubles, []);
});

check('a folder that is not there is empty for a reader, and is not made', ({ root, open, troubles }) => {
  const { values, calls, state } = open({ readOnly: true });
  assert.is(values.get(resultBlob('a')), undefined);
  assert.equal([...values.list()], []);
  assert.is(calls.count(), 0);
  assert.equal([...calls.find({})], []);
  assert.is(state.get('s'), undefined);
  assert.is(existsSync(root), false);
  assert.equal(troubles, []);
});

check('where no cache can be, opening says why', ({ root, open }) => {
  writeFileSync(root, 'a file');
  assert.throws(() => open(), hasCode('STORE_UNUSABLE'));
  assert.throws(() => open({}, join(root, 'deeper')), hasCode('STORE_UNUSABLE'));
});

check('a file of a blob that was altered is absent, removed, and can be put again', ({ root, open }) => {
  const { values } = open();
  const damages: ((file: string) => void)[] = [
    (file) => truncateSync(file, 99_999),
    (file) => truncateSync(file, 0),
    (file) => writeFileSync(file, flipLast(readFileSync(file))),
    (file) => writeFileSync(file, 'x', { flag: 'a' }),
  ];
  for (const damage of damages) {
    for (const use of ['get', 'copyTo'] as const) {
      const { digest, bytes } = large('x');
      const file = blobFile(layoutOf(root), digest);
      const out = join(root, 'out');
      values.put(digest, bytes);
      chmodSync(file, 0o644);
      damage(file);
      if (use === 'get') assert.is(values.get(digest), undefined);
      else assert.is(values.copyTo(digest, out, 0o644), undefined);
      assert.is(existsSync(out), false);
      assert.is(existsSync(file), false);
      assert.is(values.has(digest), false);
    }
  }
});

check('a put over a file of another size makes it right', ({ root, open }) => {
  const { values } = open();
  const { digest, bytes } = large('x');
  values.put(digest, bytes);
  const file = blobFile(layoutOf(root), digest);
  chmodSync(file, 0o644);
  truncateSync(file, 10);
  values.put(digest, bytes);
  assert.ok(bytes.equals(values.get(digest) ?? Buffer.alloc(0)));
});

check('entries that were altered in the database are absent, never wrong', async ({ root, open, troubles }) => {
  const first = open();
  for (const salt of ['a', 'b', 'c']) putCall(first, salt);
  first.state.put('s', Buffer.from('state'));
  await first.close();
  for (const table of ['values', 'aliases', 'calls', 'state']) await tamper(root, table, flipLast);
  const { values, calls, state, flush } = open();
  for (const salt of ['a', 'b', 'c']) {
    assert.is(calls.get(aKey(salt)), undefined);
    assert.is(values.get(resultBlob(salt)), undefined);
    assert.is(values.target(sha256(`result ${salt}`)), undefined);
  }
  assert.is(state.get('s'), undefined);
  assert.equal([...calls.find({ name: 'f' })], []);
  flush();
  assert.equal([...values.list()], []);
  assert.equal(troubles, []);
});

check('an alias to a blob that is of another value is absent', async ({ root, open }) => {
  const first = open();
  for (const salt of ['a', 'b']) putCall(first, salt);
  await first.close();
  // Whole entries change places, as when a page is written to the wrong place.
  const entries: Buffer[] = [];
  await tamper(root, 'aliases', (bytes) => {
    entries.push(bytes);
    return bytes;
  });
  await tamper(root, 'aliases', () => entries.pop() ?? Buffer.alloc(0));
  const { values } = open();
  for (const salt of ['a', 'b']) assert.is(values.target(sha256(`result ${salt}`)), undefined);
});

check('a record under a key that is not its own is absent', async ({ root, open }) => {
  const first = open();
  for (const salt of ['a', 'b']) first.calls.put(aRecord({ salt }));
  await first.close();
  const records: Buffer[] = [];
  await tamper(root, 'calls', (bytes) => {
    records.push(bytes);
    return bytes;
  });
  await tamper(root, 'calls', () => records.pop() ?? Buffer.alloc(0));
  const { calls } = open();
  for (const salt of ['a', 'b']) assert.is(calls.get(aKey(salt)), undefined);
  assert.equal([...calls.find({})], []);
});

check('an index that leads nowhere, or to a record that has changed, is passed over', async ({ root, open }) => {
  const first = open();
  first.calls.put(aRecord({ salt: 'a', filed: 1 }));
  first.calls.put(aRecord({ salt: 'b', filed: 2 }));
  await first.close();
  const saved: [Uint8Array, Buffer][] = [];
  await tamper(root, 'index', (bytes, key) => {
    saved.push([key, bytes]);
    return bytes;
  });
  const second = open();
  second.calls.put(aRecord({ salt: 'a', name: 'other', filed: 3 }));
  second.calls.delete(aKey('b'));
  await second.close();
  // Put the index back as it was: now it has entries of before beside those of now.
  const env = loadLmdb().open<Uint8Array, Uint8Array>({
    path: layoutOf(root).db,
    encoding: 'binary',
    overlappingSync: false,
  });
  const index = env.openDB({ name: 'index', encoding: 'binary', keyEncoding: 'binary' });
  for (const [key, bytes] of saved) index.putSync(key, bytes);
  await env.close();
  const { calls } = open();
  assert.equal(
    [...calls.find({})].map((record) => record.name),
    ['other'],
  );
  assert.equal([...calls.find({ name: 'f' })], []);
  assert.is([...calls.find({ name: 'other' })].length, 1);
});

check('a blob is marked as used at most once an hour', ({ open }) => {
  const clock = { now: 1_700_000_000_000 };
  const { values, flush } = open({ now: () => clock.now });
  for (const bytes of [Buffer.from('small'), large('x').bytes]) {
    const digest = sha256(bytes);
    const touched = (): number => [...values.list()].find((info) => info.digest === digest)?.touched ?? Number.NaN;
    const first = clock.now;
    values.put(digest, bytes);
    flush();
    clock.now += 3_599_000;
    values.put(digest, bytes);
    flush();
    assert.is(touched(), first);
    clock.now += 2_000;
    values.put(digest, bytes);
    flush();
    assert.is(touched(), clock.now);
  }
});

check('a folder can be looked over without changing it', async ({ root, open, troubles }) => {
  const now = 1_700_000_000_000;
  assert.is(inspectLmdb(root, now).exists, false);
  assert.is(existsSync(root), false);
  const stores = open({ now: () => now });
  for (const salt of ['a', 'b', 'c']) putCall(stores, salt);
  const { digest, bytes } = large('x');
  stores.values.put(digest, bytes);
  stores.state.put('s', bytes);
  stores.flush();
  const old = join(stores.tmpDir, '123-0-0123456789ab');
  writeFileSync(old, '12345');
  utimesSync(old, now / 1000 - 7200, now / 1000 - 7200);
  const young = join(stores.tmpDir, '123-1-0123456789ab');
  writeFileSync(young, '123');
  utimesSync(young, now / 1000, now / 1000);
  writeFileSync(join(root, 'cas', digest.slice(0, 1), 'notes.txt'), 'mine');
  const report = inspectLmdb(root, now);
  assert.is(report.exists, true);
  assert.is(report.damage, null);
  assert.equal(report.troubles, []);
  assert.equal(report.counts, { inline: 3, files: 1, aliases: 3, records: 3, states: 1 });
  assert.equal(report.orphans, ['tmp/123-0-0123456789ab']);
  assert.equal(report.strangers, [`cas/${digest.slice(0, 1)}/notes.txt`]);
  assert.equal(report.undecodable, []);
  assert.is(report.bytes.blobs, 100_000);
  assert.is(report.bytes.tmp, 8);
  assert.ok(report.bytes.database > 0);
  await stores.close();
  await tamper(root, 'calls', (record, key) =>
    Buffer.from(key).toString('hex') === aKey('b') ? flipLast(record) : record,
  );
  assert.equal(inspectLmdb(root, now).undecodable, [aKey('b')]);
  assert.equal(troubles, []);
});

check('names among the blobs that only look like one are not', ({ root, open }) => {
  const { values } = open();
  const { digest, bytes } = large('x');
  values.put(digest, bytes);
  writeFileSync(join(root, 'cas', digest.slice(0, 1), `ff${digest.slice(2)}`), bytes);
  writeFileSync(join(root, 'cas', 'file'), bytes);
  assert.equal(
    [...values.list()].map((info) => info.digest),
    [asDigest(digest)],
  );
});

check(
  'a commit that fails takes along what was put by then, and nothing that is put later',
  async ({ root, troubles, open }) => {
    const onTrouble = (message: string): void => void troubles.push(message);
    const env = new LmdbEnv(layoutOf(root), { onTrouble, now: Date.now, readOnly: false });
    const values = new LmdbValues(env);
    let fails = true;
    env.join({
      write() {
        if (fails) throw new Error('no luck');
      },
      clear() {},
    });
    const [early, late] = [resultBlob('early'), resultBlob('late')];
    values.put(early, resultBytes('early'));
    env.commit();
    assert.is(values.get(early), undefined);
    fails = false;
    values.put(late, resultBytes('late'));
    await env.close();
    assert.equal(troubles, ['the cache could not be written (no luck); what is not kept is made again']);
    const again = open().values;
    assert.equal([again.has(early), again.has(late)], [false, true]);
  },
);

check(
  'a folder that was opened for reading only takes what is put by who opens it to write',
  async ({ open, troubles }) => {
    const first = open();
    putCall(first, 'a');
    await first.close();
    const reader = open({ readOnly: true });
    const writer = open();
    putCall(writer, 'b');
    await writer.close();
    assert.equal(
      ['a', 'b'].map((salt) => reader.calls.get(aKey(salt)) !== undefined),
      [true, true],
    );
    assert.equal(troubles, []);
  },
);

test.run();
