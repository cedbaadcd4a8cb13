/** What was made of something goes with it: from a command's output through a transform of a bundler and a function. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import mdx from '@mdx-js/esbuild';
import { build } from 'esbuild';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { InvalidatedCall, Invalidation } from '../../core/call/caches/invalidation.ts';
import { cache, file, fleche, LocalCache } from '../../core/index.ts';
import { cached, cacheReport } from '../../plugins/esbuild.ts';
import { type Rig, withRig } from './_rig.ts';

const FILES = {
  'fleche.config.toml': `[default]
root = true
tasks = ["count"]

[tasks.page]
run = "node page.mjs"
inputs = ["title.txt", "page.mjs"]
outputs = ["gen/**"]

[tasks.count]
run = "node count.mjs"
needs = ["page"]
inputs = ["count.mjs"]
outputs = ["count.txt"]
`,
  'title.txt': 'Hello',
  'page.mjs': `import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
mkdirSync('gen', { recursive: true });
writeFileSync('gen/page.mdx', '# ' + readFileSync('title.txt', 'utf8') + '\\n');
writeFileSync('gen/other.mdx', 'the same\\n');
`,
  'count.mjs': `import { readFileSync, writeFileSync } from 'node:fs';
writeFileSync('count.txt', String(readFileSync('gen/page.mdx', 'utf8').length));
`,
  'main.ts': `import Page from './gen/page.mdx'; import Mine from './mine.mdx'; console.log(Page, Mine)`,
  'mine.mdx': 'not made by anybody\n',
};

let calls = 0;
const heading = fleche(
  (page: ReturnType<typeof file>) => {
    calls++;
    return `of ${page.path}`;
  },
  { name: 'heading', module: null, code: 'manual' },
);
const shout = fleche((text: string) => text.toUpperCase(), { name: 'shout', module: null, code: 'manual' });

/** Runs the pipeline, a bundler and two functions with one cache. The outcomes, and what the plugin took from the cache. */
async function work(rig: Rig): Promise<readonly unknown[]> {
  const { outcomes } = await rig.run();
  const store = new LocalCache(rig.path('.fleche'));
  const plugin = cached(mdx, { options: undefined, cache: store });
  mkdirSync(join(rig.aside, 'out'), { recursive: true });
  await build({
    absWorkingDir: rig.root,
    entryPoints: ['main.ts'],
    bundle: true,
    outdir: join(rig.aside, 'out'),
    external: ['react', 'react/*'],
    plugins: [plugin],
    logLevel: 'silent',
  });
  calls = 0;
  cache(store, () => shout(heading(file('gen/page.mdx', { root: rig.root }))));
  await store.close();
  return [outcomes['page'], outcomes['count'], cacheReport(plugin).hits, calls];
}

/** Names of calls, each followed by those that were made of it. */
function shape(calls: readonly InvalidatedCall[]): readonly unknown[] {
  return calls
    .map(({ name, kind, through, dependents }) => [kind, name, through, ...shape(dependents)])
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

test('invalidating a task, a file or a key takes tasks, transforms and functions along, and nothing else', async () => {
  await withRig(FILES, async (rig) => {
    assert.equal(await work(rig), ['ran', 'ran', 0, 1]);
    assert.equal(await work(rig), ['cached', 'cached', 2, 0]);
    const invalidate = async (...args: readonly string[]): Promise<Invalidation> => {
      const { code, stdout, stderr } = await rig.fleche(['invalidate', '--json', ...args]);
      assert.is(code, 0, stderr);
      return JSON.parse(stdout);
    };
    const made = [
      ['function', 'heading', 'arg:page', ['function', 'shout', 'arg:text']],
      ['task', 'count', 'need:page'],
      ['transform', '@mdx-js/esbuild onLoad', 'file'],
    ];
    const planned = await invalidate('page', '--dry-run');
    assert.equal([planned.count, shape(planned.calls)], [5, [['task', 'page', null, ...made]]]);
    assert.equal(await work(rig), ['cached', 'cached', 2, 0], 'a dry run changes nothing');
    const tree = (await rig.fleche(['invalidate', 'page', '--dry-run'])).stdout;
    assert.match(tree, /^- page task .*\n( {2}- .*\n)+/);
    assert.match(tree, /\n {4}- shout function .* by arg:text\n/);
    assert.match(tree, /would invalidate 5 calls\n$/);

    for (const what of ['title.txt', planned.calls[0]?.key ?? '']) {
      assert.is((await invalidate(what)).count, 5, what);
      assert.equal(await work(rig), ['ran', 'ran', 1, 1], what);
    }
    // A file stands for those that read it and for those that wrote it.
    assert.is((await invalidate('gen/page.mdx')).count, 5);
    assert.equal(await work(rig), ['ran', 'ran', 1, 1]);
    assert.equal(shape((await invalidate('mine.mdx')).calls), [['transform', '@mdx-js/esbuild onLoad', null]]);
    assert.equal(await work(rig), ['cached', 'cached', 1, 0]);
    assert.is((await invalidate('shout')).count, 1);
  });
});

test.run();
