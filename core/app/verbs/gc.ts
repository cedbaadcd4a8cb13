/** `fleche gc`: forgets old records, then removes the values that no record names and files nobody will look for. */
import { formatDuration, parseDuration } from '../../base/duration.ts';
import type { Digest } from '../../base/hash.ts';
import { formatSize, parseSize } from '../../base/size.ts';
import { collectGarbage, GRACE } from '../../call/caches/gc.ts';
import { expendable, type Weighed } from '../../call/caches/retention.ts';
import { blobsOf, treeBlobs } from '../../call/caches/transfer.ts';
import { removeLeftovers, removeSnapshots } from '../caches/leftovers.ts';
import type { WorkspaceStores } from '../caches/workspace-stores.ts';
import { EXIT } from '../cli/exit-code.ts';
import type { VerbContext } from '../cli/verb.ts';
import type { Project } from '../project.ts';
import { counted } from '../reporters/task-line.ts';
import { trimRuns } from '../run-history.ts';

interface Collected {
  readonly type: 'gc';
  readonly records: number;
  readonly blobs: number;
  readonly bytes: number;
  readonly kept: { readonly blobs: number; readonly bytes: number };
  /** Things that were set aside, files of runs long over, and what is remembered of patterns that no task has. */
  readonly trash: number;
  readonly files: number;
  readonly snapshots: number;
  readonly dryRun: boolean;
}

export async function gc(context: VerbContext): Promise<number> {
  const { invocation, machine } = context;
  const age = invocation.text('older-than');
  const size = invocation.text('max-size');
  const maxAgeMs = age === undefined ? undefined : parseDuration(age);
  const project = await context.open();
  try {
    const maxBytes = size === undefined ? configuredSize(project) : parseSize(size);
    const collected = await collect(project, { maxAgeMs, maxBytes, dryRun: invocation.flag('dry-run') });
    machine.stdout.write(
      invocation.flag('json') ? `${JSON.stringify(collected)}\n` : collectedText(collected, maxAgeMs),
    );
    return EXIT.done;
  } finally {
    await project.close();
  }
}

function configuredSize({ config }: Project): number | undefined {
  const spec = config.caches.get(config.defaults.cache);
  return spec?.kind === 'single' || spec?.kind === 'pair' ? spec.maxSize : undefined;
}

interface Limits {
  readonly maxAgeMs: number | undefined;
  readonly maxBytes: number | undefined;
  readonly dryRun: boolean;
}

async function collect(project: Project, { maxAgeMs, maxBytes, dryRun }: Limits): Promise<Collected> {
  const stores = project.usableStores();
  const { values, calls } = stores;
  const now = project.now();
  const sizes = new Map([...values.list()].map(({ digest, size }) => [digest, size]));
  const evicted = expendable(weighed(stores), (blob) => sizes.get(blob) ?? 0, { maxAgeMs, maxBytes, now });
  const doomed = new Set(evicted.map((record) => record.key));
  const remaining = { find: () => [...calls.find({})].filter((record) => !doomed.has(record.key)) };
  const swept = await collectGarbage(values, remaining, { graceMs: GRACE, now, dryRun });
  if (!dryRun) for (const key of doomed) calls.delete(key);
  const onDisk = removeLeftovers({ ...stores, folder: project.cacheFolder() }, now, dryRun);
  const remembered = removeSnapshots(stores.state, project.graph, dryRun);
  const history = stores.runsFile === undefined ? 0 : trimRuns(stores.runsFile, dryRun);
  return {
    type: 'gc',
    records: evicted.length,
    blobs: swept.removed,
    bytes: swept.bytes + onDisk.bytes + remembered.bytes + history,
    kept: { blobs: swept.kept, bytes: swept.keptBytes },
    trash: onDisk.trash,
    files: onDisk.files,
    snapshots: remembered.snapshots,
    dryRun,
  };
}

function* weighed({ values, calls }: WorkspaceStores): Generator<Weighed> {
  for (const record of calls.find({})) {
    const tree = record.outputs === null ? undefined : values.get(record.outputs);
    const blobs: Digest[] = blobsOf(record).map(({ blob }) => blob);
    yield { record, blobs: tree === undefined ? blobs : [...blobs, ...treeBlobs(tree)] };
  }
}

function collectedText(collected: Collected, maxAgeMs: number | undefined): string {
  const { records, blobs, bytes, kept, trash, files, snapshots, dryRun } = collected;
  const verb = dryRun ? 'would remove' : 'removed';
  const age = maxAgeMs === undefined ? '' : ` older than ${formatDuration(maxAgeMs)}`;
  const lines = [`${verb} ${counted(records, 'record')}${age} and ${counted(blobs, 'value')}`];
  if (trash > 0) lines.push(`${verb} ${counted(trash, 'item')} from the trash`);
  if (files > 0) lines.push(`${verb} ${counted(files, 'file')} of earlier runs`);
  if (snapshots > 0) lines.push(`${verb} ${counted(snapshots, 'listing')} of patterns that no task has`);
  lines.push(
    `${formatSize(bytes)} ${dryRun ? 'would be free' : 'freed'}; ${counted(kept.blobs, 'value')} stay, ${formatSize(kept.bytes)}`,
  );
  return `${lines.join('\n')}\n`;
}
