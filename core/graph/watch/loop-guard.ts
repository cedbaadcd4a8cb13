/**
 * Notices a task that is run again and again because it changes what it, or a task that it needs, reads. A person who
 * saves while the task runs looks the same at first, but not always as long after its start; and if the next round waits
 * for as long as the task takes, a person will save meanwhile, which the task cannot. Pure; moments are in ms.
 */
import type { RelPath } from '../../base/paths.ts';

/** What is to become of a round: it may begin, wait for some ms after these tasks have ended, or had better not be. */
export type Verdict =
  | { readonly kind: 'go' }
  | { readonly kind: 'wait'; readonly tasks: readonly string[]; readonly ms: number }
  | { readonly kind: 'halt'; readonly loops: readonly Loop[] };

/** A task, a path that it changed while it ran, and who reads that: the task itself, or one that it needs. */
export interface Loop {
  readonly task: string;
  readonly path: RelPath;
  readonly reader: string;
}

interface Run {
  readonly number: number;
  readonly started: number;
  readonly ended: number | undefined;
}

/** Rounds in a row that began because of what a task seems to have done. */
interface Streak {
  /** Those in which it did so as long after its start as in the one before. */
  readonly alike: number;
  readonly all: number;
  readonly run: number;
  /** Time from the start of the run to the change, ms. */
  readonly offset: number;
}

/** So long after a task has ended an event may still be of its doing, ms. */
export const GRACE = 100;
/** Rounds that begin at once: so many alike, or so many of any kind. */
const FREE = 2;
const FREE_OF_ANY_KIND = 10;
/** Rounds after these that begin after a pause. */
const PAUSED = 2;
const SHORTEST_PAUSE = 250;
const LONGEST_PAUSE = 2000;
/** Times are alike if they differ by no more than this, ms, or this part of the earlier one. */
const ALIKE = 30;
const ALIKE_PART = 0.2;
const GO: Verdict = { kind: 'go' };

export class LoopGuard {
  readonly #runs = new Map<string, Run>();
  #streaks: ReadonlyMap<string, Streak> = new Map();
  /** What changed since the last round, by path, and after how much of a run. */
  readonly #own = new Map<RelPath, readonly Loop[]>();
  readonly #offsets = new Map<string, number>();
  #hasOthers = false;

  started(task: string, now: number): void {
    this.#runs.set(task, { number: (this.#runs.get(task)?.number ?? 0) + 1, started: now, ended: undefined });
  }

  ended(task: string, now: number): void {
    const run = this.#runs.get(task);
    if (run !== undefined && run.ended === undefined) this.#runs.set(task, { ...run, ended: now });
  }

  /** Whether a task is at work, or was until a moment ago. */
  isAtWork(task: string, now: number): boolean {
    const run = this.#runs.get(task);
    return run !== undefined && (run.ended === undefined || now - run.ended <= GRACE);
  }

  /** Takes in a changed path with the tasks that read it. `upstreamOf` tells what a task needs. */
  seen(path: RelPath, readers: Iterable<string>, now: number, upstreamOf: (task: string) => readonly string[]): void {
    const all = new Set(readers);
    const loops: Loop[] = [];
    for (const [task, { started }] of this.#runs) {
      if (!this.isAtWork(task, now)) continue;
      const reader = [task, ...upstreamOf(task)].find((name) => all.has(name));
      if (reader === undefined) continue;
      loops.push({ task, path, reader });
      if (!this.#offsets.has(task)) this.#offsets.set(task, now - started);
    }
    if (loops.length === 0) this.#hasOthers = true;
    else this.#own.set(path, loops);
  }

  /** Whether something happened since the last round that is no task's doing. */
  get hasOthers(): boolean {
    return this.#hasOthers;
  }

  /** Decides about the round that is about to begin because of what was seen. Asked again after a wait, it goes. */
  judge(): Verdict {
    const loops = [...this.#own.values()].flat();
    if (this.#hasOthers || loops.length === 0) {
      this.rest();
      return GO;
    }
    const before = this.#streaks;
    const streaks = new Map(loops.map(({ task }) => [task, this.#streakOf(task, before.get(task))]));
    const worst = [...streaks.values()].map(severity);
    const severest = Math.max(...worst);
    const culprits = loops.filter(({ task }) => severity(streaks.get(task)) === severest);
    if (severest > FREE + PAUSED) return { kind: 'halt', loops: culprits };
    const isNew = culprits.some(({ task }) => before.get(task)?.run !== streaks.get(task)?.run);
    this.#streaks = streaks;
    if (severest > FREE && isNew) {
      return { kind: 'wait', tasks: culprits.map(({ task }) => task), ms: this.#pause(culprits) };
    }
    this.#own.clear();
    this.#offsets.clear();
    return GO;
  }

  /** Many changes of one run count once. */
  #streakOf(task: string, before: Streak | undefined): Streak {
    const run = this.#runs.get(task)?.number ?? 0;
    if (before?.run === run) return before;
    const offset = this.#offsets.get(task) ?? 0;
    if (before === undefined) return { alike: 1, all: 1, run, offset };
    const isAlike = Math.abs(offset - before.offset) <= Math.max(ALIKE, before.offset * ALIKE_PART);
    return { alike: isAlike ? before.alike + 1 : 1, all: before.all + 1, run, offset };
  }

  #pause(loops: readonly Loop[]): number {
    const lengths = loops.map(({ task }) => {
      const { started = 0, ended = started } = this.#runs.get(task) ?? {};
      return ended - started;
    });
    return Math.min(LONGEST_PAUSE, Math.max(SHORTEST_PAUSE, ...lengths));
  }

  /** There is quiet: nobody runs in circles. */
  rest(): void {
    this.#streaks = new Map();
    this.#own.clear();
    this.#offsets.clear();
    this.#hasOthers = false;
  }
}

/** How many rounds it takes as evidence. */
function severity(streak: Streak | undefined): number {
  if (streak === undefined) return 0;
  return Math.max(streak.alike, streak.all - FREE_OF_ANY_KIND + FREE);
}
