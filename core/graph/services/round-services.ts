/**
 * The services that the tasks of one round need: started when the first task that needs one really runs, ended when the
 * last one is over. What becomes of a service is known, and told, at the end of the round.
 */
import type { LogListener } from '../../files/log-file.ts';
import { Ending } from '../round/ending.ts';
import type { RoundState } from '../round/round-state.ts';
import type { Reason, RunReport, TaskOutcome } from '../tasks/outcome.ts';
import { serviceProduct } from '../tasks/product.ts';
import type { Task } from '../tasks/task.ts';
import type { TaskCall } from '../tasks/task-call.ts';
import { aborted } from './readiness.ts';
import type { Service } from './service.ts';
import { ServicePool } from './service-pool.ts';

/** Services that a task may use while it works. */
type InUse =
  | { readonly kind: 'up'; readonly services: readonly Service[] }
  /** This one is not to be had. */
  | { readonly kind: 'down'; readonly name: string }
  | { readonly kind: 'aborted' };

interface Begun {
  readonly service: Service;
  readonly end: Ending;
  /** To be called when it is down. */
  readonly over: () => void;
}

export class RoundServices {
  readonly #state: RoundState;
  readonly #pool: ServicePool;
  /** Services of the round, with the tasks that need them and are not over. */
  readonly #users = new Map<string, Set<string>>();
  readonly #wanted: ReadonlySet<string>;
  readonly #begun = new Map<string, Begun>();
  readonly #stopping: Promise<void>[] = [];
  /** Whether it was told what became of the services: what happens to one that stays up is told when it happens. */
  #isOver = false;

  constructor(state: RoundState) {
    const { request, bench, live } = state;
    this.#state = state;
    this.#pool = live?.services ?? new ServicePool();
    const { graph } = bench.around;
    const { names } = state;
    for (const name of names) if (graph.task(name).service !== undefined) this.#users.set(name, new Set());
    for (const name of names) for (const need of this.#of(name)) this.#users.get(need)?.add(name);
    this.#wanted = new Set(request.targets.filter((name) => this.#users.has(name)));
  }

  /** The services that have to be up while a task works, each before those that need it. */
  #of(name: string): readonly string[] {
    const { graph } = this.#state.bench.around;
    if (this.#users.size === 0) return [];
    const direct = graph.task(name).needs.filter((need) => this.#users.has(need));
    return [...new Set(direct.flatMap((need) => [...this.#of(need), need]))];
  }

  needs({ name }: Task): boolean {
    return this.#of(name).length > 0;
  }

  /** Whether the marks of all services are held that a task needs. */
  holds({ name }: Task): boolean {
    return this.#pool.holds(this.#of(name));
  }

  /** Whether it is told of a task at the end of the round, for it is a service. */
  has({ name }: Pick<Task, 'name'>): boolean {
    return this.#users.has(name);
  }

  /**
   * To be called by who is about to use services, before it claims a task: who holds a claim must not wait for another
   * process's services. False once the signal is aborted.
   */
  hold(signal: AbortSignal): Promise<boolean> {
    const { bench, request } = this.#state;
    return this.#pool.hold(this.#users.keys(), bench, {
      signal,
      onWait: (name, { owner }) => {
        const message = `waits for process ${owner.pid}, which has this service up`;
        request.listener({ type: 'warning', name, message });
      },
    });
  }

  /** Sees to it that all services are up that a task needs. The marks are held. */
  async use({ name }: Task, signal: AbortSignal): Promise<InUse> {
    const services: Service[] = [];
    for (const need of this.#of(name)) {
      const service = await this.#start(need, name);
      if (service === undefined) return { kind: 'down', name: need };
      if (!(await service.ready(signal))) return signal.aborted ? { kind: 'aborted' } : { kind: 'down', name: need };
      services.push(service);
    }
    return { kind: 'up', services };
  }

  /** Undefined for one that has failed in this round already: it is not tried again and again. */
  async #start(name: string, task: string | undefined): Promise<Service | undefined> {
    const { bench, request, calls } = this.#state;
    const call = calls.get(name);
    const begun = this.#begun.get(name);
    if (call === undefined || begun?.service.fault !== undefined) return undefined;
    const before = this.#pool.get(name);
    const onOutput: LogListener = (chunk) => request.listener({ type: 'output', name, chunk, replayed: false });
    const service = await this.#pool.start(call, bench, onOutput);
    if (service === before || this.#begun.has(name)) return service;
    const end = new Ending(name, bench.now);
    const reasons = end.begin([task === undefined ? { kind: 'uncached' } : { kind: 'needed', task }]);
    const over = request.timeline?.begin(name, 'service') ?? ((): void => {});
    this.#begun.set(name, { service, end, over });
    const stays = this.#wanted.has(name) || this.#state.live !== undefined;
    request.listener({ type: 'start', name, reasons, ...(stays ? { stays } : {}) });
    const fail = (): void => {
      over();
      const outcome = this.#outcome(name, call);
      this.#state.note(outcome);
      if (this.#isOver) request.listener({ type: 'done', outcome });
    };
    service.failed.addEventListener('abort', fail, { once: true });
    return service;
  }

  /** A task is over: services that nobody needs any more are ended. */
  over(task: string): void {
    for (const [name, users] of this.#users) {
      if (!users.delete(task) || users.size > 0 || this.#wanted.has(name) || this.#state.live !== undefined) continue;
      if (this.#pool.get(name) !== undefined)
        this.#stopping.push(this.#pool.stop(name).then(this.#begun.get(name)?.over));
    }
  }

  /** Keeps those up that are wanted themselves, until one of them fails or the run is interrupted. */
  async serve(): Promise<void> {
    const { request, live, products, mode } = this.#state;
    const names = [...this.#wanted].filter((name) => products.get(name) !== undefined);
    if (mode === 'plan' || names.length === 0 || this.#state.isStopped) return;
    if (request.frozen) {
      this.#state.frozenStale = true;
      return;
    }
    const { signal } = request;
    if (!(await this.hold(signal))) return;
    const served: Service[] = [];
    for (const name of names) {
      const inUse = await this.use(this.#state.bench.around.graph.task(name), signal);
      const service = inUse.kind === 'up' ? await this.#start(name, undefined) : undefined;
      if (service !== undefined) served.push(service);
    }
    if (this.#state.isStopped) return;
    if (live !== undefined) await Promise.all(served.map((service) => service.ready(signal)));
    else if (served.length > 0) await Promise.race([...served.map(({ failed }) => aborted(failed)), aborted(signal)]);
  }

  /** Ends what a run has started; what a watch has started stays up. */
  async end(): Promise<void> {
    if (this.#state.live !== undefined) return this.#pool.releaseIdle();
    await this.#pool.retain(new Set());
    await Promise.all(this.#stopping);
    for (const { over } of this.#begun.values()) over();
  }

  /** The outcomes of a round with those of its services put right, which are told. */
  settle(outcomes: RunReport['outcomes']): RunReport['outcomes'] {
    if (this.#users.size === 0) return outcomes;
    this.#isOver = true;
    const { calls, mode, live, request } = this.#state;
    const final = new Map(outcomes.map((outcome) => [outcome.name, outcome]));
    // What needs a service comes behind it, and may be a service itself.
    for (const { name, outcome } of [...outcomes].reverse()) {
      const call = calls.get(name);
      if (!this.#users.has(name) || outcome !== 'cached' || call === undefined) continue;
      const settled = mode === 'plan' ? this.#foreseen(name, call, final) : this.#outcome(name, call);
      final.set(name, settled);
      if (live === undefined || this.#begun.has(name)) request.listener({ type: 'done', outcome: settled });
    }
    return outcomes.map((outcome) => final.get(outcome.name) ?? outcome);
  }

  #outcome(name: string, call: TaskCall): TaskOutcome {
    const begun = this.#begun.get(name);
    const { key } = call;
    const result = serviceProduct(call).result;
    if (begun === undefined) {
      const end = new Ending(name, this.#state.bench.now);
      const isRefused = this.#wanted.has(name) && this.#state.request.frozen;
      if (isRefused) return end.settled({ outcome: 'skipped', key, reasons: [{ kind: 'uncached' }] }).outcome;
      return end.settled({ outcome: 'cached', key, result }).outcome;
    }
    const { service, end } = begun;
    const { reasons } = end;
    if (service.fault === undefined) return end.settled({ outcome: 'ran', key, result, reasons }).outcome;
    return end.settled({ outcome: 'failed', key, reasons, message: service.fault }).outcome;
  }

  #foreseen(name: string, call: TaskCall, outcomes: ReadonlyMap<string, TaskOutcome>): TaskOutcome {
    const { graph } = this.#state.bench.around;
    const user = [...outcomes.values()].find(
      (other) => other.outcome === 'ran' && graph.task(other.name).needs.includes(name),
    );
    const reasons: Reason[] = user === undefined ? [] : [{ kind: 'needed', task: user.name }];
    if (this.#wanted.has(name)) reasons.push({ kind: 'uncached' });
    const end = new Ending(name, this.#state.bench.now);
    const fields = { key: call.key, result: serviceProduct(call).result, reasons };
    return end.settled({ outcome: reasons.length > 0 ? 'ran' : 'cached', ...fields }).outcome;
  }
}
