/**
 * Which records are no longer worth their space: those older than an age, and the oldest of those that do not fit into a
 * size. The newest record of each function or task is kept whatever its age, so that the present state stays answered.
 */
import type { Digest } from '../../base/hash.ts';
import type { CallRecord } from '../../store/record.ts';

interface Retention {
  /** Records filed longer ago than this go, ms. */
  readonly maxAgeMs?: number | undefined;
  /** Bytes at rest of everything that kept records name. */
  readonly maxBytes?: number | undefined;
  /** ms since the epoch. */
  readonly now: number;
}

/** A record and the blobs it needs, with those of its output tree. */
export interface Weighed {
  readonly record: CallRecord;
  readonly blobs: readonly Digest[];
}

/**
 * The records to evict. `records` come newest first; `sizeOf` gives the bytes of a blob, 0 for one that is not there. A
 * blob that several records name counts once, for the newest of them.
 */
export function expendable(
  records: Iterable<Weighed>,
  sizeOf: (blob: Digest) => number,
  retention: Retention,
): readonly CallRecord[] {
  const { maxAgeMs = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY, now } = retention;
  const evicted: CallRecord[] = [];
  const counted = new Set<Digest>();
  const seen = new Set<string>();
  let bytes = 0;
  for (const { record, blobs } of records) {
    const own = blobs.filter((blob) => !counted.has(blob));
    const weight = own.reduce((sum, blob) => sum + sizeOf(blob), 0);
    const name = JSON.stringify([record.kind, record.module, record.name]);
    const isNewest = !seen.has(name);
    seen.add(name);
    if (!isNewest && (now - record.filed > maxAgeMs || bytes + weight > maxBytes)) {
      evicted.push(record);
      continue;
    }
    for (const blob of own) counted.add(blob);
    bytes += weight;
  }
  return evicted;
}
