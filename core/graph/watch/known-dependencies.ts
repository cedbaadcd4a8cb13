/** What the tasks of a watch were found to depend on beside their patterns, as far as they were asked. */
import { isDeepStrictEqual } from 'node:util';
import type { RelPath } from '../../base/paths.ts';
import type { PathDependencies, TaskCall } from '../tasks/task-call.ts';

export class KnownDependencies {
  readonly #all = new Map<string, PathDependencies | undefined>();
  #revision = 0;

  /** By task; undefined for one that could not be asked. */
  get all(): ReadonlyMap<string, PathDependencies | undefined> {
    return this.#all;
  }

  /** Becomes another number whenever they change. */
  get revision(): number {
    return this.#revision;
  }

  set(name: string, dependsOn: PathDependencies | undefined): void {
    if (this.#all.has(name) && isDeepStrictEqual(this.#all.get(name), dependsOn)) return;
    this.#all.set(name, dependsOn);
    this.#revision++;
  }

  /** What a task read before counts until it is known what it reads now. */
  learn({ task, dependsOn, isOpen }: TaskCall): void {
    this.set(task.name, isOpen ? united(dependsOn, this.#all.get(task.name)) : dependsOn);
  }

  /** Forgets all tasks but these. */
  retain(names: ReadonlySet<string>): void {
    for (const name of this.#all.keys()) if (!names.has(name)) this.#all.delete(name);
  }
}

function united(now: PathDependencies, before: PathDependencies | undefined): PathDependencies {
  if (before === undefined) return now;
  const both = (key: keyof PathDependencies): readonly RelPath[] => [...new Set([...now[key], ...before[key]])];
  return { paths: both('paths'), folders: both('folders'), links: both('links') };
}
