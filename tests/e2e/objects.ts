/**
 * Sources that are compiled one by one, as make and ninja do it: each compilation tells in a depfile what it read. By a
 * script that writes depfiles, and by the C compiler of the machine if there is one.
 */
import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { inNewFolder } from '../_new-folder.ts';
import { type Rig, type RunResult, withRig } from './_rig.ts';
import { folderLines, sharing } from './_sharing.ts';
import { WatchProcess } from './_watch.ts';

/** Writes what its file and all that this includes say, and a depfile. */
const SCRIPT = `import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
const [source, target] = process.argv.slice(2);
const read = new Set();
const see = (path) => {
  if (read.has(path)) return '';
  read.add(path);
  return readFileSync(path, 'utf8').replace(/#include "(.*)"\\n/g, (_, name) => see(join(dirname(path), name)));
};
writeFileSync(target + '.o', see(source));
writeFileSync(target + '.d', target + '.o: ' + [...read].map((path) => path.replaceAll(' ', '\\\\ ')).join(' \\\\\\n') + '\\n');
`;

interface Compiler {
  readonly name: string;
  readonly compile: string;
  readonly link: string;
}

const COMPILERS: readonly Compiler[] = [
  {
    name: 'a script',
    compile: 'node compile.mjs {path} build/{dir}/{name}',
    link: "find build -name '*.o' -print0 | sort -z | xargs -0 cat >program",
  },
  ...(spawnSync('cc', ['--version']).status === 0
    ? [
        {
          name: 'cc',
          compile: 'cc -c {path} -o build/{dir}/{name}.o -MMD -MF build/{dir}/{name}.d',
          link: "find build -name '*.o' -print0 | xargs -0 cc -o program",
        },
      ]
    : []),
];
if (COMPILERS.length === 1) console.log('LEFT OUT: there is no cc on this machine, so no C is compiled');

function files({ compile, link }: Compiler, more = ''): Readonly<Record<string, string>> {
  return {
    'fleche.config.toml': `[default]
root = true
tasks = ["program"]
${more}
[tasks.version]
run = "echo \\"#define VERSION $(cat version)\\" >include/version.h; echo version >>$TEST_LOG"
inputs = ["version"]
outputs = ["include/version.h"]
pass_env = ["TEST_LOG"]

[tasks.stamp]
run = "echo stamped >stamp"
needs = ["version"]
inputs = []
outputs = ["stamp"]

[tasks.objects]
run = "echo {path} >>$TEST_LOG; ${compile}"
foreach = { glob = "src/**/*.c" }
inputs = ["compile.mjs"]
needs = ["stamp"]
outputs = ["build/{dir}/{name}.o"]
discovered = { depfile = "build/{dir}/{name}.d" }
pass_env = ["TEST_LOG"]

[tasks.program]
run = "echo link >>$TEST_LOG; ${link}"
needs = ["objects"]
inputs = []
outputs = ["program"]
pass_env = ["TEST_LOG"]
`,
    'compile.mjs': SCRIPT,
    version: '1',
    'include/all.h': 'int all(void);\n',
    'include/one.h': '#define ONE 1\n',
    'src/main.c':
      '#include "../include/all.h"\n#include "../include/version.h"\nint main(void) { return all() - VERSION; }\n',
    'src/all.c': '#include "../include/all.h"\n#include "../include/one.h"\nint all(void) { return ONE; }\n',
    'src/deep/other file.c': 'int other(void) { return 3; }\n',
  };
}

const ALL = ['link', 'src/all.c', 'src/deep/other file.c', 'src/main.c', 'version'];

function sorted({ log }: RunResult): readonly string[] {
  return [...log].sort();
}

async function built(compiler: Compiler, use: (rig: Rig) => Promise<void>): Promise<void> {
  await withRig(files(compiler), async (rig) => {
    const first = await rig.run();
    assert.is(first.code, 0, first.stderr);
    assert.equal([sorted(first), first.stderr.includes('warning')], [ALL, false], first.stderr);
    await use(rig);
  });
}

for (const compiler of COMPILERS) {
  test(`${compiler.name}: an edited header compiles what includes it, a generated one too`, () =>
    built(compiler, async (rig) => {
      const again = await rig.run();
      assert.equal([again.log, again.tasks['objects']?.items?.cached], [[], 3]);
      assert.not.ok(rig.exists('build/main.d'));
      rig.write({ 'include/one.h': '#define ONE 2\n' });
      const why = await rig.fleche(['why', 'objects']);
      assert.match(why.stdout, '1 of 3 items would run\n  src/all.c  include/one.h changed\n');
      const dry = await rig.fleche(['run', '--dry-run', 'objects']);
      assert.match(dry.stdout, /objects +would run +1 of 3 items, include\/one\.h changed\n/);
      assert.equal(sorted(await rig.run()), ['link', 'src/all.c']);
      rig.write({ 'include/all.h': 'int all(void);\nextern int none;\n' });
      const both = await rig.run();
      assert.equal(sorted(both).slice(-2), ['src/all.c', 'src/main.c']);
      rig.write({ version: '2' });
      assert.equal(sorted(await rig.run()), ['link', 'src/main.c', 'version']);
      rig.write({ version: '1', 'include/one.h': '#define ONE 1\n', 'include/all.h': 'int all(void);\n' });
      assert.equal((await rig.run()).log, []);
      assert.equal((await rig.run()).summary?.cached, 4);
    }));

  test(`${compiler.name}: what does not compile fails alone, and is tried again when its header is mended`, () =>
    built(compiler, async (rig) => {
      rig.write({ 'src/all.c': '#include "../include/none.h"\nint all(void) { return 1; }\n' });
      const failed = await rig.run();
      assert.equal([failed.code, failed.log, failed.tasks['objects']?.items?.failed], [1, ['src/all.c'], 1]);
      assert.equal((await rig.run()).log, ['src/all.c']);
      rig.write({ 'include/none.h': '' });
      assert.equal((await rig.run()).log.slice(0, 1), ['src/all.c']);
      assert.equal((await rig.run()).log, []);
    }));
}

test('a watch compiles what includes the header that was saved, and wakes for it at once', async () => {
  const [compiler] = COMPILERS;
  if (compiler === undefined) throw new Error('no compiler');
  await built(compiler, async (rig) => {
    const watch = new WatchProcess(rig.start(['watch', '--json']));
    try {
      await watch.ready();
      rig.log();
      rig.write({ 'include/one.h': '#define ONE 5\n' });
      await watch.rested('program');
      assert.equal(rig.log(), ['src/all.c', 'link']);
      rig.write({ 'src/new.c': '#include "../include/new.h"\n', 'include/new.h': 'int fresh;\n' });
      await watch.rested('program');
      rig.log();
      rig.write({ 'include/new.h': 'int newer;\n' });
      await watch.rested('program');
      assert.equal(rig.log(), ['src/new.c', 'link']);
    } finally {
      await watch.end('SIGTERM');
    }
  });
});

test('a header leads to the objects that were made of it, and what is shared is found by what it was', () =>
  inNewFolder(async (shared) => {
    const [compiler] = COMPILERS;
    if (compiler === undefined) throw new Error('no compiler');
    const own = files(compiler, `cache = "team"\n${sharing(folderLines(shared))}`);
    await withRig(own, async (here) => {
      assert.equal(sorted(await here.run()), ALL);
      const forward = await here.fleche(['lineage', '--forward', 'include/one.h']);
      const names = forward.stdout.split('\n').map((line) => line.replace(/ task .*/, ''));
      assert.equal(names, ['objects[src/all.c]', '  objects', '    program', '']);
      await here.fleche(['invalidate', 'include/one.h']);
      assert.equal(sorted(await here.run()), ['link', 'src/all.c']);
      await withRig({ ...own, 'include/one.h': '#define ONE 7\n' }, async (there) => {
        const run = await there.run();
        assert.equal([run.code, sorted(run)], [0, ['link', 'src/all.c']], run.stderr);
        assert.ok(there.exists('build/deep/other file.o'));
      });
      await withRig(own, async (there) => {
        const run = await there.run();
        assert.equal([run.log, run.tasks['objects']?.outcome], [[], 'cached'], run.stderr);
      });
    });
  }));

test.run();
