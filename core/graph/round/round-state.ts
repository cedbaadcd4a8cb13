/** What the parts of one round share: what was asked for, what came of it so far, and whether it goes on. */
import { median, remainingTimes } from '../scheduling/critical-path.ts';
import { Durations } from '../scheduling/durations.ts';
import type { Reason, RunRequest, TaskOutcome } from '../tasks/outcome.ts';
import { Products } from '../tasks/products.ts';
import type { Acted } from '../tasks/settled.ts';
import type { Task } from '../tasks/task.ts';
import type { TaskCall } from '../tasks/task-call.ts';
import type { Live } from '../watch/live.ts';
import type { Ending } from './ending.ts';
import type { Workbench } from './workbench.ts';

export class RoundState {
  readonly bench: Workbench;
  readonly request: RunRequest;
  readonly mode: 'run' | 'plan';
  /** What earlier rounds of the same watch found and are still at. */
  readonly live: Live | undefined;
  readonly products: Products;
  readonly durations: Durations;
  /** The last question of each task. */
  readonly calls: Map<string, TaskCall> = new Map();
  /** Moments of `live` at which tasks were asked last. */
  readonly asked: Map<string, number> = new Map();
  /** Tasks that have nothing to tell: an earlier round told it, or does when their work is over. */
  readonly quiet: Set<string> = new Set();
  /** Shared tiers from which answers came, by task. */
  readonly shared: Map<string, string> = new Map();
  /** Time that the answers from the cache took when they were made, ms. */
  saved = 0;
  /** Whether something would have had to run that was not allowed to. */
  frozenStale = false;
  #failed = false;
  #names: readonly string[] | undefined;
  #ranks: ReadonlyMap<string, number> | undefined;
  /** How long tasks took when they last ran, and what is supposed of the others, once there are ranks. */
  #times: ReadonlyMap<string, number> = new Map();
  #usual = 0;

  constructor(bench: Workbench, request: RunRequest, mode: 'run' | 'plan', live: Live | undefined) {
    this.bench = bench;
    this.request = request;
    this.mode = mode;
    this.live = live;
    this.products = new Products(bench.around);
    this.durations = new Durations(bench.around.state, bench.calls);
  }

  /** The wanted tasks and what they need, each before what needs it. */
  get names(): readonly string[] {
    this.#names ??= this.bench.around.graph.closure(this.request.targets);
    return this.#names;
  }

  /** Whether nothing more is to be begun. */
  get isStopped(): boolean {
    const { signal, keepGoing } = this.request;
    return signal.aborted || (this.#failed && !keepGoing && this.mode === 'run');
  }

  isForced({ name }: Task): boolean {
    const { force } = this.request;
    return (typeof force === 'boolean' ? force : force.has(name)) || this.live?.isForced(name) === true;
  }

  /** Takes in what a task turned out to ask. */
  take(call: TaskCall): void {
    this.calls.set(call.task.name, call);
    this.live?.dependencies.learn(call);
  }

  /** What would run in a run that runs nothing. */
  refuse({ key }: TaskCall, reasons: readonly Reason[], end: Ending): Acted {
    this.frozenStale = true;
    return end.acted({ outcome: 'skipped', key, reasons });
  }

  /** Takes in what became of a task. */
  note({ outcome }: TaskOutcome): void {
    if (outcome === 'failed') this.#failed = true;
  }

  /**
   * How much depends on a task being done soon: the time that it and all that has to follow it took when they last ran.
   * Of a task that never ran it is supposed that it takes as long as others.
   */
  rank(name: string): number {
    this.#ranks ??= this.#rankAll();
    return this.#ranks.get(name) ?? 0;
  }

  /** The greatest rank among the tasks that need this one; 0 if there is none. */
  rankBehind(name: string): number {
    return this.rank(name) - (this.#times.get(name) ?? this.#usual);
  }

  #rankAll(): ReadonlyMap<string, number> {
    const { graph } = this.bench.around;
    const { names } = this;
    const times = new Map<string, number>();
    for (const name of names) {
      const ms = this.durations.of(name);
      if (ms !== undefined) times.set(name, ms);
    }
    this.#times = times;
    this.#usual = median([...this.#times.values()]) ?? 1;
    const needs = new Map(names.map((name) => [name, graph.task(name).needs]));
    return remainingTimes(needs, (name) => this.#times.get(name) ?? this.#usual);
  }
}
