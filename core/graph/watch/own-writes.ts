/**
 * Tells what tasks do among their outputs from what others do there. While a task is at work anything may be of its doing,
 * so what happens is kept in mind and looked at when it is over; for as long after as its events may be under way, what
 * looks like something that it wrote may be. Moments are in ms.
 */
import type { RelPath } from '../../base/paths.ts';
import { GRACE } from './loop-guard.ts';

/** Tells of paths whether what stands there seems to be what a task last wrote. */
type Authorship = (path: RelPath) => boolean;

/** Where something happened while a task was at work, as far as that was not its own doing, or need not have been. */
export interface Others {
  readonly paths: readonly RelPath[];
  /** Folders that came to be, are gone, or are others: who else did what below them is not known. */
  readonly folders: readonly RelPath[];
}

/** Paths among the outputs of a task that are kept in mind. */
const MOST_WRITTEN = 10_000;

export class OwnWrites {
  readonly #authorshipOf: (task: string) => Authorship;
  /** What tells the doing of tasks that ended just now from that of others. */
  readonly #authorships = new Map<string, Authorship>();
  /** Until when what happens among the outputs of a task may be of its own doing. */
  readonly #until = new Map<string, number>();
  /** Where something happened there since it is at work, or was, and whether that is more than the path itself. */
  readonly #written = new Map<string, Map<RelPath, boolean>>();

  /** What `authorshipOf` gives is valid until the task writes again. */
  constructor(authorshipOf: (task: string) => Authorship) {
    this.#authorshipOf = authorshipOf;
  }

  began(task: string): void {
    this.#until.set(task, Number.POSITIVE_INFINITY);
  }

  /** The task is over. Gives what others may have done meanwhile; undefined if more happened than is kept in mind. */
  ended(task: string, now: number): Others | undefined {
    this.#until.set(task, now + GRACE);
    this.#authorships.delete(task);
    const written = [...(this.#written.get(task) ?? [])];
    this.#written.delete(task);
    if (written.length > MOST_WRITTEN) return undefined;
    return {
      paths: written.flatMap(([path]) => (this.#authorship(task)(path) ? [] : path)),
      folders: written.flatMap(([path, isFolder]) => (isFolder ? path : [])),
    };
  }

  isAtWork(task: string): boolean {
    return this.#until.get(task) === Number.POSITIVE_INFINITY;
  }

  /**
   * Whether something that happened at this path, which is among the outputs of the task, may be of its doing. `isFolder`:
   * anything may have happened below it, too; what the task wrote there is looked at when it is over, but not later.
   */
  takes(task: string, path: RelPath, isFolder: boolean, now: number): boolean {
    if (!this.isAtWork(task)) {
      if (isFolder || now > (this.#until.get(task) ?? 0) || !this.#authorship(task)(path)) return false;
    }
    const written = this.#written.get(task) ?? new Map<RelPath, boolean>();
    this.#written.set(task, written);
    if (written.size <= MOST_WRITTEN) written.set(path, isFolder || written.get(path) === true);
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
