/**
 * From saving a file to the start of the command that depends on it, beside other runners that watch:
 * `npm run bench watch -- [options]`, see `--help`. `chokidar` is a watcher of a few lines on that library that starts the
 * same command and knows nothing of contents. The command says that it runs by writing to a named pipe.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { constants, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { nx } from './pipelines/adapters/nx.ts';
import { turbo } from './pipelines/adapters/turbo.ts';
import { wireit } from './pipelines/adapters/wireit.ts';
import { onPath, Peers } from './pipelines/peers.ts';

const HELP = `npm run bench watch -- [options]
  --edits N       files that are saved, one after the other (200)
  --layouts A,B   small: 10 files; large: 10 000 files in 100 folders; flat: 10 000 files in one folder (all)
  --runners A,B   fleche, chokidar, turbo, wireit, nx, watchexec (all that can be had)
  --fleche FILE   another build of the command
  --json          lines of {bench, layout, runner, p50, p95, p99, missed, extra, memory} instead of tables`;

const REPOSITORY = resolve(import.meta.dirname, '../..');
const LAYOUTS: Readonly<Record<string, { readonly files: number; readonly perFolder: number } | undefined>> = {
  small: { files: 10, perFolder: 100 },
  large: { files: 10_000, perFolder: 100 },
  flat: { files: 10_000, perFolder: 10_000 },
};
type Layout = NonNullable<(typeof LAYOUTS)[string]>;

/** A round that has not begun by then was missed, ms. */
const MISSED = 10_000;
/** Time without a run after which a runner is taken to have started, ms. */
const STARTED = 4000;
/** Time for a first run, ms. */
const FIRST = 60_000;

const { values } = parseArgs({
  options: {
    edits: { type: 'string', default: '200' },
    layouts: { type: 'string', default: Object.keys(LAYOUTS).join(',') },
    runners: { type: 'string', default: 'fleche,chokidar,turbo,wireit,nx,watchexec' },
    fleche: { type: 'string', default: join(REPOSITORY, 'dist/fleche.cjs') },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

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
  /** Ends what it leaves running. */
  readonly stop?: readonly string[];
}

const peers = new Peers(process.env);

/** What there is to run, made when it is its turn; undefined if it cannot be had. */
const RUNNERS: Readonly<Record<string, (() => Runner | undefined) | undefined>> = {
  fleche: () => ({
    files: {
      'fleche.config.toml':
        '[default]\nroot = true\ntasks = ["run"]\n[tasks.run]\nrun = "sh run.sh"\ninputs = ["src/**"]\n',
    },
    argv: [process.execPath, resolve(values.fleche), 'watch'],
  }),
  chokidar: () => ({ files: { 'raw.mjs': RAW }, argv: [process.execPath, 'raw.mjs'] }),
  turbo: () =>
    found(turbo.find(peers), (program) => ({
      files: {
        'package.json': JSON.stringify({
          name: 'bench',
          private: true,
          packageManager: 'npm@10.0.0',
          scripts: { run: 'sh run.sh' },
        }),
        'package-lock.json': JSON.stringify({
          name: 'bench',
          lockfileVersion: 3,
          requires: true,
          packages: { '': {} },
        }),
        'turbo.json': JSON.stringify({ tasks: { run: { inputs: ['src/**'], outputs: [] } } }),
      },
      argv: [program, 'watch', 'run'],
      env: { TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' },
      stop: [program, 'daemon', 'stop'],
    })),
  wireit: () =>
    found(wireit.find(peers), (program) => ({
      files: {
        'package.json': JSON.stringify({
          name: 'bench',
          private: true,
          scripts: { run: 'wireit' },
          wireit: { run: { command: 'sh run.sh', files: ['src/**'], output: [] } },
        }),
      },
      // As npm would start it for `npm run run --watch`.
      argv: [process.execPath, program],
      env: {
        WIREIT_LOGGER: 'simple',
        npm_lifecycle_event: 'run',
        npm_config_watch: 'true',
        npm_config_user_agent: 'npm/10.0.0',
      },
    })),
  nx: () =>
    found(nx.find(peers), (program) => ({
      files: {
        'package.json': JSON.stringify({ name: 'bench', private: true, version: '0.0.0' }),
        'nx.json': JSON.stringify({ analytics: false, neverConnectToCloud: true }),
        'project.json': JSON.stringify({
          name: 'bench',
          targets: {
            run: {
              executor: 'nx:run-commands',
              cache: true,
              inputs: ['{projectRoot}/src/**/*'],
              outputs: [],
              options: { command: 'sh run.sh' },
            },
          },
        }),
      },
      argv: [program, 'watch', '--all', '--initialRun', '--', program, 'run', 'bench:run', '--outputStyle=static'],
      env: { NX_DAEMON: 'true', NX_TUI: 'false' },
      stop: [program, 'daemon', '--stop'],
    })),
  watchexec: () =>
    found(onPath('watchexec'), (program) => ({ files: {}, argv: [program, '-w', 'src', '--', 'sh', 'run.sh'] })),
};

function found(program: string | undefined, make: (program: string) => Runner): Runner | undefined {
  return program === undefined ? undefined : make(program);
}

/** A folder with so many files, in which a runner runs a command that writes a line to `pipe`. */
function project(runner: Runner, layout: Layout, pipe: string): string {
  const root = mkdtempSync(join(tmpdir(), 'fleche-'));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  for (let i = 0; i < layout.files; i++) write(pathOf(i, layout), `file ${i}\n`);
  write('run.sh', `echo x > ${pipe}\n`);
  for (const [path, text] of Object.entries(runner.files)) write(path, text);
  symlinkSync(join(peers.folder, 'js/node_modules'), join(root, 'node_modules'));
  write('.gitignore', 'node_modules\n.turbo\n.wireit\n.nx\n.fleche\n.home\n');
  execFileSync('git', ['init', '-q'], { cwd: root });
  return root;
}

function pathOf(index: number, { perFolder }: Layout): string {
  return `src/${Math.floor(index / perFolder)}/${index}.txt`;
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

async function measure(runner: Runner, layout: Layout, edits: number): Promise<Result> {
  const runs = new Runs();
  const root = project(runner, layout, runs.path);
  const [command = '', ...args] = runner.argv;
  const own = { XDG_CACHE_HOME: join(root, '.home'), npm_package_json: join(root, 'package.json') };
  const env = { ...process.env, ...own, ...runner.env };
  const child = spawn(command, args, { cwd: root, env, stdio: 'ignore', detached: true });
  try {
    if (!(await runs.next(FIRST))) throw new Error('it never ran');
    while (await runs.next(STARTED));
    const before = runs.count;
    const times: number[] = [];
    let missed = 0;
    for (let edit = 0; edit < edits; edit++) {
      await pause(200 + ((edit * 7919) % 200));
      const begun = runs.next(MISSED);
      const start = performance.now();
      writeFileSync(join(root, pathOf((edit * 31) % layout.files, layout)), `edit ${edit}\n`);
      if (await begun) times.push(performance.now() - start);
      else missed++;
    }
    await pause(1000);
    return { times, missed, extra: runs.count - before - times.length, memory: memoryOf(child) };
  } finally {
    await end(child);
    const [stop, ...words] = runner.stop ?? [];
    if (stop !== undefined) spawnSync(stop, words, { cwd: root, env, stdio: 'ignore', timeout: 20_000 });
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

async function main(): Promise<void> {
  if (values.help) return console.log(HELP);
  const edits = Number(values.edits);
  if (!values.json)
    console.log(`node ${process.version}, ${edits} edits; ms from the save to the start of the command`);
  for (const name of values.layouts.split(',')) {
    const layout = LAYOUTS[name];
    if (layout === undefined) throw new Error(`no layout ${name}`);
    const load = loadavg()[0]?.toFixed(1);
    const folders = Math.ceil(layout.files / layout.perFolder);
    if (!values.json) {
      console.log(`\n${layout.files} files in ${folders} folder${folders === 1 ? '' : 's'} (load ${load})\n`);
      console.log('| runner | p50 | p95 | p99 | beside fleche | missed | needless | memory |');
      console.log('|---|---|---|---|---|---|---|---|');
    }
    let own: number | undefined;
    for (const runner of values.runners.split(',')) {
      const figures = await figuresOf(runner, layout, edits);
      if (figures === undefined) continue;
      if (runner === 'fleche') own = figures.p50;
      console.log(values.json ? JSON.stringify({ bench: 'watch', layout: name, ...figures }) : rowOf(figures, own));
    }
  }
}

type Figures = Omit<Result, 'times'> & Readonly<Record<'p50' | 'p95' | 'p99', number>> & { readonly runner: string };

/** What cannot be had, or does not run, is said and left out. */
async function figuresOf(name: string, layout: Layout, edits: number): Promise<Figures | undefined> {
  const runner = RUNNERS[name]?.();
  if (runner === undefined) return void console.error(`${name} cannot be had here`);
  try {
    const { times, ...rest } = await measure(runner, layout, edits);
    const [p50 = 0, p95 = 0, p99 = 0] = [0.5, 0.95, 0.99].map((part) => quantile(times, part));
    return { runner: name, p50, p95, p99, ...rest };
  } catch (error) {
    return void console.error(`${name}: ${String(error)}`);
  }
}

function rowOf({ runner, p50, p95, p99, missed, extra, memory }: Figures, own: number | undefined): string {
  const times = [p50, p95, p99].map((ms) => `${ms.toFixed(1)} ms`);
  const beside = own === undefined ? '' : `${(p50 / own).toFixed(1)} x`;
  return `| ${[runner, ...times, beside, missed, extra, `${memory.toFixed(0)} MB`].join(' | ')} |`;
}

await main();
