/**
 * What is configured, and what has to come of it: the tasks with what they need and write, the files that say so, and
 * what the tasks make of a workspace. Worked out independently of the program. Pure.
 */
import type { PlanEdit } from './_edits.ts';
import type { Things } from './_things.ts';

export interface Blueprint {
  /** In an order in which they can run. */
  readonly tasks: readonly Planned[];
  /** Texts of `fleche.config.toml` and of what else says so, by path. */
  readonly files: ReadonlyMap<string, string>;
  /** Folders that go, with all that is in them. */
  readonly absent: readonly string[];
  /**
   * What becomes of each task: `things` is all in the workspace that no task wrote. Undefined for what needs something
   * that fails.
   */
  evaluate(things: Things, level: string | undefined): readonly (Made | undefined)[];
  /** The same with an edit; itself for edits that do not concern it. */
  edited(edit: PlanEdit): Blueprint;
}

export interface Planned {
  readonly name: string;
  /** Tasks before it that it needs itself. */
  readonly needs: readonly number[];
  readonly outputs: readonly string[];
  /** Where it writes or once may have written. */
  readonly areas: readonly string[];
  /** The folder that it writes, where people may put files too; undefined for a task that writes none. */
  readonly folder: string | undefined;
  readonly cache: boolean;
}

/** What became of one item of a task, as it has to be. */
export interface MadeItem {
  readonly name: string;
  readonly question: string;
  readonly fails: boolean;
}

/** What became of one task, as it has to be. */
export interface Made {
  readonly fails: boolean;
  readonly printed: string;
  readonly outputs: Things;
  /** Everything its answer may depend on, as text. */
  readonly question: string;
  /** Of a task that is done for each of many: those, each with an answer of its own. */
  readonly items?: readonly MadeItem[];
}

/** What of a task is answered by itself: its items, or the task. */
export function partsOf(name: string, made: Made): readonly MadeItem[] {
  return made.items ?? [{ name, question: made.question, fails: made.fails }];
}

/** Whether a path is, or once may have been, an output of a task. */
export function isAreaOf({ areas }: Planned, path: string): boolean {
  return areas.some((area) => path.startsWith(area) && /^(?:$|[./])/.test(path.slice(area.length)));
}

/** Whether a path is what a task declares as an output. */
export function isOutputOf({ outputs }: Planned, path: string): boolean {
  return outputs.some((pattern) => (pattern.endsWith('**') ? path.startsWith(pattern.slice(0, -2)) : path === pattern));
}

/** A task and everything it needs, directly or through others. */
export function upTo(tasks: readonly Planned[], at: number): readonly number[] {
  const found = new Set([at]);
  for (let index = at; index >= 0; index--)
    if (found.has(index)) for (const need of tasks[index]?.needs ?? []) found.add(need);
  return [...found];
}

/** What each task makes, one after the other, of what stands there and what those before it wrote. */
export function inTurn(
  tasks: readonly Planned[],
  things: Things,
  make: (index: number, standing: Things, made: readonly (Made | undefined)[]) => Made,
): readonly (Made | undefined)[] {
  const standing = new Map(things);
  const made: (Made | undefined)[] = [];
  for (const [index, { needs }] of tasks.entries()) {
    const canRun = needs.every((need) => made[need]?.fails === false);
    const one = canRun ? make(index, standing, made) : undefined;
    made.push(one);
    if (one?.fails === false) for (const [path, thing] of one.outputs) standing.set(path, thing);
  }
  return made;
}
