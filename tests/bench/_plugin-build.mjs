/**
 * One build for tests/bench/plugins.ts, with what a project has installed: `node _plugin-build.mjs RECIPE ROOT MODE`.
 * Prints one line of JSON. Modes: `without` a cache, `cold` and `warm` with one, and `instant`, with a plugin whose answers
 * (those of the last build `without`) cost nothing: what no cache can go below.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { sha256 } from 'fleche';

const [recipe, root, mode] = process.argv.slice(2);
const require = createRequire(join(root, 'package.json'));
const load = async (name) => {
  const found = await import(pathToFileURL(require.resolve(name)).href);
  return found.default?.default ?? found.default ?? found;
};

/** By name: the bundler, the plugin, its options, and what `cached` has to be told beside them. */
const RECIPES = {
  vue: { bundler: 'vite', plugin: () => load('@vitejs/plugin-vue'), options: {}, external: ['vue'] },
  mdx: { bundler: 'esbuild', plugin: () => load('@mdx-js/esbuild'), options: {}, external: ['react', 'react/*'] },
  svelte: {
    bundler: 'vite',
    plugin: async () => (await import(pathToFileURL(require.resolve('@sveltejs/vite-plugin-svelte')).href)).svelte,
    options: { configFile: false },
    external: [/^svelte/],
  },
  svgr: {
    bundler: 'vite',
    plugin: () => load('vite-plugin-svgr'),
    options: { include: '**/*.svg', svgrOptions: { plugins: ['@svgr/plugin-svgo', '@svgr/plugin-jsx'] } },
    external: [/^react/],
  },
  babel: {
    bundler: 'vite',
    plugin: () => load('vite-plugin-babel'),
    options: { babelConfig: { presets: [['@babel/preset-env', { targets: 'defaults' }]] }, filter: /\.js$/ },
    external: [],
  },
  postcss: {
    bundler: 'esbuild',
    plugin: async () => postcssPlugin(),
    options: { processor: 'tailwind' },
    told: { package: '@tailwindcss/postcss', identity: '1', uses: ['src'] },
    external: [],
  },
};

/** PostCSS with Tailwind, as an esbuild plugin of the project's own. */
async function postcssPlugin() {
  const postcss = await load('postcss');
  const tailwind = await load('@tailwindcss/postcss');
  return () => ({
    name: 'postcss',
    setup: ({ onLoad }) => {
      onLoad({ filter: /\.css$/ }, async ({ path }) => {
        const { css } = await postcss([tailwind({ base: root })]).process(readFileSync(path, 'utf8'), { from: path });
        return { contents: css, loader: 'css', watchFiles: [path] };
      });
    },
  });
}

const INSTANT = join(root, 'instant.json');
const { bundler, plugin, options, told, external } = RECIPES[recipe];
const make = await plugin();
const bundle = await (bundler === 'vite' ? load('vite') : load('esbuild'));
const { cached, cacheReport } = await import(bundler === 'vite' ? 'fleche/vite' : 'fleche/esbuild');
const { LocalCache } = await import('fleche');
const answers = mode === 'instant' ? JSON.parse(readFileSync(INSTANT, 'utf8')) : {};
// The service of esbuild starts with the first build of a process.
if (bundler === 'esbuild') await bundle.build({ stdin: { contents: '' }, write: false });

const processor = process.cpuUsage();
const start = performance.now();
const cache = mode === 'cold' || mode === 'warm' ? new LocalCache(join(root, '.fleche')) : undefined;
const used = cache === undefined ? noted(make(options)) : cached(make, { options, cache, ...told });
await (bundler === 'vite' ? withVite() : withEsbuild());
// Nobody waits for what is written then but who waits for the process to end.
await cache?.close();
const time = performance.now() - start;
const { user, system } = process.cpuUsage(processor);
const hits = cache === undefined ? 0 : [used].flat(3).reduce((sum, one) => sum + hitsOf(one), 0);
if (mode === 'without') writeFileSync(INSTANT, JSON.stringify(answers));
const files = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' }).sort();
const scripts = files.filter((name) => /\.(?:js|css)$/.test(name));
const output = sha256(scripts.map((name) => readFileSync(join(root, 'dist', name), 'utf8')).join());
console.log(JSON.stringify({ time, processor: (user + system) / 1000, output, hits }));

function hitsOf(one) {
  try {
    return cacheReport(one).hits;
  } catch {
    return 0;
  }
}

/** The plugin, whose answers are taken down, or given at once. */
function noted(inner) {
  if (Array.isArray(inner)) return inner.map(noted);
  if (bundler === 'esbuild') {
    const setup = (build) =>
      inner.setup(
        new Proxy(build, {
          get: (target, name) =>
            name !== 'onLoad'
              ? Reflect.get(target, name)
              : (filter, handler) => target.onLoad(filter, (args) => at(`load ${args.path}`, () => handler(args))),
        }),
      );
    return { ...inner, setup };
  }
  for (const hook of ['load', 'transform']) {
    const own = inner?.[hook];
    if (own === undefined) continue;
    const handler = typeof own === 'function' ? own : own.handler;
    const wrapped = function (...args) {
      const id = hook === 'load' ? args[0] : args[1];
      return at(`${inner.name} ${hook} ${id}`, () => handler.apply(this, args));
    };
    inner[hook] = typeof own === 'function' ? wrapped : { ...own, handler: wrapped };
  }
  return inner;
}

function at(name, act) {
  if (mode === 'instant' && name in answers) return answers[name];
  const done = act();
  if (typeof done?.then !== 'function') {
    answers[name] = done ?? null;
    return done;
  }
  return done.then((value) => {
    answers[name] = value ?? null;
    return value;
  });
}

function withVite() {
  return bundle.build({
    root,
    configFile: false,
    logLevel: 'silent',
    plugins: [used],
    build: { minify: false, rolldownOptions: { input: entry(), external } },
  });
}

function withEsbuild() {
  return bundle.build({
    absWorkingDir: root,
    entryPoints: [entry()],
    bundle: true,
    outdir: 'dist',
    format: 'esm',
    external,
    logLevel: 'silent',
    plugins: [used],
  });
}

function entry() {
  return [join(root, 'src/main.ts'), join(root, 'src/main.js')].find((path) => existsSync(path));
}
