/**
 * Which tasks may write a path, by their declared outputs. Finds what the declared edges leave out: a task that reads what
 * another one writes without needing it, and two tasks that write the same path. Pure.
 */
import { digest } from '../../base/digest.ts';
import { FlecheError } from '../../base/errors.ts';
import type { Digest } from '../../base/hash.ts';
import { folderOf, type RelPath } from '../../base/paths.ts';
import { type Globs, globsOf } from '../../files/globs/globs.ts';
import type { TaskGraph } from './graph.ts';
import type { Task } from './task.ts';

interface Writer {
  /** Place in the configuration. */
  readonly at: number;
  readonly task: Task;
  readonly globs: Globs;
}

const NOBODY: readonly Task[] = [];

export class Writers {
  readonly #graph: TaskGraph;
  /** By the folders and paths at or below which the outputs lie. */
  readonly #byBase = new Map<string, Writer[]>();
  /** By the folders around these. */
  readonly #below = new Map<string, Writer[]>();

  /** Files in which tasks tell what they read, as far as they are no outputs. */
  readonly #reports = new Set<RelPath>();
  #digest: Digest | undefined;

  constructor(graph: TaskGraph) {
    this.#graph = graph;
    for (const [at, name] of graph.names.entries()) {
      const task = graph.task(name);
      const report = task.discovered?.file ?? null;
      if (report !== null && task.foreach === undefined) this.noteReport(task, report);
      if (task.outputs.length === 0) continue;
      const writer = { at, task, globs: globsOf(task.outputs) };
      for (const base of writer.globs.bases) {
        add(this.#byBase, base, writer);
        for (let folder = base; folder !== '.'; ) {
          folder = folderOf(folder);
          add(this.#below, folder, writer);
        }
      }
    }
  }

  /** Of everything the answers depend on: who writes what, and who needs whom. */
  get digest(): Digest {
    const { names } = this.#graph;
    this.#digest ??= digest(names.map((name) => [name, this.#graph.task(name).outputs, this.#graph.task(name).needs]));
    return this.#digest;
  }

  /** The tasks that may write something at, below or above one of these paths, in the order of the configuration. */
  near(paths: readonly RelPath[]): readonly Task[] {
    const found = new Set<Writer>();
    const take = (writers: readonly Writer[] | undefined): void => {
      if (writers !== undefined) for (const writer of writers) found.add(writer);
    };
    for (const path of paths) {
      take(this.#below.get(path));
      take(this.#byBase.get(path));
      for (let at = path; at !== '.'; ) {
        at = folderOf(at);
        take(this.#byBase.get(at));
      }
    }
    if (found.size === 0) return NOBODY;
    return [...found].sort((a, b) => a.at - b.at).map(({ task }) => task);
  }

  /** Where items tell what they read is known only when they are: to be called before one of them runs. */
  noteReport({ outputs }: Task, report: RelPath): void {
    if (!globsOf(outputs).matches(report)) this.#reports.add(report);
  }

  /** Whether a task tells there what it read, for nobody else to read. */
  isReport(path: RelPath): boolean {
    return this.#reports.has(path);
  }

  /** The tasks whose outputs a path can be, in the order of the configuration within one base. */
  of(path: RelPath): readonly Task[] {
    const found = new Set<Task>();
    for (let at = path; ; at = folderOf(at)) {
      for (const { task, globs } of this.#byBase.get(at) ?? []) if (globs.matches(path)) found.add(task);
      if (at === '.') return [...found];
    }
  }

  /** Throws `CONFIG_OVERLAP` if one of the paths that `reader` reads is written by a task it does not need. */
  requireEdges(reader: Task, paths: Iterable<RelPath>): void {
    for (const path of paths) {
      const writer = this.of(path).find(
        ({ name }) => name !== reader.name && !this.#graph.isUpstream(name, reader.name),
      );
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

/** Adds a writer to those of a folder, once. */
function add(writers: Map<string, Writer[]>, folder: string, writer: Writer): void {
  const known = writers.get(folder);
  if (known === undefined) writers.set(folder, [writer]);
  else if (known.at(-1) !== writer) known.push(writer);
}
