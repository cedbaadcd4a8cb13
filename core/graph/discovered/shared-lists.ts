/**
 * Answers of other machines to questions of which only the declared part is known here: the lists that they found are
 * shared as answers are, under a key of the declared question, and say which files complete it. A list is a hint: what
 * the files are is looked at here, and an answer counts only under the key of exactly that. So a list that lies, or is of
 * another branch, costs a miss.
 */
import { digest } from '../../base/digest.ts';
import type { Key } from '../../base/hash.ts';
import { fingerprint, part } from '../../call/fingerprint.ts';
import type { SharedAnswers } from '../../call/shared/shared-answers.ts';
import type { Products } from '../products.ts';
import type { TaskCall } from '../task-call.ts';
import { completedBy, fileList, LISTS, type ListDesk, listsOf, type PathList, putLists, readLists } from './lists.ts';

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
  products: Products,
  desk: ListDesk,
  shared: SharedAnswers,
): Promise<Answered | undefined> {
  if (call.task.discovered === undefined) {
    const tier = await shared.ask(call.key);
    return tier === undefined ? undefined : { call, tier };
  }
  const declared = call.declared ?? call;
  const asked = new Set<Key>();
  const byAny = async (lists: readonly PathList[]): Promise<Answered | undefined> => {
    const found = await Promise.all(
      lists.map(async (list) => {
        const complete = completedBy(list, declared, products, desk);
        if (complete === undefined || asked.has(complete.key)) return undefined;
        asked.add(complete.key);
        const isHere = desk.calls.get(complete.key)?.failure === null;
        const tier = isHere ? undefined : await shared.ask(complete.key);
        return isHere || tier !== undefined ? { list, call: complete, tier } : undefined;
      }),
    );
    const first = found.find((each) => each !== undefined);
    if (first !== undefined) fileList(declared, first.list, desk);
    return first;
  };
  const key = sharedKey(declared);
  const [byOwn] = await Promise.all([byAny(listsOf(declared, desk)), shared.ask(key)]);
  return byOwn ?? byAny(soundLists(key, desk));
}

/** Gives the list of a run whose answer is shared to the tiers. `call` is the declared question. */
export function shareList(call: TaskCall, list: PathList, desk: ListDesk, shared: SharedAnswers): void {
  const key = sharedKey(call);
  const text = JSON.stringify(list);
  const others = soundLists(key, desk);
  if (!isSound(list) || others.some((other) => JSON.stringify(other) === text)) return;
  shared.push(putLists(key, call, [list, ...others].slice(0, LISTS), desk));
}

/** Not the key of the lists of this machine: what came from elsewhere is told from them. */
function sharedKey({ parts }: TaskCall): Key {
  return fingerprint([...parts, part('option', 'shared lists', digest(VERSION))]).key;
}

/** What is on file here of shared lists, as far as it may be used. */
function soundLists(key: Key, desk: ListDesk): readonly PathList[] {
  const lists: readonly unknown[] = readLists(key, desk);
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
