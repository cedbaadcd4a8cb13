import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../../../core/base/hash.ts';
import type { AbsPath } from '../../../core/base/paths.ts';
import { readContent, readSeen, settled } from '../../../core/files/states/contents.ts';
import { sameKey, statKey } from '../../../core/files/states/stat-key.ts';
import { inFolder, later, put } from '../_folder.ts';

test('the digest is the SHA-256 of the bytes, whatever the size', () => {
  inFolder((root) => {
    for (const size of [0, 1, 4096, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3_000_000]) {
      const bytes = Buffer.alloc(size, 'content ');
      const place = join(root, 'file') as AbsPath;
      writeFileSync(place, bytes);
      const content = readContent(place, later);
      assert.is(content?.digest, sha256(bytes), `${size} bytes`);
      assert.ok(content !== undefined && sameKey(content.key, statSync(place)));
      assert.is(content.trusted, true);
    }
  });
});

test('a file of the system that says it is empty is read, and never trusted', () => {
  const place = '/proc/version' as AbsPath;
  if (!existsSync(place)) return console.log('there is no such file here');
  assert.is(statSync(place).size, 0);
  assert.is(readContent(place, later)?.digest, sha256(readFileSync(place)));
  assert.is(readContent(place, later)?.trusted, false);
});

test('a file that was just written is not trusted', () => {
  inFolder((root) => {
    put(root, { file: 'x' });
    assert.is(readContent(join(root, 'file') as AbsPath, () => statSync(join(root, 'file')).mtimeMs)?.trusted, false);
  });
});

test('a file that changes while it is read is read again', () => {
  inFolder((root) => {
    const place = join(root, 'file') as AbsPath;
    put(root, { file: 'one' });
    let readings = 0;
    const content = settled(place, later, () => {
      const digest = sha256(`reading ${++readings}`);
      if (readings < 3) appendFileSync(place, 'more');
      return { digest, after: statKey(statSync(place)) };
    });
    assert.is(readings, 3);
    assert.is(content?.digest, sha256('reading 3'));
    assert.is(content?.trusted, true);
  });
});

test('a file that is replaced while it is read is read again', () => {
  inFolder((root) => {
    const place = join(root, 'file') as AbsPath;
    put(root, { file: 'one', other: 'two' });
    let readings = 0;
    settled(place, later, () => {
      if (readings++ === 0) renameSync(join(root, 'other'), place);
      return { digest: sha256(''), after: statKey(statSync(place)) };
    });
    assert.is(readings, 2);
  });
});

test('a file that never comes to rest is read a bounded number of times and not trusted', () => {
  inFolder((root) => {
    const place = join(root, 'file') as AbsPath;
    put(root, { file: 'one' });
    let readings = 0;
    const content = settled(place, later, () => {
      readings++;
      appendFileSync(place, 'more');
      return { digest: sha256(''), after: statKey(statSync(place)) };
    });
    assert.is(readings, 4);
    assert.is(content?.trusted, false);
  });
});

test('a file that is changed after it was seen gets a key that it no longer has', () => {
  inFolder((root) => {
    const place = join(root, 'file') as AbsPath;
    put(root, { file: 'one' });
    const stats = statSync(place);
    const seen = { stats, at: later() };
    const same = readSeen(place, later, seen);
    assert.equal(same, { key: statKey(stats), digest: sha256('one'), trusted: true });
    renameSync(place, join(root, 'before'));
    put(root, { file: 'two' });
    const changed = readSeen(place, later, seen);
    assert.is(changed?.digest, sha256('two'));
    assert.ok(changed !== undefined && !sameKey(changed.key, statSync(place)));
  });
});

test('a file that has become shorter since it was seen is looked at anew', () => {
  inFolder((root) => {
    const place = join(root, 'file') as AbsPath;
    put(root, { file: 'a long one' });
    const seen = { stats: statSync(place), at: later() };
    put(root, { file: 'short' });
    const content = readSeen(place, later, seen);
    assert.is(content?.digest, sha256('short'));
    assert.ok(content !== undefined && sameKey(content.key, statSync(place)));
    rmSync(place);
    assert.is(readSeen(place, later, seen), undefined);
  });
});

test('where there is no file, or none any more, there is no content', () => {
  inFolder((root) => {
    mkdirSync(join(root, 'folder'));
    put(root, { file: 'x', dangling: { link: 'nowhere' }, loop: { link: 'loop' } });
    for (const path of ['nothing', 'folder', 'file/below', 'dangling', 'loop']) {
      assert.is(readContent(join(root, path) as AbsPath, later), undefined, path);
    }
    const place = join(root, 'file') as AbsPath;
    assert.is(
      settled(place, later, () => {
        rmSync(place);
        return undefined;
      }),
      undefined,
    );
  });
});

test.run();
