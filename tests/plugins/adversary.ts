/**
 * Plugins that do what plugins are not expected to do: with the cache, cold and warm and after a change, a build gives what
 * it gives without, or it is said which calls are not cached.
 */
import { readFileSync, symlinkSync } from 'node:fs';
import type { Plugin as EsbuildPlugin } from 'esbuild';
import { type Plugin as RollupPlugin, rollup } from 'rollup';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createBuilder, createServer, type InlineConfig, type Plugin, type ResolvedConfig } from 'vite';
import type { BaseCache } from '../../core/call/caches/base-cache.ts';
import type { CachedOptions } from '../../plugins/cached/settings.ts';
import { cached as cachedLoads, cacheReport } from '../../plugins/esbuild.ts';
import { cached } from '../../plugins/vite.ts';
import { bundle, memoryCache, settle, viteBuild } from './_builds.ts';
import { type Site, site } from './_site.ts';

const told = { options: undefined, identity: '1' } as const;
const FILES = { 'src/main.ts': `import './b'; console.log('main')`, 'src/b.ts': `console.log('b')` };

async function small(more: Readonly<Record<string, string>> = {}): Promise<Site> {
  const at = site({ ...FILES, ...more });
  await settle();
  return at;
}

/** A change, and the build after it. */
type Step = readonly [what: string, change: () => void, config?: object];
const NOTHING: Step = ['nothing', () => {}];

interface Scenario<P> {
  readonly at: Site;
  /** The plugins as they are made in a new process. */
  readonly plugins: (wrap: (factory: () => P) => P) => readonly P[];
  readonly steps?: readonly Step[];
  readonly more?: Partial<CachedOptions>;
  /** Something of what is hit in the end; by default some call is. */
  readonly hits?: number;
}

/** Builds without the cache and with it after each step, which has to be one thing. Returns what was said of the last. */
async function compare<P extends object>(
  { at, plugins, steps = [NOTHING, NOTHING], more = {}, hits }: Scenario<P>,
  build: (at: Site, plugins: P[], config: object) => Promise<string>,
  wrap: (factory: () => P, cache: BaseCache, more: Partial<CachedOptions>) => P,
): Promise<ReturnType<typeof cacheReport>> {
  const cache = memoryCache();
  let report: ReturnType<typeof cacheReport> | undefined;
  for (const [what, change, config = {}] of [NOTHING, ...steps]) {
    change();
    await settle();
    const plain = await build(at, [...plugins((factory) => factory())], config);
    const made: P[] = [];
    const wrapped = plugins((factory) => {
      const one = wrap(factory, cache, more);
      made.push(one);
      return one;
    });
    assert.is(await build(at, [...wrapped], config), plain, what);
    const reports = ([made].flat(3) as object[]).flatMap((one) => reportsOf(one));
    report = {
      hits: reports.reduce((sum, one) => sum + one.hits, 0),
      misses: reports.reduce((sum, one) => sum + one.misses, 0),
      uncacheable: reports.reduce((sum, one) => sum + one.uncacheable, 0),
      reasons: new Map(reports.flatMap(({ reasons }) => [...reasons])),
      savedMs: 0,
    };
  }
  at.end();
  assert.ok(report !== undefined);
  if (hits === undefined) assert.ok(report.hits > 0, 'something is hit');
  else assert.is(report.hits, hits);
  return report;
}

function reportsOf(plugin: object): ReturnType<typeof cacheReport>[] {
  try {
    return [cacheReport(plugin)];
  } catch {
    // One without calls that could be cached.
    return [];
  }
}

const inVite = (scenario: Scenario<Plugin>): ReturnType<typeof compare> =>
  compare(
    scenario,
    (at, plugins, config) => viteBuild(at, plugins, config as Readonly<Record<string, unknown>>),
    (factory, cache, more) => cached(factory, { ...told, cache, ...more }),
  );

const inEsbuild = (scenario: Scenario<EsbuildPlugin>): ReturnType<typeof compare> =>
  compare(
    scenario,
    (at, plugins, config) => bundle(at, plugins, config as Readonly<Record<string, unknown>>),
    (factory, cache, more) => cachedLoads(factory, { ...told, cache, ...more }),
  );

/** Adds a line to `b.ts`. */
const adding = (line: (this: unknown, code: string, id: string) => string, more: Partial<Plugin> = {}): Plugin => ({
  name: 'adding',
  transform(code, id) {
    if (!id.endsWith('b.ts')) return null;
    return { code: `${code}\nconsole.log(${JSON.stringify(line.call(this, code, id))})`, map: null };
  },
  ...more,
});

test('esbuild: of two loads with one filter the second is asked what the first left alone', async () => {
  const at = await small({ 'src/main.ts': `import './a.txt'; import './b.txt'`, 'src/a.txt': 'a', 'src/b.txt': 'b' });
  const two = (): EsbuildPlugin => ({
    name: 'two',
    setup: (build) => {
      for (const word of ['a', 'b'])
        build.onLoad({ filter: /\.txt$/ }, ({ path }) =>
          path.endsWith(`${word}.txt`) ? { contents: `console.log('${word} by ${word}')` } : undefined,
        );
    },
  });
  await inEsbuild({ at, plugins: (wrap) => [wrap(two)] });
});

test('esbuild: what has a path and no file is asked each time', async () => {
  const at = await small({ 'src/main.ts': `import 'made'` });
  let word = 'one';
  const making = (): EsbuildPlugin => ({
    name: 'making',
    setup: (build) => {
      build.onResolve({ filter: /^made$/ }, () => ({ path: `${at.root}/made.js` }));
      build.onLoad({ filter: /made\.js$/ }, () => ({ contents: `console.log('${word}')` }));
    },
  });
  const step: Step = [
    'another word',
    () => {
      word = 'two';
    },
  ];
  const { reasons } = await inEsbuild({ at, plugins: (wrap) => [wrap(making)], steps: [step], hits: 0 });
  assert.ok(reasons.has('there is no file behind the module'));
});

for (const when of ['once', 'in each load'] as const) {
  test(`esbuild: an option that a plugin looks at ${when} counts, another does not`, async () => {
    const at = await small({ 'src/main.ts': `import './a.txt'`, 'src/a.txt': 'a' });
    const naming = (): EsbuildPlugin => ({
      name: 'naming',
      setup: (build) => {
        const first = when === 'once' ? build.initialOptions.publicPath : '';
        build.onLoad({ filter: /\.txt$/ }, async () => {
          await Promise.resolve();
          const path = when === 'once' ? first : build.initialOptions.publicPath;
          return { contents: `console.log(${JSON.stringify(path ?? 'none')})` };
        });
      },
    });
    const more = { plugins: (wrap: (factory: () => EsbuildPlugin) => EsbuildPlugin) => [wrap(naming)] };
    const other: Step = ['another path', () => {}, { publicPath: '/x/' }];
    await inEsbuild({
      at,
      ...more,
      steps: [other, ['again', () => {}, { publicPath: '/x/', banner: { js: '// b' } }]],
    });
  });
}

test('esbuild: a plugin that writes a report when it is disposed of is not cached', async () => {
  const at = await small();
  const reporting = (): EsbuildPlugin => ({
    name: 'reporting',
    setup: (build) => {
      build.onLoad({ filter: /b\.ts$/ }, () => undefined);
      build.onDispose(() => {});
    },
  });
  const { reasons } = await inEsbuild({ at, plugins: (wrap) => [wrap(reporting)], hits: 0 });
  assert.match([...reasons.keys()].join(), 'onDispose');
});

test('esbuild: import attributes and suffixes are part of the question', async () => {
  const at = await small({
    'src/main.ts': `import './a.txt'; import './a.txt?x'; import './a.txt' with { type: 'y' }`,
    'src/a.txt': 'a',
  });
  const telling = (): EsbuildPlugin => ({
    name: 'telling',
    setup: (build) => {
      build.onLoad({ filter: /\.txt$/ }, (args) => ({
        contents: `console.log(${JSON.stringify([args.suffix, args.with])})`,
        ...(args.suffix === '' ? {} : { loader: 'js' }),
      }));
    },
  });
  await inEsbuild({ at, plugins: (wrap) => [wrap(telling)] });
});

test('esbuild: two instances of one plugin with different options, and bytes as contents', async () => {
  const at = await small({ 'src/main.ts': `import './a.x'; import './a.y'`, 'src/a.x': 'a', 'src/a.y': 'a' });
  const bytes = (end: string): EsbuildPlugin => ({
    name: 'bytes',
    setup: (build) => {
      build.onLoad({ filter: new RegExp(`\\.${end}$`) }, ({ path }) => ({
        contents: Buffer.from(`console.log('${end} ${readFileSync(path, 'utf8')} ü')`),
        loader: 'js',
      }));
    },
  });
  await inEsbuild({ at, plugins: (wrap) => [wrap(() => bytes('x')), wrap(() => bytes('y'))] });
});

test('plugins of one name from one factory are told apart', async () => {
  const at = await small();
  const list = (): Plugin =>
    ['no', 'yes'].map((word) => ({
      name: 'same',
      transform: (code: string, id: string) =>
        word === 'yes' && id.endsWith('b.ts') ? { code: `${code}\nconsole.log('${word}')`, map: null } : null,
    })) as unknown as Plugin;
  await inVite({ at, plugins: (wrap) => [wrap(list)] });
});

const collected = new Map<string, string>();

/** What becomes of what transforms collect. */
const USES: Readonly<Record<string, (texts: () => string) => Partial<Plugin>>> = {
  resolveId: (texts) => ({
    resolveId: (id) => (id === 'virtual:all' ? `\0${id}` : null),
    load: (id) => (id === '\0virtual:all' ? `console.log(${JSON.stringify(texts())})` : null),
  }),
  transformIndexHtml: (texts) => ({ transformIndexHtml: () => void collected.set('html', texts()) }),
  closeBundle: (texts) => ({ closeBundle: () => void collected.set('close', texts()) }),
  banner: (texts) => ({ banner: () => `/* ${texts()} */` }),
};

for (const [hook, use] of Object.entries(USES)) {
  for (const isApart of [false, true]) {
    const whose = isApart ? 'another plugin of the factory' : 'the plugin';
    test(`what transforms collect for ${hook} of ${whose} is there`, async () => {
      const at = await small(hook === 'resolveId' ? { 'src/b.ts': `import 'virtual:all'; console.log('b')` } : {});
      const collecting = (): Plugin => {
        const seen: string[] = [];
        const texts = (): string => seen.sort().join();
        const transform: Plugin['transform'] = (_, id) => {
          if (id.endsWith('b.ts')) seen.push('b');
          return null;
        };
        const all = { name: 'collecting', transform };
        return (isApart ? [all, { name: 'using', ...use(texts) }] : { ...all, ...use(texts) }) as Plugin;
      };
      const { reasons } = await inVite({ at, plugins: (wrap) => [wrap(collecting)], hits: 0 });
      assert.match([...reasons.keys()].join(), `its ${hook} may use`);
    });
  }
}

const CONFIGS: Readonly<Record<string, readonly [read: (config: ResolvedConfig) => unknown, InlineConfig]>> = {
  'the folder of assets': [(config) => config.build.assetsDir, { build: { assetsDir: 'other' } }],
  'the public folder': [(config) => config.publicDir, { publicDir: 'other' }],
  'a member of its own': [(config) => Reflect.get(config, 'adding'), { adding: { word: 'x' } } as object],
  'a condition': [(config) => config.resolve.conditions, { resolve: { conditions: ['x'] } }],
  'an alias': [(config) => config.resolve.alias, { resolve: { alias: { x: '/y' } } }],
  'what counts as an asset': [(config) => Reflect.get(config, 'rawAssetsInclude'), { assetsInclude: ['**/*.x'] }],
};

for (const [what, [read, change]] of Object.entries(CONFIGS)) {
  test(`${what} in the configuration of Vite counts for a plugin that reads it`, async () => {
    const at = await small();
    const reading = (): Plugin => {
      let found: unknown;
      return adding(() => JSON.stringify(found ?? null).replaceAll(at.root, ''), {
        configResolved: (config) => {
          found = read(config);
        },
      });
    };
    const { build = {}, ...others } = change;
    const base = { rolldownOptions: { input: `${at.root}/src/main.ts` }, minify: false, sourcemap: true };
    const config = { ...others, build: { ...base, ...build } };
    await inVite({ at, plugins: (wrap) => [wrap(reading)], steps: [[what, () => {}, config]], hits: 0 });
  });
}

test('a file of the environment counts, one of another mode does not', async () => {
  const at = await small({ '.env': 'VITE_WORD=one' });
  const reading = (): Plugin => {
    let word: unknown;
    return adding(() => String(word), {
      configResolved: ({ env }) => {
        word = env['VITE_WORD'];
      },
    });
  };
  const steps: Step[] = [
    ['a local one', () => at.write({ '.env.local': 'VITE_WORD=two' })],
    ['of another mode', () => at.write({ '.env.staging': 'VITE_WORD=three' })],
  ];
  await inVite({ at, plugins: (wrap) => [wrap(reading)], steps });
});

test('an expression that remembers where it was excludes the same modules each time', async () => {
  const at = await small({ 'src/main.ts': `import './b'; import './c'; import './d'`, 'src/c.ts': '', 'src/d.ts': '' });
  const { hits, reasons } = await inVite({
    at,
    plugins: (wrap) => [wrap(() => adding(() => 'x'))],
    more: { exclude: /\.ts$/g },
    hits: 0,
  });
  assert.is(hits, 0);
  assert.is(reasons.get('it is excluded'), 4);
});

test('a plugin that is an instance of a class with private members works as without the cache', async () => {
  const at = await small();
  class Own {
    readonly name = 'own';
    readonly #word = 'word';
    applyToEnvironment(): boolean {
      return this.#word === 'word';
    }
    // Vite does not see hooks that are methods of a class.
    readonly transform = (code: string, id: string): string | null =>
      id.endsWith('b.ts') ? `${code}\nconsole.log('own')` : null;
  }
  await inVite({ at, plugins: (wrap) => [wrap(() => new Own() as Plugin)] });
});

test('a watched path with a query is watched as the file that it is part of', async () => {
  const at = await small({ 'note.txt': 'one' });
  const reading = (): Plugin =>
    adding(function () {
      (this as { addWatchFile(path: string): void }).addWatchFile(`${at.root}/note.txt?raw`);
      return readFileSync(`${at.root}/note.txt`, 'utf8');
    });
  await inVite({
    at,
    plugins: (wrap) => [wrap(reading)],
    steps: [['the file', () => at.write({ 'note.txt': 'two' })]],
  });
});

test('a warning by the logger of the environment keeps a call from being cached', async () => {
  const at = await small();
  const warning = (): Plugin =>
    adding(function () {
      (this as { environment: { logger: { warn(text: string): void } } }).environment.logger.warn('told');
      return 'x';
    });
  const { reasons } = await inVite({ at, plugins: (wrap) => [wrap(warning)] });
  assert.ok(reasons.has('it used this.environment.logger'));
});

test('a linked plugin whose source is a link is known by what the link leads to', async () => {
  const at = await small({
    'linked/package.json': '{"name":"linked","version":"1.0.0"}',
    'elsewhere/index.js': 'one',
  });
  symlinkSync('../elsewhere/index.js', `${at.root}/linked/index.js`);
  const reading = (): Plugin => adding(() => readFileSync(`${at.root}/elsewhere/index.js`, 'utf8'));
  // Found as packages are, in the folder of the packages of the folder above.
  const root = `${at.root}/app`;
  at.write({ 'app/src/main.ts': FILES['src/main.ts'], 'app/src/b.ts': FILES['src/b.ts'] });
  at.write({ 'app/node_modules/.keep': '' });
  symlinkSync('../../linked', `${root}/node_modules/linked`, 'dir');
  const inner: Site = { ...at, root, read: (folder) => at.read(`app/${folder}`) };
  await inVite({
    at: inner,
    plugins: (wrap) => [wrap(reading)],
    more: { package: 'linked', identity: undefined as never, root },
    steps: [['its code', () => at.write({ 'elsewhere/index.js': 'two' })]],
    hits: 0,
  });
});

test('queries are different questions about one file', async () => {
  const at = await small({
    'src/main.ts': `import './b'; import r from './b.ts?raw'; import u from './b.ts?url'; import w from './b.ts?mine&x=1'; import v from './b.ts?mine&x=2'; console.log(r, u, w, v)`,
    'src/b.ts': `console.log('b'); export default 1`,
  });
  const telling = (): Plugin => ({
    name: 'telling',
    enforce: 'pre',
    transform: (code, id) =>
      id.includes('b.ts') && !/\?(?:raw|url)/.test(id)
        ? { code: `${code}\nconsole.log(${JSON.stringify(id.slice(at.root.length))})`, map: null }
        : null,
  });
  await inVite({ at, plugins: (wrap) => [wrap(telling)] });
});

const CONFIG: InlineConfig = { define: { __WORD__: '"x"' } };

test('modules in a glob, styles that compose others and workers are as without the cache', async () => {
  const at = await small({
    'src/main.ts': `import s from './a.module.css'; import W from './w.ts?worker';
console.log(import.meta.glob('./pages/*.ts', { eager: true }), s, W, import.meta.env.VITE_WORD, __WORD__)`,
    'src/a.module.css': `.a { composes: b from './b.module.css'; color: red }`,
    'src/b.module.css': `.b { color: blue }`,
    'src/w.ts': `postMessage('w')`,
    'src/pages/one.ts': `export default 1`,
    '.env': 'VITE_WORD=one',
  });
  const marking = (): Plugin => ({
    name: 'marking',
    enforce: 'pre',
    transform: (code, id) =>
      /\.ts$/.test(id)
        ? { code: `${code}\nconsole.log('marked')`, map: null }
        : /\.css$/.test(id)
          ? `${code}\n.marked { color: green }`
          : null,
  });
  await inVite({
    at,
    plugins: (wrap) => [wrap(marking)],
    steps: [
      ['a page more', () => at.write({ 'src/pages/two.ts': 'export default 2' })],
      ['what is composed', () => at.write({ 'src/b.module.css': '.b { color: green }' })],
      ['a variable and a definition', () => at.write({ '.env.local': 'VITE_WORD=two' }), CONFIG],
      ['nothing more', () => {}, CONFIG],
    ],
  });
});

test('the server and the client of one build are told apart', async () => {
  const at = await small();
  const telling = (): Plugin => ({
    name: 'telling',
    sharedDuringBuild: true,
    transform(code, id, options) {
      if (!id.endsWith('b.ts')) return null;
      return { code: `${code}\nconsole.log('${this.environment.name} ${options?.ssr === true}')`, map: null };
    },
  });
  const both = async (plugin: Plugin): Promise<string> => {
    const input = `${at.root}/src/main.ts`;
    const build = (outDir: string): object => ({ outDir, minify: false, rolldownOptions: { input } });
    const builder = await createBuilder({
      root: at.root,
      configFile: false,
      logLevel: 'silent',
      plugins: [plugin],
      environments: { client: { build: build('dist/client') }, ssr: { build: build('dist/ssr') } },
    });
    await Promise.all(Object.values(builder.environments).map((environment) => builder.build(environment)));
    return JSON.stringify(at.read('dist'));
  };
  const plain = await both(telling());
  assert.match(plain, 'ssr true');
  const cache = memoryCache();
  for (const hits of [0, 4]) {
    const plugin = cached(telling, { ...told, cache });
    assert.is(await both(plugin), plain);
    assert.is(cacheReport(plugin).hits, hits);
  }
  at.end();
});

test('a map that is null, empty or none, and other members of an answer, are those of the plugin', async () => {
  const maps: readonly unknown[] = [null, undefined, '', { mappings: '' }, 'none'];
  const at = await small({
    'src/main.ts': maps.map((_, index) => `import './m${index}'`).join('\n'),
    ...Object.fromEntries(maps.map((_, index) => [`src/m${index}.ts`, `console.log(${index})`])),
  });
  const mapping = (): Plugin => ({
    name: 'mapping',
    transform(code, id) {
      const map = maps[Number(/m(\d)\.ts$/.exec(id)?.[1] ?? -1)];
      const answer = { code: `${code};`, meta: { mapping: { id: id.length } }, moduleSideEffects: true };
      return (map === 'none' ? answer : { ...answer, map }) as never;
    },
  });
  const asking: Plugin = {
    name: 'asking',
    generateBundle() {
      const source = JSON.stringify([...this.getModuleIds()].sort().map((id) => this.getModuleInfo(id)?.meta));
      this.emitFile({ type: 'asset', fileName: 'meta.json', source });
    },
  };
  await inVite({ at, plugins: (wrap) => [wrap(mapping), asking] });
});

test('what a plugin parses, resolves and warns of is the same on a hit', async () => {
  const at = await small({ 'src/c.ts': `console.log('c')` });
  const asking = (): Plugin => ({
    name: 'asking',
    async transform(code, id) {
      if (!id.endsWith('b.ts')) return null;
      const { body } = this.parse('let a = 1');
      const found = await this.resolve('./c', id);
      const none = await this.resolve('./none', id);
      return {
        code: `${code}\nconsole.log(${body.length}, '${found?.id.slice(at.root.length)}', ${none === null})`,
        map: null,
      };
    },
  });
  await inVite({
    at,
    plugins: (wrap) => [wrap(asking)],
    steps: [['what was missing', () => at.write({ 'src/none.ts': '' })]],
  });
});

test('an answer that is changed afterwards was kept as it was given', async () => {
  const at = await small({ 'src/main.ts': `import './b'; import './c'`, 'src/c.ts': `console.log('c')` });
  const reusing = (): Plugin => {
    const meta: { shared: string[] } = { shared: [] };
    return {
      name: 'reusing',
      transform(code, id) {
        this.addWatchFile(id);
        meta.shared = [id.slice(-4)];
        return { code: `${code}\nconsole.log(${JSON.stringify(meta.shared)})`, map: null, meta: { reusing: meta } };
      },
    };
  };
  await inVite({ at, plugins: (wrap) => [wrap(reusing)] });
});

test('a plugin of Rollup that is used in two builds depends on the options of each', async () => {
  const at = await small();
  const telling = (): RollupPlugin => {
    let shim = false;
    return {
      name: 'telling',
      buildStart: (options) => {
        shim = options.shimMissingExports;
      },
      transform: (code, id) => (id.endsWith('b.ts') ? `${code}\nconsole.log('${shim}')` : null),
    };
  };
  const both = async (plugin: RollupPlugin): Promise<string[]> => {
    const texts: string[] = [];
    for (const shimMissingExports of [false, true, false]) {
      const made = await rollup({ input: `${at.root}/src/b.ts`, plugins: [plugin], shimMissingExports });
      texts.push((await made.generate({})).output[0].code);
      await made.close();
    }
    return texts;
  };
  const plain = await both(telling());
  assert.is(new Set(plain).size, 2);
  const cache = memoryCache();
  const plugin = (): RollupPlugin => cached(telling, { ...told, cache, root: at.root });
  assert.equal(await both(plugin()), plain);
  const warm = plugin();
  assert.equal(await both(warm), plain);
  // What is asked otherwise in one process is not cached.
  assert.is(cacheReport(warm).hits, 1);
  at.end();
});

test('a build that fails leaves nothing wrong behind', async () => {
  const at = await small({ 'src/main.ts': `import './b'; import './c'`, 'src/c.ts': 'let' });
  const cache = memoryCache();
  const plugin = (): Plugin => cached(() => adding(() => 'x'), { ...told, cache });
  const failed = await viteBuild(at, [plugin()]).catch(() => 'failed');
  assert.is(failed, 'failed');
  at.write({ 'src/c.ts': 'let a' });
  await settle();
  assert.is(await viteBuild(at, [plugin()]), await viteBuild(at, [adding(() => 'x')]));
  at.end();
});

test('an edit in the server is served as without the cache, and the one before it again', async () => {
  const at = await small();
  const urls = ['/src/b.ts'];
  const serve = async (plugin: Plugin): Promise<string[]> => {
    const server = await createServer({
      root: at.root,
      configFile: false,
      logLevel: 'silent',
      cacheDir: `${at.root}/.vite`,
      server: { middlewareMode: true, ws: false, watch: null },
      optimizeDeps: { noDiscovery: true },
      plugins: [plugin],
    });
    const texts: string[] = [];
    for (const text of ['1', '2', '1']) {
      at.write({ 'src/b.ts': `console.log(${text})` });
      await settle();
      server.moduleGraph.onFileChange(`${at.root}/src/b.ts`);
      for (const url of urls) texts.push((await server.transformRequest(url))?.code ?? '');
    }
    await server.close();
    return texts;
  };
  const counting = (): Plugin => {
    let calls = 0;
    // It compares a module with what it was.
    return adding((code) => `${++calls > 1 ? 'changed' : 'new'} ${code.length}`);
  };
  const plain = await serve(counting());
  const cache = memoryCache();
  for (let round = 0; round < 2; round++) assert.equal(await serve(cached(counting, { ...told, cache })), plain);
  at.end();
});

test.run();
