/**
 * Answers of other machines to questions of which only the declared part is known here: the lists that they found are
 * shared as answers are, under a key of the declared question, and say which files complete it. A list is a hint: what
 * the files are is looked at here, and an answer counts only under the key of exactly that. So a list that lies, or is of
 * another branch, costs a miss.
 */
import { digest } from '../../base/digest.ts';
import type { Key } from '../../base/hash.ts';
import { fingerprint, part } from '../../call/fingerprint.ts';
import { DISCOVERED } from '../../call/listed.ts';
import type { SharedAnswers } from '../../call/shared/shared-answers.ts';
import { parseTree } from '../../files/trees/tree.ts';
import type { CallRecord } from '../../store/record.ts';
import type { TaskCall } from '../tasks/task-call.ts';
import {
  completedBy,
  fileList,
  LISTS,
  type ListStores,
  listsOf,
  nameOfLists,
  type PathList,
  putLists,
  readLists,
} from './lists.ts';
import type { Sight } from './sight.ts';

/** A shared list has no more paths. */
const MAX_PATHS = 100_000;
const MAX_PATH = 4096;
const VERSION = 1;

/** A question that somebody answered, and the name of the tier that had the answer; undefined if it was on file here. */
export interface Answered {
  readonly call: TaskCall;
  readonly tier: string | undefined;
}

/** Asks the tiers for the answer to a question, which is on file here afterwards. Rejects as they do. */
export async function askShared(
  call: TaskCall,
  sight: Sight,
  desk: ListStores,
  shared: SharedAnswers,
): Promise<Answered | undefined> {
  if (call.task.discovered === undefined) {
    const tier = await shared.ask(call.key, call.task.name);
    return tier === undefined ? undefined : { call, tier };
  }
  const declared = call.declared ?? call;
  const asked = new Set<Key>();
  const byAny = async (lists: readonly PathList[]): Promise<Answered | undefined> => {
    const found = await Promise.all(
      lists.map(async (list) => {
        const complete = completedBy(list, declared, sight);
        if (complete === undefined || asked.has(complete.key)) return undefined;
        asked.add(complete.key);
        // The question itself was looked up here: what there is of its answer is not whole.
        const isHere = complete.key !== call.key && desk.calls.get(complete.key)?.failure === null;
        const tier = isHere ? undefined : await shared.ask(complete.key, call.task.name);
        return isHere || tier !== undefined ? { list, call: complete, tier } : undefined;
      }),
    );
    const first = found.find((each) => each !== undefined);
    if (first !== undefined) fileList(declared, first.list, desk);
    return first;
  };
  const key = sharedKey(declared);
  const [byOwn] = await Promise.all([byAny(listsOf(declared, desk)), shared.ask(key, nameOfLists(call.task.name))]);
  return byOwn ?? byAny(soundLists(key, desk));
}

/** Gives the list of a run whose answer is shared to the tiers. `call` is the declared question. */
export function shareList(call: TaskCall, list: PathList, desk: ListStores, shared: SharedAnswers): void {
  const key = sharedKey(call);
  const others = soundLists(key, desk);
  if (!isSound(list) || isAmong(list, others)) return;
  shared.push(putLists(key, call.task.name, [list, ...others].slice(0, LISTS), desk));
}

/**
 * The record of lists that has to be shared with an answer on file, so that others find it; undefined for one that is
 * found by its declared question. Rejects as the tiers do.
 */
export async function listsFor(
  { name, parts }: CallRecord,
  stores: ListStores,
  shared: SharedAnswers,
): Promise<CallRecord | undefined> {
  const read = parts.find((each) => each.name === DISCOVERED && each.kind === 'files')?.blob ?? null;
  const bytes = read === null ? undefined : stores.values.get(read);
  const list = bytes === undefined ? undefined : pathsOf(bytes);
  if (!isSound(list)) return undefined;
  const key = sharedKey({ parts: parts.filter((each) => each.name !== DISCOVERED) });
  await shared.ask(key, nameOfLists(name));
  const others = soundLists(key, stores);
  if (isAmong(list, others)) return stores.calls.get(key);
  return putLists(key, name, [list, ...others].slice(0, LISTS), stores);
}

/** The paths of a tree; undefined for bytes that are none. */
function pathsOf(bytes: Uint8Array): PathList | undefined {
  try {
    return parseTree(Buffer.from(bytes).toString()).entries.map(({ path }) => path);
  } catch {
    return undefined;
  }
}

function isAmong(list: PathList, others: readonly PathList[]): boolean {
  const text = JSON.stringify(list);
  return others.some((other) => JSON.stringify(other) === text);
}

/** Not the key of the lists of this machine: what came from elsewhere is told from them. */
function sharedKey({ parts }: Pick<TaskCall, 'parts'>): Key {
  return fingerprint([...parts, part('option', 'shared lists', digest(VERSION))]).key;
}

/** What is on file here of shared lists, as far as it may be used. */
function soundLists(key: Key, stores: ListStores): readonly PathList[] {
  const lists: readonly unknown[] = readLists(key, stores);
  return lists.slice(0, LISTS).filter(isSound);
}

/** Whether something is a list of paths inside the project, in their order, that mean the same on every system. */
function isSound(list: unknown): list is PathList {
  if (!Array.isArray(list) || list.length > MAX_PATHS) return false;
  return list.every(
    (path: unknown, at) =>
      typeof path === 'string' &&
      path.length <= MAX_PATH &&
      path.isWellFormed() &&
      !/^[A-Za-z]:|[\\\0]/.test(path) &&
      !path.startsWith('/') &&
      path.split('/').every((step) => step !== '' && step !== '.' && step !== '..') &&
      (at === 0 || list[at - 1] < path),
  );
}
