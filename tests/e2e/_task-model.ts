/**
 * What the commands of random pipelines make of a workspace, worked out without them. A file with a `q` in what a task
 * saw makes it fail after it has written. Pure.
 */
import type { Made } from './_blueprint.ts';
import { commandOf } from './_task-command.ts';
import {
  baseOf,
  farOf,
  farPathsOf,
  folderOf,
  headerOf,
  inputsOf,
  literalsOf,
  nameOf,
  needsOf,
  outputsOf,
  type TaskPlan,
} from './_task-plan.ts';
import { below, directlyIn, followed, plainFile, shown, type Thing, type Things } from './_things.ts';

export function make(
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
  const told = new Map<string, unknown>();
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
    if (plan.tells !== 'nothing') acc += included(first, plan.tells === 'list', standing, told);
  }
  if (plan.tells !== 'nothing') {
    for (const path of farOf(index, plans).flatMap((far) => farPathsAt(far, plans))) {
      const file = followed(standing, path);
      acc += `(${file?.text.split('\n')[0]})`;
      told.set(path, file ?? null);
    }
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
    needsOf(plan, index).map((need) => [need, sorted(made[need]?.outputs ?? [])]),
    sorted(told),
  ]);
  return { fails: acc.includes('q'), printed: `${acc}\n`, outputs: written(plan, index, acc, byChar), question };
}

export function sorted<T>(entries: Iterable<readonly [string, T]>): readonly (readonly [string, T])[] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
}

function farPathsAt(far: number, plans: readonly TaskPlan[]): readonly string[] {
  const plan = plans[far];
  return plan === undefined ? [] : farPathsOf(plan, far);
}

/** What a task shows of the headers that begin with this one, as far as it did not come to them before. */
export function included(letter: string, mayMiss: boolean, standing: Things, told: Map<string, unknown>): string {
  let acc = '';
  for (let next = letter; next !== '' && !told.has(headerOf(next)); ) {
    const file = followed(standing, headerOf(next));
    told.set(headerOf(next), file ?? null);
    const line = file?.text.split('\n')[0] ?? (mayMiss ? '' : 'q');
    acc += `<${line}>`;
    next = /^[a-z]/.exec(line)?.[0] ?? '';
  }
  return acc;
}

function written(plan: TaskPlan, index: number, acc: string, byChar: ReadonlyMap<string, string>): Things {
  const path = `${baseOf(plan)}/${nameOf(index)}`;
  switch (plan.form) {
    case 'one':
      return new Map([[path, plainFile(`${acc}\n`)]]);
    case 'program':
      return new Map([[path, plainFile(`${acc}\n`, acc.includes('x'))]]);
    case 'two':
      return new Map([
        [`${path}.1`, plainFile(`${acc}\n`)],
        [`${path}.2`, plainFile(`${Buffer.byteLength(acc)}\n`)],
      ]);
    case 'link':
      return new Map<string, Thing>([
        [path, plainFile(`${acc}\n`)],
        [`${path}.link`, { kind: 'link', target: nameOf(index) }],
      ]);
    case 'folder':
      return new Map([
        ...[...byChar].map(([char, text]): [string, Thing] => [`${path}/${char}`, plainFile(text)]),
        [`${path}/all`, plainFile(`${acc}\n`)],
      ]);
    case 'none':
      return new Map();
  }
}

/** A pattern that matches a folder stands for all that is in it. */
function matching(things: Things, pattern: string): readonly string[] {
  return pattern.includes('*') ? below(things, pattern.slice(0, pattern.indexOf('/*'))) : [pattern];
}
