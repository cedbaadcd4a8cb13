/** Which tasks are meant. */
import { FlecheError } from '../../base/errors.ts';
import { nearestName, suggest } from '../../base/nearest.ts';
import type { TaskGraph } from '../../graph/tasks/graph.ts';
import { type Package, type Packages, ROOT } from '../packages/packages.ts';
import type { Project } from '../project.ts';

/** Tasks that a hint names. */
const MOST_NAMES = 12;

/** What of a project it takes to know which tasks are meant. */
type Chooser = Pick<Project, 'graph' | 'defaults' | 'packages' | 'here'>;

/**
 * The named tasks, each once, else those of `[default] tasks`. `name` stands for that task of every package in `among`,
 * which is the package one is in, or all and the root; `package#name` for one task. Throws `CONFIG_UNKNOWN_TASK` and
 * `CONFIG_UNKNOWN_PACKAGE` for what is not there, and `USAGE` if nothing is named or nobody in `among` has it.
 */
export function chosenTasks(
  names: readonly string[],
  project: Chooser,
  among: ReadonlySet<Package> = allPackages(project),
): readonly string[] {
  const wanted = names.length > 0 ? names : project.defaults;
  if (wanted.length === 0) {
    const known = [...localNames(project.graph)];
    const some = known.slice(0, MOST_NAMES).join(', ') + (known.length > MOST_NAMES ? ', …' : '');
    throw new FlecheError('USAGE', 'no task is named, and the configuration names no default', {
      hint:
        known.length === 0
          ? 'Define a task in fleche.config.toml first.'
          : `Name one, or set tasks in [default]: ${some}.`,
    });
  }
  return [...new Set(wanted.flatMap((name) => meantTasks(name, project, among)))];
}

/** The one task that is meant. Throws as `chosenTasks`, and `USAGE` for a name that several packages have. */
export function chosenTask(name: string, project: Chooser): string {
  const [task = name, other] = chosenTasks([name], project);
  if (other === undefined) return task;
  throw new FlecheError('USAGE', `several packages have a task "${name}"`, { hint: `Name one, such as "${other}".` });
}

/** The package one is in, else all of them and the root. */
export function allPackages({ packages, here }: Pick<Project, 'packages' | 'here'>): ReadonlySet<Package> {
  return new Set(here === undefined ? [packages.root, ...packages.all] : [here]);
}

function meantTasks(name: string, { graph, packages }: Chooser, among: ReadonlySet<Package>): readonly string[] {
  const hash = name.lastIndexOf('#');
  if (hash >= 0) return [taskOf(name.slice(0, hash), name.slice(hash + 1), graph, packages)];
  const found = [packages.root, ...packages.all]
    .filter((one) => among.has(one))
    .map((one) => (one.name === ROOT ? name : `${one.name}#${name}`))
    .filter((task) => graph.has(task));
  if (found.length > 0) return found;
  const known = localNames(graph);
  if (!known.has(name)) {
    throw new FlecheError('CONFIG_UNKNOWN_TASK', `there is no task "${name}"`, { hint: suggest(name, known) });
  }
  const [only, ...others] = among;
  const whose = only !== undefined && others.length === 0 ? `${only.name} has no` : 'none of the chosen packages has a';
  const owners = [packages.root, ...packages.all].map((one) => one.name);
  const owner = owners.find((one) => graph.has(one === ROOT ? name : `${one}#${name}`)) ?? '';
  throw new FlecheError('USAGE', `${whose} task "${name}"`, {
    hint: `Name one with its package, such as "${owner}#${name}".`,
  });
}

function taskOf(written: string, local: string, graph: TaskGraph, packages: Packages): string {
  const [owner = written, ...others] = packagesCalled(written, packages);
  if (packages.named(owner) === undefined || others.length > 0) {
    throw new FlecheError('CONFIG_UNKNOWN_PACKAGE', `there is no package "${written}"`, {
      hint: others.length > 0 ? `Write its scope: ${[owner, ...others].join(', ')}.` : packages.hint(owner),
    });
  }
  const task = owner === ROOT ? local : `${owner}#${local}`;
  if (graph.has(task)) return task;
  const names = graph.names.flatMap((name) =>
    packageOf(name) === owner ? [name.slice(name.lastIndexOf('#') + 1)] : [],
  );
  throw new FlecheError('CONFIG_UNKNOWN_TASK', `${owner} has no task "${local}"`, { hint: suggest(local, names) });
}

/** The names of the packages that are meant: the one of this name, else those that are called so behind their scopes. */
function packagesCalled(written: string, packages: Packages): readonly string[] {
  if (packages.named(written) !== undefined) return [written];
  return packages.names.filter((name) => name.endsWith(`/${written}`));
}

/** All tasks of the packages in `among`, in the order of the configuration. */
export function tasksHere(project: Chooser, among: ReadonlySet<Package> = allPackages(project)): readonly string[] {
  const owners = new Set([...among].map(({ name }) => name));
  return project.graph.names.filter((name) => owners.has(packageOf(name)));
}

/** The task of this name, or of the package one is in; undefined if there is none. */
export function taskNamed(name: string, { graph, here, packages }: Chooser): string | undefined {
  const hash = name.lastIndexOf('#');
  const owners = hash < 0 ? [here?.name ?? ROOT] : packagesCalled(name.slice(0, hash), packages);
  const [owner = ROOT, ...others] = owners;
  const local = name.slice(hash + 1);
  const task = owners.length === 0 || others.length > 0 ? name : owner === ROOT ? local : `${owner}#${local}`;
  return graph.has(task) ? task : undefined;
}

/** A hint at the task that was most likely meant by a word that may stand for something else; undefined if none is near. */
export function taskHint(word: string, { graph }: Chooser): string | undefined {
  const near = nearestName(word, graph.names) ?? nearestName(word, localNames(graph));
  return near === undefined ? undefined : `Did you mean "${near}"?`;
}

/** The name of the package that a task belongs to. */
export function packageOf(task: string): string {
  const hash = task.lastIndexOf('#');
  return hash < 0 ? ROOT : task.slice(0, hash);
}

/** Names of tasks without their packages. */
function localNames(graph: TaskGraph): ReadonlySet<string> {
  return new Set(graph.names.map((name) => name.slice(name.lastIndexOf('#') + 1)));
}
