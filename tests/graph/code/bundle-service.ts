/** The process of esbuild, which others may end. */
import { execFileSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FlecheError } from '../../../core/base/errors.ts';
import { withEsbuild } from '../../../core/graph/code/bundle-service.ts';
import { closureOf } from '../_code.ts';
import { inProject, rel } from '../_project.ts';

const PROJECT = { 'package.json': '{"type":"module"}', 'a.ts': 'export const a = () => 1;' };

/** Ends what this process has started of esbuild; how many there were. */
function endEsbuild(): number {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).trim().split('\n');
  const pids = rows.flatMap((row) => {
    const [, pid, parent, args = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row) ?? [];
    return Number(parent) === process.pid && args.includes('--service=') ? [Number(pid)] : [];
  });
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  return pids.length;
}

test('code is bundled although somebody ended esbuild, before or meanwhile', () =>
  inProject(PROJECT, async (project) => {
    const ask = () => closureOf(project.root, rel('a.ts'), 'a');
    const { digest } = await ask();
    assert.ok(endEsbuild() > 0);
    assert.is((await ask()).digest, digest);
    const asked = [ask(), ask(), ask()];
    assert.ok(endEsbuild() > 0);
    for (const closure of await Promise.all(asked)) assert.is(closure.digest, digest);
    assert.ok(endEsbuild() > 0);
  }));

test('who is ended again and again says so, and other faults are told at once', async () => {
  let count = 0;
  const fails = (message: string) => () => {
    count++;
    return Promise.reject(new Error(message));
  };
  const failure = await withEsbuild(fails('The service was stopped: write EPIPE')).catch((error: unknown) => error);
  assert.ok(failure instanceof FlecheError && failure.code === 'CODE_UNRESOLVED');
  assert.match(failure.message, 'esbuild was ended while it was at work');
  assert.is(count, 2);
  assert.match(String(await withEsbuild(fails('other')).catch((error: unknown) => error)), 'other');
  assert.is(count, 3);
});

test.run();
