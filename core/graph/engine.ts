/** The engine: runs, plans and explains a set of tasks. */
import type { Key } from '../base/hash.ts';
import type { PartChange } from '../call/explain.ts';
import { endOrphans } from './commands/running.ts';
import type { AskedItems } from './foreach/asked-items.ts';
import { comparison, lookUp } from './round/lookup.ts';
import { Round } from './round/round.ts';
import { runningDir, type Workbench } from './round/workbench.ts';
import type { Reason, RunReport, RunRequest, TaskOutcome } from './tasks/outcome.ts';
import type { Surroundings, TaskCall } from './tasks/task-call.ts';
import type { Live } from './watch/live.ts';

export interface WhyReport {
  readonly task: string;
  readonly verdict: 'cached' | 'stale' | 'never-ran';
  /** Null while something the task needs must run first. */
  readonly key: Key | null;
  readonly reasons: readonly Reason[];
  /** What stands in the way of asking, in sentences; null for nothing. */
  readonly message: string | null;
  /** Where the reason is another task, those upstream that would run, or cannot be asked for, by themselves; else empty. */
  readonly causes: readonly Pick<TaskOutcome, 'name' | 'reasons' | 'message'>[];
  /** The parts of the fingerprint beside those of the nearest past call. */
  readonly parts: readonly WhyPart[];
  readonly nearest: { readonly key: Key; readonly filed: number } | null;
  /** The items that would run, for a task that has such; absent while something the task needs must run first. */
  readonly items?: { readonly total: number; readonly stale: readonly StaleItem[] };
}

interface StaleItem {
  readonly name: string;
  readonly reasons: readonly Reason[];
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

  get surroundings(): Surroundings {
    return this.#bench.around;
  }

  /** Commands that a killed process left running are ended first: they could still write. */
  async run(request: RunRequest): Promise<RunReport> {
    await endOrphans(runningDir(this.#bench));
    return new Round(this.#bench, request, 'run').report();
  }

  /**
   * A run that takes over what earlier rounds of `live` found and are still at. Its signal keeps it from beginning anything
   * more; what is under way goes on, for the next round to take over.
   */
  async round(live: Live, request: RunRequest): Promise<RunReport> {
    await endOrphans(runningDir(this.#bench));
    return new Round(this.#bench, request, 'run', live).report();
  }

  /** What a task printed when this answer of it was made; undefined if nothing of it is on file. */
  printed(key: Key): Iterable<Uint8Array> | undefined {
    const log = this.#bench.calls.get(key)?.log ?? null;
    return log === null ? undefined : this.#bench.values.pieces(log);
  }

  /** What `run` would do, by the same code, without running or writing anything. */
  plan(request: Omit<RunRequest, 'listener'>): Promise<RunReport> {
    return new Round(this.#bench, { ...request, listener: () => {} }, 'plan').report();
  }

  /** A plan, with the keys of all answers that a run would be given: those of tasks, and of items one by one. */
  async answers(
    request: Omit<RunRequest, 'listener'>,
  ): Promise<{ readonly report: RunReport; readonly keys: ReadonlySet<Key> }> {
    const round = new Round(this.#bench, { ...request, listener: () => {} }, 'plan');
    const report = await round.report();
    const keys = new Set<Key>();
    for (const { name, outcome, key } of report.outcomes) {
      if (outcome === 'cached' && key !== null) keys.add(key);
      const call = round.calls.get(name);
      if (call?.items === undefined || request.signal.aborted) continue;
      for (const answer of (await round.itemsOf(call)).answers.values()) keys.add(answer.call.key);
    }
    return { report, keys };
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
    const items = call?.items === undefined ? undefined : this.#itemsOf(await round.itemsOf(call), cached);
    return {
      task: name,
      verdict: cached ? 'cached' : call !== undefined && nearest === undefined ? 'never-ran' : 'stale',
      key: call?.key ?? null,
      reasons: outcome?.reasons ?? [],
      message: outcome?.message ?? null,
      causes: outcome?.reasons.some(isPending) ? causesAmong(outcomes, name) : [],
      parts: call === undefined ? [] : whyParts(call, nearest?.changes ?? []),
      nearest: nearest === undefined ? null : { key: nearest.record.key, filed: nearest.record.filed },
      ...(items && { items }),
    };
  }

  #itemsOf({ calls, questions, answers }: AskedItems, isCached: boolean): NonNullable<WhyReport['items']> {
    const open = isCached ? [] : calls.filter((call) => !answers.has(call));
    const stale = open.flatMap((call): readonly StaleItem[] => {
      const found = lookUp(questions.get(call) ?? call, this.#bench);
      return found.kind === 'miss' ? [{ name: call.item.name, reasons: found.reasons }] : [];
    });
    return { total: calls.length, stale };
  }
}

function isPending({ kind }: Reason): boolean {
  return kind === 'pending';
}

/** What would run, or fail, whatever becomes of others. */
function causesAmong(outcomes: readonly TaskOutcome[], but: string): WhyReport['causes'] {
  return outcomes.flatMap(({ name, outcome, reasons, message }) => {
    if (name === but || outcome === 'cached' || outcome === 'skipped' || reasons.some(isPending)) return [];
    return [{ name, reasons, message }];
  });
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
