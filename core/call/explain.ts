/** Why a call is not on file: its fingerprint beside the nearest past one. Pure; reading what parts name is the caller's. */
import type { CallRecord, Part } from '../store/record.ts';

/** A part that differs. At least one side is there. */
export interface PartChange {
  readonly name: string;
  readonly kind: Part['kind'];
  readonly past: Part | null;
  readonly present: Part | null;
}

/** The parts that differ, in the order of the present fingerprint, then those that are gone. */
export function compareParts(past: readonly Part[], present: readonly Part[]): readonly PartChange[] {
  const before = new Map(past.map((part) => [part.name, part]));
  const changes: PartChange[] = [];
  for (const part of present) {
    const old = before.get(part.name);
    before.delete(part.name);
    if (old?.digest !== part.digest)
      changes.push({ name: part.name, kind: part.kind, past: old ?? null, present: part });
  }
  for (const old of before.values()) changes.push({ name: old.name, kind: old.kind, past: old, present: null });
  return changes;
}

interface Nearest {
  readonly record: CallRecord;
  readonly changes: readonly PartChange[];
}

/** How many of the newest records are compared; the nearest past call is nearly always one of the last. */
const COMPARED = 32;

/**
 * The past call with the fewest differing parts; of equals the first. `records` should come newest first, and should be
 * of the same function or task.
 */
export function nearestCall(records: Iterable<CallRecord>, present: readonly Part[]): Nearest | undefined {
  let best: Nearest | undefined;
  let compared = 0;
  for (const record of records) {
    if (compared++ === COMPARED) break;
    const changes = compareParts(record.parts, present);
    if (best === undefined || changes.length < best.changes.length) best = { record, changes };
    if (changes.length <= 1) break;
  }
  return best;
}
