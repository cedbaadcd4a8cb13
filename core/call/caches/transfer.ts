/** Copying calls between caches, with everything they name. */
import { type Awaitable, chain } from '../../base/awaitable.ts';
import type { Digest } from '../../base/hash.ts';
import { parseTree } from '../../files/trees/tree.ts';
import type { CallTerms } from '../../store/calls.ts';
import type { CallRecord } from '../../store/record.ts';
import type { CacheCore, Records } from './cache-core.ts';

/** A blob that a record names, and the value it encodes, if it encodes one. */
interface NamedBlob {
  readonly blob: Digest;
  readonly value: Digest | null;
}

/** The blobs a record names itself; those that an output tree names in turn are found by `treeBlobs`. */
export function blobsOf(record: CallRecord): readonly NamedBlob[] {
  const blobs: NamedBlob[] = [];
  for (const { kind, digest, blob } of record.parts) {
    if (blob !== null)
      blobs.push({ blob, value: kind === 'argument' || kind === 'upstream' ? encodedValue(digest, blob) : null });
  }
  if (record.result !== null) blobs.push({ blob: record.result.blob, value: record.result.digest });
  if (record.failure?.error !== undefined) blobs.push({ blob: record.failure.error, value: null });
  if (record.log !== null) blobs.push({ blob: record.log, value: null });
  if (record.outputs !== null) blobs.push({ blob: record.outputs, value: null });
  return blobs;
}

/** A tree is its own blob; a value has a digest beside that of its encoding. */
function encodedValue(digest: Digest, blob: Digest): Digest | null {
  return digest === blob ? null : digest;
}

/** Of these blobs those without which there is no hit; contents of output files are not among them. */
export function neededBy({ result, log, outputs }: CallRecord): ReadonlySet<Digest> {
  return new Set([result?.blob ?? [], log ?? [], outputs ?? []].flat());
}

/** The file contents that an output tree names; none for bytes that are no tree. */
export function treeBlobs(bytes: Uint8Array): readonly Digest[] {
  try {
    const { entries } = parseTree(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
    return entries.flatMap((entry) => (entry.kind === 'file' ? [entry.digest] : []));
  } catch {
    // A tree of another format version names nothing that this version could restore.
    return [];
  }
}

/**
 * Copies one record: its blobs first, then the record. False if a blob that a hit would need is missing, or if the
 * target takes no records.
 */
export function copyCall(record: CallRecord, from: CacheCore, to: CacheCore): Awaitable<boolean> {
  const needed = neededBy(record);
  const copies = blobsOf(record).map((named) => () => copyBlob(named, from, to, record.outputs));
  const names = blobsOf(record);
  const isNeeded = (named: NamedBlob | undefined): boolean => named !== undefined && needed.has(named.blob);
  return chain(
    copies.reduce<Awaitable<boolean>>(
      (before, copy, at) =>
        chain(before, (whole) => (whole ? chain(copy(), (copied) => copied || !isNeeded(names[at])) : false)),
      true,
    ),
    (whole) => (whole ? to.file(record) : false),
  );
}

function copyBlob(
  { blob, value }: NamedBlob,
  from: CacheCore,
  to: CacheCore,
  outputs: Digest | null,
): Awaitable<boolean> {
  return chain(from.bytes(blob), (bytes) => {
    if (bytes === undefined) return false;
    const contents = blob === outputs ? treeBlobs(bytes) : [];
    const files = contents.reduce<Awaitable<boolean>>(
      (before, file) =>
        chain(before, (whole) => (whole ? copyBlob({ blob: file, value: null }, from, to, null) : false)),
      true,
    );
    return chain(files, (whole) => (whole ? chain(to.keepBytes(blob, bytes, value), () => true) : false));
  });
}

export interface TransferOptions {
  /** Which calls; all by default. */
  readonly terms?: CallTerms;
  readonly filter?: (record: CallRecord) => boolean;
  /** Evict from the source what was copied. */
  readonly pop?: boolean;
  /** Replace records that the target has under the same key. */
  readonly overwrite?: boolean;
}

export interface TransferReport {
  readonly copied: number;
  /** On file in the target already. */
  readonly skipped: number;
  /** Not copied because a value is gone, or refused by the target. */
  readonly failed: number;
}

/** Copies calls from one cache to another. What is already there is skipped without reading its values. */
export async function transfer(from: CacheCore, to: CacheCore, options: TransferOptions = {}): Promise<TransferReport> {
  const { terms = {}, filter = () => true } = options;
  const records = await collect(from.find(terms));
  return transferRecords(records.filter(filter), from, to, options);
}

/** As `transfer`, for records that were found before. */
export async function transferRecords(
  records: Iterable<CallRecord>,
  from: CacheCore,
  to: CacheCore,
  options: Pick<TransferOptions, 'pop' | 'overwrite'>,
): Promise<TransferReport> {
  const report = { copied: 0, skipped: 0, failed: 0 };
  for (const record of records) {
    if (options.overwrite !== true && (await to.lookup(record.key)) !== undefined) {
      report.skipped++;
    } else if (await copyCall(record, from, to)) {
      report.copied++;
      if (options.pop === true) await from.evict(record.key);
    } else {
      report.failed++;
    }
  }
  await to.flush();
  return report;
}

/** A listing as it is now, so that changes made while walking it do not disturb it. */
export async function collect(records: Records): Promise<readonly CallRecord[]> {
  const found: CallRecord[] = [];
  for await (const record of records) found.push(record);
  return found;
}
