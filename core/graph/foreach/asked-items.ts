/** What is asked of the items of a task, and what is on file of them, here or where answers are shared. */
import { FlecheError } from '../../base/errors.ts';
import type { Digest } from '../../base/hash.ts';
import type { RelPath } from '../../base/paths.ts';
import type { Purpose, SharedAnswers } from '../../call/shared/shared-answers.ts';
import { completedByLists } from '../discovered/lists.ts';
import { Reading } from '../discovered/reading.ts';
import { askShared } from '../discovered/shared-lists.ts';
import type { Sight } from '../discovered/sight.ts';
import { lookUp } from '../round/lookup.ts';
import type { Workbench } from '../round/workbench.ts';
import type { Product } from '../tasks/product.ts';
import type { ItemCall, TaskCall } from '../tasks/task-call.ts';

/** An answer of one item. */
export interface ItemAnswer {
  /** The question that it answers: that of the item, completed by what it discovered. */
  readonly call: TaskCall;
  readonly product: Product;
  /** What was printed; null for nothing. */
  readonly log: Digest | null;
  /** ms. */
  readonly walltime: number;
  /** ms since the epoch. */
  readonly filed: number;
}

/** The items of a task, in their order, and the answers that there are. */
export interface AskedItems {
  readonly calls: readonly ItemCall[];
  /** The question of each, completed by what past runs of it discovered. */
  readonly questions: ReadonlyMap<ItemCall, TaskCall>;
  readonly answers: ReadonlyMap<ItemCall, ItemAnswer>;
}

/** So many questions are asked at a time where answers are shared. */
const AT_ONCE = 64;

/** The questions alone. */
export function questionsOf(whole: TaskCall, sight: Sight, bench: Workbench): AskedItems {
  const calls = itemsOf(whole);
  const questions = new Map<ItemCall, TaskCall>();
  for (const call of calls) questions.set(call, completedByLists(call, sight, bench));
  return { calls, questions, answers: new Map() };
}

/** Looks for answers, here first and then where answers are shared. */
export async function askItems(whole: TaskCall, sight: Sight, bench: Workbench): Promise<AskedItems> {
  const { shared } = bench;
  const { calls, questions: asked } = questionsOf(whole, sight, bench);
  const questions = new Map(asked);
  const answers = new Map<ItemCall, ItemAnswer>();
  const missing: (readonly [ItemCall, TaskCall])[] = [];
  const note = (call: ItemCall, question: TaskCall): void => {
    const answer = answerTo(question, bench);
    questions.set(call, question);
    if (answer === undefined) missing.push([call, question]);
    else answers.set(call, answer);
  };
  for (const [call, question] of asked) note(call, question);
  const open = shared === undefined ? [] : missing.splice(0);
  for (let at = 0; shared !== undefined && at < open.length; at += AT_ONCE) {
    const some = open.slice(at, at + AT_ONCE);
    const answered = await Promise.all(some.map(([, question]) => askShared(question, sight, bench, shared)));
    for (const [index, [call]] of some.entries()) {
      const found = answered[index];
      if (found !== undefined) note(call, found.call);
    }
  }
  return { calls, questions, answers };
}

/** The question of a task completed by what its items read, as far as that is known. */
export function united(whole: TaskCall, questions: Iterable<TaskCall>, sight: Sight): TaskCall {
  if (whole.task.discovered === undefined) return whole;
  const declared = whole.declared ?? whole;
  const paths = new Set<RelPath>();
  let isOpen = false;
  for (const { read } of questions) {
    if (read === undefined) isOpen = true;
    for (const { path } of read?.entries ?? []) paths.add(path);
  }
  if (isOpen && paths.size === 0) return declared;
  const complete = new Reading(paths, sight).complete(declared);
  return isOpen ? { ...complete, isOpen } : complete;
}

/** Brings contents of what items wrote, as far as they are `missing`. Whether all of them are here now. */
export async function bringItems(
  answers: ReadonlyMap<ItemCall, ItemAnswer>,
  missing: ReadonlySet<Digest>,
  shared: SharedAnswers,
  purpose: Purpose,
): Promise<boolean> {
  const wanted = Array.from(answers.values(), (answer) => ({
    key: answer.call.key,
    blobs: contentsOf(answer).filter((digest) => missing.has(digest)),
  })).filter(({ blobs }) => blobs.length > 0);
  let isHere = true;
  for (let at = 0; at < wanted.length; at += AT_ONCE) {
    const some = wanted.slice(at, at + AT_ONCE);
    const brought = await Promise.all(some.map(({ key, blobs }) => shared.bring(key, blobs, purpose)));
    isHere &&= !brought.includes(false);
  }
  return isHere;
}

/** The contents of the files that an item wrote. */
export function contentsOf({ product: { outputs } }: ItemAnswer): readonly Digest[] {
  return outputs?.entries.flatMap((entry) => (entry.kind === 'file' ? [entry.digest] : [])) ?? [];
}

/** The questions of the items of a task that is done for each of many. */
export function itemsOf(whole: TaskCall): readonly ItemCall[] {
  if (whole.items === undefined) throw new FlecheError('BUG', `bug: "${whole.task.name}" has no items`);
  return whole.items.of(whole);
}

function answerTo(call: TaskCall, bench: Workbench): ItemAnswer | undefined {
  const found = lookUp(call, bench);
  if (found.kind === 'miss') return undefined;
  const { record, product } = found;
  const { log, filed } = record;
  return { call, product, log, walltime: Number(record.metadata['runtime']?.['walltime'] ?? 0), filed };
}
