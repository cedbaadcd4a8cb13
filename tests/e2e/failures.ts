/** A task that fails: seen, told once, never served as a success. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Rig, withRig } from './_rig.ts';

const SCRIPT = `import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
const [name, input, output] = process.argv.slice(2);
appendFileSync(process.env.TEST_LOG, name + '\\n');
const text = readFileSync(input, 'utf8');
console.log(name + ' looks at ' + input);
if (text.includes('odd')) {
  console.error(name + ' cannot read odd things');
  process.exit(3);
}
mkdirSync('out', { recursive: true });
writeFileSync(output, text.toUpperCase());
`;

function task(name: string, input: string, more = ''): string {
  return `[tasks.${name}]
run = "node work.mjs ${name} ${input} out/${name}.txt"
inputs = ["${input}", "work.mjs"]
outputs = ["out/${name}.txt"]
pass_env = ["TEST_LOG"]
${more}
`;
}

/** \`good\` and \`bad\` need nothing, \`after\` needs \`bad\` and \`last\` needs \`after\`; \`side\` needs \`good\`. */
const FILES = {
  'fleche.config.toml': `[default]
root = true
tasks = ["last", "side"]

${task('good', 'good.in')}
${task('bad', 'bad.in')}
${task('after', 'out/bad.txt', 'needs = ["bad"]')}
${task('last', 'out/after.txt', 'needs = ["after"]')}
${task('side', 'out/good.txt', 'needs = ["good"]')}`,
  'work.mjs': SCRIPT,
  'good.in': 'good\n',
  'bad.in': 'odd\n',
};

const FAILED = { bad: 'failed', after: 'skipped', last: 'skipped', good: 'ran', side: 'ran' } as const;

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

/** Replaces the configuration by one task and runs it. */
async function runAlone(rig: Rig, body: string): Promise<Awaited<ReturnType<Rig['run']>>> {
  rig.write({ 'fleche.config.toml': `[default]\nroot = true\ntasks = ["only"]\n\n[tasks.only]\n${body}\n` });
  return rig.run();
}

test('what needs a failed task is skipped, and the run fails', async () => {
  await withRig(FILES, async (rig) => {
    const { code, outcomes, tasks, summary } = await rig.run(['--keep-going']);
    assert.is(code, 1);
    assert.equal(outcomes, FAILED);
    assert.equal([summary?.ran, summary?.cached, summary?.failed, summary?.skipped], [2, 0, 1, 2]);
    assert.is(tasks['bad']?.exitCode, 3);
    assert.equal(tasks['after']?.reasons, [{ kind: 'pending', task: 'bad' }]);
    assert.equal(tasks['last']?.reasons, [{ kind: 'pending', task: 'after' }]);
    assert.not.ok(rig.exists('out/bad.txt'));
  });
});

test('without --keep-going nothing new is started after a failure', async () => {
  await withRig(FILES, async (rig) => {
    rig.edit('fleche.config.toml', '["last", "side"]', '["bad", "side"]');
    const { code, outcomes, log } = await rig.run(['--jobs', '1']);
    assert.is(code, 1);
    assert.is(outcomes['bad'], 'failed');
    assert.is(outcomes['side'], 'skipped');
    assert.not.ok(log.includes('side'));
  });
});

for (const mode of ['stream', 'grouped', 'quiet']) {
  test(`what a failed task printed is shown once: --log ${mode}`, async () => {
    await withRig(FILES, async (rig) => {
      const { code, stdout, stderr } = await rig.fleche(['run', '--keep-going', '--log', mode]);
      assert.is(code, 1);
      assert.is(count(stdout + stderr, 'bad cannot read odd things'), 1, stdout + stderr);
      assert.is(count(stdout + stderr, 'bad looks at bad.in'), 1, stdout + stderr);
      assert.match(stdout + stderr, /3/, 'the exit code');
    });
  });
}

test('a failure is not served: the task runs again', async () => {
  await withRig(FILES, async (rig) => {
    await rig.run(['--keep-going']);
    const { code, outcomes, tasks, log } = await rig.run(['--keep-going']);
    assert.is(code, 1);
    assert.equal(outcomes, { ...FAILED, good: 'cached', side: 'cached' });
    assert.equal(tasks['bad']?.reasons, [{ kind: 'failed-before' }]);
    assert.equal(log, ['bad']);
  });
});

test('a repaired task and what was skipped run, nothing else', async () => {
  await withRig(FILES, async (rig) => {
    await rig.run(['--keep-going']);
    rig.write({ 'bad.in': 'even\n' });
    const { code, outcomes } = await rig.run();
    assert.is(code, 0);
    assert.equal(outcomes, { bad: 'ran', after: 'ran', last: 'ran', good: 'cached', side: 'cached' });
    assert.is(rig.read('out/last.txt'), 'EVEN\n');
  });
});

test('going back from a failure to what worked is answered from the cache', async () => {
  await withRig({ ...FILES, 'bad.in': 'even\n' }, async (rig) => {
    assert.is((await rig.run()).code, 0);
    const before = rig.snapshot();
    rig.write({ 'bad.in': 'odd\n' });
    assert.is((await rig.run()).code, 1);
    rig.write({ 'bad.in': 'even\n' });
    const { code, log } = await rig.run();
    assert.is(code, 0);
    assert.equal(log, []);
    assert.equal(rig.snapshot(), before);
  });
});

test('a failure does not take the place of a success under the same key', async () => {
  const flaky = `import { existsSync, writeFileSync } from 'node:fs';
if (existsSync(process.env.TEST_LOG + '.broken')) process.exit(1);
writeFileSync('out.txt', 'whole');
`;
  await withRig({ 'flaky.mjs': flaky }, async (rig) => {
    const body = 'run = "node flaky.mjs"\ninputs = ["flaky.mjs"]\noutputs = ["out.txt"]\npass_env = ["TEST_LOG"]';
    assert.is((await runAlone(rig, body)).code, 0);
    const marker = '../aside/log.txt.broken';
    rig.write({ [marker]: '' });
    assert.is((await rig.run(['--force'])).code, 1);
    rig.remove(marker);
    assert.equal((await rig.run()).outcomes, { only: 'cached' });
    assert.is(rig.read('out.txt'), 'whole');
  });
});

test('a task that does not write what it declares fails, and is not filed', async () => {
  await withRig({}, async (rig) => {
    const { code, outcomes, tasks } = await runAlone(rig, `run = "node -e 0"\noutputs = ["out/**"]`);
    assert.is(code, 1);
    assert.equal(outcomes, { only: 'failed' });
    assert.match(tasks['only']?.message ?? '', /out\/\*\*/);
    assert.is((await rig.run()).code, 1);
  });
});

test('a command that is not there fails with the shell code for it', async () => {
  await withRig({}, async (rig) => {
    const { code, tasks } = await runAlone(rig, 'run = "no-such-program-anywhere"');
    assert.is(code, 1);
    assert.is(tasks['only']?.exitCode, process.platform === 'win32' ? 1 : 127);
  });
});

test('a command that is ended by a signal fails and says so', async () => {
  await withRig({}, async (rig) => {
    const { code, tasks } = await runAlone(rig, 'run = "kill -9 $$"');
    assert.is(code, 1);
    assert.match(tasks['only']?.message ?? '', /SIGKILL/);
  });
});

test('outputs of a failed task are not captured', async () => {
  const half = `import { writeFileSync } from 'node:fs';\nwriteFileSync('out.txt', 'half');\nprocess.exit(1);\n`;
  await withRig({ 'half.mjs': half }, async (rig) => {
    const body = 'run = "node half.mjs"\ninputs = ["half.mjs"]\noutputs = ["out.txt"]';
    assert.is((await runAlone(rig, body)).code, 1);
    rig.edit('half.mjs', 'process.exit(1)', 'process.exit(0)');
    assert.equal((await rig.run()).outcomes, { only: 'ran' });
  });
});

test.run();
