/** Shell commands: how they end, what they leave behind, and what they see of this process. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toAbs } from '../../../core/base/paths.ts';
import { type CommandOptions, type CommandResult, runCommand } from '../../../core/graph/commands/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'fleche-'));
const logFile = join(folder, 'log');
const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };
const node = JSON.stringify(process.execPath);

function run(command: string, options: Partial<CommandOptions> = {}): Promise<CommandResult> {
  const signal = new AbortController().signal;
  return runCommand({
    command,
    cwd: toAbs(folder, '.'),
    env,
    logFile,
    runningDir: join(folder, 'running'),
    signal,
    ...options,
  });
}

const log = (): string => readFileSync(logFile, 'utf8');

/** Runs a command and aborts it as soon as it has printed a line that begins with `ready`. */
async function abortWhenReady(command: string, graceMs: number): Promise<CommandResult> {
  const controller = new AbortController();
  let text = '';
  const onOutput = (chunk: Uint8Array): void => {
    text += Buffer.from(chunk).toString();
    if (/^ready.*\n/m.test(text)) controller.abort();
  };
  return run(command, { signal: controller.signal, onOutput, graceMs });
}

function isAlive(pid: string | undefined): boolean {
  if (pid === undefined || !/^\d+$/.test(pid)) throw new Error(`not a process id: ${pid}`);
  // A zombie that nobody collects in this container is not alive.
  return /^[^ZX]/.test(spawnSync('ps', ['-o', 'stat=', '-p', pid], { encoding: 'utf8' }).stdout.trim());
}

test('a command that ends tells its exit code and leaves its output', async () => {
  assert.equal(await run('echo out; exit 3'), { kind: 'exited', exitCode: 3, leftovers: false });
  assert.is(log(), 'out\n');
});

test('it runs in its folder with its environment and nothing else', async () => {
  mkdirSync(join(folder, 'sub'));
  await run('pwd; echo "$ONLY:$HOME"', { cwd: toAbs(folder, 'sub'), env: { ...env, ONLY: 'this' } });
  assert.match(log(), /\/sub\nthis:\n$/);
});

test('it reads an end of file from stdin', async () => {
  assert.equal(await run('cat; echo done'), { kind: 'exited', exitCode: 0, leftovers: false });
  assert.is(log(), 'done\n');
});

test('stdout and stderr keep the order in which they were written', async () => {
  writeFileSync(
    join(folder, 'alternate.cjs'),
    `for (let i = 0; i < 1000; i++) process[i % 2 ? 'stdout' : 'stderr'].write(i + '\\n');`,
  );
  await run(`${node} alternate.cjs`);
  assert.is(log(), Array.from({ length: 1000 }, (_, i) => `${i}\n`).join(''));
});

test('a listener gets exactly what the log has', async () => {
  const chunks: Uint8Array[] = [];
  await run('i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done', {
    onOutput: (chunk) => chunks.push(chunk),
  });
  assert.is(Buffer.concat(chunks).toString(), log());
  assert.is(log().split('\n').length, 2001);
});

test('a shell that is killed tells the signal', async () => {
  assert.equal(await run('kill -9 $$'), { kind: 'signaled', signal: 'SIGKILL', leftovers: false });
});

test('a program killed inside the shell is an exit code of the shell', async () => {
  assert.equal(await run(`sh -c 'kill -9 $$'; exit $?`), { kind: 'exited', exitCode: 137, leftovers: false });
});

test('an unknown program is an exit code of the shell', async () => {
  assert.equal(await run('no-such-program-here'), { kind: 'exited', exitCode: 127, leftovers: false });
});

test('a missing folder is named', async () => {
  const result = await run('true', { cwd: toAbs(folder, 'nowhere') });
  assert.is(result.kind, 'unstartable');
  assert.match(JSON.stringify(result), /nowhere: the folder does not exist/);
});

test('a file as folder is named', async () => {
  writeFileSync(join(folder, 'file'), '');
  assert.match(JSON.stringify(await run('true', { cwd: toAbs(folder, 'file') })), /file: it is not a folder/);
});

test('an environment that is too long is an outcome, not an exception', async () => {
  const result = await run('true', { env: { ...env, BIG: 'x'.repeat(4_000_000) } });
  assert.is(result.kind, 'unstartable');
  assert.match(JSON.stringify(result), /environment \(4\d+\) are too long/);
});

test('a command with a zero byte is an outcome, not an exception', async () => {
  assert.is((await run('true\0')).kind, 'unstartable');
});

test('a signal aborted beforehand starts nothing', async () => {
  assert.equal(await run('echo started', { signal: AbortSignal.abort(), logFile: join(folder, 'none') }), {
    kind: 'aborted',
  });
});

test('an abort ends the command and all it started', async () => {
  const result = await abortWhenReady('sleep 60 & (sleep 60 & echo ready $$ $!; wait); wait', 2000);
  assert.equal(result, { kind: 'aborted' });
  const [, shell, sleeper] = /ready (\d+) (\d+)/.exec(log()) ?? [];
  assert.not.ok(isAlive(shell));
  assert.not.ok(isAlive(sleeper));
});

test('who interrupts the command and this process at once interrupts, whoever hears of it first', async () => {
  for (const command of ['kill -INT $$', "sh -c 'kill -TERM $$'"]) {
    const controller = new AbortController();
    process.once('SIGCHLD', () => setImmediate(() => controller.abort()));
    assert.equal(await run(command, { signal: controller.signal }), { kind: 'aborted' });
    assert.equal(
      await run(command),
      command.startsWith('sh')
        ? { kind: 'exited', exitCode: 143, leftovers: false }
        : { kind: 'signaled', signal: 'SIGINT', leftovers: false },
    );
  }
});

test('an abort lets the command clean up', async () => {
  const result = await abortWhenReady(
    `trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.05; done`,
    5000,
  );
  assert.equal(result, { kind: 'aborted' });
  assert.match(log(), /cleaned\n$/);
});

test('whoever ignores the request to end is killed after the grace period, the shell being gone or not', async () => {
  const stubborn = `${node} -e "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('ready', process.pid)"`;
  for (const command of [`${stubborn} & wait`, `trap '' TERM; ${stubborn} & wait`]) {
    assert.equal(await abortWhenReady(command, 100), { kind: 'aborted' });
    assert.not.ok(isAlive(/ready (\d+)/.exec(log())?.[1]));
  }
});

test('a background process that stays is ended and reported, and does not hold up the result', async () => {
  const started = performance.now();
  const result = await run('sleep 60 & echo $!; exit 4');
  assert.equal(result, { kind: 'exited', exitCode: 4, leftovers: true });
  assert.not.ok(isAlive(log().trim()));
  assert.ok(performance.now() - started < 10_000);
});

test('a background process that ends by itself at once is none to speak of', async () => {
  assert.equal(await run('(sleep 0.02; echo late) & exit 0'), { kind: 'exited', exitCode: 0, leftovers: false });
  assert.is(log(), 'late\n');
});

test('a command does not inherit the descriptors of a database', async () => {
  if (process.platform !== 'linux') return;
  const database = open(join(folder, 'db'), {});
  await run('ls -l /proc/self/fd');
  const listed = log();
  assert.match(spawnSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' }).stdout, /data\.mdb/);
  assert.not.match(listed, /data\.mdb/);
  await database.close();
});

test('output after a script emptied its own stream is kept', async () => {
  await run('echo before; echo error > /dev/stderr; echo after');
  assert.is(log(), 'error\nafter\n');
});

test.after(() => rmSync(folder, { recursive: true }));

test.run();
