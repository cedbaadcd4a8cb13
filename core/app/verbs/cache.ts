/** `fleche cache`: carries answers from one machine to another, and looks after them. */
import { resolve } from 'node:path';
import { FlecheError } from '../../base/errors.ts';
import type { Key } from '../../base/hash.ts';
import { suggest } from '../../base/nearest.ts';
import { Cache } from '../../call/caches/cache.ts';
import { collectGarbage } from '../../call/caches/gc.ts';
import type { TransferReport } from '../../call/caches/transfer.ts';
import { EXIT } from '../exit-code.ts';
import { pack, unpack } from '../pack.ts';
import type { Project } from '../project.ts';
import { counted } from '../reporters/task-line.ts';
import { harmless } from '../text.ts';
import type { VerbContext } from '../verb.ts';

/** What was done, for programs and for people. */
interface Done {
  readonly json: object;
  readonly text: string;
  readonly code: number;
}

type Action = (project: Project, context: VerbContext, folder: string | undefined) => Promise<Done>;

const ACTIONS: Readonly<Record<string, Action>> = { pack: packed, unpack: unpacked, prune: pruned, verify: verified };

export async function cache(context: VerbContext): Promise<number> {
  const { invocation, machine } = context;
  const [word = '', folder] = invocation.args;
  const action = Object.hasOwn(ACTIONS, word) ? ACTIONS[word] : undefined;
  if (action === undefined) {
    throw new FlecheError('USAGE', `fleche cache cannot "${word}"`, { hint: suggest(word, Object.keys(ACTIONS)) });
  }
  const takesFolder = action === packed || action === unpacked;
  if (takesFolder !== (folder !== undefined)) {
    throw new FlecheError('USAGE', takesFolder ? `cache ${word} needs a folder` : `cache ${word} takes no folder`, {
      hint: `Write fleche cache ${word}${takesFolder ? ' FOLDER' : ''}.`,
    });
  }
  const project = await context.open();
  try {
    const place = folder === undefined ? undefined : resolve(machine.cwd, folder);
    const { json, text, code } = await action(project, context, place);
    machine.stdout.write(
      invocation.flag('json') ? `${JSON.stringify({ type: 'cache', action: word, ...json })}\n` : `${text}\n`,
    );
    return code;
  } finally {
    await project.close();
  }
}

async function packed(project: Project, { invocation, machine }: VerbContext, folder = ''): Promise<Done> {
  const wanted = invocation.flag('all') ? undefined : await answersOf(project, machine.interruption.signal);
  const report = await pack(cacheOf(project), folder, ({ key }) => wanted === undefined || wanted.has(key));
  const text = `packed ${counted(report.copied, 'answer')} into ${harmless(folder)}${failedText(report)}`;
  return { json: report, text, code: EXIT.done };
}

async function unpacked(project: Project, _: VerbContext, folder = ''): Promise<Done> {
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

/** Keeps nothing of tasks but what the present files ask for. */
async function pruned(project: Project, { invocation, machine }: VerbContext): Promise<Done> {
  const { values, calls } = project.stores();
  const wanted = await answersOf(project, machine.interruption.signal);
  const isKept = ({ kind, key }: { readonly kind: string; readonly key: Key }): boolean =>
    kind !== 'task' || wanted.has(key);
  const doomed = [...calls.find({})].filter((record) => !isKept(record));
  const dryRun = invocation.flag('dry-run');
  const remaining = { find: () => [...calls.find({})].filter(isKept) };
  const swept = await collectGarbage(values, remaining, { graceMs: 0, now: project.now(), dryRun });
  if (!dryRun) for (const { key } of doomed) calls.delete(key);
  const verb = dryRun ? 'would forget' : 'forgot';
  const text = `${verb} ${counted(doomed.length, 'answer')} that the present files do not ask for, and ${counted(swept.removed, 'value')}`;
  return { json: { records: doomed.length, values: swept.removed, bytes: swept.bytes, dryRun }, text, code: EXIT.done };
}

/** Reads everything, and with that verifies it. */
async function verified(project: Project): Promise<Done> {
  const { values, calls } = project.stores();
  let [records, blobs] = [0, 0];
  const damaged: string[] = [];
  for (const _ of calls.find({})) records++;
  for (const { digest } of [...values.list()]) {
    blobs++;
    if (values.get(digest) === undefined) damaged.push(digest);
  }
  const found =
    damaged.length === 0 ? 'all sound' : `${counted(damaged.length, 'value')} damaged: ${damaged.join(', ')}`;
  const text = `${counted(records, 'answer')} and ${counted(blobs, 'value')} read, ${found}`;
  return { json: { records, values: blobs, damaged }, text, code: damaged.length === 0 ? EXIT.done : EXIT.failed };
}

/** Keys of the answers that a run of all tasks would be given now. */
async function answersOf(project: Project, signal: AbortSignal): Promise<ReadonlySet<Key>> {
  const request = { targets: project.graph.names, jobs: 1, force: false, frozen: false, keepGoing: true, signal };
  const { outcomes } = await project.engine().plan(request);
  return new Set(outcomes.flatMap(({ outcome, key }) => (outcome === 'cached' && key !== null ? key : [])));
}

function cacheOf(project: Project): Cache {
  const { values, calls } = project.stores();
  return new Cache(values, calls);
}

function failedText({ failed }: TransferReport): string {
  return failed === 0 ? '' : `, left out ${failed} that lack values`;
}
