/**
 * Runs test files, each in a process of its own, and refuses every way in which uvu can be green without having run
 * the tests: a hook that throws, a suite that is never started, a forgotten `.only`, an early `process.exit(0)`, a
 * promise that never settles. Knows nothing of what is tested.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { FileReport } from './_run-file.ts';
import { codeOf } from './_source.ts';

export interface RunOptions {
  /** Folder of the test files. Those whose name begins with `_`, main.ts at the top and the folder bench are left out. */
  readonly folder: string;
  /** Regular expressions over paths relative to `folder`, with `/`; a file that matches one is run. None: all are. */
  readonly patterns: readonly string[];
  /** Files that run at the same time. */
  readonly jobs: number;
  /** Time one file may take, ms. */
  readonly fileTimeout: number;
  /** Time all files may take, ms; those not finished by then fail. */
  readonly timeout: number;
  /** Takes the report of each file when it is done, and last the line with the totals. */
  readonly print: (text: string) => void;
}

export interface Totals {
  readonly passed: number;
  /** Failed tests, and one for every other fault of a file. */
  readonly failed: number;
}

interface Result extends Totals {
  readonly output: string;
  readonly faults: readonly string[];
}

/** How a file says that it left out a test for want of a server. */
const NOT_RUN = /^NOT RUN: /gm;
const RUN_FILE = resolve(import.meta.dirname, '_run-file.ts');
/** How long a process may stay after its last test, ms: longer means that something was left open. */
const GRACE = 10_000;

/** Runs the files and prints `N passed, N failed` last. Green only if something passed and nothing failed. */
export async function runTests(options: RunOptions): Promise<Totals> {
  const end = performance.now() + options.timeout;
  const files = testFiles(options);
  let passed = 0;
  let failed = 0;
  let notRun = 0;
  if (files.length === 0) {
    options.print(`no test file matches ${options.patterns.join(' or ')}\n`);
    failed = 1;
  }
  const queue = files.values();
  const worker = async (): Promise<void> => {
    for (const file of queue) {
      const start = performance.now();
      const result = await runFile(options, file, Math.min(options.fileTimeout, end - start));
      passed += result.passed;
      failed += result.failed;
      notRun += result.output.match(NOT_RUN)?.length ?? 0;
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      const faults = result.faults.map((fault) => `  FAULT ${file}: ${fault}\n`).join('');
      options.print(`${file} (${seconds} s)\n${result.output}${faults}`);
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, worker));
  if (notRun > 0) options.print(`\n${notRun} NOT RUN, because what they need is not on this machine\n`);
  options.print(`\n${passed} passed, ${failed} failed\n`);
  return { passed, failed };
}

function testFiles({ folder, patterns }: RunOptions): string[] {
  const wanted = patterns.map((pattern) => new RegExp(pattern));
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.ts') && !basename(path).startsWith('_'))
    .filter((path) => path !== 'main.ts' && !/(^|\/)(bench|node_modules)\//.test(path))
    .filter((path) => wanted.length === 0 || wanted.some((pattern) => pattern.test(path)))
    .sort();
}

async function runFile(options: RunOptions, file: string, limit: number): Promise<Result> {
  const path = join(options.folder, file);
  const faults = faultsOfText(readFileSync(path, 'utf8'));
  if (limit <= 0) return { passed: 0, failed: 1, output: '', faults: ['not started: the run took too long'] };
  const child = spawn(process.execPath, ['--import', 'tsx', RUN_FILE, path], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: process.platform !== 'win32',
  });
  running.add(child);
  const { report, exit, output } = await watch(child, limit);
  running.delete(child);
  killGroup(child);

  if (exit !== 'exit code 0') faults.push(exit);
  if (report === undefined) {
    if (exit === 'exit code 0') faults.push('ended before its tests did');
    return { passed: 0, failed: Math.max(1, faults.length), output, faults };
  }
  if (report.skipped > 0) faults.push(`${report.skipped} test(s) skipped`);
  if (report.stray > 0) faults.push(`${report.stray} test(s) not run: test.run() must come last`);
  if (report.total === 0) faults.push('no test was run');
  return { passed: report.passed, failed: report.total - report.passed + faults.length, output, faults };
}

/** What the text alone shows: suites that are not started cannot be seen from outside. */
function faultsOfText(text: string): string[] {
  const code = codeOf(text);
  const count = (pattern: RegExp): number => code.match(pattern)?.length ?? 0;
  const suites = count(/\bsuite\s*(?:<[^>]*>)?\(/g);
  const runs = count(/\.run\(\)/g);
  const faults: string[] = [];
  if (runs < Math.max(1, suites)) faults.push(`${Math.max(1, suites)} suite(s), but ${runs} started by .run()`);
  if (count(/\btest\.only\s*\(/g) > 0) faults.push('.only( left in');
  return faults;
}

interface Ending {
  readonly report: FileReport | undefined;
  /** `exit code 0`, or what went wrong. */
  readonly exit: string;
  readonly output: string;
}

/** Waits for the end of a process and of its report channel; kills it when its time is over. */
function watch(child: ChildProcess, limit: number): Promise<Ending> {
  return new Promise((done) => {
    const output: Buffer[] = [];
    let report: FileReport | undefined;
    let exit: string | undefined;
    let killed: string | undefined;
    const kill = (reason: string): void => {
      killed = reason;
      killGroup(child);
    };
    let timer = setTimeout(() => kill(`took longer than ${Math.round(limit / 100) / 10} s`), limit);
    const finish = (): void => {
      if (exit === undefined || child.connected) return;
      clearTimeout(timer);
      // Output that is on its way arrives within a turn or two; a grandchild that holds the pipe is not waited for.
      setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        done({ report, exit: killed ?? exit ?? '', output: Buffer.concat(output).toString() });
      }, 20);
    };
    child.stdout?.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => output.push(chunk));
    child.on('message', (message) => {
      report = message as FileReport;
      clearTimeout(timer);
      timer = setTimeout(() => kill('did not end after its tests: something was left open'), GRACE);
    });
    child.on('disconnect', finish);
    child.on('error', (error) => {
      exit = error.message;
      finish();
    });
    child.on('exit', (code, signal) => {
      exit = signal === null ? `exit code ${code}` : `killed by ${signal}`;
      finish();
    });
  });
}

const running = new Set<ChildProcess>();

/** Ends every process that a test file started and that is still in its group, the file's own included. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nobody is left in the group.
  }
}

/** Ends the files that are running now, for a runner that is interrupted itself. */
export function killAll(): void {
  for (const child of running) killGroup(child);
}
