import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FlecheError } from '../../../core/base/errors.ts';
import { byCodeUnit } from '../../../core/base/order.ts';
import type { AbsPath, RelPath } from '../../../core/base/paths.ts';
import { Globs } from '../../../core/files/globs/globs.ts';
import { EMPTY_FOLDER, entriesIn, type Scan, scan } from '../../../core/files/inputs/scan.ts';
import { canRead, inFolder, later, put } from '../_folder.ts';
import { patternsOf } from '../_patterns.ts';

function walk(root: AbsPath, patterns: readonly string[], through = true): Scan {
  return scan(root, new Globs(patterns), { through, clock: later });
}

function found(root: AbsPath, patterns: readonly string[], through = true): Record<string, string> {
  return Object.fromEntries(walk(root, patterns, through).found.map(({ path, kind }) => [path, kind]));
}

function read(root: AbsPath, patterns: readonly string[]): readonly string[] {
  const { folders } = walk(root, patterns);
  return folders.filter(({ kind }) => kind === 'dir').map(({ path }) => path);
}

test('files, links and folders are found, sorted by code unit', () => {
  inFolder((root) => {
    put(root, { 'b/z.ts': '', 'b/a.ts': '', 'B.ts': '', 'é.ts': '', 'a-link': { link: 'b' }, empty: { dir: true } });
    assert.equal(found(root, ['**']), {
      'B.ts': 'file',
      'a-link': 'link',
      b: 'dir',
      'b/a.ts': 'file',
      'b/z.ts': 'file',
      empty: 'dir',
      'é.ts': 'file',
    });
    assert.equal(
      walk(root, ['**']).found.map(({ path }) => path),
      ['B.ts', 'a-link', 'b', 'b/a.ts', 'b/z.ts', 'empty', 'é.ts'],
    );
  });
});

test('what stood at paths that patterns name is told, whatever it was', () => {
  inFolder((root) => {
    put(root, { 'a.ts': '', 'src/b.ts': '', link: { link: 'a.ts' } });
    const { named } = walk(root, ['a.ts', 'src/**', 'link', 'gone.ts']);
    const kinds = [...named].map(([path, stats]) => [path, stats.isFile(), stats.isDirectory()]);
    assert.equal(kinds, [
      ['a.ts', true, false],
      ['link', false, false],
      ['src', false, true],
    ]);
  });
});

test('links that are met are not followed, whatever they lead to', () => {
  inFolder((root, outside) => {
    put(outside, { 'secret.ts': '' });
    put(root, { 'src/a.ts': '', 'src/loop': { link: '..' }, 'src/out': { link: outside }, 'src/gone': { link: 'x' } });
    assert.equal(found(root, ['src']), {
      src: 'dir',
      'src/a.ts': 'file',
      'src/gone': 'link',
      'src/loop': 'link',
      'src/out': 'link',
    });
    assert.equal(found(root, ['src/**/*.ts']), { 'src/a.ts': 'file' });
  });
});

test('a folder that a pattern names is read through a link if that is wanted', () => {
  inFolder((root, outside) => {
    put(outside, { 'a.ts': '' });
    put(root, { src: { link: '../outside' } });
    assert.equal(found(root, ['src/*.ts']), { 'src/a.ts': 'file' });
    assert.equal(found(root, ['src']), { src: 'link', 'src/a.ts': 'file' });
    assert.equal(found(root, ['src'], false), { src: 'link' });
    assert.equal(found(root, ['src/*.ts'], false), {});
  });
});

test('only folders in which something can match are read', () => {
  inFolder((root) => {
    put(root, {
      'src/a.ts': '',
      'src/deep/b.ts': '',
      'test/x/y/c.ts': '',
      'node_modules/p/i.ts': '',
      '.git/HEAD': '',
      'dist/out/d.ts': '',
    });
    assert.equal(read(root, ['*.json']), ['.']);
    assert.equal(read(root, ['src/*.ts']), ['src']);
    assert.equal(read(root, ['**/*.ts', '!dist', '!test/**']).toSorted(), ['.', 'src', 'src/deep', 'test']);
    assert.equal(read(root, ['test/*/y/*']), ['test', 'test/x', 'test/x/y']);
    assert.equal(read(root, ['src', 'node_modules/p']), ['node_modules/p', 'src', 'src/deep']);
    assert.equal(read(root, ['src/a.ts']), []);
  });
});

test('places that patterns name and where nothing is are told', () => {
  inFolder((root) => {
    put(root, { 'a.txt': '' });
    const { folders } = walk(root, ['a.txt', 'b.txt', 'gen/deep/*.ts']);
    assert.equal(
      folders.map(({ path, kind }) => [path, kind]),
      [
        ['b.txt', 'absent'],
        ['gen/deep', 'absent'],
      ],
    );
  });
});

test('an empty folder is told from one with something in it', () => {
  inFolder((root) => {
    put(root, { empty: { dir: true }, 'full/a': '' });
    const { folders } = walk(root, ['**']);
    assert.equal(
      folders.filter(({ digest }) => digest === EMPTY_FOLDER).map(({ path }) => path),
      ['empty'],
    );
  });
});

test('the names in a folder have a digest that tells kinds apart and leaves out what no pattern enters', () => {
  inFolder((root) => {
    const globs = new Globs(['**']);
    const digest = (): string | undefined => entriesIn(root, '.' as RelPath, globs)?.digest;
    put(root, { a: '' });
    const one = digest();
    put(root, { '.git/HEAD': '', '.fleche/x': '' });
    assert.is(digest(), one);
    put(root, { a: 'other content' });
    assert.is(digest(), one);
    put(root, { b: '' });
    assert.is.not(digest(), one);
    assert.is(entriesIn(root, 'a' as RelPath, globs), undefined);
    assert.is(entriesIn(root, 'nothing' as RelPath, globs), undefined);
  });
});

test('patterns lead outside the root, and not from there back into it', () => {
  inFolder((root, outside) => {
    put(outside, { 'a.ts': '' });
    put(root, { 'b.ts': '' });
    assert.equal(found(root, ['../**/*.ts']), { '../outside/a.ts': 'file' });
  });
});

test('a folder that cannot be read is an error that names it', () => {
  inFolder((root) => {
    put(root, { 'src/closed/a.ts': '' });
    chmodSync(join(root, 'src/closed'), 0o000);
    try {
      // Whoever may read everything has nothing to test here.
      if (canRead(join(root, 'src/closed/a.ts'))) return;
      assert.throws(
        () => walk(root, ['src']),
        (error: unknown) =>
          error instanceof FlecheError && error.code === 'INPUT_UNREADABLE' && error.message.includes('src/closed'),
      );
    } finally {
      chmodSync(join(root, 'src/closed'), 0o755);
    }
  });
});

test('a name that is not UTF-8 is an error, if a pattern matches it', () => {
  inFolder((root) => {
    put(root, { 'a.ts': '' });
    if (!tryMangled(root, 'file')) return;
    assert.throws(
      () => walk(root, ['*.txt']),
      (error: unknown) => error instanceof FlecheError && error.code === 'INPUT_UNREADABLE',
    );
    assert.equal(found(root, ['*.ts']), { 'a.ts': 'file' });
  });
  inFolder((root) => {
    if (!tryMangled(root, 'folder')) return;
    assert.throws(
      () => walk(root, ['**/*.ts']),
      (error: unknown) => error instanceof FlecheError && error.code === 'INPUT_UNREADABLE',
    );
  });
});

/** False on systems where all names are UTF-8. */
function tryMangled(root: AbsPath, kind: 'file' | 'folder'): boolean {
  const place = Buffer.concat([Buffer.from(`${root}/bad`), Buffer.of(0xff), Buffer.from('.txt')]);
  try {
    if (kind === 'file') writeFileSync(place, '');
    else mkdirSync(place);
    return true;
  } catch {
    return false;
  }
}

const STEPS = ['a', 'b', 'l\nb', '.c', '[id]', '(g)', 'd e', 'ü', 'node_modules', '.git', '{x}', 'x.ts', 'a"q', '!n'];
const pattern = patternsOf(STEPS);

test('a walk finds exactly the files that match', () => {
  inFolder((root) => {
    const [first = '', ...others] = STEPS;
    // Folders of every name with files of every name, a little deeper in the first, and some files at the top.
    const paths = [...others.flatMap((folder) => STEPS.map((name) => `${folder}/${name}`)), 'y.ts', '.z', '(h)', 'i'];
    paths.push(...STEPS.map((name) => `${first}/${name}/i`), ...others.map((name) => `${first}/i/${name}`));
    put(root, Object.fromEntries(paths.map((path) => [path, ''])));
    const files = paths.sort(byCodeUnit) as RelPath[];
    fc.assert(
      fc.property(fc.array(pattern, { minLength: 1, maxLength: 4 }), (patterns) => {
        const globs = new Globs(patterns);
        assert.equal(
          walk(root, patterns).found.flatMap(({ path, kind }) => (kind === 'file' ? path : [])),
          files.filter((path) => globs.matches(path)),
        );
      }),
      { numRuns: 500, examples: [[['*', '!!(a)', '*.{ts,js}/*']]] },
    );
  });
});

test.run();
