/** `clean`: what tasks wrote goes, everything else stays. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseInvocation } from '../../../core/app/cli/invocation.ts';
import { VERBS } from '../../../core/app/cli/verbs.ts';
import { clean } from '../../../core/app/verbs/clean.ts';
import { fakeMachine } from '../_machine.ts';
import { COPY, outcomes, run, type Scratch, withScratch } from '../_scratch.ts';

async function cleaned(scratch: Scratch, ...argv: string[]): Promise<string> {
  const machine = fakeMachine();
  const invocation = parseInvocation(['clean', ...argv], VERBS);
  assert.is(await clean({ invocation, machine, open: async () => scratch.open() }), 0);
  return machine.stdout.text;
}

/** Runs everything, then puts a file of a person beside the outputs. */
async function afterRun(use: (scratch: Scratch, there: (path: string) => boolean) => Promise<void>): Promise<void> {
  await withScratch(COPY, async (scratch) => {
    const project = scratch.open();
    await run(project);
    await project.close();
    scratch.write({ 'out/mine.txt': 'mine' });
    await use(scratch, (path) => existsSync(join(scratch.root, path)));
  });
}

test('outputs go, with folders that are empty without them, and a person’s files stay', async () => {
  await afterRun(async (scratch, there) => {
    assert.is(await cleaned(scratch), '- out/deep/copy.txt\nremoved 1 output\n');
    assert.not.ok(there('out/deep'));
    assert.ok(there('out/mine.txt'));
    assert.ok(there('in.txt'));
    assert.is(await cleaned(scratch), 'nothing to remove\n');
  });
});

test('what was cleaned comes back from the cache', async () => {
  await afterRun(async (scratch, there) => {
    await cleaned(scratch);
    assert.equal(await outcomes(scratch.open()), { copy: 'cached', look: 'cached' });
    assert.ok(there('out/deep/copy.txt'));
    assert.ok(there('out/mine.txt'));
  });
});

test('a dry run removes nothing', async () => {
  await afterRun(async (scratch, there) => {
    const told = await cleaned(scratch, '--dry-run', '--cache');
    assert.is(told, '- out/deep/copy.txt\n- .fleche/\nwould remove 1 output and the cache\n');
    assert.ok(there('out/deep/copy.txt'));
    assert.ok(there('.fleche'));
  });
});

test('only the named tasks are cleaned', async () => {
  await afterRun(async (scratch, there) => {
    assert.is(await cleaned(scratch, 'look'), 'nothing to remove\n');
    assert.ok(there('out/deep/copy.txt'));
  });
});

test('with the cache gone everything runs again', async () => {
  await afterRun(async (scratch, there) => {
    assert.match(await cleaned(scratch, '--cache'), /removed 1 output and the cache\n$/);
    assert.not.ok(there('.fleche'));
    assert.equal(await outcomes(scratch.open()), { copy: 'ran', look: 'ran' });
  });
});

test('what a task is not known to have written is not touched', async () => {
  await withScratch({ ...COPY, 'out/old.txt': 'old' }, async (scratch) => {
    assert.is(await cleaned(scratch), 'nothing to remove\n');
    assert.ok(existsSync(join(scratch.root, 'out/old.txt')));
  });
});

test('json tells the same', async () => {
  await afterRun(async (scratch) => {
    assert.equal(JSON.parse(await cleaned(scratch, '--json', '--cache')), {
      type: 'clean',
      outputs: ['out/deep/copy.txt'],
      cache: '.fleche',
      dryRun: false,
    });
  });
});

test.run();
