import { chmodSync, lstatSync, readdirSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FlecheError } from '../../../core/base/errors.ts';
import { type Digest, sha256 } from '../../../core/base/hash.ts';
import type { RelPath } from '../../../core/base/paths.ts';
import { Globs } from '../../../core/files/globs/globs.ts';
import { isConfined } from '../../../core/files/outputs/restoration.ts';
import { makeTree, type Tree, type TreeEntry } from '../../../core/files/trees/tree.ts';
import { contents, put, remove, type Thing } from '../_folder.ts';
import { Bench, type Things, withBench } from '../_outputs.ts';

const DIST = ['dist/**'];
const WRITES: Things = {
  'dist/a.js': 'a',
  'dist/bin/run': { script: 'run' },
  'dist/current': { link: 'bin/run' },
  'dist/deep/er/b.js': 'b',
  'dist/empty': { dir: true },
};

function file(path: string, text: string, executable = false): TreeEntry {
  return { kind: 'file', path: path as RelPath, executable, digest: sha256(text), size: text.length };
}

function link(path: string, target: string): TreeEntry {
  return { kind: 'link', path: path as RelPath, target, digest: null, executable: false };
}

/** What two versions of a task write, and the trees of it; the workspace has the second. */
function twoVersions(bench: Bench, one: Things, two: Things, patterns = DIST): readonly [Tree, Tree] {
  return [bench.run(patterns, one).tree, bench.run(patterns, two).tree];
}

test('where everything is right nothing is written, not even the ledger', () => {
  withBench((bench) => {
    const { tree } = bench.run(DIST, WRITES);
    const { puts } = bench.state;
    assert.equal(bench.check(DIST, tree), []);
    assert.equal(bench.restore(DIST, tree), { restored: 0 });
    assert.is(bench.state.puts, puts);
    assert.is(bench.values.given, 0);
  });
});

test('a wiped workspace is put back: contents, modes, links and empty folders', () => {
  withBench((bench) => {
    const { tree } = bench.run(DIST, WRITES);
    bench.wipe('dist');
    assert.equal(bench.restore(DIST, tree), { restored: 5 });
    assert.equal(bench.standing, WRITES);
    assert.equal(bench.warnings, []);
    assert.equal(bench.check(DIST, tree), []);
  });
});

test('a fresh workspace gets what another one wrote', () => {
  withBench((bench) => {
    const { tree } = bench.run(DIST, WRITES);
    withBench((other) => {
      for (const { digest } of bench.values.list()) other.values.put(digest, bench.values.get(digest) ?? Buffer.of());
      assert.equal(other.restore(DIST, tree), { restored: 5 });
      assert.equal(other.standing, WRITES);
      assert.is(other.run(DIST, WRITES).tree.digest, tree.digest);
    });
  });
});

test('modes do not depend on the umask', () => {
  withBench((bench) => {
    const { tree } = bench.run(DIST, WRITES);
    bench.wipe('dist');
    const umask = process.umask(0o077);
    try {
      bench.restore(DIST, tree);
    } finally {
      process.umask(umask);
    }
    assert.is(lstatSync(join(bench.root, 'dist/a.js')).mode & 0o777, 0o644);
    assert.is(lstatSync(join(bench.root, 'dist/bin/run')).mode & 0o777, 0o755);
  });
});

test('one missing file is put back, and nothing else is touched', () => {
  withBench((bench) => {
    const { tree } = bench.run(DIST, WRITES);
    const before = lstatSync(join(bench.root, 'dist/deep/er/b.js')).ctimeMs;
    remove(bench.root, 'dist/a.js');
    assert.equal(bench.check(DIST, tree), ['missing dist/a.js']);
    assert.equal(bench.restore(DIST, tree), { restored: 1 });
    assert.equal(bench.standing, WRITES);
    assert.is(bench.values.given, 1);
    assert.is(lstatSync(join(bench.root, 'dist/deep/er/b.js')).ctimeMs, before);
  });
});

test('edited, retargeted and re-moded outputs are healed', () => {
  withBench((bench) => {
    const { tree } = bench.run(DIST, WRITES);
    put(bench.root, { 'dist/a.js': 'by hand' });
    chmodSync(join(bench.root, 'dist/bin/run'), 0o644);
    remove(bench.root, 'dist/current', 'dist/empty');
    put(bench.root, { 'dist/current': { link: 'a.js' }, 'dist/empty': 'now a file' });
    const found = ['changed dist/a.js', 'mode dist/bin/run', 'changed dist/current', 'changed dist/empty'];
    assert.equal(bench.check(DIST, tree), found);
    assert.equal(bench.restore(DIST, tree), { restored: 4 });
    assert.equal(bench.standing, WRITES);
  });
});

test('an output edited to the same size with its old time put back is healed', () => {
  withBench((bench) => {
    const { tree } = bench.run(DIST, { 'dist/a.js': 'one' });
    const place = join(bench.root, 'dist/a.js');
    const { ctimeMs, mtimeMs } = lstatSync(place);
    // Until the clock of the file system has ticked no stat can tell the two apart.
    while (lstatSync(place).ctimeMs === ctimeMs) {
      put(bench.root, { 'dist/a.js': 'two' });
      utimesSync(place, mtimeMs / 1000, mtimeMs / 1000);
    }
    assert.equal(bench.check(DIST, tree), ['changed dist/a.js']);
    assert.equal(bench.restore(DIST, tree), { restored: 1 });
    assert.equal(bench.standing, { 'dist/a.js': 'one' });
  });
});

test('a touched output is right, and known to be so the next time', () => {
  withBench((bench) => {
    const { tree } = bench.run(DIST, WRITES);
    utimesSync(join(bench.root, 'dist/a.js'), 1e9, 1e9);
    assert.equal(bench.check(DIST, tree), []);
    const { puts } = bench.state;
    assert.equal(bench.restore(DIST, tree), { restored: 0 });
    assert.is(bench.state.puts, puts + 1);
    bench.restore(DIST, tree);
    assert.is(bench.state.puts, puts + 1);
  });
});

test('an output that may still be written within its tick is looked into, and others are not', () => {
  for (const [age, found] of [
    [1, ['changed dist/a.js']],
    [60_000, []],
  ] as const) {
    withBench((bench) => {
      bench.clock = () => (lstatSync(join(bench.root, 'dist/a.js'), { throwIfNoEntry: false })?.ctimeMs ?? 0) + age;
      bench.run(DIST, { 'dist/a.js': 'one' });
      // The ledger says that the file has other content; whoever trusts the key believes it.
      const packed = Buffer.from(bench.state.get('outputs/task') ?? []);
      packed.write(sha256('two'), packed.indexOf(Buffer.from(sha256('one'), 'hex')), 'hex');
      bench.state.put('outputs/task', packed);
      assert.equal(bench.check(DIST, makeTree([file('dist/a.js', 'two')])), found);
    });
  }
});

test('a young output that stays as it is costs a reading, not a writing', () => {
  withBench((bench) => {
    bench.clock = () => 0;
    const { tree } = bench.run(DIST, { 'dist/a.js': 'one' });
    const { puts } = bench.state;
    bench.restore(DIST, tree);
    assert.is(bench.state.puts, puts);
    bench.clock = () => Date.now() + 60_000;
    bench.restore(DIST, tree);
    assert.is(bench.state.puts, puts + 1, 'trusted from now on');
    bench.restore(DIST, tree);
    assert.is(bench.state.puts, puts + 1);
  });
});

test('outputs of another version are replaced, and what it wrote beyond goes, with the folders left empty', () => {
  withBench((bench) => {
    const one = { 'dist/a.js': 'a1', 'dist/b.js': 'b' };
    const [first, second] = twoVersions(bench, one, { 'dist/a.js': 'a2', 'dist/extra/deep/c.js': 'c' });
    assert.equal(bench.check(DIST, first), ['changed dist/a.js', 'missing dist/b.js', 'extra dist/extra/deep/c.js']);
    assert.equal(bench.restore(DIST, first), { restored: 3 });
    assert.equal(bench.standing, one);
    assert.equal(readdirSync(join(bench.root, 'dist')), ['a.js', 'b.js']);
    assert.equal(bench.restore(DIST, second), { restored: 3 });
    assert.equal(bench.standing, { 'dist/a.js': 'a2', 'dist/extra/deep/c.js': 'c' });
    assert.equal(bench.warnings, []);
  });
});

test('files, folders and links of one version take the places of one another in the next', () => {
  withBench((bench) => {
    const one: Things = { 'dist/x': 'x', 'dist/y/z': 'z', 'dist/l': { link: 'x' }, 'dist/e': { dir: true } };
    const two: Things = { 'dist/x/y': 'y', 'dist/y': { link: 'x' }, 'dist/l': { dir: true }, 'dist/e/f': 'f' };
    const [first, second] = twoVersions(bench, one, two);
    for (const [tree, things] of [
      [first, one],
      [second, two],
      [first, one],
    ] as const) {
      bench.restore(DIST, tree);
      assert.equal(bench.standing, things);
    }
    assert.equal(bench.warnings, []);
  });
});

test('what people put beside the outputs is kept', () => {
  withBench((bench) => {
    const [first] = twoVersions(bench, { 'dist/a.js': 'a' }, { 'dist/sub/b.js': 'b' });
    put(bench.root, { 'dist/notes.md': 'mine', 'dist/sub/mine': 'mine' });
    bench.restore(DIST, first);
    assert.equal(bench.standing, { 'dist/a.js': 'a', 'dist/notes.md': 'mine', 'dist/sub/mine': 'mine' });
    assert.equal(bench.warnings, []);
  });
});

test('what people put where an output belongs is moved aside', () => {
  withBench((bench) => {
    const [first] = twoVersions(bench, { 'dist/a.js': 'a', 'dist/sub/c.js': 'c' }, { 'dist/b.js': 'b' });
    put(bench.root, { 'dist/a.js': 'mine', 'dist/sub': 'mine, too' });
    bench.restore(DIST, first);
    assert.equal(bench.standing, { 'dist/a.js': 'a', 'dist/sub/c.js': 'c' });
    assert.equal(bench.moved, { 'dist/a.js': 'mine', 'dist/sub': 'mine, too' });
    assert.is(bench.warnings.length, 1);
  });
});

test('an output replaced by a folder is put right, and the folder is moved aside', () => {
  withBench((bench) => {
    const { tree } = bench.run(DIST, WRITES);
    remove(bench.root, 'dist/a.js');
    put(bench.root, { 'dist/a.js/mine': 'mine' });
    assert.equal(bench.check(DIST, tree), ['changed dist/a.js']);
    bench.restore(DIST, tree);
    assert.equal(bench.standing, WRITES);
    assert.equal(bench.moved, { 'dist/a.js/mine': 'mine' });
  });
});

test('a folder where the task wrote a file that goes is moved aside, but not one where the outputs have a folder', () => {
  withBench((bench) => {
    const [first] = twoVersions(bench, { 'dist/a/b.js': 'b' }, { 'dist/a': 'a', 'dist/c.js': 'c' });
    remove(bench.root, 'dist/a', 'dist/c.js');
    put(bench.root, { 'dist/a/mine': 'mine', 'dist/c.js/mine': 'mine' });
    assert.equal(bench.check(DIST, first), ['missing dist/a/b.js', 'extra dist/c.js']);
    bench.restore(DIST, first);
    assert.equal(bench.standing, { 'dist/a/b.js': 'b', 'dist/a/mine': 'mine' });
    assert.equal(bench.moved, { 'dist/c.js/mine': 'mine' });
  });
});

test('where it is not known what the task wrote, what matches and is right stays, and the rest is moved aside', () => {
  withBench((bench) => {
    const { tree } = bench.run(DIST, WRITES);
    for (const name of bench.state.names('')) bench.state.delete(name);
    put(bench.root, { 'dist/stale.js': 'stale', 'dist/a.js': 'stale', 'dist/old/empty': { dir: true } });
    const found = ['changed dist/a.js', 'extra dist/old/empty', 'extra dist/stale.js'];
    assert.equal(bench.check(DIST, tree), found);
    assert.equal(bench.restore(DIST, tree), { restored: 3 });
    assert.equal(bench.standing, WRITES);
    assert.equal(bench.moved, { 'dist/stale.js': 'stale', 'dist/a.js': 'stale' });
    assert.is(bench.warnings.length, 1);
    assert.equal(bench.check(DIST, tree), []);
  });
});

test('an output folder that became a link is never written or deleted through', () => {
  for (const patterns of [['dist/**'], ['dist'], ['dist/**/*.js']]) {
    withBench((bench) => {
      const writes = { 'dist/a.js': 'a', 'dist/sub/b.js': 'b' };
      const [first] = twoVersions(bench, writes, { ...writes, 'dist/sub/extra.js': 'e' }, patterns);
      remove(bench.root, 'dist');
      const theirs = { 'a.js': 'outside', 'sub/extra.js': 'outside' };
      put(bench.outside, theirs);
      symlinkSync(bench.outside, join(bench.root, 'dist'));
      assert.equal(bench.check(patterns, first), ['missing dist/a.js', 'missing dist/sub/b.js']);
      bench.restore(patterns, first);
      assert.equal(bench.standing, writes, patterns.join());
      assert.equal(contents(bench.outside), theirs);
      assert.equal(bench.moved, { dist: { link: bench.outside } });
    });
  }
});

test('outputs behind a link that is part of the project are refused', () => {
  withBench((bench) => {
    const { tree } = bench.run(['lib/dist/**'], { 'lib/dist/a.js': 'a' });
    remove(bench.root, 'lib');
    symlinkSync(bench.outside, join(bench.root, 'lib'));
    assert.throws(
      () => bench.restore(['lib/dist/**'], tree),
      (error: unknown) => error instanceof FlecheError && error.code === 'OUTPUT_ESCAPES',
    );
    assert.equal(contents(bench.outside), {});
    assert.equal(bench.standing, { lib: { link: bench.outside } });
  });
});

test('if content is lost nothing is changed', () => {
  withBench((bench) => {
    const [first] = twoVersions(
      bench,
      { 'dist/a.js': 'a', 'dist/b.js': 'b' },
      { 'dist/a.js': 'new', 'dist/c.js': 'c' },
    );
    bench.values.delete(sha256('b'));
    const { standing } = bench;
    assert.equal(bench.restore(DIST, first), { lost: sha256('b') });
    assert.equal(bench.standing, standing);
    assert.equal([...(bench.outputs.owners.owned('task') ?? [])], ['dist/a.js', 'dist/c.js']);
  });
});

test('lost content of what is in its place is not missed', () => {
  withBench((bench) => {
    const { tree } = bench.run(DIST, { 'dist/a.js': 'a', 'dist/b.js': 'b' });
    bench.values.delete(sha256('b'));
    remove(bench.root, 'dist/a.js');
    assert.equal(bench.restore(DIST, tree), { restored: 1 });
  });
});

test('if content turns out to be damaged nothing half is left, and the task can run', () => {
  withBench((bench) => {
    const [first] = twoVersions(bench, { 'dist/a.js': 'a', 'dist/b.js': 'b' }, { 'dist/c.js': 'c' });
    put(bench.root, { 'dist/mine': 'mine' });
    bench.values.damaged.add(sha256('b'));
    assert.equal(bench.restore(DIST, first), { lost: sha256('b') });
    assert.equal(bench.standing, { 'dist/mine': 'mine' });
    bench.run(DIST, { 'dist/a.js': 'a' });
    assert.equal(bench.standing, { 'dist/a.js': 'a', 'dist/mine': 'mine' });
    assert.equal(bench.warnings, []);
  });
});

test('what people put in place of an output is never deleted, even if content turns out to be damaged', () => {
  withBench((bench) => {
    const [first] = twoVersions(bench, { 'dist/a.js': 'a', 'dist/b.js': 'b' }, { 'dist/c.js': 'c' });
    put(bench.root, { 'dist/b.js': 'mine' });
    bench.values.damaged.add(sha256('a'));
    assert.equal(bench.restore(DIST, first), { lost: sha256('a') });
    assert.equal(bench.standing, {});
    assert.equal(bench.moved, { 'dist/b.js': 'mine' });
  });
});

test('what a restoration that was killed left behind is known to be the task’s', () => {
  withBench((bench) => {
    const [first] = twoVersions(bench, { 'dist/a.js': 'a', 'dist/b/c.js': 'c' }, { 'dist/d.js': 'd' });
    const copyTo = bench.values.copyTo.bind(bench.values);
    bench.values.copyTo = (digest: Digest, path: string, mode: number) => {
      if (bench.values.given === 1) {
        put(bench.root, { [path.slice(bench.root.length + 1)]: 'half' });
        throw new Error('killed');
      }
      return copyTo(digest, path, mode);
    };
    assert.throws(() => bench.restore(DIST, first), 'killed');
    bench.values.copyTo = copyTo;
    assert.is(Object.keys(bench.standing).length, 2);
    bench.run(DIST, { 'dist/d.js': 'd' });
    assert.equal(bench.standing, { 'dist/d.js': 'd' });
    assert.equal(bench.warnings, []);
  });
});

test('a tree that the patterns do not cover, or that would lead outside, is lost', () => {
  const outside: readonly TreeEntry[][] = [
    [file('src/a.ts', 'a')],
    [file('../x', 'a')],
    [file('dist/../../x', 'a')],
    [link('dist/l', '../..')],
    [link('dist/l', '/etc')],
    [link('dist/l', '..'), file('dist/l/a', 'a')],
    [file('dist/f', 'a'), file('dist/f/g', 'a')],
    [{ kind: 'absent', path: 'dist/a' as RelPath }],
  ];
  for (const entries of outside) {
    withBench((bench) => {
      bench.values.put(sha256('a'), Buffer.from('a'));
      const tree = makeTree(entries);
      assert.is(isConfined(tree, new Globs(DIST)), false, JSON.stringify(entries));
      assert.equal(bench.restore(DIST, tree), { lost: tree.digest });
      assert.equal(bench.standing, {});
    });
  }
});

test('an entry whose name differs in case alone from one that goes is written anew', () => {
  withBench((bench) => {
    const [first] = twoVersions(bench, { 'dist/App.js': 'a' }, { 'dist/app.js': 'a' });
    bench.restore(DIST, first);
    assert.equal(bench.standing, { 'dist/App.js': 'a' });
    assert.equal(readdirSync(join(bench.root, 'dist')), ['App.js']);
  });
});

test('the empty tree removes all that the task wrote', () => {
  withBench((bench) => {
    bench.run(DIST, WRITES);
    assert.equal(bench.restore(DIST, makeTree([])), { restored: 5 });
    assert.equal(bench.standing, {});
  });
});

const name = fc.constantFrom('a', 'b', 'c', '.d', '[e]', 'é');
const thing: fc.Arbitrary<Thing> = fc.oneof(
  fc.constantFrom('', 'one', 'two'),
  fc.constant({ script: 'run' }),
  fc.constantFrom({ link: 'a' }, { link: 'b/c' }),
  fc.constant({ dir: true } as const),
);

/** Things at paths none of which is below another. */
const things: fc.Arbitrary<Things> = fc
  .array(fc.tuple(fc.array(name, { minLength: 1, maxLength: 3 }), thing), { maxLength: 6 })
  .map((pairs) => pairs.map(([steps, thing]) => [`dist/${steps.join('/')}`, thing] as const))
  .map((pairs) => {
    const paths = pairs.map(([path]) => path);
    const free = pairs.filter(([path]) => !paths.some((other) => other !== path && other.startsWith(`${path}/`)));
    return Object.fromEntries(free);
  });

test('whatever was there, a hit leaves what a clean run leaves', () => {
  withBench((all) => {
    let count = 0;
    fc.assert(
      fc.property(
        fc.array(things, { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(), { maxLength: 4 }),
        (versions, hits) => {
          const bench = new Bench(join(all.root, String(count++)) as Bench['root'], all.outside);
          put(bench.root, { '.': { dir: true } });
          const trees = versions.map((writes) => bench.run(DIST, writes).tree);
          for (const hit of hits) {
            const version = hit % versions.length;
            bench.restore(DIST, trees[version] ?? makeTree([]));
            assert.equal(bench.standing, versions[version]);
            assert.equal(bench.check(DIST, trees[version] ?? makeTree([])), []);
          }
          assert.equal(bench.warnings, []);
        },
      ),
      { numRuns: 40 },
    );
  });
});

test.run();
