/**
 * Whether a decoded record has the form of one: its own checksum says only that it is whole, and one that comes from
 * elsewhere may have been made by anybody. Digests are checked by the decoding.
 */
import { isTable } from '../../base/table.ts';
import type { CallRecord, Failure, PartKind } from '../record.ts';

const KINDS: ReadonlySet<string> = new Set<CallRecord['kind']>(['function', 'task', 'transform']);
const PART_KINDS: ReadonlySet<string> = new Set<PartKind>([
  'identity',
  'code',
  'argument',
  'command',
  'env',
  'tool',
  'lock',
  'runtime',
  'files',
  'upstream',
  'option',
]);
/** Deeper metadata is not taken. */
const MAX_DEPTH = 16;

export function isSoundRecord(record: CallRecord): boolean {
  const { kind, name, module, parts, failure, promised, metadata, filed } = record;
  return (
    KINDS.has(kind) &&
    isText(name) &&
    (module === null || isText(module)) &&
    parts.every((part) => isText(part.name) && PART_KINDS.has(part.kind)) &&
    new Set(parts.map((part) => part.name)).size === parts.length &&
    (failure === null || isSoundFailure(failure)) &&
    typeof promised === 'boolean' &&
    typeof filed === 'number' &&
    Number.isFinite(filed) &&
    isTable(metadata) &&
    Object.values(metadata).every(isTable) &&
    isPlain(metadata, MAX_DEPTH)
  );
}

function isSoundFailure({ message, exitCode, signal }: Failure): boolean {
  return (
    typeof message === 'string' &&
    (exitCode === null || typeof exitCode === 'number') &&
    (signal === null || typeof signal === 'string')
  );
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length <= 4096;
}

/** No key that means something to JavaScript, and an end to it. */
function isPlain(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  return Object.entries(value).every(([key, member]) => key !== '__proto__' && isPlain(member, depth - 1));
}
