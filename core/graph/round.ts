/**
 * One run or plan of a set of tasks. Each task waits for what it needs, asks its question, and is answered from the cache
 * or done; equal outputs leave dependents' questions unchanged, which is all there is to early cutoff. What changes the
 * workspace is done under a claim, and only when what the task reads of others stands there as its question says.
 */
import { setMaxListeners } from 'node:events';
import { FlecheError } from '../base/errors.ts';
import type { Digest } from '../base/hash.ts';
import type { RelPath } from '../base/paths.ts';
import { type Claim, claim } from './claims.ts';
import { execute, type Workbench } from './execute.ts';
import { isThere, lookUp, RESULT } from './lookup.ts';
import type { OutcomeKind, Reason, RunReport, RunRequest, RunSummary, TaskOutcome } from './outcome.ts';
import type { Product } from './product.ts';
import { Products } from './products.ts';
import type { Acted, Settled } from './settled.ts';
import { Slots } from './slots.ts';
import type { Task } from './task.ts';
import { callOf, type TaskCall } from './task-call.ts';
import { Upstream } from './upstream.ts';
import type { Live } from './watch/live.ts';

/** A question, with its answer if there is one. */
type Asked = Hit | Miss;

interface Hit {
  readonly kind: 'hit';
  readonly call: TaskCall;
  readonly product: Product;
  /** What the task printed and how long that took, ms; null if it was answered in this round already. */
  readonly past: { readonly log: Uint8Array | null; readonly walltime: number } | null;
}

interface Miss {
  readonly kind: 'miss';
  readonly call: TaskCall;
  readonly reasons: readonly Reason[];
}

type End = (outcome: Partial<TaskOutcome> & Pick<TaskOutcome, 'outcome'>, product?: Product) => Settled;

/** How often what a task reads may be found changed from outside before that counts as a failure. */
const ATTEMPTS = 5;

export class Round {
  /** The last question of each task. */
  readonly calls: Map<string, TaskCall> = new Map();
  readonly #bench: Workbench;
  readonly #request: RunRequest;
  readonly #mode: 'run' | 'plan';
  readonly #live: Live | undefined;
  readonly #slots: Slots;
  readonly #settled = new Map<string, Promise<Settled>>();
  readonly #products: Products;
  readonly #repairs = new Map<string, Promise<Settled>>();
  /** Moments of `live` at which tasks were asked last, and at which a result they build on last changed. */
  readonly #asked = new Map<string, number>();
  readonly #since = new Map<string, number>();
  /** Tasks that have nothing to tell: an earlier round told it, or does when their work is over. */
  readonly #quiet = new Set<string>();
  #failed = false;
  #frozenStale = false;
  #saved = 0;

  /** `live` is what earlier rounds of the same watch found and are still at; its number of jobs holds. */
  constructor(bench: Workbench, request: RunRequest, mode: 'run' | 'plan', live?: Live) {
    this.#bench = bench;
    this.#request = request;
    this.#mode = mode;
    this.#live = live;
    this.#products = new Products(bench.around);
    // However many tasks wait, each has an ear for it.
    setMaxListeners(0, request.signal);
    this.#slots = live?.slots ?? new Slots(request.jobs);
  }

  async report(): Promise<RunReport> {
    const { graph } = this.#bench.around;
    const { targets, signal, listener } = this.#request;
    const started = this.#bench.now();
    const names = graph.closure(targets);
    listener({ type: 'plan', tasks: names });
    // A bug in one task must not leave others at work behind the caller's back.
    const ends = await Promise.allSettled(names.map((name) => this.#settle(graph.task(name))));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    const settled = await Promise.all(names.map((name) => this.#settle(graph.task(name))));
    const outcomes = settled.map(({ outcome }) => outcome);
    const count = (kind: OutcomeKind): number => outcomes.filter(({ outcome }) => outcome === kind).length;
    const summary: RunSummary = {
      type: 'summary',
      ran: count('ran'),
      cached: count('cached'),
      failed: count('failed'),
      skipped: count('skipped'),
      ms: this.#bench.now() - started,
      saved: this.#saved,
    };
    listener({ type: 'end', summary });
    return { outcomes, summary, frozenStale: this.#frozenStale, interrupted: signal.aborted };
  }

  /** Each task once, whoever asks. */
  #settle(task: Task): Promise<Settled> {
    const known = this.#settled.get(task.name);
    if (known !== undefined) return known;
    const settling = this.#settleNeeds(task).then((settled) => this.#note(settled));
    this.#settled.set(task.name, settling);
    return settling;
  }

  #note(settled: Settled): Settled {
    const { outcome, product } = settled;
    const { name } = outcome;
    if (product !== undefined) this.#products.set(name, product);
    if (outcome.outcome === 'failed') this.#failed = true;
    const asked = this.#asked.get(name);
    if (asked !== undefined) this.#live?.note(settled, asked);
    if (!this.#quiet.has(name)) this.#request.listener({ type: 'done', outcome });
    return settled;
  }

  async #settleNeeds(task: Task): Promise<Settled> {
    const { graph } = this.#bench.around;
    const needs = await Promise.all(task.needs.map((need) => this.#settle(graph.task(need))));
    const end = this.#ending(task);
    const inTheWay = needs.filter(({ product }) => product === undefined).map(({ outcome }) => outcome);
    const broken = inTheWay.filter(({ outcome }) => outcome === 'failed' || outcome === 'skipped');
    const pending = inTheWay.map(({ name }): Reason => ({ kind: 'pending', task: name }));
    if (broken.length > 0 || this.#stopped()) return end({ outcome: 'skipped', reasons: pending });
    if (pending.length > 0) return end({ outcome: 'ran', reasons: pending });
    return (await this.#recall(task)) ?? this.#answer(task, end);
  }

  /** What an earlier round found, or is about to find, if nothing that it depends on can be different. */
  async #recall(task: Task): Promise<Settled | undefined> {
    const live = this.#live;
    if (live === undefined) return undefined;
    const since = Math.max(0, ...task.needs.map((need) => Math.max(live.changed(need), this.#since.get(need) ?? 0)));
    this.#since.set(task.name, since);
    for (;;) {
      const known = live.recall(task.name, since);
      if (known === undefined) return undefined;
      const acted: Acted = 'acted' in known ? await known.acted : { kind: 'settled', settled: known };
      if (acted.kind === 'settled') return this.#quietly(acted.settled);
      if (this.#stopped()) return undefined;
    }
  }

  #quietly(settled: Settled): Settled {
    this.#quiet.add(settled.outcome.name);
    return settled;
  }

  #ending(task: Task): End {
    const started = this.#bench.now();
    return (outcome, product) => ({
      outcome: { ...blank(task.name), ms: this.#bench.now() - started, ...outcome },
      product,
    });
  }

  #stopped(): boolean {
    const { signal, keepGoing } = this.#request;
    return signal.aborted || (this.#failed && !keepGoing && this.#mode === 'run');
  }

  /**
   * Brings a task that is over up to date again: what it wrote was changed, or its result is lost. Its outcome is told
   * again only if it was more than putting back what it made in this round.
   */
  #again(task: Task): Promise<Settled> {
    const known = this.#repairs.get(task.name);
    if (known !== undefined) return known;
    const before = this.calls.get(task.name)?.key;
    const repair = this.#answer(task, this.#ending(task)).then((settled) => {
      const { outcome } = settled;
      this.#products.renew([task.name]);
      if (outcome.outcome !== 'cached' || outcome.key !== before) {
        this.#settled.set(task.name, Promise.resolve(this.#note(settled)));
      }
      this.#repairs.delete(task.name);
      return settled;
    });
    this.#repairs.set(task.name, repair);
    return repair;
  }

  async #answer(task: Task, end: End): Promise<Settled> {
    this.#quiet.delete(task.name);
    try {
      for (let attempt = 1; attempt <= ATTEMPTS; ) {
        const acted = await this.#attempt(task, end);
        if (acted.kind === 'settled') return acted.settled;
        if (this.#stopped()) return end({ outcome: 'skipped' });
        if (acted.disturbed.length > 0) attempt++;
        for (const name of acted.disturbed) {
          const { product } = await this.#again(this.#bench.around.graph.task(name));
          if (product === undefined) return end({ outcome: 'skipped', reasons: [{ kind: 'pending', task: name }] });
        }
      }
      throw new FlecheError('OUTPUT_CHANGED', `what "${task.name}" reads of other tasks is changed again and again`, {
        hint: 'Something else writes there: another run with other settings, or a program that watches these files.',
      });
    } catch (error) {
      if (!(error instanceof FlecheError) || error.code === 'BUG') throw error;
      return end({ outcome: 'failed', key: this.calls.get(task.name)?.key ?? null, message: error.describe() });
    }
  }

  async #attempt(task: Task, end: End): Promise<Acted> {
    const asked = await this.#ask(task);
    const { call } = asked;
    if (this.#mode === 'plan') {
      const lost = asked.kind === 'hit' ? this.#lost(asked) : undefined;
      if (asked.kind === 'hit' && lost === undefined) return this.#served(asked, 0, end);
      const reasons = asked.kind === 'hit' ? [lostReason(asked.product, lost)] : asked.reasons;
      return settled(end({ outcome: 'ran', key: call.key, reasons }));
    }
    return this.#live === undefined ? this.#settleAsked(asked, end) : this.#settleLive(asked, end, this.#live);
  }

  /** The same beside work of earlier rounds: what is in the way of it is ended first. */
  async #settleLive(asked: Asked, end: End, live: Live): Promise<Acted> {
    const { call } = asked;
    const { name } = call.task;
    const moment = this.#asked.get(name) ?? 0;
    if (this.#stopped()) return this.#skip(call, end);
    const same = live.join(call, moment);
    if (same !== undefined) {
      const acted = await same.acted;
      return acted.kind === 'settled' ? settled(this.#quietly(acted.settled)) : acted;
    }
    if (await live.end([name])) return { kind: 'unsettled', disturbed: [] };
    const failed = live.failure(call);
    if (failed !== undefined) return settled(this.#quietly(failed));
    if (asked.kind === 'hit' && this.#isRight(asked)) return this.#served(asked, 0, end);
    const { graph } = this.#bench.around;
    await live.end(live.flying.filter((other) => graph.upstreamOf(other).includes(name)));
    if (this.#stopped()) return this.#skip(call, end);
    return live.fly(call, moment, (signal) => this.#settleAsked(asked, end, signal));
  }

  async #settleAsked(asked: Asked, end: End, signal: AbortSignal = this.#request.signal): Promise<Acted> {
    const { call } = asked;
    if (asked.kind === 'hit' && this.#stands(asked)) return this.#served(asked, 0, end);
    if (asked.kind === 'miss' && this.#request.frozen) return this.#refuse(asked, end);
    const isFree = this.#slots.tryTake();
    if (!isFree && !(await this.#slots.take(signal))) return this.#skip(call, end);
    try {
      const claim = await this.#claim(call.task, signal);
      if (claim === undefined) return this.#skip(call, end);
      try {
        this.#bench.refresh();
        const waited = !isFree || claim.waited;
        return await this.#act(this.#isOld(asked, waited) ? await this.#askAnew(call.task) : asked, end, signal);
      } finally {
        // Whoever claims it next must find what was noted of it.
        this.#bench.around.state.flush();
        claim.release();
      }
    } finally {
      this.#slots.release();
    }
  }

  #skip(call: TaskCall, end: End): Acted {
    return settled(end({ outcome: 'skipped', key: call.key }));
  }

  /** Whether a question may have another answer by now, or be another one. */
  #isOld({ kind, call }: Asked, waited: boolean): boolean {
    if (waited || !call.isSure) return true;
    if (kind === 'hit' || !call.task.cache || this.#isForced(call.task)) return false;
    return this.#bench.calls.get(call.key)?.failure === null;
  }

  #isForced({ name }: Task): boolean {
    return this.#request.force || this.#live?.isForced(name) === true;
  }

  #claim(task: Task, signal: AbortSignal): Promise<Claim | undefined> {
    const { leases, now, around } = this.#bench;
    const { listener } = this.#request;
    const told = new Set<number>();
    return claim(task.name, {
      leases,
      graph: around.graph,
      now,
      signal,
      onWait: ({ owner }) => {
        if (told.has(owner.pid)) return;
        told.add(owner.pid);
        listener({ type: 'warning', name: task.name, message: `waits for process ${owner.pid}, which is at it` });
      },
    });
  }

  /** Asks for a task, and looks for an answer. Changes nothing. */
  async #ask(task: Task): Promise<Asked> {
    const call = await this.#question(task);
    const isAgain = this.calls.get(task.name)?.key === call.key;
    const made = isAgain ? this.#products.get(task.name) : this.#live?.made(call);
    this.calls.set(task.name, call);
    if (made !== undefined) {
      if (isThere(made, this.#bench.values)) return { kind: 'hit', call, product: made, past: null };
      return { kind: 'miss', call, reasons: [{ kind: 'lost', what: RESULT }] };
    }
    if (!task.cache) return { kind: 'miss', call, reasons: [{ kind: 'uncached' }] };
    if (this.#isForced(task)) return { kind: 'miss', call, reasons: [{ kind: 'forced' }] };
    const found = lookUp(call, this.#bench);
    if (found.kind === 'miss') return { kind: 'miss', call, reasons: found.reasons };
    const { record, product, log } = found;
    const walltime = Number(record.metadata['runtime']?.['walltime'] ?? 0);
    return { kind: 'hit', call, product, past: { log, walltime } };
  }

  /** The same when others may have written to the workspace in between. */
  #askAnew(task: Task): Promise<Asked> {
    this.#products.renew(this.#bench.around.graph.upstreamOf(task.name));
    return this.#ask(task);
  }

  async #question(task: Task): Promise<TaskCall> {
    const live = this.#live;
    if (live === undefined) return callOf(task, this.#products, this.#bench.around);
    this.#asked.set(task.name, live.tick());
    try {
      const call = await callOf(task, this.#products, this.#bench.around);
      live.lean(task.name, call.leaning);
      return call;
    } catch (error) {
      live.lean(task.name, undefined);
      throw error;
    }
  }

  /** Whether nothing would be put right: less than `stands`, for what is noted of the outputs may be out of date. */
  #isRight({ call, product }: Hit): boolean {
    const { outputs } = this.#bench.around;
    const { name } = call.task;
    if (product.outputs === null) return true;
    return outputs.owned(name) !== undefined && outputs.check(name, call.globs.outputs, product.outputs).length === 0;
  }

  #stands({ call, product }: Hit): boolean {
    const { outputs } = this.#bench.around;
    const { name } = call.task;
    // A task that declares no outputs any more may have written some.
    if (product.outputs === null) return outputs.owned(name) === undefined;
    return outputs.stands(name, call.globs.outputs, product.outputs);
  }

  /** Content that is needed to put the answer into the workspace, and is not on file. */
  #lost({ call, product }: Hit): Digest | undefined {
    const { outputs } = this.#bench.around;
    return product.outputs === null ? undefined : outputs.lost(call.task.name, call.globs.outputs, product.outputs);
  }

  #refuse({ call, reasons }: Miss, end: End): Acted {
    this.#frozenStale = true;
    return settled(end({ outcome: 'skipped', key: call.key, reasons }));
  }

  /** Changes the workspace: puts an answer there, or does the work. The task is claimed. */
  async #act(asked: Asked, end: End, signal: AbortSignal): Promise<Acted> {
    if (asked.kind === 'miss') return this.#work(asked, end, signal);
    const { call, product } = asked;
    if (this.#stands(asked)) return this.#served(asked, 0, end);
    const upstream = new Upstream(call, this.#bench);
    if (upstream.disturbed.length > 0) return { kind: 'unsettled', disturbed: upstream.disturbed };
    const { outputs } = this.#bench.around;
    if (product.outputs === null) return this.#served(asked, outputs.discard(call.task.name), end);
    const result = outputs.restore(call.task.name, call.globs.outputs, product.outputs);
    if ('restored' in result) return this.#served(asked, result.restored, end);
    return this.#work({ kind: 'miss', call, reasons: [lostReason(product, result.lost)] }, end, signal);
  }

  /** Replays what the task printed, but not twice in one round. */
  #served({ call, product, past }: Hit, restored: number, end: End): Acted {
    const { name } = call.task;
    if (this.#mode === 'run' && past !== null) {
      const { log, walltime } = past;
      if (log !== null) this.#request.listener({ type: 'output', name, chunk: log, replayed: true });
      this.#saved += walltime;
    }
    if (past === null && restored === 0 && this.#live !== undefined) this.#quiet.add(name);
    return settled(end({ outcome: 'cached', key: call.key, restored, result: product.result }, product));
  }

  /** Does the work. The task is claimed. */
  async #work({ call, reasons }: Miss, end: End, signal: AbortSignal): Promise<Acted> {
    const { task, key } = call;
    const { listener, frozen } = this.#request;
    if (this.#stopped() || signal.aborted) return this.#skip(call, end);
    if (frozen) return this.#refuse({ kind: 'miss', call, reasons }, end);
    const upstream = new Upstream(call, this.#bench);
    if (upstream.disturbed.length > 0) return { kind: 'unsettled', disturbed: upstream.disturbed };
    listener({ type: 'start', name: task.name, reasons });
    const changed = (): readonly RelPath[] => {
      const paths = [...call.changedInputs(), ...upstream.changes()];
      if (paths.length > 0) this.#live?.disturb([task.name]);
      return paths;
    };
    const executed = await execute(call, this.#bench, {
      signal,
      onOutput: (chunk) => listener({ type: 'output', name: task.name, chunk, replayed: false }),
      changed,
    });
    switch (executed.kind) {
      case 'aborted':
        return this.#skip(call, end);
      case 'failed': {
        if (this.#live !== undefined) changed();
        const { message, exitCode } = executed.failure;
        return settled(end({ outcome: 'failed', key, reasons, exitCode, message }));
      }
      case 'done': {
        const { product, warning } = executed;
        if (warning !== null) listener({ type: 'warning', name: task.name, message: warning });
        return settled(end({ outcome: 'ran', key, reasons, result: product.result, message: warning }, product));
      }
    }
  }
}

function settled(end: Settled): Acted {
  return { kind: 'settled', settled: end };
}

function lostReason({ outputs }: Product, lost: Digest | undefined): Reason {
  const entry = outputs?.entries.find((entry) => entry.kind === 'file' && entry.digest === lost);
  return { kind: 'lost', what: entry?.path ?? 'the list of outputs' };
}

function blank(name: string): TaskOutcome {
  return {
    type: 'task',
    name,
    outcome: 'skipped',
    key: null,
    reasons: [],
    ms: 0,
    result: null,
    exitCode: null,
    message: null,
    restored: 0,
  };
}
