/** `fleche cache push` and `pull`: carry answers to the shared caches and from them, without running or restoring a task. */
import { FlecheError } from '../../base/errors.ts';
import type { Digest, Key } from '../../base/hash.ts';
import { formatSize } from '../../base/size.ts';
import { treeBlobs } from '../../call/caches/transfer.ts';
import type { SharedTier } from '../../call/shared/shared-tier.ts';
import { listsFor } from '../../graph/discovered/shared-lists.ts';
import type { Engine } from '../../graph/engine.ts';
import type { RunReport } from '../../graph/tasks/outcome.ts';
import type { CallRecord } from '../../store/record.ts';
import type { TierLine } from '../caches/shared-line.ts';
import { EXIT } from '../cli/exit-code.ts';
import type { Machine, VerbContext } from '../cli/verb.ts';
import type { Project } from '../project.ts';
import { Footer } from '../reporters/footer.ts';
import { counted } from '../reporters/task-line.ts';
import { chosenTasks } from '../selection/targets.ts';
import { harmless } from '../terminal/text.ts';
import type { Done } from './cache-done.ts';

/** The longest that a timer can wait, ms. */
const FOREVER = 2 ** 31 - 1;
/** Tasks that a sentence names. */
const MOST_NAMES = 5;

/** Sends what is on file for the present files of some tasks, and for all they need, as far as it is not shared yet. */
export async function pushed(
  project: Project,
  { invocation, machine }: VerbContext,
  names: readonly string[],
): Promise<Done> {
  const line = sharedOf(project);
  const tiers = (await line.tiers()).filter(({ writes }) => writes);
  if (tiers.length === 0) {
    throw new FlecheError('USAGE', 'no shared cache may be written here', {
      hint: 'Set mode = "read-write" and the variable with the signing key; FLECHE_SHARED_MODE may narrow it, too.',
    });
  }
  const { calls, values } = project.stores();
  const { report, keys } = await planned(project, machine, names);
  const others = unanswered(report);
  const records: CallRecord[] = [];
  for (const key of keys) {
    const record = calls.get(key);
    if (record === undefined) continue;
    const lists = await listsFor(record, { calls, values, now: project.now }, line);
    records.push(record, ...(lists === undefined ? [] : [lists]));
  }
  const sent = await Promise.all(
    tiers.map(async (tier) => ({ tier, given: await line.send(tier, records, invocation.flag('force')) })),
  );
  await underWay(machine, () => `sending ${counted(line.pending, 'answer')}`, Promise.all(tiers.map(allSent)));
  const reports = sent.map(({ tier, given }) => {
    const { name, location, stored, unstored, bytesSent, trouble } = tier.report;
    return { name, location, sent: stored, there: records.length - given, failed: unstored, bytes: bytesSent, trouble };
  });
  const lines = reports.map(
    (one) =>
      `${harmless(one.name)}: sent ${counted(one.sent, 'record')} (${formatSize(one.bytes)}), ${one.there} were there` +
      (one.failed === 0 ? '' : `, ${one.failed} could not be sent`),
  );
  const text = [`${counted(keys.size, 'answer')} on file${absent(others)}`, ...lines].join('\n');
  const isWhole = reports.every(({ failed, trouble }) => failed === 0 && trouble === null);
  const json = { answers: keys.size, absent: others, caches: reports };
  return { json, text, code: codeOf(machine, report, isWhole) };
}

/** Fetches what is shared for the present files of some tasks, and for all they need, with the contents of their outputs. */
export async function pulled(project: Project, { machine }: VerbContext, names: readonly string[]): Promise<Done> {
  const line = sharedOf(project);
  const { calls, values } = project.stores();
  const { report, keys } = await planned(project, machine, names);
  const others = unanswered(report);
  let left = keys.size;
  const bring = async (key: Key): Promise<string | undefined> => {
    const { outputs = null, name = '' } = calls.get(key) ?? {};
    const tree = outputs === null ? undefined : values.get(outputs);
    const missing = tree === undefined ? [] : treeBlobs(tree).filter((blob: Digest) => !values.has(blob));
    const isHere = missing.length === 0 || (await line.bring(key, missing, 'keep'));
    left--;
    return isHere ? undefined : name;
  };
  const brought = await underWay(
    machine,
    () => `fetching ${counted(left, 'answer')}`,
    Promise.all([...keys].map(bring)),
  );
  const incomplete = (brought ?? []).flatMap((name) => name ?? []);
  const shared = line.reports().reduce((sum, { hits }) => sum + hits, 0);
  const bytes = line.reports().reduce((sum, { bytesReceived }) => sum + bytesReceived, 0);
  const lost = incomplete.length === 0 ? '' : `\ncontents of outputs could not be had of ${some(incomplete)}`;
  const text = `${counted(keys.size, 'answer')} on file, ${shared} of them fetched (${formatSize(bytes)})${absent(others)}${lost}`;
  const json = { answers: keys.size, fetched: shared, absent: others, incomplete, bytes };
  return { json, text, code: codeOf(machine, report, true) };
}

function sharedOf(project: Project): TierLine {
  const line = project.shared();
  if (line !== undefined) return line;
  throw new FlecheError('USAGE', 'no shared cache is configured', {
    hint: 'Put one behind the cache of this machine: [caches.team] stack = ["local", "shared"].',
  });
}

/** What is on file for the present files, of tasks and of their items. */
function planned(project: Project, { interruption }: Machine, names: readonly string[]): ReturnType<Engine['answers']> {
  const targets = chosenTasks(names, project);
  const { signal } = interruption;
  return project.engine().answers({ targets, jobs: 1, force: false, frozen: false, keepGoing: true, signal });
}

/** Tasks that have no answer. Services have none by their nature. */
function unanswered({ outcomes }: RunReport): readonly string[] {
  return outcomes.filter(({ outcome }) => outcome === 'ran').map(({ name }) => name);
}

function absent(names: readonly string[]): string {
  return names.length === 0 ? '' : `; there is none of ${some(names)}`;
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).map(harmless).join(', ');
  return names.length > MOST_NAMES ? `${shown} and ${names.length - MOST_NAMES} more` : shown;
}

async function allSent(tier: SharedTier): Promise<void> {
  await tier.flush(FOREVER);
}

/** Waits with a line that says what for, where somebody watches. Undefined if somebody wanted an end first. */
async function underWay<T>(machine: Machine, what: () => string, work: Promise<T>): Promise<T | undefined> {
  const { stderr, clock, interruption } = machine;
  const footer = stderr.isTTY ? new Footer(stderr, clock, () => [what()]) : undefined;
  const ticking = footer === undefined ? undefined : setInterval(() => footer.refresh(), 100);
  const { signal } = interruption;
  const interrupted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  try {
    return await Promise.race([work, interrupted]);
  } finally {
    clearInterval(ticking);
    footer?.close();
  }
}

function codeOf({ interruption }: Machine, { summary, interrupted }: RunReport, isWhole: boolean): number {
  if (interrupted || interruption.signal.aborted) return interruption.code ?? EXIT.interrupted;
  return isWhole && summary.failed === 0 ? EXIT.done : EXIT.failed;
}
