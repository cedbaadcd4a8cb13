/**
 * Which tasks may write a path, by their declared outputs. Finds what the declared edges leave out: a task that reads what
 * another one writes without needing it, and two tasks that write the same path. Pure.
 */
import { digest } from '../base/digest.ts';
import { FlecheError } from '../base/errors.ts';
import type { Digest } from '../base/hash.ts';
import type { RelPath } from '../base/paths.ts';
import { Globs } from '../files/globs.ts';
import type { TaskGraph } from './graph.ts';
import type { Task } from './task.ts';

interface Writer {
  readonly task: Task;
  readonly globs: Globs;
}

export class Writers {
  readonly #graph: TaskGraph;
  /** By the folders and paths at or below which the outputs lie. */
  readonly #byBase = new Map<string, Writer[]>();

  /** Of everything the answers depend on: who writes what, and who needs whom. */
  readonly digest: Digest;

  constructor(graph: TaskGraph) {
    this.#graph = graph;
    this.digest = digest(graph.names.map((name) => [name, graph.task(name).outputs, graph.task(name).needs]));
    for (const name of graph.names) {
      const task = graph.task(name);
      if (task.outputs.length === 0) continue;
      const writer = { task, globs: new Globs(task.outputs) };
      for (const base of writer.globs.bases) this.#byBase.set(base, [...(this.#byBase.get(base) ?? []), writer]);
    }
  }

  /** The tasks whose outputs a path can be, in the order of the configuration within one base. */
  of(path: RelPath): readonly Task[] {
    const found = new Set<Task>();
    for (let at: string = path; ; ) {
      for (const { task, globs } of this.#byBase.get(at) ?? []) if (globs.matches(path)) found.add(task);
      if (at === '.') return [...found];
      const slash = at.lastIndexOf('/');
      at = slash < 0 ? '.' : at.slice(0, slash);
    }
  }

  /** Throws `CONFIG_OVERLAP` if one of the paths that `reader` reads is written by a task it does not need. */
  requireEdges(reader: Task, paths: Iterable<RelPath>): void {
    const needed = new Set([reader.name, ...this.#graph.upstreamOf(reader.name)]);
    for (const path of paths) {
      const writer = this.of(path).find(({ name }) => !needed.has(name));
      if (writer === undefined) continue;
      const needs = [...reader.needs, writer.name].map((name) => JSON.stringify(name)).join(', ');
      throw new FlecheError(
        'CONFIG_OVERLAP',
        `task "${reader.name}" reads ${path}, which task "${writer.name}" writes, but does not need it`,
        {
          at: reader.at,
          hint: this.#graph.upstreamOf(writer.name).includes(reader.name)
            ? `"${writer.name}" needs "${reader.name}" already: take ${path} out of the inputs of "${reader.name}".`
            : `Add to [tasks.${reader.name}]: needs = [${needs}]`,
        },
      );
    }
  }

  /** Throws `CONFIG_OVERLAP` if one of the paths that `writer` wrote is declared as an output of another task too. */
  requireSole(writer: Task, paths: Iterable<RelPath>): void {
    for (const path of paths) {
      const other = this.of(path).find(({ name }) => name !== writer.name);
      if (other === undefined) continue;
      throw new FlecheError('CONFIG_OVERLAP', `tasks "${writer.name}" and "${other.name}" both write ${path}`, {
        at: writer.at,
        hint: 'Give each path to one task only: narrow the outputs of one of them.',
      });
    }
  }
}
