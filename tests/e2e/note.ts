/**
 * Runs that have nothing to do, of the built program: they leave a note, the next one is answered by it, and whatever is
 * changed in between is seen. What is changed is changed in two projects alike, of which one has no notes: both must say
 * the same, end the same, and leave the same behind.
 */
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Ended, ended, REPOSITORY, Rig, withRig } from './_rig.ts';

const CONFIG = `
[default]
tasks = ["all", "a#make"]

[workspace]
packages = ["packages/*"]

[templates.make]
run = "cat text.txt > made.txt; echo made"
outputs = ["made.txt"]

[tasks.gen]
run = "cat src/*.txt lib/* > out/gen.txt; echo $MODE >> out/gen.txt; echo generated"
inputs = ["src/**/*.txt", "lib/**"]
outputs = ["out/gen.txt"]
env = ["MODE"]

[tasks.wild]
run = "env | grep ^APP_ | sort > out/wild.txt; true"
inputs = []
outputs = ["out/wild.txt"]
env = ["APP_*"]

[tasks.tool]
run = "echo tool > out/tool.txt"
inputs = []
outputs = ["out/tool.txt"]
tools = ["left"]

[tasks.tells]
run = "echo told > out/tells.txt; printf 'told/a.h\\\\n?told/b.h\\\\n' > told.list"
inputs = []
outputs = ["out/tells.txt"]
discovered = { list = "told.list" }

[tasks.each]
run = "cp {path} out/each/{name}.copy"
foreach = { glob = "items/*.item" }
outputs = ["out/each/{name}.copy"]

[tasks.code]
call = "./code.ts#code"

[tasks.linked]
run = "ln -s gen.txt out/link"
inputs = []
needs = ["gen"]
outputs = ["out/link"]

[tasks.all]
run = "cat out/*.txt > all.txt"
needs = ["gen", "wild", "tool", "tells", "each", "code", "linked"]
inputs = ["out/*.txt"]
outputs = ["all.txt"]
`;

const FILES = {
  'fleche.config.toml': CONFIG,
  'package.json': '{"name":"root","workspaces":["packages/*"]}',
  'packages/a/package.json': '{"name":"a","version":"1.0.0","dependencies":{"b":"1.0.0"}}',
  'packages/a/text.txt': 'text of a\n',
  'packages/b/package.json': '{"name":"b","version":"1.0.0"}',
  'packages/b/text.txt': 'text of b\n',
  'package-lock.json': JSON.stringify({
    name: 'root',
    lockfileVersion: 3,
    packages: {
      '': { name: 'root', workspaces: ['packages/*'] },
      'node_modules/a': { resolved: 'packages/a', link: true },
      'node_modules/b': { resolved: 'packages/b', link: true },
      'packages/a': { name: 'a', version: '1.0.0', dependencies: { b: '1.0.0' } },
      'packages/b': { name: 'b', version: '1.0.0' },
    },
  }),
  '.gitignore': 'made.txt\nscratch\n',
  'node_modules/left/package.json': '{"name":"left","version":"1.0.0"}',
  'src/one.txt': 'one\n',
  'src/deep/two.txt': 'two\n',
  'src/note.md': 'no input\n',
  'lib/l.txt': 'library\n',
  'told/a.h': 'a\n',
  'items/x.item': 'x\n',
  'items/y.item': 'y\n',
  'helper.ts': 'export const helped = (): string => "helped";\n',
  'code.ts': 'import { helped } from "./helper.ts";\nexport const code = (): string => helped();\n',
};

const ENV = { MODE: 'plain', APP_ONE: '1' };

interface Asked {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Below the root. */
  readonly cwd?: string;
}

function begin(): Rig {
  const rig = new Rig();
  rig.write(FILES);
  for (const folder of ['out/each']) mkdirSync(rig.path(folder), { recursive: true });
  return rig;
}

function ask(rig: Rig, { args = [], env = {} }: Asked = {}): Promise<Ended> {
  return rig.fleche(['run', ...args], { ...ENV, ...env });
}

/** Runs, and tells whether the cache was not even opened. */
async function askShortly(rig: Rig, asked: Asked = {}): Promise<{ readonly ended: Ended; readonly isShort: boolean }> {
  const marks = rig.path('.fleche/db-1');
  const stamp = (): bigint | undefined => statSync(marks, { bigint: true, throwIfNoEntry: false })?.mtimeNs;
  const before = stamp();
  const end = await ask(rig, asked);
  return { ended: end, isShort: before !== undefined && stamp() === before };
}

/** Runs until a note is left, which what cannot be done never leaves. */
async function settle(rig: Rig, asked: Asked = {}): Promise<void> {
  rmSync(rig.path('.fleche/notes'), { recursive: true, force: true });
  for (let tries = 0; tries < 8; tries++) {
    const { code } = await ask(rig, asked);
    if (code !== 0 || rig.exists('.fleche/notes')) return;
    await delay(30);
  }
  throw new Error('no run leaves a note');
}

/** What is the same of two runs that did the same. */
function plain(rig: Rig, { code, stdout, stderr }: Ended): unknown {
  const text = (printed: string): string =>
    printed
      .replaceAll(rig.root, 'ROOT')
      .replace(/trash\/\S*/g, 'trash')
      .replace(/\b\d+(?:\.\d+)?(?:ms|s)\b/g, 'TIME')
      .replace(/ +TIME/g, ' TIME')
      .replace(/"(ms|saved)":[\d.]+/g, '"$1":0');
  const lines = text(stdout).split('\n');
  return { code, stdout: lines.sort(), stderr: text(stderr) };
}

test('a run that has nothing to do is answered by the note of the one before, in the same words', async () => {
  const rig = begin();
  try {
    for (const args of [[], ['--json'], ['--log', 'quiet'], ['gen'], ['--frozen', '--color', 'always']]) {
      await settle(rig, { args });
      rmSync(rig.path('.fleche/notes'), { recursive: true, force: true });
      const long = await ask(rig, { args });
      const files = rig.snapshot();
      const { ended: short, isShort } = await askShortly(rig, { args });
      assert.ok(isShort, args.join(' '));
      assert.is(short.code, 0);
      assert.equal(plain(rig, short), plain(rig, long), args.join(' '));
      assert.equal(rig.snapshot(), files);
    }
    const runs = (): number => rig.read('.fleche/runs.jsonl').split('\n').length;
    await settle(rig);
    const before = runs();
    assert.ok((await askShortly(rig)).isShort);
    assert.is(runs(), before + 1, 'it counts');
  } finally {
    rig.close();
  }
});

interface Row {
  readonly about: string;
  readonly edit: (rig: Rig) => unknown;
  /** How it is asked afterwards. */
  readonly asked?: Asked;
  /** The note may answer: nothing was changed that anybody looked at. */
  readonly isNothing?: true;
}

/** Keeps the times of a file while it is changed: what is left to be seen is when that was. */
function stealthily(path: string, change: () => void): void {
  const { atime, mtime } = statSync(path);
  change();
  utimesSync(path, atime, mtime);
}

const ROWS: readonly Row[] = [
  { about: 'nothing', edit: () => {}, isNothing: true },
  { about: 'a file that nobody reads', edit: (rig) => rig.append('src/note.md', 'more'), isNothing: true },
  { about: 'a variable that nobody reads', edit: () => {}, asked: { env: { OTHER: 'x' } } },
  { about: 'a source', edit: (rig) => rig.append('src/one.txt', 'more\n') },
  {
    about: 'a source, with its size and its times kept',
    edit: (rig) => stealthily(rig.path('src/one.txt'), () => rig.edit('src/one.txt', 'one', 'eno')),
  },
  { about: 'the times of a source', edit: (rig) => utimesSync(rig.path('src/one.txt'), 5, 5) },
  { about: 'the mode of a source', edit: (rig) => chmodSync(rig.path('src/one.txt'), 0o755) },
  { about: 'a source that is gone', edit: (rig) => rig.remove('src/deep/two.txt') },
  { about: 'a source that is new', edit: (rig) => rig.write({ 'src/deep/three.txt': 'three\n' }) },
  { about: 'a source in a folder that is new', edit: (rig) => rig.write({ 'src/new/four.txt': 'four\n' }) },
  { about: 'the name of a source', edit: (rig) => rig.rename('src/deep/three.txt', 'src/deep/third.txt') },
  {
    about: 'a source that was replaced by another of the same size and times',
    edit(rig) {
      const { atime, mtime } = statSync(rig.path('src/one.txt'));
      writeFileSync(rig.path('other'), 'xxx\nmore\n');
      utimesSync(rig.path('other'), atime, mtime);
      renameSync(rig.path('other'), rig.path('src/one.txt'));
    },
  },
  {
    about: 'a folder on the way that is a link now',
    edit(rig) {
      rig.rename('lib', 'elsewhere');
      symlinkSync('elsewhere', rig.path('lib'));
    },
  },
  {
    about: 'where a link leads',
    edit(rig) {
      cpSync(rig.path('elsewhere'), rig.path('other'), { recursive: true });
      rig.append('other/l.txt', 'other\n');
      rmSync(rig.path('lib'));
      symlinkSync('other', rig.path('lib'));
    },
  },
  { about: 'what is behind a link', edit: (rig) => rig.append('other/l.txt', 'more\n') },
  { about: 'a variable', edit: () => {}, asked: { env: { MODE: 'other' } } },
  { about: 'a variable that is gone', edit: () => {}, asked: { env: { MODE: undefined } } },
  { about: 'a variable that a pattern names', edit: () => {}, asked: { env: { APP_TWO: '2' } } },
  { about: 'the switch of the cache', edit: () => {}, asked: { env: { FLECHE_CACHE: 'off' } } },
  { about: 'a wish for colours', edit: () => {}, asked: { env: { FORCE_COLOR: '1' } } },
  { about: 'flags of Node', edit: () => {}, asked: { env: { NODE_OPTIONS: '--no-deprecation' } } },
  { about: 'the version of a tool', edit: (rig) => rig.edit('node_modules/left/package.json', '1.0.0', '1.0.1') },
  { about: 'a tool that is gone', edit: (rig) => rig.remove('node_modules/left/package.json') },
  {
    about: 'a tool that is back',
    edit: (rig) => rig.write({ 'node_modules/left/package.json': '{"name":"left","version":"1.0.0"}' }),
  },
  { about: 'what a task said that it read', edit: (rig) => rig.append('told/a.h', 'more\n') },
  { about: 'what a task looked for in vain', edit: (rig) => rig.write({ 'told/b.h': 'b\n' }) },
  { about: 'an item', edit: (rig) => rig.append('items/x.item', 'more\n') },
  { about: 'an item that is new', edit: (rig) => rig.write({ 'items/z.item': 'z\n' }) },
  { about: 'the code of a function', edit: (rig) => rig.edit('helper.ts', '"helped"', '"helpful"') },
  { about: 'a comment in it', edit: (rig) => rig.append('helper.ts', '// no code\n') },
  { about: 'a file that would be loaded instead', edit: (rig) => rig.write({ 'tsconfig.json': '{}' }) },
  { about: 'an output', edit: (rig) => rig.append('out/gen.txt', 'by hand\n') },
  {
    about: 'an output, with its size and its times kept',
    edit: (rig) => stealthily(rig.path('out/gen.txt'), () => rig.edit('out/gen.txt', 'lib', 'bil')),
  },
  { about: 'an output that is gone', edit: (rig) => rig.remove('all.txt') },
  { about: 'outputs that are gone', edit: (rig) => rig.remove('out') },
  { about: 'the mode of an output', edit: (rig) => chmodSync(rig.path('all.txt'), 0o755) },
  {
    about: 'an output that is a link',
    edit(rig) {
      rmSync(rig.path('out/link'));
      symlinkSync('tool.txt', rig.path('out/link'));
    },
  },
  { about: 'the times of a link', edit: (rig) => lutimesSync(rig.path('out/link'), 5, 5) },
  {
    about: 'the configuration',
    edit: (rig) => rig.edit('fleche.config.toml', 'echo generated', 'echo generated again'),
  },
  { about: 'a comment in the configuration', edit: (rig) => rig.append('fleche.config.toml', '# no task\n') },
  { about: 'a fault in the configuration', edit: (rig) => rig.append('fleche.config.toml', '[tasks.gen]\n') },
  {
    about: 'the fault that is mended',
    edit: (rig) => rig.write({ 'fleche.config.toml': rig.read('fleche.config.toml').replace(/\[tasks.gen\]\n$/, '') }),
  },
  {
    about: 'the configuration of a package',
    edit: (rig) =>
      rig.write({
        'packages/a/fleche.config.toml': '[tasks.make]\noutputs = ["made.txt"]\nrun = "echo x > made.txt"\n',
      }),
  },
  {
    about: 'the configuration of the user',
    edit(rig) {
      const folder = join(rig.aside, 'home/.config/fleche');
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'cache.toml'), '[other]\ntype = "Memory"\n');
    },
  },
  { about: 'a manifest', edit: (rig) => rig.edit('packages/b/package.json', '1.0.0', '1.0.1') },
  { about: 'a file of a package', edit: (rig) => rig.append('packages/a/text.txt', 'more\n') },
  { about: 'a package that is new', edit: (rig) => rig.write({ 'packages/c/package.json': '{"name":"c"}' }) },
  { about: 'an ignore file', edit: (rig) => rig.append('.gitignore', 'text.txt\n') },
  { about: 'an ignore file that is new', edit: (rig) => rig.write({ 'packages/a/.gitignore': 'other\n' }) },
  {
    about: 'the lock file',
    edit: (rig) => rig.edit('package-lock.json', '"lockfileVersion":3', '"lockfileVersion": 3'),
  },
  { about: 'a lock file that is gone', edit: (rig) => rig.remove('package-lock.json') },
  { about: 'another lock file', edit: (rig) => rig.write({ 'yarn.lock': '# yarn lockfile v1\n' }) },
  { about: 'answers that are forgotten', edit: (rig) => rig.fleche(['invalidate', 'gen'], ENV) },
  { about: 'outputs that are cleaned', edit: (rig) => rig.fleche(['clean'], ENV) },
  { about: 'a collection', edit: (rig) => rig.fleche(['gc', '--older-than', '0ms'], ENV) },
  { about: 'a cache that is emptied', edit: (rig) => rig.fleche(['cache', 'purge', '--yes'], ENV) },
  { about: 'a cache that is gone', edit: (rig) => rig.remove('.fleche') },
  {
    about: 'a data file that is damaged',
    edit(rig) {
      const path = rig.path('.fleche/db-1/data.mdb');
      const bytes = readFileSync(path);
      writeFileSync(path, bytes.fill(0x5a, 0, 8192));
    },
  },
  { about: 'a cache that is not trusted', edit: (rig) => rig.write({ '.fleche/db-1/distrusted': 'why\n' }) },
  { about: 'another run', edit: (rig) => rig.fleche(['run', 'gen', '--force'], ENV) },
  { about: 'a command that is noted to run', edit: (rig) => rig.write({ '.fleche/tmp/running/999999': '{}\n' }) },
  { about: 'what is asked', edit: () => {}, asked: { args: ['--force'] } },
  { about: 'what is asked for', edit: () => {}, asked: { args: ['wild'] } },
  { about: 'how it is told', edit: () => {}, asked: { args: ['--log', 'stream'] } },
  { about: 'what is asked for that is not there', edit: () => {}, asked: { args: ['none'] } },
];

const [short, long] = [begin(), begin()];
let isAlike = false;

for (const { about, edit, asked, isNothing } of ROWS) {
  test(`${isNothing ? 'not seen' : 'seen'}: ${about}`, async () => {
    await Promise.all([settle(short), isAlike || ask(long)]);
    await Promise.all([edit(short), edit(long)]);
    rmSync(long.path('.fleche/notes'), { recursive: true, force: true });
    const [one, other] = await Promise.all([askShortly(short, asked), ask(long, asked)]);
    isAlike = asked === undefined;
    assert.equal(plain(short, one.ended), plain(long, other));
    assert.equal(short.snapshot(), long.snapshot());
    if (isNothing) assert.ok(one.isShort);
  });
}

test('a note that does not hold makes way, and a run with something to do takes nothing down for another', async () => {
  await withRig(
    {
      'fleche.config.toml': '[default]\ntasks = ["a"]\n[tasks.a]\nrun = "cat in"\ninputs = ["in"]\n',
      in: 'one\n',
    },
    async (rig) => {
      await settle(rig);
      rig.append('in', 'two\n');
      assert.match((await ask(rig)).stdout, /1 ran/);
      assert.equal(readdirSync(rig.path('.fleche/notes')), []);
      await delay(30);
      assert.match((await ask(rig)).stdout, /1 cached/);
      assert.is(readdirSync(rig.path('.fleche/notes')).length, 1);
      assert.ok((await askShortly(rig)).isShort);
      utimesSync(rig.path('in'), 5, 5);
      assert.match((await ask(rig)).stdout, /1 cached/);
      await settle(rig);
      assert.ok((await askShortly(rig)).isShort);
    },
  );
});

test('a note that is not whole, or not of this program, is none', async () => {
  await withRig(
    { 'fleche.config.toml': '[default]\ntasks = ["a"]\n[tasks.a]\nrun = "echo a"\ninputs = []\n' },
    async (rig) => {
      const program = join(rig.aside, 'dist');
      mkdirSync(program);
      const built = join(REPOSITORY, 'dist');
      for (const name of readdirSync(built)) if (name.endsWith('.cjs')) cpSync(join(built, name), join(program, name));
      symlinkSync(join(REPOSITORY, 'node_modules'), join(rig.aside, 'node_modules'), 'junction');
      const run = async (): Promise<boolean> => {
        const before = statSync(rig.path('.fleche/db-1'), { throwIfNoEntry: false })?.mtimeMs;
        const child = spawn(process.execPath, [join(program, 'fleche.cjs'), 'run'], { cwd: rig.root, env: rig.env() });
        const { code, stdout } = await ended(child);
        assert.is(code, 0);
        assert.match(stdout, /\ba\n/);
        return statSync(rig.path('.fleche/db-1')).mtimeMs === before;
      };
      const settled = async (): Promise<string> => {
        for (let tries = 0; !(await run()); tries++) {
          assert.ok(tries < 8);
          await delay(30);
        }
        return rig.path('.fleche/notes', readdirSync(rig.path('.fleche/notes'))[0] ?? '');
      };
      const damages: readonly ((bytes: Buffer) => Buffer)[] = [
        (bytes) => bytes.subarray(0, -1),
        (bytes) => Buffer.concat([bytes, Buffer.of(0)]),
        (bytes) => Buffer.from(bytes.map((byte, at) => (at === bytes.length - 5 ? byte ^ 1 : byte))),
        (bytes) => Buffer.alloc(bytes.length),
        () => Buffer.of(),
      ];
      for (const damage of damages) {
        const note = await settled();
        writeFileSync(note, damage(readFileSync(note)));
        assert.not(await run());
      }
      await settled();
      appendFileSync(join(program, 'cli.cjs'), '\n');
      assert.not(await run());
      await settled();
      cpSync(rig.root, join(rig.aside, 'copy'), { recursive: true });
      rig.remove('fleche.config.toml', '.fleche');
      for (const name of ['fleche.config.toml', '.fleche']) renameSync(join(rig.aside, 'copy', name), rig.path(name));
      assert.not(await run());
    },
  );
});

test('what is not a function of what was looked at leaves no note', async () => {
  const of = (more: string): string => {
    const cache = more.includes('[caches.local]') ? 'cache = "local"\n' : '';
    return `[default]\n${cache}tasks = ["a"]\n[tasks.a]\nrun = "echo a"\ninputs = []\n${more}`;
  };
  for (const [more, args] of [
    ['stale_after = "1h"', []],
    ['cache = false', []],
    ['', ['--force']],
    ['', ['--summary', 'summary.json']],
    ['', ['--dry-run']],
    ['needs = ["s"]\n[tasks.s]\nrun = "sleep 60"\npersistent = true', []],
    ['[caches.local]\ntype = "Memory"', []],
    ['[caches.local]\ntype = "Lmdb"\nroot = "elsewhere"', []],
  ] as const) {
    await withRig({ 'fleche.config.toml': of(more) }, async (rig) => {
      for (let times = 0; times < 3; times++) {
        assert.is((await rig.fleche(['run', ...args])).code, 0, more);
        await delay(30);
      }
      assert.not(rig.exists('.fleche/notes'), `${more} ${args.join(' ')}`);
    });
  }
});

test.after(() => {
  short.close();
  long.close();
});

test.run();
