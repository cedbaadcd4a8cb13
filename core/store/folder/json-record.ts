/**
 * A call record as a JSON document that people and other programs can read. Like the compact form it carries a format
 * version and a checksum, so that a document that was cut short or edited is not there.
 */
import { sha256 } from '../../base/hash.ts';
import { parseJson } from '../../base/json.ts';
import { type CallRecord, hasDigests } from '../record.ts';

/** Changes whenever the fields of a record do. */
const FORMAT = 1;
const CHECKSUM_CHARACTERS = 16;

interface Document {
  readonly format: unknown;
  readonly checksum: unknown;
  readonly record: CallRecord;
}

/** The document of a record, indented, with a line end. */
export function recordToJson(record: CallRecord): string {
  return `${JSON.stringify({ format: FORMAT, checksum: checksumOf(record), record }, null, 2)}\n`;
}

/** The record of a document, or undefined if it is not exactly what `recordToJson` wrote. */
export function recordFromJson(text: string): CallRecord | undefined {
  try {
    const { format, checksum, record } = parseJson(text) as Document;
    return format === FORMAT && checksum === checksumOf(record) && hasDigests(record) ? record : undefined;
  } catch {
    // Not JSON, or JSON of something else.
    return undefined;
  }
}

/** Of the text without its layout: parsing and writing JSON again gives the same text. */
function checksumOf(record: CallRecord): string {
  return sha256(JSON.stringify(record)).slice(0, CHECKSUM_CHARACTERS);
}
