/** `fleche gc`: forgets old records, then removes the values that no record names and files nobody will look for. */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { formatDuration, parseDuration } from '../../base/duration.ts';
import type { Digest } from '../../base/hash.ts';
import { formatSize, parseSize } from '../../base/size.ts';
import { collectGarbage } from '../../call/caches/gc.ts';
import { expendable, type Weighed } from '../../call/caches/retention.ts';
import { blobsOf, treeBlobs } from '../../call/caches/transfer.ts';
import { EXIT } from '../exit-code.ts';
import type { Project } from '../project.ts';
import { counted } from '../reporters/task-line.ts';
import type { VerbContext } from '../verb.ts';
import type { WorkspaceStores } from '../workspace-stores.ts';

/** Blobs younger than this may be on their way to a record, ms. */
const GRACE = 60 * 60 * 1000;
/** What was moved aside is kept this long, ms. */
const TRASH_AGE = 7 * 24 * 60 * 60 * 1000;

interface Collected {
  readonly type: 'gc';
  readonly records: number;
  readonly blobs: number;
  readonly bytes: number;
  readonly kept: { readonly blobs: number; readonly bytes: number };
  /** Files and folders removed from the trash. */
  readonly trash: number;
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
  const stores = project.stores();
  const { values, calls, trashDir } = stores;
  const now = project.now();
  const sizes = new Map([...values.list()].map(({ digest, size }) => [digest, size]));
  const evicted = expendable(weighed(stores), (blob) => sizes.get(blob) ?? 0, { maxAgeMs, maxBytes, now });
  const doomed = new Set(evicted.map((record) => record.key));
  const remaining = { find: () => [...calls.find({})].filter((record) => !doomed.has(record.key)) };
  const swept = await collectGarbage(values, remaining, { graceMs: GRACE, now, dryRun });
  if (!dryRun) for (const key of doomed) calls.delete(key);
  return {
    type: 'gc',
    records: evicted.length,
    blobs: swept.removed,
    bytes: swept.bytes,
    kept: { blobs: swept.kept, bytes: swept.keptBytes },
    trash: emptyTrash(trashDir, now, dryRun),
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

function emptyTrash(trash: string, now: number, dryRun: boolean): number {
  const old = namesIn(trash).filter((name) => {
    const stats = statSync(join(trash, name), { throwIfNoEntry: false });
    return stats !== undefined && now - stats.mtimeMs > TRASH_AGE;
  });
  if (!dryRun) for (const name of old) rmSync(join(trash, name), { recursive: true, force: true });
  return old.length;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // No folder: nothing was ever moved aside.
    return [];
  }
}

function collectedText(collected: Collected, maxAgeMs: number | undefined): string {
  const { records, blobs, bytes, kept, trash, dryRun } = collected;
  const verb = dryRun ? 'would remove' : 'removed';
  const age = maxAgeMs === undefined ? '' : ` older than ${formatDuration(maxAgeMs)}`;
  const lines = [
    `${verb} ${counted(records, 'record')}${age} and ${counted(blobs, 'value')}, ${formatSize(bytes)}`,
    `${counted(kept.blobs, 'value')} stay, ${formatSize(kept.bytes)}`,
  ];
  if (trash > 0) lines.push(`${verb} ${counted(trash, 'item')} from the trash`);
  return `${lines.join('\n')}\n`;
}
