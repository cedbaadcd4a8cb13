/** Watches without a watcher: events are told by the test. */
import type { RelPath } from '../../../core/base/paths.ts';
import type { WatchScope } from '../../../core/files/watch/watch-places.ts';
import type { WatchSource } from '../../../core/files/watch/watcher.ts';
import type { Reason, RunListener, RunReport, TaskOutcome } from '../../../core/graph/tasks/outcome.ts';
import { Live } from '../../../core/graph/watch/live.ts';
import type { Concerned } from '../../../core/graph/watch/reach.ts';
import { Watch } from '../../../core/graph/watch/watch.ts';
import type { WatchEvent, WatchRound } from '../../../core/graph/watch/watch-events.ts';
import { type Watchable, WatchedTasks } from '../../../core/graph/watch/watched-tasks.ts';
import { TestClock } from '../../_test-clock.ts';
import type { Site } from '../_site.ts';

/** A source that watches nothing; what it was to watch is kept. */
export class TestSource implements WatchSource {
  readonly scopes: WatchScope[] = [];
  isClosed = false;
  /** What `follow` answers: whether something was not watched before. */
  isMore = false;
  held: string | undefined;

  lock(): string | undefined {
    return this.held;
  }

  follow(scope: WatchScope): Promise<boolean> {
    this.scopes.push(scope);
    return Promise.resolve(this.isMore);
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

/** Tasks that do nothing by themselves: a pass is over when the test says so. */
export class TestTasks implements Watchable {
  readonly names: readonly string[] = ['one', 'two', 'three'];
  revision = 0;
  readonly passes: { readonly signal: AbortSignal; readonly listener: RunListener; readonly end: () => void }[] = [];
  readonly dirtied: string[][] = [];
  readonly rechecked: string[][] = [];
  recheckedAll = 0;
  rests = 0;
  forced = 0;
  isClosed = false;
  readonly markedClean: string[] = [];
  readonly #dirtied = new Set<string>();

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  round(signal: AbortSignal, listener: RunListener): Promise<RunReport> {
    this.#dirtied.clear();
    return new Promise((resolve) => {
      const summary = { type: 'summary', ran: 0, cached: 3, failed: 0, skipped: 0, ms: 0, saved: 0 } as const;
      const outcomes = this.names.map((name) => outcomeOf(name, 'cached'));
      const end = (): void => resolve({ outcomes, summary, frozenStale: false, interrupted: false });
      this.passes.push({ signal, listener, end });
    });
  }

  /** `one/a` is read by the task `one`, `out/two/b` written by `two`, `out/notes` read by `three`; `two` needs `one`. */
  concerned(path: RelPath): Concerned {
    if (path === 'out') return { readers: new Set(['three']), writers: new Set(['one', 'two']) };
    const [first = '', second = ''] = path.split('/');
    const among = (name: string): Set<string> => new Set(this.names.includes(name) ? [name] : []);
    const readers = path === 'out/notes' ? new Set(['three']) : among(first);
    return { readers, writers: first === 'out' ? among(second) : new Set() };
  }

  upstreamOf(name: string): readonly string[] {
    return name === 'two' ? ['one'] : [];
  }

  authorship(name: string): (path: RelPath) => boolean {
    const own = new Set<string>(['out', `out/${name}`, `out/${name}/own`]);
    return (path) => own.has(path) || path.startsWith(`out/${name}/own/`);
  }

  scope(): WatchScope {
    return { patterns: new Set(), bases: [], paths: [], links: [], enters: () => true };
  }

  recheck(paths: Iterable<RelPath>): void {
    this.rechecked.push([...paths]);
  }

  recheckAll(): void {
    this.recheckedAll++;
  }

  markDirty(names: Iterable<string>): void {
    const all = [...names].sort();
    for (const name of all) this.#dirtied.add(name);
    this.dirtied.push(all);
  }

  markClean(names: Iterable<string>): void {
    this.markedClean.push(...names);
  }

  isDirty(): boolean {
    return this.#dirtied.size > 0;
  }

  takeOvertaken(): ReadonlyMap<string, readonly RelPath[]> {
    return new Map();
  }

  force(): void {
    this.forced++;
  }

  end(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }

  rest(): void {
    this.rests++;
  }
}

export function outcomeOf(name: string, outcome: TaskOutcome['outcome'], path?: string): TaskOutcome {
  const reasons: readonly Reason[] = path === undefined ? [] : [{ kind: 'file', change: 'changed', path }];
  return {
    type: 'task',
    name,
    outcome,
    key: null,
    reasons,
    ms: 1,
    result: null,
    exitCode: null,
    message: null,
    restored: 0,
    saved: 0,
    attempts: 0,
  };
}

/** Turns of the event loop until what is settled has been told. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resume) => setImmediate(resume));
}

/** A site that is watched: edits are told to the watch by `saved`, and `quiet` waits until nothing more happens. */
export class WatchedSite {
  readonly site: Site;
  readonly clock: TestClock = new TestClock();
  readonly source: TestSource = new TestSource();
  readonly events: WatchEvent[] = [];
  readonly rounds: WatchRound[] = [];
  readonly watch: Watch;
  readonly #live = new Live(2);
  #passes: Promise<unknown>[] = [];

  constructor(site: Site, targets?: readonly string[]) {
    this.site = site;
    this.watch = new Watch({
      tasks: this.tasks(targets),
      clock: this.clock,
      configuration: { paths: [], patterns: [] },
      listener: (event) => {
        this.events.push(event);
        if (event.type === 'rested') this.rounds.push(event.round);
        if (event.type === 'fault') throw event.error;
      },
    });
  }

  /** The tasks of the site as they are defined now. */
  tasks(targets?: readonly string[]): WatchedTasks {
    const engine = this.site.engine();
    const tasks = new WatchedTasks(engine, this.#live, targets ?? engine.surroundings.graph.names);
    const round = tasks.round.bind(tasks);
    tasks.round = (signal, listener) => {
      const report = round(signal, listener);
      this.#passes.push(report.catch(() => {}));
      return report;
    };
    return tasks;
  }

  async start(): Promise<this> {
    await this.watch.start(this.source);
    await this.quiet();
    this.watch.anything();
    await this.quiet();
    this.site.log();
    this.rounds.length = 0;
    this.events.length = 0;
    return this;
  }

  /** Writes files and tells of it. */
  save(files: Readonly<Record<string, string>>): void {
    this.site.write(files);
    for (const path of Object.keys(files)) this.watch.path(path as RelPath);
  }

  tell(...paths: readonly string[]): void {
    for (const path of paths) this.watch.path(path as RelPath);
  }

  /** Time enough for a pass to begin. */
  async begin(): Promise<void> {
    this.clock.pass(10);
    await turns();
  }

  /** Time passes until every pass is over and no other one follows. */
  async quiet(): Promise<void> {
    for (let idle = 0; idle < 2; ) {
      this.clock.pass(3000);
      const passes = this.#passes;
      this.#passes = [];
      await Promise.all(passes);
      await turns();
      idle = passes.length === 0 && this.#passes.length === 0 ? idle + 1 : 0;
    }
  }

  /** Saves, waits, and gives what commands said meanwhile. */
  async saved(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
    this.save(files);
    await this.quiet();
    return this.site.log();
  }
}
