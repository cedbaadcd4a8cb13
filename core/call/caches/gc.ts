/**
 * Collection of values that no record names. Records are listed first and blobs second, and a blob younger than the
 * grace period is spared, so that a value on its way to its record is never lost. References inside values are weak.
 */
import type { Digest } from '../../base/hash.ts';
import type { CallStore } from '../../store/calls.ts';
import type { ValueStore } from '../../store/values.ts';
import { blobsOf, treeBlobs } from './transfer.ts';

/** Blobs younger than this may be on their way to a record, ms. */
export const GRACE: number = 60 * 60 * 1000;

export interface GcOptions {
  /** Blobs put or refreshed within this time are spared, ms. */
  readonly graceMs: number;
  /** ms since the epoch. */
  readonly now: number;
  /** Blobs that a running call needs. */
  readonly pinned?: ReadonlySet<Digest>;
  readonly dryRun?: boolean;
}

export interface GcReport {
  /** Blobs removed, or that would be. */
  readonly removed: number;
  /** Their bytes at rest. */
  readonly bytes: number;
  /** Blobs that stay, and their bytes. */
  readonly kept: number;
  readonly keptBytes: number;
  /** Names of values that led to nothing. */
  readonly aliases: number;
}

/** `calls` are the records whose values stay. */
export async function collectGarbage(
  values: ValueStore,
  calls: Pick<CallStore, 'find'>,
  options: GcOptions,
): Promise<GcReport> {
  const named = await namedBlobs(values, calls);
  const report = { removed: 0, bytes: 0, kept: 0, keptBytes: 0, aliases: 0 };
  const gone = new Set<Digest>();
  for await (const { digest, size, touched } of values.list()) {
    if (named.has(digest) || options.pinned?.has(digest) || options.now - touched < options.graceMs) {
      report.kept++;
      report.keptBytes += size;
    } else {
      report.removed++;
      report.bytes += size;
      gone.add(digest);
    }
  }
  const dangling: Digest[] = [];
  for await (const [value, blob] of values.aliases())
    if (gone.has(blob) || !(await values.has(blob))) dangling.push(value);
  report.aliases = dangling.length;
  if (options.dryRun !== true) {
    for (const value of dangling) await values.unalias(value);
    for (const digest of gone) await values.delete(digest);
    await values.flush();
  }
  return report;
}

async function namedBlobs(values: ValueStore, calls: Pick<CallStore, 'find'>): Promise<ReadonlySet<Digest>> {
  const named = new Set<Digest>();
  for await (const record of calls.find({})) {
    for (const { blob } of blobsOf(record)) named.add(blob);
    const tree = record.outputs === null ? undefined : await values.get(record.outputs);
    if (tree !== undefined) for (const blob of treeBlobs(tree)) named.add(blob);
  }
  return named;
}
