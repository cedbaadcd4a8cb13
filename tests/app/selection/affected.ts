/** Which tasks a change is said to affect, with a real repository. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadConfig } from '../../../core/app/config/load.ts';
import { openProject } from '../../../core/app/project.ts';
import { affectedTasks } from '../../../core/app/selection/affected.ts';
import { changesSince } from '../../../core/app/selection/git.ts';
import { affectedSince } from '../../../core/app/selection/selection.ts';
import { type AbsPath, normalRel } from '../../../core/base/paths.ts';
import { TaskGraph } from '../../../core/graph/tasks/graph.ts';

const manifest = (name: string, needs: readonly string[] = []): string =>
  JSON.stringify({ name, dependencies: Object.fromEntries(needs.map((one) => [one, '*'])), scripts: { build: 'x' } });
const FILES = {
  'p/fleche.config.toml': `[workspace]
packages = ["packages/*"]
[templates.build]
needs = ["^build"]
inputs = ["src/**", "//base.txt"]
[templates.lint]
run = "x"
inputs = ["**"]
[tasks.report]
call = "./report.ts#report"
`,
  'p/packages/a/package.json': manifest('a'),
  'p/packages/b/package.json': manifest('b', ['a']),
  'p/packages/a/src/x': '1',
  'p/packages/b/src/x': '1',
  'p/base.txt': '{}',
  'p/.gitignore': 'dist',
  'aside/x': '1',
};

interface Repository {
  readonly root: AbsPath;
  readonly git: (...args: readonly string[]) => void;
  readonly write: (files: Readonly<Record<string, string>>) => void;
}

/** A repository with one commit on `main`; the project is the folder `p` of it. */
async function withRepository(use: (repository: Repository) => void | Promise<void>): Promise<void> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'fleche-')));
  const env = { PATH: process.env['PATH'], HOME: base, GIT_CONFIG_GLOBAL: join(base, 'none') };
  const git = (...args: readonly string[]): void =>
    void execFileSync('git', ['-c', 'user.name=n', '-c', 'user.email=e', ...args], { cwd: base, env, stdio: 'pipe' });
  const write = (files: Readonly<Record<string, string>>): void => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(base, path)), { recursive: true });
      writeFileSync(join(base, path), text);
    }
  };
  try {
    git('init', '-q', '-b', 'main');
    write(FILES);
    git('add', '.');
    git('commit', '-qm', 'first');
    await use({ root: join(base, 'p') as AbsPath, git, write });
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

function changed(root: AbsPath, ref?: string): readonly string[] {
  const changes = changesSince(root, ref, {});
  return changes.kind === 'changes' ? changes.paths : [changes.message];
}

test('changes are committed, staged, loose, untracked and removed files, seen from the project', () =>
  withRepository(({ root, git, write }) => {
    assert.equal(changed(root), []);
    git('checkout', '-qb', 'work');
    write({ 'p/packages/a/src/x': '2' });
    git('commit', '-qam', 'second');
    write({ 'p/staged ü': '', 'p/base.txt': '[]' });
    git('add', '.');
    write({ 'p/new': '', 'p/dist/out': '', 'aside/x': '2' });
    rmSync(join(root, 'packages/b/src/x'));
    const all = ['../aside/x', 'base.txt', 'new', 'packages/a/src/x', 'packages/b/src/x', 'staged ü'];
    assert.equal(changed(root), all);
    assert.equal(
      changed(root, 'HEAD'),
      all.filter((path) => path !== 'packages/a/src/x'),
    );
  }));

test('what others did on the main branch meanwhile is no change', () =>
  withRepository(({ root, git, write }) => {
    git('checkout', '-qb', 'work');
    git('checkout', '-q', 'main');
    write({ 'p/base.txt': '[]' });
    git('commit', '-qam', 'theirs');
    git('checkout', '-q', 'work');
    assert.equal(changed(root), []);
  }));

test('what git is set to leave out counts all the same', () =>
  withRepository(({ root, git, write }) => {
    const inner = join(root, 'inner');
    for (const text of ['1', '2']) {
      write({ 'p/inner/x': text });
      git('-C', inner, 'init', '-q');
      git('-C', inner, 'add', 'x');
      git('-C', inner, 'commit', '-qm', text);
      if (text === '2') break;
      git('add', 'p/inner');
      git('commit', '-qm', 'submodule');
    }
    for (const setting of ['diff.ignoreSubmodules all', 'diff.relative true', 'diff.noprefix true'])
      git('config', ...setting.split(' '));
    write({ 'p/base.txt': '[]' });
    assert.equal(changed(root, 'HEAD'), ['base.txt', 'inner']);
  }));

test('links that lead to a change have changed too', () =>
  withRepository(({ root, git, write }) => {
    const links = {
      direct: 'base.txt',
      out: '../aside/x',
      chain: 'direct',
      folder: 'packages/a',
      'packages/b/in': '../a/src/x',
    };
    for (const [path, target] of Object.entries(links)) symlinkSync(target, join(root, path));
    symlinkSync('loop', join(root, 'loop'));
    git('add', '.');
    git('commit', '-qm', 'links');
    assert.equal(changed(root), []);
    write({ 'p/base.txt': '[]' });
    assert.equal(changed(root), ['base.txt', 'chain', 'direct']);
    write({ 'p/base.txt': '{}', 'p/packages/a/src/x': '2' });
    assert.equal(changed(root), ['folder', 'packages/a/src/x', 'packages/b/in']);
    write({ 'p/packages/a/src/x': '1', 'aside/x': '2' });
    assert.equal(changed(root), ['../aside/x', 'out']);
  }));

test('a package that is gone or has another name concerns those that needed it', async () => {
  for (const change of ['remove', 'rename']) {
    await withRepository(async ({ root, write }) => {
      if (change === 'remove') rmSync(join(root, 'packages/a'), { recursive: true });
      else write({ 'p/packages/a/package.json': manifest('other') });
      const warn = (message: string): void => assert.unreachable(message);
      const project = openProject({ cwd: root, env: {}, config: undefined, strict: false, warn });
      const names = await affectedSince('main', project.graph.names, project, {});
      assert.ok(names.includes('b#build'), change);
    });
  }
});

test('where git cannot tell it is said why', () =>
  withRepository(({ root, git }) => {
    assert.match(changed(root, 'nope')[0] ?? '', /^git knows no "nope"/);
    git('branch', '-m', 'main', 'other');
    assert.match(changed(root)[0] ?? '', /^git knows no main branch/);
    rmSync(join(root, '../.git'), { recursive: true });
    assert.match(changed(root)[0] ?? '', /^git cannot tell: not a git repository/);
  }));

test('affected is what reads a changed file, and what needs it', () =>
  withRepository(({ root }) => {
    const { tasks, packages } = loadConfig(root, { home: root });
    const graph = new TaskGraph(tasks);
    const of = (...paths: readonly string[]): string =>
      affectedTasks(graph.names, paths.map(normalRel), {
        graph,
        packages,
        isInstalledAnew: () => false,
        isOtherPackage: (path) => path === 'packages/gone/package.json',
        isFolder: (path) => path === 'sub',
      }).join(' ');
    const all = graph.names.join(' ');
    assert.is(of(), '');
    assert.is(of('packages/a/README.md'), 'a#lint');
    assert.is(of('packages/b/src/x'), 'b#build b#lint');
    assert.is(of('packages/a/src/new'), 'a#build a#lint b#build');
    assert.is(of('base.txt'), 'a#build b#build');
    assert.is(of('packages/a/package.json'), 'report a#build a#lint b#build b#lint', 'b can load a');
    assert.is(of('packages/b/fleche.config.toml'), 'b#build b#lint');
    assert.is(of('helper.ts'), 'report');
    assert.is(of('sub'), 'report', 'any code may be in a submodule');
    const commons = ['fleche.config.toml', 'package.json', 'packages/gone/package.json'];
    for (const common of commons) assert.is(of(common), all);
  }));

test.run();
