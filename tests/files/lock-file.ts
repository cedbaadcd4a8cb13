/** The lock file of a workspace as tasks see it: by slices, remembered from one process to the next. */
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../../core/base/hash.ts';
import { type AbsPath, normalRel } from '../../core/base/paths.ts';
import { LockFile } from '../../core/files/lock-file.ts';
import { Workspace } from '../../core/files/workspace.ts';
import { MemoryStateStore } from '../../core/store/memory.ts';

const packages = (a: string, b: string): string =>
  JSON.stringify({
    packages: {
      '': {},
      'packages/a': { dependencies: { x: '1' } },
      'packages/b': { dependencies: { y: '1' } },
      'node_modules/x': { version: a },
      'node_modules/y': { version: b },
    },
  });

function withFolder(use: (write: (name: string, text: string) => void, open: () => LockFile) => void): void {
  const root = mkdtempSync(join(tmpdir(), 'fleche-')) as AbsPath;
  const state = new MemoryStateStore();
  let tick = 1_000_000;
  const write = (name: string, text: string): void => {
    writeFileSync(join(root, name), text);
    // Old enough for its times to be trusted, and never twice the same.
    tick += 1000.5;
    utimesSync(join(root, name), tick / 1000, tick / 1000);
  };
  const later = (): number => Date.now() + 60_000;
  const open = (): LockFile => new LockFile(root, new Workspace(root, state, later), state, later);
  try {
    use(write, open);
  } finally {
    rmSync(root, { recursive: true });
  }
}

const A = normalRel('packages/a');
const B = normalRel('packages/b');

test('without a lock file there is nothing to tell', () => {
  withFolder((_, open) => assert.is(open().slice(A), undefined));
});

test('the digest of a slice is that of its text, and follows what concerns the package', () => {
  withFolder((write, open) => {
    write('package-lock.json', packages('1', '1'));
    const lock = open();
    const [a, b] = [lock.slice(A), lock.slice(B)];
    assert.is(a?.digest, sha256(a?.text() ?? ''));
    write('package-lock.json', packages('1', '2'));
    for (const now of [lock, open()]) {
      assert.is(now.slice(A)?.digest, a?.digest);
      assert.is.not(now.slice(B)?.digest, b?.digest);
      assert.is(now.slice(B)?.text(), 'y\t2\tnode_modules/y\t');
    }
    assert.equal(a?.listing.changes(), ['package-lock.json'], 'who asked before can see that it changed');
  });
});

test('a package that the lock file does not know, and a lock file that cannot be told apart, count as a whole', () => {
  withFolder((write, open) => {
    write('package-lock.json', packages('1', '1'));
    const fresh = normalRel('packages/new');
    const before = open().slice(fresh)?.digest;
    write('package-lock.json', packages('1', '2'));
    assert.is.not(open().slice(fresh)?.digest, before);
    write('package-lock.json', '{ broken');
    assert.match(open().slice(A)?.text() ?? '', /^package-lock\.json\t[0-9a-f]{12}\t\t[0-9a-f]{64}$/);
  });
  withFolder((write, open) => {
    write('bun.lock', '{}');
    write('package-lock.json', packages('1', '1'));
    assert.is(open().slice(B)?.text(), 'y\t1\tnode_modules/y\t', 'of several the one of npm counts');
  });
  withFolder((write, open) => {
    write('yarn.lock', 'x@1:\n');
    const before = open().slice(A)?.digest;
    write('yarn.lock', 'x@2:\n');
    assert.is.not(open().slice(A)?.digest, before);
  });
});

test.run();
