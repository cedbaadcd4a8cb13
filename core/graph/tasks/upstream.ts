/**
 * What one task is about to read of others: whether it is what the task's question says, and whether it stays so while
 * the task is at work; and whether the folders and links stay that lead to all that it reads.
 */
import { folderOf, type RelPath } from '../../base/paths.ts';
import { globsOf } from '../../files/globs/globs.ts';
import { Ways } from '../../files/inputs/ways.ts';
import type { Standing } from '../../files/outputs/standing.ts';
import type { SyncValueStore } from '../../store/values.ts';
import { readLists } from './read-lists.ts';
import type { Surroundings, TaskCall } from './task-call.ts';
import { inputPatterns } from './whole-folders.ts';

export class Upstream {
  /** Tasks whose outputs do not stand in the workspace as they should, or whose result can no longer be read. */
  readonly disturbed: readonly string[];
  readonly #standing: readonly Standing[];
  readonly #ways: Ways;

  constructor(call: TaskCall, bench: { readonly around: Surroundings; readonly values: SyncValueStore }) {
    const { outputs } = bench.around;
    const looked = [...call.reads].map(([name, entries]) => ({ name, standing: outputs.look(name, entries) }));
    this.#ways = new Ways(bench.around.root, endsOf(call, bench.around));
    this.#standing = looked.map(({ standing }) => standing);
    const wrong = looked.filter(({ standing }) => standing.wrong.length > 0).map(({ name }) => name);
    this.disturbed = [...new Set([...wrong, ...unreadable(call, bench.values)])];
  }

  /** Paths that were changed since this was made. */
  changes(): readonly RelPath[] {
    return [...this.#standing.flatMap((standing) => standing.changes()), ...this.#ways.changes()];
  }
}

/** What leads to the files that a task reads: folders where its patterns begin, links that they match, folders that it found. */
function endsOf({ task, dependsOn, read, globs }: TaskCall, { graph, writers }: Surroundings): readonly RelPath[] {
  const lists = readLists(task, inputPatterns(task, graph, writers).listed);
  const bases = lists.flatMap((patterns) => globsOf(patterns).bases);
  const folders = read?.entries.map(({ path }) => folderOf(path)) ?? [];
  // What is there for its outputs is the task's to make anew.
  return [...bases, ...dependsOn.links, ...new Set(folders)].filter((path) => !globs.outputs.governs(path));
}

/** The tasks whose stored result is an argument and turns out to be damaged or gone. */
function unreadable({ task, args }: TaskCall, values: SyncValueStore): readonly string[] {
  if (task.body.kind === 'command') return [];
  return Object.entries(task.body.args).flatMap(([name, source]) => {
    const found = args.get(name);
    return source.kind === 'from' && found?.kind === 'stored' && values.get(found.blob) === undefined
      ? [source.task]
      : [];
  });
}
