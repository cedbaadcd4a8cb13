/**
 * Which tasks a path of the workspace can matter to, and where such paths are: by their declared patterns, and by what
 * their questions turned out to depend on. Errs on the side of too many. Pure.
 */
import { dirname } from 'node:path/posix';
import { byCodeUnit } from '../../base/order.ts';
import { normalRel, type RelPath } from '../../base/paths.ts';
import { Globs } from '../../files/globs/globs.ts';
import type { TaskGraph } from '../tasks/graph.ts';
import { readLists } from '../tasks/read-lists.ts';
import type { Task } from '../tasks/task.ts';
import type { PathDependencies } from '../tasks/task-call.ts';
import { inputPatterns } from '../tasks/whole-folders.ts';
import { Writers } from '../tasks/writers.ts';

/** The tasks that a path can matter to. */
export interface Concerned {
  /** Tasks whose question can depend on it. */
  readonly readers: ReadonlySet<string>;
  /** Tasks that it can be an output of. */
  readonly writers: ReadonlySet<string>;
}

/** Some patterns of one task. */
interface Rule {
  readonly task: string;
  readonly globs: Globs;
  readonly role: 'readers' | 'writers';
}

/** What a function's code may be anywhere, as long as it cannot be told where. */
const ANY_CODE: readonly string[] = ['**/*.{ts,tsx,mts,cts,js,jsx,mjs,cjs,json}'];

export class Reach {
  /** The pattern lists, as texts. */
  readonly patterns: Set<string> = new Set();
  readonly #byBase = new Index<Rule>();
  readonly #byPath = new Index<string>();

  /** `dependencies` are known of tasks that were asked already; undefined for one whose question could not be found. */
  constructor(
    graph: TaskGraph,
    names: Iterable<string>,
    dependencies: ReadonlyMap<string, PathDependencies | undefined>,
  ) {
    const writers = new Writers(graph);
    for (const name of names) {
      const task = graph.task(name);
      for (const patterns of readLists(task, inputPatterns(task, graph, writers).listed))
        this.#rule(name, 'readers', patterns);
      this.#rule(name, 'writers', task.outputs);
      for (const path of manifestsOf(task)) this.#byPath.add(path, name);
      if (task.body.kind === 'function') this.#byPath.add(task.body.module, name);
      const dependsOn = dependencies.get(name);
      for (const path of dependsOn?.paths ?? []) this.#byPath.add(path, name);
      for (const path of dependsOn?.links ?? []) this.#byPath.add(path, name);
      if (dependsOn !== undefined) for (const folder of dependsOn.folders) this.#rule(name, 'readers', [`./${folder}`]);
      else if (dependencies.has(name)) this.#rule(name, 'readers', anywhere(task));
    }
  }

  #rule(task: string, role: Rule['role'], patterns: readonly string[]): void {
    if (patterns.length === 0) return;
    const globs = new Globs(patterns);
    this.patterns.add(JSON.stringify(globs.patterns));
    for (const base of globs.bases) this.#byBase.add(base, { task, globs, role });
  }

  /** The tasks that a change at a path, or below it, can matter to. */
  of(path: RelPath): Concerned {
    const found = { readers: new Set(this.#byPath.below(path)), writers: new Set<string>() };
    for (const name of this.#byPath.at(path)) found.readers.add(name);
    for (const { role, task } of this.#byBase.below(path)) found[role].add(task);
    for (const at of upward(path)) {
      for (const { role, task, globs } of this.#byBase.at(at)) {
        if (globs.matches(path) || globs.enters(path)) found[role].add(task);
      }
    }
    return found;
  }

  /** The tasks whose question can depend on a path that is, or was, no folder. */
  readersOf(path: RelPath): ReadonlySet<string> {
    const found = new Set(this.#byPath.at(path));
    for (const at of upward(path)) {
      for (const { role, task, globs } of this.#byBase.at(at)) {
        if (role === 'readers' && globs.matches(path)) found.add(task);
      }
    }
    return found;
  }

  /** Whether anything in a folder, or below it, can matter. */
  enters(folder: RelPath): boolean {
    if (!isEmpty(this.#byPath.below(folder)) || !isEmpty(this.#byBase.below(folder))) return true;
    return upward(folder).some((at) => this.#byBase.at(at).some(({ globs }) => globs.enters(folder)));
  }

  /** Paths and folders at or below which all matches of patterns lie, sorted. */
  get bases(): readonly RelPath[] {
    return [...this.#byBase.places()].sort(byCodeUnit);
  }

  /** Single paths that can matter, sorted. */
  get paths(): readonly RelPath[] {
    return [...this.#byPath.places()].sort(byCodeUnit);
  }
}

/** Where things may be that a task reads, as long as it cannot be told where. */
function anywhere({ body, discovered }: Task): readonly string[] {
  if (discovered !== undefined) return ['**'];
  return body.kind === 'function' ? ANY_CODE : [];
}

/** Where the manifests of a task's tools can be: in the nearest `node_modules`, upward from its folder. */
function manifestsOf({ tools, dir }: Task): readonly RelPath[] {
  if (tools.length === 0) return [];
  return upward(dir).flatMap((folder) => tools.map((tool) => normalRel(`${folder}/node_modules/${tool}/package.json`)));
}

/** A path and the folders above it, up to the root; for a path outside the root up to where it leaves it. */
function upward(path: RelPath): readonly RelPath[] {
  const all: RelPath[] = [];
  for (let at = path; ; at = dirname(at) as RelPath) {
    all.push(at);
    if (at === '.' || at === '..' || at.endsWith('/..')) return all;
  }
}

/** Things by path, and by the folders above it. */
class Index<T> {
  readonly #at = new Map<RelPath, T[]>();
  readonly #below = new Map<RelPath, Set<T>>();

  add(path: RelPath, thing: T): void {
    const known = this.#at.get(path);
    if (known === undefined) this.#at.set(path, [thing]);
    else if (known.at(-1) !== thing) known.push(thing);
    for (const folder of upward(path).slice(1)) {
      const below = this.#below.get(folder);
      if (below === undefined) this.#below.set(folder, new Set([thing]));
      else below.add(thing);
    }
  }

  at(path: RelPath): readonly T[] {
    return this.#at.get(path) ?? [];
  }

  /** Things at paths strictly below a folder. */
  below(folder: RelPath): Iterable<T> {
    return this.#below.get(folder) ?? [];
  }

  places(): Iterable<RelPath> {
    return this.#at.keys();
  }
}

function isEmpty(things: Iterable<unknown>): boolean {
  return things[Symbol.iterator]().next().done === true;
}
