/** Answers a task's question from what is on file, or says why it cannot. */
import type { Digest, Key } from '../../base/hash.ts';
import { compareParts, nearestCall, type PartChange } from '../../call/explain.ts';
import { DISCOVERED } from '../../call/listed.ts';
import { ageOf, within } from '../../call/memo/answering/freshness.ts';
import { keptTree } from '../../files/trees/kept-tree.ts';
import type { SyncCallStore } from '../../store/calls.ts';
import type { CallRecord } from '../../store/record.ts';
import type { FileValueStore, SyncValueStore } from '../../store/values.ts';
import type { Reason } from '../tasks/outcome.ts';
import { type Product, product } from '../tasks/product.ts';
import { type ReadBlob, reasonsOf } from '../tasks/reasons.ts';
import type { TaskCall } from '../tasks/task-call.ts';

export type Lookup =
  | {
      readonly kind: 'hit';
      readonly record: CallRecord;
      readonly product: Product;
      /** What was printed, in pieces, or null if nothing was. */
      readonly log: Iterable<Uint8Array> | null;
    }
  /** At least one reason; found out when they are asked for, which should be at once. */
  | { readonly kind: 'miss'; readonly reasons: readonly Reason[] };

/** Where records and values are looked up. */
export interface Shelf {
  readonly calls: SyncCallStore;
  readonly values: FileValueStore;
  /** ms since the epoch. */
  readonly now: () => number;
}

/**
 * The contents of outputs are not looked for: where they stand in the workspace they are not needed. `before` is the key of
 * what the task was last answered with, if that is known: reasons are what changed since.
 */
export function lookUp(call: TaskCall, shelf: Shelf, before?: Key | null): Lookup {
  const record = shelf.calls.get(call.key);
  if (record === undefined) {
    return {
      kind: 'miss',
      get reasons() {
        return missReasons(call, shelf, before ?? null);
      },
    };
  }
  if (record.failure !== null) return { kind: 'miss', reasons: [{ kind: 'failed-before' }] };
  const { staleAfter } = call.task;
  if (staleAfter !== undefined) {
    const age = ageOf(record.filed, shelf.now());
    if (!within(age, staleAfter)) return { kind: 'miss', reasons: [{ kind: 'expired', age }] };
  }
  const log = record.log === null ? null : shelf.values.pieces(record.log);
  if (log === undefined) return lost('the captured output');
  const outputs = record.outputs === null ? null : keptTree(record.outputs, shelf.values.get(record.outputs));
  if (outputs === undefined) return lost('the list of outputs');
  const made = product(record.result, outputs);
  return isThere(made, shelf.values) ? { kind: 'hit', record, product: made, log } : lost(RESULT);
}

/** How a result is called of which nothing is left. */
export const RESULT = 'the result';

/** Whether the result value of a product is on file, if it has one. */
export function isThere({ value }: Product, values: SyncValueStore): boolean {
  return value === null || values.has(value.blob);
}

function lost(what: string): Lookup {
  return { kind: 'miss', reasons: [{ kind: 'lost', what }] };
}

/** Why there is no record: the difference to the call before, if that is on file, or to the nearest past call of this task. */
function missReasons(call: TaskCall, shelf: Shelf, before: Key | null): readonly Reason[] {
  const last = before === null ? undefined : shelf.calls.get(before);
  const changes =
    last === undefined
      ? nearestCall(shelf.calls.find({ kind: 'task', name: call.task.name }), call.parts)?.changes
      : compareParts(last.parts, call.parts);
  if (changes === undefined) return [{ kind: 'first' }];
  const reasons = told(changes, call, (blob) => blobOf(call, blob) ?? shelf.values.get(blob));
  return reasons.length > 0 ? reasons : [{ kind: 'lost', what: 'the record' }];
}

/** Of a question that is open, what is not known to be read is not said to be gone, as long as there is another reason. */
function told(changes: readonly PartChange[], call: TaskCall, read: ReadBlob): readonly Reason[] {
  const reasons = reasonsOf(changes, read);
  if (!call.isOpen) return reasons;
  const some = changes.flatMap((change) => {
    const all = reasonsOf([change], read);
    return change.name === DISCOVERED ? all.filter((one) => one.kind === 'file' && one.change !== 'removed') : all;
  });
  return some.length > 0 ? some : reasons;
}

/** What a question names that may not be on file yet; what items have in common is kept with the question as a whole. */
function blobOf({ blobs, whole }: TaskCall, blob: Digest): Uint8Array | undefined {
  return (blobs.get(blob) ?? whole?.blobs.get(blob))?.();
}

/** Every part of the question beside the nearest past call. */
export function comparison(call: TaskCall, shelf: Shelf): ReturnType<typeof nearestCall> {
  const own = shelf.calls.get(call.key);
  if (own !== undefined) return { record: own, changes: compareParts(own.parts, call.parts) };
  return nearestCall(shelf.calls.find({ kind: 'task', name: call.task.name }), call.parts);
}
