/**
 * From a call to the calls that were made of what it made: by the digests that records name. A value that was used inside
 * another one, or that says nothing (`undefined`, a boolean), leads nowhere.
 */
import { digest } from '../base/digest.ts';
import { type Digest, frame, sha256 } from '../base/hash.ts';
import { FileRef } from '../files/refs.ts';
import { parseTree, type TreeEntry } from '../files/trees/tree.ts';
import type { CallRecord, Part } from '../store/record.ts';
import type { CacheCore } from './caches/cache-core.ts';
import { ITEM, ITEMS, taskOfItem } from './item-name.ts';
import { DISCOVERED, LISTED } from './listed.ts';

/** What enters the fingerprints of those who need a task: the digest of its value, of its outputs, or one of both. */
export function productDigest(value: Digest | null, outputs: Digest | null): Digest | null {
  if (value === null) return outputs;
  return outputs === null ? value : sha256(`f1p${frame(value)}${frame(outputs)}`);
}

/** Nearly every call has one of these somewhere, whoever made it. */
const SAYS_NOTHING: ReadonlySet<Digest> = new Set([undefined, null, true, false].map((value) => digest(value)));

/** One call made of what another one made, and the name of the part by which. */
export interface Dependent {
  readonly record: CallRecord;
  readonly through: string;
}

/** Follows the records of one cache. What was looked at is remembered: it is for one question, asked at one moment. */
export class Lineage {
  readonly #cache: CacheCore;
  readonly #trees = new Map<Digest, Promise<readonly TreeEntry[]>>();
  #readers: Promise<Readers> | undefined;

  constructor(cache: CacheCore) {
    this.#cache = cache;
  }

  /**
   * Calls that used what a call made, as a whole or one of its files; newest first for each. A task that is done for each of
   * many items is made of what they made, and they are made again with it, unless some of them are what it was reached
   * `through`.
   */
  async dependentsOf(record: CallRecord, through: string | null): Promise<readonly Dependent[]> {
    const { result, outputs } = record;
    const found: Dependent[] = [...(await this.#wholesOf(record))];
    const isByItems = through === ITEM || through === ITEMS || through === DISCOVERED;
    if (!isByItems && isWhole(record)) found.push(...(await this.#itemsOf(record)));
    const whole = [result?.digest ?? null, outputs, productDigest(result?.digest ?? null, outputs)];
    for (const made of new Set(whole)) if (made !== null) found.push(...(await this.usersOf(made)));
    // What else a whole is made of has readers of its own.
    const isReadWhole = !(through === ITEM && isWhole(record));
    if (outputs !== null && isReadWhole) found.push(...(await this.readersOf(await this.#tree(outputs))));
    return found;
  }

  /** The calls of its task that an item is a part of. */
  async #wholesOf(item: CallRecord): Promise<readonly Dependent[]> {
    const task = taskOfItem(item.name);
    const found: Dependent[] = [];
    if (task === undefined || item.kind !== 'task') return found;
    for await (const record of this.#cache.find({ kind: 'task', name: task })) {
      if (isWhole(record) && isAlike(item, record) && (await this.#has(record, item))) {
        found.push({ record, through: ITEM });
      }
    }
    return found;
  }

  async #itemsOf(whole: CallRecord): Promise<readonly Dependent[]> {
    const found: Dependent[] = [];
    for await (const record of this.#cache.find({ kind: 'task' })) {
      if (taskOfItem(record.name) !== whole.name || !isAlike(record, whole)) continue;
      if (await this.#has(whole, record)) found.push({ record, through: ITEMS });
    }
    return found;
  }

  /**
   * Whether the file that an item is, and what it discovered, was among those of its task then; of values that is not
   * known, and taken to be so.
   */
  async #has(whole: CallRecord, item: CallRecord): Promise<boolean> {
    return (await this.#hasPart(whole, ITEMS, item, ITEM)) && this.#hasPart(whole, DISCOVERED, item, DISCOVERED);
  }

  async #hasPart(whole: CallRecord, all: string, item: CallRecord, one: string): Promise<boolean> {
    const blobOf = ({ parts }: CallRecord, name: string): Digest | null =>
      parts.find((part) => part.name === name && part.kind === 'files')?.blob ?? null;
    const [those, these] = [blobOf(whole, all), blobOf(item, one)];
    if (those === null || these === null) return true;
    const contents = new Set((await this.#tree(those)).map(contentOf));
    return (await this.#tree(these)).every((entry) => contents.has(contentOf(entry)));
  }

  /** Calls that used this value, newest first. */
  async usersOf(made: Digest): Promise<readonly Dependent[]> {
    if (SAYS_NOTHING.has(made)) return [];
    const found: Dependent[] = [];
    for await (const record of this.#cache.find({ uses: made })) {
      if (record.name.endsWith(LISTED)) continue;
      const part = record.parts.find(({ digest }) => digest === made);
      found.push({ record, through: part?.name ?? '' });
    }
    return found;
  }

  /** Calls that read one of these files with this very content. */
  async readersOf(entries: readonly TreeEntry[]): Promise<readonly Dependent[]> {
    const contents = entries.flatMap((entry) => contentOf(entry) ?? []);
    const { trees, byContent } = await this.#allReaders();
    const touched = new Set(contents.flatMap((content) => byContent.get(content) ?? []));
    const found = [...touched].flatMap((blob) => trees.get(blob)?.readers ?? []);
    for (const entry of entries) {
      if (entry.kind !== 'file') continue;
      found.push(...(await this.usersOf(digest(new FileRef('', entry.path, entry.digest, entry.executable)))));
      for (const { record } of await this.usersOf(entry.digest)) {
        const read = partsAbout(record, entry.path).find(({ digest }) => digest === entry.digest);
        if (read !== undefined) found.push({ record, through: read.name });
      }
    }
    return found;
  }

  /**
   * Calls that read or wrote the file at a path (relative to the project), whatever its content was. Where items did, their
   * task as a whole is only made of them.
   */
  async callsAbout(path: string): Promise<readonly CallRecord[]> {
    const isIt = (entry: TreeEntry): boolean => entry.path === path;
    const { trees } = await this.#allReaders();
    const reading = [...trees.values()].filter(({ entries }) => entries.some(isIt));
    const found = new Map(reading.flatMap(({ readers }) => readers.map(({ record }) => [record.key, record])));
    for await (const record of this.#cache.find({ kind: 'task' })) {
      if (record.outputs !== null && (await this.#tree(record.outputs)).some(isIt)) found.set(record.key, record);
    }
    for await (const record of this.#cache.find({ kind: 'transform' })) {
      if (!record.name.endsWith(LISTED) && partsAbout(record, path).length > 0) found.set(record.key, record);
    }
    const items = [...found.values()].filter(({ name }) => taskOfItem(name) !== undefined);
    for (const item of items) for (const { record } of await this.#wholesOf(item)) found.delete(record.key);
    return [...found.values()];
  }

  #allReaders(): Promise<Readers> {
    this.#readers ??= this.#findReaders();
    return this.#readers;
  }

  async #findReaders(): Promise<Readers> {
    const trees = new Map<Digest, { readonly entries: readonly TreeEntry[]; readonly readers: Dependent[] }>();
    const byContent = new Map<string, Digest[]>();
    for (const kind of ['task', 'transform'] as const) {
      for await (const record of this.#cache.find({ kind })) {
        for (const { name, kind, blob } of record.parts) {
          if (kind !== 'files' || blob === null) continue;
          const known = trees.get(blob);
          const tree = known ?? { entries: await this.#tree(blob), readers: [] };
          tree.readers.push({ record, through: name });
          if (known !== undefined) continue;
          trees.set(blob, tree);
          for (const content of new Set(tree.entries.flatMap((entry) => contentOf(entry) ?? []))) {
            const blobs = byContent.get(content);
            if (blobs === undefined) byContent.set(content, [blob]);
            else blobs.push(blob);
          }
        }
      }
    }
    return { trees, byContent };
  }

  #tree(blob: Digest): Promise<readonly TreeEntry[]> {
    const known = this.#trees.get(blob);
    if (known !== undefined) return known;
    const read = this.#readTree(blob);
    this.#trees.set(blob, read);
    return read;
  }

  /** No entries for a tree that is gone or of another format: it can no longer be told what was in it. */
  async #readTree(blob: Digest): Promise<readonly TreeEntry[]> {
    const bytes = await this.#cache.bytes(blob);
    if (bytes === undefined) return [];
    try {
      return parseTree(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()).entries;
    } catch {
      return [];
    }
  }
}

/** Everything that has trees of files among its parts: tasks and transforms. */
interface Readers {
  /** By the digest of the tree. */
  readonly trees: ReadonlyMap<
    Digest,
    { readonly entries: readonly TreeEntry[]; readonly readers: readonly Dependent[] }
  >;
  /** Trees by what is in them. */
  readonly byContent: ReadonlyMap<string, readonly Digest[]>;
}

/** Whether a call is that of a task that is done for each of many items. */
export function isWhole({ kind, parts }: CallRecord): boolean {
  return kind === 'task' && parts.some(({ name }) => name === ITEMS);
}

/** Whether the question of an item is that of its task but for the item. */
function isAlike(item: CallRecord, whole: CallRecord): boolean {
  const digests = new Map(whole.parts.map(({ name, digest }) => [name, digest]));
  return item.parts.every(({ name, digest }) => name === ITEM || name === DISCOVERED || digests.get(name) === digest);
}

/**
 * The parts by which a transform read the file at a path: that of its module is `file`, those of others are
 * `file:their/path`, relative to the root of the bundler, which may be a folder of the project.
 */
function partsAbout({ kind, module, parts }: CallRecord, path: string): readonly Part[] {
  if (kind !== 'transform') return [];
  return parts.filter((part) => {
    if (part.kind !== 'files') return false;
    const read = part.name === 'file' ? module : part.name.startsWith('file:') ? part.name.slice('file:'.length) : null;
    return read !== null && (read === path || path.endsWith(`/${read}`));
  });
}

/** Path and content as one text; undefined for what has no content. */
function contentOf(entry: TreeEntry): string | undefined {
  return (entry.kind === 'file' || entry.kind === 'link') && entry.digest !== null
    ? `${entry.digest} ${entry.path}`
    : undefined;
}
