import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { imported, say } from './_imported.ts';

const REPOSITORY = {
  'package.json': { name: 'root', workspaces: ['apps/*'], scripts: { e2e: say('e2e') } },
  'nx.json': {
    namedInputs: {
      default: ['{projectRoot}/**/*', 'sharedGlobals'],
      production: ['default', '!{projectRoot}/**/*.spec.ts'],
      sharedGlobals: ['{workspaceRoot}/babel.json', { env: 'CI_MODE' }, { runtime: 'node -v' }],
    },
    targetDefaults: {
      build: {
        cache: true,
        dependsOn: ['^build'],
        inputs: ['production', '^production'],
        outputs: ['{options.outputPath}'],
      },
      test: { cache: true, inputs: ['default', '^production', { externalDependencies: [] }] },
      '@nx/jest:jest': { cache: true },
    },
    plugins: ['@nx/vite'],
  },
  'babel.json': '{}',
  'libs/lib/project.json': {
    name: 'lib',
    targets: {
      build: {
        executor: 'nx:run-commands',
        options: {
          command: `${say('build lib')} && mkdir -p dist/libs/lib && cat {projectRoot}/src/* >dist/{projectRoot}/all`,
          outputPath: 'dist/libs/lib',
        },
      },
      unit: { executor: '@nx/jest:jest' },
      check: { command: say('check lib'), options: { cwd: '{projectRoot}' }, cache: true },
    },
  },
  'libs/lib/src/a.ts': 'a\n',
  'libs/lib/src/a.spec.ts': 'spec\n',
  'apps/web/package.json': {
    name: '@app/web',
    dependencies: { lib: '*' },
    scripts: {
      test: say('test web'),
      build: `${say('build web')} && mkdir -p out && cat ../../dist/libs/lib/all >out/all`,
    },
    nx: {
      targets: {
        build: { outputs: ['{projectRoot}/out'], dependsOn: ['^build', 'lib:check', 'unit'] },
        deploy: {
          executor: 'nx:run-commands',
          dependsOn: [{ target: 'build' }],
          options: { commands: [say('one'), { command: say('two') }], parallel: false },
        },
      },
    },
  },
  'apps/web/src/main.ts': 'main\n',
};

test('targets are tasks of their projects', () =>
  imported(REPOSITORY, 'nx', ({ toml, text }) => {
    assert.equal(toml().workspace, { packages: ['apps/web', 'libs/lib'] });
    assert.match(text(), '# Not taken over: plugins.');
    const lib = toml('libs/lib').tasks;
    assert.equal(Object.keys(lib), ['build', 'check']);
    assert.match(text('libs/lib'), '# No equal: target unit with the executor @nx/jest:jest.');
    assert.equal(lib.build.inputs, ['@default', '//babel.json', '!**/*.spec.ts']);
    assert.equal([lib.build.optional_outputs, lib.build.env, lib.build.dir], [['//dist/libs/lib'], ['CI_MODE'], '//']);
    assert.match(lib.build.run, 'cat libs/lib/src/* >dist/libs/lib/all');
    assert.is(lib.check.dir, undefined);
    assert.match(text('libs/lib'), '# No equal: the input that node -v prints.');
    const web = toml('apps/web').tasks;
    assert.equal(web.build.needs, ['^build', 'lib#check']);
    assert.equal(web.test.inputs, [
      '@default',
      '//babel.json',
      '//libs/lib/**/*',
      '!//libs/lib/**/*.spec.ts',
      '!//dist/libs/lib',
    ]);
    assert.is(web.deploy.cache, false);
    assert.equal(web.deploy.needs, ['build', '^build', 'lib#check']);
  }));

test('the same commands run in the same folders', () =>
  imported(REPOSITORY, 'nx', async ({ run, scratch, read }) => {
    assert.equal((await run()).log, ['build lib', 'build web', 'check lib', 'one', 'test web', 'two']);
    assert.is(read('apps/web/out/all'), 'spec\na\n');
    assert.equal((await run()).log, ['one', 'two']);
    scratch.write({ 'libs/lib/src/a.spec.ts': 'other\n' });
    assert.equal((await run('build', 'test')).log, ['check lib']);
    scratch.write({ 'libs/lib/src/a.ts': 'b\n' });
    assert.equal((await run('build', 'test')).log, ['build lib', 'build web', 'check lib', 'test web']);
  }));

test('what packages have alike is a template, and projects below count with what they depend on', () => {
  const scripts = { compile: 'tsc', build: 'x' };
  const files = {
    'package.json': { workspaces: ['p/*'], scripts: { all: 'x', other: 'y' }, nx: { includedScripts: ['all'] } },
    'nx.json': {
      targetDefaults: {
        compile: { cache: true, inputs: ['default', '^default'] },
        build: { cache: true, inputs: ['default'], outputs: ['{projectRoot}/dist'] },
      },
    },
    'p/a/package.json': { name: 'a', scripts },
    'p/b/package.json': { name: 'b', scripts: { ...scripts, only: 'z' }, dependencies: { a: '*' } },
    'p/c/package.json': { name: 'c', scripts: { ...scripts, build: 'y' }, devDependencies: { b: '*' } },
  };
  return imported(files, 'nx', ({ toml, scratch }) => {
    const { templates, tasks } = toml();
    assert.equal(templates, {
      build: { inputs: ['@default'], optional_outputs: ['dist'], pass_env: ['*'] },
    });
    assert.equal(Object.keys(tasks), ['all']);
    assert.equal(toml('p/a'), { tasks: { compile: { run: 'tsc', inputs: ['@default'], pass_env: ['*'] } } });
    assert.equal(Object.keys(toml('p/b').tasks), ['compile', 'only']);
    const { compile, build } = toml('p/c').tasks;
    assert.equal(compile.inputs, ['@default', '//p/b/**', '!//p/b/dist', '//p/a/**', '!//p/a/dist']);
    assert.is(build, undefined, 'its own script');
    assert.is(scratch.open().graph.task('c#build').body.kind, 'command');
  });
});

test('without nx.json there is nothing to take over', async () => {
  const error = await imported({ 'package.json': '{}' }, 'nx', () => {}).then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.match(String(error), 'there is no nx.json here');
});

test.run();
