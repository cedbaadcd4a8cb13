/**
 * A workspace in a folder of its own with an engine over stores in memory, and real commands. What ran is told by a log
 * outside the workspace, to which commands append: `say name` in a command.
 */
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type AbsPath, toAbs } from '../../core/base/paths.ts';
import { Workspace } from '../../core/files/inputs/workspace.ts';
import { LockFile } from '../../core/files/lock/lock-file.ts';
import { Outputs } from '../../core/files/outputs/outputs.ts';
import { CodeIndex } from '../../core/graph/code/code.ts';
import { Engine } from '../../core/graph/engine.ts';
import type { Workbench } from '../../core/graph/round/workbench.ts';
import { TaskGraph } from '../../core/graph/tasks/graph.ts';
import type { OutcomeKind, RunEvent, RunReport, RunRequest, TaskOutcome } from '../../core/graph/tasks/outcome.ts';
import type { Task } from '../../core/graph/tasks/task.ts';
import { Writers } from '../../core/graph/tasks/writers.ts';
import { MemoryCallStore, MemoryStateStore, MemoryValueStore } from '../../core/store/memory.ts';
import { MemoryLeases } from '../../core/store/memory-leases.ts';
import { SELF } from '../../core/store/owner.ts';
import { commandTask, taskMap } from './_tasks.ts';

type Command = Partial<Task> & { readonly run: string };

export interface Ran {
  readonly report: RunReport;
  /** Outcome by task. */
  readonly outcomes: Readonly<Record<string, OutcomeKind>>;
  readonly tasks: Readonly<Record<string, TaskOutcome>>;
  /** What commands said, in order. */
  readonly log: readonly string[];
  readonly events: readonly RunEvent[];
  /** What tasks printed, replayed or not. */
  readonly printed: string;
  readonly warnings: readonly string[];
}

export class Site {
  readonly root: AbsPath;
  /** Outside the workspace. */
  readonly aside: AbsPath;
  readonly values: MemoryValueStore = new MemoryValueStore();
  readonly calls: MemoryCallStore = new MemoryCallStore();
  #state = new MemoryStateStore();
  readonly leases: MemoryLeases = new MemoryLeases(SELF, { now: Date.now, ttlMs: 30_000 });
  readonly env: Record<string, string | undefined> = {};
  readonly warnings: string[] = [];
  runtime = 'node v0 here';
  /** How far the clock of engines is ahead of the machine's, ms. */
  ahead = 0;
  #tasks = new Map<string, Task>();
  #logged = 0;

  constructor(base: AbsPath) {
    this.root = toAbs(base, 'site');
    this.aside = toAbs(base, 'aside');
    mkdirSync(this.root);
    mkdirSync(this.aside);
    this.#writeSay();
  }

  get state(): MemoryStateStore {
    return this.#state;
  }

  /** Loses all that the workspace remembers of itself. */
  forget(): void {
    this.#state = new MemoryStateStore();
  }

  /** The command `say`, which appends its arguments to the log. */
  #writeSay(): void {
    const say = join(this.aside, 'say');
    writeFileSync(this.#logFile, '');
    writeFileSync(say, `#!/bin/sh\necho "$@" >> '${this.#logFile}'\n`);
    chmodSync(say, 0o755);
    this.env['PATH'] = `${this.aside}:${process.env['PATH']}`;
  }

  get #logFile(): string {
    return join(this.aside, 'log');
  }

  /** The tasks there are from now on. */
  tasks(tasks: Readonly<Record<string, Command>>): void {
    this.#tasks = new Map(
      taskMap(...Object.entries(tasks).map(([name, { run, ...over }]) => commandTask(name, run, over))),
    );
  }

  /** Changes one task. */
  retask(name: string, over: Partial<Task>): void {
    const task = this.#tasks.get(name);
    if (task === undefined) throw new Error(`no task ${name}`);
    this.#tasks.set(name, { ...task, ...over });
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(this.path(path)), { recursive: true });
      writeFileSync(this.path(path), text);
    }
  }

  remove(...paths: readonly string[]): void {
    for (const path of paths) rmSync(this.path(path), { recursive: true });
  }

  link(path: string, target: string): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    symlinkSync(target, this.path(path));
  }

  chmod(path: string, mode: number): void {
    chmodSync(this.path(path), mode);
  }

  append(path: string, text: string): void {
    appendFileSync(this.path(path), text);
  }

  path(...parts: readonly string[]): string {
    return join(this.root, ...parts);
  }

  read(path: string): string {
    return readFileSync(this.path(path), 'utf8');
  }

  exists(path: string): boolean {
    return existsSync(this.path(path));
  }

  /** Files by path with content, `*` behind the path of an executable one; links as `-> target`. Without `.fleche`. */
  files(): Readonly<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const entry of readdirSync(this.root, { recursive: true, withFileTypes: true })) {
      const place = join(entry.parentPath ?? entry.path, entry.name);
      const path = place.slice(this.root.length + 1);
      if (path.startsWith('.fleche/')) continue;
      if (entry.isSymbolicLink()) found[path] = `-> ${readlinkSync(place)}`;
      else if (entry.isFile()) {
        found[(statSync(place).mode & 0o100) !== 0 ? `${path}*` : path] = readFileSync(place, 'utf8');
      }
    }
    return found;
  }

  /** A new engine: nothing is known but what the stores know. */
  engine(over: Partial<Workbench> = {}): Engine {
    const { root, state, values, calls, leases } = this;
    const graph = new TaskGraph(this.#tasks);
    const workspace = new Workspace(root, state);
    return new Engine({
      around: {
        root,
        graph,
        writers: new Writers(graph),
        workspace,
        lock: new LockFile({
          root,
          workspace,
          state,
          clock: Date.now,
          members: [],
          warn: (message) => this.warnings.push(message),
        }),
        outputs: new Outputs(root, state, values, {
          trashDir: toAbs(root, '.fleche/trash'),
          onWarning: (message) => this.warnings.push(message),
        }),
        state,
        values,
        code: new CodeIndex(root, state, Date.now),
        env: this.env,
        runtime: this.runtime,
      },
      values,
      calls,
      leases,
      refresh: () => {},
      tempDir: toAbs(this.aside, '.'),
      now: () => Date.now() + this.ahead,
      ...over,
    });
  }

  #request(over: Partial<RunRequest>, events: RunEvent[] = []): RunRequest {
    return {
      targets: [...this.#tasks.keys()],
      jobs: 2,
      force: false,
      frozen: false,
      keepGoing: false,
      signal: new AbortController().signal,
      listener: (event) => events.push(event),
      ...over,
    };
  }

  async run(over: Partial<RunRequest> = {}, engine: Engine = this.engine()): Promise<Ran> {
    const events: RunEvent[] = [];
    const report = await engine.run(this.#request(over, events));
    return this.#ran(report, events);
  }

  async plan(over: Partial<RunRequest> = {}): Promise<Ran> {
    return this.#ran(await this.engine().plan(this.#request(over)), []);
  }

  #ran(report: RunReport, events: readonly RunEvent[]): Ran {
    return {
      report,
      outcomes: Object.fromEntries(report.outcomes.map(({ name, outcome }) => [name, outcome])),
      tasks: Object.fromEntries(report.outcomes.map((outcome) => [outcome.name, outcome])),
      log: this.log(),
      events,
      printed: events.map((event) => (event.type === 'output' ? Buffer.from(event.chunk).toString() : '')).join(''),
      warnings: events.flatMap((event) => (event.type === 'warning' ? [event.message] : [])),
    };
  }

  /** All that commands ever said. */
  said(): readonly string[] {
    return readFileSync(this.#logFile, 'utf8').trimEnd().split('\n');
  }

  /** What commands said since the last look. */
  log(): readonly string[] {
    const text = readFileSync(this.#logFile, 'utf8');
    const lines = text.slice(this.#logged).split('\n');
    this.#logged = text.length;
    return lines.filter((line) => line !== '');
  }
}

/** Runs `work` with a new site and removes it. */
export async function onSite(
  tasks: Readonly<Record<string, Command>>,
  files: Readonly<Record<string, string>>,
  work: (site: Site) => Promise<void>,
): Promise<void> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'fleche-'))) as AbsPath;
  try {
    const site = new Site(base);
    site.tasks(tasks);
    site.write(files);
    await work(site);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

/** Waits until a condition holds; fails after ten seconds. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  for (const end = performance.now() + 10_000; !holds(); ) {
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resume) => setTimeout(resume, 5));
  }
}
