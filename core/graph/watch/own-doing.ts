/**
 * Tells what tasks do among their outputs from what others do there. While a task is at work anything may be of its doing,
 * so what happens is kept in mind and looked at when it is over; for as long after as its events may be under way, what
 * looks like something that it wrote may be. Moments are in ms.
 */
import type { RelPath } from '../../base/paths.ts';
import { GRACE } from './loop-guard.ts';

/** Tells of paths whether what stands there seems to be what a task last wrote. */
export type Authorship = (path: RelPath) => boolean;

/** Paths among the outputs of a task that are kept in mind. */
const MOST_WRITTEN = 10_000;

export class OwnDoing {
  readonly #authorshipOf: (task: string) => Authorship;
  /** What tells the doing of tasks that ended just now from that of others. */
  readonly #authorships = new Map<string, Authorship>();
  /** Until when what happens among the outputs of a task may be of its own doing. */
  readonly #until = new Map<string, number>();
  /** What happened there since it is at work, or was. */
  readonly #written = new Map<string, Set<RelPath>>();

  /** What `authorshipOf` gives is valid until the task writes again. */
  constructor(authorshipOf: (task: string) => Authorship) {
    this.#authorshipOf = authorshipOf;
  }

  began(task: string): void {
    this.#until.set(task, Number.POSITIVE_INFINITY);
  }

  /**
   * The task is over. Gives the paths at which it was not the one who did something while it was at work; undefined if
   * there was more than is kept in mind.
   */
  ended(task: string, now: number): readonly RelPath[] | undefined {
    this.#until.set(task, now + GRACE);
    this.#authorships.delete(task);
    const paths = this.#written.get(task) ?? new Set();
    this.#written.delete(task);
    if (paths.size > MOST_WRITTEN) return undefined;
    return [...paths].filter((path) => !this.#authorship(task)(path));
  }

  isAtWork(task: string): boolean {
    return this.#until.get(task) === Number.POSITIVE_INFINITY;
  }

  /** Whether something that happened at this path, which is among the outputs of the task, may be of its doing. */
  takes(task: string, path: RelPath, now: number): boolean {
    const isOver = !this.isAtWork(task);
    if (isOver && (now > (this.#until.get(task) ?? 0) || !this.#authorship(task)(path))) return false;
    const paths = this.#written.get(task) ?? new Set();
    this.#written.set(task, paths);
    if (paths.size <= MOST_WRITTEN) paths.add(path);
    return true;
  }

  /**
   * To be called when no more events of a task that is over are under way. Whether any came since it was over: they look
   * like its doing, and a close look has to tell.
   */
  settle(task: string): boolean {
    if (this.isAtWork(task)) return false;
    this.#authorships.delete(task);
    return this.#written.delete(task);
  }

  #authorship(task: string): Authorship {
    const known = this.#authorships.get(task);
    if (known !== undefined) return known;
    const authorship = this.#authorshipOf(task);
    this.#authorships.set(task, authorship);
    return authorship;
  }
}
