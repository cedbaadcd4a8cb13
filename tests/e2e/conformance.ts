/**
 * A table of single situations that a task runner has to get right: what is done to a built project, what runs then, and
 * what the workspace is like afterwards. After every row that ends well, the workspace is compared with a clean build of
 * the same sources in a folder of its own. Rows where fleche deliberately does something else than could be wished say
 * why in their name.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ended, isAlive, Rig, type RunResult, until } from './_rig.ts';

/** `gen` takes comments out of each file, `use` puts what is left together. */
const PAIR: Readonly<Record<string, string>> = {
  'fleche.config.toml': `[default]
root = true
tasks = ["use"]

[tasks.gen]
run = "sh gen.sh"
inputs = ["in/**", "gen.sh"]
outputs = ["gen/**"]
pass_env = ["TEST_LOG"]

[tasks.use]
run = "sh use.sh"
needs = ["gen"]
inputs = ["gen/**", "use.sh"]
outputs = ["out/**"]
pass_env = ["TEST_LOG"]
`,
  'gen.sh': `echo gen >>"$TEST_LOG"
export LC_ALL=C
find -L in -type f | while read -r f; do
  o="gen/\${f#in/}"; mkdir -p "$(dirname "$o")"
  if [ -x "$f" ]; then echo '# program' >/dev/null; fi
  grep -v '^#' "$f" >"$o"
done
true
`,
  'use.sh': `echo use >>"$TEST_LOG"
export LC_ALL=C
mkdir -p out/empty
find gen -type f | sort | while read -r f; do echo "== $f"; cat "$f"; done >out/app.txt
echo 'cat app.txt' >out/run.sh; chmod 755 out/run.sh
ln -s app.txt out/latest
echo one; echo two >&2; echo three
`,
  'in/a.txt': '# a comment\na\n',
  'in/b.txt': 'b\n',
};

/** One task, which copies a folder. */
const COPY: Readonly<Record<string, string>> = {
  'fleche.config.toml': `[default]
root = true
tasks = ["copy"]

[tasks.copy]
run = 'echo copy >>"$TEST_LOG"; cp -R in/. out'
inputs = ["in/**"]
outputs = ["out/**"]
pass_env = ["TEST_LOG"]
`,
  'in/li\nne/br\neak.txt': 'a\n',
  'in/plain.txt': 'a\n',
};

interface Row {
  readonly name: string;
  /** Instead of `PAIR`. */
  readonly files?: Readonly<Record<string, string>>;
  /** Done before the first run. */
  readonly before?: (rig: Rig) => void;
  readonly change: (rig: Rig) => void | Promise<void>;
  /** What runs then. */
  readonly ran: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** 0 unless it says otherwise. */
  readonly code?: number;
  readonly check?: (rig: Rig, result: RunResult) => void | Promise<void>;
  /** Why the workspace is not to be compared with a clean build. */
  readonly unlikeClean?: string;
}

const ALL = ['gen', 'use'];

/** Folders elsewhere, to be removed in the end. */
const SHELVES: string[] = [];

function sameTimes(rig: Rig, path: string, text: string): void {
  const { atime, mtime } = statSync(rig.path(path));
  rig.write({ [path]: text });
  utimesSync(rig.path(path), atime, mtime);
}

function outside(rig: Rig, name: string): string {
  return join(rig.aside, name);
}

const ROWS: readonly Row[] = [
  {
    name: 'an input is touched',
    change: (rig) => utimesSync(rig.path('in/a.txt'), 1e9, 1e9),
    ran: [],
  },
  {
    name: 'an input has other content of the same size and the same time',
    change: (rig) => sameTimes(rig, 'in/b.txt', 'B\n'),
    ran: ALL,
  },
  { name: 'an input is renamed', change: (rig) => rig.rename('in/b.txt', 'in/c.txt'), ran: ALL },
  {
    name: 'two inputs swap their contents',
    change: (rig) => {
      const [a, b] = [rig.read('in/a.txt'), rig.read('in/b.txt')];
      rig.write({ 'in/a.txt': b, 'in/b.txt': a });
    },
    ran: ALL,
  },
  {
    name: 'an input is deleted, and what was made of it goes',
    change: (rig) => rig.remove('in/b.txt'),
    ran: ALL,
    check: (rig) => assert.not.ok(rig.exists('gen/b.txt')),
  },
  {
    name: 'an input comes and goes again: a hit, and what was made of it goes',
    change: async (rig) => {
      rig.write({ 'in/c.txt': 'c\n' });
      assert.equal((await rig.run()).log, ALL);
      rig.remove('in/c.txt');
    },
    ran: [],
    check: (rig) => assert.not.ok(rig.exists('gen/c.txt')),
  },
  { name: 'one output is deleted', change: (rig) => rig.remove('gen/a.txt'), ran: [] },
  { name: 'all output folders are deleted', change: (rig) => rig.remove('gen', 'out'), ran: [] },
  { name: 'an output is edited', change: (rig) => rig.write({ 'out/app.txt': 'edited by hand' }), ran: [] },
  {
    name: 'an output is edited to the same size and the same time',
    change: (rig) => sameTimes(rig, 'out/app.txt', rig.read('out/app.txt').replace('b', 'B')),
    ran: [],
  },
  {
    name: 'the upstream runs and writes the same',
    change: (rig) => rig.write({ 'in/a.txt': '# another comment\na\n' }),
    ran: ['gen'],
  },
  {
    name: 'back and forth between two states',
    change: async (rig) => {
      for (const text of ['B\n', 'b\n', 'B\n']) {
        rig.write({ 'in/b.txt': text });
        await rig.run();
      }
      rig.log();
      rig.write({ 'in/b.txt': 'b\n' });
    },
    ran: [],
  },
  {
    name: 'a variable that nobody declares: it is not passed on, so nothing runs',
    change: () => {},
    env: { LABENV: 'x' },
    ran: [],
  },
  {
    name: 'a variable that changes what programs print is not passed on either',
    change: () => {},
    env: { TZ: 'Asia/Tokyo' },
    ran: [],
  },
  {
    name: 'a failure, again: the task’s own exit code is in its outcome, the program ends with 1',
    change: async (rig) => {
      rig.write({ 'gen.sh': 'echo gen >>"$TEST_LOG"; echo half >gen; exit 3\n' });
      assert.is((await rig.run()).code, 1);
    },
    ran: ['gen'],
    code: 1,
    check: (_, { tasks, outcomes }) => {
      assert.equal(outcomes, { gen: 'failed', use: 'skipped' });
      assert.is(tasks['gen']?.exitCode, 3);
    },
  },
  {
    name: 'good, broken, and good again',
    change: async (rig) => {
      const good = rig.read('gen.sh');
      rig.write({ 'gen.sh': 'exit 3\n' });
      assert.is((await rig.run()).code, 1);
      rig.write({ 'gen.sh': good });
    },
    ran: [],
  },
  {
    name: 'outputs come back with executable bit, link and empty folder, with the time of now',
    change: (rig) => rig.remove('out'),
    ran: [],
    check: (rig) => {
      assert.is(statSync(rig.path('out/run.sh')).mode & 0o777, 0o755);
      assert.is(readlinkSync(rig.path('out/latest')), 'app.txt');
      assert.ok(statSync(rig.path('out/empty')).isDirectory());
    },
  },
  {
    name: 'the project, cache and all, is moved and the outputs are deleted',
    change: (rig) => {
      rig.move();
      rig.remove('gen', 'out');
    },
    ran: [],
  },
  {
    name: 'an ignored file that a pattern matches',
    before: (rig) => rig.write({ '.gitignore': 'in/secret.txt\n', 'in/secret.txt': 's\n' }),
    change: (rig) => rig.write({ 'in/secret.txt': 't\n' }),
    ran: ALL,
  },
  { name: 'a new file that a pattern matches', change: (rig) => rig.write({ 'in/deep/er/n.txt': 'n\n' }), ran: ALL },
  {
    name: 'a linked input: the file it leads to, outside the project, changes',
    before: (rig) => {
      writeFileSync(outside(rig, 'target'), 'one\n');
      symlinkSync('../../aside/target', rig.path('in/link.txt'));
    },
    change: (rig) => writeFileSync(outside(rig, 'target'), 'two\n'),
    ran: ALL,
    unlikeClean: 'the link leads out of it',
  },
  {
    name: 'a linked input leads to another file with the same content',
    before: (rig) => {
      rig.write({ 'real/one': 'x\n', 'real/two': 'x\n' });
      symlinkSync('../real/one', rig.path('in/link.txt'));
    },
    change: (rig) => {
      rmSync(rig.path('in/link.txt'));
      symlinkSync('../real/two', rig.path('in/link.txt'));
    },
    ran: ['gen'],
  },
  {
    name: 'the program is killed while a task runs',
    change: async (rig) => {
      rig.write({ 'in/b.txt': 'killed\n', 'gen.sh': `${rig.read('gen.sh')}sleep 30 # once\n` });
      const child = rig.start(['run']);
      const end = ended(child);
      await until(() => rig.exists('gen/b.txt') && rig.read('gen/b.txt') === 'killed\n', 'the task is at work');
      child.kill('SIGKILL');
      await end;
      rig.write({ 'gen.sh': PAIR['gen.sh'] ?? '' });
      rig.log();
    },
    ran: ALL,
  },
  {
    name: 'the program is interrupted while a task runs: its children are gone and the exit code is 130',
    change: async (rig) => {
      rig.write({ 'gen.sh': `sleep 30 & echo $! >'${outside(rig, 'pid')}'; wait\n` });
      const child = rig.start(['run']);
      const end = ended(child);
      await until(
        () => existsSync(outside(rig, 'pid')) && readFileSync(outside(rig, 'pid'), 'utf8') !== '',
        'the task is at work',
      );
      child.kill('SIGINT');
      assert.is((await end).code, 130);
      const pid = Number(readFileSync(outside(rig, 'pid'), 'utf8'));
      await until(() => !isAlive(pid), 'its child is gone');
      rig.write({ 'gen.sh': PAIR['gen.sh'] ?? '' });
    },
    ran: [],
  },
  {
    name: 'two runs at the same time: the work is done once and both show what was printed',
    before: (rig) => rig.edit('gen.sh', 'echo gen', 'sleep 0.3; echo gen'),
    change: async (rig) => {
      rig.write({ 'in/b.txt': 'both\n' });
      const runs = [rig.start(['run', '--log', 'grouped']), rig.start(['run', '--log', 'grouped'])];
      for (const { code, stdout } of await Promise.all(runs.map(ended))) {
        assert.is(code, 0, stdout);
        assert.match(stdout, 'three');
      }
      assert.equal(rig.log(), ALL);
    },
    ran: [],
  },
  { name: 'an input becomes executable', change: (rig) => chmodSync(rig.path('in/a.txt'), 0o755), ran: ['gen'] },
  {
    name: 'what a task printed is shown again, standard output and errors in their order',
    change: () => {},
    ran: [],
    check: async (rig) => {
      const { stdout } = await rig.fleche(['run', '--log', 'grouped']);
      assert.equal(stdout.match(/\b(one|two|three)\b/g), ['one', 'two', 'three']);
    },
  },
  {
    name: 'every file of the cache is cut in half and the outputs are deleted',
    change: (rig) => {
      for (const entry of readdirSync(rig.path('.fleche'), { recursive: true, withFileTypes: true })) {
        const place = join(entry.parentPath ?? entry.path, entry.name);
        if (entry.isFile()) truncateSync(place, Math.floor(statSync(place).size / 2));
      }
      rig.remove('gen', 'out');
    },
    ran: ALL,
  },
  {
    name: 'large outputs whose blobs are damaged, and which are deleted',
    before: (rig) => rig.write({ 'in/big.txt': `${'big '.repeat(40_000)}\n` }),
    change: (rig) => {
      for (const entry of readdirSync(rig.path('.fleche/cas'), { recursive: true, withFileTypes: true })) {
        const place = join(entry.parentPath ?? entry.path, entry.name);
        if (!entry.isFile()) continue;
        chmodSync(place, 0o644);
        const bytes = readFileSync(place);
        bytes.fill(0, 100, 200);
        writeFileSync(place, bytes);
      }
      rig.remove('gen', 'out');
    },
    ran: ALL,
  },
  {
    name: 'a folder called [id]',
    before: (rig) => rig.write({ 'in/[id]/x.txt': '1\n' }),
    change: (rig) => rig.write({ 'in/[id]/x.txt': '2\n' }),
    ran: ALL,
  },
  {
    name: 'names with spaces and letters of other scripts',
    before: (rig) => rig.write({ 'in/übung 日本.txt': '1\n' }),
    change: (rig) => rig.write({ 'in/übung 日本.txt': '2\n' }),
    ran: ALL,
  },
  {
    name: 'the text of a command changes',
    change: (rig) => rig.edit('fleche.config.toml', 'sh gen.sh', 'sh gen.sh again'),
    ran: ['gen'],
  },
  { name: 'line endings change', change: (rig) => rig.write({ 'in/b.txt': 'b\r\n' }), ran: ALL },
  {
    name: 'outputs of an older version are put in place while the inputs stay',
    change: async (rig) => {
      cpSync(rig.path('out'), outside(rig, 'old'), { recursive: true, verbatimSymlinks: true });
      rig.write({ 'in/b.txt': 'new\n' });
      await rig.run();
      rig.remove('out');
      cpSync(outside(rig, 'old'), rig.path('out'), { recursive: true, verbatimSymlinks: true });
    },
    ran: [],
  },
  {
    name: 'a task reads a file it does not declare: what is not declared is not looked at, so it stays a hit',
    before: (rig) => {
      rig.write({ hidden: '1\n' });
      rig.append('use.sh', 'cat hidden >>out/app.txt\n');
    },
    change: (rig) => rig.write({ hidden: '2\n' }),
    ran: [],
    unlikeClean: 'this is the price of not tracing what commands read',
  },
  {
    name: 'a declared input outside the project',
    before: (rig) => {
      writeFileSync(outside(rig, 'shared'), '1\n');
      rig.edit('fleche.config.toml', '"use.sh"', '"use.sh", "../aside/shared"');
    },
    change: (rig) => writeFileSync(outside(rig, 'shared'), '2\n'),
    ran: ['use'],
    unlikeClean: 'the path leads out of it',
  },
  {
    name: 'a task rewrites its own input: told once, and not kept',
    before: (rig) => rig.append('gen.sh', 'echo more >>in/a.txt\n'),
    change: () => {},
    ran: ALL,
    check: (_, { tasks }) => assert.match(tasks['gen']?.message ?? '', /in\/a\.txt changed while it ran/),
    unlikeClean: 'each run makes another input',
  },
  {
    name: 'an earlier state of the sources is checked out, with new times',
    change: async (rig) => {
      const before = rig.read('in/b.txt');
      rig.write({ 'in/b.txt': 'another branch\n', 'in/c.txt': 'c\n' });
      await rig.run();
      rig.remove('in');
      rig.write({ 'in/a.txt': PAIR['in/a.txt'] ?? '', 'in/b.txt': before });
      rig.log();
    },
    ran: [],
  },
  { name: 'an empty folder appears among the inputs', change: (rig) => rig.write({ 'in/x/y': '' }), ran: ALL },
  {
    name: 'a folder without any file appears among the inputs',
    change: (rig) => void mkdirSync(rig.path('in/empty/folder'), { recursive: true }),
    ran: [],
  },
  {
    name: 'a hand-made file among the outputs of a task stays: at a hit, at a run, and at a restoration',
    change: async (rig) => {
      rig.write({ 'out/mine.txt': 'mine' });
      assert.equal((await rig.run()).log, []);
      rig.write({ 'in/b.txt': 'B\n' });
      assert.equal((await rig.run()).log, ALL);
      rig.write({ 'in/b.txt': 'b\n' });
    },
    ran: [],
    check: (rig) => assert.is(rig.read('out/mine.txt'), 'mine'),
    unlikeClean: 'the hand-made file is not of the sources',
  },
  {
    name: 'a task ends well without its outputs: an error, nothing is kept',
    before: (rig) => rig.edit('gen.sh', 'find', `test -e '${outside(rig, 'absent')}' && exit 0; find`),
    change: async (rig) => {
      writeFileSync(outside(rig, 'absent'), '');
      rig.write({ 'in/b.txt': 'new\n' });
      const { code, outcomes } = await rig.run();
      assert.equal([code, outcomes['gen']], [1, 'failed']);
      assert.equal((await rig.run()).log, ['gen'], 'it is tried again');
      rmSync(outside(rig, 'absent'));
    },
    ran: ALL,
  },
  {
    name: 'an output is replaced by a folder of its name',
    change: (rig) => {
      rig.remove('out/app.txt');
      rig.write({ 'out/app.txt/inside': 'precious' });
    },
    ran: [],
    check: (rig) => {
      const [moved = ''] = readdirSync(rig.path('.fleche/trash'));
      assert.is(rig.read(`.fleche/trash/${moved}/out/app.txt/inside`), 'precious');
    },
  },
  {
    name: 'an output folder is replaced by a link out of the project',
    change: (rig) => {
      rig.remove('out');
      mkdirSync(outside(rig, 'elsewhere'));
      writeFileSync(outside(rig, 'elsewhere/app.txt'), 'precious');
      symlinkSync('../aside/elsewhere', rig.path('out'));
    },
    ran: [],
    check: (rig) => {
      assert.is(readFileSync(outside(rig, 'elsewhere/app.txt'), 'utf8'), 'precious');
      assert.equal(readdirSync(outside(rig, 'elsewhere')), ['app.txt']);
    },
  },
  {
    name: 'an input with a time in the future, edited without changing it',
    before: (rig) => utimesSync(rig.path('in/b.txt'), 4e9, 4e9),
    change: (rig) => sameTimes(rig, 'in/b.txt', 'B\n'),
    ran: ALL,
  },
  {
    name: 'an edit of the same size as soon as a run is over',
    change: async (rig) => {
      rig.write({ 'in/b.txt': '1\n' });
      const running = rig.run();
      await running;
      rig.write({ 'in/b.txt': '2\n' });
    },
    ran: ALL,
  },
  {
    name: 'edits of the same size while runs look at the file, some within one tick of the clock',
    change: async (rig) => {
      for (let at = 0; at < 5; at++) {
        const running = rig.run();
        for (let edit = 0; edit < 40; edit++) {
          rig.write({ 'in/b.txt': `${edit % 10}\n` });
          await new Promise((resume) => setTimeout(resume, 5));
        }
        await running;
      }
      rig.write({ 'in/b.txt': 'x\n' });
      rig.log();
    },
    ran: ALL,
  },
  { name: 'an input is renamed in its case alone', change: (rig) => rig.rename('in/b.txt', 'in/B.txt'), ran: ALL },
  {
    name: 'an input is edited that has line breaks in its name',
    files: COPY,
    change: (rig) => rig.write({ 'in/li\nne/br\neak.txt': 'b\n' }),
    ran: ['copy'],
  },
  {
    name: 'outputs are gone that have line breaks in their names',
    files: COPY,
    change: (rig) => rig.remove('out'),
    ran: [],
  },
  {
    name: 'the letters of a name are composed otherwise',
    before: (rig) => rig.write({ 'in/e\u0301.txt': 'e\n' }),
    change: (rig) => rig.rename('in/e\u0301.txt', 'in/\u00e9.txt'),
    ran: ALL,
  },
  {
    name: 'git is told to convert files otherwise, and their content stays',
    change: (rig) => rig.write({ '.gitattributes': '* text eol=crlf\n' }),
    ran: [],
  },
  {
    name: 'an output pattern that covers what the task reads is refused',
    change: (rig) => rig.edit('fleche.config.toml', '["gen/**"]\npass', '["in/**"]\npass'),
    ran: [],
    code: 3,
  },
  {
    name: 'one path as the output of two tasks is refused',
    change: (rig) => rig.edit('fleche.config.toml', '["out/**"]\npass', '["gen/**"]\npass'),
    ran: [],
    code: 3,
  },
  {
    name: 'a task whose result is another one each time, forced: what depends on it runs',
    before: (rig) => rig.append('gen.sh', 'date +%N >gen/now\n'),
    change: () => {},
    args: ['--force'],
    ran: ALL,
    unlikeClean: 'no two runs make the same',
  },
  {
    name: 'a task writes beside its outputs: nobody knows of it, and nobody removes it',
    before: (rig) => rig.append('gen.sh', 'echo x >beside\n'),
    change: (rig) => rig.remove('beside'),
    ran: [],
    check: (rig) => assert.not.ok(rig.exists('beside')),
    unlikeClean: 'what is not declared is not restored',
  },
  {
    name: 'a task leaves a process behind: it is ended, and told of',
    change: (rig) => rig.append('gen.sh', `sleep 30 & echo $! >'${outside(rig, 'pid')}'\n`),
    ran: ['gen'],
    check: async (rig, { tasks }) => {
      assert.match(tasks['gen']?.message ?? '', /left processes running/);
      const pid = Number(readFileSync(outside(rig, 'pid'), 'utf8'));
      await until(() => !isAlive(pid), 'it is gone');
    },
  },
  {
    name: 'the cache is a folder elsewhere',
    before: (rig) =>
      rig.append('fleche.config.toml', `\n[caches.elsewhere]\ntype = "Lmdb"\nroot = "../aside/cache"\n`.concat()),
    change: (rig) => {
      rig.edit('fleche.config.toml', 'root = true', 'root = true\ncache = "elsewhere"');
    },
    ran: ALL,
    check: async (rig) => {
      rig.remove('gen', 'out', '.fleche');
      assert.equal((await rig.run()).log, []);
      assert.ok(existsSync(outside(rig, 'cache')));
    },
  },
  {
    name: 'the cache is on another device',
    before: (rig) => {
      const shelf = existsSync('/dev/shm') ? mkdtempSync('/dev/shm/fleche-') : outside(rig, 'cache');
      SHELVES.push(shelf);
      rig.write({ 'in/big.txt': `${'big '.repeat(40_000)}\n` });
      rig.append('fleche.config.toml', `\n[caches.elsewhere]\ntype = "Lmdb"\nroot = ${JSON.stringify(shelf)}\n`);
      rig.edit('fleche.config.toml', 'root = true', 'root = true\ncache = "elsewhere"');
    },
    change: (rig) => rig.remove('gen', 'out'),
    ran: [],
    unlikeClean: 'a clean build would find it in the same cache',
  },
  {
    name: 'the program is killed while it restores',
    before: (rig) => {
      for (let n = 0; n < 300; n++) rig.write({ [`in/many/${n}.txt`]: `${n}\n` });
    },
    change: async (rig) => {
      rig.remove('gen', 'out');
      const child = rig.start(['run']);
      const end = ended(child);
      await until(() => rig.exists('gen/many'), 'it begins');
      child.kill('SIGKILL');
      await end;
    },
    ran: [],
  },
  {
    name: 'the configuration changes in what no task depends on',
    change: (rig) =>
      rig.edit(
        'fleche.config.toml',
        '[tasks.gen]',
        '# a comment\n[tasks.other]\nrun = "true"\n\n[tasks.gen]\ndescription = "makes gen"',
      ),
    ran: [],
  },
  {
    name: 'names of tasks with colons, spaces and letters of other scripts',
    files: {
      'fleche.config.toml': `[default]
root = true
tasks = ["a: b/c é"]

[tasks."a: b/c é"]
run = "echo a >>\\"$TEST_LOG\\"; echo a >a.out"
outputs = ["a.out"]
pass_env = ["TEST_LOG"]
`,
    },
    change: (rig) => rig.remove('a.out'),
    ran: [],
  },
  {
    name: 'a restored output is edited in place: the cache has its own copy',
    before: (rig) => rig.write({ 'in/big.txt': `${'big '.repeat(40_000)}\n` }),
    change: async (rig) => {
      rig.remove('gen');
      await rig.run();
      rig.append('gen/big.txt', 'edited');
      await rig.run();
      rig.remove('gen');
    },
    ran: [],
  },
  {
    name: 'five megabytes of output with letters cut across writes are shown again as they were',
    before: (rig) => rig.append('gen.sh', `yes 'größe 日本' | head -c 5000003\n`),
    change: () => {},
    ran: [],
    check: async (rig) => {
      const { stdout } = await rig.fleche(['run', 'gen', '--log', 'stream']);
      assert.is(stdout.match(/größe 日本\n/g)?.length, Math.floor(5_000_003 / 15));
    },
  },
  {
    name: 'a task that is ended by a signal',
    change: (rig) => rig.write({ 'gen.sh': 'kill -9 $$\n' }),
    ran: [],
    code: 1,
    check: (_, { tasks }) => assert.equal([tasks['gen']?.outcome, tasks['gen']?.exitCode], ['failed', 137]),
  },
  {
    name: 'secrets in variables are nowhere in the cache',
    before: (rig) => rig.edit('fleche.config.toml', '[tasks.gen]', '[tasks.gen]\nenv = ["SECRET"]'),
    change: () => {},
    env: { SECRET: 'swordfish-4711' },
    ran: ['gen'],
    check: (rig) => {
      for (const entry of readdirSync(rig.path('.fleche'), { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const bytes = readFileSync(join(entry.parentPath ?? entry.path, entry.name));
        assert.not.ok(bytes.includes('swordfish-4711'), entry.name);
      }
    },
  },
  {
    name: 'an input folder is renamed and back',
    change: async (rig) => {
      renameSync(rig.path('in'), rig.path('kept'));
      mkdirSync(rig.path('in'));
      await rig.run();
      rmSync(rig.path('in'), { recursive: true });
      renameSync(rig.path('kept'), rig.path('in'));
      rig.log();
    },
    ran: [],
  },
];

/** The outputs and sources, without what is not of the project. */
function shown(rig: Rig): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(rig.snapshot()).filter(([path]) => !path.startsWith('.git')));
}

/** Builds the same sources in a folder of their own. */
async function cleanBuild(rig: Rig): Promise<Readonly<Record<string, string>>> {
  const other = new Rig();
  try {
    for (const name of readdirSync(rig.root)) {
      if (['.fleche', 'gen', 'out', 'a.out'].includes(name)) continue;
      cpSync(rig.path(name), other.path(name), { recursive: true, verbatimSymlinks: true });
    }
    const { code, stderr } = await other.fleche(['run']);
    assert.is(code, 0, stderr);
    return shown(other);
  } finally {
    other.close();
  }
}

for (const row of ROWS) {
  const { name, files = PAIR, before, change, ran, args = [], env = {}, code = 0, check, unlikeClean } = row;
  test(name, async () => {
    const rig = new Rig();
    try {
      rig.write(files);
      before?.(rig);
      const first = await rig.run();
      assert.is(first.code, 0, first.stderr + first.stdout);
      await change(rig);
      const result = await rig.run(args, env);
      assert.equal(result.log, ran, result.stdout + result.stderr);
      assert.is(result.code, code, result.stdout + result.stderr);
      await check?.(rig, result);
      if (code !== 0 || unlikeClean !== undefined) return;
      assert.equal(shown(rig), await cleanBuild(rig));
      if (lstatSync(rig.path('.fleche/trash'), { throwIfNoEntry: false }) !== undefined) return;
      assert.equal((await rig.run([], env)).log, [], 'and then nothing');
    } finally {
      rig.close();
    }
  });
}

test.after(() => {
  for (const shelf of SHELVES) rmSync(shelf, { recursive: true, force: true });
});

test.run();
