/**
 * An answer on its way here. First everything that a hit needs is brought and looked through, then it is filed, values
 * before the record; the contents of output files come when somebody needs them. Rejects with a `RemoteFault`.
 */
import { setMaxListeners } from 'node:events';
import type { Digest } from '../../base/hash.ts';
import type { Lanes } from '../../base/lanes.ts';
import { faultOfTree } from '../../files/trees/foreign-tree.ts';
import { keptTree } from '../../files/trees/kept-tree.ts';
import type { Tree } from '../../files/trees/tree.ts';
import { download, downloadTo, type Expected } from '../../store/remote/download.ts';
import { type PackName, packOf, unpack } from '../../store/remote/pack.ts';
import type { RemoteStore } from '../../store/remote/remote.ts';
import type { Sealed } from '../../store/remote/sealed.ts';
import { MOST_PACKED } from '../../store/values.ts';
import { blobsOf, neededBy } from '../caches/transfer.ts';
import type { LocalSide } from './local-side.ts';
import type { Purpose } from './shared-answers.ts';
import type { SharedTally } from './tally.ts';

interface IncomingOptions {
  readonly store: RemoteStore;
  readonly maxAnswer: number;
  readonly lanes: Lanes;
  readonly tally: SharedTally;
  readonly signal: AbortSignal;
}

const NOTHING = new Uint8Array(0);
/** No answer has more output paths. */
const MAX_ENTRIES = 200_000;

export class Incoming {
  readonly #sealed: Sealed;
  readonly #side: LocalSide;
  readonly #options: IncomingOptions;

  constructor(sealed: Sealed, side: LocalSide, options: IncomingOptions) {
    this.#sealed = sealed;
    this.#side = side;
    this.#options = options;
  }

  /** Files the answer here. False if it is not one that may be used, which is counted. */
  async accept(): Promise<boolean> {
    const { record, inline } = this.#sealed;
    if (record.failure !== null) return this.#reject('a failure');
    if (this.#size() > this.#options.maxAnswer) return this.#reject('too large');
    const named = blobsOf(record);
    const needed = neededBy(record);
    const found = await this.#collect(named.map(({ blob }) => blob));
    if (named.some(({ blob }) => needed.has(blob) && !found.has(blob))) return this.#reject('incomplete');
    if (record.outputs !== null) {
      const tree = keptTree(record.outputs, found.get(record.outputs));
      const limits = { maxEntries: MAX_ENTRIES, maxBytes: this.#options.maxAnswer };
      if (tree === undefined || faultOfTree(tree, limits) !== undefined) return this.#reject('unsafe outputs');
      if (!this.#names(tree)) return this.#reject('incomplete');
    }
    const packs = new Set(this.#sealed.packs.map(({ digest }) => digest));
    for (const [blob, bytes] of inline) {
      if (!found.has(blob) && !packs.has(blob)) await this.#side.arrive(blob, bytes);
    }
    for (const { blob, value } of named) {
      const bytes = found.get(blob);
      if (bytes !== undefined) await this.#side.keep(blob, bytes, value);
    }
    await this.#side.file(record);
    return true;
  }

  #reject(why: string): false {
    this.#options.tally.reject(why);
    return false;
  }

  /** What the whole answer says to have, bytes. */
  #size(): number {
    return this.#sizeOfPacks() + [...this.#sealed.single.values()].reduce((sum, size) => sum + size, 0);
  }

  /** Whether the answer says of every output file where its content is. */
  #names(tree: Tree): boolean {
    const { inline, single, packs } = this.#sealed;
    return tree.entries.every(
      (entry) =>
        entry.kind !== 'file' ||
        inline.has(entry.digest) ||
        single.get(entry.digest) === entry.size ||
        packs.length > 0,
    );
  }

  /** Those of these blobs that are to be had, in memory. */
  async #collect(blobs: readonly Digest[]): Promise<ReadonlyMap<Digest, Uint8Array>> {
    const { inline, single } = this.#sealed;
    const found = new Map<Digest, Uint8Array>();
    const missing: Digest[] = [];
    for (const blob of new Set(blobs)) {
      const bytes = inline.get(blob) ?? (await this.#side.bytes(blob));
      if (bytes === undefined) missing.push(blob);
      else found.set(blob, bytes);
    }
    await Promise.all([
      ...missing.map(async (digest) => {
        const size = single.get(digest);
        const bytes = size === undefined ? undefined : await this.#download({ digest, size });
        if (bytes !== undefined) found.set(digest, bytes);
      }),
      ...this.#packsOf(missing.filter((blob) => !single.has(blob))).map(async (pack) => {
        for (const [blob, bytes] of (await this.#unpacked(pack)).blobs) found.set(blob, bytes);
      }),
    ]);
    return found;
  }

  /** Brings contents of output files as far as they are not here. Whether all of them are here now. */
  async bring(blobs: readonly Digest[], purpose: Purpose): Promise<boolean> {
    const { inline, single, packs } = this.#sealed;
    const packed = new Map<PackName, Digest[]>();
    const others: Promise<boolean>[] = [];
    const singles: Expected[] = [];
    for (const digest of new Set(blobs)) {
      const bytes = inline.get(digest);
      const size = single.get(digest);
      const pack = packs[packs.length === 0 ? 0 : packOf(digest, packs.length)];
      if (bytes !== undefined) await this.#arrive(digest, bytes);
      else if (size !== undefined) singles.push({ digest, size });
      else if (pack === undefined) others.push(this.#isHere(digest));
      else {
        const wanted = packed.get(pack);
        if (wanted === undefined) packed.set(pack, [digest]);
        else wanted.push(digest);
      }
    }
    if (singles.length > 0) others.push(this.#bringSingles(singles, purpose));
    const brought = await Promise.all([...others, ...Array.from(packed, (one) => this.#bringPacked(...one))]);
    return !brought.includes(false) || this.#reject('incomplete');
  }

  async #isHere(blob: Digest): Promise<boolean> {
    return this.#side.has(blob);
  }

  /** What came with its record is here as a rule. */
  async #arrive(blob: Digest, bytes: Uint8Array): Promise<void> {
    if (!(await this.#side.has(blob))) await this.#side.arrive(blob, bytes);
  }

  /** To ask for each blob costs more than to look into the pack once one is missing. */
  async #bringPacked(pack: PackName, blobs: readonly Digest[]): Promise<boolean> {
    let missing = 0;
    while (missing < blobs.length && (await this.#side.has(blobs[missing] ?? pack.digest))) missing++;
    if (missing === blobs.length) return true;
    const { bytes, blobs: found } = await this.#unpacked(pack);
    const wanted = blobs.filter((blob) => found.has(blob));
    const { arriveInPack } = this.#side;
    // A pack of which little is wanted is not worth its room.
    const isKept = wanted.length * 2 > found.size && this.#sizeOfPacks() <= MOST_PACKED;
    if (arriveInPack !== undefined && isKept) arriveInPack(pack, bytes, found);
    else for (const blob of wanted) await this.#side.arrive(blob, found.get(blob) ?? NOTHING);
    for (const blob of blobs.slice(missing)) if (!found.has(blob) && !(await this.#side.has(blob))) return false;
    return true;
  }

  /** Unpacked, bytes. */
  #sizeOfPacks(): number {
    return this.#sealed.packs.reduce((sum, { raw }) => sum + raw, 0);
  }

  /** Once something is wrong with one of them the others are given up. */
  async #bringSingles(singles: readonly Expected[], purpose: Purpose): Promise<boolean> {
    const trouble = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, trouble.signal]);
    setMaxListeners(0, signal);
    const brought = await Promise.all(
      singles.map((expected) =>
        this.#bringSingle(expected, purpose, signal).catch((error: unknown) => {
          trouble.abort(error);
          return false;
        }),
      ),
    );
    trouble.signal.throwIfAborted();
    return !brought.includes(false);
  }

  async #bringSingle(expected: Expected, purpose: Purpose, signal: AbortSignal): Promise<boolean> {
    const { digest, size } = expected;
    if (await this.#side.has(digest)) return true;
    const { store, lanes, tally } = this.#options;
    const { files } = this.#side;
    if (files === undefined) {
      const bytes = await this.#download(expected);
      if (bytes !== undefined) await this.#side.arrive(digest, bytes);
      return bytes !== undefined;
    }
    const path = files.scratch();
    const spare = purpose === 'place' && files.takesSpares ? files.scratch() : undefined;
    const paths = spare === undefined ? [path] : [path, spare];
    if (!(await lanes.run(() => downloadTo(paths, store, expected, signal)))) return false;
    tally.bytesReceived += size;
    files.adopt(path, digest, spare);
    return true;
  }

  /** The packs that have these blobs, each once. */
  #packsOf(blobs: readonly Digest[]): readonly PackName[] {
    const { packs } = this.#sealed;
    if (packs.length === 0) return [];
    const wanted = new Set(blobs.map((blob) => packOf(blob, packs.length)));
    return packs.filter((_, at) => wanted.has(at));
  }

  /** A pack, which may have come with its record, and what is in it; nothing if it is not there any more. */
  async #unpacked(
    pack: PackName,
  ): Promise<{ readonly bytes: Uint8Array; readonly blobs: ReadonlyMap<Digest, Uint8Array> }> {
    const bytes = this.#sealed.inline.get(pack.digest) ?? (await this.#download(pack));
    return bytes === undefined ? { bytes: NOTHING, blobs: new Map() } : { bytes, blobs: await unpack(pack, bytes) };
  }

  async #download(expected: Expected): Promise<Uint8Array | undefined> {
    const { store, lanes, tally, signal } = this.#options;
    const bytes = await lanes.run(() => download(store, expected, signal));
    tally.bytesReceived += bytes?.length ?? 0;
    return bytes;
  }
}
