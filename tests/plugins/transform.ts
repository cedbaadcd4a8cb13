import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Plugin } from 'vite';
import { defineTransform } from '../../plugins/transform.ts';
import { cacheReport } from '../../plugins/vite.ts';
import { bundle, decisions, memoryCache, outcomes, settle, viteBuild } from './_builds.ts';
import { type Site, site } from './_site.ts';

const tokens = defineTransform<{ readonly suffix: string }>({
  name: 'tokens',
  version: 1,
  filter: /\.tokens$/,
  async transform(context, code, id) {
    const base = context.near('base.txt');
    if (code.trim() === '') context.warn(`nothing in ${id.slice(-8)}`);
    const found = await context.resolve('./theme');
    return `export default ${JSON.stringify({
      code,
      base: base && (await context.read(base)),
      themes: context.list('themes'),
      brand: context.env('FLECHE_TEST_BRAND'),
      theme: found?.split('/').at(-1),
      suffix: context.options.suffix,
    })}`;
  },
});

const FILES = {
  'src/main.ts': `import a from './a.tokens'; console.log(a)`,
  'src/a.tokens': 'red',
  'src/theme.jsx': '',
  'src/themes/dark.txt': '',
  'base.txt': 'base',
};

type Build = (at: Site, suffix?: string) => Promise<readonly [outcome: string, reasons: string, text: string]>;

function builds(): readonly (readonly [name: string, build: Build])[] {
  const cache = memoryCache();
  const run = (make: (at: Site, onDecision: never, options: { suffix: string }) => Promise<string>): Build => {
    return async (at, suffix = '!') => {
      const { list, onDecision } = decisions();
      const text = await make(at, onDecision as never, { suffix });
      return [list[0]?.outcome ?? '', list[0]?.reasons.join() ?? '', text];
    };
  };
  return [
    ['esbuild', run((at, onDecision, options) => bundle(at, [tokens.esbuild(options, { cache, onDecision })]))],
    ['vite', run((at, onDecision, options) => viteBuild(at, [tokens.vite(options, { cache, onDecision }) as Plugin]))],
  ];
}

for (const [name, build] of builds()) {
  test(`${name}: everything that a transform looked at counts, and nothing else`, async () => {
    const at = site(FILES);
    await settle();
    const expect = async (outcome: string, reason = ''): Promise<string> => {
      await settle();
      const [found, reasons, text] = await build(at);
      assert.is(found, outcome);
      assert.ok(reasons.includes(reason), `${reasons} has ${reason}`);
      return text;
    };
    await expect('miss');
    const text = await expect('hit');
    at.write({ 'src/other.txt': '', 'src/main.ts': `${FILES['src/main.ts']};` });
    await expect('hit');
    at.write({ 'base.txt': 'changed' });
    assert.match(await expect('miss', 'file:base.txt'), 'changed');
    at.write({ 'src/base.txt': 'nearer' });
    assert.match(await expect('miss', 'probe:src/base.txt'), 'nearer');
    at.remove('src/base.txt');
    at.write({ 'base.txt': 'base' });
    await expect('hit');
    at.write({ 'src/themes/light.txt': '' });
    assert.match(await expect('miss', 'list:src/themes'), 'light');
    at.remove('src/themes/light.txt');
    at.write({ 'src/theme.ts': '' });
    assert.not.match(await expect('miss', 'resolve:["./theme"'), 'theme.jsx');
    at.remove('src/theme.ts');
    process.env['FLECHE_TEST_BRAND'] = 'acme';
    assert.match(await expect('miss', 'env:FLECHE_TEST_BRAND'), 'acme');
    delete process.env['FLECHE_TEST_BRAND'];
    assert.is((await build(at, '?'))[1], 'options');
    assert.is(typeof text, 'string');
    at.end();
  });
}

test('the parts of a warm build are hits for each bundler', async () => {
  const at = site({ ...FILES, 'src/a.tokens': '' });
  await settle();
  const cache = memoryCache();
  for (const outcome of ['miss', 'hit'] as const) {
    const { list, onDecision } = decisions();
    const plugin = tokens.rollup({ suffix: '' }, { cache, onDecision });
    await viteBuild(at, [plugin as Plugin]);
    assert.equal(outcomes(list, outcome), ['transform src/a.tokens']);
    assert.is(cacheReport(plugin)[outcome === 'hit' ? 'hits' : 'misses'], 1);
  }
  const first = await bundle(at, [tokens.esbuild({ suffix: '' }, { cache })]);
  assert.match(first, 'nothing in a.tokens');
  assert.is(await bundle(at, [tokens.esbuild({ suffix: '' }, { cache })]), first);
  at.end();
});

test.run();
