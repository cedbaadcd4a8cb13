/**
 * One plugin for each bundler, as from a package of a project: it marks modules with its options, and the one that asks for
 * it with what an import leads to. Says what became of each call.
 */
import { readFileSync } from 'node:fs';
import { type BuildOptions, type Plugin as EsbuildPlugin, build as esbuild } from 'esbuild';
import { type InlineConfig, type Plugin, build as vite } from 'vite';
import type { CachedOptions } from '../../plugins/cached/settings.ts';
import { cached as cachedEsbuild } from '../../plugins/esbuild.ts';
import { cached as cachedVite } from '../../plugins/vite.ts';
import { decisions, outcomes } from './_builds.ts';

export interface Wish {
  readonly word?: string;
  readonly define?: Readonly<Record<string, string>>;
  readonly isPlain?: boolean;
  /** More of the bundler's own options. */
  readonly config?: Readonly<Partial<Record<Bundler, object>>>;
}

export interface Built {
  readonly text: string;
  readonly misses: readonly string[];
  readonly hits: readonly string[];
}

export type Bundler = 'esbuild' | 'vite';

const FILTER = /\.[cm]?tsx?$/;
const ASKS = 'leads to b';

function forVite({ word }: { readonly word: string }): Plugin {
  return {
    name: 'marker',
    transform: {
      filter: { id: FILTER },
      async handler(code, id) {
        const found = code.includes(ASKS) ? (await this.resolve('./b', id))?.id.split('/').at(-1) : '';
        return {
          code: `${code}\nconsole.log(${JSON.stringify([word, process.env['FLECHE_TEST_STALE'], found])})`,
          map: null,
        };
      },
    },
  };
}

function forEsbuild({ word }: { readonly word: string }): EsbuildPlugin {
  return {
    name: 'marker',
    setup: (build) => {
      build.onLoad({ filter: FILTER }, async ({ path }) => {
        const code = readFileSync(path, 'utf8');
        const asked = { resolveDir: path.replace(/\/[^/]*$/, ''), kind: 'import-statement' } as const;
        const found = code.includes(ASKS) ? (await build.resolve('./b', asked)).path.split('/').at(-1) : '';
        const mark = JSON.stringify([word, process.env['FLECHE_TEST_STALE'], found]);
        return { contents: `${code}\nconsole.log(${mark})`, loader: 'ts' };
      });
    },
  };
}

/** Builds `src/main.ts` below `root`, with the package `marker` of the folder as the plugin's. */
export async function buildMarked(
  bundler: Bundler,
  root: string,
  settings: Pick<CachedOptions, 'cache' | 'onWarning'>,
  { word = 'word', define = {}, isPlain = false, config = {} }: Wish = {},
): Promise<Built> {
  const { list, onDecision } = decisions();
  const options = { word };
  const told: CachedOptions = { ...settings, options, root, package: 'marker', env: ['FLECHE_TEST_STALE'], onDecision };
  const text =
    bundler === 'vite'
      ? await withVite(root, isPlain ? forVite(options) : cachedVite(forVite, told), define, config.vite)
      : await withEsbuild(
          root,
          isPlain ? forEsbuild(options) : cachedEsbuild(forEsbuild, told),
          define,
          config.esbuild,
        );
  const modules = (outcome: 'hit' | 'miss'): string[] => outcomes(list, outcome).map((one) => one.replace(/^\w+ /, ''));
  return { text, misses: modules('miss'), hits: modules('hit') };
}

async function withVite(
  root: string,
  plugin: Plugin,
  define: Readonly<Record<string, string>>,
  config: InlineConfig = {},
): Promise<string> {
  const result = await vite({
    root,
    configFile: false,
    logLevel: 'silent',
    plugins: [plugin],
    define,
    ...config,
    build: { minify: false, write: false, rolldownOptions: { input: `${root}/src/main.ts` }, ...config.build },
  });
  const outputs = [result].flat().flatMap((one) => ('output' in one ? one.output : []));
  return outputs.map((one) => (one.type === 'chunk' ? one.code : '')).join('\n');
}

async function withEsbuild(
  root: string,
  plugin: EsbuildPlugin,
  define: Readonly<Record<string, string>>,
  config: BuildOptions = {},
): Promise<string> {
  const { outputFiles } = await esbuild({
    absWorkingDir: root,
    entryPoints: ['src/main.ts'],
    bundle: true,
    logLevel: 'silent',
    plugins: [plugin],
    define,
    ...config,
    write: false,
  });
  return outputFiles.map(({ text }) => text).join('\n');
}

/** Three modules, one of which has a configuration of its own. */
export const MARKED: Readonly<Record<string, string>> = {
  'app/src/main.ts': `import './b'; import './sub/c'; console.log('${ASKS}');`,
  'app/src/b.ts': `console.log('b');`,
  'app/src/sub/c.ts': `console.log('c');`,
  'app/src/sub/tsconfig.json': '{ "extends": "../../../base/ts.json" }',
  'base/ts.json': '{}',
  'app/package.json': '{ "name": "app", "version": "1.0.0" }',
  'app/node_modules/marker/package.json':
    '{"name":"marker","version":"1.0.0","dependencies":{"helper":"*"},"peerDependencies":{"frame":"*"}}',
  'app/node_modules/marker/index.js': '// code',
  'app/node_modules/helper/package.json': '{"name":"helper","version":"1.0.0"}',
  'app/node_modules/frame/package.json': '{"name":"frame","version":"1.0.0","dependencies":{"compiler":"*"}}',
  'app/src/sub/babel.config.json': '{ "presets": ["preset"] }',
  'app/node_modules/word/package.json': '{"name":"word","version":"1.0.0"}',
  'app/node_modules/preset/package.json': '{"name":"preset","version":"1.0.0"}',
  'app/node_modules/other/package.json': '{"name":"other","version":"1.0.0"}',
  'app/node_modules/compiler/package.json': '{"name":"compiler","version":"1.0.0"}',
};
