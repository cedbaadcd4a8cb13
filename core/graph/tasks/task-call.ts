/** The question a task asks: its fingerprint, and what was found while it was made. Pure data. */
import type { FlecheError } from '../../base/errors.ts';
import type { Digest, Key } from '../../base/hash.ts';
import type { AbsPath, RelPath } from '../../base/paths.ts';
import type { Globs } from '../../files/globs/globs.ts';
import type { Workspace } from '../../files/inputs/workspace.ts';
import type { LockFile } from '../../files/lock/lock-file.ts';
import type { Outputs } from '../../files/outputs/outputs.ts';
import { isSameEntry, makeTree, type Tree, type TreeEntry } from '../../files/trees/tree.ts';
import type { Part } from '../../store/record.ts';
import type { StateStore } from '../../store/state.ts';
import type { SyncValueStore } from '../../store/values.ts';
import type { CodeClosure, CodeIndex } from '../code/code.ts';
import type { Item } from '../foreach/item.ts';
import type { FoundArg } from './found-arg.ts';
import type { TaskGraph } from './graph.ts';
import type { Task } from './task.ts';
import type { Writers } from './writers.ts';

/** Everything around a task that can enter its fingerprint. */
export interface Surroundings {
  readonly root: AbsPath;
  readonly graph: TaskGraph;
  readonly writers: Writers;
  readonly workspace: Workspace;
  readonly outputs: Outputs;
  readonly state: StateStore;
  readonly values: SyncValueStore;
  readonly code: CodeIndex;
  readonly lock: LockFile;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The running Node version, platform and architecture, such as `node v22.12.0 linux x64`. */
  readonly runtime: string;
}

/** What a question depends on beside what is declared. Changes of it are for who watches to notice. */
export interface PathDependencies {
  /** Paths that were looked at for the code of a function, or that the task found out it reads, there or not. */
  readonly paths: readonly RelPath[];
  /** Folders below which everything counts. */
  readonly folders: readonly RelPath[];
  /** Links that the patterns match. */
  readonly links: readonly RelPath[];
}

export interface TaskCall {
  readonly task: Task;
  readonly globs: { readonly outputs: Globs };
  readonly parts: readonly Part[];
  readonly key: Key;
  readonly code: CodeClosure | null;
  readonly args: ReadonlyMap<string, FoundArg>;
  /** Contents of parts that the store may not have yet, made when they are asked for; filed together with the record. */
  readonly blobs: ReadonlyMap<Digest, () => Uint8Array>;
  /** What the task finds of its upstream's outputs: all of what it needs itself, and all that its patterns match. */
  readonly reads: ReadonlyMap<string, readonly TreeEntry[]>;
  /** False if it was not known what upstream tasks wrote here, as while another process is at it. */
  readonly isSure: boolean;
  readonly dependsOn: PathDependencies;
  /** The questions of its items, for a task that is done for each of many. */
  readonly items?: ItemQuestions;
  /** The question that this one is a part of, if it is that of an item. */
  readonly whole?: TaskCall;
  /** Whether the task, or one of its items, reads more than the question says, which it has yet to discover. */
  readonly isOpen: boolean;
  /** The question as it is declared, if what the task discovered in the past was added to it. */
  readonly declared?: TaskCall;
  /** What was added. */
  readonly read?: Tree;
  /** Input paths that are no longer what the fingerprint says, sorted. */
  changedInputs(): readonly RelPath[];
}

/** The question of one item, which is a part of that of `whole`. */
export interface ItemCall extends TaskCall {
  readonly item: Item;
  readonly whole: TaskCall;
  /** `needed`: those that it has to write. */
  readonly globs: { readonly outputs: Globs; readonly needed: Globs };
}

/** The questions of the items of one task. */
export interface ItemQuestions {
  /**
   * Those of the items of `whole`, each once, in the order of the items, as they are declared. Throws `CONFIG_OVERLAP` for
   * items that declare the same path.
   */
  of(whole: TaskCall): readonly ItemCall[];
  /** For each element of the list that the items are of, which of the questions is its own. */
  places(): readonly number[];
  /** The item that declares a path by its name, if one does. To be called after `of`. */
  ownerOf(path: RelPath): ItemCall | undefined;
  /** What is to be said of two items that write the same path. */
  overlap(one: ItemCall, other: ItemCall, path: RelPath): FlecheError;
}

/**
 * Whether a question is the same as before. Of a task with items more may be known by now of what they read, which they
 * found out themselves; as far as it was known before it has to be what it was.
 */
export function isAlike(before: TaskCall, now: TaskCall): boolean {
  if (before.key === now.key) return true;
  if (now.items === undefined || (before.declared ?? before).key !== (now.declared ?? now).key) return false;
  const entries = new Map(now.read?.entries.map((entry) => [entry.path, entry]));
  return (before.read?.entries ?? []).every((entry) => isSameEntry(entry, entries.get(entry.path) ?? entry));
}

/** Whether a task names inputs and none of them is there, so that no file it may read after all would be noticed. */
export function readsNothing({ task, parts }: TaskCall): boolean {
  if (task.whole !== undefined) return false;
  return parts.some(({ kind, name, digest }) => kind === 'files' && name === 'inputs' && digest === NO_FILES);
}

const NO_FILES = makeTree([]).digest;
