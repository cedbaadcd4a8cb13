/**
 * Does the work of a task that is done for each of many items: those that are answered stay as they are, the others are
 * executed one by one, each an ordinary call with an answer of its own. What is common to all, such as what the task owns
 * in the workspace, is done once for all of them.
 */
import { setMaxListeners } from 'node:events';
import { isPromise } from '../../base/awaitable.ts';
import { FlecheError } from '../../base/errors.ts';
import { type RelPath, toRel } from '../../base/paths.ts';
import { isSameEntry } from '../../files/trees/tree.ts';
import type { Discovery } from '../discovered/discovery.ts';
import { type Found, found } from '../discovered/found.ts';
import type { Reporting } from '../discovered/reporting.ts';
import type { Sight } from '../discovered/sight.ts';
import { FunctionThreads } from '../functions/function-threads.ts';
import { Answer, type Executed } from '../round/answer.ts';
import { execute } from '../round/execute.ts';
import { type Execution, envOf } from '../round/work.ts';
import type { Workbench } from '../round/workbench.ts';
import type { Slots, Want } from '../scheduling/slots.ts';
import type { ItemCounts } from '../tasks/outcome.ts';
import type { ItemCall, TaskCall } from '../tasks/task-call.ts';
import { type Timeline, timed } from '../tasks/timeline.ts';
import type { Upstream } from '../tasks/upstream.ts';
import { type AskedItems, united } from './asked-items.ts';
import { CommonOutputs } from './common-outputs.ts';
import { CommonReads } from './common-reads.ts';
import { compose, labelled } from './composed.ts';
import { Tally } from './tally.ts';

/** What items share of a run. */
interface ItemsContext {
  readonly slots: Slots;
  readonly want: Want;
  readonly upstream: Upstream;
  /** What takes up what items tell, and what single paths are for the task now; undefined where nothing is told. */
  readonly reports?: { readonly reporting: Reporting; readonly sight: () => Sight };
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
  context: ItemsContext,
): Promise<EachExecuted> {
  return new Each(call, asked, bench, execution, context).execute();
}

class Each {
  readonly #call: TaskCall;
  readonly #bench: Workbench;
  readonly #execution: Execution;
  readonly #context: ItemsContext;
  readonly #tally: Tally;
  readonly #outputs: CommonOutputs;
  readonly #common: CommonReads;
  /** Paths that changed under items while they ran. */
  readonly #changed = new Set<RelPath>();
  readonly #threads = new FunctionThreads();
  readonly #env: Readonly<Record<string, string>>;
  #telling: Promise<void> = Promise.resolve();

  constructor(call: TaskCall, asked: AskedItems, bench: Workbench, execution: Execution, context: ItemsContext) {
    this.#call = call;
    this.#bench = bench;
    this.#execution = execution;
    this.#context = context;
    this.#env = envOf(call.task, bench);
    this.#tally = new Tally(asked);
    this.#outputs = new CommonOutputs(call, bench);
    // However many items are at work, each has an ear for it.
    setMaxListeners(0, execution.signal);
    const [first] = asked.calls;
    const look = (): readonly RelPath[] => [...(first?.changedInputs() ?? []), ...context.upstream.changes()];
    this.#common = new CommonReads(look, bench.now);
  }

  async execute(): Promise<EachExecuted> {
    const { values, now } = this.#bench;
    const started = now();
    for (const [blob, bytes] of this.#call.blobs) values.put(blob, bytes());
    try {
      await this.#makeReady();
      await this.#runAll(this.#tally.begin());
      const executed = await this.#executed(started);
      const { rest, counts } = this.#tally;
      if (rest !== undefined) this.#context.onWarning(rest);
      return { executed, items: counts };
    } catch (error) {
      this.#outputs.abandon();
      throw error;
    } finally {
      this.#context.reports?.reporting.finish();
      await this.#threads.close();
    }
  }

  async #makeReady(): Promise<void> {
    for (;;) {
      const lost = await this.#outputs.makeReady(this.#tally.answers);
      if (lost === undefined) return;
      this.#tally.forget(lost);
    }
  }

  /** Takes up one item after the other, as many at a time as there are places. */
  async #runAll(stale: readonly ItemCall[]): Promise<void> {
    const { slots } = this.#context;
    this.#noteReports(stale);
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

  /** Nobody else is to take for an input what items are about to tell. */
  #noteReports(calls: readonly ItemCall[]): void {
    const { writers } = this.#bench.around;
    for (const { task } of calls) {
      const file = task.discovered?.file ?? null;
      if (file !== null) writers.noteReport(this.#call.task, file);
    }
  }

  get #isStopped(): boolean {
    const { signal } = this.#execution;
    return signal.aborted || this.#context.isStopped() || (this.#tally.hasFailures && !this.#context.keepGoing);
  }

  /** `worked` is called when the place is free again; taking in what came of it may last longer. */
  async #run(call: ItemCall, worked: () => void): Promise<void> {
    const { slots, want, timeline } = this.#context;
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
    const question = this.#tally.questionOf(call);
    let discovery: Discovery | undefined;
    try {
      if (this.#isStopped) return;
      discovery = await this.#context.reports?.reporting.discover(question);
      const execution: Execution = {
        signal,
        ...(fault === undefined ? {} : { fault }),
        onPrinted: (log) => this.#tell(labelled(call.item.name, log)),
        changed: this.#watch(call),
        writing: () => this.#outputs.writing(call),
        onWorked: release,
        threads: this.#threads,
        env: this.#env,
        discovery,
      };
      const work = (): Promise<Executed> => execute(question, this.#bench, execution);
      const executed = await timed(timeline, name, 'run', work, place.lane);
      this.#took(call, executed);
    } catch (error) {
      if (!(error instanceof FlecheError) || error.code === 'BUG') throw error;
      const { root } = this.#bench.around;
      const message = error.describe((file) => toRel(root, file));
      this.#tally.failed(call, { message, exitCode: null, signal: null });
      this.#context.onProgress(this.#tally.counts);
    } finally {
      const file = call.task.discovered?.file ?? null;
      if (file !== null && !this.#call.globs.outputs.matches(file)) discovery?.discard();
      release();
    }
  }

  /** Shows what one item printed, after what is being shown of others. It is read from the disk as fast as it is taken. */
  #tell(log: Iterable<Uint8Array>): Promise<void> {
    this.#telling = this.#telling.then(async () => {
      for (const piece of log) {
        const told = this.#execution.onOutput?.(piece);
        if (isPromise(told)) await told;
      }
    });
    return this.#telling;
  }

  /** Tells of changes of what an item reads: its own file, and what it has in common with others. */
  #watch(call: ItemCall): Execution['changed'] {
    const { entry } = call.item;
    const standing = entry && this.#bench.around.outputs.look(this.#call.task.name, [entry]);
    return async (others) => {
      const changed = [...new Set([...others, ...(standing?.changes() ?? []), ...(await this.#common.changes())])];
      for (const path of changed) this.#changed.add(path);
      return changed;
    };
  }

  #took(call: ItemCall, executed: Executed): void {
    if (executed.kind === 'aborted') return;
    if (executed.kind === 'failed') this.#tally.failed(call, executed.failure, executed.call);
    else this.#answered(call, executed);
    this.#context.onProgress(this.#tally.counts);
  }

  #answered(call: ItemCall, executed: Executed & { readonly kind: 'done' }): void {
    const { call: question, product, log, warning, isSound } = executed;
    const said = warning === null ? undefined : this.#tally.warned(call, warning);
    if (said !== undefined) this.#context.onWarning(said);
    const { calls, now } = this.#bench;
    const record = calls.get(question.key);
    const walltime = Number(record?.metadata['runtime']?.['walltime'] ?? 0);
    const answer = { call: question, product, log, walltime, filed: record?.filed ?? now() };
    this.#tally.answered(call, answer, isSound);
  }

  async #executed(started: number): Promise<Executed> {
    const { isComplete, hasFailures, answers, questions } = this.#tally;
    const { values, now } = this.#bench;
    if (!isComplete) this.#outputs.abandon();
    if (!isComplete && !hasFailures) return { kind: 'aborted' };
    const sight = this.#context.reports?.sight();
    const call = sight === undefined ? this.#call : united(this.#call, questions.values(), sight);
    const about = { started, stopped: now(), items: questions.size };
    if (!isComplete) return new Answer(call, this.#bench, { ...about, log: null }).failed(this.#tally.failure);
    this.#outputs.finish();
    const composed = compose(call, answers, values);
    const log = composed.store(this.#bench.tempDir);
    const { product, walltime, filed } = composed;
    const answer = new Answer(call, this.#bench, { ...about, walltime, filed, log });
    const changes = (others: readonly RelPath[]): ReturnType<Execution['changed']> =>
      this.#execution.changed([...new Set([...this.#changed, ...others])]);
    return answer.done(
      { value: product.value, note: null },
      product.outputs,
      changes,
      sight && this.#found(call, sight),
    );
  }

  /** What all items read, which is what they still find there. */
  #found(call: TaskCall, sight: Sight): Found {
    const { doubts, questions } = this.#tally;
    if (doubts !== undefined) return { kind: 'unknown', why: doubts };
    const changed = new Set<RelPath>();
    for (const { read } of questions.values()) {
      for (const entry of read?.entries ?? [])
        if (!isSameEntry(entry, sight.at(entry.path).entry)) changed.add(entry.path);
    }
    return found(call, call.read?.entries.map(({ path }) => path) ?? [], [...changed], this.#bench);
  }
}
