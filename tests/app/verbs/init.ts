/** `init`: what it writes is valid, runs what was run before, and replaces nothing. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withScratch } from '../_scratch.ts';
import { imported, initialise, say } from '../import/_imported.ts';

const SCRIPTS = {
  build: `${say('build')} && mkdir -p dist && cat src/a >dist/a`,
  prebuild: say('before || after'),
  test: say('test'),
  lint: say('lint'),
  release: say('release'),
  dev: say('dev'),
  postinstall: say('postinstall'),
};
const ONE = {
  'package.json': { name: 'one', scripts: SCRIPTS },
  '.gitignore': 'node_modules\n/dist/',
  'src/a': 'a\n',
};
const MANY = {
  'package.json': { name: 'many', scripts: { all: 'npm run build -ws' } },
  'pnpm-workspace.yaml': 'packages:\n  - "packages/*"\n',
  'packages/a/package.json': {
    name: 'a',
    scripts: { build: `${say('build a')} && mkdir -p dist && echo a >dist/a`, lint: say('lint a') },
  },
  'packages/a/tsconfig.json': '{ "compilerOptions": { "outDir": "./dist" } }',
  'packages/b/tsconfig.json': '',
  'packages/b/package.json': {
    name: 'b',
    dependencies: { a: '*' },
    scripts: { build: `${say('build b')} && mkdir -p dist && echo b >dist/b` },
  },
};

test('a fresh configuration guesses what scripts read and write, and says so', () =>
  imported(ONE, undefined, async ({ toml, text, told, run, scratch }) => {
    const { tasks, default: defaults } = toml();
    assert.equal(defaults, { tasks: ['build'] });
    assert.equal(Object.keys(tasks), ['build', 'test', 'lint', 'release', 'dev']);
    assert.equal(tasks.build.outputs, ['dist/**']);
    assert.match(tasks.build.run, /before.* && .*build/);
    assert.equal([tasks.release.cache, tasks.dev.persistent, tasks.test.cache], [false, true, undefined]);
    assert.match(text(), '# Say what it reads and writes, then take "cache = false" away.');
    assert.match(told, 'added .fleche to .gitignore');
    assert.is(readFileSync(join(scratch.root, '.gitignore'), 'utf8'), 'node_modules\n/dist/\n.fleche\n');
    assert.equal((await run('build', 'test', 'lint')).log, ['before || after', 'build', 'lint', 'test']);
    assert.equal((await run('build', 'test', 'lint')).log, []);
    scratch.write({ 'src/a': 'b\n' });
    assert.equal((await run('build', 'test')).log, ['before || after', 'build', 'test']);
  }));

test('the script that npm writes for want of tests is none', () =>
  imported(
    { 'package.json': '{"scripts":{"test":"echo \\"Error: no test specified\\" && exit 1"}}' },
    undefined,
    async ({ toml }) => {
      assert.equal(Object.keys(toml().tasks), ['hello']);
    },
  ));

test('so does one of several packages', () =>
  imported(MANY, undefined, async ({ toml, run }) => {
    const { workspace, templates } = toml();
    assert.equal(workspace, { packages: 'pnpm-workspace.yaml' });
    assert.equal([templates.build.needs, templates.build.outputs], [['^build'], ['dist/**']]);
    assert.equal((await run()).log, ['build a', 'build b', 'lint a']);
    assert.equal((await run()).log, []);
  }));

test('a test may run what its package builds; scripts of the root that look at everything are tasks of the root', () =>
  imported(
    {
      ...MANY,
      'package.json': {
        name: 'many',
        scripts: {
          lint: 'npm run lint -ws',
          typecheck: 'turbo run typecheck',
          check: say('check'),
          release: say('release'),
        },
      },
      'packages/b/package.json': {
        name: 'b',
        dependencies: { a: '*' },
        scripts: {
          build: `${say('build b')} && mkdir -p dist && echo b >dist/b`,
          test: `${say('test b')} && cat dist/b`,
        },
      },
    },
    undefined,
    async ({ toml, run }) => {
      const { templates, tasks } = toml();
      assert.equal([templates.test.needs, templates.lint.needs], [['^build', 'build'], ['^build']]);
      assert.equal([Object.keys(tasks), tasks.check.needs], [['check'], ['^build']]);
      assert.equal((await run('test')).log, ['build a', 'build b', 'test b']);
      assert.equal((await run('check', 'test')).log, ['check']);
    },
  ));

test('what has no equal when all is put together is counted', async () => {
  const scripts = { a: 'x', b: 'x' };
  const outputs = (b: string) => ({ a: { outputs: ['dist/*.js'] }, b: { outputs: [b] } });
  const files = (b: string) => ({ 'package.json': { scripts }, 'turbo.json': { tasks: outputs(b) } });
  await imported(files('dist/b.css'), 'turbo', ({ told }) =>
    assert.match(told, 'see what a run would do: fleche plan'),
  );
  await imported(files('dist/b.js'), 'turbo', ({ told }) =>
    assert.match(told, '1 thing cannot be taken over as said, and must be settled first: fleche plan tells'),
  );
});

test('where no package has scripts those of the root are the tasks', () =>
  imported(
    { 'package.json': { workspaces: ['p/*'], scripts: { lint: say('lint') } }, 'p/a/package.json': { name: 'a' } },
    undefined,
    async ({ toml, run }) => {
      assert.equal(toml().default, { tasks: ['lint'] });
      assert.equal((await run('lint')).log, ['lint']);
    },
  ));

test('scripts that are taken over as they are always run', () =>
  imported(ONE, 'npm', async ({ toml, run }) => {
    assert.equal(Object.keys(toml().tasks), ['build', 'test', 'lint', 'release', 'dev']);
    for (let round = 0; round < 2; round++)
      assert.equal((await run('build', 'test')).log, ['before || after', 'build', 'test']);
  }));

test('without scripts there is an example that works', () =>
  imported({ 'README.md': 'x' }, undefined, async ({ run }) => {
    assert.equal((await run()).outcomes, { hello: 'ran' });
    assert.equal((await run()).outcomes, { hello: 'cached' });
  }));

test('nothing is replaced, and nothing written, without --force', () =>
  withScratch({ 'package.json': '{}', 'fleche.config.toml': '# mine' }, async (scratch) => {
    const file = join(scratch.root, 'fleche.config.toml');
    const error = await initialise(scratch).then(
      () => undefined,
      (error: unknown) => error,
    );
    assert.match(String(error), 'fleche.config.toml is there already');
    assert.is(readFileSync(file, 'utf8'), '# mine');
    await initialise(scratch, '--force');
    assert.match(readFileSync(file, 'utf8'), '[tasks.hello]');
  }));

test('git is told of the cache where it is used, once', () =>
  withScratch({ '.git/HEAD': '' }, async (scratch) => {
    const ignore = (): string => readFileSync(join(scratch.root, '.gitignore'), 'utf8');
    await initialise(scratch);
    assert.is(ignore(), '.fleche\n');
    assert.not.match(await initialise(scratch, '--force'), 'gitignore');
    assert.is(ignore(), '.fleche\n');
    scratch.write({ '.gitignore': '/.fleche/\n' });
    await initialise(scratch, '--force');
    assert.is(ignore(), '/.fleche/\n');
  }));

test('where git is not used it is told nothing', () =>
  withScratch({ 'README.md': '' }, async (scratch) => {
    await initialise(scratch);
    assert.not(existsSync(join(scratch.root, '.gitignore')));
  }));

test('an editor is told where the schema is, if the package is installed', () =>
  imported({ ...MANY, 'node_modules/fleche/package.json': {} }, 'npm', ({ text }) => {
    assert.match(text(), /^#:schema \.\/node_modules\/fleche\/dist\/schema\.json\n/);
  }));

test('what another tool is told is named', () =>
  imported({ 'turbo.json': '{}' }, undefined, ({ told }) => {
    assert.match(told, 'turbo.json is here too: fleche init --from turbo --force takes it over');
  }));

test.run();
