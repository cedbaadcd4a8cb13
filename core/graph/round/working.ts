/**
 * Does the work of claimed tasks of one round, each at its place: only when what it reads of others stands in the workspace
 * as its question says, and the services that it needs are up.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { RelPath } from '../../base/paths.ts';
import type { Reporting } from '../discovered/reporting.ts';
import { Sight } from '../discovered/sight.ts';
import type { EachExecuted } from '../foreach/each.ts';
import type { Place, Slots, Want } from '../scheduling/slots.ts';
import type { RoundServices } from '../services/round-services.ts';
import type { Service } from '../services/service.ts';
import type { Acted } from '../tasks/settled.ts';
import type { Scheduling, Task } from '../tasks/task.ts';
import { readsNothing, type TaskCall } from '../tasks/task-call.ts';
import { Upstream } from '../tasks/upstream.ts';
import type { Executed } from './answer.ts';
import type { Ending } from './ending.ts';
import { execute } from './execute.ts';
import type { Miss } from './questions.ts';
import type { RoundState } from './round-state.ts';
import type { Execution } from './work.ts';

/** What holds for a task of which nothing else is said. */
export const ONCE: Scheduling = { weight: 1, retries: 0, retryDelay: 0 };

export class Working {
  readonly #state: RoundState;
  readonly #services: RoundServices;
  readonly #slots: Slots;

  constructor(state: RoundState, services: RoundServices, slots: Slots) {
    this.#state = state;
    this.#services = services;
    this.#slots = slots;
  }

  /** What a task wants of the places. */
  want({ name, scheduling = ONCE }: Task): Want {
    return { weight: scheduling.weight, limit: scheduling.limit, rank: () => this.#state.rank(name) };
  }

  /** Does the work. The task is claimed. */
  async work(miss: Miss, end: Ending, signal: AbortSignal, place: Place): Promise<Acted> {
    const { call } = miss;
    const { task } = call;
    const { bench, request, live } = this.#state;
    if (this.#state.isStopped || signal.aborted) return skipped(call, end);
    if (request.frozen) return this.#state.refuse(call, miss.reasons, end);
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
        const { product, warning, isSound } = executed;
        if (!isSound) live?.distrust(task.name);
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
    const { executeEach } = await import('../foreach/each.ts');
    const { askItems } = await import('../foreach/asked-items.ts');
    const sight = (): Sight => new Sight(call.task, products, bench.around);
    const reporting = await this.#reporting(call);
    return executeEach(call, items ?? (await askItems(call, sight(), bench)), bench, execution, {
      slots: this.#slots,
      want: this.want(call.task),
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
    const { Reporting } = await import('../discovered/reporting.ts');
    return new Reporting(products, bench);
  }
}

/** The task is to be asked for once more. */
export const AGAIN: Acted = { kind: 'unsettled', disturbed: [] };

function faultOf({ name, fault }: Service): readonly string[] {
  return fault === undefined ? [] : [`its service "${name}" ${fault}`];
}

/** Not begun, or cut short. */
export function skipped({ key }: TaskCall, end: Ending): Acted {
  return end.acted({ outcome: 'skipped', key });
}
