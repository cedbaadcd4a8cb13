/**
 * Repositories of packages at random: how packages depend on each other, what is installed for them, what git ignores, and
 * the two templates that all of them share. Plain data, and the files that say it. Pure.
 */
import * as fc from 'fast-check';

export interface PackagePlan {
  /** Which of the packages before it it depends on, by bits; and which for its own development. */
  readonly depends: number;
  readonly develops: number;
  /** Which of `EXTERNALS` it depends on, by bits. */
  readonly installs: number;
  /** The version of the first external that is installed for it alone; 0 for none. */
  readonly own: number;
  /** What in its manifest matters to who loads it, and what matters to nobody else. */
  readonly face: number;
  readonly script: number;
  /** Its own ignore file, of `OWN_IGNORES`. */
  readonly ignores: number;
  readonly gone: boolean;
}

export interface TemplatePlan {
  readonly inputs: (typeof INPUTS)[number];
  readonly view: (typeof LOOKS)[number];
  readonly noise: number;
  /** Whether what is installed is part of the question. */
  readonly lock: boolean;
}

export interface RepositoryPlan {
  readonly packages: readonly PackagePlan[];
  readonly build: TemplatePlan;
  readonly check: TemplatePlan & { readonly needs: readonly string[] };
  /** Versions of `EXTERNALS`, and which of them depend on the next one, by bits. */
  readonly versions: readonly number[];
  readonly leads: number;
  /** The version of the second external that is installed for the first alone; 0 for none. */
  readonly inner: number;
  /** Which externals the root depends on, by bits; and the version of one that nothing depends on. */
  readonly installs: number;
  readonly stray: number;
  /** The ignore file of the root, of `IGNORES`. */
  readonly ignores: number;
  /** Changes how configuration and lock file are written, and nothing of what they say. */
  readonly style: number;
}

export const EXTERNALS: readonly string[] = ['e0', 'e1', 'e2'];
/** What a template reads: all in its folder; sources, and the folder `base`; sources, and those of all packages below. */
export const INPUTS = ['all', 'sources', 'below'] as const;
export const LOOKS = ['all', 'first', 'names', 'nothing'] as const;
export const NEEDS: readonly (readonly string[])[] = [['build'], ['^build'], ['build', '^build']];
export const IGNORES: readonly string[] = ['', 'notes/', '*.log', 'dist/', 'notes/\n*.log\ndist/', '/p0/notes/'];
export const OWN_IGNORES: readonly string[] = ['', '!x.log', 'notes/'];
export const MOST_PACKAGES = 3;

const bits = fc.nat(7);
const version = fc.nat(2);

const packagePlan: fc.Arbitrary<PackagePlan> = fc.record({
  depends: bits,
  develops: fc.nat(3),
  installs: bits,
  own: fc.constantFrom(0, 0, 1),
  face: fc.constant(0),
  script: fc.constant(0),
  ignores: fc.nat(OWN_IGNORES.length - 1),
  gone: fc.constant(false),
});

const template = {
  inputs: fc.constantFrom(...INPUTS),
  view: fc.constantFrom(...LOOKS),
  noise: fc.constant(0),
  lock: fc.constantFrom(true, true, false),
};

/** The last depends on one that names the first for its own development only: what is below it ends there. */
const developed = fc
  .tuple(packagePlan, packagePlan, packagePlan)
  .map(([first, middle, last]) => [
    first,
    { ...middle, depends: 0, develops: 1 },
    { ...last, depends: 2, develops: 0 },
  ]);

export const repositoryPlan: fc.Arbitrary<RepositoryPlan> = fc.record({
  packages: fc.oneof(
    { weight: 2, arbitrary: fc.array(packagePlan, { minLength: 2, maxLength: MOST_PACKAGES }) },
    { weight: 1, arbitrary: developed },
  ),
  build: fc.record(template),
  check: fc.record({ ...template, needs: fc.constantFrom(...NEEDS) }),
  versions: fc.tuple(version, version, version),
  leads: bits,
  inner: version,
  installs: bits,
  stray: version,
  ignores: fc.nat(IGNORES.length - 1),
  style: fc.constant(0),
});

export function packageName(index: number): string {
  return `p${index}`;
}

/** The names that some bits choose. */
export function chosen(bits: number, names: readonly string[]): readonly string[] {
  return names.filter((_, at) => (bits >> at) & 1);
}

/** Everything a package names in its manifest, in the workspace or not. */
export function dependenciesOf({ depends, installs }: PackagePlan, index: number): readonly string[] {
  return [...chosen(depends, namesBefore(index)), ...chosen(installs, EXTERNALS)];
}

export function devDependenciesOf({ depends, develops }: PackagePlan, index: number): readonly string[] {
  return chosen(develops & ~depends, namesBefore(index));
}

function namesBefore(index: number): readonly string[] {
  return Array.from({ length: index }, (_, at) => packageName(at));
}

/** What in a manifest can matter to who loads the package. */
export function faceOf(plan: PackagePlan, index: number): Readonly<Record<string, unknown>> {
  const dependencies = Object.fromEntries(dependenciesOf(plan, index).map((name) => [name, '*']));
  return { name: packageName(index), main: `main${plan.face}.js`, dependencies };
}

/** A manifest, an entry a line. */
export function manifestOf(plan: PackagePlan, index: number): string {
  const devDependencies = Object.fromEntries(devDependenciesOf(plan, index).map((name) => [name, '*']));
  return `${JSON.stringify({ ...faceOf(plan, index), devDependencies, scripts: { x: `echo ${plan.script}` } }, null, 1)}\n`;
}

export function rootManifestOf({ installs }: RepositoryPlan): string {
  const dependencies = Object.fromEntries(chosen(installs, EXTERNALS).map((name) => [name, '*']));
  return JSON.stringify({ name: 'root', private: true, dependencies });
}
