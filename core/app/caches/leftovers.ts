/**
 * What is left over in the folder of a cache, beside values and records: things moved aside, code and files of runs long
 * over, environments of older formats, and what a workspace remembers of patterns that no task has any more. All of it
 * can be removed at any time: what is still of use is made again.
 */
import { type Dirent, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { snapshotName } from '../../files/inputs/workspace.ts';
import type { TaskGraph } from '../../graph/tasks/graph.ts';
import { readLists } from '../../graph/tasks/read-lists.ts';
import { inputPatterns } from '../../graph/tasks/whole-folders.ts';
import { Writers } from '../../graph/tasks/writers.ts';
import { isOldDatabase } from '../../store/layout.ts';
import type { StateStore } from '../../store/state.ts';

/** What was removed, or would be. */
interface Leftovers {
  /** Things in the trash, and environments of older formats. */
  readonly trash: number;
  /** Bundles of functions, logs and files in the making. */
  readonly files: number;
  /** What is remembered of patterns. */
  readonly snapshots: number;
  readonly bytes: number;
}

/** What was moved aside is kept this long, ms. */
const TRASH_AGE = 7 * 24 * 60 * 60 * 1000;
/** No run takes longer; bundles of functions are written again when they are needed. */
const FILE_AGE = 24 * 60 * 60 * 1000;

interface LeftoverPlaces {
  /** The folder of the cache; undefined for one in memory. */
  readonly folder: string | undefined;
  readonly trashDir: string;
  readonly tempDir: string;
}

/** Removes leftovers on disk. `now` is in ms since the epoch. */
export function removeLeftovers(
  { folder, trashDir, tempDir }: LeftoverPlaces,
  now: number,
  dryRun: boolean,
): Omit<Leftovers, 'snapshots'> {
  const isOlder = (path: string, age: number): boolean => {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats !== undefined && now - stats.mtimeMs > age;
  };
  const trash = [
    ...entriesIn(trashDir).map(({ name }) => join(trashDir, name)),
    ...(folder === undefined
      ? []
      : entriesIn(folder).flatMap(({ name }) => (isOldDatabase(name) ? [join(folder, name)] : []))),
  ].filter((path) => isOlder(path, TRASH_AGE));
  const files = entriesIn(tempDir)
    .flatMap((entry) => (entry.isFile() ? [join(tempDir, entry.name)] : []))
    .filter((path) => isOlder(path, FILE_AGE));
  const all = [...trash, ...files];
  const bytes = all.reduce((sum, path) => sum + sizeOf(path), 0);
  if (!dryRun) for (const path of all) rmSync(path, { recursive: true, force: true });
  return { trash: trash.length, files: files.length, bytes };
}

/** Removes what the state remembers of patterns that no task of the graph reads. */
export function removeSnapshots(
  state: StateStore,
  graph: TaskGraph,
  dryRun: boolean,
): Pick<Leftovers, 'snapshots' | 'bytes'> {
  const tasks = graph.names.map((name) => graph.task(name));
  const writers = new Writers(graph);
  const patterns = tasks.flatMap((task) => readLists(task, inputPatterns(task, graph, writers).listed));
  const used = new Set(patterns.map((one) => snapshotName(one)));
  for (const { name } of tasks) used.add(`paths/${name}`);
  const unused = ['inputs/', 'paths/'].flatMap((prefix) => [...state.names(prefix)]).filter((name) => !used.has(name));
  const bytes = unused.reduce((sum, name) => sum + (state.get(name)?.length ?? 0), 0);
  if (!dryRun) for (const name of unused) state.delete(name);
  return { snapshots: unused.length, bytes };
}

function entriesIn(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    // No folder: nothing was ever put there.
    return [];
  }
}

function sizeOf(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 0;
  if (!stats.isDirectory()) return stats.size;
  return entriesIn(path).reduce((sum, entry) => sum + (entry.isSymbolicLink() ? 0 : sizeOf(join(path, entry.name))), 0);
}
