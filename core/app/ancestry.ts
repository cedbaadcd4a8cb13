/**
 * What a call was made of, and what that was made of in turn, as a tree: files, variables, versions, code, and the calls
 * that made the rest. Found by the digests that records name; a call that is no longer on file ends its branch.
 */
import type { Digest, Key } from '../base/hash.ts';
import { taskOfItem } from '../call/item-name.ts';
import { isWhole, productDigest } from '../call/lineage.ts';
import { LISTED } from '../call/listed.ts';
import { parseTree, type TreeEntry } from '../files/trees/tree.ts';
import type { SyncCallStore } from '../store/calls.ts';
import type { CallRecord, Part } from '../store/record.ts';
import type { SyncValueStore } from '../store/values.ts';

/** One thing that a call was made of. */
export interface Origin {
  /** What it is, in the words of the parts of a fingerprint. */
  readonly kind: Part['kind'];
  /** Without the kind in front, such as `NODE_ENV`. */
  readonly name: string;
  readonly digest: Digest;
  /** Files among it, sorted; of files that calls made only those that nothing above names. */
  readonly files: readonly {
    readonly path: string;
    readonly digest: Digest | null;
    readonly kind: TreeEntry['kind'];
  }[];
  /** The call that made it, if one did and is on file. */
  readonly call: CallNode | null;
}

export interface CallNode {
  readonly key: Key;
  readonly kind: CallRecord['kind'];
  readonly name: string;
  readonly module: string | null;
  /** ms since the epoch. */
  readonly filed: number;
  readonly failed: boolean;
  /** Null for a call that stands in the tree already. */
  readonly origins: readonly Origin[] | null;
}

export class Ancestry {
  readonly #calls: SyncCallStore;
  readonly #values: SyncValueStore;
  readonly #shown = new Set<Key>();

  constructor(calls: SyncCallStore, values: SyncValueStore) {
    this.#calls = calls;
    this.#values = values;
  }

  /** The newest call that wrote a file with this content; with any content if `content` is undefined. */
  makerOf(path: string, content: Digest | undefined): CallRecord | undefined {
    let whole: CallRecord | undefined;
    for (const record of this.#calls.find({ kind: 'task' })) {
      if (record.outputs === null || record.failure !== null) continue;
      if (whole !== undefined && taskOfItem(record.name) !== whole.name) continue;
      const entry = this.entriesOf(record.outputs).find((entry) => entry.path === path);
      if (entry === undefined) continue;
      if (content !== undefined && (entry.kind !== 'file' || entry.digest !== content)) continue;
      if (!isWhole(record)) return record;
      // Which of its items wrote it tells more.
      whole = record;
    }
    return whole;
  }

  /** None for a tree that is gone, or of another format. */
  entriesOf(tree: Digest): readonly TreeEntry[] {
    const bytes = this.#values.get(tree);
    try {
      return bytes === undefined ? [] : parseTree(Buffer.from(bytes).toString()).entries;
    } catch {
      return [];
    }
  }

  of(record: CallRecord): CallNode {
    const { key, kind, name, module, filed, failure } = record;
    const isKnown = this.#shown.size === this.#shown.add(key).size;
    const origins = isKnown ? null : record.parts.flatMap((part) => this.#origin(part) ?? []);
    return { key, kind, name, module, filed, failed: failure !== null, origins };
  }

  #origin(part: Part): Origin | undefined {
    const { kind, digest, blob } = part;
    if (kind === 'identity') return undefined;
    const name = part.name.slice(part.name.indexOf(':') + 1);
    const entries = kind === 'files' && blob !== null ? this.entriesOf(blob) : [];
    const files = entries.map((entry) => ({
      path: entry.path,
      digest: 'digest' in entry ? entry.digest : null,
      kind: entry.kind,
    }));
    const maker =
      kind === 'upstream' ? this.#upstream(name, digest) : kind === 'argument' ? this.#made(digest) : undefined;
    return { kind, name, digest, files, call: maker === undefined ? null : this.of(maker) };
  }

  #upstream(task: string, product: Digest): CallRecord | undefined {
    for (const record of this.#calls.find({ kind: 'task', name: task })) {
      const { failure, result, outputs } = record;
      if (failure === null && productDigest(result?.digest ?? null, outputs) === product) return record;
    }
    return undefined;
  }

  /** Only values that say something: small ones are made by many calls. */
  #made(value: Digest): CallRecord | undefined {
    const blob = this.#values.target(value);
    const size = blob === undefined ? 0 : (this.#values.get(blob)?.length ?? 0);
    if (size < MOST_COMMON) return undefined;
    for (const record of this.#calls.find({ result: value })) {
      if (record.failure === null && !record.name.endsWith(LISTED)) return record;
    }
    return undefined;
  }
}

/** Encoded values with fewer bytes, such as numbers and flags, lead nowhere. */
const MOST_COMMON = 16;
