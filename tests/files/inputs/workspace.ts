import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  realpathSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FlecheError } from '../../../core/base/errors.ts';
import { sha256 } from '../../../core/base/hash.ts';
import { type AbsPath, type RelPath, toRel } from '../../../core/base/paths.ts';
import { Workspace } from '../../../core/files/inputs/workspace.ts';
import { makeTree, type Tree } from '../../../core/files/trees/tree.ts';
import { CountingState } from '../_fakes.ts';
import { canRead, inFolder, later, put, putOld, remove } from '../_folder.ts';

const nothing = (): boolean => false;

/** A listing as one string an entry: `x:` executable, digests by the content that has them. */
function shown(tree: Tree): Record<string, string> {
  const contents = new Map(['', 'a', 'b', 'c', 'one', 'two'].map((text) => [sha256(text), JSON.stringify(text)]));
  const show = (digest: string | null): string => (digest === null ? '?' : (contents.get(digest as never) ?? 'other'));
  return Object.fromEntries(
    tree.entries.map((entry) => {
      if (entry.kind === 'file') return [entry.path, `${entry.executable ? 'x:' : ''}${show(entry.digest)}`];
      if (entry.kind === 'link') return [entry.path, `-> ${entry.target} = ${show(entry.digest)}`];
      return [entry.path, entry.kind];
    }),
  );
}

/** A listing by a workspace that has only the state store to remember by. */
function inputs(root: AbsPath, state: CountingState, patterns: readonly string[], hidden = nothing): Tree {
  return new Workspace(root, state, later).inputs(patterns, hidden).tree;
}

/** Asserts that an edit changes the listing, remembered or not, and that both ways agree. */
function changes(patterns: readonly string[], before: Parameters<typeof put>[1], edit: (root: AbsPath) => void): void {
  inFolder((root) => {
    putOld(root, before);
    const state = new CountingState();
    const first = inputs(root, state, patterns);
    const resident = new Workspace(root, state, later);
    resident.inputs(patterns, nothing);
    edit(root);
    const afresh = inputs(root, new CountingState(), patterns);
    assert.is.not(afresh.digest, first.digest);
    assert.equal(inputs(root, state, patterns), afresh);
    assert.equal(resident.inputs(patterns, nothing).tree, afresh);
  });
}

test('a listing has the files that match, by content and executable bit, sorted', () => {
  inFolder((root) => {
    put(root, { 'src/b.ts': 'b', 'src/a.ts': 'a', 'src/run.sh': { script: 'c' }, 'test/x.ts': 'x' });
    const tree = inputs(root, new CountingState(), ['src']);
    assert.equal(shown(tree), { 'src/a.ts': '"a"', 'src/b.ts': '"b"', 'src/run.sh': 'x:"c"' });
    assert.is(tree.digest, makeTree(tree.entries.toReversed()).digest);
  });
});

test('the same files in another folder are the same tree', () => {
  inFolder((root, outside) => {
    for (const place of [root, outside]) put(place, { 'src/a.ts': 'a', 'src/deep/b.ts': 'b', l: { link: 'src/a.ts' } });
    assert.equal(inputs(root, new CountingState(), ['**']), inputs(outside as AbsPath, new CountingState(), ['**']));
  });
});

test('where nothing changed nothing is written down, and the tree is the same', () => {
  inFolder((root) => {
    putOld(root, { 'src/a.ts': 'a', 'src/deep/b.ts': 'b', link: { link: 'src/a.ts' } });
    const state = new CountingState();
    const first = inputs(root, state, ['**']);
    assert.is(state.puts, 1);
    assert.equal(inputs(root, state, ['**']), first);
    assert.is(state.puts, 1);
  });
});

test('a touched file is no change, and is not read again after that', () => {
  inFolder((root) => {
    putOld(root, { 'a.ts': 'a', 'b.ts': 'b' });
    const state = new CountingState();
    const first = inputs(root, state, ['*.ts']);
    utimesSync(join(root, 'a.ts'), 1.5e9, 1.5e9);
    assert.equal(inputs(root, state, ['*.ts']), first);
    assert.is(state.puts, 2);
    assert.equal(inputs(root, state, ['*.ts']), first);
    assert.is(state.puts, 2);
  });
});

test('a file is not read again while its stat key stays the same', () => {
  inFolder((root) => {
    putOld(root, { 'a.ts': 'a' });
    const state = new CountingState();
    const first = inputs(root, state, ['*.ts']);
    // A remembered digest that is not that of the content shows whether the content was looked at.
    for (const name of state.names('inputs/')) {
      const packed = Buffer.from(state.get(name) ?? []);
      packed.write(sha256('b'), packed.indexOf(Buffer.from(sha256('a'), 'hex')), 'hex');
      state.put(name, packed);
    }
    assert.equal(shown(inputs(root, state, ['*.ts'])), { 'a.ts': '"b"' });
    utimesSync(join(root, 'a.ts'), 1.5e9, 1.5e9);
    assert.equal(inputs(root, state, ['*.ts']), first);
  });
});

test('other content is a change', () => {
  changes(['*.ts'], { 'a.ts': 'one' }, (root) => put(root, { 'a.ts': 'other' }));
});

test('other content of the same size and with the old time put back is a change', () => {
  changes(['*.ts'], { 'a.ts': 'one' }, (root) => {
    const place = join(root, 'a.ts');
    const { ctimeMs } = lstatSync(place);
    // The clock of the file system may tick slowly: until it has, no stat can tell the two apart.
    while (lstatSync(place).ctimeMs === ctimeMs) {
      writeFileSync(place, 'two');
      utimesSync(place, 1e9, 1e9);
    }
  });
});

test('a file replaced by one of the same size and time is a change', () => {
  changes(['*.ts'], { 'a.ts': 'one', other: 'two' }, (root) => renameSync(join(root, 'other'), join(root, 'a.ts')));
});

test('other line endings are a change', () => {
  changes(['*.ts'], { 'a.ts': 'a\nb\n' }, (root) => put(root, { 'a.ts': 'a\r\nb\r\n' }));
});

test('a renamed file is a change', () => {
  changes(['src'], { 'src/a.ts': 'a' }, (root) => renameSync(join(root, 'src/a.ts'), join(root, 'src/b.ts')));
});

test('two files that swap contents are a change', () => {
  changes(['src'], { 'src/a.ts': 'one', 'src/b.ts': 'two' }, (root) => {
    renameSync(join(root, 'src/a.ts'), join(root, 'src/c.ts'));
    renameSync(join(root, 'src/b.ts'), join(root, 'src/a.ts'));
    renameSync(join(root, 'src/c.ts'), join(root, 'src/b.ts'));
  });
});

test('a new file that matches is a change', () => {
  changes(['src/**/*.ts'], { 'src/deep/a.ts': 'a' }, (root) => put(root, { 'src/deep/b.ts': 'b' }));
});

test('a removed file is a change', () => {
  changes(['src'], { 'src/a.ts': 'a', 'src/b.ts': 'b' }, (root) => remove(root, 'src/a.ts'));
});

test('a file in a new folder is a change, and in a folder that was moved in', () => {
  changes(['src'], { 'src/a.ts': 'a' }, (root) => put(root, { 'src/x/y/b.ts': 'b' }));
  changes(['src'], { 'src/a.ts': 'a', 'x/y/b.ts': 'b' }, (root) => renameSync(join(root, 'x'), join(root, 'src/x')));
});

test('the folder of a pattern that comes to be is a change', () => {
  changes(['src', 'gen/deep/*.ts'], { 'src/a.ts': 'a' }, (root) => put(root, { 'gen/deep/b.ts': 'b' }));
  changes(['x{1..3}.ts'], { 'x1.ts': 'a' }, (root) => put(root, { 'x3.ts': 'b' }));
});

test('a file that becomes a folder, or the reverse, is a change', () => {
  changes(['src', 'one'], { 'src/a': 'a', one: 'one' }, (root) => {
    remove(root, 'one');
    put(root, { 'one/b': 'b' });
  });
  changes(['src'], { 'src/a/b': 'a' }, (root) => {
    remove(root, 'src/a');
    put(root, { 'src/a': 'a' });
  });
});

test('the executable bit is a change', () => {
  changes(['*.sh'], { 'a.sh': 'a' }, (root) => chmodSync(join(root, 'a.sh'), 0o755));
});

test('a file that comes to be ignored by a new pattern is not in the listing', () => {
  inFolder((root) => {
    put(root, { 'a.ts': 'a', 'b.ts': 'b' });
    const state = new CountingState();
    assert.equal(shown(inputs(root, state, ['*.ts'])), { 'a.ts': '"a"', 'b.ts': '"b"' });
    assert.equal(shown(inputs(root, state, ['*.ts', '!b.ts'])), { 'a.ts': '"a"' });
    assert.equal(shown(inputs(root, state, ['*.ts', './!b.ts'])), { 'a.ts': '"a"', 'b.ts': '"b"', '!b.ts': 'absent' });
  });
});

test('an empty folder that comes or goes is no change', () => {
  inFolder((root) => {
    putOld(root, { 'src/a.ts': 'a' });
    const state = new CountingState();
    const first = inputs(root, state, ['src']);
    put(root, { 'src/empty': { dir: true } });
    assert.equal(inputs(root, state, ['src']), first);
    remove(root, 'src/empty');
    assert.equal(inputs(root, state, ['src']), first);
  });
});

test('a file saved by renaming another over it needs no walk, and one that does not match is no change', () => {
  inFolder((root) => {
    putOld(root, { 'src/a.ts': 'one', 'src/readme.md': '' });
    const state = new CountingState();
    const first = inputs(root, state, ['src/*.ts']);
    put(root, { 'src/a.tmp': 'two' });
    renameSync(join(root, 'src/a.tmp'), join(root, 'src/a.ts'));
    assert.equal(shown(inputs(root, state, ['src/*.ts'])), { 'src/a.ts': '"two"' });
    put(root, { 'src/a.ts': 'one', 'src/notes.md': '' });
    assert.equal(inputs(root, state, ['src/*.ts']), first);
  });
});

test('a pattern without magic that leads nowhere is listed as absent, until it does not', () => {
  inFolder((root) => {
    put(root, { 'a.ts': 'a' });
    const state = new CountingState();
    const patterns = ['a.ts', 'b.ts', 'x/y', '*.md'];
    assert.equal(shown(inputs(root, state, patterns)), { 'a.ts': '"a"', 'b.ts': 'absent', 'x/y': 'absent' });
    put(root, { 'b.ts': 'b', 'x/y/c': 'c' });
    assert.equal(shown(inputs(root, state, patterns)), { 'a.ts': '"a"', 'b.ts': '"b"', 'x/y/c': '"c"' });
    remove(root, 'a.ts');
    assert.equal(shown(inputs(root, state, patterns)), { 'a.ts': 'absent', 'b.ts': '"b"', 'x/y/c': '"c"' });
  });
});

test('names with brackets, spaces and letters of any script are listed', () => {
  inFolder((root) => {
    const paths = ['app/[id]/page.ts', 'app/(group)/page.ts', 'ü b/日本.ts', 'a"b\'c.ts', '-x', '$y'];
    put(root, Object.fromEntries(paths.map((path) => [path, 'a'])));
    for (const path of paths) assert.equal(shown(inputs(root, new CountingState(), [path])), { [path]: '"a"' });
    assert.equal(Object.keys(shown(inputs(root, new CountingState(), ['**']))).toSorted(), paths.toSorted());
    assert.equal(shown(inputs(root, new CountingState(), ['app/[id]/*.ts'])), { 'app/[id]/page.ts': '"a"' });
  });
});

test('files outside the root are listed when a pattern leads there', () => {
  inFolder((root, outside) => {
    put(outside, { 'x/a.ts': 'a' });
    const state = new CountingState();
    assert.equal(shown(inputs(root, state, ['../outside/x'])), { '../outside/x/a.ts': '"a"' });
    put(outside, { 'x/a.ts': 'one' });
    assert.equal(shown(inputs(root, state, ['../outside/x'])), { '../outside/x/a.ts': '"one"' });
  });
});

test('a link has its text and the content it leads to, inside or outside', () => {
  inFolder((root, outside) => {
    put(outside, { 'far.ts': 'b' });
    put(root, { 'src/near': { link: '../a.ts' }, 'src/far': { link: '../../outside/far.ts' }, 'a.ts': 'a' });
    assert.equal(shown(inputs(root, new CountingState(), ['src'])), {
      'src/far': '-> ../../outside/far.ts = "b"',
      'src/near': '-> ../a.ts = "a"',
    });
  });
});

test('other content behind a link is a change', () => {
  changes(['src'], { 'src/l': { link: '../a.ts' }, 'a.ts': 'one' }, (root) => put(root, { 'a.ts': 'other' }));
  changes(['src'], { 'src/l': { link: '../x' }, x: { link: 'a.ts' }, 'a.ts': 'a', 'b.ts': 'b' }, (root) => {
    unlinkSync(join(root, 'x'));
    put(root, { x: { link: 'b.ts' } });
  });
});

test('a link that leads to another file with the same content is a change', () => {
  changes(['src'], { 'src/l': { link: '../a.ts' }, 'a.ts': 'one', 'b.ts': 'one' }, (root) => {
    unlinkSync(join(root, 'src/l'));
    put(root, { 'src/l': { link: '../b.ts' } });
  });
});

test('a link that leads nowhere has no digest, and one when it leads somewhere', () => {
  changes(['src'], { 'src/l': { link: '../a.ts' } }, (root) => put(root, { 'a.ts': 'a' }));
  inFolder((root) => {
    put(root, { l: { link: 'l' }, gone: { link: 'x' } });
    assert.equal(shown(inputs(root, new CountingState(), ['*'])), { gone: '-> x = ?', l: '-> l = ?' });
  });
});

test('a file that becomes a link to itself elsewhere is a change', () => {
  changes(['src'], { 'src/a.ts': 'a' }, (root) => {
    renameSync(join(root, 'src/a.ts'), join(root, 'a.ts'));
    put(root, { 'src/a.ts': { link: '../a.ts' } });
  });
});

test('what is in a folder of the workspace that a link leads to is part of the link', () => {
  const before = { 'src/l': { link: '../lib' }, 'lib/a.ts': 'a', 'lib/deep/b.ts': 'b' };
  changes(['src'], before, (root) => put(root, { 'lib/deep/b.ts': 'one' }));
  changes(['src'], before, (root) => put(root, { 'lib/deep/c.ts': 'c' }));
});

test('a link to a folder outside has only its text', () => {
  inFolder((root, outside) => {
    put(outside, { 'a.ts': 'a' });
    put(root, { 'src/out': { link: '../../outside' } });
    assert.equal(shown(inputs(root, new CountingState(), ['src'])), { 'src/out': '-> ../../outside = ?' });
  });
});

test('links to folders that contain each other or themselves end', () => {
  inFolder((root) => {
    put(root, {
      'a/to-b': { link: '../b' },
      'b/to-a': { link: '../a' },
      'c/self': { link: '.' },
      'c/up': { link: '..' },
    });
    const state = new CountingState();
    const first = inputs(root, state, ['a', 'b', 'c']);
    assert.equal(Object.keys(shown(first)), ['a/to-b', 'b/to-a', 'c/self', 'c/up']);
    assert.equal(inputs(root, state, ['a', 'b', 'c']), first);
    put(root, { 'b/new.ts': 'one' });
    assert.is.not(inputs(root, state, ['a']).digest, inputs(root, state, ['c']).digest);
  });
});

test('a folder that a pattern names is listed even behind a link', () => {
  inFolder((root, outside) => {
    put(outside, { 'a.ts': 'a' });
    put(root, { src: { link: '../outside' } });
    const state = new CountingState();
    assert.equal(shown(inputs(root, state, ['src'])), { src: '-> ../outside = ?', 'src/a.ts': '"a"' });
    put(outside, { 'b.ts': 'b' });
    assert.equal(shown(inputs(root, state, ['src/*.ts'])), { 'src/a.ts': '"a"', 'src/b.ts': '"b"' });
  });
});

test('a file or a dead link that becomes a folder or leads to one, where a pattern names it, is a change', () => {
  const before = { 'real/a.ts': 'a', one: 'one', two: { link: 'nowhere' } };
  changes(['one', 'two/*'], before, (root) => {
    remove(root, 'one');
    put(root, { one: { link: 'real' } });
  });
  changes(['one', 'two/*'], before, (root) => put(root, { 'nowhere/b.ts': 'b' }));
  changes(['one/*'], { one: 'one' }, (root) => {
    remove(root, 'one');
    put(root, { 'one/a.ts': 'a' });
  });
});

test('a folder that becomes a link to one with the same names in it, where a pattern names it, is a change', () => {
  changes(['one'], { 'one/a.ts': 'a', 'two/a.ts': 'a' }, (root) => {
    remove(root, 'one');
    put(root, { one: { link: 'two' } });
  });
});

test('hidden paths are not listed, not even looked at, and appear when they are no longer hidden', () => {
  inFolder((root) => {
    put(root, { 'src/a.ts': 'a', 'src/gen/b.ts': 'b' });
    put(root, { 'src/gen/broken': { link: 'nowhere' } });
    const state = new CountingState();
    const hidden = (path: RelPath): boolean => path.startsWith('src/gen');
    const patterns = ['src', 'src/gen/missing.ts'];
    const tree = new Workspace(root, state, later).inputs(patterns, hidden).tree;
    assert.equal(shown(tree), { 'src/a.ts': '"a"' });
    assert.equal(shown(inputs(root, state, patterns)), {
      'src/a.ts': '"a"',
      'src/gen/b.ts': '"b"',
      'src/gen/broken': '-> nowhere = ?',
      'src/gen/missing.ts': 'absent',
    });
    put(root, { 'src/gen/b.ts': 'one' });
    assert.equal(new Workspace(root, state, later).inputs(patterns, hidden).tree, tree);
    assert.is(shown(inputs(root, state, patterns))['src/gen/b.ts'], '"one"');
  });
});

test('pipes are not inputs', () => {
  inFolder((root) => {
    put(root, { 'a.ts': 'a' });
    // Where there is no mkfifo there are no pipes in folders either.
    if (spawnSync('mkfifo', [join(root, 'pipe')]).status !== 0) return;
    assert.equal(shown(inputs(root, new CountingState(), ['**'])), { 'a.ts': '"a"' });
  });
});

test('a file that may still be written within its tick is read again', () => {
  inFolder((root) => {
    put(root, { 'a.ts': 'one' });
    const place = join(root, 'a.ts');
    const state = new CountingState();
    const young = new Workspace(root, state, () => lstatSync(place).ctimeMs + 1);
    assert.equal(shown(young.inputs(['a.ts'], nothing).tree), { 'a.ts': '"one"' });
    // The store says that the digest is another one; whoever trusts the key believes it.
    for (const name of state.names('inputs/')) {
      const packed = Buffer.from(state.get(name) ?? []);
      packed.write(sha256('two'), packed.indexOf(Buffer.from(sha256('one'), 'hex')), 'hex');
      state.put(name, packed);
    }
    assert.equal(shown(inputs(root, state, ['a.ts'])), { 'a.ts': '"one"' });
  });
});

test('a folder that may still get files within its tick is read again', () => {
  inFolder((root) => {
    putOld(root, { 'src/a.ts': 'a' });
    const state = new CountingState();
    const young = new Workspace(root, state, () => lstatSync(join(root, 'src')).ctimeMs + 1);
    young.inputs(['src'], nothing);
    assert.is(state.puts, 1);
    inputs(root, state, ['src']);
    assert.is(state.puts, 2, 'now the folder is trusted');
    inputs(root, state, ['src']);
    assert.is(state.puts, 2);
  });
});

test('a remembered listing that is damaged is as good as none', () => {
  inFolder((root) => {
    putOld(root, { 'src/a.ts': 'a' });
    const state = new CountingState();
    const first = inputs(root, state, ['src']);
    for (const name of state.names('inputs/')) state.put(name, Buffer.from('something else'));
    assert.equal(inputs(root, state, ['src']), first);
    assert.equal(inputs(root, state, ['src']), first);
  });
});

test('a file that cannot be read is an error that names it', () => {
  inFolder((root) => {
    put(root, { 'src/a.ts': 'a' });
    chmodSync(join(root, 'src/a.ts'), 0o000);
    if (canRead(join(root, 'src/a.ts'))) return;
    assert.throws(
      () => inputs(root, new CountingState(), ['src']),
      (error: unknown) =>
        error instanceof FlecheError && error.code === 'INPUT_UNREADABLE' && error.message.includes('src/a.ts'),
    );
  });
});

test('changes are the paths that no longer are what was listed, sorted', () => {
  inFolder((root) => {
    putOld(root, { 'a.ts': 'a', 'b.ts': 'b', 'c.ts': 'c', 'run.sh': { script: '' }, l: { link: 'a.ts' }, 'x.md': '' });
    const listing = new Workspace(root, new CountingState(), later).inputs(['*.ts', '*.sh', 'l', 'n'], nothing);
    assert.equal(listing.changes(), []);
    put(root, { 'b.ts': 'other', 'd.ts': 'd', n: 'n', 'x.md': 'other' });
    remove(root, 'c.ts', 'l');
    put(root, { l: { link: 'b.ts' } });
    chmodSync(join(root, 'run.sh'), 0o644);
    assert.equal(listing.changes(), ['b.ts', 'c.ts', 'd.ts', 'l', 'n', 'run.sh']);
  });
});

test('a file that was written and put back is a change: nobody knows what was read in between', () => {
  inFolder((root) => {
    putOld(root, { 'a.ts': 'one', 'b.ts': 'b' });
    const listing = new Workspace(root, new CountingState(), later).inputs(['*.ts'], nothing);
    put(root, { 'a.ts': 'two' });
    put(root, { 'a.ts': 'one' });
    chmodSync(join(root, 'b.ts'), 0o600);
    assert.equal(listing.changes(), ['a.ts']);
  });
});

test('changes among hidden paths do not count', () => {
  inFolder((root) => {
    putOld(root, { 'src/a.ts': 'a', 'dist/a.js': 'a' });
    const hidden = (path: RelPath): boolean => path.startsWith('dist/');
    const listing = new Workspace(root, new CountingState(), later).inputs(['**'], hidden);
    put(root, { 'dist/a.js': 'other', 'dist/b.js': 'b' });
    assert.equal(listing.changes(), []);
  });
});

test('who attends a workspace pays for what is rechecked alone', () => {
  inFolder((root) => {
    putOld(root, { 'src/a.ts': 'a', 'src/b.ts': 'b' });
    const workspace = new Workspace(root, new CountingState(), later);
    const list = (): Record<string, string> => shown(workspace.inputs(['src'], nothing).tree);
    list();
    workspace.attend();
    put(root, { 'src/a.ts': 'one' });
    assert.is(list()['src/a.ts'], '"one"', 'everything is looked at once more');
    put(root, { 'src/a.ts': 'two', 'src/b.ts': 'two', 'src/c.ts': 'c' });
    assert.equal(list(), { 'src/a.ts': '"one"', 'src/b.ts': '"b"' }, 'nobody said so');
    workspace.recheck(['src/a.ts' as RelPath, 'other/c.ts' as RelPath]);
    assert.equal(list(), { 'src/a.ts': '"two"', 'src/b.ts': '"b"' });
    workspace.recheck(['src/c.ts' as RelPath]);
    assert.is(list()['src/c.ts'], '"c"');
    workspace.attend();
    assert.equal(list(), { 'src/a.ts': '"two"', 'src/b.ts': '"two"', 'src/c.ts': '"c"' });
  });
});

test('to recheck a link is to recheck all that is in the folder behind it', () => {
  inFolder((root) => {
    putOld(root, { 'src/a.ts': 'a', 'beside/deep/b.ts': 'b' });
    symlinkSync('../beside', join(root, 'src/link'));
    const workspace = new Workspace(root, new CountingState(), later);
    workspace.attend();
    const digest = (): string => workspace.inputs(['src'], nothing).tree.digest;
    const before = digest();
    assert.is(digest(), before);
    put(root, { 'beside/deep/b.ts': 'other' });
    workspace.recheck(['src/link' as RelPath]);
    const after = digest();
    assert.is.not(after, before);
    put(root, { 'beside/deep/new.ts': 'new' });
    workspace.recheck(['src/link' as RelPath]);
    assert.is.not(digest(), after);
  });
});

test('while a workspace is attended a snapshot is saved when that is asked for', () => {
  inFolder((root) => {
    putOld(root, { 'a.ts': 'a' });
    const state = new CountingState();
    const workspace = new Workspace(root, state, later);
    workspace.attend();
    workspace.inputs(['*.ts'], nothing);
    assert.is(state.puts, 0);
    workspace.save();
    workspace.save();
    assert.is(state.puts, 1);
  });
});

/** One thing that happens to a small folder, and the paths that somebody who watches it would be told. */
type Edit = readonly ['write' | 'remove' | 'folder' | 'link' | 'mode' | 'move', number, number];

const PLACES = ['a.ts', 'x', 'x/a.ts', 'x/b.md', 'x/y', 'x/y/a.ts', 'z', 'z/a.ts', 'gen', 'gen/a.ts'] as RelPath[];
const LISTS: readonly (readonly string[])[] = [['**/*.ts'], ['x', '!x/y'], ['x/a.ts', 'z'], ['**'], ['gen/*', '*.ts']];

/** A path with all above it, as they are written and where they really are. */
function places(root: AbsPath, path: string): readonly RelPath[] {
  const above = path.split('/').map((_, at, all) => all.slice(0, at + 1).join('/'));
  const real = above.filter((each) => existsSync(join(root, each))).map((each) => realpathSync(join(root, each)));
  return [...above.map((each) => each as RelPath), ...real.map((each) => toRel(root, each))];
}

function edit(root: AbsPath, [what, one, other]: Edit): readonly RelPath[] {
  const path = PLACES[one % PLACES.length] ?? 'a.ts';
  const to = PLACES[other % PLACES.length] ?? 'a.ts';
  const before = [...places(root, path), ...places(root, to)];
  try {
    if (what === 'write') put(root, { [path]: 'abc'.slice(0, 1 + (other % 3)) });
    else if (what === 'remove') remove(root, path);
    else if (what === 'folder') put(root, { [path]: { dir: true } });
    else if (what === 'link') put(root, { [path]: { link: to } });
    else if (what === 'mode') chmodSync(join(root, path), other % 2 === 0 ? 0o755 : 0o644);
    else renameSync(join(root, path), join(root, to));
  } catch {
    // There is nothing there, or something of another kind is: folders above may have been made all the same.
  }
  return [...before, ...places(root, path), ...places(root, to)];
}

test('an attended workspace lists what a fresh one does, whatever happens', () => {
  const edits = fc.array(
    fc.tuple(
      fc.constantFrom('write', 'write', 'remove', 'folder', 'link', 'mode', 'move'),
      fc.nat({ max: 9 }),
      fc.nat({ max: 9 }),
    ),
    { minLength: 1, maxLength: 4 },
  );
  const round = fc.record({
    edits,
    list: fc.nat({ max: LISTS.length - 1 }),
    hideGen: fc.boolean(),
    again: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(round, { minLength: 1, maxLength: 12 }), (rounds) => {
      inFolder((root) => {
        put(root, { 'a.ts': 'a', 'x/a.ts': 'a', 'x/y/a.ts': 'b', 'gen/a.ts': 'c' });
        const state = new CountingState();
        const attended = new Workspace(root, state, later);
        attended.attend();
        // What is seen through links may change with any edit; who watches a workspace knows them.
        const linked = (): readonly RelPath[] => {
          const isLinked = (path: string): boolean => toRel(root, realpathSync(join(root, path))) !== path;
          return PLACES.filter((path) => !existsSync(join(root, path)) || isLinked(path));
        };
        for (const { edits, list, hideGen, again } of rounds) {
          for (const one of edits) attended.recheck([...edit(root, one), ...linked()]);
          const patterns = LISTS[list] ?? [];
          const hidden = (path: RelPath): boolean => hideGen && path.startsWith('gen/');
          const fresh = new Workspace(root, new CountingState(), later).inputs(patterns, hidden);
          const listing = attended.inputs(patterns, hidden);
          assert.equal(listing.tree, fresh.tree);
          if (again) assert.equal(listing.changes(), []);
          attended.save();
          assert.equal(new Workspace(root, state, later).inputs(patterns, hidden).tree, fresh.tree, 'as it was saved');
        }
      });
    }),
    { numRuns: 150 },
  );
});

test.run();
