/**
 * What is on file of the items of a task, and the answer of the task that is made of theirs: what they wrote, put together,
 * and what they returned, as a list in the order of the items.
 */
import { digest } from '../../base/digest.ts';
import { encodedList } from '../../base/encode.ts';
import { FlecheError } from '../../base/errors.ts';
import { type Digest, sha256 } from '../../base/hash.ts';
import type { RelPath } from '../../base/paths.ts';
import { Ref } from '../../base/ref.ts';
import type { SharedAnswers } from '../../call/shared/shared-answers.ts';
import { makeTree, type Tree, treeText } from '../../files/trees/tree.ts';
import type { StoredValue } from '../../store/record.ts';
import { piecesOf, type SyncValueStore } from '../../store/values.ts';
import { Answer, type Workbench } from '../execute.ts';
import { lookUp } from '../lookup.ts';
import { type Product, product } from '../product.ts';
import type { ItemCall, TaskCall } from '../task-call.ts';

/** An answer of one item. */
export interface ItemAnswer {
  readonly product: Product;
  /** What was printed; null for nothing. */
  readonly log: Digest | null;
  /** ms. */
  readonly walltime: number;
  /** ms since the epoch. */
  readonly filed: number;
}

/** The items of a task, in their order, and the answers that there are. */
export interface AskedItems {
  readonly calls: readonly ItemCall[];
  readonly answers: ReadonlyMap<ItemCall, ItemAnswer>;
}

/** So many questions are asked at a time where answers are shared. */
const AT_ONCE = 64;

/** Looks for answers, here first and then where answers are shared. */
export async function askItems(whole: TaskCall, bench: Workbench): Promise<AskedItems> {
  const calls = itemsOf(whole);
  const answers = new Map<ItemCall, ItemAnswer>();
  const missing: ItemCall[] = [];
  for (const call of calls) {
    const answer = answerTo(call, bench);
    if (answer === undefined) missing.push(call);
    else answers.set(call, answer);
  }
  const { shared } = bench;
  for (let at = 0; shared !== undefined && at < missing.length; at += AT_ONCE) {
    const some = missing.slice(at, at + AT_ONCE);
    const tiers = await Promise.all(some.map((call) => shared.ask(call.key)));
    for (const [index, call] of some.entries()) {
      const answer = tiers[index] === undefined ? undefined : answerTo(call, bench);
      if (answer !== undefined) answers.set(call, answer);
    }
  }
  return { calls, answers };
}

/** Brings contents of what items wrote, as far as they are `missing`. Whether all of them are here now. */
export async function bringItems(
  answers: ReadonlyMap<ItemCall, ItemAnswer>,
  missing: ReadonlySet<Digest>,
  shared: SharedAnswers,
): Promise<boolean> {
  const wanted = Array.from(answers, ([{ key }, answer]) => ({
    key,
    blobs: contentsOf(answer).filter((digest) => missing.has(digest)),
  })).filter(({ blobs }) => blobs.length > 0);
  let isHere = true;
  for (let at = 0; at < wanted.length; at += AT_ONCE) {
    const some = wanted.slice(at, at + AT_ONCE);
    const brought = await Promise.all(some.map(({ key, blobs }) => shared.bring(key, blobs)));
    isHere &&= !brought.includes(false);
  }
  return isHere;
}

/** The contents of the files that an item wrote. */
export function contentsOf({ product: { outputs } }: ItemAnswer): readonly Digest[] {
  return outputs?.entries.flatMap((entry) => (entry.kind === 'file' ? [entry.digest] : [])) ?? [];
}

/** The questions of the items of a task that is done for each of many. */
export function itemsOf(whole: TaskCall): readonly ItemCall[] {
  if (whole.items === undefined) throw new FlecheError('BUG', `bug: "${whole.task.name}" has no items`);
  return whole.items.of(whole);
}

function answerTo(call: ItemCall, bench: Workbench): ItemAnswer | undefined {
  const found = lookUp(call, bench);
  if (found.kind === 'miss') return undefined;
  const { record, product } = found;
  const { log, filed } = record;
  return { product, log, walltime: Number(record.metadata['runtime']?.['walltime'] ?? 0), filed };
}

/** The answer of a task. */
export interface Composed {
  readonly product: Product;
  /** In pieces; null for nothing. */
  readonly log: Iterable<Uint8Array> | null;
  /** The digest of `log`. */
  readonly logBlob: Digest | null;
  readonly walltime: number;
  /** When it is to be taken for filed, ms since the epoch, where answers grow old: with the oldest that it is made of. */
  readonly filed: number | undefined;
  /** Puts what it is made of into the store. */
  readonly store: () => void;
}

/** Puts the answers of all items together. Throws `CONFIG_OVERLAP` if two of them wrote the same path. */
export function compose(whole: TaskCall, answers: ReadonlyMap<ItemCall, ItemAnswer>, values: SyncValueStore): Composed {
  const { items, task } = whole;
  const calls = itemsOf(whole);
  const blobs = new Map<Digest, Uint8Array>();
  const keep = (bytes: Uint8Array): Digest => {
    const blob = sha256(bytes);
    blobs.set(blob, bytes);
    return blob;
  };
  const given = calls.map((call): ItemAnswer => {
    const answer = answers.get(call);
    if (answer === undefined) throw new FlecheError('BUG', `bug: "${call.task.name}" has no answer`);
    return answer;
  });
  const tree = task.outputs.length === 0 ? null : treeOf(answers, whole);
  if (tree !== null) keep(Buffer.from(treeText(tree.entries)));
  const ordered = (items?.places() ?? []).flatMap((place) => given[place] ?? []);
  const value = task.body.kind === 'command' ? null : listOf(ordered, values, keep);
  const log = logOf(calls, given, values);
  return {
    product: product(value, tree),
    log: log && piecesOf(log),
    logBlob: log === null ? null : keep(log),
    walltime: given.reduce((sum, { walltime }) => sum + walltime, 0),
    filed:
      given.length === 0 || task.staleAfter === undefined
        ? undefined
        : given.reduce((least, { filed }) => Math.min(least, filed), Infinity),
    store: () => {
      for (const [blob, bytes] of blobs) values.put(blob, bytes);
      if (value !== null) values.alias(value.digest, value.blob);
    },
  };
}

/** What some items wrote. Throws `CONFIG_OVERLAP` if two of them wrote the same path. */
export function treeOf(answers: ReadonlyMap<ItemCall, ItemAnswer>, whole: TaskCall): Tree {
  const entries = [...answers.values()].flatMap(({ product: { outputs } }) => outputs?.entries ?? []);
  const tree = makeTree(entries);
  if (tree.entries.length < entries.length) {
    const owners = new Map<RelPath, ItemCall>();
    for (const [call, { product }] of answers) {
      for (const { path, kind } of product.outputs?.entries ?? []) {
        const other = owners.get(path);
        if (other !== undefined && kind !== 'dir') throw whole.items?.overlap(other, call, path);
        owners.set(path, call);
      }
    }
  }
  return tree;
}

function listOf(
  answers: readonly ItemAnswer[],
  values: SyncValueStore,
  keep: (bytes: Uint8Array) => Digest,
): StoredValue {
  const stored = answers.flatMap(({ product: { value } }) => value ?? []);
  const encoded = stored.map(({ blob }) => storedBytes(blob, values));
  return { digest: digest(stored.map((value) => new Ref(value.digest))), blob: keep(encodedList(encoded)) };
}

function storedBytes(blob: Digest, values: SyncValueStore): Uint8Array {
  const bytes = values.get(blob);
  if (bytes !== undefined) return bytes;
  throw new FlecheError('STORE_CORRUPT', `the stored value ${blob.slice(0, 12)} is gone`);
}

/** What the items printed, each below its name; null for nothing. */
function logOf(calls: readonly ItemCall[], answers: readonly ItemAnswer[], values: SyncValueStore): Uint8Array | null {
  const chunks = calls.flatMap(({ item }, at) => {
    const log = answers[at]?.log ?? null;
    return log === null ? [] : [labelled(item.name, storedBytes(log, values))];
  });
  return chunks.length === 0 ? null : Buffer.concat(chunks);
}

/** What an item printed, below its name. */
export function labelled(name: string, log: Uint8Array): Uint8Array {
  const end = log.at(-1) === 10 ? '' : '\n';
  return Buffer.concat([Buffer.from(`[${name}]\n`), log, Buffer.from(end)]);
}

/** Files the answer of a task whose items all have one. */
export async function fileComposed(whole: TaskCall, composed: Composed, bench: Workbench): Promise<void> {
  composed.store();
  const now = bench.now();
  const answer = new Answer(whole, bench, {
    started: now,
    stopped: now,
    log: composed.logBlob,
    walltime: composed.walltime,
    items: itemsOf(whole).length,
    filed: composed.filed,
  });
  await answer.done({ value: composed.product.value, note: null }, composed.product.outputs, () => []);
}
