/**
 * Tasks of random pipelines: what they look at, what they need, and what they declare. A task looks at some sources and at
 * what it needs, through a view that may ignore part of it, and writes that down in one of several forms. A task that tells
 * what it read looks further than it declares: what it saw begins with the name of a header, which begins with the name
 * of the next one, and of tasks that those before it needed it looks at what they wrote. Pure.
 */
import * as fc from 'fast-check';

export const VIEWS = ['all', 'first', 'names', 'modes', 'nothing'] as const;
export const FORMS = ['one', 'two', 'folder', 'link', 'program', 'none'] as const;
/** How a task tells what it read beside its inputs. A depfile cannot tell of what is not there: without a header it fails. */
export const TELLS = ['nothing', 'list', 'depfile'] as const;

export interface TaskPlan {
  /** Files, and folders with all that is directly in them. */
  readonly sources: readonly Source[];
  /** Which of the tasks before it it needs, by bits. */
  readonly needs: number;
  readonly view: (typeof VIEWS)[number];
  readonly form: (typeof FORMS)[number];
  readonly tells: (typeof TELLS)[number];
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
export const HEADERS: readonly string[] = ['a', 'b', 'x'].map(headerOf);
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
  tells: fc.constantFrom(...TELLS, 'nothing', 'nothing', 'list'),
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

export function headerOf(letter: string): string {
  return `inc/${letter}`;
}

/** Where a task tells what it read. */
export function reportOf(index: number): string {
  return `told/${nameOf(index)}`;
}

/** The tasks before it that a task needs. */
export function needsOf({ needs }: TaskPlan, index: number): readonly number[] {
  return Array.from({ length: index }, (_, other) => other).filter((other) => (needs >> other) & 1);
}

/** The tasks that what a task needs needs, but for those that it needs itself. */
export function farOf(index: number, plans: readonly TaskPlan[]): readonly number[] {
  const direct = (at: number): readonly number[] => {
    const plan = plans[at];
    return plan === undefined ? [] : needsOf(plan, at);
  };
  const found = new Set<number>();
  const own = direct(index);
  for (const rest = [...own]; rest.length > 0; ) {
    for (const need of direct(rest.pop() ?? 0)) if (found.size < found.add(need).size) rest.push(need);
  }
  return [...found].filter((far) => !own.includes(far)).sort((a, b) => a - b);
}

/** What a telling task looks at of what such a task wrote. */
export function farPathsOf(plan: TaskPlan, index: number): readonly string[] {
  const folder = folderOf(plan, index);
  return folder === undefined ? literalsOf(plan, index).slice(-1) : [`${folder}/all`];
}

export function baseOf({ place }: TaskPlan): string {
  return place === 0 ? 'out' : 'alt/out';
}

/** The folder of a task that writes one, where people may put files too; undefined for other forms. */
export function folderOf(plan: TaskPlan, index: number): string | undefined {
  return plan.form === 'folder' ? `${baseOf(plan)}/${nameOf(index)}` : undefined;
}

export function literalsOf(plan: TaskPlan, index: number): readonly string[] {
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

/** Where it writes or once may have written. */
export function areasOf(index: number): readonly string[] {
  return [`out/${nameOf(index)}`, `alt/out/${nameOf(index)}`];
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
