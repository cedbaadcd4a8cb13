/**
 * An answer as one process hands it to another before it is committed: the record, and the bytes of the value it names
 * if they are few. A larger value is a file, which others can read as soon as it is there.
 */
import { decode } from '../../../base/decode.ts';
import { encode } from '../../../base/encode.ts';
import { type Digest, sha256 } from '../../../base/hash.ts';
import { type CallRecord, decodeRecord, encodeRecord } from '../../../store/record.ts';

/** An answer that was filed, with the bytes of its result or error; null if it has none. */
export interface Filed {
  readonly record: CallRecord;
  readonly bytes: Uint8Array | null;
}

/** The most bytes that are handed over with the record; what is larger is not kept in a database either. */
const MOST_BYTES = 32 * 1024;

export function handoverText({ record, bytes }: Filed): Uint8Array {
  const carried = bytes !== null && bytes.length <= MOST_BYTES ? bytes : null;
  return encode([encodeRecord(record), carried]);
}

/** Undefined for bytes of another version. */
export function readHandover(text: Uint8Array): Filed | undefined {
  try {
    const parts = decode(text);
    if (!Array.isArray(parts)) return undefined;
    const [stored, bytes] = parts as [unknown, unknown];
    const record = stored instanceof Uint8Array ? decodeRecord(stored) : undefined;
    if (record === undefined) return undefined;
    return { record, bytes: bytes instanceof Uint8Array && isOf(record, bytes) ? bytes : null };
  } catch {
    return undefined;
  }
}

function isOf(record: CallRecord, bytes: Uint8Array): boolean {
  return sha256(bytes) === blobOf(record);
}

/** Where the value is that the record is about: its result, or the error of a failure. */
export function blobOf({ result, failure }: CallRecord): Digest | undefined {
  return result?.blob ?? failure?.error;
}
