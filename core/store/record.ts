/**
 * The call record: the stored answer to one call, and its form at rest. A record at rest is framed by a format version
 * and a checksum, because LMDB has none: what does not decode, whole and unchanged, is not there. The body is a JSON
 * array of fields: every field is plain JSON, and JSON is read back three times as fast as the encoding of values.
 */
import { type Digest, type Key, sha256 } from '../base/hash.ts';
import { parseJson } from '../base/json.ts';

/** What a fingerprint part is about; it decides how `why` explains a change of it. */
export type PartKind =
  | 'identity'
  | 'code'
  | 'argument'
  | 'command'
  | 'env'
  | 'tool'
  | 'lock'
  | 'runtime'
  | 'files'
  | 'upstream'
  | 'option';

/** One thing a call depends on. Only `name` and `digest` enter the key. */
export interface Part {
  /** Unique within its fingerprint, such as `arg:x`, `env:NODE_ENV`, `inputs`. */
  readonly name: string;
  readonly kind: PartKind;
  readonly digest: Digest;
  /** Where the values store holds what was digested (an encoded value or a tree), if it was kept. */
  readonly blob: Digest | null;
}

/** Where a result value is: `digest` by value equality, `blob` the very bytes of this call's encoding. */
export interface StoredValue {
  readonly digest: Digest;
  readonly blob: Digest;
}

/** Why a recorded call failed. */
export interface Failure {
  readonly message: string;
  /** Exit code of a command, or null for a function or a signal. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Blob of the encoded error that was thrown, if it was kept. */
  readonly error?: Digest;
}

/** Plain JSON: what metadata may hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Metadata by namespace (`runtime`, `callInfo`, `tags`, …). */
export type Metadata = Readonly<Record<string, Readonly<Record<string, Json>>>>;

export interface CallRecord {
  readonly key: Key;
  readonly kind: 'function' | 'task' | 'transform';
  /** The function's or task's name. */
  readonly name: string;
  /** Module path relative to the project root, or null. */
  readonly module: string | null;
  /** The fingerprint, in its order. */
  readonly parts: readonly Part[];
  readonly failure: Failure | null;
  /** The result value, or null if the call has none (a command). */
  readonly result: StoredValue | null;
  /** Whether the function handed its result over as a promise; a hit does the same. */
  readonly promised: boolean;
  /** Digest of the output tree, or null if the call writes no files. */
  readonly outputs: Digest | null;
  /** Blob of the captured output, stdout and stderr in their order, or null if there was none. */
  readonly log: Digest | null;
  readonly metadata: Metadata;
  /** When the record was filed, ms since the epoch. */
  readonly filed: number;
}

const VERSION = 1;
const CHECKSUM_BYTES = 8;
const HEADER_BYTES = 1 + CHECKSUM_BYTES;

/** Version byte, checksum of the rest, then the fields as JSON in UTF-8. */
export function encodeRecord(record: CallRecord): Uint8Array {
  const { key, kind, name, module, failure, promised, outputs, log, metadata, filed } = record;
  const parts = record.parts.map((part) => [part.name, part.kind, part.digest, part.blob]);
  const result = record.result === null ? null : [record.result.digest, record.result.blob];
  const body = JSON.stringify([
    key,
    kind,
    name,
    module,
    parts,
    failure,
    result,
    promised,
    outputs,
    log,
    metadata,
    filed,
  ]);
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + Buffer.byteLength(body));
  bytes[0] = VERSION;
  bytes.write(body, HEADER_BYTES);
  bytes.write(sha256(bytes.subarray(HEADER_BYTES)), 1, CHECKSUM_BYTES, 'hex');
  return bytes;
}

/** The record of some bytes, or undefined if they are truncated, altered, foreign or of another version. */
export function decodeRecord(bytes: Uint8Array): CallRecord | undefined {
  if (bytes.length <= HEADER_BYTES || bytes[0] !== VERSION) return undefined;
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const checksum = whole.toString('hex', 1, HEADER_BYTES);
  if (!sha256(whole.subarray(HEADER_BYTES)).startsWith(checksum)) return undefined;
  try {
    return fromFields(parseJson(whole.toString('utf8', HEADER_BYTES)) as Fields);
  } catch {
    // A checksum that fits bytes that do not decode: written by another build of this format version.
    return undefined;
  }
}

/** The fields of a record at rest, in their order. */
type Fields = [
  key: Key,
  kind: CallRecord['kind'],
  name: string,
  module: string | null,
  parts: [name: string, kind: PartKind, digest: Digest, blob: Digest | null][],
  failure: Failure | null,
  result: [digest: Digest, blob: Digest] | null,
  promised: boolean,
  outputs: Digest | null,
  log: Digest | null,
  metadata: Metadata,
  filed: number,
];

/**
 * Undefined if something that must be a digest is none: it might be used as the name of a file. Fields are taken by their
 * places, without iterators: of thousands of records these cost as much as all the rest.
 */
function fromFields(fields: Fields): CallRecord | undefined {
  const { 0: key, 1: kind, 2: name, 3: module, 4: parts, 5: failure } = fields;
  const { 6: result, 7: promised, 8: outputs, 9: log, 10: metadata, 11: filed } = fields;
  const record: CallRecord = {
    key,
    kind,
    name,
    module,
    parts: parts.map(({ 0: name, 1: kind, 2: digest, 3: blob }) => ({ name, kind, digest, blob })),
    failure,
    result: result === null ? null : { digest: result[0], blob: result[1] },
    promised,
    outputs,
    log,
    metadata,
    filed,
  };
  return hasDigests(record) ? record : undefined;
}

const DIGEST_LENGTH = 64;
const HEXADECIMAL = /^[0-9a-f]*$/;

/** Whether all digests of something that was read as a record are digests. One look at all of them is the cheapest. */
export function hasDigests({ key, parts, failure, result, outputs, log }: CallRecord): boolean {
  const digests: string[] = [key];
  for (const { digest, blob } of parts) {
    digests.push(digest);
    if (blob !== null) digests.push(blob);
  }
  if (result !== null) digests.push(result.digest, result.blob);
  if (outputs !== null) digests.push(outputs);
  if (log !== null) digests.push(log);
  if (failure?.error !== undefined) digests.push(failure.error);
  for (const digest of digests) if (typeof digest !== 'string' || digest.length !== DIGEST_LENGTH) return false;
  return HEXADECIMAL.test(digests.join(''));
}
