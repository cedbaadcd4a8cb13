/**
 * Asks the questions of one round and looks for answers, here first and then where answers are shared. Changes nothing in
 * the workspace.
 */
import type { Digest } from '../../base/hash.ts';
import { globsOf } from '../../files/globs/globs.ts';
import { completedByLists } from '../discovered/lists.ts';
import { type Answered, askShared } from '../discovered/shared-lists.ts';
import { Sight } from '../discovered/sight.ts';
import type { AskedItems } from '../foreach/asked-items.ts';
import type { Reason } from '../tasks/outcome.ts';
import type { Product } from '../tasks/product.ts';
import { serviceProduct } from '../tasks/product.ts';
import { readLists } from '../tasks/read-lists.ts';
import type { Task } from '../tasks/task.ts';
import type { Surroundings, TaskCall } from '../tasks/task-call.ts';
import { inputPatterns } from '../tasks/whole-folders.ts';
import { callOf } from './asking.ts';
import { isThere, type Lookup, lookUp, RESULT } from './lookup.ts';
import type { RoundState } from './round-state.ts';

/** A question, with its answer if there is one. */
export type Asked = Hit | Miss;

export interface Hit {
  readonly kind: 'hit';
  readonly call: TaskCall;
  readonly product: Product;
  /** What the task printed and how long that took, ms; null if it was answered in this round already. */
  readonly past: { readonly log: Iterable<Uint8Array> | null; readonly walltime: number } | null;
  /** How many items it is made of; undefined for a task without. */
  readonly items?: number | undefined;
}

export interface Miss {
  readonly kind: 'miss';
  readonly call: TaskCall;
  readonly reasons: readonly Reason[];
  /** What is on file of its items, for a task that has such. */
  readonly items?: AskedItems;
}

/**
 * A question that waited no longer than this for its place is not asked again, ms: what it read is looked at once more
 * when the work is done, and if it was changed since the question, the answer is not kept.
 */
const FRESH = 1000;

export class Questions {
  readonly #state: RoundState;
  /** When each task was asked for last, ms since the epoch. */
  readonly #moments = new Map<string, number>();

  constructor(state: RoundState) {
    this.#state = state;
  }

  /** Asks for a task, and looks for an answer. */
  async ask(task: Task): Promise<Asked> {
    const { calls, products, live, bench } = this.#state;
    this.#moments.set(task.name, bench.now());
    const call = await this.#question(task);
    const isAgain = calls.get(task.name)?.key === call.key;
    const made = live === undefined ? (isAgain ? products.get(task.name) : undefined) : live.made(call);
    calls.set(task.name, call);
    if (task.service !== undefined) return { kind: 'hit', call, product: serviceProduct(call), past: null };
    if (made !== undefined) {
      if (isThere(made, bench.values)) return { kind: 'hit', call, product: made, past: null };
      return { kind: 'miss', call, reasons: [{ kind: 'lost', what: RESULT }] };
    }
    if (!task.cache) return this.#byItems(call, [{ kind: 'uncached' }], true);
    if (this.#state.isForced(task)) return this.#byItems(call, [{ kind: 'forced' }], true);
    const found = lookUp(call, bench, live?.answered(task.name));
    if (found.kind === 'hit') return hit(call, found);
    const { shared } = bench;
    const answered = shared && (await askShared(call, this.#sight(task), bench, shared));
    return answered === undefined ? this.#byItems(call, found.reasons, false) : this.#answered(answered);
  }

  #answered({ call, tier }: Answered): Asked | Promise<Asked> {
    if (tier !== undefined) this.#state.shared.set(call.task.name, tier);
    this.#state.take(call);
    const found = lookUp(call, this.#state.bench);
    return found.kind === 'hit' ? hit(call, found) : this.#byItems(call, found.reasons, false);
  }

  /** What single paths are for a task at this moment. */
  #sight(task: Task): Sight {
    const { products, bench } = this.#state;
    return new Sight(task, products, bench.around);
  }

  /** There is no answer as a whole: where there is one of every item, that is the answer. */
  async #byItems(asked: TaskCall, reasons: readonly Reason[], isForced: boolean): Promise<Asked> {
    if (asked.items === undefined) return { kind: 'miss', call: asked, reasons };
    const { bench, mode, live } = this.#state;
    const { askItems, questionsOf, united } = await import('../foreach/asked-items.ts');
    const { compose, fileComposed } = await import('../foreach/composed.ts');
    const sight = this.#sight(asked.task);
    const items = isForced ? questionsOf(asked, sight, bench) : await askItems(asked, sight, bench);
    const call = united(asked, items.questions.values(), sight);
    if (call !== asked) this.#state.take(call);
    if (items.answers.size < items.calls.length) {
      if (isForced || call === asked) return { kind: 'miss', call, reasons, items };
      const found = lookUp(call, bench, live?.answered(call.task.name));
      return found.kind === 'hit' ? hit(call, found) : { kind: 'miss', call, reasons: found.reasons, items };
    }
    const composed = compose(call, items.answers, bench.values);
    if (mode === 'run') await fileComposed(call, composed, bench);
    const { product, log, walltime } = composed;
    return { kind: 'hit', call, product, past: { log, walltime }, items: items.calls.length };
  }

  /** The same when others may have written to the workspace in between. */
  askAnew(task: Task): Promise<Asked> {
    this.#state.products.renew(this.#writersFor(task));
    return this.ask(task);
  }

  /** The upstream tasks whose paths can be among those that the task reads. */
  #writersFor(task: Task): readonly string[] {
    const { graph, writers } = this.#state.bench.around;
    const links = this.#state.calls.get(task.name)?.dependsOn.links ?? [];
    // These are known only when they are read, and what is behind a link can be anywhere.
    if (task.discovered !== undefined || links.length > 0) return graph.upstreamOf(task.name);
    const { listed, taken } = inputPatterns(task, graph, writers);
    const lists = [taken, ...readLists(task, listed)];
    const near = writers.near(lists.flatMap((patterns) => globsOf(patterns).bases));
    return near.map(({ name }) => name).filter((name) => graph.isUpstream(name, task.name));
  }

  async #question(task: Task): Promise<TaskCall> {
    const { live, asked } = this.#state;
    if (live === undefined) return this.#completeQuestion(task);
    asked.set(task.name, live.ask(task.name));
    try {
      const call = await this.#completeQuestion(task);
      live.dependencies.learn(call);
      return call;
    } catch (error) {
      live.dependencies.set(task.name, undefined);
      throw error;
    }
  }

  async #completeQuestion(task: Task): Promise<TaskCall> {
    const { products, bench } = this.#state;
    return completedByLists(await callOf(task, products, bench.around), this.#sight(task), bench);
  }

  /**
   * Whether a question may have another answer by now, or be another one. `waited`: for what time went by since it was
   * asked. An answer that waits for its place alone is as good as before: it is that of the moment of the question.
   */
  isOld({ kind, call }: Asked, waited: { readonly place: boolean; readonly claim: boolean }): boolean {
    if (waited.claim || !call.isSure) return true;
    if (kind === 'hit') return false;
    const age = this.#state.bench.now() - (this.#moments.get(call.task.name) ?? 0);
    if (waited.place && !(age >= 0 && age <= FRESH)) return true;
    const { bench } = this.#state;
    if (!call.task.cache || this.#state.isForced(call.task)) return false;
    // Who answered a task that tells what it read filed the answer under the question completed by what it told.
    const now = completedByLists(call.declared ?? call, this.#sight(call.task), bench);
    return bench.calls.get(now.key)?.failure === null;
  }
}

function hit(call: TaskCall, { record, product, log }: Lookup & { readonly kind: 'hit' }): Hit {
  const walltime = Number(record.metadata['runtime']?.['walltime'] ?? 0);
  const items = record.metadata['foreach']?.['items'];
  return {
    kind: 'hit',
    call,
    product,
    past: { log, walltime },
    items: items === undefined ? undefined : Number(items),
  };
}

/** Whether an answer stands in the workspace as it should. */
export function stands({ call, product }: Hit, { outputs }: Surroundings): boolean {
  const { name } = call.task;
  // A task that declares no outputs any more may have written some.
  if (product.outputs === null) return outputs.owners.owned(name) === undefined;
  return outputs.stands(name, call.globs.outputs, product.outputs);
}

/** Whether nothing would be put right: less than `stands`, for what is noted of the outputs may be out of date. */
export function isRight({ call, product }: Hit, { outputs }: Surroundings): boolean {
  const { name } = call.task;
  if (product.outputs === null) return outputs.owners.owned(name) === undefined;
  return (
    outputs.owners.owned(name) !== undefined && outputs.check(name, call.globs.outputs, product.outputs).length === 0
  );
}

/** Content that is needed to put the answer into the workspace, and is not on file. */
export function lost({ call, product }: Hit, { outputs }: Surroundings): Digest | undefined {
  return product.outputs === null ? undefined : outputs.lost(call.task.name, call.globs.outputs, product.outputs);
}

/** Brings content that is needed to put the answer into the workspace, if it is shared. Whether anything was brought. */
export async function bring(hit: Hit, { bench, products, mode }: RoundState): Promise<boolean> {
  const { call, product } = hit;
  const { shared, around } = bench;
  const { outputs } = around;
  if (shared === undefined || product.outputs === null) return false;
  const missing = outputs.missing(call.task.name, call.globs.outputs, product.outputs);
  if (missing.length === 0) return false;
  const purpose = mode === 'run' ? 'place' : 'keep';
  if (await shared.bring(call.key, missing, purpose)) return true;
  if (call.items === undefined) return false;
  // The answer may have been put together here of those of items that others made.
  const { askItems, bringItems } = await import('../foreach/asked-items.ts');
  const { answers } = await askItems(call, new Sight(call.task, products, around), bench);
  return bringItems(answers, new Set(missing), shared, purpose);
}

export function lostReason({ outputs }: Product, digest: Digest | undefined): Reason {
  const entry = outputs?.entries.find((entry) => entry.kind === 'file' && entry.digest === digest);
  return { kind: 'lost', what: entry?.path ?? 'the list of outputs' };
}
