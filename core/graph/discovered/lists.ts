/**
 * The lists of what a task read, as past runs of the very same declared question found them: filed under a key of that
 * question, newest first, so that a branch that is left and taken up again finds its own. What the paths of a list are
 * now completes the question; the first list that leads to an answer on file is the right one.
 */
import { decode } from '../../base/decode.ts';
import { digest } from '../../base/digest.ts';
import { encode } from '../../base/encode.ts';
import { FlecheError } from '../../base/errors.ts';
import { type Key, sha256 } from '../../base/hash.ts';
import type { RelPath } from '../../base/paths.ts';
import { fingerprint, part } from '../../call/fingerprint.ts';
import { LISTED } from '../../call/listed.ts';
import type { SharedAnswers } from '../../call/shared/shared-answers.ts';
import type { SyncCallStore } from '../../store/calls.ts';
import type { CallRecord } from '../../store/record.ts';
import type { SyncValueStore } from '../../store/values.ts';
import type { Surroundings, TaskCall } from '../tasks/task-call.ts';
import { Reading } from './reading.ts';
import type { Sight } from './sight.ts';

/** So many different lists are kept of one question. */
export const LISTS = 16;
const VERSION = 1;

/** Where lists are kept. */
export interface ListStores {
  readonly calls: SyncCallStore;
  readonly values: SyncValueStore;
  /** ms since the epoch. */
  readonly now: () => number;
}

/** The same, and what the paths are. */
export interface ListDesk extends ListStores {
  readonly around: Surroundings;
  /** Where they are shared; undefined for nowhere. */
  readonly shared?: SharedAnswers | undefined;
}

export type PathList = readonly RelPath[];

/** The question completed by the list that leads to an answer, else by the newest; as it is if there is no list. */
export function completedByLists(call: TaskCall, sight: Sight, desk: ListStores): TaskCall {
  if (call.task.discovered === undefined) return call;
  let newest: TaskCall | undefined;
  for (const list of listsOf(call, desk)) {
    const complete = completedBy(list, call, sight);
    if (complete === undefined) continue;
    if (desk.calls.get(complete.key)?.failure === null) return complete;
    newest ??= complete;
  }
  return newest ?? call;
}

/** Undefined for a list that cannot be right any more: the next run tells what is wrong with it, if it still is. */
export function completedBy(list: PathList, call: TaskCall, sight: Sight): TaskCall | undefined {
  try {
    return new Reading(list, sight).complete(call);
  } catch (error) {
    if (error instanceof FlecheError && error.code !== 'BUG') return undefined;
    throw error;
  }
}

/** Files what a run read as the newest list of its question. `call` is the declared question. */
export function fileList(call: TaskCall, list: PathList, desk: ListStores): void {
  const text = JSON.stringify(list);
  const others = listsOf(call, desk).filter((other) => JSON.stringify(other) !== text);
  putLists(listKey(call), call.task.name, [list, ...others].slice(0, LISTS), desk);
}

/** The name of the record of a task's lists. */
export function nameOfLists(task: string): string {
  return task + LISTED;
}

/** Files lists of a question under a key of their own. */
export function putLists(key: Key, task: string, lists: readonly PathList[], desk: ListStores): CallRecord {
  const bytes = encode(lists);
  const blob = sha256(bytes);
  const { calls, values, now } = desk;
  values.put(blob, bytes);
  const record: CallRecord = {
    key,
    kind: 'task',
    name: nameOfLists(task),
    module: null,
    // It is found by its key alone: nothing was made of what the question names.
    parts: [],
    failure: null,
    result: { digest: digest(lists), blob },
    promised: false,
    outputs: null,
    log: null,
    metadata: {},
    filed: now(),
  };
  calls.put(record);
  return record;
}

/** Not the key of the declared question itself, under which a run is filed that failed before it told what it read. */
function listKey({ parts }: TaskCall): Key {
  return fingerprint([...parts, part('option', 'lists', digest(VERSION))]).key;
}

/** The lists that this machine found, newest first. `call` is the declared question. */
export function listsOf(call: TaskCall, desk: ListStores): readonly PathList[] {
  return readLists(listKey(call), desk);
}

/** What is on file under a key of lists. */
export function readLists(key: Key, { calls, values }: ListStores): readonly PathList[] {
  const blob = calls.get(key)?.result?.blob;
  const bytes = blob === undefined ? undefined : values.get(blob);
  try {
    const lists = bytes === undefined ? [] : decode(bytes);
    return Array.isArray(lists) ? lists : [];
  } catch {
    // Written by another version: as if nothing were known.
    return [];
  }
}
