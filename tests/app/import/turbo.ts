import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { imported, say } from './_imported.ts';

const build = (name: string): string => `${say(`build ${name}`)} && mkdir -p dist && cat src/* >dist/out`;

const REPOSITORY = {
  'package.json': {
    name: 'root',
    workspaces: ['packages/*'],
    scripts: { format: say('format'), build: 'turbo run build' },
  },
  'turbo.json': `{
  // as turbo reads it
  "$schema": "https://turborepo.com/schema.json",
  "globalDependencies": [".env"],
  "globalEnv": ["CI_MODE", "CI"],
  "globalPassThroughEnv": ["TOKEN"],
  "tasks": {
    "build": {
      "dependsOn": ["^build"],
      "inputs": ["$TURBO_DEFAULT$", "!README.md", "$TURBO_ROOT$/shared.json"],
      "outputs": ["dist/**", "!dist/cache/**"],
      "env": ["NODE_ENV", "VITE_*", "!VITE_SECRET"],
      "outputLogs": "new-only",
    },
    "test": { "dependsOn": ["build", "nowhere"], "passThroughEnv": ["HOME_DIR"] },
    "lint": {},
    "dev": { "cache": false, "persistent": true },
    "@app/web#lint": { "inputs": ["src/**"], "outputs": [] },
    "//#format": { "cache": false },
  },
}`,
  'packages/lib/package.json': {
    name: '@app/lib',
    scripts: { build: build('lib'), lint: say('lint lib'), prelint: say('prelint') },
  },
  'packages/lib/src/a': 'lib\n',
  'packages/web/package.json': {
    name: '@app/web',
    dependencies: { '@app/lib': '*' },
    devDependencies: { next: '1' },
    scripts: { build: build('web'), test: say('test web'), lint: say('lint web'), dev: say('dev') },
  },
  'packages/web/turbo.json': { extends: ['//'], tasks: { build: { env: ['$TURBO_EXTENDS$', 'WEB'] } } },
  'packages/web/src/a': 'web\n',
  '.env': 'A=1\n',
  'shared.json': '{}',
};

test('an output that two tasks have is that of the first; the other always runs, unless only a tool keeps it', () => {
  const outputs = ['dist/**', '.cache/tsbuildinfo.json'];
  const scripts = { build: 'x', 'build:ci': 'x', typecheck: 'x' };
  const files = {
    'package.json': { name: 'root', workspaces: ['a', 'b'] },
    'a/package.json': { name: 'a', scripts },
    'b/package.json': { name: 'b', scripts },
    'b/turbo.json': { extends: ['//'], tasks: { build: { outputs: ['out/**'] } } },
    'turbo.json': {
      tasks: {
        build: { inputs: ['**/*', '!test/**'], outputs },
        'build:ci': { outputs },
        typecheck: { outputs: outputs.slice(1) },
      },
    },
  };
  return imported(files, 'turbo', ({ toml, text, scratch }) => {
    const { templates } = toml();
    const ci = templates['build:ci'];
    assert.equal([ci.optional_outputs, ci.cache], [undefined, false]);
    assert.match(text(), '# Left out: dist/**, .cache/tsbuildinfo.json, which build writes too; so it always runs.');
    assert.equal([templates.typecheck.optional_outputs, templates.typecheck.cache], [undefined, undefined]);
    assert.equal(templates.build.inputs, ['@default', '!test/**', 'package.json']);
    assert.equal(toml('b').tasks.build.optional_outputs, ['out/**']);
    assert.is(scratch.open().graph.names.length, 6, 'the configuration is right');
  });
});

test('tasks are templates, what a package has for itself stands in its own file', () =>
  imported(REPOSITORY, 'turbo', ({ toml, text, told }) => {
    assert.match(told, 'wrote fleche.config.toml\n');
    const { workspace, templates, tasks, default: defaults, inputs } = toml();
    assert.equal(workspace, { packages: 'package.json' });
    assert.equal(defaults, { tasks: ['build'], env: ['CI_MODE', 'CI'], pass_env: ['TOKEN'] });
    assert.equal(inputs, { global: ['//.env'] });
    assert.equal(Object.keys(templates), ['build', 'test', 'lint', 'dev']);
    assert.equal(templates.build.needs, ['^build']);
    assert.equal(templates.build.optional_outputs, ['dist/**', '!dist/cache/**']);
    assert.equal(templates.build.env, ['NODE_ENV', 'VITE_*', 'NEXT_PUBLIC_*']);
    assert.equal(templates.build.pass_env, undefined);
    assert.ok(
      ['!README.md', '//shared.json', '@global', 'package.json'].every((one) => templates.build.inputs.includes(one)),
    );
    assert.equal(templates.test.needs, ['build', '^build']);
    assert.equal(templates.test.pass_env, ['HOME_DIR']);
    assert.equal(templates.dev, {
      inputs: [],
      env: ['NEXT_PUBLIC_*'],
      persistent: true,
    });
    assert.equal(Object.keys(tasks), ['format']);
    assert.match(text(), '# No equal: environment variables !VITE_SECRET.');
    assert.match(text(), '# No equal: outputLogs');
    assert.match(text(), '# Turbo takes a task for done');
    assert.match(text(), '# Left out, for no package has it: nowhere.');
    const web = toml('packages/web').tasks;
    assert.equal(web.build, { env: ['NODE_ENV', 'VITE_*', 'WEB', 'NEXT_PUBLIC_*'] });
    assert.ok(web.lint.inputs.includes('src/**'));
    assert.match(toml('packages/lib').tasks.lint.run, /prelint.* && .*lint lib/);
  }));

test('the same commands run, and run again for the same reasons', () =>
  imported(REPOSITORY, 'turbo', async ({ run, scratch }) => {
    const all = ['format', 'build', 'test', 'lint'];
    const first = await run(...all);
    assert.equal(first.outcomes, {
      format: 'ran',
      '@app/lib#build': 'ran',
      '@app/lib#lint': 'ran',
      '@app/web#build': 'ran',
      '@app/web#test': 'ran',
      '@app/web#lint': 'ran',
    });
    assert.equal(first.log, ['build lib', 'build web', 'format', 'lint lib', 'lint web', 'prelint', 'test web']);
    assert.equal((await run(...all)).log, ['format']);
    scratch.write({ 'packages/lib/src/a': 'other\n' });
    assert.equal((await run(...all)).log, ['build lib', 'build web', 'format', 'lint lib', 'prelint', 'test web']);
    scratch.write({ '.env': 'A=2\n' });
    assert.equal((await run('build')).log, ['build lib', 'build web']);
  }));

test('a repository of one package has tasks', () =>
  imported(
    {
      'package.json': {
        name: 'one',
        scripts: { build: `${say('build')} && mkdir -p dist && echo >dist/a`, test: say('test') },
      },
      'turbo.json': { tasks: { build: { outputs: ['dist/**'] }, test: { dependsOn: ['build', '^build'] }, gone: {} } },
    },
    'turbo',
    async ({ toml, run }) => {
      assert.equal(Object.keys(toml().tasks), ['build', 'test']);
      assert.equal((await run()).log, ['build', 'test']);
      assert.equal((await run()).log, []);
    },
  ));

for (const [says, inputs, transit, expected] of [
  ['all their files', undefined, undefined, ['@default', '^@default']],
  [
    'the files it names',
    ['lint.json'],
    ['src/**', '!src/x'],
    ['lint.json', 'package.json', '^src/**', '^package.json'],
  ],
] as const) {
  test(`a task without scripts makes ${says} of packages below count`, () =>
    imported(
      {
        'package.json': { name: 'root', workspaces: ['packages/*'] },
        'turbo.json': {
          tasks: {
            lint: { dependsOn: ['transit'], ...(inputs === undefined ? {} : { inputs }) },
            transit: { dependsOn: ['^transit'], ...(transit === undefined ? {} : { inputs: transit }) },
          },
        },
        'packages/lib/package.json': { name: 'lib', scripts: { build: 'true' } },
        'packages/lib/src/a': '1',
        'packages/web/package.json': { name: 'web', dependencies: { lib: '*' }, scripts: { lint: say('lint web') } },
      },
      'turbo',
      async ({ toml, run, scratch }) => {
        assert.equal(toml().templates, { lint: { inputs: expected } });
        assert.equal((await run('lint')).log, ['lint web']);
        assert.equal((await run('lint')).log, []);
        scratch.write({ 'packages/lib/src/a': '2' });
        assert.equal((await run('lint')).log, ['lint web']);
      },
    ));
}

test('what cannot be taken over is an error', async () => {
  for (const [files, message] of [
    [{}, /no turbo\.json/],
    [{ 'turbo.json': { pipeline: {} } }, /version 1/],
    [{ 'turbo.json': '{' }, /not JSON/],
  ] as const) {
    const error = await imported({ 'package.json': '{}', ...files }, 'turbo', () => {}).then(
      () => undefined,
      (error: unknown) => error,
    );
    assert.match(String(error), message);
  }
});

test.run();
