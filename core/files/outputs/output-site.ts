/**
 * The place where one task's outputs stand, during one operation on them. Removes what is the task's own, moves aside
 * what is not, and does neither through a link. The task's patterns tell what belongs to the place.
 */
import { readlinkSync, unlinkSync } from 'node:fs';
import { FlecheError } from '../../base/errors.ts';
import { byCodeUnit } from '../../base/order.ts';
import { type AbsPath, escapes, folderOf, type RelPath } from '../../base/paths.ts';
import { type Blocker, Folders } from '../folders.ts';
import type { Globs } from '../globs/globs.ts';
import { EMPTY_FOLDER, scan } from '../inputs/scan.ts';
import { lookAt, placeOf } from '../look.ts';
import { readContent } from '../states/contents.ts';
import type { FileClock } from '../states/file-clock.ts';
import { type PathState, stateOf } from '../states/path-states.ts';
import { isRacy, sameKey, statKey } from '../states/stat-key.ts';
import type { Trash } from './trash.ts';

interface SiteContext {
  readonly root: AbsPath;
  readonly trash: Trash;
  readonly clock: FileClock;
}

/** What stands in the place of outputs. `odd` are pipes, sockets and devices, which cannot be outputs. */
export interface Standing {
  readonly states: readonly PathState[];
  readonly odd: readonly RelPath[];
}

export class OutputSite {
  readonly task: string;
  readonly root: AbsPath;
  readonly globs: Globs;
  readonly clock: FileClock;
  readonly folders: Folders;
  readonly #trash: Trash;
  #kept: ReadonlySet<RelPath> = new Set();

  /** Throws `OUTPUT_ESCAPES` for patterns that lead outside the root. */
  constructor(task: string, globs: Globs, { root, trash, clock }: SiteContext) {
    const outside = globs.bases.find(escapes);
    if (outside !== undefined)
      throw escaping(task, `${outside} is outside the project`, 'A task may only write below it.');
    this.root = root;
    this.globs = globs;
    this.clock = clock;
    this.folders = new Folders(root);
    this.task = task;
    this.#trash = trash;
  }

  /** Names the folders that are to stay even if they are empty, instead of those named before. */
  keep(folders: Iterable<RelPath>): void {
    this.#kept = new Set(folders);
  }

  place(path: RelPath): AbsPath {
    return placeOf(this.root, path);
  }

  /**
   * The links that stand where the patterns have folders. Throws `OUTPUT_ESCAPES` for one that no pattern covers: it is
   * part of the project, and the outputs would be written somewhere else.
   */
  links(): readonly RelPath[] {
    const links = new Set<RelPath>();
    for (const base of this.globs.bases) {
      const blocker = this.folders.blocker(`${base}/_` as RelPath);
      if (blocker?.kind === 'link' && !this.globs.matches(blocker.path)) links.add(this.#movable(blocker));
    }
    return [...links];
  }

  /** Throws `OUTPUT_ESCAPES` if a link stands where the patterns have a folder. */
  refuseLinks(): void {
    const [link] = this.links();
    if (link === undefined) return;
    throw escaping(
      this.task,
      `${link} is a link, not a folder`,
      'Declare the link itself as an output, or write a folder.',
    );
  }

  /** Moves aside files that stand where the patterns have folders. What is above such a place is the project's. */
  clearBases(): void {
    for (const base of this.globs.bases) {
      const blocker = this.globs.matches(base) ? undefined : this.folders.blocker(`${base}/_` as RelPath);
      if (blocker?.kind === 'other' && blocker.path === base) this.moveAside(base);
    }
  }

  /**
   * Moves aside what stands where there must be folders above `path`. Throws `OUTPUT_ESCAPES` like `links`, and
   * `OUTPUT_UNWRITABLE` for a file of the project.
   */
  clearWay(path: RelPath): void {
    for (let blocker = this.folders.blocker(path); blocker !== undefined; blocker = this.folders.blocker(path)) {
      if (blocker.kind === 'absent') return;
      this.moveAside(this.#movable(blocker));
    }
  }

  #movable({ path, kind }: Blocker): RelPath {
    if (this.globs.governs(path)) return path;
    if (kind === 'link') {
      const hint = 'Name the folder it leads to in the outputs, or put a real folder in its place.';
      throw escaping(this.task, `${path} is a link, and outputs are not written through links`, hint);
    }
    throw new FlecheError('OUTPUT_UNWRITABLE', `outputs of task "${this.task}": ${path} is a file, not a folder`, {
      hint: 'It is none of its outputs. Remove it, or write somewhere else.',
    });
  }

  /** Moves to the trash what is not the task's to remove; then folders go that are empty without it. */
  moveAside(path: RelPath): void {
    this.#trash.take(path, this.task);
    this.folders.forget(path);
    this.#removeEmpty(folderOf(path));
  }

  /** Moves aside files and links, and removes folders if they are empty. */
  evict(states: Iterable<PathState>): void {
    for (const { path, kind } of backwards(states)) {
      if (kind === 'dir') this.#removeEmpty(path);
      else this.moveAside(path);
    }
  }

  /**
   * Removes what the task wrote, and folders that are empty without it. A folder where the task wrote a file is somebody
   * else's and moved aside. Returns how many paths were removed.
   */
  removeOwn(states: Iterable<PathState>): number {
    let removed = 0;
    for (const state of backwards(states)) if (this.#removeOne(state)) removed++;
    return removed;
  }

  #removeOne({ path, kind }: PathState): boolean {
    if (this.folders.blocker(path) !== undefined) return false;
    // What was written under patterns of the past has folders that the patterns of today do not know.
    const stray = !this.globs.matches(path);
    if (kind === 'dir') return this.#removeEmpty(path, stray);
    const stats = lookAt(this.place(path));
    if (stats?.isDirectory() === true) this.moveAside(path);
    else if (stats !== undefined) unlinkSync(this.place(path));
    this.#removeEmpty(folderOf(path), stray);
    return stats !== undefined;
  }

  #removeEmpty(folder: RelPath, stray = false): boolean {
    return this.folders.removeEmpty(folder, (above) => !this.#kept.has(above) && (stray || this.globs.governs(above)));
  }

  /** Files, links and empty folders that match, sorted, without those that `isOther` leaves out. */
  standing(isOther: (path: RelPath) => boolean): Standing {
    const isAbsent = (base: RelPath): boolean => this.folders.blocker(`${base}/_` as RelPath)?.kind === 'absent';
    if (this.globs.bases.every(isAbsent)) return { states: [], odd: [] };
    const { found, folders, odd } = scan(this.root, this.globs, { through: false, clock: this.clock });
    const empty = new Set(folders.filter(({ digest }) => digest === EMPTY_FOLDER).map(({ path }) => path));
    const states = found.flatMap(({ path, kind }) =>
      (kind === 'dir' && !empty.has(path)) || isOther(path) ? [] : stateOf(path, kind),
    );
    return { states, odd };
  }

  /** What to remember of a path in order to tell later whether it was touched. Undefined if nothing is there. */
  note(path: RelPath): PathState | undefined {
    const at = this.clock();
    const place = this.place(path);
    const stats = lookAt(place);
    if (stats === undefined) return undefined;
    const key = statKey(stats);
    if (stats.isSymbolicLink())
      return { path, kind: 'link', key, digest: null, trusted: true, target: readlinkSync(place) };
    if (stats.isDirectory()) return { path, kind: 'dir', key, digest: null, trusted: true, target: '' };
    const trusted = !isRacy(key, at);
    // A young file could be written again without its key telling; then its content must.
    const digest = trusted ? null : (readContent(place, this.clock)?.digest ?? null);
    return { path, kind: 'file', key, digest, trusted, target: '' };
  }

  /** Whether a path is as it was when it was noted. */
  isUntouched(noted: PathState): boolean {
    const place = this.place(noted.path);
    const stats = lookAt(place);
    if (stats === undefined || noted.key === null || !sameKey(noted.key, stats)) return false;
    if (noted.kind === 'link') return readlinkSync(place) === noted.target;
    return noted.trusted || readContent(place, this.clock)?.digest === noted.digest;
  }
}

/** What is in a folder comes before the folder. */
function backwards(states: Iterable<PathState>): readonly PathState[] {
  return [...states].sort((a, b) => byCodeUnit(b.path, a.path));
}

/** `OUTPUT_ESCAPES` for outputs that would be outside the project. */
export function escaping(task: string, what: string, hint: string): FlecheError {
  return new FlecheError('OUTPUT_ESCAPES', `outputs of task "${task}": ${what}`, { hint });
}
