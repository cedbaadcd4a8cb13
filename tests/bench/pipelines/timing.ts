/** Runs one command and says what it cost: time on the wall, and processor time of it and all it waited for. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Cost {
  /** ms. */
  readonly wall: number;
  /** User and system time, ms. */
  readonly cpu: number;
}

export interface Run extends Cost {
  /** Null for a run that took too long and was ended. */
  readonly exitCode: number | null;
  /** What it printed. */
  readonly text: string;
}

export interface Command {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Takes what it prints. */
  readonly out: string;
  /** ms. */
  readonly limit: number;
}

/** The `time` of bash takes the kernel's own accounting of the child, and nothing of bash itself. */
const SCRIPT = 'TIMEFORMAT="%3R %3U %3S"; out=$1; shift; time "$@" > "$out" 2>&1 < /dev/null';

export async function timed({ argv, env, cwd, out, limit }: Command): Promise<Run> {
  const child = spawn('bash', ['-c', SCRIPT, 'bash', out, ...argv], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let told = '';
  child.stderr.setEncoding('latin1').on('data', (chunk: string) => {
    told += chunk;
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, limit);
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearTimeout(timer);
  const [wall = 0, user = 0, system = 0] = (told.trim().split('\n').at(-1) ?? '')
    .split(' ')
    .map((s) => Number(s) * 1000);
  return { wall, cpu: user + system, exitCode: late ? null : exitCode, text: readFileSync(out, 'utf8') };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
