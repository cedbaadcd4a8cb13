/** The plugins for Vite with Rollup itself. */
import { type Plugin, type RollupLog, rollup } from 'rollup';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pipeline } from '../../plugins/pipeline.ts';
import { defineTransform } from '../../plugins/transform.ts';
import { cached, cacheReport } from '../../plugins/vite.ts';
import { memoryCache, settle } from './_builds.ts';
import { type Site, site } from './_site.ts';

const FILES = {
  'fleche.config.toml': `[default]
root = true
[tasks.gen]
run = "mkdir -p gen && sed 's/^/export default /' value.txt > gen/value.js"
inputs = ["value.txt"]
outputs = ["gen/**"]
`,
  'value.txt': '41',
  'main.js': `import a from './a.tokens'; import value from 'fleche:gen/value.js'; console.log(a, value);`,
  'a.tokens': 'red',
  'base.txt': 'base',
};

const tokens = defineTransform<{ readonly suffix: string }>({
  name: 'tokens',
  version: 1,
  filter: /\.tokens$/,
  async transform(context, code) {
    context.warn(`read ${code}`);
    return `export default ${JSON.stringify([code, await context.read('base.txt'), context.options.suffix])}`;
  },
});

const marking = (): Plugin => ({
  name: 'marking',
  transform: (code: string, id: string) => (id.endsWith('main.js') ? { code: `${code}\n// marked`, map: null } : null),
});

async function build(at: Site, plugins: readonly Plugin[]): Promise<readonly [code: string, warnings: string]> {
  const warnings: string[] = [];
  const bundle = await rollup({
    input: `${at.root}/main.js`,
    plugins: [...plugins],
    onLog: (_, log: RollupLog) => warnings.push(log.message),
  });
  const { output } = await bundle.generate({ format: 'es' });
  await bundle.close();
  return [output[0].code, warnings.join()];
}

test('cached plugins, own transforms and outputs of tasks work with Rollup, cold and warm', async () => {
  const at = site(FILES);
  await settle();
  const cache = memoryCache();
  const plugins = (): Plugin[] => [
    pipeline.rollup({ cwd: at.root, types: false }),
    tokens.rollup({ suffix: '!' }, { cache, root: at.root }),
    cached(marking, { options: undefined, identity: '1', cache, root: at.root }),
  ];
  const report = ([, transform, wrapped]: readonly object[]): readonly number[] =>
    [transform, wrapped].flatMap((one) => [cacheReport(one ?? {}).hits, cacheReport(one ?? {}).misses]);
  const cold = plugins();
  const first = await build(at, cold);
  assert.match(first[0], '41');
  assert.match(first[0], '// marked');
  assert.match(first[1], 'read red');
  assert.equal(report(cold), [0, 1, 0, 3]);
  const warm = plugins();
  assert.equal(await build(at, warm), first);
  assert.equal(report(warm), [1, 0, 3, 0]);
  at.write({ 'base.txt': 'other', 'value.txt': '42' });
  await settle();
  const changed = plugins();
  const [code] = await build(at, changed);
  assert.match(code, 'other');
  assert.match(code, '42');
  // What the task has just written is not kept: it could change once more without its time telling.
  assert.equal(report(changed).slice(0, 3), [0, 1, 1]);
  at.end();
});

test.run();
