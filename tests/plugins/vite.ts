import { existsSync, readFileSync } from 'node:fs';
import vue from '@vitejs/plugin-vue';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Plugin } from 'vite';
import { libraryCaches } from '../../core/app/library.ts';
import { ReservedCaches } from '../../core/call/caches/reserved-caches.ts';
import { setCacheResolver } from '../../core/call/context.ts';
import { caching } from '../../core/call/switch.ts';
import type { CachedOptions } from '../../plugins/cached/settings.ts';
import { cached, cacheReport } from '../../plugins/vite.ts';
import { decisions, memoryCache, outcomes, served, settle, viteBuild } from './_builds.ts';
import { type Site, site } from './_site.ts';

const FILES = {
  'src/main.ts': `import { createApp } from 'vue'; import A from './A.vue'; createApp(A, { a: '1' }).mount('#app')`,
  'src/A.vue': `<script setup lang="ts">
import B from './B.vue'
const p = defineProps<{ a: string }>()
</script>
<template><div class="x">{{ p.a }}<B /></div></template>
<style scoped>.x { color: red }</style>`,
  'src/B.vue': `<script>export default { data: () => ({ n: 1 }) }</script>
<template><i>{{ n }}</i></template>
<style scoped>i { color: blue }</style>`,
};

async function vueSite(files: Readonly<Record<string, string>> = {}): Promise<Site> {
  const made = site({ ...FILES, ...files });
  await settle();
  return made;
}

test('a build with Vue is the same with and without the cache, cold and warm', async () => {
  const at = await vueSite();
  const cache = memoryCache();
  const without = await viteBuild(at, [vue()]);
  const cold = cached(vue, { options: {}, cache });
  assert.is(await viteBuild(at, [cold]), without);
  assert.is(cacheReport(cold).hits, 0);
  const warm = cached(vue, { options: {}, cache });
  assert.is(await viteBuild(at, [warm]), without);
  const { hits, misses } = cacheReport(warm);
  assert.is(misses, 0);
  assert.is(hits, cacheReport(cold).misses);
  at.end();
});

test('the development server gives the same modules with and without the cache, for browser and requests in part', async () => {
  const at = await vueSite();
  const cache = memoryCache();
  const urls = ['/src/main.ts', '/src/A.vue', '/src/B.vue', '/src/B.vue?vue&type=style&index=0&scoped=true&lang.css'];
  const without = await served(at, [vue()], urls);
  assert.equal(await served(at, [cached(vue, { options: {}, cache })], urls), without);
  const warm = cached(vue, { options: {}, cache });
  assert.equal(await served(at, [warm], urls), without);
  assert.is(cacheReport(warm).misses, 0);
  assert.ok(cacheReport(warm).hits > 0);
  at.end();
});

test('an edited component is made anew and no other', async () => {
  const at = await vueSite();
  const cache = memoryCache();
  await viteBuild(at, [cached(vue, { options: {}, cache })]);
  at.write({ 'src/B.vue': FILES['src/B.vue'].replace('n: 1', 'n: 2') });
  await settle();
  const { list, onDecision } = decisions();
  const text = await viteBuild(at, [cached(vue, { options: {}, cache, onDecision })]);
  assert.is(text, await viteBuild(at, [vue()]));
  assert.match(text, 'n: 2');
  assert.equal(
    outcomes(list, 'miss').filter((one) => !one.includes('B.vue')),
    [],
  );
  assert.ok(outcomes(list, 'hit').some((one) => one.includes('A.vue')));
  at.end();
});

test('part of a module is found by a plugin that was not asked for the whole', async () => {
  const at = await vueSite();
  const cache = memoryCache();
  const without = await viteBuild(at, [vue()]);
  await viteBuild(at, [cached(vue, { options: {}, cache, exclude: /\?/ })]);
  const { list, onDecision } = decisions();
  assert.is(await viteBuild(at, [cached(vue, { options: {}, cache, onDecision })]), without);
  assert.ok(outcomes(list, 'hit').includes('transform src/A.vue'));
  assert.ok(outcomes(list, 'miss').some((one) => one.includes('type=script')));
  at.end();
});

const typeFiles = { fileExists: existsSync, readFile: (path: string) => readFileSync(path, 'utf8') };

test('a component whose types are imported depends on what they resolve to', async () => {
  const at = await vueSite({
    'src/A.vue': FILES['src/A.vue']
      .replace("import B from './B.vue'", "import B from './B.vue'\nimport type { P } from './types'")
      .replace('defineProps<{ a: string }>', 'defineProps<P>'),
    'src/types.tsx': 'export interface P { a: string; old?: string }',
  });
  const cache = memoryCache();
  const plugin = (): Plugin & object => cached(vue({ script: { fs: typeFiles } }), { options: 'fs', cache });
  await viteBuild(at, [plugin()]);
  const warm = plugin();
  await viteBuild(at, [warm]);
  assert.is(cacheReport(warm).misses, 0);
  // It is found before the other one.
  at.write({ 'src/types.ts': 'export interface P { a: string; fresh?: string }' });
  await settle();
  const shadowed = plugin();
  const text = await viteBuild(at, [shadowed]);
  assert.match(text, 'fresh');
  assert.ok(cacheReport(shadowed).misses + cacheReport(shadowed).uncacheable > 1);
  at.end();
});

/** Appends what it is made with, and the file that it has watched. */
function appending(settings: { readonly text: string; readonly watch?: string; readonly map?: boolean }): Plugin {
  return {
    name: 'appending',
    transform: {
      filter: { id: /\.ts$/ },
      handler(code, id) {
        const note = settings.watch === undefined ? '' : readIfThere(settings.watch);
        if (settings.watch !== undefined) this.addWatchFile(settings.watch);
        if (settings.map === true) this.warn(`told of ${id.slice(-7)}`);
        return {
          code: `${code}\nconsole.log(${JSON.stringify([settings.text, note, process.env['FLECHE_TEST_WORD']])})`,
          map: null,
        };
      },
    },
  };
}

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : 'nothing';
}

async function build(
  at: Site,
  settings: Parameters<typeof appending>[0],
  more: Partial<CachedOptions> & Pick<CachedOptions, 'cache'>,
  config: Readonly<Record<string, unknown>> = {},
) {
  const { list, onDecision } = decisions();
  const plugin = cached(appending, { options: settings, identity: '1', onDecision, ...more });
  return { text: await viteBuild(at, [plugin], config), list, plugin };
}

const SMALL = { 'src/main.ts': `import './b'; console.log('main')`, 'src/b.ts': `console.log('b')` };

async function smallSite(more: Readonly<Record<string, string>> = {}): Promise<Site> {
  const at = site({ ...SMALL, ...more });
  await settle();
  return at;
}

test('version, options, environment and configuration are each part of the question', async () => {
  const at = await smallSite();
  const cache = memoryCache();
  const first = await build(at, { text: 'one' }, { cache });
  assert.is(outcomes(first.list, 'miss').length, 2);
  assert.is(outcomes((await build(at, { text: 'one' }, { cache })).list, 'hit').length, 2);
  const reasonsOf = (list: typeof first.list): string => [...new Set(list.flatMap(({ reasons }) => reasons))].join();
  assert.is(reasonsOf((await build(at, { text: 'one' }, { cache, identity: '2' })).list), 'plugin code');
  const option = await build(at, { text: 'two' }, { cache });
  assert.is(reasonsOf(option.list), 'options');
  assert.match(option.text, 'two');
  assert.is(reasonsOf((await build(at, { text: 'one' }, { cache }, { define: { X: '1' } })).list), 'config');
  assert.match(reasonsOf((await build(at, { text: 'one' }, { cache }, { mode: 'staging' })).list), 'config');
  process.env['FLECHE_TEST_WORD'] = 'word';
  const word = await build(at, { text: 'one' }, { cache, env: ['FLECHE_TEST_WORD'] });
  assert.is(reasonsOf(word.list), 'env:FLECHE_TEST_WORD');
  process.env['FLECHE_TEST_WORD'] = 'other';
  assert.match((await build(at, { text: 'one' }, { cache, env: ['FLECHE_TEST_WORD'] })).text, 'other');
  delete process.env['FLECHE_TEST_WORD'];
  at.end();
});

test('a watched file that changes, goes or comes is a miss', async () => {
  const at = await smallSite({ 'note.txt': 'first' });
  const cache = memoryCache();
  const settings = { text: 'x', watch: `${at.root}/note.txt` };
  assert.match((await build(at, settings, { cache })).text, 'first');
  assert.is(outcomes((await build(at, settings, { cache })).list, 'hit').length, 2);
  at.write({ 'note.txt': 'second' });
  await settle();
  const changed = await build(at, settings, { cache });
  assert.match(changed.text, 'second');
  assert.is(changed.list[0]?.reasons.join(), 'file:note.txt');
  at.remove('note.txt');
  assert.match((await build(at, settings, { cache })).text, 'nothing');
  at.write({ 'note.txt': 'first' });
  await settle();
  const back = await build(at, settings, { cache });
  assert.match(back.text, 'first');
  assert.is(outcomes(back.list, 'hit').length, 2);
  at.end();
});

test('a module that is renamed, and one that shadows another, are made on their own', async () => {
  const at = await smallSite();
  const cache = memoryCache();
  await build(at, { text: 'x' }, { cache });
  at.write({ 'src/b.tsx': SMALL['src/b.ts'] });
  at.remove('src/b.ts');
  const renamed = await build(at, { text: 'x' }, { cache });
  assert.equal(outcomes(renamed.list, 'hit'), ['transform src/main.ts']);
  assert.is(outcomes(renamed.list, 'miss').length, 0);
  at.write({ 'src/b.ts': `console.log('shadow')` });
  await settle();
  assert.match((await build(at, { text: 'x' }, { cache })).text, 'shadow');
  at.end();
});

test('warnings are given again on a hit', async () => {
  const at = await smallSite();
  const cache = memoryCache();
  const warnings = async (): Promise<string[]> => {
    const told: string[] = [];
    const config = {
      customLogger: {
        info: () => {},
        warn: (text: string) => told.push(text),
        warnOnce: () => {},
        error: () => {},
        clearScreen: () => {},
        hasErrorLogged: () => false,
        hasWarned: false,
      },
    };
    await build(at, { text: 'x', map: true }, { cache }, config);
    return told.filter((text) => text.includes('told of')).sort();
  };
  const cold = await warnings();
  assert.is(cold.length, 2);
  assert.equal(await warnings(), cold);
  at.end();
});

test('a call that emits a file cannot be cached, and says so', async () => {
  const at = await smallSite();
  const cache = memoryCache();
  const emitting = (): Plugin => ({
    name: 'emitting',
    transform(code, id) {
      if (!id.endsWith('b.ts')) return null;
      this.emitFile({ type: 'asset', fileName: 'b.txt', source: 'b' });
      return { code: `${code};`, map: null };
    },
  });
  for (let round = 0; round < 2; round++) {
    const plugin = cached(emitting, { options: undefined, identity: '1', cache });
    assert.match(await viteBuild(at, [plugin]), 'b.txt');
    assert.ok(cacheReport(plugin).reasons.has('it used this.emitFile'));
  }
  at.end();
});

test('a call that fails is made again', async () => {
  const at = await smallSite();
  const cache = memoryCache();
  let fails = true;
  let calls = 0;
  const failing = (): Plugin => ({
    name: 'failing',
    transform(code, id) {
      if (!id.endsWith('b.ts')) return null;
      calls++;
      if (fails) this.error('not yet');
      return { code: `${code};`, map: null };
    },
  });
  const plugin = (): Plugin => cached(failing, { options: undefined, identity: '1', cache });
  let message = '';
  await viteBuild(at, [plugin()]).catch((error: Error) => {
    message = error.message;
  });
  assert.match(message, 'not yet');
  fails = false;
  await viteBuild(at, [plugin()]);
  await viteBuild(at, [plugin()]);
  assert.is(calls, 2);
  at.end();
});

test('a plugin without an identity and options without a digest are refused', () => {
  assert.throws(() => cached(appending, { options: { text: 'x' } }), /cannot be identified/);
  assert.throws(() => Reflect.apply(cached, undefined, [appending]), /is told what it was made with/);
  assert.throws(
    () => cached({ name: 'x', load: () => null }, { options: { f: () => 1 }, identity: '1' }),
    /options of x\.f/,
  );
  assert.throws(
    () => cached({ name: 'x', load: () => null }, { options: new (class Mine {})(), identity: '1' }),
    /options/,
  );
});

test('of the plugins of Svelte those are left as they are of which nothing is worth keeping', () => {
  const parts = ['load-custom', 'load-compiled-css', 'compile'].map((part) => ({
    name: `vite-plugin-svelte:${part}`,
    load: () => null,
  }));
  const [assets, styles, compiler] = cached(parts, { options: undefined, identity: '1', cache: memoryCache() });
  assert.is(assets, parts[0]);
  assert.is(styles, parts[1]);
  assert.is.not(compiler, parts[2]);
});

test('a cache that does not work costs a warning', async () => {
  const at = await smallSite();
  const broken = memoryCache();
  const fail = (): never => {
    throw new Error('out of order');
  };
  Object.assign(broken.calls, { get: fail, put: fail });
  const told: string[] = [];
  const plain = await viteBuild(at, [appending({ text: 'x' })]);
  const { text } = await build(at, { text: 'x' }, { cache: broken, onWarning: (message) => told.push(message) });
  assert.is(text, plain);
  assert.is(told.length, 1);
  assert.match(told[0] ?? '', 'out of order');
  at.end();
});

test('where no cache is configured answers are kept in the folder of the root', async () => {
  const at = await smallSite();
  const build = async (): Promise<number> => {
    const { list, onDecision } = decisions();
    await viteBuild(at, [cached(appending, { options: { text: 'x' }, identity: '1', onDecision })]);
    return outcomes(list, 'hit').length;
  };
  setCacheResolver(new ReservedCaches());
  try {
    assert.is(await build(), 0);
    assert.is(await build(), 2);
  } finally {
    setCacheResolver(libraryCaches);
  }
  assert.ok(existsSync(`${at.root}/.fleche`));
  at.end();
});

test('with caching switched off every call is made', async () => {
  const at = await smallSite();
  const cache = memoryCache();
  await build(at, { text: 'x' }, { cache });
  const off = caching(false);
  try {
    const { list, plugin } = await build(at, { text: 'x' }, { cache });
    assert.is(outcomes(list, 'uncacheable').length, 2);
    assert.ok(cacheReport(plugin).reasons.has('caching is switched off'));
  } finally {
    off.restore();
  }
  assert.is(outcomes((await build(at, { text: 'x' }, { cache })).list, 'hit').length, 2);
  at.end();
});

test.run();
