/**
 * Does what the answers of one round ask for: puts them into the workspace, or has the work done. What changes the
 * workspace is done under a claim, and work at a place of its own.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isPromise } from '../../base/awaitable.ts';
import type { Key } from '../../base/hash.ts';
import type { Restored } from '../../files/outputs/restoration.ts';
import type { Place, Slots } from '../scheduling/slots.ts';
import type { RoundServices } from '../services/round-services.ts';
import type { Acted, Settled } from '../tasks/settled.ts';
import type { Task } from '../tasks/task.ts';
import { timed } from '../tasks/timeline.ts';
import { type Claim, claim } from './claims.ts';
import type { Ending } from './ending.ts';
import { type Asked, bring, type Hit, lostReason, type Questions, stands } from './questions.ts';
import { RestoreQueue, type Restoring } from './restoring.ts';
import type { RoundState } from './round-state.ts';
import { SpentClaims } from './spent-claims.ts';
import { AGAIN, ONCE, skipped, Working } from './working.ts';

export class Acting {
  readonly #state: RoundState;
  readonly #questions: Questions;
  readonly #slots: Slots;
  readonly #spent: SpentClaims;
  readonly #restoring: RestoreQueue;
  /** Questions whose answers turned out not to be whole. */
  readonly #lost = new Set<Key>();
  readonly #services: RoundServices;
  readonly #working: Working;

  constructor(state: RoundState, questions: Questions, services: RoundServices, slots: Slots) {
    this.#state = state;
    this.#questions = questions;
    this.#slots = slots;
    this.#services = services;
    this.#working = new Working(state, services, slots);
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
    if (asked.kind === 'miss' && request.frozen) return this.#state.refuse(call, asked.reasons, end);
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
    const want = this.#working.want(call.task);
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
    // Who has a place keeps it from others.
    const claim = await end.wait(this.#claim(task, signal, place === undefined));
    if (claim === undefined) return skipped(asked.call, end);
    try {
      this.#state.bench.refresh();
      const waited = { place: place?.waited === true, claim: claim.waited };
      const now = this.#questions.isOld(asked, waited) ? await this.#questions.askAnew(task) : asked;
      if (now.kind === 'hit') return await this.#putBack(now, end, signal, place);
      return place === undefined ? AGAIN : await this.#working.work(now, end, signal, place);
    } finally {
      this.#spent.add(task.name, claim);
    }
  }

  #claim(task: Task, signal: AbortSignal, together: boolean): Promise<Claim | undefined> {
    const { bench, request } = this.#state;
    const { leases, now, around } = bench;
    const told = new Set<number>();
    if (this.#spent.has(task.name)) this.#spent.release();
    return claim(task.name, {
      leases,
      graph: around.graph,
      now,
      signal,
      together,
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
    return this.#working.work({ kind: 'miss', call, reasons: [lostReason(product, result.lost)] }, end, signal, place);
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
}

/** The place of a task that does nothing itself. */
const NOWHERE: Place = { lane: 0, waited: false, release: () => {} };
