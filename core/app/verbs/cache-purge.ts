/** `fleche cache purge`: removes all answers, here or from the own part of the shared caches, after asking. */
import { setImmediate as turn } from 'node:timers/promises';
import { FlecheError, messageOf } from '../../base/errors.ts';
import { formatSize } from '../../base/size.ts';
import { collectGarbage } from '../../call/caches/gc.ts';
import { isAbandoned } from '../../store/owner.ts';
import { EXIT } from '../cli/exit-code.ts';
import type { Machine, VerbContext } from '../cli/verb.ts';
import type { Project } from '../project.ts';
import { counted } from '../reporters/task-line.ts';
import { harmless } from '../terminal/text.ts';
import type { Done } from './cache-done.ts';

const NOTHING_DONE = 'nothing was removed';

export async function purged(project: Project, { invocation, machine }: VerbContext): Promise<Done> {
  const isWanted = async (question: string): Promise<boolean> =>
    invocation.flag('dry-run') || invocation.flag('yes') || agreed(machine, question);
  return invocation.flag('shared')
    ? purgedShared(project, isWanted, invocation.flag('dry-run'))
    : purgedHere(project, isWanted, invocation.flag('dry-run'));
}

type Asking = (question: string) => Promise<boolean>;

async function purgedHere(project: Project, isWanted: Asking, dryRun: boolean): Promise<Done> {
  const { values, calls } = project.stores();
  requireIdle(project);
  const place = values.location === undefined ? 'the cache in memory' : harmless(values.location);
  const count = calls.count();
  if (!(await isWanted(`Remove all ${counted(count, 'answer')} from ${place}?`))) {
    return { json: { records: 0, values: 0, bytes: 0, dryRun }, text: NOTHING_DONE, code: EXIT.failed };
  }
  requireIdle(project);
  if (!dryRun) calls.deleteAll([...calls.find({})].map(({ key }) => key));
  const swept = await collectGarbage(values, { find: () => [] }, { graceMs: 0, now: project.now() + 1, dryRun });
  const done = `${counted(count, 'answer')} and ${counted(swept.removed, 'value')} (${formatSize(swept.bytes)})`;
  return {
    json: { records: count, values: swept.removed, bytes: swept.bytes, dryRun },
    text: `${dryRun ? 'would remove' : 'removed'} ${done} from ${place}`,
    code: EXIT.done,
  };
}

/** Throws `USAGE` while a process makes answers, which may name what is about to go. */
function requireIdle(project: Project): void {
  const now = project.now();
  const busy = project
    .stores()
    .leases()
    .list()
    .find((lease) => !isAbandoned(lease, now));
  if (busy === undefined) return;
  throw new FlecheError('USAGE', `process ${busy.owner.pid} is at work with this cache`, {
    hint: 'Wait until it is done, or end it.',
  });
}

async function purgedShared(project: Project, isWanted: Asking, dryRun: boolean): Promise<Done> {
  const tiers = ((await project.shared()?.tiers()) ?? []).filter(({ writes }) => writes);
  if (tiers.length === 0) {
    throw new FlecheError('USAGE', 'no shared cache may be written here, so none is emptied', {
      hint: 'See "fleche doctor" for what may be done with each.',
    });
  }
  const places = tiers.map(({ name, report }) => `"${harmless(name)}" (${harmless(report.location)})`);
  const isAgreed = await isWanted(`Remove all that machines share in ${places.join(' and ')}?`);
  const caches = await Promise.all(
    tiers.map(async (tier) => {
      const trouble = isAgreed && !dryRun ? await tier.purge().then(() => null, messageOf) : null;
      return {
        name: tier.name,
        location: tier.report.location,
        emptied: isAgreed && !dryRun && trouble === null,
        trouble,
      };
    }),
  );
  const lines = caches.map(({ name, emptied, trouble }) => {
    const what = emptied
      ? 'emptied'
      : dryRun
        ? 'would be emptied'
        : `stays as it is${trouble === null ? '' : `: ${harmless(trouble)}`}`;
    return `${harmless(name)} ${what}`;
  });
  const isDone = caches.every(({ emptied }) => emptied || dryRun);
  return { json: { caches, dryRun }, text: lines.join('\n'), code: isDone ? EXIT.done : EXIT.failed };
}

/** Asks who sits at the terminal. Throws `USAGE` where nobody does. */
async function agreed({ keyboard, stderr, interruption }: Machine, question: string): Promise<boolean> {
  const typed = stderr.isTTY ? keyboard?.line(interruption.signal) : undefined;
  if (typed === undefined) {
    throw new FlecheError('USAGE', 'there is nobody to ask whether all answers are to be removed', {
      hint: 'Write --yes, or --dry-run to see what would go.',
    });
  }
  stderr.write(`${question} [y/N] `);
  const answer = await typed;
  if (answer === undefined) {
    // The line of the question was not ended by who typed. What is said next goes to another stream, a turn later.
    stderr.write('\n');
    await turn();
  }
  return /^\s*y(es)?\s*$/i.test(answer ?? '');
}
