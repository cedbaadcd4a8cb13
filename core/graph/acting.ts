/**
 * Does what the answers of one round ask for: puts them into the workspace, or does the work. What changes the workspace
 * is done at a place of its own and under a claim, and only when what the task reads of others stands there as its
 * question says.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { RelPath } from '../base/paths.ts';
import { type Claim, claim } from './claims.ts';
import type { Discovery } from './discovered/discovery.ts';
import type { Ending } from './ending.ts';
import { execute } from './execute.ts';
import { type Asked, type Hit, lostReason, type Miss, type Questions, stands } from './questions.ts';
import type { RoundState } from './round-state.ts';
import type { Acted, Settled } from './settled.ts';
import type { Slots, Want } from './slots.ts';
import type { Scheduling, Task } from './task.ts';
import type { TaskCall } from './task-call.ts';
import { Upstream } from './upstream.ts';

/** What holds for a task of which nothing else is said. */
const ONCE: Scheduling = { weight: 1, retries: 0, retryDelay: 0 };

export class Acting {
  readonly #state: RoundState;
  readonly #questions: Questions;
  readonly #slots: Slots;

  constructor(state: RoundState, questions: Questions, slots: Slots) {
    this.#state = state;
    this.#questions = questions;
    this.#slots = slots;
  }

  /** Settles what was asked. After `signal` nothing is begun, and what is under way is cut short. */
  async settle(asked: Asked, end: Ending, signal: AbortSignal): Promise<Acted> {
    const { call } = asked;
    const { bench, request } = this.#state;
    if (asked.kind === 'hit' && stands(asked, bench.around)) return this.served(asked, 0, end);
    if (asked.kind === 'miss' && request.frozen) return this.#refuse(asked, end);
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

  /** Takes a place and the claim, and acts. */
  async #take(asked: Asked, end: Ending, signal: AbortSignal): Promise<Acted> {
    const { call } = asked;
    const { bench } = this.#state;
    const place = await end.wait(this.#slots.take(this.#want(call.task), signal));
    if (place === undefined) return skipped(call, end);
    try {
      const claim = await end.wait(this.#claim(call.task, signal));
      if (claim === undefined) return skipped(call, end);
      try {
        bench.refresh();
        const isOld = this.#questions.isOld(asked, place.waited || claim.waited);
        return await this.#act(isOld ? await this.#questions.askAnew(call.task) : asked, end, signal);
      } finally {
        // Whoever claims it next must find what was noted of it.
        bench.around.state.flush();
        claim.release();
      }
    } finally {
      place.release();
    }
  }

  #want({ name, scheduling = ONCE }: Task): Want {
    return { weight: scheduling.weight, limit: scheduling.limit, rank: () => this.#state.rank(name) };
  }

  #claim(task: Task, signal: AbortSignal): Promise<Claim | undefined> {
    const { bench, request } = this.#state;
    const { leases, now, around } = bench;
    const told = new Set<number>();
    return claim(task.name, {
      leases,
      graph: around.graph,
      now,
      signal,
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

  #refuse({ call, reasons }: Miss, end: Ending): Acted {
    this.#state.frozenStale = true;
    return end.acted({ outcome: 'skipped', key: call.key, reasons });
  }

  /** Changes the workspace: puts an answer there, or does the work. The task is claimed. */
  async #act(asked: Asked, end: Ending, signal: AbortSignal): Promise<Acted> {
    if (asked.kind === 'miss') return this.#work(asked, end, signal);
    const { call, product } = asked;
    const { bench } = this.#state;
    if (stands(asked, bench.around)) return this.served(asked, 0, end);
    const upstream = new Upstream(call, bench);
    if (upstream.disturbed.length > 0) return { kind: 'unsettled', disturbed: upstream.disturbed };
    const { outputs } = bench.around;
    if (product.outputs === null) return this.served(asked, outputs.discard(call.task.name), end);
    const result = outputs.restore(call.task.name, call.globs.outputs, product.outputs);
    if ('restored' in result) return this.served(asked, result.restored, end);
    return this.#work({ kind: 'miss', call, reasons: [lostReason(product, result.lost)] }, end, signal);
  }

  /** Replays what the task printed, but not twice in one round. `restored` files had to be put right. */
  served({ call, product, past }: Hit, restored: number, end: Ending): Acted {
    const { mode, request, live, quiet } = this.#state;
    const { name } = call.task;
    if (mode === 'run' && past !== null) {
      const { log, walltime } = past;
      if (log !== null) request.listener({ type: 'output', name, chunk: log, replayed: true });
      this.#state.saved += walltime;
    }
    if (past === null && restored === 0 && live !== undefined) quiet.add(name);
    return end.acted({ outcome: 'cached', key: call.key, restored, result: product.result }, product);
  }

  /** Does the work. The task is claimed. */
  async #work(miss: Miss, end: Ending, signal: AbortSignal): Promise<Acted> {
    const { call } = miss;
    const { task } = call;
    const { bench, request, live } = this.#state;
    if (this.#state.isStopped || signal.aborted) return skipped(call, end);
    if (request.frozen) return this.#refuse(miss, end);
    const upstream = new Upstream(call, bench);
    if (upstream.disturbed.length > 0) return { kind: 'unsettled', disturbed: upstream.disturbed };
    const reasons = end.begin(miss.reasons);
    request.listener({ type: 'start', name: task.name, reasons });
    const changed = (others: readonly RelPath[] = []): readonly RelPath[] => {
      const paths = [...new Set([...call.changedInputs(), ...upstream.changes(), ...others])];
      if (paths.length > 0) live?.disturb([task.name]);
      return paths;
    };
    const began = bench.now();
    const executed = await execute(call, bench, {
      signal,
      onOutput: (chunk) => request.listener({ type: 'output', name: task.name, chunk, replayed: false }),
      changed,
      discovery: await this.#discovery(call),
    });
    if (executed.kind === 'aborted') return skipped(call, end);
    const { call: filed } = executed;
    this.#state.calls.set(task.name, filed);
    live?.lean(task.name, filed.leaning);
    switch (executed.kind) {
      case 'failed': {
        if (live !== undefined) changed();
        const { message, exitCode } = executed.failure;
        return end.acted({ outcome: 'failed', key: filed.key, reasons, exitCode, message });
      }
      case 'done': {
        const { product, warning } = executed;
        this.#state.durations.note(task.name, bench.now() - began);
        if (warning !== null) request.listener({ type: 'warning', name: task.name, message: warning });
        return end.acted(
          { outcome: 'ran', key: filed.key, reasons, result: product.result, message: warning },
          product,
        );
      }
    }
  }

  async #discovery(call: TaskCall): Promise<Discovery | undefined> {
    if (call.task.discovered === undefined) return undefined;
    const { Discovery } = await import('./discovered/discovery.ts');
    return Discovery.begin(call, this.#state.products, this.#state.bench);
  }
}

/** Not begun, or cut short. */
export function skipped({ key }: TaskCall, end: Ending): Acted {
  return end.acted({ outcome: 'skipped', key });
}
