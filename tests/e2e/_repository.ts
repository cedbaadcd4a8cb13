/** Random repositories of packages, whose plans can be changed one figure at a time. */
import { type Blueprint, inTurn, type Made, type Planned } from './_blueprint.ts';
import { type PlanEdit, planEdit } from './_edits.ts';
import { SUM_COMMAND, templateCommand } from './_repository-command.ts';
import { lockText } from './_repository-lock.ts';
import { loadable, makeSum, makeTemplate, type Needed } from './_repository-model.ts';
import {
  IGNORES,
  INPUTS,
  LOOKS,
  MOST_PACKAGES,
  manifestOf,
  NEEDS,
  OWN_IGNORES,
  type PackagePlan,
  packageName,
  type RepositoryPlan,
  repositoryPlan,
  rootManifestOf,
  type TemplatePlan,
} from './_repository-plan.ts';
import type { World } from './_story.ts';
import { TEXTS } from './_task-plan.ts';
import type { Things } from './_things.ts';

/** A task, with what makes what it makes. */
interface Part extends Planned {
  make(standing: Things, made: readonly (Made | undefined)[]): Made;
}

export class Repository implements Blueprint {
  readonly tasks: readonly Part[];
  readonly #plan: RepositoryPlan;

  constructor(plan: RepositoryPlan) {
    this.#plan = plan;
    this.tasks = partsOf(plan);
  }

  get files(): ReadonlyMap<string, string> {
    const plan = this.#plan;
    const files = new Map([
      ['fleche.config.toml', configOf(plan)],
      ['package-lock.json', lockText(plan)],
      ['.gitignore', IGNORES[plan.ignores] ?? ''],
      ['package.json', rootManifestOf(plan)],
    ]);
    for (const [index, one] of plan.packages.entries()) {
      if (one.gone) continue;
      files.set(`${packageName(index)}/package.json`, manifestOf(one, index));
      files.set(`${packageName(index)}/.gitignore`, OWN_IGNORES[one.ignores] ?? '');
    }
    return files;
  }

  get absent(): readonly string[] {
    return this.#plan.packages.flatMap(({ gone }, index) => (gone ? [packageName(index)] : []));
  }

  evaluate(things: Things): readonly (Made | undefined)[] {
    return inTurn(this.tasks, things, (index, standing, made) => {
      const part = this.tasks[index];
      if (part === undefined) throw new RangeError(`no task ${index}`);
      return part.make(standing, made);
    });
  }

  edited({ key, at, value }: PlanEdit): Repository {
    return new Repository(replanned(this.#plan, key, at, value));
  }
}

function partsOf(plan: RepositoryPlan): readonly Part[] {
  const parts: Part[] = [];
  const add = (
    task: Pick<Part, 'name' | 'outputs' | 'areas' | 'folder'>,
    needs: readonly string[],
    make: (standing: Things, needed: Needed) => Made,
  ): void => {
    const places = needs.map((need) => parts.findIndex(({ name }) => name === need)).sort((a, b) => a - b);
    parts.push({
      ...task,
      needs: places,
      cache: true,
      make: (standing, made) =>
        make(
          standing,
          places.map((at) => [parts[at]?.name ?? '', made[at]] as const),
        ),
    });
  };
  for (const [index, { gone }] of plan.packages.entries()) {
    if (gone) continue;
    const home = packageName(index);
    const below = loadable(plan, index).map((other) => `${other}#build`);
    const dist = `${home}/dist`;
    add({ name: `${home}#build`, outputs: [`${dist}/**`], areas: [dist], folder: dist }, below, (standing, needed) =>
      makeTemplate('build', plan, index, standing, needed),
    );
    const needs = plan.check.needs.flatMap((need) => (need === 'build' ? [`${home}#build`] : below));
    add({ name: `${home}#check`, outputs: [], areas: [], folder: undefined }, needs, (standing, needed) =>
      makeTemplate('check', plan, index, standing, needed),
    );
  }
  const builds = parts.flatMap(({ name }) => (name.endsWith('#build') ? [name] : []));
  add({ name: 'sum', outputs: ['sum'], areas: ['sum'], folder: undefined }, builds, (standing, needed) =>
    makeSum(plan, standing, needed),
  );
  return parts;
}

function replanned(plan: RepositoryPlan, key: string, at: number, value: number): RepositoryPlan {
  const count = plan.packages.length;
  const inPackage = (place: number, change: (one: PackagePlan) => Partial<PackagePlan>): RepositoryPlan => ({
    ...plan,
    packages: plan.packages.map((one, index) => (index === place % count ? { ...one, ...change(one) } : one)),
  });
  const inTemplate = (change: (one: TemplatePlan) => Partial<TemplatePlan>): RepositoryPlan =>
    at % 2 === 0
      ? { ...plan, build: { ...plan.build, ...change(plan.build) } }
      : { ...plan, check: { ...plan.check, ...change(plan.check) } };
  switch (key) {
    case 'depends':
    case 'develops':
    case 'installs':
    case 'own':
    case 'face':
    case 'script':
      return inPackage(at, () => ({ [key]: value }));
    case 'own-ignores':
      return inPackage(at, () => ({ ignores: value }));
    case 'gone':
      // One package stays.
      return inPackage(1 + (at % (count - 1)), ({ gone }) => ({ gone: !gone }));
    case 'noise':
      return inTemplate(({ noise }) => ({ noise: noise + 1 }));
    case 'inputs':
      return inTemplate(() => ({ inputs: INPUTS[value] ?? 'all' }));
    case 'view':
      return inTemplate(() => ({ view: LOOKS[value] ?? 'all' }));
    case 'lock':
      return inTemplate(({ lock }) => ({ lock: !lock }));
    case 'needs':
      return { ...plan, check: { ...plan.check, needs: NEEDS[value] ?? ['build'] } };
    case 'version':
      return { ...plan, versions: plan.versions.map((one, index) => (index === at % 3 ? value : one)) };
    case 'root-installs':
      return { ...plan, installs: value };
    case 'leads':
    case 'inner':
    case 'stray':
    case 'ignores':
    case 'style':
      return { ...plan, [key]: value };
    default:
      throw new RangeError(`no figure ${key}`);
  }
}

function configOf(plan: RepositoryPlan): string {
  const template = (task: 'build' | 'check', lines: readonly string[]): string => {
    const inputs = {
      all: [],
      sources: ['inputs = ["src/**", "//base/*"]'],
      below: ['inputs = ["src/**", "^src/**"]'],
    }[plan[task].inputs];
    const lock = plan[task].lock ? [] : ['lock = false'];
    const run = `run = '''${templateCommand(task, plan)}'''`;
    return [`[templates.${task}]`, run, 'pass_env = ["TEST_LOG"]', ...lines, ...inputs, ...lock].join('\n');
  };
  const sections = [
    '[default]\nroot = true\ntasks = ["build", "check", "sum"]',
    '[workspace]\npackages = ["p*"]',
    template('build', ['needs = ["^build"]', 'outputs = ["dist/**"]']),
    template('check', [`needs = ${JSON.stringify(plan.check.needs)}`]),
    `[tasks.sum]\nrun = '''${SUM_COMMAND}'''\nneeds = ["^build"]\ninputs = []\noutputs = ["sum"]\npass_env = ["TEST_LOG"]`,
  ];
  return `${sections.join(`\n\n${'# of no matter\n'.repeat(plan.style)}`)}\n`;
}

const FILES = Array.from({ length: MOST_PACKAGES }, (_, index) =>
  ['src/a', 'src/b', 'notes/n', 'x.log'].map((file) => `${packageName(index)}/${file}`),
).flat();

const FIGURES = planEdit(
  ['depends', 7, 4],
  ['develops', 3, 2],
  ['installs', 7, 2],
  ['own', 1, 1],
  ['face', 1, 1],
  ['script', 1, 1],
  ['own-ignores', OWN_IGNORES.length - 1, 1],
  ['gone', 0, 1],
  ['noise', 0, 1],
  ['inputs', INPUTS.length - 1, 1],
  ['view', LOOKS.length - 1, 1],
  ['lock', 0, 1],
  ['needs', NEEDS.length - 1, 1],
  ['version', 2, 3],
  ['root-installs', 7, 1],
  ['leads', 7, 1],
  ['inner', 2, 1],
  ['stray', 2, 1],
  ['ignores', IGNORES.length - 1, 2],
  ['style', 2, 1],
);

export const REPOSITORIES: World<RepositoryPlan> = {
  files: [...FILES, 'base/conf'],
  texts: TEXTS,
  restless: 20,
  begin: { 'p0/src/a': 'a', 'p1/src/a': 'b', 'p0/notes/n': 'a', 'p1/x.log': 'a', 'base/conf': 'a' },
  figures: FIGURES,
  watchedFigures: FIGURES,
  plan: () => repositoryPlan,
  draw: (plan) => new Repository(plan),
};
