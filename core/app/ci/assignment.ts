/** What a job of a CI service has to do: what was asked for, as far as the change can matter to it, and of that its part. */

import type { VerbContext } from '../cli/verb.ts';
import type { Project } from '../project.ts';
import { counted } from '../reporters/task-line.ts';
import { affectedSince, selectedTasks } from '../selection/selection.ts';
import type { Provider } from './provider.ts';
import { type Part, parsePart, type Shard, shards, splitDigest } from './shards.ts';
import type { Timings } from './timings.ts';

interface Assignment {
  readonly targets: readonly string[];
  readonly shard: Shard | undefined;
  /** How that came about, as phrases. */
  readonly notes: readonly string[];
}

/** Throws as `selectedTasks` does, and `USAGE` for what is no part of a job. */
export async function assignmentOf(
  { invocation, machine }: Pick<VerbContext, 'invocation' | 'machine'>,
  project: Project,
  provider: Provider,
  timings: Timings,
): Promise<Assignment> {
  const { trust, base } = provider;
  const notes = [`${trust.why}${trust.trusted ? '' : ', not trusted'}`];
  const asked = await selectedTasks(invocation, project, machine);
  const isAsked = ['all', 'affected', 'since'].some((name) => invocation.flag(name));
  const ref = base === undefined || isAsked ? undefined : `origin/${base}`;
  const targets = ref === undefined ? asked : await affectedSince(ref, asked, project, machine.env);
  if (ref !== undefined) notes.push(`${targets.length} of ${counted(asked.length, 'task')} affected since ${ref}`);
  else notes.push(counted(targets.length, 'task'));
  const part = partOf(invocation.text('shard'), provider);
  if (part === undefined) return { targets, shard: undefined, notes };
  const all = shards(project.graph, targets, part.count, (task) => timings.get(task));
  const shard = all[part.index - 1] ?? { targets: [], owned: [], ms: 0 };
  const idle = shard.targets.length === 0 ? ', which leaves this one nothing to do' : '';
  notes.push(
    `shard ${part.index}/${part.count} of split ${splitDigest(all)}: ${counted(shard.owned.length, 'task')}${idle}`,
  );
  return { targets: shard.targets, shard, notes };
}

function partOf(text: string | undefined, { shard }: Provider): Part | undefined {
  return text === undefined ? shard : parsePart(text);
}
