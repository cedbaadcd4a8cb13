/**
 * Runs, plans and explains a set of tasks. Each wanted task waits for what it needs, asks its question, and is answered
 * from the cache or done; equal outputs leave dependents' questions unchanged, which is all there is to early cutoff.
 */
import { FlecheError } from '../base/errors.ts';
import type { Key } from '../base/hash.ts';
import type { PartChange } from '../call/explain.ts';
import { type Held, hold } from '../store/hold.ts';
import type { Lease } from '../store/leases.ts';
import type { CallRecord } from '../store/record.ts';
import { execute, type Workbench } from './execute.ts';
import { comparison, type Lookup, lookUp } from './lookup.ts';
import type { OutcomeKind, Reason, RunListener, RunSummary, TaskOutcome } from './outcome.ts';
import type { Product } from './product.ts';
import { Slots } from './slots.ts';
import type { Task } from './task.ts';
import { callOf, type TaskCall } from './task-call.ts';

export interface RunRequest {
  /** Names of the wanted tasks; what they need comes along. */
  readonly targets: readonly string[];
  /** How many tasks may run at once, at least 1. */
  readonly jobs: number;
  /** Run every task, whatever is on file. */
  readonly force: boolean;
  /** Run nothing: a task that is not on file is skipped and makes the report's `frozenStale` true. */
  readonly frozen: boolean;
  /** After a failure go on with everything that does not need the failed task. */
  readonly keepGoing: boolean;
  readonly signal: AbortSignal;
  readonly listener: RunListener;
}

export interface RunReport {
  /** In an order in which the tasks could have run. */
  readonly outcomes: readonly TaskOutcome[];
  readonly summary: RunSummary;
  readonly frozenStale: boolean;
  readonly interrupted: boolean;
}

export interface WhyReport {
  readonly task: string;
  readonly verdict: 'cached' | 'stale' | 'never-ran';
  /** Null while something the task needs must run first. */
  readonly key: Key | null;
  readonly reasons: readonly Reason[];
  /** The parts of the fingerprint beside those of the nearest past call. */
  readonly parts: readonly WhyPart[];
  readonly nearest: { readonly key: Key; readonly filed: number } | null;
}

export interface WhyPart {
  readonly name: string;
  readonly state: 'same' | 'changed' | 'added' | 'removed';
  /** Digests, past and present, shortened by nobody; null where there is no such side. */
  readonly past: string | null;
  readonly present: string | null;
}

export class Engine {
  readonly #bench: Workbench;

  constructor(bench: Workbench) {
    this.#bench = bench;
  }

  run(request: RunRequest): Promise<RunReport> {
    return new Round(this.#bench, request, 'run').report();
  }

  /** What `run` would do, by the same code, without running or writing anything. */
  plan(request: Omit<RunRequest, 'listener'>): Promise<RunReport> {
    return new Round(this.#bench, { ...request, listener: () => {} }, 'plan').report();
  }

  async why(name: string, signal: AbortSignal = new AbortController().signal): Promise<WhyReport> {
    const request = {
      targets: [name],
      jobs: 1,
      force: false,
      frozen: false,
      keepGoing: true,
      signal,
      listener: () => {},
    };
    const round = new Round(this.#bench, request, 'plan');
    const { outcomes } = await round.report();
    const outcome = outcomes.find((outcome) => outcome.name === name);
    const call = round.calls.get(name);
    const nearest = call === undefined ? undefined : comparison(call, this.#bench);
    const cached = outcome?.outcome === 'cached';
    return {
      task: name,
      verdict: cached ? 'cached' : call !== undefined && nearest === undefined ? 'never-ran' : 'stale',
      key: call?.key ?? null,
      reasons: outcome?.reasons ?? [],
      parts: call === undefined ? [] : whyParts(call, nearest?.changes ?? []),
      nearest: nearest === undefined ? null : { key: nearest.record.key, filed: nearest.record.filed },
    };
  }
}

function whyParts(call: TaskCall, changes: readonly PartChange[]): readonly WhyPart[] {
  const changed = new Map(changes.map((change) => [change.name, change]));
  const present = call.parts.map((part): WhyPart => {
    const change = changed.get(part.name);
    const state = change === undefined ? 'same' : change.past === null ? 'added' : 'changed';
    return {
      name: part.name,
      state,
      past: change === undefined ? part.digest : (change.past?.digest ?? null),
      present: part.digest,
    };
  });
  const removed = changes
    .filter((change) => change.present === null)
    .map(
      (change): WhyPart => ({ name: change.name, state: 'removed', past: change.past?.digest ?? null, present: null }),
    );
  return [...present, ...removed];
}

/** A task that is over: its outcome, and its product if dependents can build on it. */
interface Settled {
  readonly outcome: TaskOutcome;
  readonly product: Product | undefined;
}

/** One run or plan. */
class Round {
  /** Questions asked so far, by task. */
  readonly calls = new Map<string, TaskCall>();
  readonly #bench: Workbench;
  readonly #request: RunRequest;
  readonly #mode: 'run' | 'plan';
  readonly #slots: Slots;
  readonly #settled = new Map<string, Promise<Settled>>();
  readonly #products = new Map<string, Product>();
  #failed = false;
  #frozenStale = false;
  #saved = 0;

  constructor(bench: Workbench, request: RunRequest, mode: 'run' | 'plan') {
    this.#bench = bench;
    this.#request = request;
    this.#mode = mode;
    this.#slots = new Slots(request.jobs);
  }

  async report(): Promise<RunReport> {
    const { graph } = this.#bench.around;
    const { targets, signal, listener } = this.#request;
    const started = this.#bench.now();
    const names = graph.closure(targets);
    listener({ type: 'plan', tasks: names });
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
    const settling = this.#settleNeeds(task).then((settled) => {
      if (settled.product !== undefined) this.#products.set(task.name, settled.product);
      if (settled.outcome.outcome === 'failed') this.#failed = true;
      this.#request.listener({ type: 'done', outcome: settled.outcome });
      return settled;
    });
    this.#settled.set(task.name, settling);
    return settling;
  }

  async #settleNeeds(task: Task): Promise<Settled> {
    const { graph } = this.#bench.around;
    const needs = await Promise.all(task.needs.map((need) => this.#settle(graph.task(need))));
    const started = this.#bench.now();
    const end = (outcome: Partial<TaskOutcome> & Pick<TaskOutcome, 'outcome'>, product?: Product): Settled => ({
      outcome: { ...blank(task.name), ms: this.#bench.now() - started, ...outcome },
      product,
    });
    const inTheWay = needs.filter(({ product }) => product === undefined).map(({ outcome }) => outcome);
    const broken = inTheWay.filter(({ outcome }) => outcome === 'failed' || outcome === 'skipped');
    const pending = inTheWay.map(({ name }): Reason => ({ kind: 'pending', task: name }));
    if (broken.length > 0 || this.#stopped()) return end({ outcome: 'skipped', reasons: pending });
    if (pending.length > 0) return end({ outcome: 'ran', reasons: pending });
    try {
      return await this.#answer(task, end);
    } catch (error) {
      if (!(error instanceof FlecheError) || error.code === 'BUG') throw error;
      return end({ outcome: 'failed', key: this.calls.get(task.name)?.key ?? null, message: error.describe() });
    }
  }

  #stopped(): boolean {
    const { signal, keepGoing } = this.#request;
    return signal.aborted || (this.#failed && !keepGoing && this.#mode === 'run');
  }

  async #answer(task: Task, end: End): Promise<Settled> {
    const asked = await this.#ask(task, end);
    if (asked.kind === 'settled') return asked.settled;
    const { call, reasons } = asked;
    if (this.#mode === 'plan') return end({ outcome: 'ran', key: call.key, reasons });
    if (this.#request.frozen) {
      this.#frozenStale = true;
      return end({ outcome: 'skipped', key: call.key, reasons });
    }
    const held = await this.#hold(task);
    try {
      if (!held?.waited) return await this.#work(call, reasons, end);
      // Another process worked on this task until now: what it filed may be the answer.
      const again = await this.#ask(task, end);
      return again.kind === 'settled' ? again.settled : await this.#work(again.call, again.reasons, end);
    } finally {
      held?.release();
    }
  }

  /** One process at a time works on a task of this workspace; without leases each goes its own way. */
  async #hold(task: Task): Promise<Held | undefined> {
    const { leases, now } = this.#bench;
    const { signal, listener } = this.#request;
    const onWait = ({ owner }: Lease): void =>
      listener({ type: 'warning', name: task.name, message: `waits for process ${owner.pid}, which is at it` });
    return leases === undefined ? undefined : hold(leases, `task:${task.name}`, { now, signal, onWait });
  }

  /** Asks for a task, and serves it if it is on file. */
  async #ask(task: Task, end: End): Promise<Asked> {
    const call = await callOf(task, this.#products, this.#bench.around);
    this.calls.set(task.name, call);
    const found = this.#lookUp(call);
    if (found.kind === 'miss') return { kind: 'open', call, reasons: found.reasons };
    const served = this.#serve(call, found.record, found.product);
    if (served.kind === 'lost') return { kind: 'open', call, reasons: served.reasons };
    const outcome = {
      outcome: 'cached',
      key: call.key,
      restored: served.restored,
      ...resultOf(found.product),
    } as const;
    return { kind: 'settled', settled: end(outcome, found.product) };
  }

  #lookUp(call: TaskCall): Lookup {
    if (!call.task.cache) return { kind: 'miss', reasons: [{ kind: 'uncached' }] };
    if (this.#request.force) return { kind: 'miss', reasons: [{ kind: 'forced' }] };
    return lookUp(call, this.#bench);
  }

  /** Puts the workspace right for a hit and replays what the task printed. A plan does neither. */
  #serve(call: TaskCall, record: CallRecord, made: Product): Served {
    const wall = record.metadata['runtime']?.['walltime'];
    if (this.#mode === 'plan') return { kind: 'hit', restored: 0 };
    let restored = 0;
    if (made.outputs !== null) {
      const result = this.#bench.around.outputs.restore(call.task.name, call.globs.outputs, made.outputs);
      if ('lost' in result) return { kind: 'lost', reasons: [{ kind: 'lost', what: result.lost }] };
      restored = result.restored;
    }
    const log = record.log === null ? undefined : this.#bench.values.get(record.log);
    if (log !== undefined) this.#request.listener({ type: 'output', name: call.task.name, chunk: log, replayed: true });
    this.#saved += typeof wall === 'number' ? wall : 0;
    return { kind: 'hit', restored };
  }

  async #work(call: TaskCall, reasons: readonly Reason[], end: End): Promise<Settled> {
    const { task, key } = call;
    const { signal, listener } = this.#request;
    if (!(await this.#slots.take(signal))) return end({ outcome: 'skipped', key, reasons: [] });
    try {
      if (this.#stopped()) return end({ outcome: 'skipped', key, reasons: [] });
      listener({ type: 'start', name: task.name, reasons });
      const onOutput = (chunk: Uint8Array): void =>
        listener({ type: 'output', name: task.name, chunk, replayed: false });
      const executed = await execute(call, this.#bench, { signal, onOutput });
      switch (executed.kind) {
        case 'aborted':
          return end({ outcome: 'skipped', key, reasons: [] });
        case 'failed': {
          const { message, exitCode } = executed.failure;
          return end({ outcome: 'failed', key, reasons, exitCode, message });
        }
        case 'done': {
          const { product, warning } = executed;
          if (warning !== null) listener({ type: 'warning', name: task.name, message: warning });
          return end({ outcome: 'ran', key, reasons, ...resultOf(product), message: warning }, product);
        }
      }
    } finally {
      this.#slots.release();
    }
  }
}

type End = (outcome: Partial<TaskOutcome> & Pick<TaskOutcome, 'outcome'>, product?: Product) => Settled;

type Asked =
  | { readonly kind: 'settled'; readonly settled: Settled }
  | { readonly kind: 'open'; readonly call: TaskCall; readonly reasons: readonly Reason[] };

type Served =
  | { readonly kind: 'hit'; readonly restored: number }
  | { readonly kind: 'lost'; readonly reasons: readonly Reason[] };

function resultOf(product: Product): Pick<TaskOutcome, 'result'> {
  return { result: product.result };
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
