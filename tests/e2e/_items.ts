/**
 * Random pipelines of tasks that are done for each of many files: of the sources, or of those that the task before wrote;
 * and of tasks that put together what the one before wrote. What an item shows is its name, the first line of its file, and
 * of a header if it reads one. Items of some tasks go on from there to headers that nobody declares, and tell which they
 * were. A `q` in what an item shows makes it fail after it has written.
 */
import * as fc from 'fast-check';
import { type Blueprint, inTurn, type Made, type MadeItem, type Planned } from './_blueprint.ts';
import { type PlanEdit, planEdit } from './_edits.ts';
import type { World } from './_story.ts';
import { includes, reporting } from './_task-command.ts';
import { included, sorted } from './_task-model.ts';
import { areasOf, FILES, HEADERS, nameOf, type TaskPlan, TELLS, TEXTS } from './_task-plan.ts';
import { below, followed, plainFile, shown, type Things } from './_things.ts';

const OF = ['src', 'src/d', 'before', 'all before'] as const;
const FORMS = ['file', 'folder', 'none'] as const;
const HEADER = 'inc/a';

interface ItemsPlan {
  /** The sources below a folder, what the task before wrote, or that as a whole. */
  readonly of: (typeof OF)[number];
  /** What each item writes. */
  readonly form: (typeof FORMS)[number];
  readonly header: boolean;
  /** How an item tells which headers it came to. */
  readonly tells: TaskPlan['tells'];
  readonly place: 0 | 1;
  /** Changes the text of the command and nothing else. */
  readonly noise: number;
}

/** A task as it turns out among the others. */
interface Laid {
  readonly plan: ItemsPlan;
  readonly name: string;
  /** Below which everything that it writes lies; undefined for none. */
  readonly base: string | undefined;
  /** The task that its items are of, or that it puts together. */
  readonly need: number | undefined;
  readonly isWhole: boolean;
  /** The folder that its items lie below. */
  readonly folder: string;
}

function laid(plans: readonly ItemsPlan[]): readonly Laid[] {
  const all: Laid[] = [];
  for (const [index, plan] of plans.entries()) {
    const before = all.at(-1);
    const isOfBefore = plan.of.endsWith('before') && before?.base !== undefined;
    const isWhole = isOfBefore && plan.of === 'all before';
    const place = plan.place === 0 ? `out/${nameOf(index)}` : `alt/out/${nameOf(index)}`;
    const sources = plan.of === 'src/d' ? 'src/d' : 'src';
    all.push({
      plan,
      name: nameOf(index),
      base: plan.form === 'none' && !isWhole ? undefined : place,
      need: isOfBefore ? index - 1 : undefined,
      isWhole,
      folder: isOfBefore ? (before?.base ?? '') : sources,
    });
  }
  return all;
}

function outputsOf({ plan, base, isWhole }: Laid): readonly string[] {
  if (base === undefined) return [];
  if (isWhole) return [`${base}/all`];
  return [`${base}/{dir}/{name}{ext}${plan.form === 'folder' ? '/**' : ''}`];
}

function reportOf(name: string): string {
  return `told/${name}/{dir}/{name}{ext}`;
}

function commandOf(task: Laid): string {
  const { plan, name, base, isWhole, folder } = task;
  const header = plan.header ? `h=; [ -f ${HEADER} ] && read -r h <${HEADER}; acc="$acc<$h>"` : ':';
  const lines = [`: ${plan.noise}; acc=`];
  if (isWhole) {
    lines.push(`echo ${name} >>"$TEST_LOG"`, `mkdir -p ${base}`);
    const levels = [`${folder}/*`, `${folder}/*/*`, `${folder}/*/*/*`].join(' ');
    lines.push(`for f in ${levels}; do [ -f "$f" ] || continue; x=; read -r x <"$f"; acc="$acc$f=$x,"; done`, header);
    lines.push(`echo "$acc" >${base}/all`);
  } else {
    lines.push(`echo "${name}[{path}]" >>"$TEST_LOG"`);
    if (plan.tells !== 'nothing') lines.push(...includes(plan.tells));
    lines.push(`x=; [ -f {path} ] && read -r x <{path}; y=$x; acc="{path}=$x"`, header);
    if (plan.tells !== 'nothing') {
      lines.push(`c="\${y%"\${y#?}"}"; case "$c" in [a-z]) include "$c";; esac`, reporting(plan.tells, reportOf(name)));
    }
    const place = `${base}/{dir}/{name}{ext}`;
    if (plan.form === 'file') lines.push(`echo "$acc" >${place}`);
    if (plan.form === 'folder')
      lines.push(`echo "$acc" >${place}/all; c="\${y%"\${y#?}"}"; [ -z "$c" ] || : >${place}/"$c"`);
  }
  lines.push('case "$acc" in *q*) exit 7;; esac');
  return lines.join('\n');
}

class ItemsPipeline implements Blueprint {
  readonly tasks: readonly Planned[];
  readonly absent: readonly string[] = [];
  readonly #plans: readonly ItemsPlan[];
  readonly #laid: readonly Laid[];

  constructor(plans: readonly ItemsPlan[]) {
    this.#plans = plans;
    this.#laid = laid(plans);
    this.tasks = this.#laid.map(({ name, base, need, isWhole }, index) => ({
      name,
      needs: need === undefined ? [] : [need],
      outputs: base === undefined ? [] : [isWhole ? `${base}/all` : `${base}/**`],
      areas: areasOf(index),
      folder: isWhole ? undefined : base,
      cache: true,
    }));
  }

  get files(): ReadonlyMap<string, string> {
    return new Map([['fleche.config.toml', configOf(this.#laid)]]);
  }

  evaluate(things: Things): readonly (Made | undefined)[] {
    return inTurn(this.tasks, things, (index, standing, made) => {
      const task = this.#laid[index];
      if (task === undefined) throw new RangeError(`no task ${index}`);
      const before = task.need === undefined ? undefined : made[task.need]?.outputs;
      return task.isWhole ? whole(task, standing, before) : each(task, standing, before);
    });
  }

  edited({ key, at, value }: PlanEdit): ItemsPipeline {
    const place = at % this.#plans.length;
    return new ItemsPipeline(this.#plans.map((plan, index) => (index === place ? replanned(plan, key, value) : plan)));
  }
}

function replanned(plan: ItemsPlan, key: string, value: number): ItemsPlan {
  switch (key) {
    case 'noise':
      return { ...plan, noise: plan.noise + 1 };
    case 'place':
      return { ...plan, place: plan.place === 0 ? 1 : 0 };
    case 'header':
      return { ...plan, header: !plan.header };
    case 'form':
      return { ...plan, form: FORMS[value] ?? 'file' };
    case 'tells':
      return { ...plan, tells: TELLS[value] ?? 'nothing' };
    default:
      return { ...plan, of: OF[value] ?? 'src' };
  }
}

/** What the question of every item has, and of a task without items. */
function commonOf(task: Laid, standing: Things): readonly unknown[] {
  return [task.name, commandOf(task), outputsOf(task), task.folder, task.plan.header && shown(standing, HEADER)];
}

function firstLine(standing: Things, path: string): string {
  return followed(standing, path)?.text.split('\n')[0] ?? '';
}

function each(task: Laid, standing: Things, before: Things | undefined): Made {
  const { plan, name, base, folder } = task;
  const paths = before === undefined ? below(standing, folder) : below(before, folder);
  const outputs = new Map<string, ReturnType<typeof plainFile>>();
  const items = paths.map((path): MadeItem => {
    const line = firstLine(standing, path);
    const told = new Map<string, unknown>();
    const letter = /^[a-z]/.exec(line)?.[0] ?? '';
    const chain = plan.tells === 'nothing' ? '' : included(letter, plan.tells === 'list', standing, told);
    const acc = `${path}=${line}${plan.header ? `<${firstLine(standing, HEADER)}>` : ''}${chain}`;
    const place = `${base}/${path.slice(folder.length + 1)}`;
    if (plan.form === 'file') outputs.set(place, plainFile(`${acc}\n`));
    if (plan.form === 'folder') {
      outputs.set(`${place}/all`, plainFile(`${acc}\n`));
      if (line !== '') outputs.set(`${place}/${line.slice(0, 1)}`, plainFile(''));
    }
    const question = JSON.stringify([commonOf(task, standing), shown(standing, path), sorted(told)]);
    return { name: `${name}[${path}]`, question, fails: acc.includes('q') };
  });
  const question = JSON.stringify(items.map((item) => item.question));
  return { fails: items.some(({ fails }) => fails), printed: '', outputs, question: `${question} ${task.name}`, items };
}

function whole(task: Laid, standing: Things, before: Things | undefined): Made {
  const { plan, base, folder } = task;
  const all = below(standing, folder);
  const depth = (path: string): number => path.slice(folder.length + 1).split('/').length;
  let acc = '';
  for (const level of [1, 2, 3]) {
    for (const path of all) {
      if (depth(path) === level && followed(standing, path)) acc += `${path}=${firstLine(standing, path)},`;
    }
  }
  if (plan.header) acc += `<${firstLine(standing, HEADER)}>`;
  const read = all.map((path) => shown(standing, path));
  return {
    fails: acc.includes('q'),
    printed: '',
    outputs: new Map([[`${base}/all`, plainFile(`${acc}\n`)]]),
    question: JSON.stringify([commonOf(task, standing), read, [...(before ?? [])].sort()]),
  };
}

function configOf(tasks: readonly Laid[]): string {
  const list = (texts: readonly string[]): string => JSON.stringify(texts);
  const texts = tasks.map((task) => {
    const { plan, name, need, isWhole, folder } = task;
    const before = need === undefined ? '' : nameOf(need);
    const lines = [
      `[tasks.${name}]`,
      `run = '''${commandOf(task)}'''`,
      `inputs = ${list([...(plan.header ? [HEADER] : []), ...(isWhole ? [`${folder}/**`] : [])])}`,
      `outputs = ${list(outputsOf(task))}`,
      'pass_env = ["TEST_LOG"]',
    ];
    if (isWhole) lines.push(`needs = ["${before}"]`);
    else lines.push(`foreach = ${need === undefined ? `{ glob = "${folder}/**" }` : `{ from = "${before}" }`}`);
    if (!isWhole && plan.tells !== 'nothing') lines.push(`discovered = { ${plan.tells} = "${reportOf(name)}" }`);
    return lines.join('\n');
  });
  return `[default]\nroot = true\ntasks = ${list(tasks.map(({ name }) => name))}\n\n${texts.join('\n\n')}\n`;
}

const itemsPlan: fc.Arbitrary<ItemsPlan> = fc.record({
  of: fc.constantFrom(...OF),
  form: fc.constantFrom(...FORMS, 'file'),
  header: fc.integer({ min: 0, max: 2 }).map((n) => n === 2),
  tells: fc.constantFrom(...TELLS, 'list'),
  place: fc.constantFrom(0, 1),
  noise: fc.constant(0),
});

export const ITEMS: World<readonly ItemsPlan[]> = {
  files: [...FILES, ...HEADERS],
  texts: TEXTS,
  restless: 4,
  begin: { 'src/a': 'a', 'src/d/a': 'ab', 'src/e/é': 'b', [HEADER]: 'b', 'inc/b': '' },
  figures: planEdit(
    ['noise', 0, 1],
    ['place', 0, 1],
    ['header', 0, 1],
    ['form', FORMS.length - 1, 1],
    ['tells', TELLS.length - 1, 1],
    ['of', OF.length - 1, 1],
  ),
  watchedFigures: planEdit(['noise', 0, 1], ['header', 0, 1]),
  plan(manner) {
    // What a depfile does not tell of, a header that is not there, a watch cannot wait for.
    const telling = (tells: TaskPlan['tells']): TaskPlan['tells'] =>
      manner === 'watch' && tells === 'depfile' ? 'list' : tells;
    const one = itemsPlan.map((plan): ItemsPlan => ({ ...plan, tells: telling(plan.tells) }));
    return fc.array(one, { minLength: 1, maxLength: 4 });
  },
  draw: (plans) => new ItemsPipeline(plans),
};
