/**
 * An answer on its way out: its content is dealt to the record, to packs and to single blobs, what the server seems to
 * have is not sent again, and the record goes last. Rejects with a `RemoteFault`.
 */
import type { Digest } from '../../base/hash.ts';
import type { Lanes } from '../../base/lanes.ts';
import { faultOfTree } from '../../files/trees/foreign-tree.ts';
import { keptTree } from '../../files/trees/kept-tree.ts';
import type { CallRecord } from '../../store/record.ts';
import { discard, fileContent } from '../../store/remote/download.ts';
import { deal, makePack, PACKED_BLOB, type Pack } from '../../store/remote/pack.ts';
import { contentOf, RemoteFault, type RemoteStore } from '../../store/remote/remote.ts';
import { INLINE_NEEDED, INLINE_PACKS, INLINE_TOTAL, seal, sentApart } from '../../store/remote/sealed.ts';
import type { Signer } from '../../store/remote/signing.ts';
import { blobsOf, neededBy } from '../caches/transfer.ts';
import type { LocalSide } from './local-side.ts';
import type { SharedTally } from './tally.ts';

interface OutgoingOptions {
  readonly store: RemoteStore;
  readonly namespace: string;
  readonly signer: Signer | undefined;
  readonly producer: string | null;
  readonly maxAnswer: number;
  readonly secrets: () => Promise<readonly string[]>;
  readonly lanes: Lanes;
  readonly tally: SharedTally;
  readonly signal: AbortSignal;
}

/** Single blobs up to this are sent from memory, bytes. */
const IN_MEMORY = 4 * 1024 * 1024;

/** Where the content of an answer goes. */
interface Dealt {
  readonly inline: ReadonlyMap<Digest, Uint8Array>;
  readonly packs: readonly Pack[];
  readonly single: ReadonlyMap<Digest, number>;
}

export class Outgoing {
  readonly #record: CallRecord;
  readonly #side: LocalSide;
  readonly #options: OutgoingOptions;

  constructor(record: CallRecord, side: LocalSide, options: OutgoingOptions) {
    this.#record = record;
    this.#side = side;
    this.#options = options;
  }

  /** The record as it was sent; else why it is none to be sent. */
  async send(): Promise<Uint8Array | string> {
    const { store, namespace, signer, producer, maxAnswer, tally, signal } = this.#options;
    const sizes = await this.#sizes();
    if (typeof sizes === 'string') return sizes;
    const largest = Math.max(0, ...sizes.values());
    const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    if (largest > store.maxBlob || total > maxAnswer) return `an answer of "${this.#record.name}" is too large for it`;
    const dealt = await this.#deal(sizes);
    if (dealt === undefined) return `content of an answer of "${this.#record.name}" is gone`;
    const sealed = seal({ record: this.#record, producer, ...dealt }, namespace, signer);
    if (sealed === undefined) return `the record of "${this.#record.name}" is too large to be shared`;
    await this.#sendContent(dealt);
    await this.#options.lanes.run(() => store.putRecord(this.#record.key, sealed, signal));
    tally.bytesSent += sealed.length;
    return sealed;
  }

  /** Everything that the record names and is here, with sizes; or why it cannot be shared. */
  async #sizes(): Promise<ReadonlyMap<Digest, number> | string> {
    const { name, outputs, log } = this.#record;
    const sizes = new Map<Digest, number>();
    const needed = neededBy(this.#record);
    for (const { blob } of blobsOf(this.#record)) {
      const bytes = await this.#side.bytes(blob);
      if (bytes !== undefined) sizes.set(blob, bytes.length);
      else if (needed.has(blob)) return `content of an answer of "${name}" is gone`;
      if (blob === log && bytes !== undefined && (await this.#isSecret(bytes))) {
        return `what "${name}" printed has a secret in it and is not shared`;
      }
    }
    const tree = outputs === null ? undefined : keptTree(outputs, await this.#side.bytes(outputs));
    if (tree === undefined) return sizes;
    const fault = faultOfTree(tree, { maxEntries: Number.MAX_SAFE_INTEGER, maxBytes: this.#options.maxAnswer });
    if (fault !== undefined) return `outputs of "${name}" are not for every system and not shared (${fault})`;
    for (const entry of tree.entries) if (entry.kind === 'file') sizes.set(entry.digest, entry.size);
    return sizes;
  }

  async #isSecret(bytes: Uint8Array): Promise<boolean> {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return (await this.#options.secrets()).some((secret) => secret !== '' && text.includes(secret));
  }

  /**
   * Small things into the record as long as there is room: what it names itself, and contents of files if there is room
   * for all of them, since those that are left would need a pack anyway. Undefined if something is gone.
   */
  async #deal(sizes: ReadonlyMap<Digest, number>): Promise<Dealt | undefined> {
    const inline = new Map<Digest, Uint8Array>();
    const small = new Map<Digest, number>();
    const single = new Map<Digest, number>();
    const needed = neededBy(this.#record);
    const named = new Set(blobsOf(this.#record).map(({ blob }) => blob));
    const rest = [...sizes].reduce((sum, [digest, size]) => sum + (needed.has(digest) ? 0 : size), 0);
    let room = INLINE_TOTAL;
    let roomOfNeeded = INLINE_NEEDED;
    for (const [digest, size] of sizes) {
      const isNeeded = needed.has(digest) && size <= roomOfNeeded;
      if (isNeeded) roomOfNeeded -= size;
      else if (size <= room && (rest <= INLINE_TOTAL || named.has(digest))) room -= size;
      else {
        (size > PACKED_BLOB ? single : small).set(digest, size);
        continue;
      }
      const bytes = await this.#side.bytes(digest);
      if (bytes === undefined) return undefined;
      inline.set(digest, bytes);
    }
    const packs: Pack[] = [];
    for (const names of deal(small)) {
      const blobs: (readonly [Digest, Uint8Array])[] = [];
      for (const digest of names) {
        const bytes = await this.#side.bytes(digest);
        if (bytes === undefined) return undefined;
        blobs.push([digest, bytes]);
      }
      packs.push(await makePack(blobs));
    }
    if (packs.reduce((sum, { size }) => sum + size, 0) <= INLINE_PACKS) {
      for (const { digest, bytes } of packs) inline.set(digest, bytes);
    }
    return { inline, packs, single };
  }

  async #sendContent(dealt: Dealt): Promise<void> {
    const { store, lanes, tally, signal } = this.#options;
    const names = new Set(sentApart(dealt));
    if (names.size === 0) return;
    const there = await lanes.run(() => store.has([...names], signal));
    const { packs, single } = dealt;
    const apart = packs.filter(({ digest }) => names.has(digest) && !there.has(digest));
    const missing = new Map(apart.map((pack) => [pack.digest, pack]));
    await Promise.all([
      ...[...missing.values()].map(({ digest, bytes }) =>
        lanes.run(async () => {
          await store.put(digest, contentOf(bytes), signal);
          tally.bytesSent += bytes.length;
        }),
      ),
      ...[...single].flatMap(([digest, size]) =>
        there.has(digest) ? [] : [lanes.run(() => this.#sendSingle(digest, size))],
      ),
    ]);
  }

  async #sendSingle(digest: Digest, size: number): Promise<void> {
    const { store, tally, signal } = this.#options;
    const { files } = this.#side;
    if (size <= IN_MEMORY || files === undefined) {
      const bytes = await this.#side.bytes(digest);
      if (bytes === undefined) throw new RemoteFault('full', 'content of an answer is gone');
      await store.put(digest, contentOf(bytes), signal);
    } else {
      const path = files.scratch();
      try {
        if (!files.copyTo(digest, path)) throw new RemoteFault('full', 'content of an answer is gone');
        await store.put(digest, fileContent(path, size), signal);
      } finally {
        await discard(path);
      }
    }
    tally.bytesSent += size;
  }
}
