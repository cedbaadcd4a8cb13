/**
 * What the rounds of one watch have in common: answers that hold until something they depend on is disturbed, and work
 * that goes on while the next round has begun. Knows nothing of files or time: who disturbs what is told, and moments
 * are counted.
 */
import type { Key } from '../../base/hash.ts';
import type { RelPath } from '../../base/paths.ts';
import { Slots } from '../scheduling/slots.ts';
import { ServicePool } from '../services/service-pool.ts';
import type { Product } from '../tasks/product.ts';
import type { Acted, Settled } from '../tasks/settled.ts';
import { isAlike, type TaskCall } from '../tasks/task-call.ts';
import { KnownDependencies } from './known-dependencies.ts';

/** A task at work. */
interface Flight {
  /** Resolves when it is over, with what came of it. */
  readonly acted: Promise<Acted>;
}

interface OwnFlight extends Flight {
  readonly call: TaskCall;
  readonly controller: AbortController;
  /** Whether it began because somebody wanted it, whatever is on file. */
  readonly isForced: boolean;
  asked: number;
}

interface Answer {
  readonly settled: Settled;
  /** The moment of the question. */
  readonly asked: number;
  /** Whether it answers its question: what the task read was what the question says. */
  readonly isSound: boolean;
}

/** A task that was cut short so often is let through to its end, so that it gets there at all. */
const PATIENCE = 2;

export class Live {
  readonly slots: Slots;
  /** They stay up from round to round. */
  readonly services: ServicePool = new ServicePool();
  readonly dependencies: KnownDependencies = new KnownDependencies();
  readonly #answers = new Map<string, Answer>();
  readonly #flights = new Map<string, OwnFlight>();
  /** When a task was last disturbed. */
  readonly #dirtied = new Map<string, number>();
  /** When the result of a task last became another one. */
  readonly #changed = new Map<string, number>();
  readonly #overtaken = new Map<string, readonly RelPath[]>();
  /** When it last turned out of a task that what was asked for until then gets no answer to its question. */
  readonly #unsound = new Map<string, number>();
  readonly #forced = new Set<string>();
  /** Tasks that cannot be asked, or begin, while something they need has failed. */
  readonly #blocked = new Set<string>();
  /** How often a task was cut short since it last got to its end. */
  readonly #cuts = new Map<string, number>();
  #moment = 0;

  /** `jobs` tasks may run at once, at least 1. */
  constructor(jobs: number) {
    this.slots = new Slots(jobs);
  }

  /** A task is about to be asked. Returns the moment, which is the one before the question. */
  ask(name: string): number {
    this.#blocked.delete(name);
    return ++this.#moment;
  }

  /** A task cannot be asked, or begin, for something it needs has failed. Its answer stays, for when it can be asked again. */
  block(name: string): void {
    this.#blocked.add(name);
  }

  /** Says that the answers of these tasks may no longer hold. */
  markDirty(names: Iterable<string>): void {
    for (const name of names) this.#dirtied.set(name, ++this.#moment);
  }

  /**
   * Says that these paths, which a task reads, changed while it ran: its answer does not hold, and is none to its question
   * either, should everything be put back.
   */
  overtake(name: string, paths: readonly RelPath[]): void {
    this.#overtaken.set(name, paths);
    this.#rejectWork(name);
  }

  /** Says that what is about to be noted of a task holds as long as nothing happens, but is no answer to its question. */
  distrust(name: string): void {
    this.#unsound.set(name, ++this.#moment);
  }

  #rejectWork(name: string): void {
    this.distrust(name);
    this.markDirty([name]);
  }

  /** What tasks were overtaken by since this was last called. */
  takeOvertaken(): ReadonlyMap<string, readonly RelPath[]> {
    const overtaken = new Map(this.#overtaken);
    this.#overtaken.clear();
    return overtaken;
  }

  /** Wants these tasks to be run once more, whatever is on file. */
  force(names: Iterable<string>): void {
    for (const name of names) {
      this.#forced.add(name);
      this.markDirty([name]);
    }
  }

  isForced(name: string): boolean {
    return this.#forced.has(name) || this.#flights.get(name)?.isForced === true;
  }

  /** Whether one of these tasks was disturbed since it was asked for the answer that it has, and can be asked again. */
  isDirty(names: Iterable<string>): boolean {
    for (const name of names) {
      if (this.#blocked.has(name)) continue;
      const answer = this.#answers.get(name);
      if (answer !== undefined && (this.#dirtied.get(name) ?? 0) > answer.asked) return true;
    }
    return false;
  }

  /** Says that the answers that these tasks have hold, whatever marked them dirty. */
  markClean(names: Iterable<string>): void {
    for (const name of names) {
      const answer = this.#answers.get(name);
      if (answer !== undefined) this.#answers.set(name, { ...answer, asked: ++this.#moment });
    }
  }

  /** Forgets all tasks but these. */
  retain(names: ReadonlySet<string>): void {
    const maps = [this.#answers, this.#overtaken, this.#unsound, this.#dirtied, this.#changed, this.#cuts];
    for (const map of maps) {
      for (const name of map.keys()) if (!names.has(name)) map.delete(name);
    }
    for (const set of [this.#forced, this.#blocked]) {
      for (const name of set) if (!names.has(name)) set.delete(name);
    }
    this.dependencies.retain(names);
    void this.services.retain(names);
  }

  /** The moment at which the result of a task last became another one. */
  changed(name: string): number {
    return this.#changed.get(name) ?? 0;
  }

  /**
   * The answer of a task, or the work on it, unless it was disturbed since it was asked. `since` is the moment at which
   * a result upstream of it last changed.
   */
  recall(name: string, since: number): Settled | Flight | undefined {
    const moment = Math.max(since, this.#dirtied.get(name) ?? 0);
    const flight = this.#flights.get(name);
    if (flight !== undefined) return flight.asked > moment ? flight : undefined;
    const answer = this.#answers.get(name);
    return answer !== undefined && answer.asked > moment ? answer.settled : undefined;
  }

  /** The key of the question that an earlier round last found an answer to; null or undefined if there is none. */
  answered(name: string): Key | null | undefined {
    return this.#answers.get(name)?.settled.outcome.key;
  }

  /** What an earlier round made of this very question, if it is not to be made again. */
  made({ task, key }: TaskCall): Product | undefined {
    return this.#earlier(task.name, key)?.product;
  }

  /** How an earlier round failed at this very question, if it is not to be tried again. */
  failure({ task, key }: TaskCall): Settled | undefined {
    const earlier = this.#earlier(task.name, key);
    return earlier?.outcome.outcome === 'failed' ? earlier : undefined;
  }

  #earlier(name: string, key: Key): Settled | undefined {
    const answer = this.isForced(name) ? undefined : this.#answers.get(name);
    return answer?.isSound === true && answer.settled.outcome.key === key ? answer.settled : undefined;
  }

  /** The tasks at work. */
  get flying(): readonly string[] {
    return [...this.#flights.keys()];
  }

  /** The work on this very question. Whoever takes it over has asked at the moment `asked`. */
  join(call: TaskCall, asked: number): Flight | undefined {
    const { name } = call.task;
    const flight = this.#flights.get(name);
    if (flight === undefined || !isAlike(flight.call, call)) return undefined;
    if (flight.controller.signal.aborted || this.#forced.has(name)) return undefined;
    flight.asked = asked;
    return flight;
  }

  /** Begins to work on a question. What is cut short, or not begun because its round is over, is unsettled. */
  fly(call: TaskCall, asked: number, work: (signal: AbortSignal) => Promise<Acted>): Promise<Acted> {
    const { task, key } = call;
    const { name } = task;
    const controller = new AbortController();
    const isForced = this.#forced.delete(name);
    const acted = Promise.resolve()
      .then(() => work(controller.signal))
      .then((acted): Acted => {
        const isCut = acted.kind === 'settled' && isCutShort(acted.settled);
        if (isForced && (isCut || acted.kind === 'unsettled')) this.#forced.add(name);
        if (isCut) return { kind: 'unsettled', disturbed: [] };
        // Whoever joined this was right about the question alone, which does not say what was read.
        const isJoined = (this.#flights.get(name)?.asked ?? asked) > asked;
        if (isJoined && call.isOpen && acted.kind === 'settled' && acted.settled.outcome.key === key) {
          this.#rejectWork(name);
        }
        return acted;
      })
      .finally(() => this.#flights.delete(name));
    this.#flights.set(name, { call, asked, controller, isForced, acted });
    return acted;
  }

  /** Ends the work on these tasks, and resolves when it is over. True if there was any. */
  async end(names: Iterable<string>): Promise<boolean> {
    const ends = Array.from(names, (name) => this.#end(name, PATIENCE));
    return (await Promise.all(ends)).includes(true);
  }

  /** Ends all work and all services. */
  async endAll(): Promise<void> {
    await Promise.all(Array.from(this.#flights.keys(), (name) => this.#end(name, Number.POSITIVE_INFINITY)));
    await this.services.retain(new Set());
  }

  async #end(name: string, patience: number): Promise<boolean> {
    const flight = this.#flights.get(name);
    if (flight === undefined) return false;
    const cuts = this.#cuts.get(name) ?? 0;
    if (!flight.controller.signal.aborted && cuts < patience) {
      this.#cuts.set(name, cuts + 1);
      flight.controller.abort();
    }
    await flight.acted.catch(() => {});
    return true;
  }

  /**
   * Takes an answer in; whether it did. A task that cannot be begun is not asked again before something else happens. What
   * comes late from a pass that another one took over from says nothing of a task that is at work for the newer one.
   */
  note(settled: Settled, asked: number): boolean {
    const { name, outcome } = settled.outcome;
    if ((this.#flights.get(name)?.asked ?? 0) > asked) return false;
    if (outcome === 'skipped' && !isCutShort(settled)) this.block(name);
    const before = this.#answers.get(name);
    const isSound = asked > (this.#unsound.get(name) ?? 0);
    if (outcome === 'skipped' || (before !== undefined && before.asked > asked)) return false;
    if (before === undefined || !isSameResult(before.settled.product, settled.product)) {
      this.#changed.set(name, ++this.#moment);
    }
    this.#answers.set(name, { settled, asked, isSound });
    this.#cuts.delete(name);
    return true;
  }
}

/** Whether work was ended, or not begun, only because its round is over; else it says why it could not begin. */
function isCutShort({ outcome }: Settled): boolean {
  return outcome.outcome === 'skipped' && outcome.reasons.length === 0;
}

function isSameResult(a: Product | undefined, b: Product | undefined): boolean {
  return (a === undefined) === (b === undefined) && a?.result === b?.result;
}
