/** What the commands of random repositories make of a workspace, worked out without them. Pure. */
import type { Made } from './_blueprint.ts';
import { SUM_COMMAND, templateCommand } from './_repository-command.ts';
import { slice } from './_repository-lock.ts';
import {
  dependenciesOf,
  devDependenciesOf,
  faceOf,
  IGNORES,
  OWN_IGNORES,
  packageName,
  type RepositoryPlan,
} from './_repository-plan.ts';
import { below, directlyIn, followed, plainFile, shown, type Things } from './_things.ts';

/** What a task needs and what that made, in the order of the names. */
export type Needed = readonly (readonly [task: string, made: Made | undefined])[];

/** Everything that code of a package can load of the workspace, by name, sorted. */
export function loadable({ packages }: RepositoryPlan, index: number): readonly string[] {
  const at = (name: string): number => packages.findIndex((one, at) => !one.gone && packageName(at) === name);
  const found = new Set<string>();
  const own = packages[index];
  const rest = own === undefined ? [] : [...dependenciesOf(own, index), ...devDependenciesOf(own, index)];
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    const one = packages[at(name)];
    if (one === undefined || found.has(name)) continue;
    found.add(name);
    rest.push(...dependenciesOf(one, at(name)));
  }
  return [...found].sort();
}

/** The task of a template in the package with this index. */
export function makeTemplate(
  task: 'build' | 'check',
  plan: RepositoryPlan,
  index: number,
  standing: Things,
  needed: Needed,
): Made {
  const home = packageName(index);
  const { inputs, view, lock } = plan[task];
  const others = loadable(plan, index);
  const needs: readonly string[] = task === 'build' ? ['^build'] : plan.check.needs;
  const paths = [...directlyIn(standing, `${home}/src`)];
  if (inputs === 'sources') paths.push(...directlyIn(standing, 'base'));
  if (inputs === 'below') paths.push(...others.flatMap((other) => directlyIn(standing, `${other}/src`)));
  if (needs.includes('^build')) paths.push(...others.map((other) => `${other}/dist/all`));
  if (needs.includes('build')) paths.push(`${home}/dist/all`);
  let acc = '';
  for (const path of paths) {
    const file = followed(standing, path);
    if (file === undefined) continue;
    const line = file.text.split('\n')[0] ?? '';
    const seen = path.startsWith(`${home}/`) ? path.slice(home.length + 1) : `../${path}`;
    if (view === 'all') acc += `${seen}=${line},`;
    else if (view === 'first') acc += line.slice(0, 1);
    else if (view === 'names') acc += `${seen},`;
  }
  const own: Needed = needs.includes('build') ? needed.filter(([name]) => name === `${home}#build`) : [];
  const read = {
    all: () => [...ownFiles(plan, index, standing, task === 'build' || own.length > 0 ? own : 'no'), ...written(own)],
    sources: () => [...below(standing, `${home}/src`), ...below(standing, 'base')],
    below: () => [home, ...others].flatMap((one) => below(standing, `${one}/src`)),
  }[inputs]();
  const question = JSON.stringify([
    `${home}#${task}`,
    templateCommand(task, plan),
    [...new Set(read)].sort().map((path) => shown(standing, path)),
    answered(needed),
    lock ? [[home, ...others].map((name) => faceNamed(name, plan)), slice(plan, ['', home])] : null,
  ]);
  const outputs: Things =
    task === 'check'
      ? new Map()
      : new Map([
          [`${home}/dist/all`, plainFile(`${acc}\n`)],
          [`${home}/dist/name`, plainFile(`${home}\n`)],
        ]);
  return { fails: acc.includes('q'), printed: `${acc}\n`, outputs, question };
}

/** The task of the root. */
export function makeSum(plan: RepositoryPlan, standing: Things, needed: Needed): Made {
  const built = needed.map(([name]) => `${name.slice(0, name.indexOf('#'))}/dist/all`).sort();
  const acc = built.map((path) => `${followed(standing, path)?.text.split('\n')[0]}/`).join('');
  const question = JSON.stringify(['sum', SUM_COMMAND, answered(needed), slice(plan, ['']), plan.installs]);
  return { fails: false, printed: '', outputs: new Map([['sum', plainFile(`${acc}\n`)]]), question };
}

function answered(needed: Needed): unknown {
  return [...needed]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, made]) => [name, [...(made?.outputs ?? [])].sort()]);
}

function written(needed: Needed): readonly string[] {
  return needed.flatMap(([, made]) => [...(made?.outputs.keys() ?? [])]);
}

function faceNamed(name: string, { packages }: RepositoryPlan): unknown {
  const index = packages.findIndex((_, at) => packageName(at) === name);
  const one = packages[index];
  return one === undefined ? null : faceOf(one, index);
}

/**
 * What a task reads of its package that names no inputs: what git does not ignore. Among the outputs of the package these
 * are files of people, and there only if the task writes there itself or needs what does.
 */
function ownFiles(plan: RepositoryPlan, index: number, standing: Things, built: Needed | 'no'): readonly string[] {
  const home = packageName(index);
  const rules = [
    ...rulesOf(IGNORES[plan.ignores] ?? '', ''),
    ...rulesOf(OWN_IGNORES[plan.packages[index]?.ignores ?? 0] ?? '', `${home}/`),
  ];
  const isIgnored = (path: string): boolean => rules.findLast(({ matches }) => matches(path))?.ignores === true;
  const made = new Set(built === 'no' ? [] : written(built));
  return below(standing, home).filter((path) => {
    if (built === 'no' && path.startsWith(`${home}/dist/`)) return false;
    return !made.has(path) && !isIgnored(path);
  });
}

interface Rule {
  readonly ignores: boolean;
  matches(path: string): boolean;
}

/** The few forms of lines that are used here, in an ignore file of the folder with this prefix. */
function rulesOf(text: string, prefix: string): readonly Rule[] {
  return text.split('\n').flatMap((line): readonly Rule[] => {
    if (line === '') return [];
    const ignores = !line.startsWith('!');
    const bare = ignores ? line : line.slice(1);
    const matches = (path: string): boolean => {
      if (!path.startsWith(prefix)) return false;
      if (bare.startsWith('/')) return path.startsWith(prefix + bare.slice(1));
      const steps = path.slice(prefix.length).split('/');
      if (bare.endsWith('/')) return steps.slice(0, -1).includes(bare.slice(0, -1));
      const last = steps.at(-1) ?? '';
      return bare.startsWith('*') ? last.endsWith(bare.slice(1)) : last === bare;
    };
    return [{ ignores, matches }];
  });
}
