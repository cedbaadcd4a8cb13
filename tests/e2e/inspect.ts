import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Rig, withRig } from './_rig.ts';

const PROJECT = {
  'fleche.config.toml': `
[default]
tasks = ["upper"]

[tasks.upper]
run = "mkdir -p out && tr a-z A-Z < in.txt | tee out/text.txt && printf '\\\\377\\\\000' > out/bytes.bin"
inputs = ["in.txt"]
outputs = ["out/**"]
`,
  'in.txt': 'hello\n',
};

async function json(rig: Rig, ...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await rig.fleche([...args, '--json']);
  assert.is(code, 0, stderr);
  return JSON.parse(stdout);
}

test('a record can be shown by its task and by the beginning of its key', async () => {
  await withRig(PROJECT, async (rig) => {
    const { tasks } = await rig.run();
    const key = tasks['upper']?.key ?? '';
    assert.is((await json(rig, 'show', 'upper'))['key'], key);
    assert.is((await json(rig, 'show', key.slice(0, 8)))['key'], key);
    const { code, stderr } = await rig.fleche(['show', 'ffff']);
    assert.is(code, 1);
    assert.match(stderr, 'DIGEST_UNKNOWN');
  });
});

test('logs, files and lists of outputs can be read back; what is not text goes to a file', async () => {
  await withRig(PROJECT, async (rig) => {
    await rig.run();
    const { log, outputs } = await json(rig, 'show', 'upper');
    assert.is((await rig.fleche(['cat', String(log)])).stdout, 'HELLO\n');
    const list = (await rig.fleche(['cat', String(outputs)])).stdout;
    const [bytes = '', text = ''] = list.split('\n').map((line) => line.split(/\s+/)[1] ?? '');
    assert.is((await rig.fleche(['cat', text])).stdout, 'HELLO\n');
    for (const digest of [log, outputs, text]) {
      const short = await rig.fleche(['cat', String(digest).slice(0, 12)]);
      assert.is(short.stdout, (await rig.fleche(['cat', String(digest)])).stdout);
    }
    assert.match((await rig.fleche(['cat', bytes])).stderr, '--output FILE');
    assert.is((await rig.fleche(['cat', bytes, '--output', 'copy.bin'])).code, 0);
    assert.equal(readFileSync(rig.path('copy.bin')), readFileSync(join(rig.path('out'), 'bytes.bin')));
  });
});

test('a collection forgets old records and never what is current', async () => {
  await withRig(PROJECT, async (rig) => {
    for (const text of ['one\n', 'two\n', 'three\n']) {
      rig.write({ 'in.txt': text });
      await rig.run();
    }
    assert.is((await json(rig, 'gc', '--older-than', '0ms', '--dry-run'))['records'], 2);
    assert.is((await json(rig, 'gc', '--older-than', '0ms'))['records'], 2);
    assert.equal((await rig.run()).outcomes, { upper: 'cached' });
    rig.remove('out');
    const { outcomes } = await rig.run();
    assert.equal(outcomes, { upper: 'cached' });
    assert.is(rig.read('out/text.txt'), 'THREE\n');
    rig.write({ 'in.txt': 'one\n' });
    assert.equal((await rig.run()).outcomes, { upper: 'ran' });
  });
});

test('the doctor finds nothing wrong with a cache that was used, and what is wrong with a damaged one', async () => {
  await withRig(PROJECT, async (rig) => {
    await rig.run();
    assert.equal((await json(rig, 'doctor'))['findings'], []);
    rig.write({ '.fleche/db-1/data.mdb': 'not a database' });
    const { code, stdout } = await rig.fleche(['doctor']);
    assert.is(code, 1);
    assert.match(stdout, 'damaged');
  });
});

test.run();
