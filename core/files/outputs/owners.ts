/**
 * Who wrote what in a workspace, as far as the ledger tells: which paths are a task's own, and which are somebody else's.
 * Looks at what stands there, and changes nothing.
 */
import { readlinkSync } from 'node:fs';
import { type AbsPath, folderOf, type RelPath } from '../../base/paths.ts';
import type { Globs } from '../globs/globs.ts';
import { lookAt, placeOf } from '../look.ts';
import type { PathState } from '../states/path-states.ts';
import { sameKey } from '../states/stat-key.ts';
import type { Ledgers } from './ledger.ts';
import type { Sites } from './sites.ts';

/** Whether a path lies below the place of a file or link that the task wrote, for which it has to make way. */
export function isInTheWay(path: RelPath, own: ReadonlyMap<RelPath, PathState>): boolean {
  for (let at = folderOf(path); at !== '.'; at = folderOf(at)) {
    const kind = own.get(at)?.kind;
    if (kind !== undefined) return kind !== 'dir';
  }
  return false;
}

export class Owners {
  readonly #root: AbsPath;
  readonly #ledgers: Ledgers;
  readonly #sites: Sites;

  constructor(root: AbsPath, ledgers: Ledgers, sites: Sites) {
    this.#root = root;
    this.#ledgers = ledgers;
    this.#sites = sites;
  }

  /** The tasks of which it is known that they were run or restored here, sorted. */
  tasks(): readonly string[] {
    return this.#ledgers.tasks();
  }

  /**
   * The paths that the task last wrote in this workspace, or undefined if that is not known: it was never here, or its
   * last run did not get to its end.
   */
  owned(task: string): ReadonlySet<RelPath> | undefined {
    const ledger = this.#ledgers.read(task);
    return ledger?.finished === true ? ledger.names : undefined;
  }

  /**
   * Tells of paths that match the outputs of a task, as they stand now, whether they are the task's to remove: what it
   * wrote, what it declares by name, and, where it is not known what it wrote, all that `prepare` and `restore` would
   * move aside. What is left are files of people.
   */
  reach(task: string, globs: Globs): (path: RelPath) => boolean {
    const ledger = this.#ledgers.read(task);
    const named = new Set(globs.literals);
    if (ledger?.finished === true) {
      return (path) => ledger.names.has(path) || named.has(path) || isInTheWay(path, ledger.paths);
    }
    return (path) => {
      const noted = ledger?.paths.get(path);
      return noted === undefined || this.#sites.at(task, globs, (site) => !site.isUntouched(noted));
    };
  }

  /**
   * Tells of a path, at a glance, whether what stands there is what the task wrote, or a folder that it wrote in. A file
   * of the same times and size passes for the same. Valid until the task writes again.
   */
  authorship(task: string): (path: RelPath) => boolean {
    const ledger = this.#ledgers.read(task);
    if (ledger?.finished !== true) return () => false;
    const folders = new Set<RelPath>();
    for (const { path } of ledger.paths.values()) {
      for (let at = folderOf(path); at !== '.' && !folders.has(at); at = folderOf(at)) folders.add(at);
    }
    return (path) => {
      const stats = lookAt(placeOf(this.#root, path));
      const noted = ledger.paths.get(path);
      switch (noted?.kind) {
        case 'file':
          return stats?.isFile() === true && (noted.key === null || sameKey(noted.key, stats));
        case 'link':
          return stats?.isSymbolicLink() === true && readlinkSync(placeOf(this.#root, path)) === noted.target;
        default:
          return stats?.isDirectory() === true && (noted !== undefined || folders.has(path));
      }
    };
  }

  /** Whether it is known what the task wrote here. */
  knows(task: string): boolean {
    return this.#ledgers.read(task)?.finished === true;
  }

  /**
   * Of what a task once wrote, what is still its own: when patterns of the configuration move from one task to another,
   * so do the paths, and the place of a file where the other has a folder.
   */
  own(task: string, globs: Globs, paths: ReadonlyMap<RelPath, PathState>): ReadonlyMap<RelPath, PathState> {
    const strays = [...paths.keys()].filter((path) => !globs.matches(path));
    if (strays.length === 0) return paths;
    const others = this.tasks().filter((other) => other !== task);
    const taken = new Set(others.flatMap((other) => [...(this.owned(other) ?? [])]));
    const folders = new Set<RelPath>(['.' as RelPath]);
    for (const path of taken) for (let at = folderOf(path); !folders.has(at); at = folderOf(at)) folders.add(at);
    const isTaken = ({ path, kind }: PathState): boolean => taken.has(path) || (kind !== 'dir' && folders.has(path));
    return new Map([...paths].filter(([path, state]) => globs.matches(path) || !isTaken(state)));
  }
}
