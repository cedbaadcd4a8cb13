/** Runs a sample of what was answered from the cache again, and compares: finds answers that are not what they should be. */
import { randomUUID } from 'node:crypto';
import { FlecheError } from '../../base/errors.ts';
import { sha256 } from '../../base/hash.ts';
import { byCodeUnit } from '../../base/order.ts';
import type { Engine } from '../../graph/engine.ts';
import type { RunListener, RunReport, RunRequest, TaskOutcome } from '../../graph/tasks/outcome.ts';

interface Verification {
  readonly engine: Engine;
  readonly request: Pick<RunRequest, 'jobs' | 'frozen' | 'keepGoing' | 'signal'>;
  /** Told of every answer that was different. */
  readonly listener: RunListener;
}

/** The tasks that make something else than what was answered. `share`: the part of the answers that is looked at, to 1. */
export async function verified(
  report: RunReport,
  share: number,
  { engine, request, listener }: Verification,
): Promise<readonly string[]> {
  const hits = report.outcomes.filter(({ outcome }) => outcome === 'cached');
  const chosen = sample(hits, share);
  if (chosen.length === 0) return [];
  const force = new Set(chosen.map(({ name }) => name));
  const again = await engine.run({ ...request, targets: [...force], force, listener: () => {} });
  if (again.interrupted) return [];
  const results = new Map(again.outcomes.map((outcome) => [outcome.name, outcome]));
  const differing = chosen.filter(({ name, result }) => {
    const now = results.get(name);
    return now?.outcome !== 'ran' || now.result !== result;
  });
  for (const { name } of differing) listener({ type: 'warning', name, message: MESSAGE });
  return differing.map(({ name }) => name);
}

const MESSAGE =
  'verified: it makes something else than what was on file. It reads what it does not declare, or is not deterministic, or the answer was not its own.';

/** At least one, if there is any; other ones each time. */
function sample(hits: readonly TaskOutcome[], share: number): readonly TaskOutcome[] {
  const seed = randomUUID();
  const rank = ({ name }: TaskOutcome): string => sha256(Buffer.from(`${seed} ${name}`));
  const ranked = hits.map((hit) => ({ hit, rank: rank(hit) })).sort((a, b) => byCodeUnit(a.rank, b.rank));
  return ranked.slice(0, Math.ceil(hits.length * share)).map(({ hit }) => hit);
}

/** From `5%` to 0.05. Throws `USAGE`. */
export function parseShare(text: string | undefined): number {
  if (text === undefined) return 0;
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1];
  if (percent !== undefined && Number(percent) <= 100) return Number(percent) / 100;
  throw new FlecheError('USAGE', `--verify cannot be "${text}"`, { hint: 'Write a percentage, such as --verify=1%.' });
}
