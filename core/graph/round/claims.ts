/**
 * Who works on which task, among the processes that share a workspace. One process at a time runs or restores a task,
 * and while it does no other one touches what the task reads or what reads it: a claim on a task excludes claims on the
 * same task, on all it needs and on all that need it. Whoever finds an older claim in the way gives its own back before
 * it waits, so that nobody ever waits for one who waits.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Held, hold, tryHold } from '../../store/hold.ts';
import type { Lease, LeaseStore } from '../../store/leases.ts';
import { isAbandoned } from '../../store/owner.ts';
import type { TaskGraph } from '../tasks/graph.ts';

interface ClaimOptions {
  readonly leases: LeaseStore;
  readonly graph: TaskGraph;
  /** ms since the epoch. */
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** Whether this process has a claim on a task that only waits to be given back: it is in nobody's way here. */
  readonly isSpent: (task: string) => boolean;
  /** Whether there is no hurry: claims of one turn of the event loop are then made in one step. */
  readonly together?: boolean;
  /** Called for every other process that has to be waited for. */
  readonly onWait: (holder: Lease) => void;
}

export interface Claim {
  /** Whether it had to be waited for: what was wanted may have been made meanwhile. */
  readonly waited: boolean;
  release(): void;
}

/** Time between two looks at a claim that is in the way, ms. */
const LOOK = 10;
const PREFIX = 'task:';
/** Up to so many claims are asked for one by one. */
const FEW = 8;

/** Claims a task. Undefined once the signal is aborted. */
export async function claim(task: string, options: ClaimOptions): Promise<Claim | undefined> {
  const { leases, now, signal, together, onWait } = options;
  for (let waited = false; ; waited = true) {
    const name = PREFIX + task;
    const first = together === true ? await firstTries(leases).take(name, now) : undefined;
    const held = first ?? (await hold(leases, name, { now, signal, onWait }));
    if (held === undefined) return undefined;
    const older = inTheWay(held.lease, options);
    if (older === undefined) return { waited: waited || held.waited, release: held.release };
    held.release();
    onWait(older);
    while (leases.holder(older.name)?.token === older.token && !isAbandoned(older, now())) {
      if (signal.aborted) return undefined;
      await delay(LOOK, undefined, { signal }).catch(() => {});
    }
  }
}

/** First tries at leases that are made in one turn of the event loop, as one step: that costs little more than one try. */
class FirstTries {
  readonly #leases: LeaseStore;
  #due: {
    readonly take: () => Held | undefined;
    readonly resolve: (held: Held | undefined) => void;
    readonly reject: (error: unknown) => void;
  }[] = [];

  constructor(leases: LeaseStore) {
    this.#leases = leases;
  }

  /** The lease, or undefined if somebody has it. */
  take(name: string, now: () => number): Promise<Held | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#due.length === 0) setImmediate(() => this.#take());
      const take = (): Held | undefined => {
        const tried = tryHold(this.#leases, name, now);
        return 'holder' in tried ? undefined : tried;
      };
      this.#due.push({ take, resolve, reject });
    });
  }

  #take(): void {
    const all = this.#due;
    this.#due = [];
    try {
      const taken: (Held | undefined)[] = [];
      this.#leases.together(() => {
        // Leases of a step that failed at its end, as on a full disk, are none.
        for (const held of taken.splice(0)) held?.release();
        for (const { take } of all) taken.push(take());
      });
      // Nobody has a lease before the step is whole.
      for (const [at, { resolve }] of all.entries()) resolve(taken[at]);
    } catch (error) {
      for (const { reject } of all) reject(error);
    }
  }
}

const lines = new WeakMap<LeaseStore, FirstTries>();

function firstTries(leases: LeaseStore): FirstTries {
  const line = lines.get(leases) ?? new FirstTries(leases);
  lines.set(leases, line);
  return line;
}

/** An older claim on something that the task needs or that needs it. A younger one will give way. */
function inTheWay(own: Lease, { leases, graph, now, isSpent }: ClaimOptions): Lease | undefined {
  const task = own.name.slice(PREFIX.length);
  return claimsAround(task, { leases, graph, isSpent }).find(
    (other) => other.token < own.token && !isAbandoned(other, now()),
  );
}

/**
 * The claims on what a task needs and on what needs it, without spent ones: to read those is most of the work where much
 * is put back in one go.
 */
function claimsAround(
  task: string,
  { leases, graph, isSpent }: Pick<ClaimOptions, 'leases' | 'graph' | 'isSpent'>,
): readonly Lease[] {
  const upstream = graph.isNeeded(task) ? undefined : graph.upstreamOf(task);
  if (upstream === undefined || upstream.length > FEW) {
    return leases.list((name) => {
      const other = name.slice(PREFIX.length);
      return name.startsWith(PREFIX) && isRelated(graph, task, other) && !isSpent(other);
    });
  }
  // Of a task that nobody needs and that needs little there is less to read.
  return upstream.flatMap((name) => (isSpent(name) ? [] : (leases.holder(PREFIX + name) ?? [])));
}

/** Another process may have another configuration; what is not in this one is none of its business. */
function isRelated(graph: TaskGraph, one: string, other: string): boolean {
  return graph.isUpstream(one, other) || graph.isUpstream(other, one);
}
