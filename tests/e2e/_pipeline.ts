/**
 * Random pipelines: their configuration, and independently of the program what each of their tasks makes of a given
 * workspace. A task looks at some sources and at what it needs, through a view that may ignore part of it, and writes
 * that down in one of several forms. A file with a `q` in what a task saw makes it fail after it has written.
 */
import * as fc from 'fast-check';

/** What stands at a path. */
export type Thing =
  | { readonly kind: 'file'; readonly text: string; readonly executable: boolean }
  | { readonly kind: 'link'; readonly target: string };

/** By path. */
export type Things = ReadonlyMap<string, Thing>;

export const VIEWS = ['all', 'first', 'names', 'modes', 'nothing'] as const;
export const FORMS = ['one', 'two', 'folder', 'link', 'program', 'none'] as const;

export interface TaskPlan {
  /** Files, and folders with all that is directly in them. */
  readonly sources: readonly Source[];
  /** Which of the tasks before it it needs, by bits. */
  readonly needs: number;
  readonly view: (typeof VIEWS)[number];
  readonly form: (typeof FORMS)[number];
  /** Whether the outputs of what it needs are named in its inputs; those in folders always are. */
  readonly named: boolean;
  /** Whether it writes in the one place or the other. */
  readonly place: 0 | 1;
  /** Changes the text of the command and nothing else. */
  readonly noise: number;
  /** Time between reading and writing, ms. */
  readonly pause: number;
  /** Whether it declares and shows a variable. */
  readonly env: boolean;
  readonly cache: boolean;
}

export type Source =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'folder'; readonly path: string };

export const FILES: readonly string[] = ['src/a', 'src/b', 'src/c', 'src/d/a', 'src/d/b', 'src/d/[x] y', 'src/e/é'];
export const FOLDERS: readonly string[] = ['src', 'src/d', 'src/e'];
/** Few and short, so that states come back. `q` is what fails. */
export const TEXTS: readonly string[] = ['a', 'ab', 'ac', 'b', 'xb', 'xa', 'a', 'b', '', 'aq'];

const source: fc.Arbitrary<Source> = fc.oneof(
  fc.constantFrom(...FILES).map((path): Source => ({ kind: 'file', path })),
  fc.constantFrom(...FOLDERS).map((path): Source => ({ kind: 'folder', path })),
);

export const taskPlan: fc.Arbitrary<TaskPlan> = fc.record({
  sources: fc.array(source, { maxLength: 2 }),
  needs: fc.nat(127),
  view: fc.constantFrom(...VIEWS),
  form: fc.constantFrom(...FORMS),
  named: fc.boolean(),
  place: fc.constantFrom(0, 1),
  noise: fc.constant(0),
  pause: fc.constant(0),
  env: fc.integer({ min: 0, max: 3 }).map((n) => n === 3),
  cache: fc.integer({ min: 0, max: 11 }).map((n) => n !== 11),
});

export function nameOf(index: number): string {
  return `t${index}`;
}

/** The tasks before it that a task needs. */
export function needsOf({ needs }: TaskPlan, index: number): readonly number[] {
  return Array.from({ length: index }, (_, other) => other).filter((other) => (needs >> other) & 1);
}

function baseOf({ place }: TaskPlan): string {
  return place === 0 ? 'out' : 'alt/out';
}

/** The folder of a task that writes one, where people may put files too; undefined for other forms. */
export function folderOf(plan: TaskPlan, index: number): string | undefined {
  return plan.form === 'folder' ? `${baseOf(plan)}/${nameOf(index)}` : undefined;
}

function literalsOf(plan: TaskPlan, index: number): readonly string[] {
  const path = `${baseOf(plan)}/${nameOf(index)}`;
  switch (plan.form) {
    case 'one':
    case 'program':
      return [path];
    case 'two':
      return [`${path}.1`, `${path}.2`];
    case 'link':
      return [path, `${path}.link`];
    default:
      return [];
  }
}

export function outputsOf(plan: TaskPlan, index: number): readonly string[] {
  const folder = folderOf(plan, index);
  return folder === undefined ? literalsOf(plan, index) : [`${folder}/**`];
}

/** Whether a path is, or once may have been, an output of a task. */
export function isAreaOf(index: number, path: string): boolean {
  return new RegExp(`^(alt/)?out/t${index}($|[./])`).test(path);
}

export function inputsOf(plan: TaskPlan, index: number, plans: readonly TaskPlan[]): readonly string[] {
  const own = plan.sources.map(({ kind, path }) => (kind === 'file' ? path : `${path}/*`));
  const upstream = needsOf(plan, index).flatMap((need) => {
    const other = plans[need];
    if (other === undefined) return [];
    return plan.named || other.form === 'folder' ? outputsOf(other, need) : [];
  });
  return [...new Set([...own, ...upstream])];
}

/** The command, for `sh`: hardly more than what is built into it. */
export function commandOf(plan: TaskPlan, index: number, plans: readonly TaskPlan[]): string {
  const name = nameOf(index);
  const base = baseOf(plan);
  const path = `${base}/${name}`;
  const seen = {
    all: 'acc="$acc$1=$x,"',
    first: 'acc="$acc$c"',
    names: 'acc="$acc$1,"',
    modes: 'acc="$acc$1"; [ -x "$1" ] && acc="$acc*"; acc="$acc,"',
    nothing: ':',
  }[plan.view];
  const filed = `if [ -n "$c" ]; then case "$chars" in *"$c"*) ;; *) : >"${path}/$c"; chars="$chars$c";; esac; echo "$1" >>"${path}/$c"; fi`;
  const lines = [
    `echo ${name} >>"$TEST_LOG"; : ${plan.noise}; acc=; chars=`,
    `see() { [ -f "$1" ] || return 0; x=; read -r x <"$1"; c="\${x%"\${x#?}"}"; case "$c" in [a-z]) ;; *) c=;; esac; ${seen}; ${plan.form === 'folder' ? filed : ':'}; }`,
  ];
  if (plan.form !== 'none') {
    const folder = plan.form === 'folder' ? path : base;
    lines.push(`[ -d ${folder} ] || mkdir -p ${folder}`);
  }
  for (const { kind, path } of plan.sources) {
    lines.push(kind === 'file' ? `see '${path}'` : `for f in '${path}'/*; do see "$f"; done`);
  }
  for (const need of needsOf(plan, index)) {
    const other = plans[need];
    if (other === undefined) continue;
    const folder = folderOf(other, need);
    if (folder !== undefined) lines.push(`for f in ${folder}/*; do see "$f"; done`);
    for (const literal of literalsOf(other, need)) lines.push(`see ${literal}`);
  }
  if (plan.env) lines.push(`acc="$acc/$LEVEL"`);
  lines.push('echo "$acc"');
  if (plan.pause > 0) lines.push(`sleep ${plan.pause / 1000}`);
  switch (plan.form) {
    case 'one':
      lines.push(`echo "$acc" >${path}`);
      break;
    case 'two':
      lines.push(`echo "$acc" >${path}.1`, `echo "\${#acc}" >${path}.2`);
      break;
    case 'link':
      lines.push(`echo "$acc" >${path}`, `ln -sf ${name} ${path}.link`);
      break;
    case 'program':
      lines.push(`echo "$acc" >${path}`, `case "$acc" in *x*) chmod +x ${path};; esac`);
      break;
    case 'folder':
      lines.push(`echo "$acc" >${path}/all`);
      break;
    case 'none':
      break;
  }
  lines.push('case "$acc" in *q*) exit 7;; esac');
  return lines.join('\n');
}

export function configOf(plans: readonly TaskPlan[]): string {
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
    return lines.join('\n');
  });
  return `[default]\nroot = true\ntasks = ${list(plans.map((_, index) => nameOf(index)))}\n\n${tasks.join('\n\n')}\n`;
}

/** What became of one task, as it has to be. */
export interface Made {
  readonly fails: boolean;
  readonly printed: string;
  readonly outputs: Things;
  /** Everything its answer may depend on, as text. */
  readonly question: string;
}

/**
 * What the tasks make of a workspace: `things` is all in it that no task wrote. What needs something that fails makes
 * nothing.
 */
export function evaluate(
  plans: readonly TaskPlan[],
  things: Things,
  level: string | undefined,
): readonly (Made | undefined)[] {
  const standing = new Map(things);
  const made: (Made | undefined)[] = [];
  for (const [index, plan] of plans.entries()) {
    const needs = needsOf(plan, index).map((need) => made[need]);
    const one = needs.every((need) => need !== undefined && !need.fails)
      ? make(plan, index, plans, standing, made, level)
      : undefined;
    made.push(one);
    if (one !== undefined && !one.fails) for (const [path, thing] of one.outputs) standing.set(path, thing);
  }
  return made;
}

function make(
  plan: TaskPlan,
  index: number,
  plans: readonly TaskPlan[],
  standing: Things,
  made: readonly (Made | undefined)[],
  level: string | undefined,
): Made {
  const paths: string[] = [];
  for (const { kind, path } of plan.sources) paths.push(...(kind === 'file' ? [path] : directlyIn(standing, path)));
  for (const need of needsOf(plan, index)) {
    const other = plans[need];
    if (other === undefined) continue;
    const folder = folderOf(other, need);
    paths.push(...(folder === undefined ? literalsOf(other, need) : directlyIn(standing, folder)));
  }
  let acc = '';
  const byChar = new Map<string, string>();
  for (const path of paths) {
    const file = followed(standing, path);
    if (file === undefined) continue;
    const line = file.text.split('\n')[0] ?? '';
    const first = /^[a-z]/.exec(line)?.[0] ?? '';
    if (plan.view === 'all') acc += `${path}=${line},`;
    else if (plan.view === 'first') acc += first;
    else if (plan.view === 'names') acc += `${path},`;
    else if (plan.view === 'modes') acc += `${path}${file.executable ? '*' : ''},`;
    if (first !== '') byChar.set(first, `${byChar.get(first) ?? ''}${path}\n`);
  }
  if (plan.env) acc += `/${level ?? ''}`;
  const question = JSON.stringify([
    commandOf(plan, index, plans),
    outputsOf(plan, index),
    plan.env ? [level ?? null] : [],
    inputsOf(plan, index, plans).map((pattern) => [
      pattern,
      matching(standing, pattern).map((path) => shown(standing, path)),
    ]),
    needsOf(plan, index).map((need) => [...(made[need]?.outputs ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))),
  ]);
  return { fails: acc.includes('q'), printed: `${acc}\n`, outputs: written(plan, index, acc, byChar), question };
}

function written(plan: TaskPlan, index: number, acc: string, byChar: ReadonlyMap<string, string>): Things {
  const path = `${baseOf(plan)}/${nameOf(index)}`;
  const file = (text: string, executable = false): Thing => ({ kind: 'file', text, executable });
  switch (plan.form) {
    case 'one':
      return new Map([[path, file(`${acc}\n`)]]);
    case 'program':
      return new Map([[path, file(`${acc}\n`, acc.includes('x'))]]);
    case 'two':
      return new Map([
        [`${path}.1`, file(`${acc}\n`)],
        [`${path}.2`, file(`${Buffer.byteLength(acc)}\n`)],
      ]);
    case 'link':
      return new Map<string, Thing>([
        [path, file(`${acc}\n`)],
        [`${path}.link`, { kind: 'link', target: nameOf(index) }],
      ]);
    case 'folder':
      return new Map([
        ...[...byChar].map(([char, text]): [string, Thing] => [`${path}/${char}`, file(text)]),
        [`${path}/all`, file(`${acc}\n`)],
      ]);
    case 'none':
      return new Map();
  }
}

/** What is in a folder itself, in the order of the shell. */
function directlyIn(things: Things, folder: string): readonly string[] {
  return below(things, folder).filter((path) => !path.slice(folder.length + 1).includes('/'));
}

function below(things: Things, folder: string): readonly string[] {
  return [...things.keys()]
    .filter((path) => path.startsWith(`${folder}/`))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** A pattern that matches a folder stands for all that is in it. */
function matching(things: Things, pattern: string): readonly string[] {
  return pattern.includes('*') ? below(things, pattern.slice(0, pattern.indexOf('/*'))) : [pattern];
}

/** What a path shows to a task that reads it, links followed one step, which is all there is. */
function followed(things: Things, path: string): Extract<Thing, { kind: 'file' }> | undefined {
  const thing = things.get(path);
  if (thing?.kind !== 'link') return thing;
  const target = things.get(path.slice(0, path.lastIndexOf('/') + 1) + thing.target);
  return target?.kind === 'file' ? target : undefined;
}

function shown(things: Things, path: string): unknown {
  const thing = things.get(path);
  if (thing?.kind !== 'link') return [path, thing ?? null];
  return [path, thing.target, followed(things, path) ?? null];
}
