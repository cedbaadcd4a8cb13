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
  /** What is to be watched; another one after `revision` became another number. */
  scope(): WatchScope;
  readonly revision: number;
  /** Something may have changed at these paths. */
  recheck(paths: Iterable<RelPath>): void;
  /** Anything may have changed. From here on whatever changes is told. */
  recheckAll(): void;
  markDirty(names: Iterable<string>): void;
  /** The answers that these tasks have hold, whatever marked them dirty. */
  markClean(names: Iterable<string>): void;
  /** Whether a task was disturbed since it was asked for the answer that it has. */
  isDirty(): boolean;
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
  #reach: { readonly revision: number; readonly reach: Reach } | undefined;

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
      const dependsOn = closure && { paths: closure.consulted, folders: closure.folders, links: [] };
      if (!this.#live.dependencies.all.has(name)) this.#live.dependencies.set(name, dependsOn);
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
    const { all, revision } = this.#live.dependencies;
    if (this.#reach?.revision !== revision) {
      this.#reach = { revision, reach: new Reach(this.#engine.surroundings.graph, this.names, all) };
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
    const links = [...this.#live.dependencies.all.values()].flatMap((dependsOn) => dependsOn?.links ?? []);
    return { patterns, bases, paths, links, enters: (folder) => reach.enters(folder) };
  }

  get revision(): number {
    return this.#live.dependencies.revision;
  }

  recheck(paths: Iterable<RelPath>): void {
    this.#engine.surroundings.workspace.recheck(paths);
  }

  recheckAll(): void {
    this.#engine.surroundings.workspace.attend();
    this.markDirty(this.names);
  }

  markDirty(names: Iterable<string>): void {
    this.#live.markDirty(names);
  }

  markClean(names: Iterable<string>): void {
    this.#live.markClean(names);
  }

  isDirty(): boolean {
    return this.#live.isDirty(this.names);
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
