/** What arrived from elsewhere is given out once without being read again, and left nowhere when nobody wants it. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { systemCode } from '../../core/base/errors.ts';
import { type Digest, sha256 } from '../../core/base/hash.ts';
import { ArrivingValues } from '../../core/store/arriving.ts';
import { FolderValueStore } from '../../core/store/folder/folder-values.ts';
import { MemoryValueStore } from '../../core/store/memory.ts';
import type { SizedBlob } from '../../core/store/values.ts';
import { onSmallDisk } from '../_small-disk.ts';
import { withFolder } from './_folders.ts';

/** Counts what is read back to be given out. */
class Reading extends MemoryValueStore {
  readonly read: Digest[] = [];

  override copyTo(...args: Parameters<MemoryValueStore['copyTo']>): ReturnType<MemoryValueStore['copyTo']> {
    this.read.push(args[0]);
    return super.copyTo(...args);
  }
}

interface Scene {
  readonly values: ArrivingValues;
  readonly inner: Reading;
  readonly folder: string;
  /** A file of the content in the store, and a second one beside. */
  readonly arrive: (content: string) => Digest;
}

const scene = (work: (scene: Scene) => void): Promise<void> =>
  withFolder((folder) => {
    mkdirSync(join(folder, 'tmp'));
    mkdirSync(join(folder, 'out'));
    const inner = new Reading();
    let made = 0;
    const path = (): string => join(folder, 'tmp', `${made++}`);
    const values = new ArrivingValues(inner, { path, isNear: true });
    const arrive = (content: string): Digest => {
      const [whole, spare] = [path(), path()];
      for (const file of [whole, spare]) writeFileSync(file, content, { mode: 0o600 });
      values.adopt(whole, sha256(content));
      values.spare(spare, sha256(content));
      return sha256(content);
    };
    work({ values, inner, folder, arrive });
  });

const mode = (path: string): number => statSync(path).mode & 0o777;

test('a second file takes the place of a copy, once, with the mode that was asked for', () =>
  scene(({ values, inner, folder, arrive }) => {
    const digest = arrive('content');
    const [first, second] = [join(folder, 'out', 'a'), join(folder, 'out', 'b')];
    const stats = values.copyTo(digest, first, 0o755);
    assert.is(stats?.ino, statSync(first).ino);
    assert.is(stats?.ctimeMs, statSync(first).ctimeMs);
    assert.is(mode(first), 0o755);
    assert.equal(inner.read, []);
    assert.is(values.copyTo(digest, second, 0o644)?.size, 7);
    assert.is(mode(second), 0o644);
    assert.equal(inner.read, [digest]);
    for (const path of [first, second]) assert.is(readFileSync(path, 'utf8'), 'content');
    assert.equal(readdirSync(join(folder, 'tmp')), []);
  }));

test('a second file that is gone, or cannot be put there, costs a copy', () =>
  scene(({ values, inner, folder, arrive }) => {
    const [gone, blocked] = [arrive('gone'), arrive('blocked')];
    rmSync(join(folder, 'tmp', '1'));
    assert.ok(values.copyTo(gone, join(folder, 'out', 'a'), 0o644));
    mkdirSync(join(folder, 'out', 'b', 'inside'), { recursive: true });
    assert.throws(() => values.copyTo(blocked, join(folder, 'out', 'b'), 0o644), /EEXIST/);
    assert.equal(inner.read, [gone, blocked]);
    assert.equal(readdirSync(join(folder, 'tmp')), []);
  }));

test('a second file does not take the place of what somebody wrote there meanwhile', () =>
  scene(({ values, folder, arrive }) => {
    const blob = arrive('ours');
    const place = join(folder, 'out', 'file');
    writeFileSync(place, 'theirs');
    assert.throws(
      () => values.copyTo(blob, place, 0o644),
      (error: unknown) => systemCode(error) === 'EEXIST',
    );
    assert.is(readFileSync(place, 'utf8'), 'theirs');
  }));

test('second files that nobody needed are removed, and so is one that comes again or is deleted', () =>
  scene(({ values, folder, arrive }) => {
    const tmp = join(folder, 'tmp');
    const digest = arrive('content');
    arrive('content');
    assert.equal(readdirSync(tmp), ['3']);
    values.delete(digest);
    assert.equal(readdirSync(tmp), []);
    assert.is(values.has(digest), false);
    arrive('one');
    arrive('two');
    values.letGo();
    assert.equal(readdirSync(tmp), []);
    assert.ok(values.copyTo(sha256('one'), join(folder, 'out', 'one'), 0o644));
    assert.ok(existsSync(join(folder, 'out', 'one')));
  }));

test('a process that ends at once, as after a second Ctrl-C, leaves no second files', () =>
  withFolder((folder) => {
    const file = join(folder, 'spare');
    const code = `
      import { writeFileSync } from 'node:fs';
      import { ArrivingValues } from ${JSON.stringify(new URL('../../core/store/arriving.ts', import.meta.url).href)};
      writeFileSync(${JSON.stringify(file)}, 'content');
      const values = new ArrivingValues({}, { path: () => '', isNear: true });
      values.spare(${JSON.stringify(file)}, 'f'.repeat(64));
      process.exit(7);`;
    const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
      encoding: 'utf8',
    });
    assert.is(status, 7, stderr);
    assert.equal(readdirSync(folder), []);
  }));

interface Disk {
  readonly values: ArrivingValues;
  readonly store: FolderValueStore;
  readonly folder: string;
  readonly out: (name: string) => string;
  /** What is in the folder of spares. */
  readonly spares: () => readonly string[];
}

/** Blobs that are files, and spares beside them. */
function onDisk(folder: string): Disk {
  const store = new FolderValueStore({ root: join(folder, 'store') });
  let made = 0;
  const values = new ArrivingValues(store, { path: () => join(folder, 'tmp', `${made++}`), isNear: true });
  mkdirSync(join(folder, 'out'));
  const spares = (): readonly string[] => (existsSync(join(folder, 'tmp')) ? readdirSync(join(folder, 'tmp')) : []);
  return { values, store, folder, out: (name) => join(folder, 'out', name), spares };
}

const sized = (bytes: Uint8Array): SizedBlob => ({ digest: sha256(bytes), size: bytes.length });
const damage = ({ folder }: Disk, digest: Digest): void => {
  const [place = ''] = readdirSync(join(folder, 'store'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith(digest),
  );
  const path = join(folder, 'store', place);
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  chmodSync(path, 0o644);
  writeFileSync(path, bytes);
};

test('what is large is copied before it is given out, each content once, and what is small is not', () =>
  withFolder(async (folder) => {
    const disk = onDisk(folder);
    const large = Array.from({ length: 9 }, (_, at) => randomBytes(140_000 + at * 400_000));
    const small = randomBytes(1000);
    for (const bytes of [...large, small]) disk.store.put(sha256(bytes), bytes);
    const all = [...large, ...large, small].map(sized);
    await disk.values.makeReady(all);
    assert.is(disk.spares().length, large.length);
    await disk.values.makeReady(all);
    assert.is(disk.spares().length, large.length);
    for (const [at, bytes] of [...large, small].entries()) {
      const stats = disk.values.copyTo(sha256(bytes), disk.out(`${at}`), 0o644);
      assert.is(stats?.size, bytes.length);
      assert.ok(readFileSync(disk.out(`${at}`)).equals(bytes));
      assert.is(mode(disk.out(`${at}`)), 0o644);
    }
    assert.equal(disk.spares(), []);
    for (const bytes of large) assert.ok(disk.store.has(sha256(bytes)));
  }));

test('a blob that is damaged among several that are copied at a time is removed, and is not there when it is asked for', () =>
  withFolder(async (folder) => {
    const disk = onDisk(folder);
    const all = Array.from({ length: 12 }, (_, at) => randomBytes(at === 5 ? 3_000_000 : 300_000));
    for (const bytes of all) disk.store.put(sha256(bytes), bytes);
    const digests = all.map((bytes) => sha256(bytes));
    const [, gone, , , , damaged] = digests;
    if (gone === undefined || damaged === undefined) throw new Error('nothing was made');
    damage(disk, damaged);
    disk.store.delete(gone);
    await disk.values.makeReady(all.map(sized));
    assert.is(disk.spares().length, all.length - 2);
    assert.is(disk.values.has(damaged), false);
    const lost = digests.filter((digest, at) => disk.values.copyTo(digest, disk.out(`${at}`), 0o644) === undefined);
    assert.equal(lost, [gone, damaged]);
    assert.is(readdirSync(join(folder, 'out')).length, all.length - 2);
  }));

test('a disk that is full while several are copied at a time costs their copies, and is told when they are given out', () =>
  onSmallDisk(8, async (folder) => {
    const disk = onDisk(folder);
    const all = Array.from({ length: 4 }, () => randomBytes(1_500_000));
    for (const bytes of all) disk.store.put(sha256(bytes), bytes);
    await disk.values.makeReady(all.map(sized));
    const ready = disk.spares().length;
    assert.ok(ready < all.length);
    const given = Array.from(all, (bytes, at) => {
      try {
        return disk.values.copyTo(sha256(bytes), disk.out(`${at}`), 0o644)?.size;
      } catch (error) {
        return systemCode(error);
      }
    });
    assert.ok(given.includes('ENOSPC'));
    for (const [at, end] of given.entries()) assert.is(existsSync(disk.out(`${at}`)), end !== 'ENOSPC');
    for (const bytes of all) assert.ok(disk.store.has(sha256(bytes)), 'a full disk is no damage');
    assert.equal(disk.spares(), []);
  }));

test('where files of the cache cannot become files of the workspace none are copied ahead', () =>
  withFolder(async (folder) => {
    const { store } = onDisk(folder);
    const bytes = randomBytes(300_000);
    store.put(sha256(bytes), bytes);
    const path = (): string => {
      throw new Error('asked for a place');
    };
    await new ArrivingValues(store, { path, isNear: false }).makeReady([sized(bytes)]);
  }));

test.run();
