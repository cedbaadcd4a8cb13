/** What the tasks of a watch were found to depend on beside their patterns, as far as they were asked. */
import { isDeepStrictEqual } from 'node:util';
import type { RelPath } from '../../base/paths.ts';
import type { Leaning, TaskCall } from '../tasks/task-call.ts';

export class Leanings {
  readonly #all = new Map<string, Leaning | undefined>();
  #count = 0;

  /** By task; undefined for one that could not be asked. */
  get all(): ReadonlyMap<string, Leaning | undefined> {
    return this.#all;
  }

  /** Becomes another number whenever they change. */
  get count(): number {
    return this.#count;
  }

  lean(name: string, leaning: Leaning | undefined): void {
    if (this.#all.has(name) && isDeepStrictEqual(this.#all.get(name), leaning)) return;
    this.#all.set(name, leaning);
    this.#count++;
  }

  /** What a task read before counts until it is known what it reads now. */
  learn({ task, leaning, isOpen }: TaskCall): void {
    this.lean(task.name, isOpen ? united(leaning, this.#all.get(task.name)) : leaning);
  }

  /** Forgets all tasks but these. */
  retain(names: ReadonlySet<string>): void {
    for (const name of this.#all.keys()) if (!names.has(name)) this.#all.delete(name);
  }
}

function united(now: Leaning, before: Leaning | undefined): Leaning {
  if (before === undefined) return now;
  const both = (key: keyof Leaning): readonly RelPath[] => [...new Set([...now[key], ...before[key]])];
  return { paths: both('paths'), folders: both('folders'), links: both('links') };
}
