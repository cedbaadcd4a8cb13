/** Several bundlers in several processes share one cache folder. */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LocalCache } from '../../core/call/caches/local-cache.ts';
import { settle } from './_builds.ts';
import { type Built, type Bundler, buildMarked, MARKED } from './_marking.ts';
import { site } from './_site.ts';

interface Shared extends Built {
  readonly warnings: readonly string[];
}

async function inProcess(bundler: Bundler, root: string, folder: string, end = 'close'): Promise<Shared> {
  const program = `${import.meta.dirname}/_shared-process.ts`;
  const child = spawn(process.execPath, ['--import', 'tsx', program, bundler, root, folder, end], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const printed = await text(child.stdout);
  return JSON.parse(printed) as Shared;
}

const MANY = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`app/src/m${n}.ts`, `console.log(${n})`]));
const IMPORTS = Object.keys(MANY).map((path) => `import './${path.slice('app/src/'.length, -3)}';`);

test('two bundlers and several processes share a cache, and each gets what it would have made itself', async () => {
  const at = site({ ...MARKED, ...MANY, 'app/src/main.ts': `${MARKED['app/src/main.ts']}\n${IMPORTS.join('\n')}` });
  const root = `${at.root}/app`;
  const folder = `${at.root}/cache`;
  await settle();
  const all: readonly Bundler[] = ['vite', 'esbuild', 'vite', 'esbuild'];
  const plain = {
    vite: (await buildMarked('vite', root, {}, { isPlain: true })).text,
    esbuild: (await buildMarked('esbuild', root, {}, { isPlain: true })).text,
  };
  const cold = await Promise.all(all.map((bundler) => inProcess(bundler, root, folder)));
  for (const [index, bundler] of all.entries()) {
    assert.is(cold[index]?.text, plain[bundler]);
    assert.equal(cold[index]?.warnings, []);
    assert.is((cold[index]?.misses.length ?? 0) + (cold[index]?.hits.length ?? 0), 43);
  }
  // In this process both at once.
  const cache = new LocalCache(folder);
  const warm = await Promise.all(all.slice(0, 2).map((bundler) => buildMarked(bundler, root, { cache })));
  for (const [index, { text, hits, misses }] of warm.entries()) {
    assert.equal([text, hits.length, misses], [plain[all[index] ?? 'vite'], 43, []]);
  }
  await cache.close();
  at.end();
});

for (const bundler of ['vite', 'esbuild'] as const) {
  test(`${bundler}: what a process filed is kept though it exits as soon as the bundler is done`, async () => {
    const at = site(MARKED);
    const root = `${at.root}/app`;
    await settle();
    const first = await inProcess(bundler, root, `${at.root}/cache`, 'exit');
    assert.is(first.misses.length, 3);
    const again = await inProcess(bundler, root, `${at.root}/cache`);
    assert.equal([again.hits.length, again.misses, again.text], [3, [], first.text]);
    at.end();
  });
}

test('a cache folder that is removed while it is in use costs answers and a warning, never the build', async () => {
  const at = site(MARKED);
  const root = `${at.root}/app`;
  await settle();
  const folder = `${at.root}/cache`;
  const told: string[] = [];
  const cache = new LocalCache(folder, { onTrouble: (message) => told.push(message) });
  const first = await buildMarked('vite', root, { cache });
  rmSync(folder, { recursive: true });
  assert.is((await buildMarked('vite', root, { cache }, { word: 'new' })).misses.length, 3);
  assert.is((await buildMarked('vite', root, { cache })).text, first.text);
  assert.is(told.length, 1);
  await cache.close();
  at.end();
});

test.run();
