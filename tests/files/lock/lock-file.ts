/** The lock file of a workspace as tasks see it: by slices, remembered from one process to the next. */
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256 } from '../../../core/base/hash.ts';
import { type AbsPath, normalRel } from '../../../core/base/paths.ts';
import { Workspace } from '../../../core/files/inputs/workspace.ts';
import type { Member } from '../../../core/files/lock/lock.ts';
import { LockFile } from '../../../core/files/lock/lock-file.ts';
import { MemoryStateStore } from '../../../core/store/memory.ts';

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

interface Site {
  readonly write: (name: string, text: string) => void;
  readonly open: (members?: readonly Member[]) => LockFile;
  readonly warnings: string[];
}

function withFolder(use: (site: Site) => void): void {
  const root = mkdtempSync(join(tmpdir(), 'fleche-')) as AbsPath;
  const state = new MemoryStateStore();
  const warnings: string[] = [];
  let tick = 1_000_000;
  const write = (name: string, text: string): void => {
    writeFileSync(join(root, name), text);
    // Old enough for its times to be trusted, and never twice the same.
    tick += 1000.5;
    utimesSync(join(root, name), tick / 1000, tick / 1000);
  };
  const later = (): number => Date.now() + 60_000;
  const open = (members: readonly Member[] = []): LockFile => {
    const workspace = new Workspace(root, state, later);
    return new LockFile({ root, workspace, state, clock: later, members, warn: (message) => warnings.push(message) });
  };
  try {
    use({ write, open, warnings });
  } finally {
    rmSync(root, { recursive: true });
  }
}

const A = normalRel('packages/a');
const B = normalRel('packages/b');

test('without a lock file there is nothing to tell', () => {
  withFolder(({ open }) => assert.is(open().slice(A), undefined));
});

test('the digest of a slice is that of its text, and follows what concerns the package', () => {
  withFolder(({ write, open }) => {
    write('package-lock.json', packages('1', '1'));
    const lock = open();
    const [a, b] = [lock.slice(A), lock.slice(B)];
    assert.is(a?.digest, sha256(a?.text() ?? ''));
    write('package-lock.json', packages('1', '2'));
    for (const now of [lock, open()]) {
      assert.is(now.slice(A)?.digest, a?.digest);
      assert.is.not(now.slice(B)?.digest, b?.digest);
      assert.match(now.slice(B)?.text() ?? '', /^y\t2\t[0-9a-f]{32}$/);
    }
    assert.equal(a?.listing.changes(), ['package-lock.json'], 'who asked before can see that it changed');
  });
});

test('a package that the lock file does not know, and a lock file that cannot be told apart, count as a whole', () => {
  withFolder(({ write, open }) => {
    write('package-lock.json', packages('1', '1'));
    const fresh = normalRel('packages/new');
    const before = open().slice(fresh)?.digest;
    write('package-lock.json', packages('1', '2'));
    assert.is.not(open().slice(fresh)?.digest, before);
    write('package-lock.json', '{ broken');
    assert.match(open().slice(A)?.text() ?? '', /^package-lock\.json\t[0-9a-f]{12}\t\t[0-9a-f]{64}$/);
  });
  withFolder(({ write, open }) => {
    write('bun.lock', '{}');
    write('package-lock.json', packages('1', '1'));
    assert.match(open().slice(B)?.text() ?? '', /^y\t1\t/, 'of several the one of npm counts');
  });
});

const root: Member = { name: '//', folder: normalRel('.'), requests: [], passedOn: [], forced: [], patches: {} };
const a: Member = { ...root, name: 'a', folder: A, requests: [['x', '1']] };

test('what manifests and patches say is part of what is remembered', () => {
  withFolder(({ write, open }) => {
    write('yarn.lock', 'x@1:\n  version "1.0.0"\n\nx@2:\n  version "2.0.0"\n');
    const digest = open([root, a]).slice(A)?.digest;
    assert.is(open([root, a]).slice(A)?.digest, digest);
    assert.is.not(open([root, { ...a, requests: [['x', '2']] }]).slice(A)?.digest, digest);
  });
  withFolder(({ write, open }) => {
    const packages = '"packages": { "x": ["x@1.0.0", "", {}, "sha512-x"] }';
    const patched = '"patchedDependencies": { "x@1.0.0": "x.patch" }';
    write(
      'bun.lock',
      `{ "lockfileVersion": 1, "workspaces": { "": { "dependencies": { "x": "1" } } }, ${patched}, ${packages}, }`,
    );
    write('x.patch', 'one');
    const members = [{ ...root, patches: { 'x@1.0.0': 'x.patch' } }];
    const lock = open(members);
    const before = lock.slice(root.folder);
    write('x.patch', 'two');
    assert.equal(before?.listing.changes(), ['x.patch']);
    for (const now of [lock, open(members)]) assert.is.not(now.slice(root.folder)?.digest, before?.digest);
    assert.ok(lock.paths.includes(normalRel('x.patch')));
  });
});

test('a lock file that cannot be told apart is spoken of once', () => {
  withFolder(({ write, open, warnings }) => {
    write('pnpm-lock.yaml', 'lockfileVersion: 5.4\n');
    const lock = open();
    const [before] = [A, B, A].map((folder) => lock.slice(folder)?.digest);
    assert.is(warnings.length, 1);
    assert.match(warnings[0] ?? '', /^pnpm-lock\.yaml is of the unknown version "5\.4"/);
    open().slice(A);
    assert.is(warnings.length, 1, 'as long as it stays as it is');
    write('pnpm-lock.yaml', 'lockfileVersion: 5.4\n\n');
    assert.is.not(open().slice(A)?.digest, before);
  });
});

test.run();
