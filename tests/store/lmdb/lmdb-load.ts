/** What lmdb does not need is not loaded with it, and is there for whoever does. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lmdbAddon } from '../../../core/store/lmdb/lmdb-addon.ts';
import { loadLmdb } from '../../../core/store/lmdb/lmdb-load.ts';

const require = createRequire(import.meta.url);
const inner = createRequire(require.resolve('lmdb'));

test('lmdb is loaded as everybody else has it, without msgpackr', () => {
  const msgpackr = inner.resolve('msgpackr');
  assert.is(require.cache[msgpackr], undefined);
  const lmdb = loadLmdb();
  assert.is(require.cache[msgpackr], undefined);
  assert.is(lmdb, require('lmdb'));
  assert.is(lmdb, loadLmdb());
});

test('whoever uses it with encodings of msgpackr has them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fleche-lmdb-'));
  const value = { when: new Date(0), list: [1, 'two', null], bytes: Buffer.from('abc') };
  const database = loadLmdb().open<unknown, string>({ path: join(folder, 'db') });
  database.putSync('key', value);
  assert.equal(database.get('key'), value);
  void database.close();
  rmSync(folder, { recursive: true });
  assert.type(inner('msgpackr').Encoder, 'function');
  assert.is(inner('msgpackr'), require('msgpackr'));
});

test('the native part is the one that the loader of lmdb finds', () => {
  const addon = lmdbAddon();
  if (addon === undefined) return;
  const home = join(require.resolve('lmdb'), '../..');
  assert.is(inner('node-gyp-build-optional-packages')(home), addon);
});

test.run();
