/** The locks of real git, as somebody sees them who looks at the right moment. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AbsPath } from '../../../core/base/paths.ts';
import { gitLock } from '../../../core/files/watch/git-lock.ts';
import { inNewFolder } from '../../_new-folder.ts';

function git(cwd: string, ...args: readonly string[]): void {
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd, stdio: 'ignore' });
}

test('a lock of the working tree around a folder has a mark, and another one another', () =>
  inNewFolder((folder) => {
    git(folder, 'init', '-q');
    mkdirSync(join(folder, 'packages/a'), { recursive: true });
    const lock = gitLock(join(folder, 'packages/a') as AbsPath);
    assert.is(lock(), undefined);
    writeFileSync(join(folder, '.git/index.lock'), '');
    const first = lock();
    assert.ok(first !== undefined);
    writeFileSync(join(folder, '.git/index.lock'), 'more of it');
    assert.is(lock(), first, 'one lock keeps its mark');
    writeFileSync(join(folder, '.git/HEAD.lock'), '');
    rmSync(join(folder, '.git/index.lock'));
    assert.ok(lock() !== undefined && lock() !== first);
    rmSync(join(folder, '.git/HEAD.lock'));
    assert.is(lock(), undefined);
  }));

test('in a linked working tree the lock is where that keeps its index', () =>
  inNewFolder((folder) => {
    const main = join(folder, 'main');
    mkdirSync(main);
    git(main, 'init', '-q');
    git(main, 'commit', '-q', '--allow-empty', '-m', 'first');
    git(main, 'worktree', 'add', '-q', '../linked');
    const lock = gitLock(join(folder, 'linked') as AbsPath);
    writeFileSync(join(main, '.git/index.lock'), '');
    assert.is(lock(), undefined);
    writeFileSync(join(main, '.git/worktrees/linked/index.lock'), '');
    assert.ok(lock() !== undefined);
  }));

test('a hook of git sees the lock that its command holds', () =>
  inNewFolder((folder) => {
    git(folder, 'init', '-q');
    writeFileSync(join(folder, 'file'), 'text');
    git(folder, 'add', '-A');
    const hook = `#!/bin/sh\nls .git/index.lock > seen\n`;
    writeFileSync(join(folder, '.git/hooks/pre-commit'), hook, { mode: 0o755 });
    git(folder, 'commit', '-q', '-am', 'with a hook');
    assert.is(execFileSync('cat', ['seen'], { cwd: folder, encoding: 'utf8' }), '.git/index.lock\n');
  }));

test('where there is no git there is no lock', () =>
  inNewFolder((folder) => {
    assert.is(gitLock(folder)(), undefined);
  }));

test.run();
