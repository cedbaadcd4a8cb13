/** A run that is cut short, by whatever means, leaves nothing that the next run does not put right by itself. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL_CACHED, CHAIN } from './_chain.ts';
import { ended, isAlive, until, withRig } from './_rig.ts';

const NIGHTLY = process.env['FLECHE_TEST_PROFILE'] === 'nightly';

test('a run after kill -9 at any moment ends as if nothing had happened', async () => {
  await withRig(CHAIN, async (rig) => {
    const start = performance.now();
    assert.is((await rig.run()).code, 0);
    const duration = performance.now() - start;
    const wanted = rig.snapshot();
    for (let round = 0; round < (NIGHTLY ? 200 : 12); round++) {
      // Every round has other contents, so that there is something to do; the last edit leads back to the first state.
      rig.write({ 'src/round.txt': `round ${round}\n` });
      if (round % 3 === 0 && rig.exists('.fleche')) rig.remove('.fleche');
      const child = rig.start(['run', '--json']);
      const end = ended(child);
      const moment = Math.random() * duration * 1.2;
      await delay(moment);
      child.kill('SIGKILL');
      await end;
      const about = `round ${round}, killed after ${Math.round(moment)} ms of ${Math.round(duration)}`;

      const after = await rig.run();
      assert.is(after.code, 0, `${about}\n${after.stdout}${after.stderr}`);
      assert.match(rig.read('build/all.txt'), new RegExp(`round ${round}\n`), about);
      assert.equal((await rig.run()).outcomes, ALL_CACHED, about);

      rig.remove('src/round.txt');
      assert.is((await rig.run()).code, 0, about);
      assert.equal(rig.snapshot(), wanted, about);
    }
  });
});

/** Paths of the database files in a cache, relative to it. */
function databases(cache: string): string[] {
  return readdirSync(cache, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('data.mdb'));
}

/** A command that notes its process id and that of a child, then never ends. */
const FOREVER = `import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
child.on('spawn', () => writeFileSync(process.env.TEST_LOG, process.pid + '\\n' + child.pid + '\\n'));
setInterval(() => {}, 1000);
`;

const HANGING = {
  ...CHAIN,
  'forever.mjs': FOREVER,
  'fleche.config.toml': `[default]
root = true
tasks = ["after"]

[tasks.forever]
run = "node forever.mjs"
inputs = ["forever.mjs"]
pass_env = ["TEST_LOG"]

[tasks.after]
run = "node -e 0"
needs = ["forever"]
`,
};

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  // biome-ignore format: short
  test(`${signal}: exit code ${code}, and everything that was started is gone`, async () => {
    await withRig(HANGING, async (rig) => {
      const child = rig.start(['run', '--json']);
      const end = ended(child);
      const pids = (): number[] => readFileSync(join(rig.aside, 'log.txt'), 'utf8').split('\n').filter(Boolean).map(Number);
      await until(() => pids().length === 2, 'the command starts');
      const started = pids();
      child.kill(signal);
      const result = await end;
      assert.is(result.code, code, result.stderr);
      await until(() => !started.some(isAlive), 'the command and its child are gone');
      const tasks = result.stdout.trim().split('\n').map((line) => JSON.parse(line));
      assert.not.ok(tasks.some((task) => task.outcome === 'ran' || task.outcome === 'cached'), result.stdout);
    });
  });
}

test('a command that was started and not noted when its run was killed is ended by the next run', () =>
  withRig(
    {
      'fleche.config.toml':
        '[default]\nroot = true\n[tasks.long]\nrun = "echo $$ > pid; exec sleep 1000"\n[tasks.other]\nrun = "true"\n',
      'killed.cjs': `const fs = require('node:fs');
const open = fs.openSync;
fs.openSync = (path, ...rest) =>
  /[\\\\/]running[\\\\/]/.test(String(path)) ? process.kill(process.pid, 'SIGKILL') : open(path, ...rest);
`,
    },
    async (rig) => {
      if (process.platform !== 'linux') return console.log('only Linux tells where others print');
      const { signal } = await rig.fleche(['run', 'long'], { NODE_OPTIONS: `--require ${rig.path('killed.cjs')}` });
      assert.is(signal, 'SIGKILL');
      await until(() => rig.exists('pid') && rig.read('pid').endsWith('\n'), 'the command');
      const pid = Number(rig.read('pid'));
      assert.ok(isAlive(pid));
      await rig.run(['other']);
      assert.not.ok(isAlive(pid));
    },
  ));

test('a second SIGINT waits for nobody, and leaves nobody behind', async () => {
  const deaf = FOREVER.replace(
    'setInterval(() => {}, 1000);\n',
    "process.on('SIGTERM', () => {});\nsetInterval(() => {}, 1000);\n",
  );
  await withRig({ ...HANGING, 'forever.mjs': deaf }, async (rig) => {
    const child = rig.start(['run', '--json']);
    const end = ended(child);
    const pids = (): number[] =>
      readFileSync(join(rig.aside, 'log.txt'), 'utf8').split('\n').filter(Boolean).map(Number);
    await until(() => pids().length === 2, 'the command starts');
    const [command = 0, grandchild = 0] = pids();
    child.kill('SIGINT');
    // The grandchild obeys the first signal; the command does not.
    await until(() => !isAlive(grandchild), 'the first signal arrives');
    child.kill('SIGINT');
    assert.is((await end).code, 130);
    await until(() => !isAlive(command), 'the command is gone');
  });
});

test('after an interruption the next run does what is left', async () => {
  await withRig(HANGING, async (rig) => {
    const child = rig.start(['run']);
    const end = ended(child);
    await until(() => readFileSync(join(rig.aside, 'log.txt'), 'utf8').split('\n').length === 3, 'the command starts');
    child.kill('SIGINT');
    await end;
    rig.write({ 'forever.mjs': 'process.exitCode = 0;\n' });
    const { code, outcomes } = await rig.run();
    assert.is(code, 0);
    assert.equal(outcomes, { forever: 'ran', after: 'ran' });
  });
});

test('two runs at the same time both end right', async () => {
  await withRig(CHAIN, async (rig) => {
    const both = await Promise.all([ended(rig.start(['run', '--json'])), ended(rig.start(['run', '--json']))]);
    for (const { code, stderr, stdout } of both) assert.is(code, 0, stderr + stdout);
    assert.is(JSON.parse(rig.read('report.json')).words, 12);
    assert.equal((await rig.run()).outcomes, ALL_CACHED);
  });
});

test('a damaged cache is set aside, and the run goes on', async () => {
  await withRig(CHAIN, async (rig) => {
    await rig.run();
    const wanted = rig.snapshot();
    for (const damage of ['', 'x', 'not a database\n'.repeat(1000), '\0'.repeat(8192)]) {
      assert.ok(databases(rig.path('.fleche')).length > 0);
      for (const name of databases(rig.path('.fleche'))) rig.write({ [`.fleche/${name}`]: damage });
      const { code, stderr } = await rig.run();
      assert.is(code, 0, `${damage.length} bytes: ${stderr}`);
      assert.equal(rig.snapshot(), wanted);
      assert.equal((await rig.run()).outcomes, ALL_CACHED);
    }
  });
});

test.run();
