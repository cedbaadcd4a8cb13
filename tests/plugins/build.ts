/** Whole builds as calls: what they read decides, and nothing else. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { BuildReport, BuildSettings } from '../../plugins/build/whole-build.ts';
import { cachedBuild } from '../../plugins/build.ts';
import { memoryCache, settle } from './_builds.ts';
import { type Site, site } from './_site.ts';

const FILES = {
  'package.json': '{ "name": "app", "version": "1.0.0", "dependencies": { "uvu": "*" } }',
  'tsconfig.json': '{ "extends": "./tsconfig.base.json" }',
  'tsconfig.base.json': '{ "compilerOptions": { "paths": { "@/*": ["./lib/*"] } } }',
  'src/main.ts': `import { b } from './b'; import { c } from '@/c'; import { dequal } from 'dequal';
import './main.css'; console.log(b, c, dequal, import.meta.env?.VITE_WORD);`,
  'src/b.ts': `export const b = 'b of ts';`,
  'src/main.css': '@import "./more.css"; body { color: red }',
  'src/more.css': 'p { color: blue }',
  'lib/c.ts': `export const c = 'c';`,
  'index.html': '<script type="module" src="/src/main.ts"></script>',
  'vite.config.js': `import { text } from './text.js';
export default { build: { minify: false }, resolve: { alias: { '@': import.meta.dirname + '/lib' } }, define: { TEXT: JSON.stringify(text) } };`,
  'text.js': `export const text = 'text';`,
  'public/robots.txt': 'none',
};

type Build = (at: Site, settings: BuildSettings) => Promise<BuildReport>;

const BUILDS: readonly (readonly [name: string, build: Build])[] = [
  [
    'esbuild',
    ({ root }, settings) =>
      cachedBuild.esbuild(
        { absWorkingDir: root, entryPoints: ['src/main.ts'], bundle: true, outdir: 'dist', format: 'esm' },
        settings,
      ),
  ],
  ['vite', ({ root }, settings) => cachedBuild.vite({ root, logLevel: 'silent' }, settings)],
];

for (const [name, build] of BUILDS) {
  test(`${name}: a build is put back if nothing that it read is different`, async () => {
    const at = site(FILES);
    await settle();
    const cache = memoryCache();
    const made = await build(at, { cache });
    assert.is(made.restored, false);
    const dist = at.read('dist');
    assert.ok(Object.keys(dist).length > 1);
    at.write({ 'README.md': 'no input', 'src/unused.ts': 'export {}', 'dist/old.txt': 'old' });
    rmSync(made.files[0] ?? '');
    const again = await build(at, { cache });
    assert.equal(again.reasons, []);
    assert.is(again.restored, true);
    assert.equal(again.files, made.files);
    if (name === 'vite') assert.equal(at.read('dist'), dist);
    else assert.equal({ ...at.read('dist'), 'dist/old.txt': undefined }, { ...dist, 'dist/old.txt': undefined });
    at.end();
  });

  const changes: readonly (readonly [what: string, only: string, make: (at: Site) => void])[] = [
    ['a changed module', '', (at) => at.write({ 'src/b.ts': `export const b = 'other';` })],
    ['a new file that is found first', '', (at) => at.write({ 'src/b.tsx': '' })],
    ['a file behind a stylesheet', '', (at) => at.write({ 'src/more.css': 'p { color: green }' })],
    ['a configuration that another extends', '', (at) => at.write({ 'tsconfig.base.json': '{}' })],
    ['a manifest in between', '', (at) => at.write({ 'src/package.json': '{ "sideEffects": false }' })],
    ['a nearer package', '', (at) => at.write({ 'src/node_modules/dequal/package.json': '{ "version": "9.0.0" }' })],
    ['an imported part of the configuration', 'vite', (at) => at.write({ 'text.js': `export const text = 'new';` })],
    ['a public file', 'vite', (at) => at.write({ 'public/robots.txt': 'all' })],
    ['a new file for the environment', 'vite', (at) => at.write({ '.env': 'VITE_WORD=x' })],
  ];

  test(`${name}: every kind of input that changes is a build, and going back is none`, async () => {
    const cache = memoryCache();
    for (const [what, only, change] of changes) {
      if (only !== '' && only !== name) continue;
      const at = site(FILES);
      await settle();
      // Where a project is does not matter.
      await build(at, { cache });
      assert.is((await build(at, { cache })).restored, true, `before ${what}`);
      change(at);
      await settle();
      const changed = await build(at, { cache }).catch(() => undefined);
      assert.is(changed?.restored ?? false, false, what);
      at.end();
    }
  });
}

test('options, environment and identity are parts of a build; trouble with the cache is a warning', async () => {
  const at = site(FILES);
  await settle();
  const cache = memoryCache();
  const run = (options: object, settings: BuildSettings = {}): Promise<BuildReport> =>
    cachedBuild.esbuild(
      { absWorkingDir: at.root, entryPoints: ['src/main.ts'], bundle: true, outdir: 'dist', format: 'esm', ...options },
      { cache, ...settings },
    );
  await run({});
  assert.is((await run({})).restored, true);
  const minified = await run({ minify: true });
  assert.equal(minified.reasons, ['options']);
  process.env['FLECHE_TEST_WORD'] = 'word';
  assert.is((await run({}, { env: ['FLECHE_TEST_WORD'] })).restored, false);
  delete process.env['FLECHE_TEST_WORD'];
  const plugin = { name: 'p', setup: () => {} };
  const refused = await run({ plugins: [plugin] }).catch((error: Error) => error.message);
  assert.match(String(refused), 'have to be told from others');
  assert.is((await run({ plugins: [plugin] }, { identity: '1' })).restored, false);
  assert.is((await run({ plugins: [plugin] }, { identity: '1' })).restored, true);
  assert.is((await run({ plugins: [plugin] }, { identity: '2' })).restored, false);
  const told: string[] = [];
  const broken = memoryCache();
  const fail = (): never => {
    throw new Error('out of order');
  };
  Object.assign(broken.calls, { get: fail, put: fail, find: fail });
  const made = await run({}, { cache: broken, onWarning: (message) => told.push(message) });
  assert.is(made.restored, false);
  assert.is(told.length, 1);
  at.end();
});

/** A process that builds, and what it has printed. */
function building(
  at: Site,
  ...mode: readonly string[]
): {
  readonly child: ChildProcess;
  says(line: string): Promise<void>;
  ended(): Promise<string>;
} {
  const program = `${import.meta.dirname}/_build-process.ts`;
  const child = spawn(process.execPath, ['--import', 'tsx', program, at.root, `${at.root}/cache`, ...mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const reader = createInterface(child.stdout).on('line', (line) => lines.push(line));
  const ended = once(child, 'close');
  return {
    child,
    says: async (line) => {
      while (!lines.includes(line)) await once(reader, 'line');
    },
    ended: async () => {
      await ended;
      return lines.at(-1) ?? '';
    },
  };
}

test('two processes that want the same build at once make it once; one that dies is replaced', async () => {
  for (const dies of [false, true]) {
    const at = site({ ...FILES, 'builds.txt': '' });
    await settle();
    const first = building(at);
    await first.says('building');
    const second = building(at);
    await second.says('not there');
    if (dies) {
      first.child.kill('SIGKILL');
      await second.says('building');
    }
    at.write({ go: '' });
    assert.is(await second.ended(), dies ? 'made' : 'put back');
    if (!dies) assert.is(await first.ended(), 'made');
    assert.is(readFileSync(`${at.root}/builds.txt`, 'utf8'), dies ? 'built\nbuilt\n' : 'built\n');
    at.end();
  }
});

test('a build that another process made between the look and the turn is put back', async () => {
  const at = site({ ...FILES, 'builds.txt': '', go: '' });
  await settle();
  assert.is(await building(at, 'overtaken').ended(), 'put back');
  assert.is(readFileSync(`${at.root}/builds.txt`, 'utf8'), 'built\n');
  at.end();
});

test.run();
