/**
 * The contract of slices, over the lock files of all package managers as these wrote them: a change is seen by exactly the
 * packages that can load what changed.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { byCodeUnit } from '../../../core/base/order.ts';
import { normalRel } from '../../../core/base/paths.ts';
import { type ReadLock, readLock } from '../../../core/files/lock/formats.ts';
import type { Member } from '../../../core/files/lock/lock.ts';
import { type Files, filesOf, lockOf, type Moment, TOOLS } from './_workspaces.ts';

const LETTERS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
const FOLDERS = ['.', ...LETTERS.map((name) => `packages/${name}`)].map(normalRel);

/** What is read of manifests. */
function membersIn(files: Files): readonly Member[] {
  return Object.entries(files).flatMap(([path, text]): Member[] => {
    if (!path.endsWith('package.json')) return [];
    const manifest: Record<string, Record<string, string>> = JSON.parse(text);
    const of = (...keys: readonly string[]) => keys.flatMap((key) => Object.entries(manifest[key] ?? {}));
    return [
      {
        name: String(manifest['name']),
        folder: normalRel(path === 'package.json' ? '.' : path.slice(0, path.lastIndexOf('/'))),
        requests: of('dependencies', 'optionalDependencies', 'devDependencies'),
        passedOn: of('dependencies', 'optionalDependencies', 'peerDependencies').map(([name]) => name),
        forced: of('resolutions').map(([name]) => name),
        patches: Object.fromEntries(of('patchedDependencies')),
      },
    ];
  });
}

interface Given {
  readonly moment?: Moment;
  /** The lock file, if it is another than the tool wrote. */
  readonly text?: string;
  readonly files?: Files;
}

function read(name: string, { moment = 'before', text = lockOf(name, moment), files = {} }: Given = {}): ReadLock {
  const tool = TOOLS[name];
  assert.ok(tool);
  const all = { ...filesOf(tool, moment), ...files };
  return readLock(normalRel(tool.lock), text, { members: membersIn(all), fileAt: (path) => all[path] });
}

/** Names of what is other, by folder. */
function changed(before: ReadLock, after: ReadLock): Readonly<Record<string, string>> {
  const entries = FOLDERS.map((folder) => {
    const [then, now] = [before, after].map(({ slice }) => new Set(slice(folder).split('\n')));
    const lines = [...(then ?? [])]
      .filter((line) => !now?.has(line))
      .concat([...(now ?? [])].filter((line) => !then?.has(line)));
    return [folder.replace('packages/', ''), namesIn(lines)] as const;
  });
  return Object.fromEntries(entries.filter(([, names]) => names !== ''));
}

function namesIn(lines: readonly string[]): string {
  return [...new Set(lines.map((line) => line.split('\t')[0] ?? ''))].sort(byCodeUnit).join(' ');
}

const isOf = (name: string, ...tools: readonly string[]): boolean => tools.some((tool) => name.startsWith(tool));

for (const name of Object.keys(TOOLS)) {
  test(`${name}: what changed is seen by who can load it, directly or through others, and by nobody else`, () => {
    assert.equal(changed(read(name), read(name, { moment: 'after' })), {
      a: 'is-odd',
      b: 'has-flag is-odd',
      // What b needs for its own development is not passed on.
      c: 'is-odd',
      // Which peer a package is resolved with is part of what it is for pnpm.
      e: isOf(name, 'pnpm') ? 'react use-sync-external-store' : 'react',
      f: name === 'yarn-4' ? 'isobject kind-of' : 'kind-of',
      g: `@esbuild/win32-x64${isOf(name, 'npm', 'yarn-1') ? '' : ' isarray'} isobject num`,
      h: 'react',
      // A peer that h finds among what it needs for its own development.
      i: 'react',
    });
  });
}

/** Everything by which a content is known. */
const DIGEST = /sha512-[\w+/]{80,}={0,2}|(?<=checksum: )\S+|(?<=registry\.example\/\S*#)[0-9a-f]{40}/g;

function withOther(digest: string, text: string): string {
  const other = `${digest.slice(0, 40)}${digest[40] === '0' ? '1' : '0'}${digest.slice(41)}`;
  return text.replaceAll(digest, digest.length === 40 ? `0${digest.slice(1)}` : other);
}

test('the same version with another content is seen, whatever it is of', () => {
  for (const name of Object.keys(TOOLS)) {
    const text = lockOf(name, 'before');
    const before = read(name);
    const digests = new Set(text.match(DIGEST));
    assert.ok(digests.size >= 20, name);
    for (const digest of digests) {
      // Of what yarn 1 says twice the better digest counts.
      if (digest.length === 40 && text.includes('integrity')) continue;
      assert.not.equal(changed(before, read(name, { text: withOther(digest, text) })), {}, `${name}: ${digest}`);
    }
  }
});

test('what is installed for the root concerns all packages', () => {
  for (const name of Object.keys(TOOLS)) {
    const text = lockOf(name, 'before');
    const start = text.search(/\bms@(?:npm:)?2\.1\.2"?[:,]|node_modules\/ms"/);
    const [digest = ''] = text.slice(start).match(DIGEST) ?? [];
    const after = changed(read(name), read(name, { text: withOther(digest, text) }));
    assert.is(Object.keys(after).length, FOLDERS.length, name);
    assert.is(after['d'], 'ms', name);
  }
});

test('where a patch is only named, its content is seen', () => {
  const files = { 'patches/isarray.patch': 'something else' };
  assert.equal(changed(read('bun'), read('bun', { files })), { g: 'isarray' });
});

test('what a lock file does not tell of a package makes all of it count for this one', () => {
  const added: Files = { 'packages/new/package.json': '{"name":"new","dependencies":{"unheard-of":"1"}}' };
  for (const [name, { lock }] of Object.entries(TOOLS)) {
    const { slice, trouble } = read(name, { files: added });
    assert.is(trouble, undefined, name);
    assert.ok(slice(normalRel('packages/new')).startsWith(lock), name);
    assert.not(slice(normalRel('packages/d')).startsWith(lock), name);
  }
});

test('a lock file that cannot be told apart counts as a whole, and it is said why', () => {
  const cases: Readonly<Record<string, (text: string) => string>> = {
    'of two minds': (text) => text.replace('\n', '\n<<<<<<< HEAD\n'),
    newer: (text) => text.replace(/(?<=ersion"?: ?)'?\d+(?:\.\d)?'?/, '99'),
    empty: () => '',
  };
  for (const [name, { lock }] of Object.entries(TOOLS)) {
    for (const [kind, change] of Object.entries(cases)) {
      // Neither of them has a version that matters.
      if (kind === 'newer' && isOf(name, 'npm', 'yarn-1')) continue;
      if (kind === 'empty' && isOf(name, 'yarn')) continue;
      const { slice, trouble } = read(name, { text: change(lockOf(name, 'before')) });
      assert.match(trouble ?? '', `${lock} `, `${name} ${kind}`);
      for (const folder of FOLDERS) assert.ok(slice(folder).startsWith(`${lock}\t`), `${name} ${kind}`);
    }
  }
  const { slice, trouble } = readLock(normalRel('bun.lockb'), Buffer.of(1, 255), {
    members: [],
    fileAt: () => undefined,
  });
  assert.match(trouble ?? '', /^bun\.lockb is binary/);
  assert.match(slice(normalRel('.')), /^bun\.lockb\t/);
});

test('what yarn 4 adds to packages counts, by itself or as it is told', () => {
  const builtin = (hash: string): string =>
    `${lockOf('yarn-4', 'before')}
"ms@patch:ms@npm%3A2.1.2#optional!builtin<compat/ms>":
  version: 2.1.2
  resolution: "ms@patch:ms@npm%3A2.1.2#optional!builtin<compat/ms>::version=2.1.2&hash=${hash}"
  languageName: node
  linkType: hard
`;
  const before = read('yarn-4', { text: builtin('aaa') });
  assert.is(Object.keys(changed(before, read('yarn-4', { text: builtin('bbb') }))).length, FOLDERS.length);
  const told = (more: string): ReadLock =>
    read('yarn-4', { files: { '.yarnrc.yml': `packageExtensions:\n  react@*:\n    dependencies:\n${more}` } });
  assert.equal(changed(told('      gone: 1\n'), told('      gone: 1\n      isobject: 3.0.0\n')), {
    d: 'isobject',
    e: 'isobject',
    h: 'isobject',
    i: 'isobject',
  });
});

test('pnpm says in a document of its own what it needs itself', () => {
  const own = `---
lockfileVersion: '9.0'

importers:

  .:
    configDependencies:
      ms:
        specifier: 2.1.3
        version: 2.1.3
    packageManagerDependencies:
      pnpm:
        specifier: 11.10.0
        version: 11.10.0

packages:

  ms@2.1.3:
    resolution: {integrity: sha512-six}

  pnpm@11.10.0:
    resolution: {integrity: sha512-seven}

snapshots:

  ms@2.1.3: {}

  pnpm@11.10.0: {}

---
`;
  const text = own + lockOf('pnpm-12', 'before');
  const before = read('pnpm-12', { text });
  assert.equal(changed(before, read('pnpm-12', { text: text.replaceAll('11.10.0', '11.10.1') })), {});
  assert.is(changed(read('pnpm-12'), before)['d'], 'ms', 'what settings are shared by concerns all');
});

test.run();
