import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readList, readTsc } from '../../../core/graph/discovered/file-list.ts';
import type { Mentions } from '../../../core/graph/discovered/mention.ts';
import { readMetafile } from '../../../core/graph/discovered/metafile.ts';

/** Paths, those that need not be there behind a question mark. */
function told(mentions: Mentions): readonly string[] {
  if (mentions.kind === 'broken') return [mentions.why];
  return mentions.mentions.map(({ path, isRead }) => (isRead ? path : `?${path}`));
}

test('a list has a path a line', () => {
  assert.equal(told(readList('a/b c\r\n\n?d\n./?e\n')), ['a/b c', '?d', './?e']);
  assert.equal(told(readList('')), []);
  assert.match(told(readList('\0')).join(), 'is not a list');
});

test('of what TypeScript prints the absolute paths count', () => {
  assert.equal(told(readTsc('/p/lib.d.ts\nsrc/a.ts(1,2): error TS1: no\n/p/src/a b.ts\r\nC:/p/c.ts\nFiles: 3\n')), [
    '/p/lib.d.ts',
    '/p/src/a b.ts',
    'C:/p/c.ts',
  ]);
  assert.match(told(readTsc('src/a.ts(1,2): error\n')).join(), '--listFiles');
});

test('a metafile has the files, and names that would have been preferred', () => {
  const imports = [
    { path: 'src/b.ts', kind: 'import-statement', original: './b' },
    { path: 'src/c/index.js', kind: 'import-statement', original: './c' },
    { path: 'src/d.ts', kind: 'import-statement', original: './d.js' },
    { path: 'node_modules/x/x.js', kind: 'import-statement', original: 'x' },
    { path: 'fs', kind: 'require-call', external: true, original: 'fs' },
  ];
  const inputs = {
    'src/a.ts': { bytes: 1, imports },
    'src/b.ts': { bytes: 1, imports: [] },
    'src/c/index.js': { bytes: 1, imports: [] },
    'src/d.ts': { bytes: 1, imports: [] },
    'node_modules/x/x.js': { bytes: 1, imports: [] },
    '(disabled):node_modules/y/y.js': { bytes: 0, imports: [] },
    'virtual:thing': { bytes: 1, imports: [] },
    '<stdin>': { bytes: 1, imports: [] },
    'src/e.svg?raw': { bytes: 1, imports: [] },
  };
  const found = told(readMetafile(JSON.stringify({ inputs, outputs: {} })));
  assert.equal(
    found.filter((path) => !path.startsWith('?src/c')),
    [
      'src/a.ts',
      '?src/b',
      '?src/b.tsx',
      '?src/d.js',
      '?src/d.js.tsx',
      '?src/d.js.ts',
      '?src/d.js.jsx',
      '?src/d.js.js',
      '?src/d.js.css',
      '?src/d.js.json',
      'src/b.ts',
      'src/c/index.js',
      'src/d.ts',
      'node_modules/x/x.js',
      '?node_modules/y/y.js',
      '?src/e.svg?raw',
      '?src/e.svg',
    ],
  );
  assert.ok(found.includes('?src/c.ts'));
  assert.ok(found.includes('?src/c/index.ts'));
  assert.not.ok(found.includes('?src/c/index.json'));
  assert.match(told(readMetafile('{}')).join(), 'is not a metafile');
  assert.match(told(readMetafile('{"inputs"')).join(), 'is not a metafile');
});

test('whatever esbuild would prefer to the file it found is among the names', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fleche-'));
  const bundle = async (): Promise<string> => {
    const { metafile } = await build({
      entryPoints: ['main.ts'],
      absWorkingDir: folder,
      bundle: true,
      logLevel: 'silent',
      write: false,
      metafile: true,
    });
    return JSON.stringify(metafile);
  };
  const inputs = (metafile: string): readonly string[] => Object.keys(JSON.parse(metafile).inputs);
  try {
    writeFileSync(join(folder, 'main.ts'), 'import "./a"; import "./b.js";');
    writeFileSync(join(folder, 'a.json'), '{}');
    writeFileSync(join(folder, 'b.ts'), '');
    const before = await bundle();
    const names = told(readMetafile(before));
    for (const path of ['a.js', 'a.jsx', 'a.ts', 'a.tsx', 'b.js']) {
      assert.ok(names.includes(`?${path}`), path);
      writeFileSync(join(folder, path), '');
      assert.ok(inputs(await bundle()).includes(path), path);
      rmSync(join(folder, path));
    }
    assert.equal(inputs(await bundle()), inputs(before));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
