/** After each kind of change exactly those modules are transformed anew that it can matter to, by each bundler. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { memoryCache, settle } from './_builds.ts';
import { type Bundler, buildMarked, MARKED, type Wish } from './_marking.ts';
import { type Site, site } from './_site.ts';

const MODULES = ['src/b.ts', 'src/main.ts', 'src/sub/c.ts'];

interface Change {
  readonly make?: (at: Site, bundler: Bundler) => void;
  readonly wish?: Wish;
  readonly misses: readonly string[];
}

const HELPER = 'app/node_modules/helper/package.json';
const MARKER = 'app/node_modules/marker/package.json';

const CHANGES: Readonly<Record<string, Change>> = {
  nothing: { misses: [] },
  'a file that nobody imports': { make: (at) => at.write({ 'app/src/d.ts': '' }), misses: [] },
  'an upgrade of the plugin': {
    make: (at) => at.write({ [MARKER]: (MARKED[MARKER] ?? '').replace('1.0.0', '1.0.1') }),
    misses: MODULES,
  },
  'a patch of the plugin in place': {
    make: (at) => at.write({ 'app/node_modules/marker/index.js': '// patched' }),
    misses: MODULES,
  },
  'a bump of what the plugin depends on': {
    make: (at) => at.write({ [HELPER]: (MARKED[HELPER] ?? '').replace('1.0.0', '1.1.0') }),
    misses: MODULES,
  },
  'a bump of what a peer of the plugin depends on': {
    make: (at) => at.write({ 'app/node_modules/compiler/package.json': '{"name":"compiler","version":"1.0.1"}' }),
    misses: MODULES,
  },
  'a bump of a package that an option names': {
    make: (at) => at.write({ 'app/node_modules/word/package.json': '{"name":"word","version":"1.0.1"}' }),
    misses: MODULES,
  },
  'a bump of a package that a configuration names': {
    make: (at) => at.write({ 'app/node_modules/preset/package.json': '{"name":"preset","version":"1.0.1"}' }),
    misses: ['src/sub/c.ts'],
  },
  'a bump of another package': {
    make: (at) => at.write({ 'app/node_modules/other/package.json': '{"name":"other","version":"1.0.1"}' }),
    misses: [],
  },
  'an option': { wish: { word: 'other' }, misses: MODULES },
  'the configuration of the bundler': { wish: { define: { X: '1' } }, misses: MODULES },
  'an environment variable': {
    make: () => {
      process.env['FLECHE_TEST_STALE'] = 'set';
    },
    misses: MODULES,
  },
  'a TypeScript configuration': {
    make: (at) => at.write({ 'app/src/sub/tsconfig.json': '{ "compilerOptions": { "strict": true } }' }),
    misses: ['src/sub/c.ts'],
  },
  'a new TypeScript configuration': {
    make: (at) => at.write({ 'app/tsconfig.json': '{ "compilerOptions": { "strict": true } }' }),
    misses: MODULES,
  },
  'a TypeScript configuration that another extends, beyond the root': {
    make: (at) => at.write({ 'base/ts.json': '{ "compilerOptions": { "strict": true } }' }),
    misses: ['src/sub/c.ts'],
  },
  'a TypeScript configuration above the root': { make: (at) => at.write({ 'tsconfig.json': '{}' }), misses: MODULES },
  'a configuration of a compiler beside a module': {
    make: (at) => at.write({ 'app/src/sub/svelte.config.js': '' }),
    misses: ['src/sub/c.ts'],
  },
  'a configuration of a compiler in a folder above': {
    make: (at) => at.write({ 'app/src/postcss.config.mjs': '' }),
    misses: MODULES,
  },
  'the browsers that are built for': { make: (at) => at.write({ 'app/.browserslistrc': 'all' }), misses: MODULES },
  'a configuration of something else': { make: (at) => at.write({ 'app/eslint.config.js': '' }), misses: [] },
  'what the manifest says of modules': {
    make: (at) => at.write({ 'app/package.json': '{ "name": "app", "version": "1.0.0", "type": "module" }' }),
    misses: MODULES,
  },
  'what else the manifest says': {
    make: (at) => at.write({ 'app/package.json': '{ "name": "app", "version": "1.0.1", "scripts": { "a": "b" } }' }),
    misses: [],
  },
  'the target': {
    wish: { config: { vite: { build: { target: 'es2020' } }, esbuild: { target: 'es2020' } } },
    misses: MODULES,
  },
  'source maps': {
    wish: { config: { vite: { build: { sourcemap: 'inline' } }, esbuild: { sourcemap: 'inline' } } },
    misses: MODULES,
  },
  'a build for a server': {
    wish: { config: { vite: { build: { ssr: true } }, esbuild: { platform: 'node' } } },
    misses: MODULES,
  },
  'conditions of imports': {
    wish: { config: { vite: { resolve: { conditions: ['x'] } }, esbuild: { conditions: ['x'] } } },
    misses: MODULES,
  },
  'a source': { make: (at) => at.write({ 'app/src/b.ts': `console.log('other')` }), misses: ['src/b.ts'] },
  'a source with another extension': {
    make: (at) => {
      at.remove('app/src/b.ts');
      at.write({ 'app/src/b.tsx': MARKED['app/src/b.ts'] ?? '' });
    },
    misses: ['src/b.tsx', 'src/main.ts'],
  },
  'a deleted source': {
    make: (at) => {
      at.remove('app/src/sub/c.ts');
      at.write({ 'app/src/main.ts': (MARKED['app/src/main.ts'] ?? '').replace(`import './sub/c';`, '') });
    },
    misses: ['src/main.ts'],
  },
};

/** The name of a file that is found before `b.ts`. */
const SHADOW: Readonly<Record<Bundler, string>> = { esbuild: 'src/b.tsx', vite: 'src/b.mts' };

for (const bundler of ['esbuild', 'vite'] as const) {
  const changes: Readonly<Record<string, Change>> = {
    ...CHANGES,
    'a new file that shadows a resolved one': {
      make: (at) => at.write({ [`app/${SHADOW[bundler]}`]: `console.log('shadow')` }),
      misses: [SHADOW[bundler], 'src/main.ts'].sort(),
    },
  };
  test(`${bundler}: each change makes those modules anew that it can matter to`, async () => {
    for (const [name, { make, wish, misses }] of Object.entries(changes)) {
      const at = site(MARKED);
      const root = `${at.root}/app`;
      await settle();
      const cache = memoryCache();
      try {
        assert.equal((await buildMarked(bundler, root, { cache })).misses, MODULES, `${name}: before`);
        make?.(at, bundler);
        await settle();
        const after = await buildMarked(bundler, root, { cache }, wish);
        assert.equal(after.misses, misses, name);
        assert.is(after.text, (await buildMarked(bundler, root, { cache }, { ...wish, isPlain: true })).text, name);
        assert.equal((await buildMarked(bundler, root, { cache }, wish)).misses, [], `${name}: after`);
      } finally {
        delete process.env['FLECHE_TEST_STALE'];
        at.end();
      }
    }
  });
}

test.run();
