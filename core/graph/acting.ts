/**
 * Does what the answers of one round ask for: puts them into the workspace, or does the work. What changes the workspace
 * is done at a place of its own and under a claim; work, only when what the task reads of others stands there as its
 * question says.
 */
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { isPromise } from '../base/awaitable.ts';
import type { Key } from '../base/hash.ts';
import type { RelPath } from '../base/paths.ts';
import type { Restored } from '../files/outputs/restoration.ts';
import type { Executed } from './answer.ts';
import { type Claim, claim } from './claims.ts';
import type { Reporting } from './discovered/reporting.ts';
import { Sight } from './discovered/sight.ts';
import type { Ending } from './ending.ts';
import { execute } from './execute.ts';
import type { EachExecuted } from './foreach/each.ts';
import { type Asked, bring, type Hit, lostReason, type Miss, type Questions, stands } from './questions.ts';
import { RestoreQueue, type Restoring } from './restoring.ts';
import type { RoundState } from './round-state.ts';
import type { Place, Slots, Want } from './scheduling/slots.ts';
import type { RoundServices } from './services/round-services.ts';
import type { Service } from './services/service.ts';
import type { Acted, Settled } from './settled.ts';
import { SpentClaims } from './spent-claims.ts';
import type { Scheduling, Task } from './task.ts';
import { readsNothing, type TaskCall } from './task-call.ts';
import { timed } from './timeline.ts';
import { Upstream } from './upstream.ts';
import type { Execution } from './work.ts';

/** What holds for a task of which nothing else is said. */
const ONCE: Scheduling = { weight: 1, retries: 0, retryDelay: 0 };

export class Acting {
  readonly #state: RoundState;
  readonly #questions: Questions;
  readonly #slots: Slots;
  readonly #spent: SpentClaims;
  readonly #restoring: RestoreQueue;
  /** Questions whose answers turned out not to be whole. */
  readonly #lost = new Set<Key>();
  readonly #services: RoundServices;

  constructor(state: RoundState, questions: Questions, services: RoundServices, slots: Slots) {
    this.#state = state;
    this.#questions = questions;
    this.#slots = slots;
    this.#services = services;
    const { around, calls, now } = state.bench;
    const note = (): void => {
      calls.flush();
      around.state.flush();
    };
    this.#spent = new SpentClaims(note, (steps) => state.bench.leases.together(steps));
    this.#restoring = new RestoreQueue(note, now);
  }

  /** Keeps nothing from other processes any more. */
  finish(): void {
    this.#spent.release();
  }

  /** Settles what was asked. After `signal` nothing is begun, and what is under way is cut short. */
  async settle(asked: Asked, end: Ending, signal: AbortSignal): Promise<Acted> {
    const { call } = asked;
    const { bench, request } = this.#state;
    if (asked.kind === 'hit' && stands(asked, bench.around)) return this.served(asked, 0, end);
    if (asked.kind === 'miss' && request.frozen) return this.refuse(asked, end);
    const { retries, retryDelay } = call.task.scheduling ?? ONCE;
    let acted = await this.#take(asked, end, signal);
    for (let retry = 0; retry < retries && acted.kind === 'settled' && this.#isToRetry(acted.settled); retry++) {
      const ms = retryDelay * 2 ** retry;
      this.#tellRetry(acted.settled, retries + 1, ms);
      await end.wait(delay(ms, undefined, { signal }).catch(() => {}));
      if (signal.aborted) return skipped(call, end);
      if (this.#state.isStopped) return acted;
      acted = await this.#take(await this.#questions.askAnew(call.task), end, signal);
    }
    return acted;
  }

  #isToRetry({ outcome }: Settled): boolean {
    return outcome.outcome === 'failed' && !this.#state.isStopped;
  }

  #tellRetry({ outcome }: Settled, attempts: number, ms: number): void {
    const { name, attempts: attempt, message } = outcome;
    this.#state.request.listener({ type: 'retry', name, attempt, attempts, message: message ?? '', ms });
  }

  /** Takes the claim, and for work a place, and acts. */
  async #take(asked: Asked, end: Ending, signal: AbortSignal): Promise<Acted> {
    const { call } = asked;
    // What has to travel does so before anything is taken, so that much can travel at a time.
    if (asked.kind === 'hit') await bring(asked, this.#state);
    if (asked.kind === 'hit' && !this.#lost.has(call.key)) return this.#claimed(asked, end, signal, undefined);
    const { timeline } = this.#state.request;
    const { name, foreach } = call.task;
    const want = this.#want(call.task);
    const place =
      foreach !== undefined
        ? NOWHERE
        : await end.wait(timed(timeline, name, 'wait', () => this.#slots.take(want, signal)));
    if (place === undefined) return skipped(call, end);
    try {
      if (this.#services.needs(call.task) && !(await end.wait(this.#services.hold(signal)))) return skipped(call, end);
      return await this.#claimed(asked, end, signal, place);
    } finally {
      place.release();
    }
  }

  /** Putting files back needs no place. */
  async #claimed(asked: Asked, end: Ending, signal: AbortSignal, place: Place | undefined): Promise<Acted> {
    const { task } = asked.call;
    const claim = await end.wait(this.#claim(task, signal));
    if (claim === undefined) return skipped(asked.call, end);
    try {
      this.#state.bench.refresh();
      const waited = { place: place?.waited === true, claim: claim.waited };
      const now = this.#questions.isOld(asked, waited) ? await this.#questions.askAnew(task) : asked;
      if (now.kind === 'hit') return await this.#putBack(now, end, signal, place);
      return place === undefined ? AGAIN : await this.#work(now, end, signal, place);
    } finally {
      this.#spent.add(task.name, claim);
    }
  }

  #want({ name, scheduling = ONCE }: Task): Want {
    return { weight: scheduling.weight, limit: scheduling.limit, rank: () => this.#state.rank(name) };
  }

  #claim(task: Task, signal: AbortSignal): Promise<Claim | undefined> {
    const { bench, request } = this.#state;
    const { leases, now, around } = bench;
    const told = new Set<number>();
    if (this.#spent.has(task.name)) this.#spent.release();
    return claim(task.name, {
      leases,
      graph: around.graph,
      now,
      signal,
      isSpent: (other) => this.#spent.has(other),
      onWait: ({ owner }) => {
        if (told.has(owner.pid)) return;
        told.add(owner.pid);
        request.listener({
          type: 'warning',
          name: task.name,
          message: `waits for process ${owner.pid}, which is at it`,
        });
      },
    });
  }

  /** What would run in a run that runs nothing. */
  refuse({ call, reasons }: Miss, end: Ending): Acted {
    this.#state.frozenStale = true;
    return end.acted({ outcome: 'skipped', key: call.key, reasons });
  }

  /** Puts an answer into the workspace. If it is not whole, the work is done, at a place. The task is claimed. */
  async #putBack(hit: Hit, end: Ending, signal: AbortSignal, place: Place | undefined): Promise<Acted> {
    const { call, product } = hit;
    let result = await this.#restore(hit, signal);
    // Whoever asked may have found it in order, or another answer than there is now.
    if (result !== undefined && 'lost' in result && (await bring(hit, this.#state))) {
      result = await this.#restore(hit, signal);
    }
    if (result === undefined) return skipped(call, end);
    if ('restored' in result) return this.served(hit, result.restored, end);
    this.#lost.add(call.key);
    if (place === undefined) return AGAIN;
    return this.#work({ kind: 'miss', call, reasons: [lostReason(product, result.lost)] }, end, signal, place);
  }

  /** Undefined if it was not begun. */
  #restore(hit: Hit, signal: AbortSignal): Promise<Restored | undefined> {
    const { call, product } = hit;
    const { around } = this.#state.bench;
    const { name } = call.task;
    const begin = (): ReturnType<Restoring['begin']> => {
      if (signal.aborted) return undefined;
      if (stands(hit, around)) return { restored: 0 };
      if (product.outputs === null) return { restored: around.outputs.discard(name) };
      return around.outputs.beginRestore(name, call.globs.outputs, product.outputs);
    };
    return timed(this.#state.request.timeline, name, 'restore', () => this.#restoring.restore(begin));
  }

  /** Replays what the task printed, but not twice in one round. `restored` files had to be put right. */
  async served({ call, product, past, items }: Hit, restored: number, end: Ending): Promise<Acted> {
    const { mode, request, live, quiet } = this.#state;
    const { name } = call.task;
    if (mode === 'run' && past !== null) {
      const { log, walltime } = past;
      for (const chunk of log ?? []) {
        const told = request.listener({ type: 'output', name, chunk, replayed: true });
        if (isPromise(told)) await end.wait(told);
        if (request.signal.aborted) break;
      }
      this.#state.saved += walltime;
    }
    if (past === null && restored === 0 && live !== undefined) quiet.add(name);
    const tier = past === null ? undefined : this.#state.shared.get(name);
    const shared = tier === undefined ? {} : { shared: tier };
    const saved = past?.walltime ?? 0;
    const counts = items === undefined ? {} : { items: { total: items, ran: 0, cached: items, failed: 0, skipped: 0 } };
    if (items === 0) this.#tellNone(call.task);
    const fields = { key: call.key, restored, saved, result: product.result, ...shared, ...counts };
    return end.acted({ outcome: 'cached', ...fields }, product);
  }

  #tellNone({ name, foreach }: Task): void {
    const message =
      foreach?.of.kind === 'files'
        ? `no file matches its foreach: ${foreach.of.patterns.join(', ')}`
        : 'there is nothing to do it for';
    this.#state.request.listener({ type: 'warning', name, message });
  }

  /** Does the work. The task is claimed. */
  async #work(miss: Miss, end: Ending, signal: AbortSignal, place: Place): Promise<Acted> {
    const { call } = miss;
    const { task } = call;
    const { bench, request, live } = this.#state;
    if (this.#state.isStopped || signal.aborted) return skipped(call, end);
    if (request.frozen) return this.refuse(miss, end);
    const upstream = new Upstream(call, bench);
    if (upstream.disturbed.length > 0) return { kind: 'unsettled', disturbed: upstream.disturbed };
    if (!this.#services.holds(task)) return AGAIN;
    const inUse = await end.wait(this.#services.use(task, signal));
    if (inUse.kind === 'aborted') return skipped(call, end);
    if (inUse.kind === 'down') {
      return end.acted({ outcome: 'skipped', key: call.key, reasons: [{ kind: 'pending', task: inUse.name }] });
    }
    const { services } = inUse;
    const reasons = end.begin(miss.reasons);
    request.listener({ type: 'start', name: task.name, reasons });
    if (readsNothing(call)) {
      const message = `no file matches its inputs: ${task.inputs.join(', ')}`;
      request.listener({ type: 'warning', name: task.name, message });
    }
    const changed = (others: readonly RelPath[] = []): readonly RelPath[] => {
      const paths = [...new Set([...call.changedInputs(), ...upstream.changes(), ...others])];
      if (paths.length > 0) live?.overtake(task.name, paths);
      return paths;
    };
    const began = bench.now();
    const execution: Execution = {
      signal: services.length === 0 ? signal : AbortSignal.any([signal, ...services.map(({ failed }) => failed)]),
      fault: () => services.flatMap(faultOf)[0],
      onOutput: (chunk) => request.listener({ type: 'output', name: task.name, chunk, replayed: false }),
      changed,
    };
    const { executed, items } =
      call.items === undefined
        ? { executed: await this.#execute(call, execution, place) }
        : await this.#each(miss, execution, upstream);
    if (executed.kind === 'aborted') return skipped(call, end);
    const { call: filed } = executed;
    this.#state.take(filed);
    switch (executed.kind) {
      case 'failed': {
        if (live !== undefined) changed();
        const { message, exitCode } = executed.failure;
        return end.acted({ outcome: 'failed', key: filed.key, reasons, exitCode, message, ...(items && { items }) });
      }
      case 'done': {
        const { product, warning } = executed;
        if (items === undefined || items.cached === 0) this.#state.durations.note(task.name, bench.now() - began);
        if (warning !== null) request.listener({ type: 'warning', name: task.name, message: warning });
        return end.acted(
          {
            outcome: 'ran',
            key: filed.key,
            reasons,
            result: product.result,
            message: warning,
            ...(items && { items }),
          },
          product,
        );
      }
    }
  }

  /** Does the work of a task that is done for each of many items, which take the places. */
  async #each({ call, items }: Miss, execution: Execution, upstream: Upstream): Promise<EachExecuted> {
    const { bench, products, request, live } = this.#state;
    const { name } = call.task;
    const { executeEach } = await import('./foreach/each.ts');
    const { askItems } = await import('./foreach/asked-items.ts');
    const sight = (): Sight => new Sight(call.task, products, bench.around);
    const reporting = await this.#reporting(call);
    return executeEach(call, items ?? (await askItems(call, sight(), bench)), bench, execution, {
      slots: this.#slots,
      want: this.#want(call.task),
      upstream,
      ...(reporting && { reports: { reporting, sight } }),
      keepGoing: request.keepGoing,
      // In a watch the next round takes over what is under way.
      isStopped: () => live === undefined && this.#state.isStopped,
      timeline: request.timeline,
      onWarning: (message) => request.listener({ type: 'warning', name, message }),
      onProgress: (items) => request.listener({ type: 'progress', name, items }),
    });
  }

  async #execute(call: TaskCall, execution: Execution, place: Place): Promise<Executed> {
    const { bench, request } = this.#state;
    const { name } = call.task;
    const reporting = await this.#reporting(call);
    const over = request.timeline?.begin(name, 'run', place.lane);
    const onWorked = async (): Promise<void> => {
      // Who waits begins before what was made is taken in, unless what comes next of this task is more urgent.
      if (reporting !== undefined || !this.#slots.isWanted(() => this.#state.rankBehind(name))) return;
      over?.();
      place.release();
      await turn();
    };
    try {
      return await execute(call, bench, { ...execution, discovery: await reporting?.discover(call), onWorked });
    } finally {
      over?.();
    }
  }

  /** What takes up what a task tells, or each of its items; undefined where that is of no use. */
  async #reporting({ task }: TaskCall): Promise<Reporting | undefined> {
    const { bench, live, products } = this.#state;
    // Of what is never answered it matters only to who watches it.
    if (task.discovered === undefined || !(task.cache || live !== undefined)) return undefined;
    const { Reporting } = await import('./discovered/reporting.ts');
    return new Reporting(products, bench);
  }
}

/** The place of a task that does nothing itself. */
const NOWHERE: Place = { lane: 0, waited: false, release: () => {} };

/** The task is to be asked for once more. */
const AGAIN: Acted = { kind: 'unsettled', disturbed: [] };

function faultOf({ name, fault }: Service): readonly string[] {
  return fault === undefined ? [] : [`its service "${name}" ${fault}`];
}

/** Not begun, or cut short. */
export function skipped({ key }: TaskCall, end: Ending): Acted {
  return end.acted({ outcome: 'skipped', key });
}
