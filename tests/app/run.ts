/** Runs of tasks by programs, in this process. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runProject } from '../../core/app/run.ts';
import { FlecheError } from '../../core/base/errors.ts';
import type { Run, RunOptions } from '../../core/graph/run-once.ts';
import type { RunEvent } from '../../core/graph/tasks/outcome.ts';
import { type Scratch, withScratch } from './_scratch.ts';

const FILES = {
  'fleche.config.toml': `[default]
root = true

[tasks.gen]
run = "mkdir -p gen && cat schema/*.txt > gen/all.txt"
inputs = ["schema/*.txt"]
outputs = ["gen/**"]

[tasks.double]
call = "./double.ts#double"
args = { all = { from = "gen" }, by = 21 }

[tasks.bad]
run = "echo why; exit 3"
`,
  'double.ts': `import { factor } from './factor.ts';
export function double({ by }: { by: number }) { return { twice: factor * by }; }`,
  'factor.ts': 'export const factor = 2;',
  'schema/a.txt': 'a',
};

function run({ root }: Scratch, options: RunOptions): Promise<Run> {
  return runProject(options, { cwd: root, env: { PATH: process.env['PATH'], HOME: join(root, '../home') } });
}

function kinds({ outcomes }: Run): string {
  return outcomes.map(({ name, outcome }) => `${name} ${outcome}`).join();
}

test('a run gives what was made, and what all that took part read', async () => {
  await withScratch(FILES, async (scratch) => {
    const at = (path: string): string => join(scratch.root, path);
    const first = await run(scratch, { tasks: ['double'] });
    assert.is(kinds(first), 'gen ran,double ran');
    assert.equal(first.made.get('gen')?.files, [at('gen/all.txt')]);
    assert.equal(first.made.get('double')?.value, { twice: 42 });
    assert.equal(first.made.get('double')?.source, { module: at('double.ts'), export: 'double' });
    for (const path of ['schema/a.txt', 'double.ts', 'factor.ts', 'fleche.config.toml']) {
      assert.ok(first.reads.files.includes(at(path)), path);
      assert.ok(first.reads.concerns(at(path)), path);
    }
    assert.ok(first.reads.folders.includes(at('schema')));
    assert.ok(first.reads.concerns(at('schema/new.txt')));
    assert.not(first.reads.concerns(at('gen/all.txt')));
    assert.not(first.reads.concerns(at('README.md')));
    scratch.write({ 'schema/b.txt': 'b' });
    assert.is(kinds(await run(scratch, { tasks: ['double'] })), 'gen ran,double ran');
    rmSync(at('gen'), { recursive: true });
    assert.is(kinds(await run(scratch, { tasks: ['double'] })), 'gen cached,double cached');
    assert.is(kinds(await run(scratch, { tasks: ['gen'], force: true })), 'gen ran');
  });
});

test('a failed task is an outcome, with what it printed; a missing one is an error', async () => {
  await withScratch(FILES, async (scratch) => {
    const events: RunEvent[] = [];
    const failed = await run(scratch, { tasks: ['bad'], onEvent: (event) => events.push(event) });
    assert.is(failed.outcomes[0]?.exitCode, 3);
    assert.is(failed.made.size, 0);
    assert.ok(events.some((event) => event.type === 'output' && Buffer.from(event.chunk).toString().includes('why')));
    const error = await run(scratch, { tasks: ['gem'] }).catch((error: unknown) => error);
    assert.ok(error instanceof FlecheError && error.code === 'CONFIG_UNKNOWN_TASK');
  });
});

test('frozen runs nothing, and an aborted run ends', async () => {
  await withScratch(FILES, async (scratch) => {
    assert.is(kinds(await run(scratch, { tasks: ['gen'], frozen: true })), 'gen skipped');
    const signal = AbortSignal.abort();
    const aborted = await run(scratch, { tasks: ['gen'], signal });
    assert.ok(aborted.interrupted);
    assert.is(kinds(aborted), 'gen skipped');
  });
});

test.run();
