/**
 * A scratch project in a folder of its own and the built program to run in it, as a person would: real processes, a real
 * cache on disk. What ran is asserted from `run --json` and from a log that the commands themselves append to, which
 * lies outside the project.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { sha256 } from '../../core/base/hash.ts';
import type { RunSummary, TaskOutcome } from '../../core/graph/tasks/outcome.ts';
import { filesBelow } from '../_source.ts';

export const REPOSITORY: string = resolve(import.meta.dirname, '../..');

/** Environment variables to change; undefined removes one. */
type EnvChanges = Readonly<Record<string, string | undefined>>;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunResult extends Ended {
  /** Outcome by task, in the order in which the tasks were done. */
  readonly outcomes: Readonly<Record<string, TaskOutcome['outcome']>>;
  readonly tasks: Readonly<Record<string, TaskOutcome>>;
  readonly summary: RunSummary | undefined;
  /** Lines that commands appended to the log during this run. */
  readonly log: readonly string[];
}

export class Rig {
  /** Folder outside the project: the log, a home, whatever commands leave there. */
  readonly aside: string;
  #root: string;
  readonly #base: string;
  readonly #node: string;
  #logged = 0;

  /** `node` runs the program. */
  constructor(node: string = process.execPath) {
    this.#node = node;
    this.#base = mkdtempSync(join(tmpdir(), 'fleche-'));
    this.aside = join(this.#base, 'aside');
    this.#root = join(this.#base, 'project');
    mkdirSync(join(this.aside, 'home'), { recursive: true });
    mkdirSync(this.#root);
    writeFileSync(this.#logFile, '');
  }

  get root(): string {
    return this.#root;
  }

  get #logFile(): string {
    return join(this.aside, 'log.txt');
  }

  path(...parts: readonly string[]): string {
    return join(this.#root, ...parts);
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(this.path(path)), { recursive: true });
      writeFileSync(this.path(path), text);
    }
  }

  append(path: string, text: string): void {
    appendFileSync(this.path(path), text);
  }

  /** Replaces the first occurrence of a text, which must be there. */
  edit(path: string, from: string, to: string): void {
    const text = this.read(path);
    if (!text.includes(from)) throw new Error(`${path} does not contain ${from}`);
    this.write({ [path]: text.replace(from, () => to) });
  }

  read(path: string): string {
    return readFileSync(this.path(path), 'utf8');
  }

  /** For what may come and go meanwhile. */
  readIfThere(path: string): string | undefined {
    try {
      return this.read(path);
    } catch {
      return undefined;
    }
  }

  exists(path: string): boolean {
    return lstatSync(this.path(path), { throwIfNoEntry: false }) !== undefined;
  }

  remove(...paths: readonly string[]): void {
    for (const path of paths) rmSync(this.path(path), { recursive: true });
  }

  rename(from: string, to: string): void {
    renameSync(this.path(from), this.path(to));
  }

  /** Copies a folder of the repository into the project and lends it the repository's packages. */
  copy(folder: string): void {
    // What somebody made in the folder, such as the demonstration, is not part of it.
    const files = execFileSync('git', ['ls-files', '-z', folder], { cwd: REPOSITORY, encoding: 'utf8' }).split('\0');
    for (const file of files) {
      if (file !== '') cpSync(join(REPOSITORY, file), this.path(relative(folder, file)));
    }
    symlinkSync(join(REPOSITORY, 'node_modules'), this.path('node_modules'), 'junction');
  }

  /** Moves the whole project to another place. */
  move(): void {
    const place = join(this.#base, 'elsewhere', 'moved');
    mkdirSync(dirname(place), { recursive: true });
    renameSync(this.#root, place);
    this.#root = place;
  }

  /** Everything in the project but the cache and packages: path to kind, mode and digest, or to a link's text. */
  snapshot(): Readonly<Record<string, string>> {
    const found: Record<string, string> = {};
    const walk = (folder: string): void => {
      for (const name of readdirSync(this.path(folder)).sort()) {
        if (folder === '' && (name === '.fleche' || name === 'node_modules')) continue;
        const path = folder === '' ? name : `${folder}/${name}`;
        const stat = lstatSync(this.path(path));
        if (stat.isSymbolicLink()) found[path] = `-> ${readlinkSync(this.path(path))}`;
        else if (stat.isDirectory()) {
          found[path] = 'folder';
          walk(path);
        } else {
          found[path] = `${(stat.mode & 0o777).toString(8)} ${sha256(readFileSync(this.path(path)))}`;
        }
      }
    };
    walk('');
    return found;
  }

  /** Starts the program with its output piped. */
  start(args: readonly string[], env: EnvChanges = {}): ChildProcess {
    return spawn(this.#node, [program(), ...args], {
      cwd: this.#root,
      env: this.env(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Runs the program to its end. */
  fleche(args: readonly string[], env: EnvChanges = {}): Promise<Ended> {
    return ended(this.start(args, env));
  }

  /** `fleche run --json`, read. */
  async run(args: readonly string[] = [], env: EnvChanges = {}): Promise<RunResult> {
    this.log();
    const result = await this.fleche(['run', '--json', ...args], env);
    const lines = result.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line): { type: string } => JSON.parse(line));
    const tasks = lines.filter((line): line is TaskOutcome => line.type === 'task');
    return {
      ...result,
      tasks: Object.fromEntries(tasks.map((task) => [task.name, task])),
      outcomes: Object.fromEntries(tasks.map((task) => [task.name, task.outcome])),
      summary: lines.find((line): line is RunSummary => line.type === 'summary'),
      log: this.log(),
    };
  }

  /** What commands appended to the log since the last call, a line each. */
  log(): readonly string[] {
    const text = readFileSync(this.#logFile, 'utf8');
    const lines = text.slice(this.#logged).split('\n');
    this.#logged = text.length;
    return lines.filter((line) => line !== '');
  }

  /** What programs in the project are given: nothing of the person who runs the tests. */
  env(changes: EnvChanges = {}): NodeJS.ProcessEnv {
    const { PATH, TMPDIR, SystemRoot } = process.env;
    const home = join(this.aside, 'home');
    const own = { PATH, TMPDIR, SystemRoot, HOME: home, USERPROFILE: home, TEST_LOG: this.#logFile };
    return { ...own, XDG_CONFIG_HOME: join(home, '.config'), ...changes };
  }

  close(): void {
    rmSync(this.#base, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Gives a test a project with these files, and removes it afterwards. */
export async function withRig(
  files: Readonly<Record<string, string>>,
  use: (rig: Rig) => Promise<void>,
): Promise<void> {
  const rig = new Rig();
  try {
    rig.write(files);
    await use(rig);
  } finally {
    rig.close();
  }
}

/** Collects what a process prints and waits for its end. */
export function ended(child: ChildProcess): Promise<Ended> {
  return new Promise((done, fail) => {
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', fail);
    child.on('close', (code, signal) =>
      done({ code, signal, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    );
  });
}

/** Waits until a condition holds; fails after ten seconds. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  for (const end = performance.now() + 10_000; !holds(); ) {
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resume) => setTimeout(resume, 10));
  }
}

/** Whether a process is there and has not ended; one that waits for its parent to take notice has. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== 'linux') return true;
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

let built: string | undefined;

/** The built program. Builds it first if a source is newer; one process does so, others wait. */
export function program(): string {
  if (built !== undefined) return built;
  const target = join(REPOSITORY, 'dist/fleche.cjs');
  const lock = join(tmpdir(), `fleche-build-${sha256(REPOSITORY).slice(0, 16)}`);
  while (isStale(target)) {
    if (!take(lock)) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      continue;
    }
    try {
      if (isStale(target)) build();
    } finally {
      rmSync(lock, { recursive: true, force: true });
    }
  }
  built = target;
  return target;
}

function build(): void {
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: REPOSITORY,
    encoding: 'utf8',
    shell: true,
  });
  if (status !== 0) throw new Error(`the build failed\n${stdout}${stderr}`);
}

function isStale(target: string): boolean {
  if (!existsSync(target)) return true;
  const made = statSync(target).mtimeMs;
  const sources = filesBelow(REPOSITORY, ['core', 'plugins'], /\.m?ts$|\.mjs$/);
  return ['package.json', 'tsconfig.json', ...sources].some((name) => statSync(join(REPOSITORY, name)).mtimeMs > made);
}

/** Takes the lock if it is free, or older than any build takes. */
function take(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    // Taken: by one who is at work, or by one who was killed.
    const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - since > 120_000) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}
