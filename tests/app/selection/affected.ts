/** Which tasks a change is said to affect, with a real repository. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadConfig } from '../../../core/app/config/load.ts';
import { affectedTasks } from '../../../core/app/selection/affected.ts';
import { changesSince } from '../../../core/app/selection/git.ts';
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
function withRepository(use: (repository: Repository) => void): void {
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
    use({ root: join(base, 'p') as AbsPath, git, write });
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

function changed(root: AbsPath, ref?: string): readonly string[] {
  const changes = changesSince(root, ref, {});
  return changes.kind === 'changes' ? changes.paths : [changes.message];
}

test('changes are committed, staged, loose, untracked and removed files, seen from the project', () => {
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
  });
});

test('what others did on the main branch meanwhile is no change', () => {
  withRepository(({ root, git, write }) => {
    git('checkout', '-qb', 'work');
    git('checkout', '-q', 'main');
    write({ 'p/base.txt': '[]' });
    git('commit', '-qam', 'theirs');
    git('checkout', '-q', 'work');
    assert.equal(changed(root), []);
  });
});

test('where git cannot tell it is said why', () => {
  withRepository(({ root, git }) => {
    assert.match(changed(root, 'nope')[0] ?? '', /^git knows no "nope"/);
    git('branch', '-m', 'main', 'other');
    assert.match(changed(root)[0] ?? '', /^git knows no main branch/);
    rmSync(join(root, '../.git'), { recursive: true });
    assert.match(changed(root)[0] ?? '', /^git cannot tell: not a git repository/);
  });
});

test('affected is what reads a changed file, and what needs it', () => {
  withRepository(({ root }) => {
    const { tasks, packages } = loadConfig(root, { home: root });
    const graph = new TaskGraph(tasks);
    const of = (...paths: readonly string[]): string =>
      affectedTasks(graph.names, paths.map(normalRel), {
        graph,
        packages,
        isInstalledAnew: () => false,
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
    for (const common of ['fleche.config.toml', 'package.json']) assert.is(of(common), all);
  });
});

test.run();
