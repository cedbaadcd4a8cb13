/** What the parts of one round share: what was asked for, what came of it so far, and whether it goes on. */
import type { Workbench } from './execute.ts';
import type { RunRequest, TaskOutcome } from './outcome.ts';
import { Products } from './products.ts';
import type { Task } from './task.ts';
import type { TaskCall } from './task-call.ts';
import type { Live } from './watch/live.ts';

export class RoundState {
  readonly bench: Workbench;
  readonly request: RunRequest;
  readonly mode: 'run' | 'plan';
  /** What earlier rounds of the same watch found and are still at. */
  readonly live: Live | undefined;
  readonly products: Products;
  /** The last question of each task. */
  readonly calls: Map<string, TaskCall> = new Map();
  /** Moments of `live` at which tasks were asked last. */
  readonly asked: Map<string, number> = new Map();
  /** Tasks that have nothing to tell: an earlier round told it, or does when their work is over. */
  readonly quiet: Set<string> = new Set();
  /** Time that the answers from the cache took when they were made, ms. */
  saved = 0;
  /** Whether something would have had to run that was not allowed to. */
  frozenStale = false;
  #failed = false;

  constructor(bench: Workbench, request: RunRequest, mode: 'run' | 'plan', live: Live | undefined) {
    this.bench = bench;
    this.request = request;
    this.mode = mode;
    this.live = live;
    this.products = new Products(bench.around);
  }

  /** Whether nothing more is to be begun. */
  get isStopped(): boolean {
    const { signal, keepGoing } = this.request;
    return signal.aborted || (this.#failed && !keepGoing && this.mode === 'run');
  }

  isForced({ name }: Task): boolean {
    return this.request.force || this.live?.isForced(name) === true;
  }

  /** Takes in what became of a task. */
  note({ outcome }: TaskOutcome): void {
    if (outcome === 'failed') this.#failed = true;
  }
}
