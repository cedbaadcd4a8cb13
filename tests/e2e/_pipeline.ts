/** Random pipelines of tasks in one folder, whose plans can be changed one figure at a time. */
import * as fc from 'fast-check';
import { type Blueprint, inTurn, type Made, type Planned } from './_blueprint.ts';
import { type PlanEdit, planEdit } from './_edits.ts';
import type { World } from './_story.ts';
import { commandOf } from './_task-command.ts';
import { make } from './_task-model.ts';
import {
  areasOf,
  FILES,
  FORMS,
  folderOf,
  HEADERS,
  inputsOf,
  nameOf,
  needsOf,
  outputsOf,
  reportOf,
  type TaskPlan,
  TELLS,
  TEXTS,
  taskPlan,
  VIEWS,
} from './_task-plan.ts';
import type { Things } from './_things.ts';

export class Pipeline implements Blueprint {
  readonly tasks: readonly Planned[];
  readonly absent: readonly string[] = [];
  readonly #plans: readonly TaskPlan[];

  constructor(plans: readonly TaskPlan[]) {
    this.#plans = plans;
    this.tasks = plans.map((plan, index) => ({
      name: nameOf(index),
      needs: needsOf(plan, index),
      outputs: outputsOf(plan, index),
      areas: areasOf(index),
      folder: folderOf(plan, index),
      cache: plan.cache,
    }));
  }

  get files(): ReadonlyMap<string, string> {
    return new Map([['fleche.config.toml', configOf(this.#plans)]]);
  }

  evaluate(things: Things, level: string | undefined): readonly (Made | undefined)[] {
    const plans = this.#plans;
    return inTurn(this.tasks, things, (index, standing, made) => {
      const plan = plans[index];
      if (plan === undefined) throw new RangeError(`no task ${index}`);
      return make(plan, index, plans, standing, made, level);
    });
  }

  edited({ key, at, value }: PlanEdit): Pipeline {
    const place = at % this.#plans.length;
    return new Pipeline(this.#plans.map((plan, index) => (index === place ? replanned(plan, key, value) : plan)));
  }
}

function replanned(plan: TaskPlan, key: string, value: number): TaskPlan {
  switch (key) {
    case 'noise':
      return { ...plan, noise: plan.noise + 1 };
    case 'place':
      return { ...plan, place: plan.place === 0 ? 1 : 0 };
    case 'view':
      return { ...plan, view: VIEWS[value] ?? 'all' };
    case 'form':
      return { ...plan, form: FORMS[value] ?? 'one' };
    case 'tells':
      return { ...plan, tells: TELLS[value] ?? 'nothing' };
    case 'needs':
      return { ...plan, needs: value };
    default:
      throw new RangeError(`no figure ${key}`);
  }
}

function configOf(plans: readonly TaskPlan[]): string {
  const list = (texts: readonly string[]): string => JSON.stringify(texts);
  const tasks = plans.map((plan, index) => {
    const lines = [
      `[tasks.${nameOf(index)}]`,
      `run = '''${commandOf(plan, index, plans)}'''`,
      `needs = ${list(needsOf(plan, index).map(nameOf))}`,
      `inputs = ${list(inputsOf(plan, index, plans))}`,
      `outputs = ${list(outputsOf(plan, index))}`,
      `env = ${list(plan.env ? ['LEVEL'] : [])}`,
      `pass_env = ["TEST_LOG"]`,
    ];
    if (!plan.cache) lines.push('cache = false');
    if (plan.tells !== 'nothing') lines.push(`discovered = { ${plan.tells} = "${reportOf(index)}" }`);
    return lines.join('\n');
  });
  return `[default]\nroot = true\ntasks = ${list(plans.map((_, index) => nameOf(index)))}\n\n${tasks.join('\n\n')}\n`;
}

export const PIPELINES: World<readonly TaskPlan[]> = {
  files: [...FILES, ...HEADERS],
  texts: TEXTS,
  restless: 5,
  begin: { 'src/a': 'a', 'src/d/a': 'ab', 'src/e/é': 'b', 'inc/a': 'b', 'inc/b': '' },
  figures: planEdit(
    ['noise', 0, 1],
    ['place', 0, 1],
    ['view', VIEWS.length - 1, 1],
    ['form', FORMS.length - 1, 1],
    ['tells', TELLS.length - 1, 1],
    ['needs', 127, 1],
  ),
  watchedFigures: planEdit(['noise', 0, 1], ['view', VIEWS.length - 1, 1], ['needs', 127, 1]),
  plan(manner) {
    const pause = manner === 'watch' ? fc.constantFrom(0, 0, 10, 30) : fc.constant(0);
    // What a depfile does not tell of, a header that is not there, a watch cannot wait for.
    const telling = (tells: TaskPlan['tells']): TaskPlan['tells'] =>
      manner === 'watch' && tells === 'depfile' ? 'list' : tells;
    const one = fc
      .record({ plan: taskPlan, pause })
      .map(({ plan, pause }): TaskPlan => ({ ...plan, pause, tells: telling(plan.tells) }));
    return fc.array(one, { minLength: 2, maxLength: 7 });
  },
  draw: (plans) => new Pipeline(plans),
};
