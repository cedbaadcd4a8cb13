/**
 * Splits tasks among equal jobs. Every job must come to the same answer by itself, so nothing is looked at that could be
 * different in another one: only the graph, the wanted tasks, and the times that all of them were given.
 */
import { FlecheError } from '../../base/errors.ts';
import { sha256 } from '../../base/hash.ts';
import { byCodeUnit } from '../../base/order.ts';
import type { TaskGraph } from '../../graph/tasks/graph.ts';

/** One of several jobs; `index` from 1 to `count`. */
export interface Part {
  readonly index: number;
  readonly count: number;
}

export interface Shard {
  /** What this job has to bring up to date, with what that needs; sorted. */
  readonly targets: readonly string[];
  /** Tasks that are this job's own: every task of the whole is in exactly one job. Sorted. */
  readonly owned: readonly string[];
  /** What they take together, ms. */
  readonly ms: number;
}

const PART = /^([1-9]\d{0,3})\/([1-9]\d{0,3})$/;

/** Reads `2/5`. Throws `USAGE`. */
export function parsePart(text: string): Part {
  const [, index = '', count = ''] = PART.exec(text) ?? [];
  if (index !== '' && Number(index) <= Number(count)) return { index: Number(index), count: Number(count) };
  throw new FlecheError('USAGE', `--shard cannot be "${text}"`, { hint: 'Write --shard=1/3 for the first of three.' });
}

/**
 * Greedy: what nothing else needs goes, the longest first, to the job that is done soonest with it and has the least to
 * add to what it does already, both counting the same; so what shares its needs tends to stay together. What several jobs need is owned by the first
 * of them and is answered from the cache elsewhere, if they share one. `timeOf` gives ms, or undefined for an unknown one,
 * which counts as the average.
 */
export function shards(
  graph: TaskGraph,
  targets: readonly string[],
  count: number,
  timeOf: (task: string) => number | undefined,
): readonly Shard[] {
  const all = graph.closure(targets);
  const known = all.flatMap((name) => timeOf(name) ?? []);
  const average = known.length === 0 ? 1 : known.reduce((sum, ms) => sum + ms, 0) / known.length;
  const costOf = (names: Iterable<string>): number => {
    let sum = 0;
    for (const name of names) sum += timeOf(name) ?? average;
    return sum;
  };
  const needed = new Set(all.flatMap((name) => graph.task(name).needs));
  const tops = all
    .filter((name) => !needed.has(name))
    .map((name) => ({ name, closure: graph.closure([name]) }))
    .map((top) => ({ ...top, cost: costOf(top.closure) }))
    .sort((a, b) => b.cost - a.cost || byCodeUnit(a.name, b.name));
  const jobs = Array.from({ length: count }, () => ({ targets: [] as string[], does: new Set<string>(), ms: 0 }));
  const owners = new Map<string, number>();
  for (const { name, closure } of tops) {
    const added = jobs.map(({ does }) => costOf(closure.filter((task) => !does.has(task))));
    const prices = jobs.map(({ ms }, at) => ms + 2 * (added[at] ?? 0));
    const at = prices.indexOf(Math.min(...prices));
    const job = jobs[at];
    if (job === undefined) continue;
    job.targets.push(name);
    job.ms += added[at] ?? 0;
    for (const task of closure) {
      job.does.add(task);
      if (!owners.has(task)) owners.set(task, at);
    }
  }
  return jobs.map(({ targets, ms }, at) => ({
    targets: targets.sort(byCodeUnit),
    owned: all.filter((name) => owners.get(name) === at).sort(byCodeUnit),
    ms,
  }));
}

/** Short text that is the same in all jobs that split the same way: what differs must be seen. */
export function splitDigest(parts: readonly Shard[]): string {
  return sha256(Buffer.from(JSON.stringify(parts.map(({ targets }) => targets)))).slice(0, 8);
}
