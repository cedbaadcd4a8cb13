/**
 * One run or plan of a set of tasks. Each task waits for what it needs, asks its question, and is answered from the cache
 * or done; equal outputs leave dependents' questions unchanged, which is all there is to early cutoff.
 */
import { setMaxListeners } from 'node:events';
import { FlecheError } from '../../base/errors.ts';
import { toRel } from '../../base/paths.ts';
import { Sight } from '../discovered/sight.ts';
import type { AskedItems } from '../foreach/asked-items.ts';
import { Slots } from '../scheduling/slots.ts';
import { RoundServices } from '../services/round-services.ts';
import {
  type ItemCounts,
  type Reason,
  type RunReport,
  type RunRequest,
  type RunSummary,
  summaryOf,
} from '../tasks/outcome.ts';
import type { Acted, Settled } from '../tasks/settled.ts';
import type { Task } from '../tasks/task.ts';
import type { TaskCall } from '../tasks/task-call.ts';
import { timed } from '../tasks/timeline.ts';
import type { Live } from '../watch/live.ts';
import { Acting } from './acting.ts';
import { Ending } from './ending.ts';
import { type Asked, bring, isRight, lost, lostReason, Questions } from './questions.ts';
import { RoundState } from './round-state.ts';
import type { Workbench } from './workbench.ts';
import { skipped } from './working.ts';

/** How often what a task reads may be found changed from outside before that counts as a failure. */
const ATTEMPTS = 5;

export class Round {
  readonly #bench: Workbench;
  readonly #request: RunRequest;
  readonly #live: Live | undefined;
  readonly #state: RoundState;
  readonly #questions: Questions;
  readonly #services: RoundServices;
  readonly #slots: Slots;
  readonly #acting: Acting;
  readonly #settled = new Map<string, Promise<Settled>>();
  readonly #repairs = new Map<string, Promise<Settled>>();
  /** Moments of `live` at which a result that a task builds on last changed. */
  readonly #since = new Map<string, number>();

  /** `live` is what earlier rounds of the same watch found and are still at; its number of jobs holds. */
  constructor(bench: Workbench, request: RunRequest, mode: 'run' | 'plan', live?: Live) {
    this.#bench = bench;
    this.#request = request;
    this.#live = live;
    this.#state = new RoundState(bench, request, mode, live);
    this.#questions = new Questions(this.#state);
    this.#services = new RoundServices(this.#state);
    this.#slots = live?.slots ?? new Slots(request.jobs);
    this.#acting = new Acting(this.#state, this.#questions, this.#services, this.#slots);
    // However many tasks wait, each has an ear for it.
    setMaxListeners(0, request.signal);
  }

  /** The last question of each task. */
  get calls(): ReadonlyMap<string, TaskCall> {
    return this.#state.calls;
  }

  /** The items of a task that was asked for, with the answers that there are. */
  async itemsOf(call: TaskCall): Promise<AskedItems> {
    const { askItems } = await import('../foreach/asked-items.ts');
    return askItems(call, new Sight(call.task, this.#state.products, this.#bench.around), this.#bench);
  }

  async report(): Promise<RunReport> {
    const { graph } = this.#bench.around;
    const { signal, listener } = this.#request;
    const started = this.#bench.now();
    const { names } = this.#state;
    this.#bench.shared?.expect(graph.names);
    listener({ type: 'plan', tasks: names });
    const settled = await this.#settleAll(names.map((name) => graph.task(name)));
    const outcomes = this.#services.settle(settled.map(({ outcome }) => outcome));
    for (const message of this.#bench.shared?.news() ?? []) listener({ type: 'warning', name: null, message });
    this.#bench.around.outputs.tell();
    const shared = outcomes.filter((outcome) => outcome.shared !== undefined).length;
    const summary: RunSummary = {
      ...summaryOf(outcomes, this.#bench.now() - started, this.#state.saved),
      ...(shared === 0 ? {} : { shared }),
    };
    listener({ type: 'end', summary });
    return { outcomes, summary, frozenStale: this.#state.frozenStale, interrupted: signal.aborted };
  }

  async #settleAll(tasks: readonly Task[]): Promise<readonly Settled[]> {
    try {
      // A bug in one task must not leave others at work behind the caller's back.
      const ends = await Promise.allSettled(tasks.map((task) => this.#settle(task)));
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
      const settled = await Promise.all(tasks.map((task) => this.#settle(task)));
      this.#acting.finish();
      await this.#services.serve();
      return settled;
    } finally {
      this.#bench.around.workspace.named.save();
      await this.#services.end();
    }
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
    const { products, asked, quiet } = this.#state;
    if (product !== undefined) products.set(name, product);
    this.#state.note(outcome);
    const isNews = this.#live === undefined || this.#isNews(settled, asked.get(name), this.#live);
    this.#services.over(name);
    const isToBeTold = isNews && !quiet.has(name) && !(outcome.outcome === 'cached' && this.#services.has(outcome));
    if (isToBeTold) this.#request.listener({ type: 'done', outcome });
    return settled;
  }

  /**
   * Takes in what became of a task at the moment when it was asked for. Whoever told that it begins tells how it ends; for
   * the rest a round that another one took over from may come too late.
   */
  #isNews(settled: Settled, asked: number | undefined, live: Live): boolean {
    const isTaken = asked !== undefined && live.note(settled, asked);
    return isTaken || settled.outcome.attempts > 0;
  }

  async #settleNeeds(task: Task): Promise<Settled> {
    const { graph } = this.#bench.around;
    const needs = await Promise.all(task.needs.map((need) => this.#settle(graph.task(need))));
    const end = this.#ending(task);
    const inTheWay = needs.filter(({ product }) => product === undefined).map(({ outcome }) => outcome);
    const broken = inTheWay.filter(({ outcome }) => outcome === 'failed' || outcome === 'skipped');
    const pending = inTheWay.map(({ name }): Reason => ({ kind: 'pending', task: name }));
    if (broken.length > 0 && !this.#state.isStopped) this.#live?.block(task.name);
    if (broken.length > 0 || this.#state.isStopped) return end.settled({ outcome: 'skipped', reasons: pending });
    if (pending.length > 0) return end.settled({ outcome: 'ran', reasons: pending });
    const known = await this.#recall(task);
    if (known !== undefined) return known;
    return this.#state.isStopped ? end.settled({ outcome: 'skipped' }) : this.#answer(task, end);
  }

  #ending({ name }: Task): Ending {
    return new Ending(name, this.#bench.now);
  }

  /** What an earlier round found, or is about to find, if nothing that it depends on can be different. */
  async #recall(task: Task): Promise<Settled | undefined> {
    const live = this.#live;
    // How a service is started must be known in every round.
    if (live === undefined || task.service !== undefined) return undefined;
    const since = Math.max(0, ...task.needs.map((need) => Math.max(live.changed(need), this.#since.get(need) ?? 0)));
    this.#since.set(task.name, since);
    for (;;) {
      const known = live.recall(task.name, since);
      if (known === undefined) return undefined;
      const acted: Acted = 'acted' in known ? await known.acted : { kind: 'settled', settled: known };
      if (acted.kind === 'settled') return this.#quietly(acted.settled);
      if (this.#state.isStopped) return undefined;
    }
  }

  #quietly(settled: Settled): Settled {
    this.#state.quiet.add(settled.outcome.name);
    return settled;
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
      this.#state.products.renew([task.name]);
      if (outcome.outcome !== 'cached' || outcome.key !== before) {
        this.#settled.set(task.name, Promise.resolve(this.#note(settled)));
      }
      this.#repairs.delete(task.name);
      return settled;
    });
    this.#repairs.set(task.name, repair);
    return repair;
  }

  async #answer(task: Task, end: Ending): Promise<Settled> {
    const state = this.#state;
    state.quiet.delete(task.name);
    try {
      for (let attempt = 1; attempt <= ATTEMPTS; ) {
        const acted = await this.#attempt(task, end);
        if (acted.kind === 'settled') return acted.settled;
        if (state.isStopped) return end.settled({ outcome: 'skipped' });
        if (acted.disturbed.length > 0) attempt++;
        for (const name of acted.disturbed) {
          const { product } = await end.wait(this.#again(this.#bench.around.graph.task(name)));
          if (product !== undefined) continue;
          return end.settled({ outcome: 'skipped', reasons: [{ kind: 'pending', task: name }] });
        }
      }
      throw new FlecheError('OUTPUT_CHANGED', `what "${task.name}" reads of other tasks is changed again and again`, {
        hint: 'Something else writes there: another run with other settings, or a program that watches these files.',
      });
    } catch (error) {
      if (!(error instanceof FlecheError) || error.code === 'BUG') throw error;
      const key = this.calls.get(task.name)?.key ?? null;
      const { root } = this.#bench.around;
      return end.settled({ outcome: 'failed', key, message: error.describe((file) => toRel(root, file)) });
    }
  }

  async #attempt(task: Task, end: Ending): Promise<Acted> {
    // To ask takes a while, in which who is more urgent could begin.
    if (this.#slots.isWanted(() => this.#state.rank(task.name))) await this.#slots.behind();
    const asked = await timed(this.#request.timeline, task.name, 'lookup', () => this.#questions.ask(task));
    if (this.#state.mode === 'plan') return this.#foresee(asked, end);
    const live = this.#live;
    return live === undefined
      ? this.#acting.settle(asked, end, this.#request.signal)
      : this.#settleLive(asked, end, live);
  }

  /** What would become of it. */
  async #foresee(asked: Asked, end: Ending): Promise<Acted> {
    const { key } = asked.call;
    if (asked.kind === 'miss') {
      const { reasons, items } = asked;
      return end.acted({ outcome: 'ran', key, reasons, ...(items && { items: foreseen(items) }) });
    }
    await bring(asked, this.#state);
    const gone = lost(asked, this.#bench.around);
    if (gone === undefined) return this.#acting.served(asked, 0, end);
    return end.acted({ outcome: 'ran', key, reasons: [lostReason(asked.product, gone)] });
  }

  /** Settles what was asked beside work of earlier rounds: what is in the way of it is ended first. */
  async #settleLive(asked: Asked, end: Ending, live: Live): Promise<Acted> {
    const { call } = asked;
    const { name } = call.task;
    const { graph } = this.#bench.around;
    const moment = this.#state.asked.get(name) ?? 0;
    if (this.#state.isStopped) return skipped(call, end);
    const same = live.join(call, moment);
    if (same !== undefined) {
      const acted = await same.acted;
      return acted.kind === 'settled' ? { kind: 'settled', settled: this.#quietly(acted.settled) } : acted;
    }
    if (await end.wait(live.end([name]))) return { kind: 'unsettled', disturbed: [] };
    const failed = live.failure(call);
    if (failed !== undefined) return { kind: 'settled', settled: this.#quietly(failed) };
    if (asked.kind === 'hit' && isRight(asked, this.#bench.around)) return this.#acting.served(asked, 0, end);
    // Refused here: a flight that ends in `skipped` counts as cut short, and would be begun again for ever.
    if (asked.kind === 'miss' && this.#request.frozen) return this.#state.refuse(call, asked.reasons, end);
    await end.wait(live.end(live.flying.filter((other) => graph.upstreamOf(other).includes(name))));
    if (this.#state.isStopped) return skipped(call, end);
    // The next round claims for itself, and the end of a watch closes the store: no claim may wait to be given back.
    return live.fly(call, moment, (signal) =>
      this.#acting.settle(asked, end, signal).finally(() => this.#acting.finish()),
    );
  }
}

/** What would become of the items of a task. */
function foreseen({ calls, answers }: AskedItems): ItemCounts {
  const [total, cached] = [calls.length, answers.size];
  return { total, ran: total - cached, cached, failed: 0, skipped: 0 };
}
