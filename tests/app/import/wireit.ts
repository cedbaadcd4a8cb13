import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { imported, say } from './_imported.ts';

const REPOSITORY = {
  'package.json': {
    name: 'root',
    workspaces: ['packages/*'],
    scripts: { build: 'wireit', clean: say('clean') },
    wireit: { build: { dependencies: ['./packages/web:build', './packages/nothing:build'] } },
  },
  'package-lock.json': '{}',
  'packages/lib/package.json': {
    name: '@app/lib',
    scripts: { build: 'wireit', generate: say('generate') },
    wireit: {
      build: {
        command: `${say('build lib')} && mkdir -p out && cat src/* >out/all`,
        dependencies: ['generate'],
        files: ['src/**', '!src/*.tmp', '/tsconfig.json'],
        output: ['out/**'],
        clean: 'if-file-deleted',
      },
    },
  },
  'packages/lib/src/a': 'a\n',
  'packages/lib/tsconfig.json': '{}',
  'packages/web/package.json': {
    name: '@app/web',
    scripts: { build: 'wireit', test: 'wireit', serve: 'wireit', watch: 'wireit' },
    wireit: {
      build: {
        command: `${say('build web')} && echo "$MODE $LEVEL $PLAIN" >mode && cat ../lib/out/all >>mode`,
        dependencies: ['../lib:build'],
        files: ['../../shared/*.json'],
        output: ['mode'],
        clean: false,
        env: { MODE: "it's fast", LEVEL: { external: true, default: 'high' }, PLAIN: { external: true } },
      },
      test: {
        command: say('test web'),
        dependencies: [{ script: 'build', cascade: false }],
        files: [],
        output: [],
        packageLocks: [],
      },
      serve: { command: say('serve'), service: { readyWhen: { lineMatches: 'ready' } } },
      watch: { command: say('watch') },
    },
  },
  'shared/a.json': '{}',
};

test('blocks are tasks of their packages', () =>
  imported(REPOSITORY, 'wireit', ({ toml, text }) => {
    assert.equal(toml().tasks.build.needs, ['@app/web#build'], 'what runs nothing waits for what it says');
    assert.match(text(), '# Left out, for there is no such script: ./packages/nothing:build.');
    const lib = toml('packages/lib').tasks;
    assert.equal(lib.build.inputs, ['src/**', '!src/*.tmp', 'tsconfig.json']);
    assert.equal([lib.build.optional_outputs, lib.build.needs, lib.generate.cache], [['out/**'], ['generate'], false]);
    assert.match(text('packages/lib'), '# No equal: clean = "if-file-deleted"');
    const web = toml('packages/web').tasks;
    assert.equal(web.build.needs, ['@app/lib#build', '@app/lib#generate']);
    assert.equal(web.build.inputs, ['//shared/*.json']);
    assert.equal([web.build.lock, web.test.lock], [undefined, false]);
    assert.equal([web.build.env, web.build.clean], [['LEVEL', 'PLAIN'], false]);
    assert.equal(web.test.needs, ['build']);
    assert.equal(web.test.inputs, []);
    assert.equal([web.serve.persistent, web.serve.ready, web.watch.cache], [true, { log: 'ready' }, false]);
    assert.match(text('packages/web'), '# No equal: cascade: false of build');
    assert.match(text('packages/web'), '# Without "files" wireit always runs it.');
  }));

test('a file that several scripts write is that of the first', () => {
  const block = { command: 'x', files: [], output: ['lib/**'] };
  const files = {
    'package.json': {
      scripts: { one: 'wireit', two: 'wireit', all: 'wireit', last: 'wireit' },
      wireit: {
        one: block,
        two: { ...block, dependencies: ['one'] },
        all: { dependencies: ['two'] },
        last: { command: 'x', dependencies: ['all', './sub:shared'], files: ['a'] },
      },
      workspaces: ['sub'],
    },
    'package-lock.json': '{}',
    'sub/package.json': { name: 'sub', wireit: { shared: { files: ['*.js', '!b.js', '../c'] } } },
  };
  return imported(files, 'wireit', ({ toml, text }) => {
    const { one, two, last } = toml().tasks;
    assert.equal([one.optional_outputs, two.optional_outputs], [['lib/**'], undefined]);
    assert.match(text(), '# Left out: lib/**, which one writes too; so it always runs.');
    assert.is(two.cache, false);
    assert.equal(last.needs, ['all', 'two', 'one', 'sub#shared']);
    assert.equal(last.inputs, ['a', '//sub/*.js', '!//sub/b.js', '//c'], 'files that stand for themselves');
  });
});

test('the same commands run, with the same variables', () =>
  imported(REPOSITORY, 'wireit', async ({ run, scratch, read }) => {
    const first = await run('//#build', 'test');
    assert.equal(first.log, ['build lib', 'build web', 'generate', 'test web']);
    assert.is(read('packages/web/mode'), "it's fast high \na\n");
    assert.equal((await run('//#build', 'test')).log, ['generate']);
    scratch.write({ 'packages/lib/src/a': 'b\n' });
    assert.equal((await run('//#build')).log, ['build lib', 'build web', 'generate']);
    scratch.write({ 'package-lock.json': '{"a":1}' });
    assert.equal((await run('//#build')).log, ['build lib', 'build web', 'generate']);
  }));

test('without a block there is nothing to take over', async () => {
  const error = await imported({ 'package.json': '{}' }, 'wireit', () => {}).then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.match(String(error), 'no package.json here has a "wireit" block');
});

test.run();
