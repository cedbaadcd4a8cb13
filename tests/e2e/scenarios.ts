/** Single situations in which other task runners were seen to give a wrong answer, to lose work, or to do too much. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL_CACHED, ALL_RAN, CHAIN } from './_chain.ts';
import { ended, type Rig, until, withRig } from './_rig.ts';

const COPY = `import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
appendFileSync(process.env.TEST_LOG, 'copy\\n');
console.log('one');
console.error('two');
console.log('three');
for (const name of readdirSync('in', { recursive: true, withFileTypes: true })) {
  const path = (name.parentPath ?? name.path) + '/' + name.name;
  if (name.isDirectory()) continue;
  mkdirSync(dirname(path.replace('in', 'out')), { recursive: true });
  writeFileSync(path.replace('in', 'out'), readFileSync(path));
}
`;

/** One task that copies in/ to out/. */
const SINGLE = {
  'fleche.config.toml': `[default]
root = true
tasks = ["copy"]

[tasks.copy]
run = "node copy.mjs"
inputs = ["in/**", "copy.mjs"]
outputs = ["out/**"]
pass_env = ["TEST_LOG"]
`,
  'copy.mjs': COPY,
  'in/a.txt': 'a\n',
};

/** A task that says it has begun, waits for a go, and only then reads its input. */
const WAITING = {
  'fleche.config.toml': `[default]
root = true
tasks = ["wait"]

[tasks.wait]
run = "node wait.mjs"
inputs = ["in.txt", "wait.mjs"]
outputs = ["out.txt"]
pass_env = ["TEST_LOG"]
`,
  'wait.mjs': `import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
appendFileSync(process.env.TEST_LOG, 'begun\\n');
while (!existsSync(process.env.TEST_LOG + '.go')) await new Promise((resume) => setTimeout(resume, 5));
writeFileSync('out.txt', readFileSync('in.txt'));
`,
  'in.txt': 'first\n',
};

/** Runs the waiting task and changes its input while it waits. */
async function changeDuringRun(rig: Rig, text: string): Promise<string> {
  const child = rig.start(['run', '--json']);
  const end = ended(child);
  await until(() => readFileSync(join(rig.aside, 'log.txt'), 'utf8').includes('begun'), 'the task begins');
  rig.write({ 'in.txt': text });
  writeFileSync(join(rig.aside, 'log.txt.go'), '');
  return (await end).stdout;
}

test('an input that changes while its task runs poisons nothing', async () => {
  await withRig(WAITING, async (rig) => {
    assert.match(await changeDuringRun(rig, 'second\n'), /in\.txt/, 'the file is named');
    assert.is(rig.read('out.txt'), 'second\n');
    rig.write({ 'in.txt': 'first\n' });
    assert.equal((await rig.run()).outcomes, { wait: 'ran' });
    assert.is(rig.read('out.txt'), 'first\n');
  });
});

test('a change that a running task did not see is seen by the next run', async () => {
  await withRig(WAITING, async (rig) => {
    await changeDuringRun(rig, 'second\n');
    rig.write({ 'in.txt': 'third\n' });
    assert.equal((await rig.run()).outcomes, { wait: 'ran' });
    assert.is(rig.read('out.txt'), 'third\n');
    assert.equal((await rig.run()).outcomes, { wait: 'cached' });
  });
});

test('a task that rewrites its own input is told of, and not kept', async () => {
  await withRig(SINGLE, async (rig) => {
    rig.append('copy.mjs', `appendFileSync('in/a.txt', 'more\\n');\n`);
    for (let round = 0; round < 2; round++) {
      const { code, outcomes, tasks } = await rig.run();
      assert.is(code, 0);
      assert.equal(outcomes, { copy: 'ran' });
      assert.match(tasks['copy']?.message ?? '', /in\/a\.txt/);
    }
  });
});

test('names with brackets, spaces and letters of any script are plain names', async () => {
  await withRig(
    { ...SINGLE, 'in/[id]/é ü.txt': '1', 'in/{a,b}.txt': '2', 'in/日本.txt': '3', 'in/.hidden': '4' },
    async (rig) => {
      assert.is((await rig.run()).code, 0);
      const before = rig.snapshot();
      rig.remove('out');
      assert.equal((await rig.run()).outcomes, { copy: 'cached' });
      assert.equal(rig.snapshot(), before);
      for (const path of ['in/[id]/é ü.txt', 'in/{a,b}.txt', 'in/日本.txt', 'in/.hidden']) {
        rig.append(path, '+');
        const { outcomes, tasks } = await rig.run();
        assert.equal(outcomes, { copy: 'ran' }, path);
        assert.equal(tasks['copy']?.reasons, [{ kind: 'file', change: 'changed', path }]);
      }
    },
  );
});

test('the target of a linked input is followed, and the link itself counts', async () => {
  await withRig(SINGLE, async (rig) => {
    writeFileSync(join(rig.aside, 'outside.txt'), 'outside\n');
    writeFileSync(join(rig.aside, 'same.txt'), 'outside\n');
    symlinkSync(join('..', '..', 'aside', 'outside.txt'), rig.path('in/link.txt'));
    assert.is((await rig.run()).code, 0);
    assert.equal((await rig.run()).outcomes, { copy: 'cached' });
    writeFileSync(join(rig.aside, 'outside.txt'), 'changed\n');
    assert.equal((await rig.run()).outcomes, { copy: 'ran' });
    writeFileSync(join(rig.aside, 'outside.txt'), 'outside\n');
    assert.equal((await rig.run()).outcomes, { copy: 'cached' });
    rig.remove('in/link.txt');
    symlinkSync(join('..', '..', 'aside', 'same.txt'), rig.path('in/link.txt'));
    assert.equal((await rig.run()).outcomes, { copy: 'ran' });
  });
});

test('line endings are content', async () => {
  await withRig(SINGLE, async (rig) => {
    await rig.run();
    rig.write({ 'in/a.txt': 'a\r\n' });
    assert.equal((await rig.run()).outcomes, { copy: 'ran' });
  });
});

test('an empty folder among the inputs is no input', async () => {
  await withRig(SINGLE, async (rig) => {
    await rig.run();
    mkdirSync(rig.path('in/empty'));
    assert.equal((await rig.run()).outcomes, { copy: 'cached' });
  });
});

test('an output replaced by a folder is put right, and nothing of it is lost', async () => {
  await withRig(SINGLE, async (rig) => {
    await rig.run();
    rig.remove('out/a.txt');
    rig.write({ 'out/a.txt/mine.txt': 'mine' });
    const { code, outcomes } = await rig.run();
    assert.is(code, 0);
    assert.equal(outcomes, { copy: 'cached' });
    assert.is(rig.read('out/a.txt'), 'a\n');
  });
});

test('nothing is written or deleted through a link in the place of an output folder', async () => {
  await withRig(SINGLE, async (rig) => {
    await rig.run();
    rig.remove('out');
    mkdirSync(join(rig.aside, 'elsewhere'));
    writeFileSync(join(rig.aside, 'elsewhere/a.txt'), 'precious');
    writeFileSync(join(rig.aside, 'elsewhere/b.txt'), 'precious');
    symlinkSync(join(rig.aside, 'elsewhere'), rig.path('out'), 'junction');
    await rig.run();
    rig.write({ 'in/b.txt': 'b\n' });
    await rig.run();
    assert.is(readFileSync(join(rig.aside, 'elsewhere/a.txt'), 'utf8'), 'precious');
    assert.is(readFileSync(join(rig.aside, 'elsewhere/b.txt'), 'utf8'), 'precious');
  });
});

test('outputs of an earlier version, put back by hand, are brought up to date', async () => {
  await withRig(SINGLE, async (rig) => {
    await rig.run();
    rig.write({ 'in/a.txt': 'b\n' });
    await rig.run();
    rig.write({ 'out/a.txt': 'a\n' });
    assert.equal((await rig.run()).outcomes, { copy: 'cached' });
    assert.is(rig.read('out/a.txt'), 'b\n');
  });
});

test('output and errors come back in the order in which they were written', async () => {
  await withRig(SINGLE, async (rig) => {
    const order = (text: string): string[] => [...text.matchAll(/\b(one|two|three)\b/g)].map(([word]) => word);
    const first = await rig.fleche(['run', '--log', 'grouped']);
    const again = await rig.fleche(['run', '--log', 'grouped']);
    assert.equal(order(first.stdout), ['one', 'two', 'three']);
    assert.equal(order(again.stdout), ['one', 'two', 'three']);
  });
});

test('two runs at the same time work once', async () => {
  await withRig(CHAIN, async (rig) => {
    const both = await Promise.all([ended(rig.start(['run', '--json'])), ended(rig.start(['run', '--json']))]);
    for (const { code, stderr } of both) assert.is(code, 0, stderr);
    assert.equal(rig.log(), ['strip', 'join', 'count']);
  });
});

test('a nondeterministic task that is forced to run again carries its dependents along', async () => {
  await withRig(CHAIN, async (rig) => {
    rig.append('scripts/join.mjs', `writeFileSync('build/all.txt', String(process.hrtime.bigint()) + 'words');\n`);
    await rig.run();
    assert.equal((await rig.run()).outcomes, ALL_CACHED);
    const { outcomes } = await rig.run(['--force']);
    assert.equal(outcomes, ALL_RAN);
    assert.equal((await rig.run()).outcomes, ALL_CACHED);
  });
});

test('a project without inputs, outputs or needs is cached all the same', async () => {
  const config = '[default]\nroot = true\ntasks = ["hello"]\n\n[tasks]\nhello = "echo hello"\n';
  await withRig({ 'fleche.config.toml': config }, async (rig) => {
    assert.equal((await rig.run()).outcomes, { hello: 'ran' });
    assert.equal((await rig.run()).outcomes, { hello: 'cached' });
    assert.match((await rig.fleche(['run'])).stdout, /hello/);
  });
});

test('a task with cache = false runs every time, its dependents only when they must', async () => {
  await withRig(CHAIN, async (rig) => {
    rig.edit('fleche.config.toml', '[tasks.strip]\n', '[tasks.strip]\ncache = false\n');
    assert.equal((await rig.run()).outcomes, ALL_RAN);
    const { outcomes, tasks } = await rig.run();
    assert.equal(outcomes, { strip: 'ran', join: 'cached', count: 'cached' });
    assert.equal(tasks['strip']?.reasons, [{ kind: 'uncached' }]);
  });
});

test('files of an earlier output are gone when a task writes others', async () => {
  await withRig(SINGLE, async (rig) => {
    await rig.run();
    rig.rename('in/a.txt', 'in/b.txt');
    await rig.run();
    assert.equal(
      Object.keys(rig.snapshot()).filter((path) => path.startsWith('out/')),
      ['out/b.txt'],
    );
  });
});

test.run();
