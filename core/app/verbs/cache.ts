/** `fleche cache`: carries answers from one machine to another, and looks after them. What talks to servers is elsewhere. */
import { resolve } from 'node:path';
import { FlecheError } from '../../base/errors.ts';
import type { Key } from '../../base/hash.ts';
import { suggest } from '../../base/nearest.ts';
import { Cache } from '../../call/caches/cache.ts';
import { collectGarbage, GRACE } from '../../call/caches/gc.ts';
import { type TransferReport, treeBlobs } from '../../call/caches/transfer.ts';
import type { CallRecord } from '../../store/record.ts';
import type { SyncValueStore } from '../../store/values.ts';
import { pack, unpack } from '../caches/pack.ts';
import { EXIT } from '../cli/exit-code.ts';
import type { VerbContext } from '../cli/verb.ts';
import type { Project } from '../project.ts';
import { counted } from '../reporters/task-line.ts';
import { harmless } from '../terminal/text.ts';
import type { Done } from './cache-done.ts';

interface Action {
  readonly takes: 'a folder' | 'tasks' | 'nothing';
  /** `args`: what stands behind the word; a folder is absolute. */
  act(project: Project, context: VerbContext, args: readonly string[]): Promise<Done>;
}

const ACTIONS: Readonly<Record<string, Action>> = {
  pack: { takes: 'a folder', act: packed },
  unpack: { takes: 'a folder', act: unpacked },
  push: { takes: 'tasks', act: async (...given) => (await import('./cache-push.ts')).pushed(...given) },
  pull: { takes: 'tasks', act: async (...given) => (await import('./cache-push.ts')).pulled(...given) },
  prune: { takes: 'nothing', act: pruned },
  purge: {
    takes: 'nothing',
    act: async (project, context) => (await import('./cache-purge.ts')).purged(project, context),
  },
  verify: { takes: 'nothing', act: verified },
};

export async function cache(context: VerbContext): Promise<number> {
  const { invocation, machine } = context;
  const [word = '', ...given] = invocation.args;
  const action = Object.hasOwn(ACTIONS, word) ? ACTIONS[word] : undefined;
  if (action === undefined) {
    throw new FlecheError('USAGE', `fleche cache cannot "${word}"`, { hint: suggest(word, Object.keys(ACTIONS)) });
  }
  const { takes } = action;
  if (takes !== 'tasks' && given.length !== (takes === 'nothing' ? 0 : 1)) {
    throw new FlecheError('USAGE', `cache ${word} takes ${takes}`, {
      hint: `Write fleche cache ${word}${takes === 'nothing' ? '' : ' FOLDER'}.`,
    });
  }
  const project = await context.open();
  try {
    // An empty cache in the place of one that cannot be used would be packed over a good pack, or found to be sound.
    project.usableStores();
    const args = takes === 'a folder' ? given.map((folder) => resolve(machine.cwd, folder)) : given;
    const { json, text, code } = await action.act(project, context, args);
    machine.stdout.write(
      invocation.flag('json') ? `${JSON.stringify({ type: 'cache', action: word, ...json })}\n` : `${text}\n`,
    );
    return machine.interruption.code ?? code;
  } finally {
    await project.close();
  }
}

async function packed(
  project: Project,
  { invocation, machine }: VerbContext,
  [folder = '']: readonly string[],
): Promise<Done> {
  const wanted = invocation.flag('all') ? undefined : await answersOf(project, machine.interruption.signal);
  const report = await pack(cacheOf(project), folder, ({ key }) => wanted === undefined || wanted.has(key));
  const text = `packed ${counted(report.copied, 'answer')} into ${harmless(folder)}${failedText(report)}`;
  return { json: report, text, code: EXIT.done };
}

async function unpacked(project: Project, _: VerbContext, [folder = '']: readonly string[]): Promise<Done> {
  const report = await unpack(folder, cacheOf(project));
  if (report === undefined)
    return {
      json: { copied: 0, skipped: 0, failed: 0 },
      text: 'there is no pack: the cache stays as it is',
      code: EXIT.done,
    };
  const known = report.skipped === 0 ? '' : `, ${report.skipped} were on file`;
  return {
    json: report,
    text: `unpacked ${counted(report.copied, 'answer')}${known}${failedText(report)}`,
    code: EXIT.done,
  };
}

/**
 * Keeps nothing of tasks but what the present files ask for. Records go first: what a record names is there as long as the
 * record is. Values that are young may be on their way to a record, and stay for `fleche gc`.
 */
async function pruned(project: Project, { invocation, machine }: VerbContext): Promise<Done> {
  const { values, calls } = project.stores();
  const wanted = await answersOf(project, machine.interruption.signal);
  const isKept = ({ kind, key }: { readonly kind: string; readonly key: Key }): boolean =>
    kind !== 'task' || wanted.has(key);
  const doomed = [...calls.find({})].filter((record) => !isKept(record));
  const dryRun = invocation.flag('dry-run');
  if (!dryRun) for (const { key } of doomed) calls.delete(key);
  const remaining = { find: () => [...calls.find({})].filter(isKept) };
  const swept = await collectGarbage(values, remaining, { graceMs: GRACE, now: project.now(), dryRun });
  const verb = dryRun ? 'would forget' : 'forgot';
  const text = `${verb} ${counted(doomed.length, 'answer')} that the present files do not ask for, and ${counted(swept.removed, 'value')}`;
  return { json: { records: doomed.length, values: swept.removed, bytes: swept.bytes, dryRun }, text, code: EXIT.done };
}

/** Reads everything, and with that verifies it: values have their digests, and what answers need is there. */
async function verified(project: Project): Promise<Done> {
  const { values, calls } = project.stores();
  const blobs = [...values.list()].map(({ digest }) => digest);
  const damaged = blobs.filter((digest) => values.get(digest) === undefined);
  const records = [...calls.find({})];
  const incomplete = records.filter((record) => !isWhole(record, values));
  const faults = [
    ...(damaged.length === 0 ? [] : [`${counted(damaged.length, 'value')} damaged: ${damaged.join(', ')}`]),
    ...incomplete.map(({ name, key }) => `an answer of ${harmless(name)} lacks values (${key.slice(0, 12)})`),
  ];
  const found = faults.length === 0 ? 'all sound' : `${faults.join('; ')}. They are made anew when they are asked for.`;
  const text = `${counted(records.length, 'answer')} and ${counted(blobs.length, 'value')} read, ${found}`;
  const json = { records: records.length, values: blobs.length, damaged, incomplete: incomplete.map(({ key }) => key) };
  return { json, text, code: faults.length === 0 ? EXIT.done : EXIT.failed };
}

/** Whether everything is on file that a hit would hand out. */
function isWhole({ result, log, outputs }: CallRecord, values: SyncValueStore): boolean {
  const tree = outputs === null ? undefined : values.get(outputs);
  const needed = [result?.blob ?? null, log, outputs, ...(tree === undefined ? [] : treeBlobs(tree))];
  return needed.every((blob) => blob === null || values.has(blob));
}

/** Keys of the answers that a run of all tasks would be given now. */
async function answersOf(project: Project, signal: AbortSignal): Promise<ReadonlySet<Key>> {
  const request = { targets: project.graph.names, jobs: 1, force: false, frozen: false, keepGoing: true, signal };
  return (await project.engine().answers(request)).keys;
}

function cacheOf(project: Project): Cache {
  const { values, calls } = project.stores();
  return new Cache(values, calls);
}

function failedText({ failed }: TransferReport): string {
  return failed === 0 ? '' : `, left out ${failed} that lack values`;
}
