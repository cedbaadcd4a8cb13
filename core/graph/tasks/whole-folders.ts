/**
 * What a task reads that reads whole folders: which of their files it does not, because tasks write them that it does not
 * need. Pure.
 */
import { isWithin, type RelPath } from '../../base/paths.ts';
import { globsOf } from '../../files/globs/globs.ts';
import type { TaskGraph } from './graph.ts';
import type { Task } from './task.ts';
import type { Writers } from './writers.ts';

interface InputPatterns {
  /** For what is in the workspace. */
  readonly listed: readonly string[];
  /** For what upstream tasks write: also what git ignores. */
  readonly taken: readonly string[];
}

const known = new WeakMap<Writers, Map<Task, InputPatterns>>();

/** The patterns of a task's inputs. The same lists as long as `writers` and the task are the same. */
export function inputPatterns(task: Task, graph: TaskGraph, writers: Writers): InputPatterns {
  if (task.whole === undefined) return { listed: task.inputs, taken: task.inputs };
  const made = known.get(writers) ?? new Map<Task, InputPatterns>();
  known.set(writers, made);
  const patterns = made.get(task) ?? madeFor(task, task.whole, graph, writers);
  made.set(task, patterns);
  return patterns;
}

function madeFor(
  { name, inputs }: Task,
  { folders, patterns }: NonNullable<Task['whole']>,
  graph: TaskGraph,
  writers: Writers,
): InputPatterns {
  const others = writers.near(folders).filter((other) => other.name !== name && !graph.isUpstream(other.name, name));
  const written = others.flatMap(({ outputs }) => outputs.flatMap((pattern) => without(pattern, folders)));
  const named = inputs.slice(patterns);
  return {
    listed: [...inputs.slice(0, patterns), ...written, ...named],
    taken: [...folders.map(below), ...named],
  };
}

/** Takes away what an output pattern gives to its task, and gives back what it leaves, as far as that was wanted. */
function without(pattern: string, folders: readonly RelPath[]): readonly string[] {
  if (!pattern.startsWith('!')) return [`!${pattern}`];
  const left = pattern.slice(1);
  const bases = globsOf([left]).bases;
  return bases.every((base) => folders.some((folder) => isWithin(folder, base))) ? [left] : [];
}

/** The pattern for everything in a folder. */
export function below(folder: RelPath): string {
  return folder === '.' ? '**' : `${folder}/**`;
}
