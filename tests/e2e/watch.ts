/** `fleche watch` as people run it: real processes, real files, real limits of the system. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isAlive, REPOSITORY, type Rig, until, withRig } from './_rig.ts';
import { WatchProcess } from './_watch.ts';

const NIGHTLY = process.env['FLECHE_TEST_PROFILE'] === 'nightly';
const PROGRAM = join(REPOSITORY, 'dist/fleche.cjs');

/** One task that says that it runs and writes what its sources are. */
const LIST = `[default]
root = true
tasks = ["list"]

[tasks.list]
run = "echo list >> $TEST_LOG; mkdir -p out; cat src/*/* > out/all"
inputs = ["src/**"]
outputs = ["out/**"]
pass_env = ["TEST_LOG"]
`;

async function watching(
  files: Readonly<Record<string, string>>,
  use: (rig: Rig, watch: WatchProcess) => Promise<void>,
  args: readonly string[] = [],
): Promise<void> {
  await withRig(files, async (rig) => {
    const watch = new WatchProcess(rig.start(['watch', '--json', ...args]));
    try {
      await watch.ready();
      await use(rig, watch);
    } finally {
      await watch.end('SIGTERM');
    }
  });
}

test('a save runs what reads it; a save without change, and what nobody reads, run nothing', () =>
  watching({ 'fleche.config.toml': LIST, 'src/d/a': 'a' }, async (rig, watch) => {
    // At once: a file that is written in place is empty for a moment, which is a change.
    const save = (path: string, text: string): void => {
      rig.write({ 'other/file': text });
      rig.rename('other/file', path);
    };
    save('src/d/a', 'b');
    await watch.rested('list');
    rig.log();
    save('src/d/a', 'b');
    save('src/d/b', 'new');
    const { paths } = await watch.rested('list');
    assert.equal(paths, ['src/d/b']);
    assert.equal(rig.log(), ['list']);
    assert.is(rig.read('out/all'), 'bnew');
    const { code } = await watch.end();
    assert.is(code, 130);
  }));

/** How editors write `src/d/a`, as their system calls tell. */
const EDITORS: Readonly<Record<string, (rig: Rig, text: string) => void>> = {
  'vim, which keeps a backup and a swap file': (rig, text) => {
    rig.write({ 'src/d/.a.swp': 'swap', 'src/d/.a.swx': 'swap', 'src/d/4913': '' });
    rig.remove('src/d/4913', 'src/d/.a.swx');
    rig.rename('src/d/a', 'src/d/a~');
    rig.write({ 'src/d/a': text });
    rig.remove('src/d/a~', 'src/d/.a.swp');
  },
  'emacs, which has a lock that is a link, a backup and a file of its own': (rig, text) => {
    symlinkSync('somebody@somewhere.1234:5678', rig.path('src/d/.#a'));
    rig.write({ 'src/d/#a#': 'saved by itself' });
    rig.rename('src/d/a', 'src/d/a~');
    rig.write({ 'src/d/a': text });
    rig.remove('src/d/.#a', 'src/d/#a#');
  },
  'JetBrains, which writes a new file and exchanges the two': (rig, text) => {
    rig.write({ 'src/d/a___jb_tmp___': text });
    rig.rename('src/d/a', 'src/d/a___jb_old___');
    rig.rename('src/d/a___jb_tmp___', 'src/d/a');
    rig.remove('src/d/a___jb_old___');
  },
  'VS Code, which writes in place': (rig, text) => {
    rig.write({ 'src/d/a': '' });
    rig.write({ 'src/d/a': text });
  },
  'sed, which renames over the file': (rig, text) => {
    rig.write({ 'src/d/sedXYZ': text });
    rig.rename('src/d/sedXYZ', 'src/d/a');
  },
};
const BESIDE = '["src/**", "!**/.*.sw?", "!**/*~", "!**/.#*", "!**/#*#", "!**/*___jb_*___", "!**/4913", "!**/sed*"]';

for (const [editor, save] of Object.entries(EDITORS)) {
  const config = LIST.replace('["src/**"]', BESIDE).replace('cat src/*/*', 'cat src/d/a');
  test(`each save of ${editor}, is a round with the new content`, () =>
    watching({ 'fleche.config.toml': config, 'src/d/a': 'a' }, async (rig, watch) => {
      for (const text of ['one', 'two', 'three']) {
        rig.log();
        save(rig, text);
        await until(() => rig.readIfThere('out/all') === text, text);
        await watch.rested('list');
        // In between the file may not be there, and then be empty, which are contents too.
        const runs = rig.log().length;
        assert.ok(runs <= 3, `${runs} runs`);
      }
    }));
}

test('an input that is a link counts as what it leads to, wherever that is changed', () =>
  watching(
    { 'fleche.config.toml': LIST, 'src/d/a': 'a', 'beside/real': 'b', 'beside/folder/x': '1' },
    async (rig, watch) => {
      symlinkSync('../../beside/real', rig.path('src/d/b'));
      await watch.rested('list');
      assert.is(rig.read('out/all'), 'ab');
      rig.write({ 'beside/real': 'c' });
      await watch.rested('list');
      assert.is(rig.read('out/all'), 'ac');
      rig.write({ 'beside/new': 'd' });
      rig.rename('beside/new', 'beside/real');
      await watch.rested('list');
      assert.is(rig.read('out/all'), 'ad');
      rig.remove('src/d/b');
      symlinkSync('../beside/folder', rig.path('src/e'));
      await until(() => rig.readIfThere('out/all') === 'a1', 'the folder behind a link');
      rig.write({ 'beside/folder/x': '2' });
      await until(() => rig.readIfThere('out/all') === 'a2', 'what is in it');
    },
  ));

test('renamed and removed folders, and outputs that somebody changes', () =>
  watching({ 'fleche.config.toml': LIST, 'src/x/a': 'a', 'src/y/b': 'b' }, async (rig, watch) => {
    renameSync(rig.path('src/x'), rig.path('src/z'));
    await until(() => rig.exists('out/all') && rig.read('out/all') === 'ba', 'the renamed folder');
    rmSync(rig.path('src/y'), { recursive: true });
    await until(() => rig.exists('out/all') && rig.read('out/all') === 'a', 'the removed folder');
    await watch.next(({ type, paths }) => type === 'rested' && paths?.includes('src/y/b') === true);
    rig.log();
    rmSync(rig.path('out'), { recursive: true });
    await until(() => rig.exists('out/all') && rig.read('out/all') === 'a', 'the removed output');
    assert.equal(rig.log(), [], 'outputs are put back, not made again');
  }));

test('another configuration holds at once; a broken one is told, and the one before stays', () =>
  watching({ 'fleche.config.toml': LIST, 'src/d/a': 'a' }, async (rig, watch) => {
    rig.edit('fleche.config.toml', 'cat src/*/*', 'echo changed; cat src/*/*');
    await watch.rested('list');
    assert.is(rig.read('out/all'), 'a');
    rig.edit('fleche.config.toml', 'tasks = ["list"]', 'tasks = ["lost"]');
    await watch.complains(/fleche\.config\.toml:3:\d+.*lost|lost/);
    rig.write({ 'src/d/a': 'while broken' });
    await watch.rested('list');
    assert.is(rig.read('out/all'), 'while broken');
    rig.edit('fleche.config.toml', 'tasks = ["lost"]', 'tasks = ["other"]');
    rig.append('fleche.config.toml', '[tasks.other]\nrun = "echo other >> $TEST_LOG"\npass_env = ["TEST_LOG"]\n');
    await watch.rested('other');
    assert.ok(rig.log().includes('other'));
  }));

test('packages that come to be are seen, and configurations in those that are there; under polling too', async () => {
  const files = {
    'fleche.config.toml': `[default]
root = true
tasks = ["say"]
[workspace]
packages = "pnpm-workspace.yaml"
[templates.say]
run = "true"
inputs = ["package.json"]
`,
    'pnpm-workspace.yaml': 'packages: [packages/*, "!packages/no"]\n',
    'packages/a/package.json': '{}',
  };
  for (const args of [[], ['--poll=50']]) {
    await watching(
      files,
      async (rig, watch) => {
        rig.write({ 'packages/no/package.json': '{}', 'packages/b/package.json': '{}' });
        const { told } = await watch.rested('b#say');
        assert.equal(told, ['b#say']);
        rig.write({ 'packages/b/fleche.config.toml': '[tasks.say]\nrun = "echo other"\n' });
        await watch.rested('b#say');
        rig.write({ 'tools/c/package.json': '{}', 'pnpm-workspace.yaml': 'packages: [packages/*, tools/*]\n' });
        await watch.rested('c#say');
      },
      args,
    );
  }
});

test('under polling everything is seen too, the configuration included', () =>
  watching(
    { 'fleche.config.toml': LIST, 'src/d/a': 'a' },
    async (rig, watch) => {
      rig.write({ 'src/d/a': 'b' });
      await watch.rested('list');
      assert.is(rig.read('out/all'), 'b');
      rig.edit('fleche.config.toml', 'cat src', 'echo more; cat src');
      await watch.rested('list');
    },
    ['--poll=50'],
  ));

test('a task that changes what it reads is left alone, under polling too', async () => {
  const files = {
    'fleche.config.toml':
      '[default]\nroot = true\ntasks = ["self"]\n[tasks.self]\nrun = "date +%s%N >> in.txt"\ninputs = ["in.txt"]\n',
    'in.txt': '',
  };
  for (const args of [[], ['--poll=50']]) {
    await withRig(files, async (rig) => {
      const watch = new WatchProcess(rig.start(['watch', '--json', ...args]));
      try {
        const { loops } = await watch.next(({ type }) => type === 'loop');
        assert.equal([loops?.[0]?.task, loops?.[0]?.path], ['self', 'in.txt']);
      } finally {
        await watch.end('SIGTERM');
      }
    });
  }
});

for (const [limit, number, what] of [
  ['max_inotify_watches', 3, /no more watches.*every 500 ms.*max_user_watches.*--poll/],
  ['max_inotify_instances', 0, /no more open files or watchers.*every 500 ms.*max_user_instances.*--poll/],
] as const)
  test(`where ${limit} of the system is reached it says so and looks now and then`, async () => {
    const limited = ['-Ur', 'sh', '-c', `echo ${number} > /proc/sys/user/${limit} && exec "$@"`, 'sh'];
    if (spawnSync('unshare', [...limited, 'true']).status !== 0) return console.log('no user namespaces here');
    const files = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [`src/${name}/x`, name]));
    await withRig({ 'fleche.config.toml': LIST, ...files }, async (rig) => {
      const child = spawn('unshare', [...limited, process.execPath, PROGRAM, 'watch', '--json'], {
        cwd: rig.root,
        env: { PATH: process.env['PATH'], HOME: rig.aside, TEST_LOG: join(rig.aside, 'log.txt') },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const watch = new WatchProcess(child);
      try {
        await watch.ready();
        const { message } = watch.lines.find(({ type }) => type === 'trouble') ?? {};
        assert.match(message ?? '', what);
        rig.write({ 'src/e/x': 'other' });
        await watch.rested('list');
        assert.is(rig.read('out/all'), 'abcdother');
      } finally {
        await watch.end('SIGTERM');
      }
    });
  });

test('what a killed run left running is ended before the next round', () =>
  watching(
    {
      'fleche.config.toml': `${LIST}
[tasks.long]
run = "echo $$ > pid; exec sleep 1000"
`,
      'src/d/a': 'a',
    },
    async (rig, watch) => {
      const run = rig.start(['run', 'long']);
      await until(() => rig.exists('pid') && rig.read('pid').endsWith('\n'), 'the command');
      const pid = Number(rig.read('pid'));
      const notes = rig.path('.fleche/tmp/running');
      const isNoted = (name: string): boolean =>
        name.startsWith(`${run.pid}`) && rig.read(`.fleche/tmp/running/${name}`).includes(`"group":${pid},`);
      await until(() => existsSync(notes) && readdirSync(notes).some(isNoted), 'the note that it runs');
      run.kill('SIGKILL');
      await new Promise((resume) => run.once('exit', resume));
      rig.write({ 'src/d/a': 'b' });
      await watch.rested('list');
      assert.not.ok(isAlive(pid));
    },
  ));

test('five thousand files of another commit are one round, nothing is missed, and memory stays', () =>
  withRig(
    {
      'fleche.config.toml': LIST.replace(
        'cat src/*/* > out/all',
        'find src -type f | sort | xargs cat | cksum > out/all',
      ),
      '.gitignore': 'out\n.fleche\n',
    },
    async (rig) => {
      const git = (...args: readonly string[]): string =>
        execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
          cwd: rig.root,
          encoding: 'utf8',
        });
      const all = (text: string): void => {
        for (let folder = 0; folder < 50; folder++) {
          mkdirSync(rig.path('src', `${folder}`), { recursive: true });
          for (let file = 0; file < 100; file++)
            writeFileSync(rig.path('src', `${folder}`, `${file}`), `${text} ${folder}/${file}\n`);
        }
      };
      const sum = (): string =>
        execFileSync('sh', ['-c', 'find src -type f | sort | xargs cat | cksum'], { cwd: rig.root, encoding: 'utf8' });
      git('init', '-q', '-b', 'one');
      all('one');
      git('add', '-A');
      git('commit', '-qm', 'one');
      git('checkout', '-qb', 'two');
      all('two');
      git('commit', '-qam', 'two');
      const watch = new WatchProcess(rig.start(['watch', '--json']));
      try {
        await watch.ready();
        const before = watch.use().memory;
        const times: number[] = [];
        const told: string[] = [];
        const rounds: number[] = [];
        for (const branch of ['one', 'two', 'one']) {
          rig.log();
          const began = performance.now();
          git('checkout', '-q', branch);
          const { passes = 0, number = 0 } = await watch.rested('list');
          rounds.push(number);
          times.push(performance.now() - began);
          assert.is(rig.read('out/all'), sum());
          const runs = rig.log().length;
          told.push(`${passes} passes and ${runs} runs`);
          // Git keeps its lock until all files are written; a machine that is busy tells of some of them later.
          assert.ok(passes <= 8 && runs <= 1, told.at(-1));
        }
        assert.equal(rounds, [2, 3, 4], 'each checkout is one round');
        const { memory, watches } = watch.use();
        console.log(
          `checkouts of 5000 files: ${times.map((ms) => ms.toFixed(0)).join(', ')} ms, ${told.join(', ')}; ${before.toFixed(0)} → ${memory.toFixed(0)} MB; ${watches} watches`,
        );
        assert.ok(memory < before + 150, `${before} → ${memory} MB`);
      } finally {
        await watch.end('SIGTERM');
      }
    },
  ));

test('many rounds leave neither memory nor handles nor children behind', async () => {
  // In turn, for a file that changes whenever its task has just run is taken for that task's doing.
  const names = Array.from({ length: 8 }, (_, index) => `t${index}`);
  const tasks = names.map(
    (name) =>
      `[tasks.${name}]\nrun = "mkdir -p out/${name}; cat ${name}/*/* > out/${name}/all"\ninputs = ["${name}/**"]\noutputs = ["out/${name}/**"]\n`,
  );
  const config = `[default]\nroot = true\ntasks = ${JSON.stringify(names)}\n${tasks.join('')}`;
  const files = Object.fromEntries(names.map((name) => [`${name}/d/a`, 'a']));
  await watching({ 'fleche.config.toml': config, ...files }, async (rig, watch) => {
    const rounds = NIGHTLY ? 5000 : 120;
    const warm = NIGHTLY ? 500 : 40;
    let before = watch.use();
    for (let round = 0; round < rounds; round++) {
      const name = names[round % names.length] ?? '';
      // Now and then a folder that is new, or gone, as generators and package managers make them.
      if (round % 40 === 16) rig.write({ [`${name}/new/b`]: 'b' });
      if (round % 40 === 32) rmSync(rig.path(`${name}/new`), { recursive: true });
      rig.write({ [`${name}/d/a`]: `round ${round}` });
      await watch.next(({ type, paths }) => type === 'rested' && paths?.includes(`${name}/d/a`) === true);
      if (round === warm) before = watch.use();
    }
    const last = names[(rounds - 1) % names.length];
    assert.match(rig.read(`out/${last}/all`), new RegExp(`round ${rounds - 1}`));
    const after = watch.use();
    console.log(`${rounds} rounds: ${JSON.stringify(before)} → ${JSON.stringify(after)}`);
    assert.ok(after.memory < before.memory * 1.5 + 30, 'memory');
    assert.ok(after.files <= before.files + 2, 'open files');
    assert.ok(after.watches <= before.watches + 2, 'watches');
    assert.is(after.children, 0);
  });
});

test.run();
