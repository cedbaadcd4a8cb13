/** The wanted tasks of one configuration, as a watch sees them: asked again as far as they were disturbed. */
import type { RelPath } from '../../base/paths.ts';
import type { WatchScope } from '../../files/watch/watch-places.ts';
import type { Engine } from '../engine.ts';
import type { RunListener, RunReport } from '../tasks/outcome.ts';
import type { Live } from './live.ts';
import { type Concerned, Reach } from './reach.ts';

/** What a watch needs of tasks. */
export interface Watchable {
  /** The wanted tasks and what they need, each before what needs it. */
  readonly names: readonly string[];
  /** Finds out beforehand what cannot be told from the definitions alone. */
  prepare(): Promise<void>;
  /** Brings everything up to date that was disturbed. After `signal` nothing more is begun, and the next round takes over. */
  round(signal: AbortSignal, listener: RunListener): Promise<RunReport>;
  /** The tasks that a path can matter to. */
  concerned(path: RelPath): Concerned;
  /** Everything that a task needs, directly or through others. */
  upstreamOf(name: string): readonly string[];
  /** Tells of paths whether what stands there seems to be what a task last wrote. Valid until it writes again. */
  authorship(name: string): (path: RelPath) => boolean;
  /** What is to be watched; another one after `leaned` became another number. */
  scope(): WatchScope;
  readonly leaned: number;
  /** Something may have changed at these paths. */
  doubt(paths: Iterable<RelPath>): void;
  /** Anything may have changed. From here on whatever changes is told. */
  doubtAll(): void;
  disturb(names: Iterable<string>): void;
  /** The answers that these tasks have are to be taken for what they are. */
  pardon(names: Iterable<string>): void;
  /** Whether a task was disturbed since it was asked for the answer that it has. */
  isDisturbed(): boolean;
  /** Paths that changed while tasks ran that read them, by task, since this was last called. */
  takeOvertaken(): ReadonlyMap<string, readonly RelPath[]>;
  /** Everything is to be run once more. */
  force(): void;
  /** Ends all work. */
  end(): Promise<void>;
  /** To be called when there is nothing to do: writes down what costs time to find out again. */
  rest(): void;
}

export class WatchedTasks implements Watchable {
  readonly names: readonly string[];
  readonly #engine: Engine;
  readonly #live: Live;
  readonly #targets: readonly string[];
  #reach: { readonly leaned: number; readonly reach: Reach } | undefined;

  /** `live` may come from another configuration: what does not hold any more is found out. */
  constructor(engine: Engine, live: Live, targets: readonly string[]) {
    this.#engine = engine;
    this.#live = live;
    this.#targets = targets;
    this.names = engine.surroundings.graph.closure(targets);
  }

  async prepare(): Promise<void> {
    const { graph, code } = this.#engine.surroundings;
    const names = new Set(this.names);
    this.#live.retain(names);
    await this.#live.end(this.#live.flying.filter((name) => !names.has(name)));
    const asking = this.names.map(async (name) => {
      const { body } = graph.task(name);
      if (body.kind !== 'function') return;
      const closure = await code.closure(body.module, body.export).catch(() => undefined);
      const leaning = closure && { paths: closure.consulted, folders: closure.folders, links: [] };
      if (!this.#live.leanings.all.has(name)) this.#live.leanings.lean(name, leaning);
    });
    await Promise.all(asking);
  }

  round(signal: AbortSignal, listener: RunListener): Promise<RunReport> {
    const options = { jobs: 1, force: false, frozen: false, keepGoing: true };
    return this.#engine.round(this.#live, { targets: this.#targets, ...options, signal, listener });
  }

  concerned(path: RelPath): Concerned {
    return this.#reaching().of(path);
  }

  #reaching(): Reach {
    const { all, count: leaned } = this.#live.leanings;
    if (this.#reach?.leaned !== leaned) {
      this.#reach = { leaned, reach: new Reach(this.#engine.surroundings.graph, this.names, all) };
    }
    return this.#reach.reach;
  }

  upstreamOf(name: string): readonly string[] {
    return this.#engine.surroundings.graph.upstreamOf(name);
  }

  authorship(name: string): (path: RelPath) => boolean {
    return this.#engine.surroundings.outputs.owners.authorship(name);
  }

  scope(): WatchScope {
    const reach = this.#reaching();
    const { patterns, bases, paths } = reach;
    const links = [...this.#live.leanings.all.values()].flatMap((leaning) => leaning?.links ?? []);
    return { patterns, bases, paths, links, enters: (folder) => reach.enters(folder) };
  }

  get leaned(): number {
    return this.#live.leanings.count;
  }

  doubt(paths: Iterable<RelPath>): void {
    this.#engine.surroundings.workspace.doubt(paths);
  }

  doubtAll(): void {
    this.#engine.surroundings.workspace.attend();
    this.disturb(this.names);
  }

  disturb(names: Iterable<string>): void {
    this.#live.disturb(names);
  }

  pardon(names: Iterable<string>): void {
    this.#live.pardon(names);
  }

  isDisturbed(): boolean {
    return this.#live.isDisturbed(this.names);
  }

  takeOvertaken(): ReadonlyMap<string, readonly RelPath[]> {
    return this.#live.takeOvertaken();
  }

  force(): void {
    this.#live.force(this.names);
  }

  end(): Promise<void> {
    return this.#live.endAll();
  }

  rest(): void {
    this.#engine.surroundings.workspace.save();
  }
}
