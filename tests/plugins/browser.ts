/** Outputs of tasks in a page: Vite's server and a real browser. */
import { spawnSync } from 'node:child_process';
import { type Browser, chromium } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createServer } from 'vite';
import { pipeline } from '../../plugins/pipeline.ts';
import { settle } from './_builds.ts';
import { site } from './_site.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** The browser of this machine; `.ci/servers` installs one. */
function browserPath(): string | undefined {
  const given = process.env['FLECHE_TEST_BROWSER'];
  if (given !== undefined) return given;
  const found = NAMES.map((name) => spawnSync('which', [name], { encoding: 'utf8' }).stdout?.trim() ?? '');
  return found.find((path) => path !== '');
}

const FILES = {
  'fleche.config.toml': `[default]
root = true

[tasks.words]
run = "mkdir -p made && tr a-z A-Z < words.txt > made/upper.txt"
inputs = ["words.txt"]
outputs = ["made/**"]

[tasks.codegen]
run = "node gen.mjs"
inputs = ["gen.mjs", "made/upper.txt"]
outputs = ["generated/**"]
needs = ["words"]
`,
  'gen.mjs': `import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
mkdirSync('generated', { recursive: true });
writeFileSync('generated/data.json', JSON.stringify({ title: readFileSync('made/upper.txt', 'utf8').trim() }));`,
  'words.txt': 'first words\n',
  'index.html': '<!doctype html><h1></h1><script type="module" src="/src/main.ts"></script>',
  'src/main.ts': `import data from 'fleche:codegen/data.json';
document.querySelector('h1')!.textContent = data.title;
import.meta.hot?.accept();`,
};

test('a page shows what a task made, and an edit upstream of it arrives without a reload', async () => {
  const executablePath = browserPath();
  if (executablePath === undefined) {
    process.stderr.write(
      'NOT RUN: browser: chromium is not here; .ci/servers installs it, FLECHE_TEST_BROWSER can name one\n',
    );
    return;
  }
  const at = site(FILES);
  await settle();
  const server = await createServer({
    root: at.root,
    configFile: false,
    logLevel: 'silent',
    cacheDir: `${at.root}/.vite`,
    server: { host: '127.0.0.1', port: 0 },
    optimizeDeps: { noDiscovery: true },
    plugins: [pipeline.vite()],
  });
  let browser: Browser | undefined;
  try {
    await server.listen();
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
    const page = await browser.newPage();
    let loads = 0;
    page.on('load', () => loads++);
    await page.goto(server.resolvedUrls?.local[0] ?? '');
    const shows = (text: string): Promise<unknown> =>
      page.waitForFunction(`document.querySelector('h1').textContent === ${JSON.stringify(text)}`, null, {
        timeout: 60_000,
      });
    await shows('FIRST WORDS');
    await page.evaluate('window.marker = 1');
    at.write({ 'words.txt': 'other words\n' });
    await shows('OTHER WORDS');
    at.write({ 'gen.mjs': FILES['gen.mjs'].replace(`'utf8')`, `'utf8').toLowerCase()`) });
    await shows('other words');
    assert.is(await page.evaluate('window.marker'), 1);
    assert.is(loads, 1);
  } finally {
    await browser?.close();
    await server.close();
    at.end();
  }
});

test.run();
