/** What an npm lock file installs for one package. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { normalRel } from '../../../core/base/paths.ts';
import { Slices } from '../../../core/files/lock/lock.ts';
import { readNpmLock } from '../../../core/files/lock/npm.ts';

/** `b` needs `a` of the workspace; `a` has its own version of `left`. */
const PACKAGES = {
  '': { devDependencies: { tool: '1' }, workspaces: ['packages/*'] },
  'packages/a': { version: '9', dependencies: { left: '2' }, devDependencies: { only: '1' } },
  'packages/b': { version: '9', dependencies: { a: '*', left: '1' }, optionalDependencies: { rare: '1' } },
  'packages/c': { peerDependencies: { left: '1' } },
  'node_modules/a': { link: true, resolved: 'packages/a' },
  'node_modules/b': { link: true, resolved: 'packages/b' },
  'node_modules/left': { version: '1.0.0', integrity: 'sha-left1', dependencies: { deep: '1' } },
  'packages/a/node_modules/left': { version: '2.0.0', integrity: 'sha-left2' },
  'node_modules/deep': { version: '1.1.0', integrity: 'sha-deep', devDependencies: { never: '1' } },
  'node_modules/only': { version: '1.0.0', resolved: 'git+ssh://x#abc', dependencies: { deep: '1' } },
  'node_modules/tool': { version: '5.0.0', integrity: 'sha-tool', dependencies: { left: '1' } },
  'node_modules/tool/node_modules/left': { version: '1.5.0', integrity: 'sha-left15' },
};

/** Names and versions. */
function slice(folders: readonly string[], packages: object = PACKAGES): readonly string[] | undefined {
  const all = lines(folders, packages);
  return all?.map((line) =>
    line
      .replace(/\t[0-9a-f]*$/, '')
      .replace('\t', ' ')
      .trim(),
  );
}

function lines(folders: readonly string[], packages: object = PACKAGES): readonly string[] | undefined {
  const lock = readNpmLock(JSON.stringify({ lockfileVersion: 3, packages }));
  assert.not('trouble' in lock);
  return 'trouble' in lock ? undefined : new Slices(lock).of(folders.map(normalRel));
}

test('everything that a package can load, as Node finds it', () => {
  assert.equal(slice(['packages/a']), ['deep 1.1.0', 'left 2.0.0', 'only 1.0.0']);
  assert.equal(slice(['packages/c']), ['deep 1.1.0', 'left 1.0.0']);
  assert.equal(slice(['.']), ['left 1.5.0', 'tool 5.0.0']);
});

test('packages of the workspace pass on what they need, but not what only their development needs', () => {
  assert.equal(slice(['packages/b']), ['a link', 'deep 1.1.0', 'left 1.0.0', 'left 2.0.0', 'rare']);
});

test('another version, place or content matters to those who can load it, and to nobody else', () => {
  const { 'packages/a/node_modules/left': left, ...others } = PACKAGES;
  const cases = [
    { ...PACKAGES, 'packages/a/node_modules/left': { ...left, version: '2.0.1' } },
    { ...PACKAGES, 'packages/a/node_modules/left': { ...left, integrity: 'sha-other' } },
    { ...others, 'packages/node_modules/left': left },
  ];
  for (const changed of cases) {
    for (const folder of ['packages/a', 'packages/b']) assert.not.equal(lines([folder], changed), lines([folder]));
    assert.equal(lines(['.'], changed), lines(['.']));
  }
});

test('circles come to an end', () => {
  const packages = {
    '': { dependencies: { x: '1' } },
    'node_modules/x': { version: '1', dependencies: { y: '1' } },
    'node_modules/y': { version: '1', dependencies: { x: '1' } },
  };
  assert.equal(slice(['.'], packages), ['x 1', 'y 1']);
});

test('a lock file that does not tell gives nothing', () => {
  assert.is(slice(['packages/new']), undefined);
  for (const text of ['', '{', 'null', '[]', '{"lockfileVersion":1,"dependencies":{}}', '{"packages":[]}']) {
    assert.ok('trouble' in readNpmLock(text), text);
  }
});

test.run();
