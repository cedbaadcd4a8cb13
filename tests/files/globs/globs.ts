import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FlecheError } from '../../../core/base/errors.ts';
import type { RelPath } from '../../../core/base/paths.ts';
import { Globs } from '../../../core/files/globs/globs.ts';
import { patternsOf } from '../_patterns.ts';

function matched(patterns: readonly string[], paths: readonly string[]): readonly string[] {
  const globs = new Globs(patterns);
  return paths.filter((path) => globs.matches(path as RelPath));
}

function isInvalid(error: unknown): boolean {
  return error instanceof FlecheError && error.code === 'CONFIG_INVALID';
}

test('wildcards match within a step, double stars across steps, and dotfiles too', () => {
  const paths = ['a.ts', '.b.ts', 'x/a.ts', 'x/.y/a.ts', 'a.js'];
  assert.equal(matched(['*.ts'], paths), ['a.ts', '.b.ts']);
  assert.equal(matched(['**/*.ts'], paths), ['a.ts', '.b.ts', 'x/a.ts', 'x/.y/a.ts']);
  assert.equal(matched(['?.{ts,js}'], paths), ['a.ts', 'a.js']);
  assert.equal(matched(['[!a]*.ts'], paths), ['.b.ts']);
  assert.equal(matched(['**'], paths), paths);
  assert.equal(matched(['.'], paths), paths);
});

test('the last pattern that speaks of a path decides', () => {
  const paths = ['src/a.ts', 'src/gen/b.ts', 'src/gen/keep.ts'];
  assert.equal(matched(['src/**', '!src/gen'], paths), ['src/a.ts']);
  assert.equal(matched(['src/**', '!src/gen', 'src/gen/keep.ts'], paths), ['src/a.ts', 'src/gen/keep.ts']);
  assert.equal(matched(['src/gen/keep.ts', '!src/gen', 'src/a.ts'], paths), ['src/a.ts']);
  assert.equal(matched(['!src/gen'], paths), []);
});

test('a pattern that matches a folder covers everything below it', () => {
  const paths = ['dist', 'dist/a.js', 'dist/x/b.js', 'distant/a.js'];
  for (const pattern of ['dist', 'dist/', './dist', '/dist', 'd[i]st', 'dis?', 'x/../dist']) {
    assert.equal(matched([pattern], paths), ['dist', 'dist/a.js', 'dist/x/b.js'], pattern);
  }
  assert.equal(matched(['dist/**'], paths), ['dist/a.js', 'dist/x/b.js']);
  assert.equal(matched(['**', '!dist'], paths), ['distant/a.js']);
});

test('separators of another system and repeated ones make no difference', () => {
  assert.equal(new Globs(['.\\src\\\\a//b\\', '!./x']).patterns, ['src/a/b', '!x']);
});

test('brackets, parentheses and braces may mean themselves', () => {
  const paths = ['app/[id]/page.ts', 'app/i/page.ts', 'app/(group)/page.ts', 'app/{x}/page.ts', 'app/x/page.ts'];
  assert.equal(matched(['app/[id]/page.ts'], paths), ['app/[id]/page.ts', 'app/i/page.ts']);
  assert.equal(matched(['app/[id]'], paths), ['app/[id]/page.ts', 'app/i/page.ts']);
  assert.equal(matched(['app/[id]/*.ts'], paths), ['app/[id]/page.ts', 'app/i/page.ts']);
  assert.equal(matched(['app/(group)/*'], paths), ['app/(group)/page.ts']);
  assert.equal(matched(['app/(group)/page.ts'], paths), ['app/(group)/page.ts']);
  assert.equal(matched(['app/{x}/*'], paths), ['app/{x}/page.ts']);
  assert.equal(matched(['app/{x,i}/*'], paths), ['app/i/page.ts', 'app/x/page.ts']);
});

test('spaces, quotes and letters of any script are just characters', () => {
  const paths = ['a b/ü.ts', 'it\'s "x"/日本.ts', 'a+b/$c^.ts', 'p|q', '#x', '~y', '@z'];
  for (const path of paths) assert.equal(matched([path], paths), [path]);
  assert.equal(matched(['a b/*.ts', 'it*/*', 'a+b/*', 'p|*'], paths), paths.slice(0, 4));
});

test('a line break in a name is a character like any other', () => {
  const paths = ['a/x\ny.ts', 'a/b\n/z.ts'];
  for (const pattern of ['a/**', '**', 'a/**/*.ts', '[a]/**', '{a,b}/**', 'a/[bx]*']) {
    assert.equal(matched([pattern], paths), paths, pattern);
  }
});

test('extended globs work, and a leading exclamation mark always takes away', () => {
  const paths = ['a/x.ts', 'b/x.ts', 'c/x.ts', 'x.ts'];
  assert.equal(matched(['@(a|b)/*'], paths), ['a/x.ts', 'b/x.ts']);
  assert.equal(matched(['./!(a|b)/*'], paths), ['c/x.ts']);
  assert.equal(matched(['**', '!(a|b)'], paths), ['c/x.ts', 'x.ts']);
});

test('folders of packages, of git and of fleche match only patterns that name them', () => {
  const paths = ['node_modules/p/i.js', 'x/node_modules/p/i.js', '.git/HEAD', '.fleche/data', '.gitignore', 'x/.git'];
  assert.equal(matched(['**', '.*', '.git*'], paths), ['.gitignore']);
  assert.equal(matched(['node_modules/p/**'], paths), ['node_modules/p/i.js']);
  assert.equal(matched(['**/node_modules/p'], paths), ['node_modules/p/i.js', 'x/node_modules/p/i.js']);
  assert.equal(matched(['{.git,src}/**'], paths), ['.git/HEAD']);
  assert.equal(matched(['node_modules', '!**/*.js'], paths), []);
  assert.equal(matched(['**'], ['.fleche-pack/calls/a', '.fleche-pack', '.fleche-packs']), ['.fleche-packs']);
  assert.equal(matched(['.fleche-pack/**'], ['.fleche-pack/calls/a']), ['.fleche-pack/calls/a']);
});

test('patterns may lead outside, and only those do', () => {
  const paths = ['../shared/a.json', '../../b.json', 'shared/a.json'];
  assert.equal(matched(['../shared/*.json'], paths), ['../shared/a.json']);
  assert.equal(matched(['../../*.json'], paths), ['../../b.json']);
  assert.equal(matched(['**', '**/*.json'], paths), ['shared/a.json']);
});

test('literals are what can only mean itself and is not taken away again', () => {
  const globs = new Globs(['b.txt', 'a/', '*.ts', '[id].txt', '{c,d}', 'x', '!x', '!y']);
  assert.equal(globs.literals, ['a', 'b.txt']);
});

test('everything that matches lies at or below a base', () => {
  const bases = (...patterns: readonly string[]): readonly string[] => new Globs(patterns).bases;
  assert.equal(bases('src/**/*.ts', 'tsconfig.json'), ['src', 'tsconfig.json']);
  assert.equal(bases('{a,b/c}/*'), ['a', 'b/c']);
  assert.equal(bases('**'), ['.']);
  assert.equal(bases('app/[id]/*'), ['app', 'app/[id]']);
  assert.equal(bases('../x/*', '!z'), ['../x']);
});

test('patterns govern the folders that they match, that are bases or lie below one', () => {
  const globs = new Globs(['dist/**/*.js', 'lib/out.js']);
  const folders = ['dist', 'dist/a', 'lib', 'lib/out.js', 'distant', '.'] as RelPath[];
  assert.equal(
    folders.filter((folder) => globs.governs(folder)),
    ['dist', 'dist/a', 'lib/out.js'],
  );
});

test('an empty pattern and a step up behind a wildcard are refused', () => {
  for (const pattern of ['', ' ', '!', '**/../x', 'a*/..']) assert.throws(() => new Globs([pattern]), isInvalid);
});

const STEPS = ['a', 'b', '.c', '[id]', '(g)', 'd e', 'ü', 'node_modules', '.git', '{x}', 'x.ts', '!n', 'p|q'];
const path = fc
  .array(fc.constantFrom(...STEPS), { minLength: 1, maxLength: 4 })
  .map((steps) => steps.join('/') as RelPath);
const pattern = patternsOf(STEPS);

test('a walk that enters only the folders it is told to enter meets everything that matches', () => {
  fc.assert(
    fc.property(path, fc.array(pattern, { minLength: 1, maxLength: 4 }), (path, patterns) => {
      const globs = new Globs(patterns);
      if (!globs.matches(path)) return;
      const steps = path.split('/');
      const base = globs.bases.find((base) => base === '.' || path === base || path.startsWith(`${base}/`));
      assert.ok(base !== undefined, `${path} is below no base of ${patterns}`);
      for (let end = base === '.' ? 1 : base.split('/').length; end < steps.length; end++) {
        const folder = steps.slice(0, end).join('/') as RelPath;
        assert.ok(folder === base || globs.enters(folder), `${folder} is passed over for ${path} by ${patterns}`);
      }
    }),
    { numRuns: 3000 },
  );
});

test('patterns in normal form mean the same', () => {
  fc.assert(
    fc.property(fc.array(path), fc.array(pattern, { maxLength: 4 }), (paths, patterns) => {
      const globs = new Globs(patterns);
      const again = new Globs(globs.patterns);
      assert.equal(again.patterns, globs.patterns);
      assert.equal(
        paths.map((path) => again.matches(path)),
        paths.map((path) => globs.matches(path)),
      );
    }),
    { numRuns: 1000 },
  );
});

test.run();
