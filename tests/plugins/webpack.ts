/**
 * One transform in all bundlers: the same code from each, and from each the same modules made anew. Rspack is among them
 * where it is installed (`npm install --no-save @rspack/core`); it is no dependency of the project, being 50 MB.
 */
import { createRequire } from 'node:module';
import { runInNewContext } from 'node:vm';
import { build as esbuild } from 'esbuild';
import { rollup } from 'rollup';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Plugin, build as vite } from 'vite';
import webpack, { type Configuration, type Stats } from 'webpack';
import type { CachedOptions } from '../../plugins/cached/settings.ts';
import { cacheReport, defineTransform } from '../../plugins/transform.ts';
import { decisions, memoryCache, outcomes, settle } from './_builds.ts';
import { type Site, site } from './_site.ts';

interface Options {
  readonly suffix: string;
}

const tokens = defineTransform<Options>({
  name: 'tokens',
  version: 1,
  filter: /\.tokens$/,
  async transform(context, code, id) {
    if (code.startsWith('plain')) return `export default ${JSON.stringify(code)};`;
    context.warn(`read ${id.slice(-8)}`);
    const base = context.near('base.txt');
    return `export default ${JSON.stringify({
      code,
      base: base && (await context.read(base)),
      themes: context.list('themes'),
      brand: context.env('FLECHE_TEST_BRAND') ?? null,
      theme: (await context.resolve('./theme'))?.split(/[\\/]/).at(-1) ?? null,
      suffix: context.options.suffix,
    })};`;
  },
});

const FILES = {
  'src/main.js': `import a from './a.tokens'; import b from './b.tokens'; log(a, b);`,
  'src/a.tokens': 'red',
  'src/b.tokens': 'plain',
  'src/themes/dark.txt': '',
  'base.txt': 'base',
};

type Settings = Pick<CachedOptions, 'cache' | 'root' | 'onDecision'>;
type Build = (at: Site, options: Options, settings: Settings) => Promise<string>;

type Pack = typeof webpack;

/** webpack, and Rspack if it is here, each with how it is told to keep modules by itself. */
const PACKERS = new Map<string, readonly [pack: Pack, kept: (folder: string) => Configuration]>([
  ['webpack', [webpack, (cacheDirectory) => ({ cache: { type: 'filesystem', cacheDirectory } })]],
]);
try {
  const { rspack } = createRequire(import.meta.url)('@rspack/core') as { readonly rspack: Pack };
  const kept = (directory: string): object => ({
    cache: { type: 'persistent', storage: { type: 'filesystem', directory } },
  });
  PACKERS.set('rspack', [rspack, kept]);
} catch {
  // It is not installed.
}

async function packed(at: Site, pack: Pack, plugin: object, more: Configuration = {}): Promise<Stats> {
  const compiler = pack({
    context: at.root,
    mode: 'production',
    entry: './src/main.js',
    output: { path: `${at.root}/dist` },
    optimization: { minimize: false },
    plugins: [plugin as webpack.WebpackPluginInstance],
    ...more,
  });
  if (compiler === null) throw new Error('no compiler');
  const stats = await new Promise<Stats>((done, failed) =>
    compiler.run((error, made) => (made === undefined ? failed(error) : done(made))),
  );
  await new Promise<void>((done) => compiler.close(() => done()));
  assert.equal(stats.toJson().errors, []);
  return stats;
}

const BUNDLERS: Record<string, Build> = {
  async esbuild(at, options, settings) {
    const { outputFiles } = await esbuild({
      absWorkingDir: at.root,
      entryPoints: ['src/main.js'],
      bundle: true,
      write: false,
      logLevel: 'silent',
      plugins: [tokens.esbuild(options, settings)],
    });
    return outputFiles[0]?.text ?? '';
  },
  async vite(at, options, settings) {
    const result = await vite({
      root: at.root,
      configFile: false,
      logLevel: 'silent',
      plugins: [tokens.vite(options, settings) as Plugin],
      build: { write: false, minify: false, rolldownOptions: { input: `${at.root}/src/main.js` } },
    });
    const [output] = [result].flat();
    return output !== undefined && 'output' in output ? output.output[0].code : '';
  },
  async rollup(at, options, settings) {
    const bundle = await rollup({
      input: `${at.root}/src/main.js`,
      plugins: [tokens.rollup(options, settings)],
      onLog: () => {},
    });
    const { output } = await bundle.generate({ format: 'iife' });
    await bundle.close();
    return output[0].code;
  },
};
for (const [name, [pack]] of PACKERS) {
  BUNDLERS[name] = async (at, options, settings) => {
    await packed(at, pack, tokens.webpack(options, settings));
    return at.read('dist')['dist/main.js'] ?? '';
  };
}

// Vite sets it for those that come after it.
process.env['NODE_ENV'] = 'production';

/** What the bundled program says. */
function said(code: string): string {
  let text = '';
  runInNewContext(code, {
    log: (...all: unknown[]) => {
      text = JSON.stringify(all);
    },
  });
  return text;
}

const CHANGES: Readonly<Record<string, { make: (at: Site) => void; misses: readonly string[]; suffix?: string }>> = {
  nothing: { make: () => {}, misses: [] },
  'a file beside': { make: (at) => at.write({ 'src/other.txt': '' }), misses: [] },
  'a file that was read': { make: (at) => at.write({ 'base.txt': 'changed' }), misses: ['src/a.tokens'] },
  'a file that is found first': { make: (at) => at.write({ 'src/base.txt': 'nearer' }), misses: ['src/a.tokens'] },
  'a folder that was listed': { make: (at) => at.write({ 'src/themes/light.txt': '' }), misses: ['src/a.tokens'] },
  'what an import leads to': { make: (at) => at.write({ 'src/theme.js': '' }), misses: ['src/a.tokens'] },
  'a variable': {
    make: () => {
      process.env['FLECHE_TEST_BRAND'] = 'acme';
    },
    misses: ['src/a.tokens'],
  },
  'a module': { make: (at) => at.write({ 'src/b.tokens': 'plain too' }), misses: ['src/b.tokens'] },
  'an option': { make: () => {}, misses: ['src/a.tokens', 'src/b.tokens'], suffix: '?' },
};

test('one transform says the same in every bundler, cold and warm, and is made anew exactly where it has to be', async () => {
  const at = site(FILES);
  await settle();
  const caches = new Map(Object.keys(BUNDLERS).map((name) => [name, memoryCache()]));
  /** Builds with each bundler; returns what the programs say, which has to be one thing. */
  const all = async (what: string, misses: readonly string[], suffix = '!'): Promise<string> => {
    await settle();
    const texts = new Map<string, string>();
    for (const [name, build] of Object.entries(BUNDLERS)) {
      const cache = caches.get(name) ?? memoryCache();
      const { list, onDecision } = decisions();
      texts.set(name, said(await build(at, { suffix }, { cache, root: at.root, onDecision })));
      const made = outcomes(list, 'miss').map((one) => one.replace(/^\w+ /, ''));
      assert.equal(made, [...misses], `${name}: ${what}`);
      assert.is(outcomes(list, 'hit').length, 2 - misses.length, `${name}: ${what}`);
    }
    const [first = ''] = texts.values();
    for (const [name, text] of texts) assert.is(text, first, `${name}: ${what}`);
    return first;
  };
  try {
    let before = await all('first', ['src/a.tokens', 'src/b.tokens']);
    for (const [what, { make, misses, suffix }] of Object.entries(CHANGES)) {
      make(at);
      const text = await all(what, misses, suffix);
      assert.is(text === before, misses.length === 0, what);
      before = text;
      assert.is(await all(`after ${what}`, [], suffix), text);
    }
  } finally {
    delete process.env['FLECHE_TEST_BRAND'];
    at.end();
  }
});

for (const [packer, [pack]] of PACKERS)
  test(`${packer} watches, cold and warm, what was read, listed and looked for in vain, and is told the same`, async () => {
    const at = site(FILES);
    await settle();
    const cache = memoryCache();
    const build = async (): Promise<readonly [hits: number, told: unknown]> => {
      const plugin = tokens.webpack({ suffix: '!' }, { cache });
      const { compilation } = await packed(at, pack, plugin);
      const below = (paths: Iterable<string>): string[] =>
        [...paths]
          .filter((path) => path.startsWith(`${at.root}/`))
          .map((path) => path.slice(at.root.length + 1))
          .sort();
      return [
        cacheReport(plugin).hits,
        {
          files: below(compilation.fileDependencies).filter((path) => !path.startsWith('node_modules')),
          folders: below(compilation.contextDependencies),
          missing: below(compilation.missingDependencies).filter((path) => path.endsWith('base.txt')),
          warnings: compilation.warnings.map(({ message }) => message),
        },
      ];
    };
    const [cold, told] = await build();
    assert.is(cold, 0);
    const { files, folders, missing, warnings } = told as Readonly<Record<string, readonly string[]>>;
    assert.ok(files?.includes('base.txt'));
    assert.ok(folders?.includes('src/themes'));
    assert.equal(missing, ['src/base.txt']);
    assert.match(warnings?.join() ?? '', 'read a.tokens');
    const [warm, again] = await build();
    assert.is(warm, 2);
    assert.equal(again, told);
    at.end();
  });

for (const [packer, [pack, keptIn]] of PACKERS)
  test(`the own cache of ${packer} gives no answer for another option, version or variable`, async () => {
    const at = site(FILES);
    await settle();
    const kept = keptIn(`${at.root}/.packed`);
    const build = async (suffix: string): Promise<string> => {
      await packed(at, pack, tokens.webpack({ suffix }, { cache: memoryCache() }), kept);
      return said(at.read('dist')['dist/main.js'] ?? '');
    };
    assert.match(await build('!'), '"suffix":"!"');
    assert.match(await build('?'), '"suffix":"?"');
    process.env['FLECHE_TEST_BRAND'] = 'acme';
    try {
      assert.match(await build('?'), 'acme');
    } finally {
      delete process.env['FLECHE_TEST_BRAND'];
    }
    at.end();
  });

test.run();
