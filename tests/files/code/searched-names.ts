/** Where a compiler that is told folders would find more sources. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RelPath } from '../../../core/base/paths.ts';
import { searchedNames } from '../../../core/files/code/searched-names.ts';
import { inFolder, put, type Thing } from '../_folder.ts';

function found(files: Readonly<Record<string, Thing>>, ...sources: readonly string[]): readonly string[] {
  let folders: readonly string[] = [];
  inFolder((root) => {
    put(root, files);
    const isMade = (path: RelPath): boolean => path === 'dist';
    const names = searchedNames(root, sources as readonly RelPath[], isMade);
    folders = [...names]
      .filter((path) => !path.endsWith('/@types/*'))
      .map((path) => path.replace(/^\*\.ts$/, '.').replace(/\/\*\.ts$/, ''))
      .sort();
  });
  return folders;
}

test('without a configuration they are around the sources', () => {
  assert.equal(found({ 'src/a/x.css': '' }, 'src/deep/a.ts', '../out.ts', 'node_modules/x/i.d.ts'), [
    '.',
    'src',
    'src/deep',
  ]);
});

test('a configuration lets everything below its folder be searched, or what it includes', () => {
  const files = {
    'src/a.ts': '',
    'src/css/x.css': '',
    'docs/x.md': '',
    'dist/x.js': '',
    '.hidden/x': '',
    'src/node_modules/x/i.ts': '',
  };
  assert.equal(found({ ...files, 'tsconfig.json': '{}' }, 'src/a.ts'), ['.', 'docs', 'src', 'src/css']);
  const some = '{ "include": ["src/**/*.ts", "later", "one.ts"] }';
  assert.equal(found({ ...files, 'tsconfig.json': some }, 'src/a.ts'), ['.', 'src', 'src/css']);
  assert.equal(found({ ...files, 'tsconfig.json': '{ "files": [] }' }, 'src/a.ts'), ['.', 'src']);
  const but = '{ "exclude": ["docs", "**/css"] }';
  assert.equal(found({ ...files, 'tsconfig.json': but }, 'src/a.ts'), ['.', 'src']);
});

test('of several configurations all count that are nearest, but for one that is there to be extended', () => {
  const files: Record<string, Thing> = {
    'tsconfig.json': '{}',
    'pkg/tsconfig.base.json': '{}',
    'pkg/tsconfig.json': '{ "extends": "./tsconfig.base.json", "include": ["src"] }',
    'pkg/tsconfig.test.json': '{ "extends": "./tsconfig.json", "include": ["tests"] }',
    'pkg/src/a.ts': '',
    'pkg/tests/data/x': '',
    'pkg/docs/x': '',
    'other/x': '',
  };
  assert.equal(found(files, 'pkg/src/a.ts'), ['.', 'pkg', 'pkg/src', 'pkg/tests', 'pkg/tests/data']);
});

test('what an inheriting configuration includes is relative to itself, what it inherits to that', () => {
  const files = {
    'tsconfig.json': '{ "extends": "./config/base.json" }',
    'config/base.json': '{ "include": ["../lib", "$' + '{configDir}/src"] }',
    'src/x/a.ts': '',
    'lib/x/y': '',
    'docs/x': '',
  };
  assert.equal(found(files, 'src/x/a.ts'), ['.', 'lib', 'lib/x', 'src', 'src/x']);
});

test('a link is followed once, and not out of the project', () => {
  const files = {
    'tsconfig.json': '{}',
    'src/a.ts': '',
    'lib/x/y': '',
    'src/lib': { link: '../lib' },
    'lib/x/up': { link: '..' },
    'src/out': { link: '../../outside' },
  };
  assert.equal(found(files, 'src/a.ts'), ['.', 'lib', 'lib/x', 'lib/x/up', 'lib/x/up/x', 'src']);
});

test('types of packages are met wherever packages are installed around the sources', () => {
  inFolder((root) => {
    put(root, { 'pkg/node_modules/x/i.js': '', 'pkg/src/a.ts': '' });
    const names = searchedNames(root, ['pkg/src/a.ts' as RelPath], () => false);
    assert.equal(
      [...names].filter((path) => path.includes('node_modules')),
      ['pkg/node_modules/@types/*'],
    );
  });
});

test.run();
