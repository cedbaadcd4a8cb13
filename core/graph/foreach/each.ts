/**
 * Does the work of a task that is done for each of many items: those that are answered stay as they are, the others are
 * executed one by one, each an ordinary call with an answer of its own. What is common to all, such as what the task owns
 * in the workspace, is done once for all of them.
 */
import { setMaxListeners } from 'node:events';
import { FlecheError } from '../../base/errors.ts';
import type { Digest } from '../../base/hash.ts';
import type { RelPath } from '../../base/paths.ts';
import type { Prepared, Writing } from '../../files/outputs/outputs.ts';
import type { PathState } from '../../files/states/path-states.ts';
import type { Failure } from '../../store/record.ts';
import { Answer, type Executed, type Execution, envOf, execute, type Workbench } from '../execute.ts';
import { FunctionThreads } from '../functions/function-threads.ts';
import type { ItemCounts } from '../outcome.ts';
import type { Slots, Want } from '../scheduling/slots.ts';
import type { ItemCall, TaskCall } from '../task-call.ts';
import { type Timeline, timed } from '../timeline.ts';
import type { Upstream } from '../upstream.ts';
import { type AskedItems, bringItems, compose, contentsOf, type ItemAnswer, labelled, treeOf } from './answers.ts';
import { CommonReads } from './common-reads.ts';

/** What items share of a run. */
export interface Crew {
  readonly slots: Slots;
  readonly want: Want;
  readonly upstream: Upstream;
  /** Whether to go on with other items after one failed. */
  readonly keepGoing: boolean;
  /** Whether nothing more is to be begun. */
  readonly isStopped: () => boolean;
  readonly timeline: Timeline | undefined;
  readonly onWarning: (message: string) => void;
  /** Told whenever an item is over: how many there are still to do, and how many there were. */
  readonly onProgress: (counts: ItemCounts) => void;
}

export interface EachExecuted {
  readonly executed: Executed;
  readonly items: ItemCounts;
}

/** The caller has claimed the task. Throws like `execute`, but what goes wrong with one item is a failure of that. */
export function executeEach(
  call: TaskCall,
  asked: AskedItems,
  bench: Workbench,
  execution: Execution,
  crew: Crew,
): Promise<EachExecuted> {
  return new Each(call, asked, bench, execution, crew).execute();
}

/** Items that failed are named up to this many. */
const MOST_NAMED = 3;

class Each {
  readonly #call: TaskCall;
  readonly #bench: Workbench;
  readonly #execution: Execution;
  readonly #crew: Crew;
  readonly #calls: readonly ItemCall[];
  readonly #answers: Map<ItemCall, ItemAnswer>;
  readonly #failures = new Map<ItemCall, Failure>();
  readonly #states: PathState[] = [];
  /** Who wrote what. */
  readonly #writers = new Map<RelPath, ItemCall>();
  /** Paths that changed under items while they ran. */
  readonly #changed = new Set<RelPath>();
  readonly #common: CommonReads;
  readonly #threads = new FunctionThreads();
  readonly #env: Readonly<Record<string, string>>;
  #prepared: Prepared | undefined;
  #cached = 0;

  constructor(call: TaskCall, { calls, answers }: AskedItems, bench: Workbench, execution: Execution, crew: Crew) {
    this.#call = call;
    this.#bench = bench;
    this.#execution = execution;
    this.#crew = crew;
    this.#calls = calls;
    this.#env = envOf(call.task, bench);
    this.#answers = new Map(answers);
    // However many items are at work, each has an ear for it.
    setMaxListeners(0, execution.signal);
    const look = (): readonly RelPath[] => [...(calls[0]?.changedInputs() ?? []), ...crew.upstream.changes()];
    this.#common = new CommonReads(look, bench.now);
  }

  async execute(): Promise<EachExecuted> {
    const { values, now } = this.#bench;
    const started = now();
    for (const [blob, bytes] of this.#call.blobs) values.put(blob, bytes());
    try {
      await this.#makeReady();
      this.#cached = this.#answers.size;
      await this.#runAll(this.#calls.filter((call) => !this.#answers.has(call)));
      return { executed: await this.#executed(started), items: this.#counts() };
    } catch (error) {
      this.#abandon();
      throw error;
    } finally {
      await this.#threads.close();
    }
  }

  /** Puts in place what is answered, and removes all else that the task wrote here. */
  async #makeReady(): Promise<void> {
    const { task, globs } = this.#call;
    const { outputs } = this.#bench.around;
    if (task.outputs.length === 0) {
      if (outputs.owned(task.name) !== undefined) outputs.discard(task.name);
      return;
    }
    for (;;) {
      await this.#bring();
      const tree = treeOf(this.#answers, this.#call);
      outputs.clear(task.name, globs.outputs, tree);
      const result = outputs.restore(task.name, globs.outputs, tree);
      if ('restored' in result) break;
      this.#forget(result.lost);
    }
    for (const [item, { product }] of this.#answers) {
      for (const { path } of product.outputs?.entries ?? []) this.#writers.set(path, item);
    }
    this.#prepared = outputs.prepare(task.name, globs.outputs, false);
  }

  /** Brings contents of outputs that are shared and not here. */
  async #bring(): Promise<void> {
    const { around, shared } = this.#bench;
    const { task, globs } = this.#call;
    if (shared === undefined) return;
    const missing = new Set(around.outputs.missing(task.name, globs.outputs, treeOf(this.#answers, this.#call)));
    if (missing.size > 0) await bringItems(this.#answers, missing, shared);
  }

  /** Content is lost: what it was the answer of has to be done again. */
  #forget(lost: Digest): void {
    const before = this.#answers.size;
    for (const [call, answer] of this.#answers) if (contentsOf(answer).includes(lost)) this.#answers.delete(call);
    if (this.#answers.size === before) this.#answers.clear();
  }

  /** Takes up one item after the other, as many at a time as there are places. */
  async #runAll(stale: readonly ItemCall[]): Promise<void> {
    const { slots } = this.#crew;
    const over: Promise<void>[] = [];
    let next = 0;
    const lane = async (): Promise<void> => {
      for (let call = stale[next++]; call !== undefined && !this.#isStopped; call = stale[next++]) {
        const item = call;
        await new Promise<void>((worked) => over.push(this.#run(item, worked).finally(worked)));
      }
    };
    await Promise.all(Array.from({ length: Math.min(slots.count, stale.length) }, lane));
    // A bug in one item must not leave others at work behind the caller's back.
    for (const end of await Promise.allSettled(over)) if (end.status === 'rejected') throw end.reason;
  }

  get #isStopped(): boolean {
    const { signal } = this.#execution;
    return signal.aborted || this.#crew.isStopped() || (this.#failures.size > 0 && !this.#crew.keepGoing);
  }

  /** `worked` is called when the place is free again; taking in what came of it may last longer. */
  async #run(call: ItemCall, worked: () => void): Promise<void> {
    const { slots, want, timeline } = this.#crew;
    const { signal, fault } = this.#execution;
    const { name } = call.task;
    const place = await timed(timeline, name, 'wait', () => slots.take(want, signal));
    if (place === undefined) return;
    let isHeld = true;
    const release = (): void => {
      if (isHeld) place.release();
      isHeld = false;
      worked();
    };
    const printed: Uint8Array[] = [];
    const execution: Execution = {
      signal,
      ...(fault === undefined ? {} : { fault }),
      onOutput: (chunk) => printed.push(chunk),
      changed: this.#watch(call),
      writing: () => this.#writing(call),
      onWorked: release,
      threads: this.#threads,
      env: this.#env,
    };
    try {
      if (this.#isStopped) return;
      const work = (): Promise<Executed> => execute(call, this.#bench, execution);
      const executed = await timed(timeline, name, 'run', work, place.lane);
      this.#took(call, executed, Buffer.concat(printed));
    } catch (error) {
      if (!(error instanceof FlecheError) || error.code === 'BUG') throw error;
      this.#failed(call, { message: error.describe(), exitCode: null, signal: null });
    } finally {
      release();
    }
  }

  /** Tells of changes of what an item reads: its own file, and what it has in common with others. */
  #watch(call: ItemCall): Execution['changed'] {
    const { entry } = call.item;
    const standing = entry && this.#bench.around.outputs.look(this.#call.task.name, [entry]);
    return async () => {
      const changed = [...(standing?.changes() ?? []), ...(await this.#common.changes())];
      for (const path of changed) this.#changed.add(path);
      return changed;
    };
  }

  #writing(call: ItemCall): Writing | undefined {
    const prepared = this.#prepared;
    if (prepared === undefined) return undefined;
    const { outputs } = this.#bench.around;
    const { items } = this.#call;
    const { outputs: globs, needed } = call.globs;
    outputs.makeRoom(prepared, globs);
    const isOther = (path: RelPath): boolean => {
      const owner = items?.ownerOf(path);
      return owner !== undefined && owner !== call;
    };
    return {
      capture: () => {
        const captured = outputs.capturePart(prepared, globs, { needed, isOther });
        for (const { path, kind } of captured.tree.entries) {
          const other = this.#writers.get(path);
          if (other !== undefined && kind !== 'dir') throw items?.overlap(other, call, path);
          this.#writers.set(path, call);
        }
        this.#states.push(...captured.states);
        return captured;
      },
      // What is left of it is the task's own once all items are over.
      abandon: () => {},
    };
  }

  #took(call: ItemCall, executed: Executed, printed: Uint8Array): void {
    const { name } = call.item;
    if (printed.length > 0) this.#execution.onOutput(labelled(name, printed));
    if (executed.kind === 'failed') this.#failed(call, executed.failure);
    if (executed.kind !== 'done') return;
    const { product, log, warning } = executed;
    if (warning !== null) this.#crew.onWarning(`${name}: ${warning}`);
    const { calls, now } = this.#bench;
    const record = calls.get(call.key);
    const walltime = Number(record?.metadata['runtime']?.['walltime'] ?? 0);
    this.#answers.set(call, { product, log, walltime, filed: record?.filed ?? now() });
    this.#crew.onProgress(this.#counts());
  }

  #failed(call: ItemCall, failure: Failure): void {
    this.#failures.set(call, failure);
    this.#crew.onProgress(this.#counts());
  }

  #counts(): ItemCounts {
    const [total, failed, done] = [this.#calls.length, this.#failures.size, this.#answers.size];
    return { total, ran: done - this.#cached, cached: this.#cached, failed, skipped: total - done - failed };
  }

  async #executed(started: number): Promise<Executed> {
    const isComplete = this.#answers.size === this.#calls.length;
    if (!isComplete) this.#abandon();
    if (!isComplete && this.#failures.size === 0) return { kind: 'aborted' };
    const { values, now } = this.#bench;
    const about = { started, stopped: now(), items: this.#calls.length };
    if (!isComplete) return new Answer(this.#call, this.#bench, { ...about, log: null }).failed(this.#failure());
    if (this.#prepared !== undefined) this.#bench.around.outputs.finish(this.#prepared, this.#states);
    const composed = compose(this.#call, this.#answers, values);
    composed.store();
    const { product, walltime, filed, logBlob: log } = composed;
    const answer = new Answer(this.#call, this.#bench, { ...about, walltime, filed, log });
    return answer.done({ value: product.value, note: null }, product.outputs, async () => [
      ...new Set([...this.#changed, ...(await this.#execution.changed([]))]),
    ]);
  }

  /** What stands there by now is the task's own. */
  #abandon(): void {
    if (this.#prepared !== undefined) this.#bench.around.outputs.abandon(this.#prepared);
    this.#prepared = undefined;
  }

  #failure(): Failure {
    const failed = this.#calls.flatMap((call) => {
      const failure = this.#failures.get(call);
      return failure === undefined ? [] : [{ name: call.item.name, failure }];
    });
    const [first] = failed;
    const named = failed.slice(0, MOST_NAMED).map(({ name, failure }) => `${name} ${failure.message}`);
    const more = failed.length > MOST_NAMED ? [`and ${failed.length - MOST_NAMED} more`] : [];
    const head = `${failed.length} of ${this.#calls.length} items failed`;
    const isOne = failed.length === 1;
    return {
      message: isOne ? `${head}: ${named[0]}` : [`${head}:`, ...named, ...more].join('\n'),
      exitCode: isOne ? (first?.failure.exitCode ?? null) : null,
      signal: isOne ? (first?.failure.signal ?? null) : null,
    };
  }
}
