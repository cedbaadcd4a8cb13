/** Answers a task's question from what is on file, or says why it cannot. */
import { compareParts, nearestCall } from '../call/explain.ts';
import { parseTree, type Tree } from '../files/tree.ts';
import type { SyncCallStore } from '../store/calls.ts';
import type { CallRecord } from '../store/record.ts';
import type { SyncValueStore } from '../store/values.ts';
import type { Reason } from './outcome.ts';
import { type Product, product } from './product.ts';
import { reasonsOf } from './reasons.ts';
import type { TaskCall } from './task-call.ts';

export type Lookup =
  | { readonly kind: 'hit'; readonly record: CallRecord; readonly product: Product }
  /** At least one reason. */
  | { readonly kind: 'miss'; readonly reasons: readonly Reason[] };

/** Where records and values are looked up. */
export interface Shelf {
  readonly calls: SyncCallStore;
  readonly values: SyncValueStore;
}

export function lookUp(call: TaskCall, shelf: Shelf): Lookup {
  const record = shelf.calls.get(call.key);
  if (record === undefined) return { kind: 'miss', reasons: missReasons(call, shelf) };
  if (record.failure !== null) return { kind: 'miss', reasons: [{ kind: 'failed-before' }] };
  if (record.log !== null && !shelf.values.has(record.log)) return lost('the captured output');
  const outputs = record.outputs === null ? null : storedTree(shelf.values.get(record.outputs));
  if (outputs === undefined) return lost('the list of outputs');
  const made = product(record.result, outputs);
  const gone = lostOf(made, shelf.values);
  return gone === undefined ? { kind: 'hit', record, product: made } : lost(gone);
}

/** What of a product is no longer on file, in words; undefined if all of it is. */
export function lostOf({ value, outputs }: Product, values: SyncValueStore): string | undefined {
  if (value !== null && !values.has(value.blob)) return 'the result';
  return outputs?.entries.find((entry) => entry.kind === 'file' && !values.has(entry.digest))?.path;
}

function lost(what: string): Lookup {
  return { kind: 'miss', reasons: [{ kind: 'lost', what }] };
}

function storedTree(bytes: Uint8Array | undefined): Tree | undefined {
  try {
    return bytes === undefined ? undefined : parseTree(Buffer.from(bytes).toString());
  } catch {
    // Another format version, or a record that names something else than a tree: a miss like any other.
    return undefined;
  }
}

/** Why there is no record: the difference to the nearest past call of this task. */
function missReasons(call: TaskCall, shelf: Shelf): readonly Reason[] {
  const nearest = nearestCall(shelf.calls.find({ kind: 'task', name: call.task.name }), call.parts);
  if (nearest === undefined) return [{ kind: 'first' }];
  const reasons = reasonsOf(nearest.changes, (blob) => call.blobs.get(blob)?.() ?? shelf.values.get(blob));
  return reasons.length > 0 ? reasons : [{ kind: 'lost', what: 'the record' }];
}

/** Every part of the question beside the nearest past call. */
export function comparison(call: TaskCall, shelf: Shelf): ReturnType<typeof nearestCall> {
  const own = shelf.calls.get(call.key);
  if (own !== undefined) return { record: own, changes: compareParts(own.parts, call.parts) };
  return nearestCall(shelf.calls.find({ kind: 'task', name: call.task.name }), call.parts);
}
