/** A repository of fourteen packages: each change runs the tasks that it concerns, and no other. One history, in steps. */
import { execFileSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openShop, those } from './_monorepo.ts';
import { Rig, type RunResult } from './_rig.ts';

const rig = new Rig();
test.before(() => openShop(rig));
test.after(() => rig.close());

const LIBRARIES = ['cart', 'catalog', 'dates', 'events', 'money', 'orders', 'search', 'tax', 'text', 'ui'];
const of = (task: string, ...packages: readonly string[]): readonly string[] => packages.map((one) => `${one}#${task}`);
const sorted = (...lists: readonly (readonly string[])[]): readonly string[] => lists.flat().sort();

/** Runs, after a plan has said the same, and gives the tasks that ran. */
async function ran(...args: readonly string[]): Promise<readonly string[]> {
  const planned = await rig.fleche(['plan', '--json', ...args]);
  const result = await rig.run(args);
  assert.is(result.code, 0, result.stderr + JSON.stringify(result.tasks, null, 1));
  const real = those(result.outcomes, 'ran');
  const expected = those(outcomesOf(planned.stdout), 'ran');
  // What stands behind a task that would run is planned to run too: it may turn out to be cut off.
  assert.equal(
    real.filter((name) => !expected.includes(name)),
    [],
    'nothing runs that was not planned',
  );
  return real;
}

function outcomesOf(stdout: string): Readonly<Record<string, string>> {
  const lines = stdout.split('\n').filter((line) => line !== '');
  const tasks = lines.map((line) => JSON.parse(line)).filter(({ type }) => type === 'task');
  return Object.fromEntries(tasks.map(({ name, outcome }) => [name, outcome]));
}

test('cold, everything runs; then nothing', async () => {
  const cold: RunResult = await rig.run();
  assert.is(cold.code, 0, cold.stderr);
  assert.is(cold.summary?.ran, 41);
  assert.equal(await ran(), []);
  assert.match(rig.read('sizes.txt'), /apps\/web\/dist\/web\.js \d+/);
});

test('an edit in a leaf runs that leaf, and what it changed', async () => {
  rig.edit('apps/web/src/main.ts', '4999', '3999');
  assert.equal(await ran(), sorted(of('build', 'web'), of('lint', 'web'), of('typecheck', 'web'), ['sizes']));
});

test('an edit that compiles to the same stops there', async () => {
  rig.edit('packages/money/src/index.ts', 'total + amount', '(total + amount)');
  rig.edit('packages/money/src/index.ts', '(total + amount)', 'total  + amount');
  assert.equal(await ran(), sorted(of('build', 'money'), of('lint', 'money')));
});

test('an edit at the bottom reaches whoever can load it, through packages that stay as they are', async () => {
  rig.edit('packages/events/src/index.ts', 'this.#listeners.add(listener);', 'this.#listeners.add(listener); //!');
  rig.edit('packages/events/src/index.ts', 'emit(event: T)', 'emit(event: T, _at = 0)');
  assert.equal(
    await ran(),
    sorted(
      of('build', 'events', 'cart', 'orders', 'web', 'cli'),
      of('test', 'events', 'cart', 'orders'),
      of('typecheck', 'web', 'cli'),
      of('lint', 'events'),
      ['sizes'],
    ),
  );
});

test('a test that is edited runs alone', async () => {
  rig.edit('packages/tax/tests/index.mjs', '333, 19), 63', '100, 19), 19');
  assert.equal(await ran(), sorted(of('lint', 'tax'), of('test', 'tax')));
});

test('a text that no task names is an input of those that read their folder', async () => {
  rig.write({ 'packages/ui/README.md': '# Cards and badges\n', 'README.md': 'of no package\n' });
  assert.equal(await ran(), of('lint', 'ui'));
});

test('what git ignores is no input of them', async () => {
  rig.write({ 'packages/ui/dist/notes.md': 'trailing  ', 'packages/ui/node_modules/x.md': 'trailing  ' });
  assert.equal(await ran(), []);
});

test('a configuration of the root concerns the tasks that name it', async () => {
  rig.edit('tsconfig.base.json', '"skipLibCheck": true,', '"skipLibCheck": true,\n    "noUnusedLocals": true,');
  assert.equal(
    await ran(),
    sorted(of('build', ...LIBRARIES, 'cli', 'theme', 'web'), of('typecheck', 'cli', 'web')),
    'they all make what they made before',
  );
});

test('how a package is loaded concerns whoever can load it, its scripts concern itself', async () => {
  rig.edit('packages/search/package.json', '"private": true', '"private": true,\n  "sideEffects": false');
  assert.equal(
    await ran(),
    sorted(of('build', 'search', 'web'), of('lint', 'search'), of('test', 'search'), of('typecheck', 'web')),
  );
  rig.edit('packages/search/package.json', '"uvu tests"', '"uvu tests",\n    "docs": "typedoc"');
  assert.equal(await ran(), sorted(of('build', 'search'), of('lint', 'search')));
});

test('another version in the lock file concerns the packages that can load it', async () => {
  const lock = 'package-lock.json';
  rig.edit(
    lock,
    '"node_modules/picomatch": {\n      "version": "4.0.7"',
    '"node_modules/picomatch": {\n      "version": "4.0.8"',
  );
  const { tasks } = JSON.parse(
    `{"tasks":[${(await rig.fleche(['plan', '--json'])).stdout.trim().split('\n').join(',')}]}`,
  );
  const cli = tasks.find(({ name }: { name?: string }) => name === '@shop/cli#build');
  assert.equal(cli.reasons, [{ kind: 'tool', name: 'picomatch', from: '4.0.7', to: '4.0.8' }]);
  assert.equal(await ran(), of('build', 'cli').concat(of('typecheck', 'cli')));
});

test('another version of what the root installs concerns every task that may run it', async () => {
  rig.edit(
    'package-lock.json',
    '"node_modules/uvu": {\n      "version": "0.5.6"',
    '"node_modules/uvu": {\n      "version": "0.5.7"',
  );
  const all = await ran();
  assert.equal(
    all.filter((name) => name.endsWith('#lint')),
    [],
    'but for those that say that it does not',
  );
  assert.is(all.length, 41 - 14);
});

test('a filter and a folder narrow what is meant', async () => {
  const planned = async (...args: readonly string[]): Promise<readonly string[]> =>
    Object.keys(outcomesOf((await rig.fleche(['plan', '--json', ...args])).stdout))
      .map((name) => name.replace('@shop/', ''))
      .sort();
  assert.equal(await planned('lint', '--filter', '...tax'), of('lint', 'cli', 'orders', 'tax'));
  assert.equal(await planned('lint', '-F', './apps/*', '-F', '!docs'), of('lint', 'cli', 'web'));
  assert.equal(await planned('build', '--cwd', 'packages/catalog'), of('build', 'catalog', 'money', 'text'));
  assert.equal(await planned('@shop/tax#test'), sorted(of('build', 'money', 'tax'), of('test', 'tax')));
});

test('affected is what changed since a commit', async () => {
  const git = (...args: readonly string[]): void =>
    void execFileSync('git', ['-c', 'user.name=n', '-c', 'user.email=e', ...args], { cwd: rig.root, stdio: 'pipe' });
  git('init', '-q', '-b', 'main');
  git('add', '.');
  git('commit', '-qm', 'first');
  const affected = async (...args: readonly string[]): Promise<readonly string[]> =>
    Object.keys(outcomesOf((await rig.fleche(['plan', '--json', ...args])).stdout))
      .map((name) => name.replace('@shop/', ''))
      .sort();
  assert.equal(await affected('lint', 'test', '--affected'), []);
  rig.append('packages/search/src/index.ts', '// more\n');
  assert.equal(await affected('lint', '--affected'), of('lint', 'search'));
  rig.edit('package-lock.json', '"version": "4.0.8"', '"version": "4.0.9"');
  assert.equal(
    await affected('typecheck', 'lint', '--since', 'HEAD'),
    [
      ...new Set([...of('typecheck', 'cli'), ...of('typecheck', 'web'), ...of('lint', 'search')]),
      ...of('build', 'cart', 'catalog', 'dates', 'events', 'money', 'orders', 'search', 'tax', 'text', 'theme', 'ui'),
    ].sort(),
  );
  const lost = await rig.fleche(['plan', 'lint', '--since', 'nowhere']);
  assert.match(lost.stderr, /git knows no "nowhere", .* everything counts as affected/);
  assert.match(lost.stdout, /@shop\/ui#lint/);
});

test('after all this the repository is what a clean run makes of it', async () => {
  const last = await rig.run(['--keep-going']);
  assert.is(last.code, 0, last.stderr);
  const before = rig.snapshot();
  rig.remove('.fleche', 'sizes.txt', ...[...LIBRARIES, 'theme'].map((one) => `packages/${one}/dist`));
  rig.remove(...['cli', 'docs', 'web'].map((one) => `apps/${one}/dist`));
  assert.is((await rig.run()).code, 0);
  const after: Record<string, string> = { ...rig.snapshot() };
  const without = Object.fromEntries(Object.entries(before).filter(([path]) => path !== 'packages/ui/dist/notes.md'));
  assert.equal(after, without);
});

test.run();
