import { execFileSync } from 'node:child_process';
import { chmodSync, lstatSync, readdirSync, readFileSync, renameSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FlecheError } from '../../../core/base/errors.ts';
import { sha256 } from '../../../core/base/hash.ts';
import { Globs } from '../../../core/files/globs/globs.ts';
import { parseTree, treeText } from '../../../core/files/trees/tree.ts';
import { canRead, contents, put, remove } from '../_folder.ts';
import { type Bench, type Things, withBench } from '../_outputs.ts';

const DIST = ['dist/**'];

function isCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof FlecheError && error.code === code;
}

/** The paths of a task, sorted, or undefined. */
function owned(bench: Bench, task = 'task'): readonly string[] | undefined {
  const paths = bench.outputs.owners.owned(task);
  return paths === undefined ? undefined : [...paths];
}

test('a run is captured with modes, links and empty folders, and its contents are in the store', () => {
  withBench((bench) => {
    const { tree, missing } = bench.run(DIST, {
      'dist/a.js': 'a',
      'dist/bin/run': { script: 'run' },
      'dist/current': { link: 'bin/run' },
      'dist/empty': { dir: true },
      'other.txt': 'not an output',
    });
    assert.equal(missing, []);
    assert.equal(
      tree.entries.map((entry) => [entry.kind, entry.path]),
      [
        ['file', 'dist/a.js'],
        ['file', 'dist/bin/run'],
        ['link', 'dist/current'],
        ['dir', 'dist/empty'],
      ],
    );
    assert.is(bench.values.has(sha256('a')) && bench.values.has(sha256('run')), true);
    assert.is(tree.digest, sha256(treeText(tree.entries)));
    assert.equal(parseTree(Buffer.from(bench.values.get(tree.digest) ?? []).toString()), tree);
    assert.equal(owned(bench), ['dist/a.js', 'dist/bin/run', 'dist/current', 'dist/empty']);
    assert.equal(bench.warnings, []);
  });
});

test('the tree does not depend on where the workspace is or when it was written', () => {
  const digests = new Set<string>();
  for (let time = 1; time <= 2; time++) {
    withBench((bench) => {
      const prepared = bench.outputs.prepare('task', new Globs(DIST), true);
      put(bench.root, { 'dist/a.js': 'a', 'dist/l': { link: 'a.js' } });
      symlinkSync(join(bench.root, 'dist/a.js'), join(bench.root, 'dist/absolute'));
      utimesSync(join(bench.root, 'dist/a.js'), time * 1e9, time * 1e9);
      digests.add(bench.outputs.capture(prepared).tree.digest);
    });
  }
  assert.is(digests.size, 1);
});

test('what the task wrote before is removed before it runs, with the folders that it leaves empty', () => {
  withBench((bench) => {
    bench.run(DIST, { 'dist/a.js': 'a', 'dist/deep/x/b.js': 'b', 'dist/l': { link: 'a.js' }, 'dist/e': { dir: true } });
    bench.outputs.prepare('task', new Globs(DIST), true);
    assert.equal(bench.standing, {});
    assert.equal(bench.warnings, []);
  });
});

test('what the task wrote before and does not write again is not captured again', () => {
  withBench((bench) => {
    bench.run(DIST, { 'dist/a.js': 'a', 'dist/b.js': 'b' });
    const { tree } = bench.run(DIST, { 'dist/a.js': 'a' });
    assert.equal(
      tree.entries.map(({ path }) => path),
      ['dist/a.js'],
    );
    assert.equal(bench.standing, { 'dist/a.js': 'a' });
  });
});

test('without clean, what the task wrote before stays and is captured again', () => {
  withBench((bench) => {
    bench.run(DIST, { 'dist/a.js': 'a', 'dist/b.js': 'b' });
    const { tree } = bench.run(DIST, { 'dist/a.js': 'new' }, false);
    assert.equal(
      tree.entries.map(({ path }) => path),
      ['dist/a.js', 'dist/b.js'],
    );
    assert.equal(bench.standing, { 'dist/a.js': 'new', 'dist/b.js': 'b' });
  });
});

test('a file that was left in place is taken in anew when it has changed, whatever the ledger says', () => {
  withBench((bench) => {
    bench.run(DIST, { 'dist/a.js': 'one' });
    utimesSync(join(bench.root, 'dist/a.js'), 1e9, 1e9);
    const { tree } = bench.run(DIST, { 'dist/a.js': 'two' }, false);
    assert.is(tree.entries[0]?.kind === 'file' && tree.entries[0].digest, sha256('two'));
  });
});

test('what people put beside known outputs is kept, not captured, and not the task’s', () => {
  withBench((bench) => {
    bench.run(DIST, { 'dist/a.js': 'a' });
    const mine: Things = {
      'dist/notes.md': 'mine',
      'dist/mine/x': 'x',
      'dist/link': { link: 'notes.md' },
      'dist/e': { dir: true },
    };
    put(bench.root, mine);
    for (const clean of [true, false]) {
      const { tree } = bench.run(DIST, { 'dist/a.js': 'a' }, clean);
      assert.equal(bench.standing, { 'dist/a.js': 'a', ...mine });
      assert.equal(
        tree.entries.map(({ path }) => path),
        ['dist/a.js'],
      );
      assert.equal(owned(bench), ['dist/a.js']);
    }
    assert.equal(bench.warnings, []);
  });
});

test('a file of somebody else that the run writes becomes the task’s', () => {
  withBench((bench) => {
    bench.run(DIST, { 'dist/a.js': 'a' });
    put(bench.root, { 'dist/b.js': 'mine' });
    utimesSync(join(bench.root, 'dist/b.js'), 1e9, 1e9);
    bench.run(DIST, { 'dist/a.js': 'a', 'dist/b.js': 'its' });
    assert.equal(owned(bench), ['dist/a.js', 'dist/b.js']);
  });
});

test('on the first run here everything that matches is moved aside, with one warning', () => {
  withBench((bench) => {
    put(bench.root, { 'dist/old.js': 'old', 'dist/deep/x.js': 'x', 'dist/e/f': { dir: true }, 'src/a.ts': 'a' });
    const { tree } = bench.run(DIST, { 'dist/a.js': 'a' });
    assert.equal(bench.standing, { 'dist/a.js': 'a', 'src/a.ts': 'a' });
    assert.equal(bench.moved, { 'dist/old.js': 'old', 'dist/deep/x.js': 'x' });
    assert.equal(
      tree.entries.map(({ path }) => path),
      ['dist/a.js'],
    );
    assert.is(bench.warnings.length, 1);
    assert.match(bench.warnings[0] ?? '', /^2 paths among the outputs of task were moved to \.fleche\/trash\//);
  });
});

test('what a pattern takes away is left alone on the first run, too', () => {
  withBench((bench) => {
    put(bench.root, { 'dist/keep/a': 'a', 'dist/b': 'b' });
    bench.run(['dist/**', '!dist/keep'], { 'dist/c': 'c' });
    assert.equal(bench.standing, { 'dist/c': 'c', 'dist/keep/a': 'a' });
  });
});

test('a run that did not get to its end leaves the task without a ledger, and what it wrote is moved aside', () => {
  withBench((bench) => {
    bench.run(DIST, { 'dist/a.js': 'a' });
    put(bench.root, { 'dist/notes.md': 'mine' });
    bench.outputs.prepare('task', new Globs(DIST), true);
    put(bench.root, { 'dist/half.js': 'half' });
    assert.is(owned(bench), undefined);
    bench.run(DIST, { 'dist/a.js': 'a' });
    assert.equal(bench.standing, { 'dist/a.js': 'a', 'dist/notes.md': 'mine' }, 'what was there before the run stays');
    assert.equal(bench.moved, { 'dist/half.js': 'half' });
    assert.is(bench.warnings.length, 1);
  });
});

test('that a run begins is durable before anything is removed', () => {
  withBench((bench) => {
    bench.run(DIST, { 'dist/a.js': 'a' });
    let standing: Things = {};
    bench.state.flush = () => {
      standing = bench.standing;
    };
    bench.outputs.prepare('task', new Globs(DIST), true);
    assert.equal(standing, { 'dist/a.js': 'a' });
    assert.equal(bench.standing, {});
  });
});

test('what a failed run left behind is the task’s own and goes without a word', () => {
  withBench((bench) => {
    bench.run(DIST, { 'dist/a.js': 'a' });
    put(bench.root, { 'dist/notes.md': 'mine' });
    const prepared = bench.outputs.prepare('task', new Globs(DIST), true);
    put(bench.root, { 'dist/half.js': 'half' });
    bench.outputs.abandon(prepared);
    assert.equal(owned(bench), ['dist/half.js']);
    bench.run(DIST, { 'dist/a.js': 'a' });
    assert.equal(bench.standing, { 'dist/a.js': 'a', 'dist/notes.md': 'mine' });
    assert.equal(bench.warnings, []);
  });
});

test('an output that is declared by name and was not written is missing', () => {
  withBench((bench) => {
    const patterns = ['dist/a.js', 'dist/b.js', 'lib/', 'maps/*.map'];
    assert.equal(bench.run(patterns, { 'dist/a.js': 'a', 'lib/deep/x': 'x' }).missing, ['dist/b.js']);
    assert.equal(bench.run(patterns, {}).missing, ['dist/a.js', 'dist/b.js', 'lib', 'maps/*.map']);
    assert.equal(bench.run(['lib', '!lib/x'], {}).missing, ['lib']);
    assert.equal(bench.run([], {}).missing, []);
  });
});

test('a file that is declared by name is the task’s, whoever wrote it', () => {
  withBench((bench) => {
    bench.run(['a.txt'], { 'a.txt': 'a' });
    put(bench.root, { 'b.txt': 'mine' });
    assert.equal(bench.run(['a.txt', 'b.txt'], {}, false).missing, []);
    assert.equal(owned(bench), ['a.txt', 'b.txt']);
    put(bench.root, { 'c.txt': 'mine' });
    assert.equal(bench.run(['a.txt', 'c.txt'], { 'a.txt': 'a' }).missing, ['c.txt']);
    assert.equal(bench.moved, { 'c.txt': 'mine' });
  });
});

test('outputs of older patterns are removed, unless another task has them now', () => {
  withBench((bench) => {
    bench.run(['dist/**', 'lib/**'], { 'dist/a.js': 'a', 'lib/b.js': 'b', 'lib/deep/c.js': 'c' });
    const other = bench.outputs.prepare('other', new Globs(['lib/b.js']), true);
    put(bench.root, { 'lib/b.js': 'of the other' });
    bench.outputs.capture(other);
    bench.run(DIST, { 'dist/a.js': 'a' });
    assert.equal(bench.standing, { 'dist/a.js': 'a', 'lib/b.js': 'of the other' });
    bench.run(['build/**'], { 'build/x': 'x' });
    assert.equal(bench.standing, { 'build/x': 'x', 'lib/b.js': 'of the other' });
  });
});

test('a folder where the task wrote a file under older patterns is moved aside, unless another task wrote in it', () => {
  withBench((bench) => {
    bench.run(['lib/**'], { 'lib/a': 'a', 'lib/b': 'b' });
    remove(bench.root, 'lib/a', 'lib/b');
    const other = bench.outputs.prepare('other', new Globs(['lib/a/**']), true);
    put(bench.root, { 'lib/a/c': 'of the other', 'lib/b/mine': 'mine' });
    bench.outputs.capture(other);
    bench.run(DIST, { 'dist/b': 'b' });
    assert.equal(bench.standing, { 'dist/b': 'b', 'lib/a/c': 'of the other' });
    assert.equal(bench.moved, { 'lib/b/mine': 'mine' });
  });
});

test('a folder where the task wrote a file is moved aside before a run', () => {
  withBench((bench) => {
    bench.run(DIST, { 'dist/a.js': 'a' });
    remove(bench.root, 'dist/a.js');
    put(bench.root, { 'dist/a.js/mine': 'mine' });
    bench.run(DIST, { 'dist/a.js': 'a' });
    assert.equal(bench.standing, { 'dist/a.js': 'a' });
    assert.equal(bench.moved, { 'dist/a.js/mine': 'mine' });
    assert.is(bench.warnings.length, 1);
  });
});

test('the same if the run before was cut short before it came to that', () => {
  withBench((bench) => {
    bench.run(['out.txt'], { 'out.txt': 'a' });
    remove(bench.root, 'out.txt');
    put(bench.root, { 'out.txt/inside': 'mine' });
    bench.outputs.prepare('task', new Globs(['out.txt']), true);
    renameSync(join(bench.trash, readdirSync(bench.trash)[0] ?? '', 'out.txt'), join(bench.root, 'out.txt'));
    bench.outputs.prepare('task', new Globs(['out.txt']), true);
    assert.equal(bench.standing, {});
    assert.is(bench.moved['out.txt/inside'], 'mine');
  });
});

test('an output folder that became a link is replaced before a run, and what it leads to is left alone', () => {
  for (const patterns of [['dist/**'], ['dist'], ['dist/**/*.js'], ['dist/sub/**', 'dist/a.js']]) {
    withBench((bench) => {
      bench.run(patterns, { 'dist/a.js': 'a', 'dist/sub/b.js': 'b' });
      remove(bench.root, 'dist');
      put(bench.outside, { 'a.js': 'outside', 'sub/b.js': 'outside' });
      symlinkSync(bench.outside, join(bench.root, 'dist'));
      if (patterns.length === 1) {
        bench.outputs.prepare('task', new Globs(patterns), true);
        assert.equal(bench.standing, {}, patterns.join());
        assert.equal(bench.moved, { dist: { link: bench.outside } });
      } else {
        const prepare = (): unknown => bench.outputs.prepare('task', new Globs(patterns), true);
        assert.throws(prepare, isCode('OUTPUT_ESCAPES'));
      }
      assert.equal(contents(bench.outside), { 'a.js': 'outside', 'sub/b.js': 'outside' });
    });
  }
});

test('a file that stands where the output folder should be is moved aside before a run', () => {
  withBench((bench) => {
    put(bench.root, { dist: 'a file', out: 'another' });
    bench.run(DIST, { 'dist/a.js': 'a' });
    assert.equal(bench.standing, { 'dist/a.js': 'a', out: 'another' });
    assert.equal(bench.moved, { dist: 'a file' });
    bench.outputs.prepare('other', new Globs(['out/deep/*.js']), true);
    assert.equal(bench.standing, { 'dist/a.js': 'a', out: 'another' }, 'what is above the place is the project’s');
  });
});

test('a folder below the outputs that became a link is replaced, too', () => {
  withBench((bench) => {
    bench.run(DIST, { 'dist/sub/b.js': 'b', 'dist/a.js': 'a' });
    remove(bench.root, 'dist/sub');
    put(bench.outside, { 'b.js': 'outside' });
    symlinkSync(bench.outside, join(bench.root, 'dist/sub'));
    bench.run(DIST, { 'dist/sub/b.js': 'b' });
    assert.equal(bench.standing, { 'dist/sub/b.js': 'b' });
    assert.equal(contents(bench.outside), { 'b.js': 'outside' });
  });
});

test('a run that leaves a link in place of its output folder is refused', () => {
  withBench((bench) => {
    const prepared = bench.outputs.prepare('task', new Globs(DIST), true);
    put(bench.root, { 'real/a.js': 'a', dist: { link: 'real' } });
    assert.throws(() => bench.outputs.capture(prepared), isCode('OUTPUT_ESCAPES'));
  });
});

test('a link that leads outside the project is refused, however it is written', () => {
  for (const target of ['../../outside', '../x/../../outside', '/etc/hosts', '..//..']) {
    withBench((bench) => {
      const run = (): unknown => bench.run(DIST, { 'dist/l': { link: target } });
      assert.throws(run, isCode('OUTPUT_ESCAPES'), target);
    });
  }
});

test('a link to an absolute place in the project is captured, and left, as a relative one', () => {
  withBench((bench) => {
    const { tree } = bench.run(DIST, { 'dist/x/a.js': 'a', 'dist/y/l': { link: join(bench.root, 'dist/x/a.js') } });
    assert.equal(tree.entries[1], {
      kind: 'link',
      path: 'dist/y/l',
      target: '../x/a.js',
      digest: null,
      executable: false,
    });
    assert.equal(bench.standing['dist/y/l'], { link: '../x/a.js' });
  });
});

test('an output may be a link to a folder', () => {
  withBench((bench) => {
    const patterns = ['current', 'releases/**'];
    bench.run(patterns, { 'releases/1/a.js': 'a', current: { link: 'releases/1' } });
    const { tree } = bench.run(patterns, { 'releases/2/a.js': 'a', current: { link: 'releases/2' } });
    assert.equal(
      tree.entries.map(({ kind, path }) => [kind, path]),
      [
        ['link', 'current'],
        ['file', 'releases/2/a.js'],
      ],
    );
    assert.equal(bench.standing, { current: { link: 'releases/2' }, 'releases/2/a.js': 'a' });
    assert.equal(bench.restore(patterns, tree), { restored: 0 });
    assert.equal(bench.warnings, []);
  });
});

test('patterns that lead outside the project are refused', () => {
  withBench((bench) => {
    for (const pattern of ['../outside/**', '..', 'x/../../y']) {
      assert.throws(() => bench.outputs.prepare('task', new Globs([pattern]), true), isCode('OUTPUT_ESCAPES'));
    }
  });
});

test('patterns take away and take in again what is captured', () => {
  withBench((bench) => {
    const { tree } = bench.run(['dist/**', '!dist/tmp', 'dist/tmp/keep.js'], {
      'dist/a.js': 'a',
      'dist/tmp/x.js': 'x',
      'dist/tmp/keep.js': 'k',
    });
    assert.equal(
      tree.entries.map(({ path }) => path),
      ['dist/a.js', 'dist/tmp/keep.js'],
    );
  });
});

test('names with brackets, quotes and letters of any script are captured', () => {
  withBench((bench) => {
    const paths = ['dist/[id].js', 'dist/(x)/a b.js', 'dist/"q".js', 'dist/日本.js'];
    bench.run(DIST, Object.fromEntries(paths.map((path) => [path, path])));
    assert.equal(owned(bench)?.toSorted(), paths.toSorted());
  });
});

test('an output that cannot be read is an error that names it', () => {
  withBench((bench) => {
    const prepared = bench.outputs.prepare('task', new Globs(DIST), true);
    put(bench.root, { 'dist/a.js': 'a' });
    chmodSync(join(bench.root, 'dist/a.js'), 0o000);
    if (canRead(join(bench.root, 'dist/a.js'))) return;
    assert.throws(() => bench.outputs.capture(prepared), isCode('OUTPUT_UNREADABLE'));
  });
});

test('a task can be forgotten together with what it wrote', () => {
  withBench((bench) => {
    bench.run(DIST, { 'dist/a.js': 'a', 'dist/deep/b.js': 'b' });
    put(bench.root, { 'dist/deep/mine': 'mine' });
    assert.equal(bench.outputs.owners.tasks(), ['task']);
    assert.is(bench.outputs.discard('task'), 2);
    assert.equal(bench.standing, { 'dist/deep/mine': 'mine' });
    assert.equal(bench.outputs.owners.tasks(), []);
    assert.is(bench.outputs.discard('task'), 0);
  });
});

test('a pipe or a socket is no output: one that a run leaves behind is refused by name, others stay as they are', () => {
  if (process.platform === 'win32') return;
  withBench((bench) => {
    const { outputs } = bench;
    const globs = new Globs(['dist/**']);
    const pipe = (path: string): void => void execFileSync('mkfifo', [join(bench.root, path)]);
    bench.run(DIST, { 'dist/a.js': 'a' });
    pipe('dist/before');
    const prepared = outputs.prepare('task', globs, true);
    put(bench.root, { 'dist/a.js': 'a' });
    outputs.capture(prepared);
    const again = outputs.prepare('task', globs, true);
    pipe('dist/left');
    try {
      outputs.capture(again);
      assert.unreachable();
    } catch (error) {
      assert.ok(isCode('OUTPUT_UNREADABLE')(error));
      const { message, hint } = error as FlecheError;
      assert.is(message, 'outputs of task "task": dist/left is a pipe, which cannot be kept');
      assert.match(hint ?? '', '"!dist/left"');
    }
    assert.ok(lstatSync(join(bench.root, 'dist/before')).isFIFO());
  });
});

test('a pipe in the place of an output with a name makes way, for who writes to it would wait for ever', () => {
  if (process.platform === 'win32') return;
  withBench((bench) => {
    bench.run(['out'], { out: 'a' });
    const { tree } = bench.run(['out'], { out: 'b' });
    const swap = (): void => {
      remove(bench.root, 'out');
      execFileSync('mkfifo', [join(bench.root, 'out')]);
    };
    swap();
    bench.restore(['out'], tree);
    assert.is(readFileSync(join(bench.root, 'out'), 'utf8'), 'b');
    swap();
    bench.run(['out'], { out: 'c' });
    assert.is(readFileSync(join(bench.root, 'out'), 'utf8'), 'c');
  });
});

test.run();
