/**
 * Builds dist/: `node core/build.mjs [--types]`.
 *
 *     fleche.cjs            the command: answers --version by itself, loads cli.cjs for everything else
 *     cli.cjs               the rest of the command
 *     index.js              the library
 *     esbuild.js, vite.js   plugins that cache what other plugins do
 *     transform.js          plugins written for the cache
 *     webpack-loader.js     by which webpack runs them
 *     pipeline.js           outputs of tasks in applications
 *     build.js              whole builds as calls
 *     function-worker.js    runs function tasks
 *     yaml.cjs              reads lock files that are YAML
 *     fast-glob.cjs         walks folders
 *     *schema.json          JSON Schemas of the configuration files
 *     bundle-process.js     bundles functions for those who cannot wait
 *     *-HASH.js             what these two share, and what is loaded when it is needed
 *     types/                declarations, with --types
 *
 * The command is CommonJS, because then Node needs not start its loader of ES modules (4 ms), and because compiled code
 * of it can be kept between runs (20 ms).
 *
 * Packages that the installer provides stay outside, with one exception: the JavaScript of lmdb goes into the command,
 * because loading it from its package costs more than a whole answer from the cache.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const DIST = join(ROOT, 'dist');
const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
/** Packages whose code is small and used on every run. They are needed for building only. */
const INSIDE = new Set(['smol-toml', 'yargs-parser', 'picomatch', 'fast-glob']);
const OUTSIDE = Object.keys({ ...MANIFEST.dependencies, ...MANIFEST.peerDependencies }).filter(
  (name) => !INSIDE.has(name),
);

const COMMON = {
  absWorkingDir: ROOT,
  outdir: 'dist',
  bundle: true,
  write: false,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  splitting: true,
  chunkNames: '[name]-[hash]',
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  sourcemap: 'linked',
  sourcesContent: false,
  define: {
    FLECHE_VERSION: JSON.stringify(MANIFEST.version),
    FLECHE_YAML: '"./yaml.cjs"',
    FLECHE_FAST_GLOB: '"./fast-glob.cjs"',
  },
  logLevel: 'warning',
};

const LOAD_LMDB = `
import { createRequire } from 'node:module';
import { lmdbAddon } from './core/store/lmdb/lmdb-addon.ts';
export function loadLmdb() {
  return lmdbAddon() === undefined ? createRequire(import.meta.url)('lmdb') : require('fleche:lmdb');
}`;

/**
 * Puts the JavaScript of lmdb into the bundle and leaves out msgpackr, which is loaded for encodings that are not used
 * here. Where the addon is not where it is expected, the package itself is loaded, as without this plugin.
 */
const lmdbInside = {
  name: 'lmdb-inside',
  setup({ onEnd, onLoad, onResolve, initialOptions }) {
    const lmdb = dirname(dirname(createRequire(import.meta.url).resolve('lmdb')));
    const { version } = JSON.parse(readFileSync(join(lmdb, 'package.json'), 'utf8'));
    initialOptions.define = { ...initialOptions.define, LMDB_VERSION: JSON.stringify(version) };
    const virtual = {
      'node-gyp-build-optional-packages': `export { lmdbAddon as default } from './core/store/lmdb/lmdb-addon.ts';`,
      msgpackr: 'export class Encoder { constructor() { throw new Error("lmdb is bundled without msgpackr"); } }',
    };
    let isInside = false;
    onLoad({ filter: /[\\/]lmdb-load\.ts$/ }, () => {
      isInside = true;
      return { contents: LOAD_LMDB, resolveDir: ROOT };
    });
    onEnd(() => (isInside ? undefined : { errors: [{ text: 'no lmdb-load.ts: the command would load lmdb slowly' }] }));
    onResolve({ filter: /^fleche:lmdb$/ }, () => ({ path: join(lmdb, 'node-index.js') }));
    onResolve({ filter: /^(node-gyp-build-optional-packages|msgpackr)$/ }, ({ path }) => ({
      path,
      namespace: 'lmdb-inside',
    }));
    onLoad({ filter: /.*/, namespace: 'lmdb-inside' }, ({ path }) => ({ contents: virtual[path], resolveDir: ROOT }));
  },
};

/** The entry points of one kind that exist. */
function entries(files) {
  return Object.fromEntries(Object.entries(files).filter(([, file]) => existsSync(join(ROOT, file))));
}

/** The files of one bundle, by their paths. */
async function bundle(files, options) {
  const entryPoints = entries(files);
  if (Object.keys(entryPoints).length === 0) return [];
  const { outputFiles } = await build({ ...COMMON, entryPoints, ...options });
  return outputFiles;
}

/** A package in a file of its own, because many runs need nothing of it. */
async function alone(file, contents) {
  const stdin = { contents, resolveDir: ROOT };
  const one = { outdir: undefined, outfile: `dist/${file}`, format: 'cjs', splitting: false, sourcemap: false };
  return (await build({ ...COMMON, ...one, stdin })).outputFiles;
}

/** Replaces what is in dist/ file by file: a program that runs from there meanwhile finds every file. */
function put(files) {
  mkdirSync(DIST, { recursive: true });
  for (const { path, contents } of files) {
    writeFileSync(`${path}.new`, contents);
    if (path.endsWith('fleche.cjs')) chmodSync(`${path}.new`, 0o755);
    renameSync(`${path}.new`, path);
  }
  const kept = new Set(files.map(({ path }) => basename(path)));
  for (const entry of readdirSync(DIST, { withFileTypes: true })) {
    if (entry.isFile() && !kept.has(entry.name)) rmSync(join(DIST, entry.name), { force: true });
  }
}

/** The schemas of the configuration, from the very tables by which it is checked. */
async function schemas() {
  const entry = join(ROOT, 'core/app/config/schema/json-schema.ts');
  const [{ text }] = (await build({ ...COMMON, entryPoints: [entry], splitting: false, sourcemap: false })).outputFiles;
  const { jsonSchema, schemaFile, SCHEMA_NAMES } = await import(`data:text/javascript,${encodeURIComponent(text)}`);
  return SCHEMA_NAMES.map((name) => ({
    path: join(ROOT, schemaFile(name)),
    contents: `${JSON.stringify(jsonSchema(name))}\n`,
  }));
}

function declarations() {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', '.ci/types.json'], { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

const besideLmdb = OUTSIDE.filter((name) => name !== 'lmdb' && name !== 'msgpackr').concat('tsx');
const commonJs = { format: 'cjs', splitting: false, outExtension: { '.js': '.cjs' } };
const bundles = await Promise.all([
  bundle(
    { fleche: 'core/app/main.ts' },
    { ...commonJs, define: { ...COMMON.define, 'import.meta.dirname': '__dirname' } },
  ),
  bundle(
    { cli: 'core/app/start.ts' },
    {
      ...commonJs,
      external: besideLmdb,
      plugins: [lmdbInside],
      define: { ...COMMON.define, 'import.meta.url': '__importMetaUrl', 'import.meta.resolve': 'require.resolve' },
      // As it is compiled, so that a megabyte of text need not be copied.
      banner: { js: '(function(exports,require,module,__filename,__dirname,__importMetaUrl){' },
      footer: { js: '})' },
      // Code that is compiled ahead cannot import(); where Node can require() an ES module it need not.
      supported: { 'dynamic-import': false },
    },
  ),
  bundle(
    {
      index: 'core/index.ts',
      'function-worker': 'core/graph/functions/function-worker.ts',
      'bundle-process': 'core/graph/code/bundle-process.ts',
      esbuild: 'plugins/esbuild.ts',
      vite: 'plugins/vite.ts',
      transform: 'plugins/transform.ts',
      'webpack-loader': 'plugins/transform/webpack-loader.ts',
      pipeline: 'plugins/pipeline.ts',
      build: 'plugins/build.ts',
    },
    // Node shows the line of what was thrown and not caught: it must not be the whole file.
    { external: OUTSIDE, lineLimit: 120 },
  ),
  alone('yaml.cjs', `export { FAILSAFE_SCHEMA, loadAll } from 'js-yaml';`),
  alone('fast-glob.cjs', `export { sync } from 'fast-glob';`),
]);
put([...bundles.flat(), ...(await schemas())]);
if (process.argv.includes('--types')) declarations();
