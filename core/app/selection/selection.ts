/** The tasks that a command line asks for: names, `--filter`, and what changed files can matter to. */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { type RelPath, toAbs, toRel } from '../../base/paths.ts';
import type { Invocation } from '../cli/invocation.ts';
import { SINCE_OPTIONS } from '../cli/options.ts';
import type { Machine } from '../cli/verb.ts';
import { filteredPackages } from '../packages/filter.ts';
import type { Package } from '../packages/packages.ts';
import type { Project } from '../project.ts';
import type { Environment } from '../terminal/style.ts';
import { allPackages, chosenTasks, tasksHere } from './targets.ts';

/** Where the words were written; `cwd` is absolute. */
type Place = Pick<Machine, 'cwd' | 'env'>;

/** Chooses among the tasks that are named, else among the defaults. Throws as `chosenTasks` and `filteredPackages` do. */
export async function selectedTasks(
  invocation: Invocation,
  project: Project,
  place: Place,
): Promise<readonly string[]> {
  const among = chosenPackages(invocation, project, place);
  return affectedIfAsked(chosenTasks(invocation.args, project, among), invocation, project, place);
}

/** The same, but without names among all tasks. */
export async function selectedOfAll(
  invocation: Invocation,
  project: Project,
  place: Place,
): Promise<readonly string[]> {
  const among = chosenPackages(invocation, project, place);
  const names = invocation.args.length > 0 ? chosenTasks(invocation.args, project, among) : tasksHere(project, among);
  return affectedIfAsked(names, invocation, project, place);
}

function chosenPackages(invocation: Invocation, project: Project, { cwd }: Place): ReadonlySet<Package> {
  const filters = invocation.texts('filter');
  if (filters.length === 0) return allPackages(project);
  return filteredPackages(filters, project.packages, toRel(realpathSync(project.root), realpathSync(cwd)));
}

async function affectedIfAsked(
  names: readonly string[],
  invocation: Invocation,
  project: Project,
  { env }: Place,
): Promise<readonly string[]> {
  if (!SINCE_OPTIONS.some(({ name }) => invocation.flag(name))) return names;
  return affectedSince(invocation.text('since'), names, project, env);
}

/**
 * Those of the tasks that files which changed since `ref` can matter to; without one, since the branch that changes are
 * made for. All of them, and a warning, where git cannot tell.
 */
export async function affectedSince(
  ref: string | undefined,
  names: readonly string[],
  project: Project,
  env: Environment,
): Promise<readonly string[]> {
  const { changesSince } = await import('./git.ts');
  const { affectedTasks } = await import('./affected.ts');
  const { lockChanges } = await import('./lock-changes.ts');
  const changes = changesSince(project.root, ref, env);
  if (changes.kind === 'changes') {
    const { graph, packages, root } = project;
    const isFolder = (path: RelPath): boolean =>
      statSync(toAbs(root, path), { throwIfNoEntry: false })?.isDirectory() === true;
    const isOtherPackage = (path: RelPath): boolean => {
      const before = changes.before(path);
      const now = statSync(toAbs(root, path), { throwIfNoEntry: false }) && readFileSync(toAbs(root, path), 'utf8');
      return before !== undefined && (now === undefined || nameIn(before) !== nameIn(now));
    };
    return affectedTasks(names, changes.paths, {
      graph,
      packages,
      isOtherPackage,
      isInstalledAnew: lockChanges(root, changes, packages.members),
      isFolder,
    });
  }
  project.warn(`${changes.message}, so everything counts as affected`);
  return names;
}

/** The name that a manifest gives; none of what is no manifest. */
function nameIn(text: string): unknown {
  try {
    const manifest: unknown = JSON.parse(text);
    return typeof manifest === 'object' && manifest !== null && 'name' in manifest ? manifest.name : undefined;
  } catch {
    return undefined;
  }
}
