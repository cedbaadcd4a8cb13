/**
 * Who writes what: an output belongs to one task, and a task does not write over what it reads. Judged by the patterns
 * alone, so two patterns that differ and happen to meet in some file are not noticed here.
 */
import { FlecheError } from '../../../base/errors.ts';
import { isWithin, type RelPath } from '../../../base/paths.ts';
import { Globs } from '../../../files/globs/globs.ts';
import type { Task } from '../../../graph/tasks/task.ts';
import { label } from '../text/problems.ts';
import { CONFIG_FILE } from '../text/source.ts';
import type { Spot, TaskText } from './task-text.ts';

/** An output pattern that adds files. */
interface Claim {
  readonly task: Task;
  readonly index: number;
  readonly pattern: string;
  /** The folder below which all its matches lie, or the match itself; `.` is the project. */
  readonly base: string;
}

const MAGIC = /[*?[\](){}]/;

/**
 * Notes outputs that two tasks claim, that are listed twice, or that cover what their task reads; also its configuration,
 * of the project and of its package. `texts` say where the tasks are written.
 */
export function noteOverlaps(
  tasks: ReadonlyMap<string, Task>,
  texts: readonly TaskText[],
  origins: ReadonlyMap<string, readonly number[]>,
): void {
  const overlaps = new Overlaps(texts, origins);
  const byText = new Map<string, Claim>();
  const byBase = new Map<string, Claim[]>();
  const literals: Claim[] = [];
  for (const task of tasks.values()) {
    const claims = claimsOf(task);
    if (claims.length > 0) overlaps.noteOwn(task, claims);
    for (const claim of claims) {
      const first = byText.get(claim.pattern);
      if (first !== undefined) overlaps.noteTwice(claim, first);
      else byText.set(claim.pattern, claim);
      const same = byBase.get(claim.base);
      if (same === undefined) byBase.set(claim.base, [claim]);
      else same.push(claim);
      if (!MAGIC.test(claim.pattern)) literals.push(claim);
    }
  }
  for (const claim of literals)
    overlaps.noteCovered(
      claim,
      above(claim.pattern).flatMap((base) => byBase.get(base) ?? []),
    );
}

class Overlaps {
  readonly #texts: ReadonlyMap<string, TaskText>;
  readonly #origins: ReadonlyMap<string, readonly number[]>;
  /** Made only where the bases leave it open. */
  readonly #globs = new Map<Task, Globs | undefined>();

  constructor(texts: readonly TaskText[], origins: ReadonlyMap<string, readonly number[]>) {
    this.#origins = origins;
    this.#texts = new Map(texts.map((text) => [text.name, text]));
  }

  #add(task: Task, steps: readonly (string | number)[], says: string, hint: string): void {
    const spot: Spot | undefined = this.#texts.get(task.name)?.spot(...steps);
    const { path, problems } = spot ?? {};
    if (path === undefined) return;
    problems?.add({ code: 'CONFIG_OVERLAP', message: `${label(path)}: ${says}`, hint, path, on: 'value' });
  }

  #covers(task: Task, path: string): boolean {
    if (!this.#globs.has(task)) this.#globs.set(task, globsOf(task));
    return this.#globs.get(task)?.matches(path as RelPath) ?? false;
  }

  noteTwice({ task, pattern, index }: Claim, first: Claim): void {
    const at = spotOf(task, index);
    if (first.task === task) return this.#add(task, at, `"${pattern}" is there already`, 'Remove one of them.');
    const says = `"${pattern}" is an output of "${first.task.name}" too`;
    this.#add(task, at, says, 'Let one task write these files, and the other need it.');
  }

  /** `others` have bases at or above the literal path of the claim. */
  noteCovered({ task, pattern, index }: Claim, others: readonly Claim[]): void {
    const other = others.find((one) => one.task !== task && one.pattern !== pattern && this.#covers(one.task, pattern));
    if (other === undefined || !this.#covers(task, pattern)) return;
    const says = `"${pattern}" is covered by the outputs of "${other.task.name}", "${other.pattern}"`;
    const hint = `Add "!${pattern}" to the outputs of "${other.task.name}", or let one task write both.`;
    this.#add(task, spotOf(task, index), says, hint);
  }

  noteOwn(task: Task, claims: readonly Claim[]): void {
    const { folder } = this.#texts.get(task.name)?.home ?? { folder: '.' };
    const hint = 'A task must not write what it reads: narrow the outputs, or take the file away from them with "!".';
    const add = (text: string, steps: readonly (string | number)[]): void =>
      this.#add(task, steps, `the outputs cover "${text}", which the task reads`, hint);
    const note = (text: string, steps: readonly (string | number)[]): void => {
      if (claims.some(({ base }) => isWithin(base, text)) && this.#covers(task, text)) add(text, steps);
    };
    const [list = 'outputs'] = spotOf(task, 0);
    note(CONFIG_FILE, [list]);
    if (folder !== '.') note(`${folder}/${CONFIG_FILE}`, [list]);
    for (const [at, pattern] of task.inputs.entries()) {
      if (pattern.startsWith('!')) continue;
      const index = this.#origins.get(task.name)?.[at] ?? -1;
      if (index < 0) continue;
      const steps = ['inputs', index];
      if (isWholly(task, pattern)) add(pattern, steps);
      else if (!MAGIC.test(pattern)) note(pattern, steps);
    }
    if (task.body.kind === 'command') return;
    note(task.body.module, ['call']);
    for (const [name, arg] of Object.entries(task.body.args)) {
      if (arg.kind === 'file') note(arg.path, ['args', name, 'file']);
    }
  }
}

function claimsOf(task: Task): readonly Claim[] {
  return task.outputs.flatMap((pattern, index) =>
    pattern.startsWith('!') ? [] : [{ task, index, pattern, base: baseOf(pattern) }],
  );
}

/** Where an output is written, of two lists. */
function spotOf({ outputs, optional = [] }: Task, index: number): readonly (string | number)[] {
  const needed = outputs.length - optional.length;
  return index < needed ? ['outputs', index] : ['optional_outputs', index - needed];
}

/** Undefined for patterns that no glob can be made of, which has been noted where they are read. */
function globsOf(task: Task): Globs | undefined {
  try {
    return new Globs(task.outputs);
  } catch (error) {
    if (error instanceof FlecheError && error.code === 'CONFIG_INVALID') return undefined;
    throw error;
  }
}

/** Whether an output is the pattern as it is written, or all below it, and nothing is taken away from the outputs. */
function isWholly({ outputs }: Task, pattern: string): boolean {
  if (!outputs.includes(pattern) && !outputs.includes(`${pattern}/**`)) return false;
  return !outputs.some((other) => other.startsWith('!'));
}

/** The steps before the first one with magic. */
function baseOf(pattern: string): string {
  const magic = pattern.search(MAGIC);
  if (magic < 0) return pattern;
  return pattern.slice(0, Math.max(0, pattern.lastIndexOf('/', magic))) || '.';
}

/** The path itself and every folder above it, the project included. */
function above(path: string): readonly string[] {
  const steps = path.split('/');
  return ['.', ...steps.map((_, last) => steps.slice(0, last + 1).join('/'))];
}
