/**
 * From saving a file to the start of the command that depends on it:
 * `node --import tsx tests/bench/watch.ts [edits] [runner …]`. Beside `fleche watch` stands a watcher of a few lines on the
 * same library that starts the same command, which is the least there can be, and, if they are installed below the folder
 * that PEERS names, `wireit --watch` and `turbo watch`. The command says that it runs by writing to a named pipe.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const REPOSITORY = resolve(import.meta.dirname, '../..');
const PEERS = process.env['PEERS'] ?? '';
const SIZES = [10, 10_000];
const FILES_A_FOLDER = 100;
/** A round that has not begun by then was missed, ms. */
const MISSED = 10_000;
/** Time without a run after which a runner is taken to have started, ms. */
const STARTED = 4000;

const RAW = `
import { spawn } from 'node:child_process';
import { watch } from ${JSON.stringify(join(REPOSITORY, 'node_modules/chokidar/index.js'))};
const run = () => spawn('/bin/sh', ['run.sh']);
watch('src', { ignoreInitial: true, atomic: false }).on('change', run).on('ready', run);
`;

interface Runner {
  readonly files: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const RUNNERS: Readonly<Record<string, Runner | undefined>> = {
  fleche: {
    files: {
      'fleche.config.toml':
        '[default]\nroot = true\ntasks = ["run"]\n[tasks.run]\nrun = "sh run.sh"\ninputs = ["src/**"]\n',
    },
    argv: [process.execPath, join(REPOSITORY, 'dist/fleche.cjs'), 'watch'],
  },
  chokidar: { files: { 'raw.mjs': RAW }, argv: [process.execPath, 'raw.mjs'] },
  wireit: peer('wireit', {
    files: {
      'package.json': JSON.stringify({
        name: 'bench',
        private: true,
        scripts: { run: 'wireit' },
        wireit: { run: { command: 'sh run.sh', files: ['src/**'], output: [] } },
      }),
    },
    argv: ['npm', 'run', 'run', '--watch'],
    env: { WIREIT_LOGGER: 'simple' },
  }),
  turbo: peer('turbo', {
    files: {
      'package.json': JSON.stringify({
        name: 'bench',
        private: true,
        packageManager: 'npm@10.0.0',
        scripts: { run: 'sh run.sh' },
      }),
      'package-lock.json': JSON.stringify({ name: 'bench', lockfileVersion: 3, requires: true, packages: { '': {} } }),
      'turbo.json': JSON.stringify({ tasks: { run: { inputs: ['src/**'], outputs: [] } } }),
    },
    argv: [join(PEERS, 'node_modules/.bin/turbo'), 'watch', 'run'],
    env: { TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' },
  }),
};

/** Undefined if it is not installed. */
function peer(name: string, runner: Runner): Runner | undefined {
  return PEERS !== '' && existsSync(join(PEERS, 'node_modules/.bin', name)) ? runner : undefined;
}

/** A folder with so many files, in which a runner runs a command that writes a line to `pipe`. */
function project(runner: Runner, count: number, pipe: string): string {
  const root = mkdtempSync(join(tmpdir(), 'fleche-'));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  for (let i = 0; i < count; i++) write(pathOf(i), `file ${i}\n`);
  write('run.sh', `echo x > ${pipe}\n`);
  for (const [path, text] of Object.entries(runner.files)) write(path, text);
  if (PEERS !== '') symlinkSync(join(PEERS, 'node_modules'), join(root, 'node_modules'));
  write('.gitignore', 'node_modules\n.turbo\n.wireit\n.fleche\n');
  execFileSync('git', ['init', '-q'], { cwd: root });
  return root;
}

function pathOf(index: number): string {
  return `src/${Math.floor(index / FILES_A_FOLDER)}/${index}.txt`;
}

/** The runs of a command that writes to a pipe. */
class Runs {
  readonly path: string;
  readonly #folder: string;
  readonly #socket: Socket;
  #count = 0;
  #heard: () => void = () => {};

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'fleche-'));
    this.path = join(this.#folder, 'pipe');
    execFileSync('mkfifo', [this.path]);
    this.#socket = new Socket({ fd: openSync(this.path, constants.O_RDWR | constants.O_NONBLOCK), readable: true });
    this.#socket.on('data', (chunk) => {
      this.#count += chunk.length / 2;
      this.#heard();
    });
  }

  /** Waits for a run; true if there was one within so many ms. */
  next(ms: number): Promise<boolean> {
    return new Promise((done) => {
      const timer = setTimeout(() => done(false), ms);
      this.#heard = () => {
        clearTimeout(timer);
        done(true);
      };
    });
  }

  get count(): number {
    return this.#count;
  }

  close(): void {
    this.#socket.destroy();
    rmSync(this.#folder, { recursive: true });
  }
}

interface Result {
  readonly times: readonly number[];
  readonly missed: number;
  /** Runs without an edit. */
  readonly extra: number;
  readonly memory: number;
}

async function measure(runner: Runner, count: number, edits: number): Promise<Result> {
  const runs = new Runs();
  const root = project(runner, count, runs.path);
  const [command = '', ...args] = runner.argv;
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, XDG_CACHE_HOME: join(root, '.home'), ...runner.env },
    stdio: 'ignore',
    detached: true,
  });
  try {
    if (!(await runs.next(60_000))) throw new Error('it never ran');
    while (await runs.next(STARTED));
    const before = runs.count;
    const times: number[] = [];
    let missed = 0;
    for (let edit = 0; edit < edits; edit++) {
      await pause(200 + ((edit * 7919) % 200));
      const begun = runs.next(MISSED);
      const start = performance.now();
      writeFileSync(join(root, pathOf((edit * 31) % count)), `edit ${edit}\n`);
      if (await begun) times.push(performance.now() - start);
      else missed++;
    }
    await pause(1000);
    return { times, missed, extra: runs.count - before - times.length, memory: memoryOf(child) };
  } finally {
    await end(child);
    runs.close();
    rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Resident memory of the process itself, MB. */
function memoryOf({ pid }: ChildProcess): number {
  const line = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(line ?? Number.NaN) / 1024;
}

/** Ends a runner and what it started. */
async function end(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  process.kill(-(child.pid ?? 0), 'SIGTERM');
  await Promise.race([ended, pause(5000)]);
  try {
    process.kill(-(child.pid ?? 0), 'SIGKILL');
  } catch {
    // All of them have ended.
  }
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

async function main(edits: number, wanted: readonly string[]): Promise<void> {
  console.log(`node ${process.version}, ${edits} edits; ms from the save to the start of the command`);
  for (const count of SIZES) {
    let own: number | undefined;
    for (const [name, runner] of Object.entries(RUNNERS)) {
      if (runner === undefined || (wanted.length > 0 && !wanted.includes(name))) continue;
      const { times, missed, extra, memory } = await measure(runner, count, edits);
      const [p50 = 0, p95 = 0, p99 = 0] = [0.5, 0.95, 0.99].map((part) => quantile(times, part));
      own ??= p50;
      const figures = `p50 ${p50.toFixed(1)}  p95 ${p95.toFixed(1)}  p99 ${p99.toFixed(1)}`;
      const besides = `${(p50 / own).toFixed(2)} x, ${missed} missed, ${extra} extra, ${memory.toFixed(0)} MB`;
      console.log(`${String(count).padStart(6)} files  ${name.padEnd(8)}  ${figures}  (${besides})`);
    }
  }
}

const [edits = '200', ...wanted] = process.argv.slice(2);
await main(Number(edits), wanted);
