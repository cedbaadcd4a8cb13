import { readFileSync } from 'node:fs';
import mdx from '@mdx-js/esbuild';
import type { Plugin } from 'esbuild';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CachedOptions } from '../../plugins/cached/settings.ts';
import { cached, cacheReport } from '../../plugins/esbuild.ts';
import { bundle, decisions, memoryCache, outcomes, settle } from './_builds.ts';
import { type Site, site } from './_site.ts';

const FILES = {
  'src/main.ts': `import A from './a.mdx'; import B from './b.mdx'; console.log(A, B)`,
  'src/a.mdx': '# A\n\nSome *text* and {1 + 1}.\n',
  'src/b.mdx': '# B\n\n```js\nlet x\n```\n',
};

async function mdxSite(files: Readonly<Record<string, string>> = FILES): Promise<Site> {
  const at = site(files);
  await settle();
  return at;
}

test('a build with MDX is the same with and without the cache, cold and warm', async () => {
  const at = await mdxSite();
  const cache = memoryCache();
  const without = await bundle(at, [mdx()]);
  const cold = cached(mdx, { options: undefined, cache });
  assert.is(await bundle(at, [cold]), without);
  assert.is(cacheReport(cold).misses, 2);
  const warm = cached(mdx, { options: undefined, cache });
  assert.is(await bundle(at, [warm]), without);
  assert.is(cacheReport(warm).hits, 2);
  at.end();
});

test('a build in another folder is as without the cache, and from it where the plugin is portable', async () => {
  const cache = memoryCache();
  const built: [string, number][] = [];
  for (const portable of [false, true, true]) {
    const at = await mdxSite();
    const plugin = cached(mdx, { options: {}, cache, portable });
    assert.is(await bundle(at, [plugin]), await bundle(at, [mdx()]));
    built.push(['mdx', cacheReport(plugin).hits]);
    const small = await mdxSite({ 'src/main.ts': `import './a.txt'`, 'src/a.txt': 'a' });
    const text = (): Plugin => ({
      name: 'text',
      setup: (build) => build.onLoad({ filter: /\.txt$/ }, () => ({ contents: 'alert(1)', resolveDir: small.root })),
    });
    const other = cached(text, { options: {}, identity: '1', cache, portable });
    assert.is(await bundle(small, [other]), await bundle(small, [text()]));
    built.push(['text', cacheReport(other).hits]);
    at.end();
    small.end();
  }
  // Source maps of MDX name files by their whole paths.
  assert.equal(built.slice(2), [
    ['mdx', 0],
    ['text', 0],
    ['mdx', 0],
    ['text', 1],
  ]);
});

test('other options, contents and settings of esbuild are misses', async () => {
  const at = await mdxSite();
  const cache = memoryCache();
  const misses = async (options: object, config: Readonly<Record<string, unknown>> = {}): Promise<string[]> => {
    const { list, onDecision } = decisions();
    const text = await bundle(at, [cached(mdx, { options, cache, onDecision })], config);
    assert.is(text, await bundle(at, [mdx(options)], config));
    return outcomes(list, 'miss');
  };
  assert.is((await misses({})).length, 2);
  assert.is((await misses({})).length, 0);
  assert.is((await misses({ jsxImportSource: 'preact' }, { external: ['preact', 'preact/*'] })).length, 2);
  assert.is((await misses({}, { define: { X: '1' } })).length, 2);
  at.write({ 'src/b.mdx': '# Other\n' });
  await settle();
  assert.equal(await misses({}), ['onLoad src/b.mdx']);
  at.end();
});

test('functions in options are refused until they are identified', () => {
  const plugin = (): void => {};
  assert.throws(() => cached(mdx, { options: { remarkPlugins: [plugin] } }), /remarkPlugins\[0\] is a function/);
  cached(mdx, { options: { remarkPlugins: [plugin] }, functions: { uvu: plugin } });
});

/** Loads `.txt` modules, which may name another file to include; watches that. */
function including(settings: { readonly folder?: string } = {}): Plugin {
  return {
    name: 'including',
    setup: (build) => {
      build.onLoad({ filter: /\.txt$/ }, async ({ path }) => {
        const note = `${path}.note`;
        const found = await build.resolve('./b', { resolveDir: `${path}/..`, kind: 'import-statement' });
        return {
          contents: `export default ${JSON.stringify([readFileSync(path, 'utf8'), text(note), found.path.slice(-5)])}`,
          watchFiles: [note],
          ...(settings.folder === undefined ? {} : { watchDirs: [settings.folder] }),
          warnings: [{ text: `read ${path.slice(-5)}` }],
        };
      });
    },
  };
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return 'nothing';
  }
}

const TEXTS = { 'src/main.ts': `import a from './a.txt'; console.log(a)`, 'src/a.txt': 'a', 'src/b.ts': '' };

async function load(at: Site, more: Partial<CachedOptions>, plugin = including): Promise<string> {
  const made = cached(plugin, { options: undefined, identity: '1', ...more });
  const built = await bundle(at, [made]);
  assert.is(built, await bundle(at, [plugin(more.options as never)]));
  const { hits, misses } = cacheReport(made);
  return hits > 0 ? 'hit' : misses > 0 ? 'miss' : 'uncacheable';
}

test('watched files and folders and what imports resolve to are looked at again', async () => {
  const at = await mdxSite(TEXTS);
  const cache = memoryCache();
  const options = { folder: `${at.root}/src` };
  const outcome = (): Promise<string> => load(at, { cache, options });
  assert.is(await outcome(), 'miss');
  assert.is(await outcome(), 'hit');
  at.write({ 'src/a.txt.note': 'note' });
  await settle();
  assert.is(await outcome(), 'miss');
  assert.is(await outcome(), 'hit');
  at.write({ 'src/a.txt.note': 'other' });
  await settle();
  assert.is(await outcome(), 'miss');
  at.write({ 'src/new.txt': '' });
  await settle();
  assert.is(await outcome(), 'miss');
  at.remove('src/new.txt');
  assert.is(await outcome(), 'hit');
  at.write({ 'src/b.tsx': '' });
  await settle();
  assert.is(await outcome(), 'miss');
  at.end();
});

test('a file that a new one shadows in resolution is a miss without any watched folder', async () => {
  const at = await mdxSite(TEXTS);
  const cache = memoryCache();
  assert.is(await load(at, { cache }), 'miss');
  assert.is(await load(at, { cache }), 'hit');
  at.write({ 'src/b.tsx': '' });
  await settle();
  assert.is(await load(at, { cache }), 'miss');
  at.end();
});

test('a deleted module fails as without the cache', async () => {
  const at = await mdxSite();
  const cache = memoryCache();
  const run = (): Promise<string> => bundle(at, [cached(mdx, { options: {}, cache })]);
  await run();
  at.remove('src/b.mdx');
  let message = '';
  await run().catch((error: Error) => {
    message = error.message;
  });
  assert.match(message, 'b.mdx');
  at.end();
});

test('results with errors are made again', async () => {
  const at = await mdxSite({ 'src/main.ts': `import './a.mdx'`, 'src/a.mdx': '# A {' });
  const cache = memoryCache();
  for (let round = 0; round < 2; round++) {
    const plugin = cached(mdx, { options: {}, cache });
    assert.is(await bundle(at, [plugin]).catch(() => 'failed'), 'failed');
    assert.ok(cacheReport(plugin).reasons.has('it found errors'));
  }
  at.end();
});

test('plugins that may keep something between their hooks are not cached unless they say that they do not', async () => {
  const at = await mdxSite(TEXTS);
  const cache = memoryCache();
  const collecting = (): Plugin => ({
    name: 'collecting',
    setup: (build) => {
      including().setup(build);
      build.onEnd(() => {});
    },
  });
  await load(at, { cache }, collecting);
  assert.is(await load(at, { cache }, collecting), 'uncacheable');
  await load(at, { cache, stateless: true }, collecting);
  assert.is(await load(at, { cache, stateless: true }, collecting), 'hit');
  at.end();
});

test('plugin data that has no digest makes a load uncacheable', async () => {
  const at = await mdxSite(TEXTS);
  const cache = memoryCache();
  const passing = (): Plugin => ({
    name: 'passing',
    setup: (build) => {
      build.onLoad({ filter: /\.txt$/ }, () => ({ contents: '', pluginData: { f: () => 1 } }));
    },
  });
  await load(at, { cache }, passing);
  assert.is(await load(at, { cache }, passing), 'uncacheable');
  at.end();
});

test.run();
