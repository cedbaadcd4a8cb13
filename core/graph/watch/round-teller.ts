/**
 * Makes one story of what the passes of a watch do: a round begins with the first news after quiet, and its end tells the
 * state of everything that is wanted. What was asked again and is as it was is no news.
 */
import { byCodeUnit } from '../../base/order.ts';
import { type Reason, type RunEvent, type RunReport, summaryOf, type TaskOutcome } from '../tasks/outcome.ts';
import type { RoundCause, WatchListener } from './watch-events.ts';

/** Paths that a round names. */
const MOST_PATHS = 100;

interface OpenRound {
  readonly number: number;
  readonly about: About;
  readonly told: Map<string, TaskOutcome>;
  /** Files that made tasks run. */
  readonly files: Set<string>;
  passes: number;
}

/** Why a round would begin, and when that was. */
interface About {
  readonly cause: RoundCause;
  readonly paths: readonly string[];
  readonly begun: number;
}

export class RoundTeller {
  readonly #listener: WatchListener;
  readonly #now: () => number;
  /** What was last told of each task. */
  readonly #known = new Map<string, TaskOutcome>();
  readonly #running = new Set<string>();
  #open: OpenRound | undefined;
  #count = 0;
  /** Of the pass that has told nothing so far. */
  #next: About | undefined;

  /** `now`: ms since some moment. */
  constructor(listener: WatchListener, now: () => number) {
    this.#listener = listener;
    this.#now = now;
  }

  /** A pass begins: what it has to tell is about this. */
  begin(cause: RoundCause, paths: Iterable<string>): void {
    if (this.#open === undefined) {
      this.#next = { cause, paths: [...paths].slice(0, MOST_PATHS).sort(byCodeUnit), begun: this.#now() };
      // At the start and when somebody asks for it, that there is nothing to do is news too.
      if (cause !== 'change') this.#tell([]);
    } else {
      this.#open.passes++;
    }
  }

  /** What the listener gives back. */
  event(event: RunEvent): unknown {
    switch (event.type) {
      case 'plan':
      case 'end':
        return undefined;
      case 'start':
        this.#running.add(event.name);
        this.#tell(event.reasons);
        break;
      case 'output':
        // What a service prints while nothing else happens is no round.
        if (event.replayed) this.#tell([]);
        break;
      case 'warning':
        this.#tell([]);
        break;
      case 'done':
        if (!this.#isNews(event.outcome)) return undefined;
        this.#tell(event.outcome.reasons).told.set(event.outcome.name, event.outcome);
        this.#known.set(event.outcome.name, event.outcome);
        break;
    }
    return this.#listener({ type: 'task', event });
  }

  #isNews(outcome: TaskOutcome): boolean {
    const { name, key, message } = outcome;
    const wasRunning = this.#running.delete(name);
    if (outcome.outcome === 'skipped') {
      // It begins again, or its round tells in the end why it does not.
      if (wasRunning) this.#listener({ type: 'superseded', name });
      return false;
    }
    const known = this.#known.get(name);
    const isSame = outcome.outcome === 'failed' && known?.outcome === 'failed' && known.key === key;
    return wasRunning || !isSame || known.message !== message;
  }

  /** The round that is being told; begins it. */
  #tell(reasons: readonly Reason[]): OpenRound {
    const files = reasons.flatMap((reason) => (reason.kind === 'file' ? [reason.path] : []));
    if (this.#open === undefined) {
      const number = ++this.#count;
      const about = this.#next ?? { cause: 'change', paths: [], begun: this.#now() };
      this.#open = { number, about, told: new Map(), files: new Set(), passes: 1 };
      const paths = files.length > 0 ? files.slice(0, MOST_PATHS) : about.paths;
      this.#listener({ type: 'round', number, cause: about.cause, paths });
    }
    for (const file of files) if (this.#open.files.size < MOST_PATHS) this.#open.files.add(file);
    return this.#open;
  }

  /** Everything is as `report` says, and nothing more has happened. */
  rest(report: RunReport): void {
    for (const outcome of report.outcomes) this.#skipped(outcome);
    const round = this.#open;
    this.#open = undefined;
    this.#next = undefined;
    if (round === undefined) return;
    const { number, about, told, passes } = round;
    const { cause, begun } = about;
    const outcomes = report.outcomes.map((outcome) => stateOf(outcome, told.get(outcome.name)));
    const paths = round.files.size > 0 ? [...round.files].sort(byCodeUnit) : about.paths;
    const summary = summaryOf(outcomes, this.#now() - begun, report.summary.saved);
    this.#listener({
      type: 'rested',
      round: { number, cause, paths, outcomes, told: [...told.keys()].sort(byCodeUnit), summary, passes },
    });
  }

  /** That a task could not be begun is news once. */
  #skipped(outcome: TaskOutcome): void {
    const known = this.#known.get(outcome.name);
    if (outcome.outcome !== 'skipped' || known?.outcome === 'skipped') return;
    this.#known.set(outcome.name, outcome);
    this.#tell([]).told.set(outcome.name, outcome);
    this.#listener({ type: 'task', event: { type: 'done', outcome } });
  }

  /** Forgets all tasks but these. */
  retain(names: ReadonlySet<string>): void {
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name);
  }
}

function stateOf(outcome: TaskOutcome, told: TaskOutcome | undefined): TaskOutcome {
  if (outcome.outcome === 'skipped' || outcome.outcome === 'failed') return outcome;
  return told ?? { ...outcome, outcome: 'cached', reasons: [], ms: 0, restored: 0 };
}
