/** Which packages a changed lock file is said to concern, with real repositories and the manifests that are there. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadConfig } from '../../../core/app/config/load.ts';
import { changesSince } from '../../../core/app/selection/git.ts';
import { lockChanges } from '../../../core/app/selection/lock-changes.ts';
import type { AbsPath } from '../../../core/base/paths.ts';
import { filesOf, lockOf, TOOLS } from '../../files/lock/_workspaces.ts';

interface Repository {
  readonly write: (files: Readonly<Record<string, string>>) => void;
  readonly commit: () => void;
  /** Names of the folders of packages that are concerned. */
  readonly concerned: () => string;
}

function withRepository(use: (repository: Repository) => void): void {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'fleche-'))) as AbsPath;
  const env = { PATH: process.env['PATH'], HOME: root, GIT_CONFIG_GLOBAL: join(root, 'none') };
  const git = (...args: readonly string[]): void =>
    void execFileSync('git', ['-c', 'user.name=n', '-c', 'user.email=e', ...args], { cwd: root, env, stdio: 'pipe' });
  const write: Repository['write'] = (files) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  };
  const commit = (): void => {
    git('add', '.');
    git('commit', '-qm', 'state');
  };
  const concerned = (): string => {
    const { packages } = loadConfig(root, { home: root });
    const changes = changesSince(root, 'HEAD', {});
    assert.is(changes.kind, 'changes');
    if (changes.kind !== 'changes') return '';
    const isConcerned = lockChanges(root, changes, packages.members);
    const folders = packages.members.map(({ folder }) => folder).filter(isConcerned);
    return folders.map((folder) => folder.slice(folder.lastIndexOf('/') + 1)).join('');
  };
  try {
    git('init', '-q', '-b', 'main');
    write({ 'fleche.config.toml': '[workspace]\npackages = ["packages/*"]\n' });
    use({ write, commit, concerned });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

for (const name of ['npm', 'pnpm-12', 'yarn-1', 'yarn-4', 'bun']) {
  test(`${name}: a changed lock file concerns those for whom it installs something else`, () => {
    withRepository(({ write, commit, concerned }) => {
      const tool = TOOLS[name];
      assert.ok(tool);
      write({ ...filesOf(tool, 'before'), [tool.lock]: lockOf(name, 'before') });
      commit();
      assert.is(concerned(), '');
      write({ ...filesOf(tool, 'after'), [tool.lock]: lockOf(name, 'after') });
      assert.is(concerned(), 'abcefghi');
      commit();
      write({ [tool.lock]: `${lockOf(name, 'after')}\n` });
      assert.is(concerned(), '', 'it says the same');
      write({ [tool.lock]: '<' });
      assert.is(concerned(), '.abcdefghi', 'nobody knows');
    });
  });
}

test('bun: a changed patch concerns those who load what is patched', () => {
  withRepository(({ write, commit, concerned }) => {
    const { bun } = TOOLS;
    assert.ok(bun);
    write({ ...filesOf(bun, 'before'), [bun.lock]: lockOf('bun', 'before') });
    commit();
    write({ 'patches/isarray.patch': 'other' });
    assert.is(concerned(), 'g');
  });
});

test.run();
