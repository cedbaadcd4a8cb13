/** What arrived from elsewhere is given out once without being read again, and left nowhere when nobody wants it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Digest, sha256 } from '../../core/base/hash.ts';
import { ArrivingValues } from '../../core/store/arriving.ts';
import { MemoryValueStore } from '../../core/store/memory.ts';
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
    const values = new ArrivingValues(inner);
    let made = 0;
    const arrive = (content: string): Digest => {
      const [path, spare] = [join(folder, 'tmp', `${made++}`), join(folder, 'tmp', `${made++}`)];
      for (const file of [path, spare]) writeFileSync(file, content, { mode: 0o600 });
      values.adopt(path, sha256(content));
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

test.run();
