/**
 * The services of this process that are up, and the marks that keep other processes from starting the same ones. Knows
 * nothing of who needs them: a run has a pool of its own, the rounds of a watch share one.
 */
import { byCodeUnit } from '../../base/order.ts';
import type { LogListener } from '../../files/log-file.ts';
import { type Held, hold } from '../../store/hold.ts';
import type { Lease } from '../../store/leases.ts';
import type { Workbench } from '../round/workbench.ts';
import type { TaskCall } from '../tasks/task-call.ts';
import type { Service } from './service.ts';

export interface HoldOptions {
  readonly signal: AbortSignal;
  /** Called for every other process that has to be waited for. */
  readonly onWait: (service: string, holder: Lease) => void;
}

export class ServicePool {
  readonly #services = new Map<string, Service>();
  readonly #held = new Map<string, Held>();
  #holding: Promise<unknown> = Promise.resolve();

  /** The service of this name that is up, or was until it failed. */
  get(name: string): Service | undefined {
    return this.#services.get(name);
  }

  /**
   * Takes the marks of all these services, in the order of their names: nobody ever holds one and waits for another that
   * somebody holds who waits for the first. False once the signal is aborted.
   */
  hold(names: Iterable<string>, { leases, now }: Workbench, { signal, onWait }: HoldOptions): Promise<boolean> {
    const holding = this.#holding.then(async () => {
      for (const name of [...names].sort(byCodeUnit)) {
        if (this.#held.has(name)) continue;
        const held = await hold(leases, `service:${name}`, { now, signal, onWait: (holder) => onWait(name, holder) });
        if (held === undefined) return false;
        this.#held.set(name, held);
      }
      return !signal.aborted;
    });
    this.#holding = holding.catch(() => {});
    return holding;
  }

  /** Whether the marks of all these services are held. */
  holds(names: Iterable<string>): boolean {
    for (const name of names) if (!this.#held.has(name)) return false;
    return true;
  }

  /** The service that a call describes: the one that is up, unless that was started by another one; then a new one. */
  async start(call: TaskCall, bench: Workbench, onOutput: LogListener): Promise<Service> {
    const { name } = call.task;
    const before = this.#services.get(name);
    if (before?.key === call.key && before.fault === undefined) return before;
    await before?.stop();
    const { Service } = await import('./service.ts');
    const meanwhile = this.#services.get(name);
    if (meanwhile !== undefined && meanwhile !== before) return meanwhile;
    const service = new Service(call, bench, onOutput);
    this.#services.set(name, service);
    return service;
  }

  /** Ends one service, if it is up, and gives back its mark. */
  async stop(name: string): Promise<void> {
    const service = this.#services.get(name);
    await service?.stop();
    if (this.#services.get(name) !== service) return;
    this.#services.delete(name);
    this.#held.get(name)?.release();
    this.#held.delete(name);
  }

  /** Gives back the marks of services that are not up. */
  releaseIdle(): void {
    for (const [name, held] of this.#held) {
      if (this.#services.has(name)) continue;
      held.release();
      this.#held.delete(name);
    }
  }

  /** Ends all services but these. */
  async retain(names: ReadonlySet<string>): Promise<void> {
    const all = new Set([...this.#services.keys(), ...this.#held.keys()]);
    await Promise.all([...all].flatMap((name) => (names.has(name) ? [] : [this.stop(name)])));
  }
}
