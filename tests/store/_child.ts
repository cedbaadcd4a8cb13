/** Processes of their own for tests: what must survive a crash, or is expected to cause one, does not run in the test. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';

export interface Ended {
  /** Exit code, or the signal that ended it. */
  readonly end: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** The arguments that run a TypeScript file of this folder. */
function argumentsFor(file: string, args: readonly string[]): string[] {
  return ['--import', import.meta.resolve('tsx'), join(import.meta.dirname, file), ...args];
}

/** Runs a file of this folder to its end, blocking. */
export function runToEnd(file: string, ...args: string[]): Ended {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, argumentsFor(file, args), {
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 1 << 26,
  });
  return { end: status ?? signal ?? 'not started', stdout, stderr };
}

/** A running file of this folder; `lines` grows as it prints. */
export interface Running {
  readonly child: ChildProcess;
  readonly lines: string[];
  /** Resolves when that many lines are there, or the process has ended. */
  readonly printed: (count: number) => Promise<void>;
  readonly ended: Promise<Ended>;
}

export function start(file: string, ...args: string[]): Running {
  const child = spawn(process.execPath, argumentsFor(file, args), { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  let waiting: { count: number; resolve: () => void }[] = [];
  let rest = '';
  let stdout = '';
  let stderr = '';
  let over = false;
  const wake = (): void => {
    for (const one of waiting) if (over || lines.length >= one.count) one.resolve();
    waiting = waiting.filter((one) => !over && lines.length < one.count);
  };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    const pieces = (rest + chunk).split('\n');
    rest = pieces.pop() ?? '';
    lines.push(...pieces);
    wake();
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => {
      over = true;
      wake();
      resolve({ end: code ?? signal ?? 'unknown', stdout, stderr });
    });
  });
  const printed = (count: number): Promise<void> =>
    over || lines.length >= count
      ? Promise.resolve()
      : new Promise((resolve) => {
          waiting.push({ count, resolve });
        });
  return { child, lines, printed, ended };
}
