import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../../../core/base/hash.ts';
import { layoutOf } from '../../../core/store/layout.ts';
import { loadLmdb } from '../../../core/store/lmdb/lmdb-load.ts';
import { haveShelves, openShelves } from '../../../core/store/lmdb/lmdb-shelves.ts';
import type { ShelfRecord, ShelfRow, ShelfStore } from '../../../core/store/shelf-store.ts';

interface Bench {
  readonly root: string;
  readonly troubles: string[];
  open(): ShelfStore;
}

function check(name: string, work: (bench: Bench) => Promise<void> | void): void {
  test(name, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fleche-'));
    const root = join(folder, 'shelves');
    const opened: ShelfStore[] = [];
    const troubles: string[] = [];
    const open = (): ShelfStore => {
      const store = openShelves(root, (message) => void troubles.push(message));
      opened.push(store);
      return store;
    };
    try {
      await work({ root, troubles, open });
    } finally {
      for (const store of opened) await store.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

function aRecord(name: string, more: Partial<ShelfRecord> = {}): ShelfRecord {
  return { name, id: 'i', epoch: '', filled: true, version: 1, order: 0, ancestors: new Map([['root', 'e']]), ...more };
}

function aRow(text: string, order = 0, version = 1): ShelfRow {
  return { order, version, bytes: Buffer.from(text) };
}

const K = sha256('k');
const L = sha256('l');
const textOf = (row: ShelfRow | undefined): string | undefined => row && Buffer.from(row.bytes).toString();

check('what is written is read, by this process and the next', async ({ open, root }) => {
  assert.is(haveShelves(root), false);
  const first = open();
  first.write((writes) => {
    writes.putRecord(aRecord('a'));
    writes.putRow('a', K, aRow('one', 2 ** 40, 7));
    assert.equal(writes.record('a'), aRecord('a'));
    assert.is(textOf(writes.row('a', K)), 'one');
  });
  await first.close();
  assert.ok(haveShelves(root));
  open().read((reads) => {
    assert.equal(reads.record('a'), aRecord('a'));
    assert.equal(
      reads.rows('a').map(([key, row]) => [key, row.order, row.version, textOf(row)]),
      [[K, 2 ** 40, 7, 'one']],
    );
    assert.is(reads.record('b'), undefined);
    assert.is(reads.row('a', L), undefined);
  });
});

check('rows come in their order, and only those of the shelf', ({ open }) => {
  const store = open();
  store.write((writes) => {
    for (let at = 0; at < 600; at++) writes.putRow('a', sha256(String(at)), aRow(String(at), 600 - at));
    writes.putRow('b', K, aRow('other'));
  });
  store.read((reads) => {
    assert.equal(
      reads.rows('a').map(([, row]) => row.order),
      Array.from({ length: 600 }, (_, at) => at + 1),
    );
    assert.is(reads.rows('b').length, 1);
  });
  store.write((writes) => writes.removeRows('a'));
  store.read((reads) => {
    assert.is(reads.rows('a').length, 0);
    assert.is(reads.rows('b').length, 1);
  });
});

check('a write that throws leaves nothing behind', ({ open }) => {
  const store = open();
  store.write((writes) => writes.putRow('a', K, aRow('before')));
  assert.throws(
    () =>
      store.write((writes) => {
        writes.putRow('a', K, aRow('after'));
        writes.putRecord(aRecord('a'));
        throw new Error('on purpose');
      }),
    'on purpose',
  );
  store.read((reads) => {
    assert.is(textOf(reads.row('a', K)), 'before');
    assert.is(reads.record('a'), undefined);
  });
});

check('names of any kind are told apart', ({ open }) => {
  const names = [
    '',
    '/',
    '..',
    '../a',
    'a',
    'A',
    'ä',
    '\u0000',
    '\ud800',
    '\udc00',
    'x'.repeat(4096),
    'x'.repeat(4097),
  ];
  const store = open();
  store.write((writes) => {
    for (const [at, name] of names.entries()) {
      writes.putRecord(aRecord(name, { version: at }));
      writes.putRow(name, K, aRow(String(at)));
    }
  });
  store.read((reads) => {
    for (const [at, name] of names.entries()) {
      assert.is(reads.record(name)?.version, at);
      assert.equal(
        reads.rows(name).map(([, row]) => textOf(row)),
        [String(at)],
      );
    }
    assert.equal(new Set(reads.records().map((record) => record.name)), new Set(names));
  });
});

check('a row or record that was altered at rest is not there', async ({ open, root }) => {
  const store = open();
  store.write((writes) => {
    writes.putRecord(aRecord('a'));
    writes.putRow('a', K, aRow('one'));
    writes.putRow('a', L, aRow('two'));
  });
  await store.close();
  const env = loadLmdb().open<Uint8Array, Uint8Array>({
    path: layoutOf(root).db,
    encoding: 'binary',
    overlappingSync: false,
  });
  const db = env.openDB({ name: 'shelves', encoding: 'binary', keyEncoding: 'binary' });
  const entries = Array.from(db.getRange({ start: Uint8Array.of(0) }), ({ key, value }) => ({ key, value }));
  for (const { key, value } of entries) {
    const bytes = Buffer.from(value);
    if (bytes.includes('two')) continue;
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    db.putSync(key, bytes);
  }
  await env.close();
  open().read((reads) => {
    assert.is(reads.record('a'), undefined);
    assert.equal(reads.records(), []);
    assert.equal(
      reads.rows('a').map(([, row]) => textOf(row)),
      ['two'],
    );
  });
});

check('a folder that was removed while it was open is made again', ({ open, root, troubles }) => {
  const store = open();
  store.write((writes) => writes.putRow('a', K, aRow('one')));
  rmSync(root, { recursive: true });
  store.write((writes) => {
    assert.is(writes.row('a', K), undefined);
    writes.putRow('a', L, aRow('two'));
  });
  assert.ok(existsSync(root));
  assert.is(troubles.length, 1);
  store.read((reads) =>
    assert.equal(
      reads.rows('a').map(([, row]) => textOf(row)),
      ['two'],
    ),
  );
});

check('no stamp is given twice', ({ open }) => {
  const store = open();
  assert.is(new Set(Array.from({ length: 100 }, () => store.stamp())).size, 100);
});

check('a store that is closed throws instead of losing what is written', async ({ open }) => {
  const store = open();
  await store.close();
  assert.throws(
    () => store.write(() => {}),
    (error: { code?: string }) => error.code === 'STORE_UNUSABLE',
  );
});

test.run();
