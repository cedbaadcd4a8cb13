/**
 * The answer of a task that is made of those of its items: what they wrote, put together, and what they returned, as a list
 * in the order of the items.
 */
import { join } from 'node:path';
import { digest } from '../../base/digest.ts';
import { encodedList } from '../../base/encode.ts';
import { FlecheError } from '../../base/errors.ts';
import { type Digest, sha256 } from '../../base/hash.ts';
import type { RelPath } from '../../base/paths.ts';
import { Ref } from '../../base/ref.ts';
import { removeLog, writeLog } from '../../files/log-file.ts';
import { makeTree, type Tree, treeText } from '../../files/trees/tree.ts';
import type { StoredValue } from '../../store/record.ts';
import type { FileValueStore, SyncValueStore } from '../../store/values.ts';
import { found } from '../discovered/found.ts';
import { Answer } from '../round/answer.ts';
import type { Workbench } from '../round/workbench.ts';
import { type Product, product } from '../tasks/product.ts';
import type { ItemCall, TaskCall } from '../tasks/task-call.ts';
import { type ItemAnswer, itemsOf } from './asked-items.ts';

const LINE_BREAK = 10;

/** The answer of a task. */
interface Composed {
  readonly product: Product;
  /** What the items printed, each below its name, in pieces; null for nothing. */
  readonly log: Iterable<Uint8Array> | null;
  readonly walltime: number;
  /** When it is to be taken for filed, ms since the epoch, where answers grow old: with the oldest that it is made of. */
  readonly filed: number | undefined;
  /** Puts what it is made of into the store, with a file in `tempDir` on the way. Gives the digest of `log`. */
  readonly store: (tempDir: string) => Digest | null;
}

/** Puts the answers of all items together. Throws `CONFIG_OVERLAP` if two of them wrote the same path. */
export function compose(whole: TaskCall, answers: ReadonlyMap<ItemCall, ItemAnswer>, values: FileValueStore): Composed {
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
    log,
    walltime: given.reduce((sum, { walltime }) => sum + walltime, 0),
    filed:
      given.length === 0 || task.staleAfter === undefined
        ? undefined
        : given.reduce((least, { filed }) => Math.min(least, filed), Infinity),
    store: (tempDir) => {
      for (const [blob, bytes] of blobs) values.put(blob, bytes);
      if (value !== null) values.alias(value.digest, value.blob);
      return log && kept(log, join(tempDir, `${whole.key.slice(0, 16)}-all-${process.pid}.log`), values);
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
  return values.get(blob) ?? gone(blob);
}

function gone(blob: Digest): never {
  throw new FlecheError('STORE_CORRUPT', `the stored value ${blob.slice(0, 12)} is gone`, {
    hint: 'Run it again: what it was an answer of is made anew.',
  });
}

function logOf(
  calls: readonly ItemCall[],
  answers: readonly ItemAnswer[],
  values: FileValueStore,
): Iterable<Uint8Array> | null {
  const logs = calls.flatMap(({ item: { name } }, at) => {
    const log = answers[at]?.log ?? null;
    return log === null ? [] : [{ name, log }];
  });
  if (logs.length === 0) return null;
  return {
    *[Symbol.iterator]() {
      for (const { name, log } of logs) yield* labelled(name, values.pieces(log) ?? gone(log));
    },
  };
}

/** What an item printed, below its name; nothing if it printed nothing. */
export function* labelled(name: string, log: Iterable<Uint8Array>): Iterable<Uint8Array> {
  let last: number | undefined;
  for (const piece of log) {
    if (last === undefined) yield Buffer.from(`[${name}]\n`);
    yield piece;
    last = piece.at(-1);
  }
  if (last !== undefined && last !== LINE_BREAK) yield Buffer.of(LINE_BREAK);
}

/** Puts into the store what may be too much to be held. */
function kept(log: Iterable<Uint8Array>, path: string, values: FileValueStore): Digest {
  try {
    writeLog(path, log);
    return values.putFile(path).digest;
  } finally {
    removeLog(path);
  }
}

/** Files the answer of a task whose items all have one. */
export async function fileComposed(whole: TaskCall, composed: Composed, bench: Workbench): Promise<void> {
  const log = composed.store(bench.tempDir);
  const now = bench.now();
  const answer = new Answer(whole, bench, {
    started: now,
    stopped: now,
    log,
    walltime: composed.walltime,
    items: itemsOf(whole).length,
    filed: composed.filed,
  });
  const read = whole.read?.entries.map(({ path }) => path);
  const list = read && found(whole, read, [], bench);
  await answer.done({ value: composed.product.value, note: null }, composed.product.outputs, () => [], list);
}
