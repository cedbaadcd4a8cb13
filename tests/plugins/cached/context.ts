/** What plugins do beside answering: it is done again on a hit, counts as an input, or keeps the call from being cached. */
import { writeFileSync } from 'node:fs';
import { type Plugin as RollupPlugin, rollup } from 'rollup';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Plugin } from 'vite';
import type { CachedOptions } from '../../../plugins/cached/settings.ts';
import { cached, cacheReport } from '../../../plugins/vite.ts';
import { decisions, memoryCache, outcomes, settle, viteBuild } from '../_builds.ts';
import { type Site, site } from '../_site.ts';

const FILES = { 'src/main.ts': `import './b'; console.log('main')`, 'src/b.ts': `console.log('b')` };

async function small(more: Readonly<Record<string, string>> = {}): Promise<Site> {
  const at = site({ ...FILES, ...more });
  await settle();
  return at;
}

const told = { options: undefined, identity: '1' } as const;

type Act = (this: ThisParameterType<Extract<Plugin['transform'], (...args: never) => unknown>>, id: string) => unknown;

/** A plugin that does something for `b.ts`. */
const acting = (act: Act): Plugin => ({
  name: 'acting',
  async transform(code, id) {
    if (!id.endsWith('b.ts')) return null;
    await act.call(this, id);
    return { code: `${code};`, map: null };
  },
});

const OBSTACLES: Readonly<Record<string, Act>> = {
  emitFile() {
    this.emitFile({ type: 'asset', fileName: 'b.txt', source: 'b' });
  },
  load(id) {
    return this.load({ id: id.replace('b.ts', 'main.ts') });
  },
  getModuleInfo(id) {
    this.getModuleInfo(id);
  },
  getModuleIds() {
    return [...this.getModuleIds()];
  },
  fs(id) {
    return this.fs.readFile(id);
  },
};

for (const [name, act] of Object.entries(OBSTACLES)) {
  test(`a call that uses this.${name} is made each time, and it is said why`, async () => {
    const at = await small();
    const cache = memoryCache();
    const without = await viteBuild(at, [acting(act)]);
    for (let round = 0; round < 2; round++) {
      const plugin = cached(acting(act), { ...told, cache });
      assert.is(await viteBuild(at, [plugin]), without);
      assert.ok(cacheReport(plugin).reasons.has(`it used this.${name}`));
    }
    at.end();
  });
}

test('what only Rollup has keeps a call from being cached too', async () => {
  const at = await small();
  const cache = memoryCache();
  const using = (): RollupPlugin => ({
    name: 'using',
    transform(code) {
      this.emitFile({
        type: 'asset',
        name: 'b.txt',
        source: `${code.length} ${this.getWatchFiles().length} ${this.cache.has('a')}`,
      });
      return `${code};`;
    },
  });
  for (let round = 0; round < 2; round++) {
    const plugin = cached(using(), { ...told, cache });
    const bundle = await rollup({ input: `${at.root}/src/b.ts`, plugins: [plugin] });
    const { output } = await bundle.generate({});
    await bundle.close();
    assert.is(output.length, 2);
    const reasons = ['getWatchFiles', 'cache', 'emitFile'].map((name) => `it used this.${name}`);
    assert.equal([...cacheReport(plugin).reasons.keys()].sort(), reasons.sort());
  }
  at.end();
});

test('a module without a file is not cached, and it is said why', async () => {
  const at = await small({ 'src/b.ts': `import v from 'virtual:v'; console.log(v)` });
  const cache = memoryCache();
  let value = 1;
  const virtual = (): Plugin => ({
    name: 'virtual',
    resolveId: (source) => (source === 'virtual:v' ? '\0virtual:v' : null),
    load: (id) => (id === '\0virtual:v' ? `export default 'value ${value}'` : null),
  });
  for (; value < 3; value++) {
    const plugin = cached(virtual(), { ...told, cache });
    assert.match(await viteBuild(at, [plugin]), `value ${value}`);
    assert.ok(cacheReport(plugin).reasons.has('there is no file behind the module'));
  }
  at.end();
});

test('filters, order and conditions of hooks are those of the plugin', async () => {
  const at = await small();
  const cache = memoryCache();
  const mark = (word: string, more: Partial<Plugin>): Plugin => ({
    name: word,
    transform: {
      filter: { id: /b\.ts$/ },
      order: 'pre',
      handler: (code) => ({ code: `${code}\nconsole.log('${word}')`, map: null }),
    },
    ...more,
  });
  const plugins = (wrap: (plugin: Plugin) => Plugin): Plugin[] => [
    wrap(mark('late', { enforce: 'post' })),
    wrap(mark('early', { enforce: 'pre' })),
    wrap(mark('never', { apply: 'serve' })),
  ];
  const without = await viteBuild(
    at,
    plugins((plugin) => plugin),
  );
  assert.not.match(without, 'never');
  for (const outcome of ['miss', 'hit'] as const) {
    const { list, onDecision } = decisions();
    assert.is(
      await viteBuild(
        at,
        plugins((plugin) => cached(plugin, { ...told, cache, onDecision })),
      ),
      without,
    );
    assert.equal(outcomes(list, outcome), ['transform src/b.ts', 'transform src/b.ts']);
    assert.is(list.length, 2);
  }
  at.end();
});

test('another order of plugins is another question', async () => {
  const at = await small();
  const cache = memoryCache();
  const other: Plugin = {
    name: 'other',
    transform: (code, id) => (id.endsWith('b.ts') ? { code: `${code}\nconsole.log('other')`, map: null } : null),
  };
  const counting = (): Plugin => ({
    name: 'counting',
    transform: (code, id) =>
      id.endsWith('b.ts') ? { code: `${code}\nconsole.log('of ${code.length}')`, map: null } : null,
  });
  const build = async (order: (plugin: Plugin) => Plugin[]): Promise<string[]> => {
    const { list, onDecision } = decisions();
    const text = await viteBuild(at, order(cached(counting(), { ...told, cache, onDecision })));
    assert.is(text, await viteBuild(at, order(counting())));
    return outcomes(list, 'miss');
  };
  assert.is((await build((plugin) => [plugin, other])).length, 2);
  assert.equal(await build((plugin) => [other, plugin]), ['transform src/b.ts']);
  assert.equal(await build((plugin) => [plugin, other]), []);
  at.end();
});

test('options are compared by value, whatever they are made of, and refused where that cannot be', async () => {
  const at = await small();
  const cache = memoryCache();
  const outcome = async (options: unknown): Promise<string> => {
    const plugin = cached(
      acting(() => {}),
      { options, identity: '1', cache },
    );
    await viteBuild(at, [plugin]);
    return cacheReport(plugin).hits > 0 ? 'hit' : 'miss';
  };
  const values: readonly (() => unknown)[] = [
    () => ({ include: /\.b$/g }),
    () => ({ include: /\.b$/i }),
    () => ({ include: [/\.b$/i] }),
    () => ({ map: new Map([['a', { deep: [1, new Date(0)] }]]) }),
    () => ({ map: new Map([['a', { deep: [2, new Date(0)] }]]) }),
    () => ({ set: new Set(['a', 'b']) }),
    () => ({ a: undefined }),
    () => ({}),
    () => ({ a: null }),
    () => ({ a: -0 }),
    () => ({ a: 0 }),
  ];
  for (const value of values) assert.is(await outcome(value()), 'miss');
  for (const value of values) assert.is(await outcome(value()), 'hit');
  assert.is(await outcome({ a: 1, b: 2 }), 'miss');
  assert.is(await outcome({ b: 2, a: 1 }), 'hit');
  class Settings {
    readonly word = 'x';
  }
  for (const options of [
    { a: [{ b: () => 1 }] },
    { a: new Map([['f', () => 1]]) },
    { a: new Settings() },
    { a: Promise.resolve() },
    new WeakMap(),
  ])
    assert.throws(
      () =>
        cached(
          acting(() => {}),
          { options, identity: '1', cache },
        ),
      /options/,
    );
  at.end();
});

test('what is used beside the module and changes while calls are made is no input that can be told', async () => {
  const at = await small({ 'theme/a.txt': 'one' });
  const cache = memoryCache();
  let writes = true;
  const using = (): Plugin =>
    acting(() => {
      if (writes) writeFileSync(`${at.root}/theme/a.txt`, 'two');
    });
  const build = async (more: Partial<CachedOptions> = {}): Promise<string[]> => {
    const { list, onDecision } = decisions();
    await viteBuild(at, [cached(using(), { ...told, cache, uses: ['theme'], onDecision, ...more })]);
    return outcomes(list, 'hit');
  };
  await build();
  writes = false;
  at.write({ 'theme/a.txt': 'one' });
  await settle();
  assert.equal(await build(), []);
  assert.is((await build()).length, 2);
  at.write({ 'theme/b.txt': '' });
  await settle();
  assert.equal(await build(), []);
  at.end();
});

test.run();
