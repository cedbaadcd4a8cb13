/** Which tasks changed files can matter to. Errs on the side of too many: whether a task runs is decided by its key. */
import { posix } from 'node:path';
import type { RelPath } from '../../base/paths.ts';
import type { TaskGraph } from '../../graph/tasks/graph.ts';
import { Reach } from '../../graph/watch/reach.ts';
import { CONFIG_FILE } from '../config/text/source.ts';
import { MANIFEST } from '../packages/manifest.ts';
import { type Package, type Packages, ROOT } from '../packages/packages.ts';
import { packageOf } from './targets.ts';

interface AffectedOptions {
  readonly graph: TaskGraph;
  readonly packages: Packages;
  /** Whether what is installed for the package in a folder is other than it was. */
  readonly isInstalledAnew: (folder: RelPath) => boolean;
  /** Whether the folder of this manifest or configuration is no package any more, or one of another name. */
  readonly isOtherPackage: (path: RelPath) => boolean;
  /** Whether a path is a folder now, as a submodule is. */
  readonly isFolder: (path: RelPath) => boolean;
}

/**
 * Those of the tasks that read one of the paths, and those that need one that does. What is in a package's configuration
 * matters to all of its tasks, what is in its manifest to those of packages that can load it too; what is in the root's,
 * to all.
 */
export function affectedTasks(
  names: readonly string[],
  changed: readonly RelPath[],
  { graph, packages, isInstalledAnew, isOtherPackage, isFolder }: AffectedOptions,
): readonly string[] {
  const common = new Set<string>([CONFIG_FILE, MANIFEST]);
  if (changed.some((path) => common.has(path))) return names;
  // Who needed it by its name needs something else now, or nothing, without a change of his own.
  if (changed.some((path) => common.has(posix.basename(path)) && isOtherPackage(path))) return names;
  // It is not told here what the code of a function is made of, and what tasks find out they read: it may be anything.
  const unknown = graph.names.filter((name) => {
    const { body, discovered } = graph.task(name);
    return body.kind === 'function' || discovered !== undefined;
  });
  const reach = new Reach(graph, graph.closure(names), new Map(unknown.map((name) => [name, undefined])));
  const found = new Set(
    changed.flatMap((path) => [...(isFolder(path) ? reach.of(path).readers : reach.readersOf(path))]),
  );
  const about = (file: string): readonly Package[] =>
    packages.all.filter(({ folder }) => changed.some((path) => path === `${folder}/${file}`));
  const loaded = about(MANIFEST);
  const owners = new Set(
    [...about(CONFIG_FILE), ...loaded, ...packages.above(new Set(loaded))].map(({ name }) => name),
  );
  const isHit = (name: string): boolean => {
    const owner = packageOf(name);
    const { installed } = graph.task(name);
    if (installed !== undefined && isInstalledAnew(installed.folder)) return true;
    return found.has(name) || (owner !== ROOT && owners.has(owner));
  };
  return names.filter((name) => isHit(name) || graph.upstreamOf(name).some(isHit));
}
