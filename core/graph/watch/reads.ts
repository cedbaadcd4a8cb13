/**
 * The files that tasks read, as far as they are not made by these tasks themselves: what has to be watched by who wants
 * to know when to ask them again. Looks at the workspace when it is asked for files.
 */
import { posix } from 'node:path';
import { byCodeUnit } from '../../base/order.ts';
import { type AbsPath, escapes, type RelPath, toAbs, toRel } from '../../base/paths.ts';
import type { Workspace } from '../../files/inputs/workspace.ts';
import type { TaskGraph } from '../tasks/graph.ts';
import { readLists } from '../tasks/read-lists.ts';
import type { PathDependencies } from '../tasks/task-call.ts';
import { Reach } from './reach.ts';

/** What some tasks depend on. Paths are absolute. */
export interface Reads {
  /** Files that are there, and single paths that would be read if they were, sorted. */
  readonly files: readonly string[];
  /** Folders in which a new file could be read too, sorted. */
  readonly folders: readonly string[];
  /** Whether a change at a path, or below it, can matter. Says yes rather too often. */
  concerns(path: string): boolean;
}

/**
 * What these tasks read beside what they write. `dependencies` are what they turned out to depend on; `others` are files
 * that matter to all, such as the configuration's.
 */
export function readsOf(
  names: readonly string[],
  dependencies: ReadonlyMap<string, PathDependencies | undefined>,
  others: readonly AbsPath[],
  around: { readonly root: AbsPath; readonly graph: TaskGraph; readonly workspace: Workspace },
): Reads {
  const { root, graph, workspace } = around;
  const reach = new Reach(graph, names, dependencies);
  const isMade = (path: RelPath): boolean => reach.of(path).writers.size > 0;
  const files = new Set<RelPath>(reach.paths);
  const folders = new Set<RelPath>();
  for (const name of names) {
    const task = graph.task(name);
    for (const patterns of readLists(task, task.inputs)) {
      if (patterns.length === 0) continue;
      for (const { path } of workspace.inputs(patterns, isMade).tree.entries) {
        files.add(path);
        folders.add(posix.dirname(path) as RelPath);
      }
    }
    for (const folder of dependencies.get(name)?.folders ?? []) folders.add(folder);
  }
  for (const base of reach.bases) if (!files.has(base) && !isMade(base)) folders.add(base);
  const absolute = (paths: Iterable<RelPath>): string[] => Array.from(paths, (path) => toAbs(root, path));
  const own = new Set<string>(others);
  return {
    files: [...new Set([...absolute([...files].filter((path) => !isMade(path))), ...own])].sort(byCodeUnit),
    folders: absolute(folders).sort(byCodeUnit),
    concerns: (path) => {
      if (own.has(path)) return true;
      const inside = toRel(root, path as AbsPath);
      if (escapes(inside)) return files.has(inside);
      const { readers, writers } = reach.of(inside);
      return readers.size > 0 && writers.size === 0;
    },
  };
}
