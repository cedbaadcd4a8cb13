/**
 * Damaged environments. LMDB itself ends the process by SIGSEGV or SIGBUS on many of these, so they are opened by other
 * processes, each of which takes one after the other until it has opened all of them.
 */
import {
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../../../core/base/hash.ts';
import { dataFile, distrustFile, layoutOf } from '../../../core/store/layout.ts';
import { openLmdb } from '../../../core/store/lmdb/lmdb.ts';
import { damageOf } from '../../../core/store/lmdb/lmdb-guard.ts';
import { runToEnd, start } from '../_child.ts';
import { aKey, aRecord, CASES, resultBlob, resultBytes } from '../_record.ts';

const SALTS = Array.from({ length: 300 }, (_, index) => `${index}`);
const PAGE = 4096;
const folder = mkdtempSync(join(tmpdir(), 'fleche-'));
const sound = join(folder, 'sound');
const onTrouble = (message: string): void => {
  throw new Error(message);
};

async function fill(root: string): Promise<void> {
  const { values, calls, state, close } = openLmdb(root, { onTrouble });
  for (const salt of SALTS) {
    values.put(resultBlob(salt), resultBytes(salt));
    values.alias(sha256(`result ${salt}`), resultBlob(salt));
    calls.put(aRecord({ salt }));
    if (Number(salt) % 100 === 0) values.put(sha256(Buffer.alloc(20_000, salt)), Buffer.alloc(20_000, salt));
    state.put(salt, resultBytes(salt));
  }
  await close();
}

interface Survived {
  readonly folder: string;
  /** How many of the calls that were there are there still. */
  readonly found: number;
  /** How many of 50 new ones were kept. */
  readonly kept: number;
  readonly troubles: readonly string[];
}

/** Has another process use caches, and fails if that ends it. */
function survive(roots: readonly string[]): Survived[] {
  const done: Survived[] = [];
  for (let at = 0; at < roots.length; at += 100) {
    const some = JSON.stringify(roots.slice(at, at + 100));
    const { end, stdout, stderr } = runToEnd('_lmdb-child.ts', 'survive', some, ...SALTS);
    for (const line of stdout.split('\n')) if (line !== '') done.push(JSON.parse(line));
    assert.is(end, 0, `${end} at ${roots[done.length]}: ${stderr}`);
  }
  assert.is(done.length, roots.length);
  return done;
}

/** A copy of the sound cache whose data file has been changed. */
function damaged(name: string, change: (file: string, bytes: Buffer) => void): string {
  const root = join(folder, name);
  cpSync(sound, root, { recursive: true });
  const file = dataFile(layoutOf(root));
  change(file, readFileSync(file));
  return root;
}

function random(size: number, salt: string): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < size; at += 32) pieces.push(Buffer.from(sha256(`${salt} ${at}`), 'hex'));
  return Buffer.concat(pieces).subarray(0, size);
}

test('a sound cache is used as it is', async () => {
  await fill(sound);
  assert.is(damageOf(layoutOf(sound), true), undefined);
  const [one] = survive([damaged('copy', () => {})]);
  assert.is(one?.found, SALTS.length);
  assert.is(one?.kept, 50);
  assert.equal(one?.troubles, []);
});

test('a damaged environment is set aside, whatever is left of it, and never ends the process', () => {
  const roots = [
    damaged('one byte', (file) => truncateSync(file, 1)),
    damaged('4095 bytes', (file) => truncateSync(file, PAGE - 1)),
    damaged('one page', (file) => truncateSync(file, PAGE)),
    damaged('two pages', (file) => truncateSync(file, 2 * PAGE)),
    ...[0.1, 0.5, 0.9, 0.99].map((part) =>
      damaged(`cut at ${part}`, (file, bytes) => truncateSync(file, Math.floor(bytes.length * part))),
    ),
    damaged('text', (file) => writeFileSync(file, 'not a database\n'.repeat(1000))),
    damaged('zeros', (file, bytes) => writeFileSync(file, bytes.fill(0))),
    damaged('noise', (file, bytes) => writeFileSync(file, random(bytes.length, 'noise'))),
    damaged('noise behind the metas', (file, bytes) => {
      random(bytes.length, 'behind').copy(bytes, 2 * PAGE, 2 * PAGE);
      writeFileSync(file, bytes);
    }),
    damaged('metas of zeros', (file, bytes) => writeFileSync(file, bytes.fill(0, 0, 2 * PAGE))),
    damaged('a second meta of zeros', (file, bytes) => writeFileSync(file, bytes.fill(0, PAGE, 2 * PAGE))),
    damaged('pages in another order', (file, bytes) => {
      const rest = bytes.subarray(2 * PAGE);
      writeFileSync(file, Buffer.concat([bytes.subarray(0, 2 * PAGE), rest.subarray(PAGE), rest.subarray(0, PAGE)]));
    }),
    damaged('distrusted', (file) => writeFileSync(distrustFile(layoutOf(join(file, '..', '..'))), 'why')),
  ];
  for (const { folder: root, found, kept, troubles } of survive(roots)) {
    assert.is(found, 0, root);
    assert.is(kept, 50, root);
    assert.is(troubles.length, 1, root);
    assert.match(troubles[0] ?? '', /^the cache was damaged \(.+\); it is now in .+, and an empty one took its place$/);
    assert.is(readdirSync(layoutOf(root).trash).length, 1, root);
  }
});

test('an empty data file is a new environment', () => {
  const [one] = survive([damaged('empty', (file) => truncateSync(file, 0))]);
  assert.is(one?.found, 0);
  assert.is(one?.kept, 50);
  assert.equal(one?.troubles, []);
});

test('a damaged or missing lock file does not matter', () => {
  const lock = (file: string): string => join(file, '..', 'lock.mdb');
  const roots = [
    damaged('lock of noise', (file) => writeFileSync(lock(file), random(100_000, 'lock'))),
    damaged('lock of zeros', (file) => writeFileSync(lock(file), Buffer.alloc(8192))),
    damaged('short lock', (file) => writeFileSync(lock(file), 'abc')),
    damaged('no lock', (file) => rmSync(lock(file))),
  ];
  for (const { folder: root, found, kept, troubles } of survive(roots)) {
    assert.is(found, SALTS.length, root);
    assert.is(kept, 50, root);
    assert.equal(troubles, []);
  }
});

test('flipped bytes in the meta pages never end the process and never give a wrong answer', () => {
  const META_BYTES = 168;
  const place = fc.tuple(fc.nat(META_BYTES - 1), fc.nat(1), fc.integer({ min: 1, max: 255 }));
  const damages = fc.sample(fc.array(place, { minLength: 1, maxLength: 3 }), CASES);
  const roots = damages.map((flips, index) =>
    damaged(`meta ${index}`, (file, bytes) => {
      for (const [at, page, bits] of flips)
        bytes.writeUInt8(bytes.readUInt8(at + page * PAGE) ^ bits, at + page * PAGE);
      writeFileSync(file, bytes);
    }),
  );
  for (const [index, { found, kept, troubles }] of survive(roots).entries()) {
    const note = `${JSON.stringify(damages[index])}: ${troubles.join()}`;
    assert.is(kept, 50, note);
    assert.ok(troubles.length <= 1, note);
    if (troubles.length === 0) assert.ok(found > 0, note);
  }
});

/** Pages that the look at the roots passes over, and the look at everything does not. */
function deepPages(): number[] {
  const root = damaged('deep', () => {});
  const layout = layoutOf(root);
  const fd = openSync(dataFile(layout), 'r+');
  const bytes = readFileSync(dataFile(layout));
  const deep: number[] = [];
  for (let page = 2; page < bytes.length / PAGE; page++) {
    writeSync(fd, withoutKind(bytes, page), page * PAGE, PAGE, page * PAGE);
    if (damageOf(layout) === undefined && damageOf(layout, true) !== undefined) deep.push(page);
    writeSync(fd, bytes, page * PAGE, PAGE, page * PAGE);
  }
  closeSync(fd);
  return deep;
}

function withoutKind(bytes: Buffer, page: number): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt16LE(0x40, page * PAGE + 18);
  return changed;
}

test('damage deep inside costs at most one process and never gives a wrong answer', () => {
  const deep = deepPages();
  assert.ok(deep.length > 20);
  const sample = deep.filter((_, index) => index % Math.ceil(deep.length / (CASES / 15)) === 0);
  for (const page of sample) {
    const root = damaged(`page ${page}`, (file, bytes) => writeFileSync(file, withoutKind(bytes, page)));
    // Whatever happens in the first process, by a signal or by an error while reading, the next one knows better.
    runToEnd('_lmdb-child.ts', 'survive', JSON.stringify([root]), ...SALTS);
    const [next] = survive([root]);
    assert.is(next?.kept, 50);
  }
});

test('after a process that ended badly everything is looked at', () => {
  const [page = 0] = deepPages();
  const root = damaged('crashed', (file, bytes) => writeFileSync(file, withoutKind(bytes, page)));
  const marks = (): string[] => readdirSync(layoutOf(root).db).filter((name) => name.startsWith('user-'));
  assert.equal(marks(), []);
  writeFileSync(join(layoutOf(root).db, 'user-999999999-ab'), '');
  const [one] = survive([root]);
  assert.match(one?.troubles[0] ?? '', /^the cache was damaged/);
  assert.is(one?.kept, 50);
  assert.equal(marks(), []);
  writeFileSync(join(layoutOf(root).db, 'user-999999999-ab'), '');
  const [other] = survive([root]);
  assert.equal(other?.troubles, []);
  assert.equal(marks(), []);
});

test('a cache at work is never taken for a damaged one', async () => {
  const root = join(folder, 'busy');
  const writers = ['a', 'b'].map((id) => start('_lmdb-child.ts', 'write', root, id));
  await Promise.all(writers.map((writer) => writer.printed(1)));
  const verdicts = new Set<string | undefined>();
  const lines = (): number => writers.reduce((sum, writer) => sum + writer.lines.length, 0);
  for (const before = lines(); lines() < before + 40 && writers.every(({ child }) => child.exitCode === null); ) {
    for (const everything of [false, true]) verdicts.add(damageOf(layoutOf(root), everything));
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const { child } of writers) child.kill('SIGKILL');
  const ended = await Promise.all(writers.map((writer) => writer.ended));
  assert.equal(
    ended.map(({ end }) => end),
    ['SIGKILL', 'SIGKILL'],
  );
  assert.equal([...verdicts], [undefined]);
});

test('a sound file is never taken for a damaged one, however it came about', async () => {
  const step = fc.tuple(fc.constantFrom('small', 'large', 'delete', 'state', 'flush'), fc.nat(400));
  let at = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 50, maxLength: 400 }), async (steps) => {
      const root = join(folder, `sound ${at++}`);
      const layout = layoutOf(root);
      const { values, calls, state, flush, close } = openLmdb(root, { onTrouble });
      for (const [what, salt] of steps) {
        if (what === 'small') calls.put(aRecord({ salt: `${salt}`, name: `f${salt % 7}`, filed: salt }));
        else if (what === 'large') values.put(sha256(`${salt}`), Buffer.alloc(salt * 80, `${salt}`));
        else if (what === 'state') state.put(`${salt}`, Buffer.alloc(salt * 100));
        else if (what === 'flush') flush();
        else for (let each = salt; each < salt + 100; each++) calls.delete(aKey(`${each}`));
        if (what === 'flush') assert.is(damageOf(layout, true), undefined);
      }
      await close();
      assert.is(damageOf(layout, true), undefined);
    }),
    { numRuns: Math.ceil(CASES / 6) },
  );
});

test.after(() => rmSync(folder, { recursive: true }));

test.run();
