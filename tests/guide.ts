/** The guides do what they say: their code is run from top to bottom, and prints what is shown below it. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { load, thrown } from './app/config/_project.ts';

const ROOT = resolve(import.meta.dirname, '..');

interface Block {
  readonly code: string;
  /** What is shown below it; undefined if nothing is. */
  readonly shown: string | undefined;
  /** Line of the guide, from 1. */
  readonly line: number;
}

function blocksOf(text: string): readonly Block[] {
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```\n)?/gm)].map((match) => ({
    code: match[1] ?? '',
    shown: match[2],
    line: text.slice(0, match.index).split('\n').length,
  }));
}

const MARK = '--- end of block ---';

for (const guide of ['GUIDE.md', 'FRESHNESS.md', 'SHELVES.md']) {
  test(`${guide} prints what it shows`, () => {
    const blocks = blocksOf(readFileSync(join(ROOT, 'core', guide), 'utf8'));
    assert.ok(blocks.length > 9);
    const index = pathToFileURL(join(ROOT, 'core/index.ts')).href;
    const program = blocks
      .map(({ code }) => `${code.replaceAll("from 'fleche'", `from '${index}'`)}\nconsole.log('${MARK}');\n`)
      .join('');
    const folder = mkdtempSync(join(tmpdir(), 'fleche-'));
    const file = join(folder, 'guide.mts');
    writeFileSync(file, program);
    // In a folder without a configuration: answers are kept in memory, and every run is the first.
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), file], {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder, USERPROFILE: folder },
      encoding: 'utf8',
      timeout: 60_000,
    });
    rmSync(folder, { recursive: true });
    assert.is(status, 0, stderr);
    const outputs = stdout.split(`${MARK}\n`);
    for (const [at, { shown, line }] of blocks.entries()) assert.is(outputs[at], shown ?? '', `line ${line}`);
  });
}

for (const guide of ['PIPELINES.md', 'SHARED.md']) {
  test(`${guide} shows configurations that are accepted`, () => {
    const text = readFileSync(join(ROOT, 'core', guide), 'utf8');
    const blocks = [...text.matchAll(/^```toml\n([\s\S]*?)^```\n/gm)].map(([, block = '']) => block);
    assert.ok(blocks.length > 0);
    for (const block of blocks) assert.equal(thrown(() => load(block)).errors, [], block);
  });
}

test('links lead to what is there', () => {
  const pages = [
    'README.md',
    'CHANGELOG.md',
    'plugins/README.md',
    ...readdirSync(join(ROOT, 'core')).map((name) => `core/${name}`),
  ];
  const broken = pages
    .filter((page) => page.endsWith('.md'))
    .flatMap((page) => {
      const text = readFileSync(join(ROOT, page), 'utf8');
      return Array.from(text.matchAll(/\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)/g)).flatMap(
        ([link, file = '', anchor]) => {
          const path = file === '' ? join(ROOT, page) : resolve(ROOT, dirname(page), file);
          if (!existsSync(path)) return `${page}: ${link}`;
          return anchor === undefined || anchorsOf(readFileSync(path, 'utf8')).has(anchor) ? [] : `${page}: ${link}`;
        },
      );
    });
  assert.equal(broken, []);
});

/** What headings are called in links, by the custom of GitHub. */
function anchorsOf(text: string): ReadonlySet<string> {
  const titles = Array.from(text.matchAll(/^#+ (.*)$/gm), ([, title = '']) => title);
  return new Set(
    titles.map((title) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

test.run();
