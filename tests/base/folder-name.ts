import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { folderName } from '../../core/base/folder-name.ts';

test('a plain name is its own folder', () => {
  for (const name of ['default', 'a', 'my_cache-2', '0']) assert.is(folderName(name), name);
});

test('any name is a folder that is safe everywhere', () => {
  const names = [
    '',
    '.',
    '..',
    '../..',
    'a/b',
    'a\\b',
    'C:',
    'CON',
    'nul',
    'com1',
    'a ',
    'a.',
    'ä',
    '\u0000',
    '\ud800',
    'Ünïcödé',
  ];
  for (const name of [...names, 'x'.repeat(4096), 'é'.repeat(4096)]) {
    assert.match(folderName(name), /^[a-z0-9-]{0,30}~[0-9a-f]{32}$/, name);
  }
});

test('no two names have one folder, also where cases are not told apart', () => {
  const names = [
    'a',
    'A',
    'a/b',
    'a-b',
    'a b',
    'a\\b',
    'ä',
    'Ä',
    '\ud800',
    '\udc00',
    '',
    '~',
    'x'.repeat(60),
    'x'.repeat(61),
  ];
  const folders = [...names, ...names.map(folderName)].map((name) => folderName(name).toLowerCase());
  // A name that looks like the folder of another one is another name, but for the plain ones, which are their own folder.
  const plain = names.filter((name) => folderName(name) === name);
  assert.is(new Set(folders).size, 2 * names.length - plain.length);
});

test('what can be read of a name can be read', () => {
  assert.match(folderName('Users of example.org'), /^users-of-example-org~/);
});

test.run();
