/**
 * Records that nobody can change. A store that keeps records as objects hands the same object to every caller, so it
 * keeps a deeply frozen copy of what it was given: neither the writer's later changes nor a reader's reach it.
 */
import { FlecheError } from '../base/errors.ts';
import type { CallRecord, Failure, Json, Metadata } from './record.ts';

/**
 * A deeply frozen copy, equal to what the record would be when read back from disk. Throws `UNSTORABLE` if its metadata
 * is not plain JSON.
 */
export function frozenRecord(record: CallRecord): CallRecord {
  const { key, kind, name, module, parts, failure, result, promised, outputs, log, metadata, filed } = record;
  return Object.freeze({
    key,
    kind,
    name,
    module,
    parts: Object.freeze(
      parts.map((part) => Object.freeze({ name: part.name, kind: part.kind, digest: part.digest, blob: part.blob })),
    ),
    failure: failure === null ? null : frozenFailure(failure),
    result: result === null ? null : Object.freeze({ digest: result.digest, blob: result.blob }),
    promised,
    outputs,
    log,
    metadata: frozenJson(metadata, 0) as Metadata,
    filed,
  });
}

function frozenFailure({ message, exitCode, signal, error }: Failure): Failure {
  return Object.freeze(error === undefined ? { message, exitCode, signal } : { message, exitCode, signal, error });
}

/** Deeper than any metadata that means something; a cycle gets there. */
const MAX_DEPTH = 100;

function frozenJson(value: Json, depth: number): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      // What JSON makes of -0, NaN and the infinities.
      return value === 0 ? 0 : Number.isFinite(value) ? value : null;
    case 'object':
      break;
    default:
      throw unstorable(`a ${typeof value}`);
  }
  if (value === null) return null;
  if (depth > MAX_DEPTH) throw unstorable(`more than ${MAX_DEPTH} levels`);
  if (isArray(value)) return Object.freeze(value.map((member) => frozenJson(member ?? null, depth + 1)));
  const copy: Record<string, Json> = { ...value };
  for (const key of Object.keys(copy)) {
    const member = copy[key];
    // A key `__proto__` is an own member of the copy by now, so assigning to it replaces that member.
    if (member === undefined) delete copy[key];
    else copy[key] = frozenJson(member, depth + 1);
  }
  return Object.freeze(copy);
}

/** `Array.isArray` does not narrow a read-only array type. */
function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function unstorable(what: string): FlecheError {
  return new FlecheError('UNSTORABLE', `metadata of a call cannot hold ${what}`, {
    hint: 'Metadata is plain JSON: text, numbers, booleans, null, and lists and objects of them.',
  });
}
