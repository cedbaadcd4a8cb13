/** The lock file of a random repository, and what it installs for one of its packages. Pure. */
import {
  chosen,
  dependenciesOf,
  devDependenciesOf,
  EXTERNALS,
  packageName,
  type RepositoryPlan,
} from './_repository-plan.ts';

interface Installed {
  readonly version?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

export function lockText(plan: RepositoryPlan): string {
  const lock = { name: 'root', lockfileVersion: 3, packages: Object.fromEntries(placesOf(plan)) };
  return `${JSON.stringify(lock, null, plan.style % 3)}\n`;
}

/** Everything that code of these packages finds, by the places of packages (`''` is the root); each as a text. */
export function slice(plan: RepositoryPlan, starts: readonly string[]): readonly string[] {
  const places = placesOf(plan);
  const found = new Set<string>();
  const visit = (place: string, names: readonly string[]): void => {
    for (const name of names) {
      const at = whereFound(name, place, places);
      const entry = at === undefined ? undefined : places.get(at);
      const line = JSON.stringify([name, at ?? null, entry?.version ?? null]);
      if (found.has(line)) continue;
      found.add(line);
      if (at === undefined || entry === undefined) continue;
      const home = entry.resolved !== undefined && entry.link === true ? entry.resolved : at;
      visit(home, Object.keys(places.get(home)?.dependencies ?? {}));
    }
  };
  for (const start of starts) {
    const { dependencies, devDependencies } = places.get(start) ?? {};
    visit(start, Object.keys({ ...dependencies, ...devDependencies }));
  }
  return [...found].sort();
}

/** The nearest place upwards where a package is installed. */
function whereFound(name: string, from: string, places: ReadonlyMap<string, Installed>): string | undefined {
  const steps = from === '' ? [] : from.split('/');
  for (let count = steps.length; count >= 0; count--) {
    const at = [...steps.slice(0, count), 'node_modules', name].join('/');
    if (places.has(at)) return at;
  }
  return undefined;
}

function anyOf(names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, '*']));
}

function placesOf(plan: RepositoryPlan): ReadonlyMap<string, Installed> {
  const places = new Map<string, Installed>([['', { dependencies: anyOf(chosen(plan.installs, EXTERNALS)) }]]);
  for (const [index, one] of plan.packages.entries()) {
    const name = packageName(index);
    if (one.gone) continue;
    places.set(name, {
      dependencies: anyOf(dependenciesOf(one, index)),
      devDependencies: anyOf(devDependenciesOf(one, index)),
    });
    places.set(`node_modules/${name}`, { resolved: name, link: true });
    if (one.own > 0) places.set(`${name}/node_modules/e0`, { version: `9.0.${one.own}` });
  }
  for (const [index, name] of EXTERNALS.entries()) {
    const next = EXTERNALS[index + 1];
    const leads = next !== undefined && (plan.leads >> index) % 2 === 1;
    places.set(`node_modules/${name}`, {
      version: `1.0.${plan.versions[index]}`,
      dependencies: anyOf(leads ? [next] : []),
    });
  }
  if (plan.inner > 0) places.set('node_modules/e0/node_modules/e1', { version: `2.0.${plan.inner}` });
  places.set('node_modules/e9', { version: `1.0.${plan.stray}` });
  return places;
}
