/**
 * Blobs that came together in a pack, and are kept as they came: the pack is one blob of the store, and the database says
 * of each blob in it that it is there. So what a shared cache gives costs a few writes here however many files it is, and
 * takes no more room than on its way. A pack is unpacked, and every blob in it verified, when one of them is asked for; it
 * stays unpacked for a while, since the others are likely to be asked for next. What is put is visible in this process at
 * once, and to others after the environment's next commit.
 *
 * An entry is when the blob was put (8 bytes, a double of ms since the epoch), its size, the size of the pack unpacked
 * (4 bytes each), and the digest of the pack.
 */
import type { Digest } from '../../base/hash.ts';
import { REFRESH_AFTER } from '../folder/blob-files.ts';
import { isPackName, type PackName, unpackNow } from '../remote/pack.ts';
import { type BlobInfo, MOST_PACKED } from '../values.ts';
import type { LmdbEnv, Pending } from './lmdb-env.ts';
import { digestKey, keyDigest, type Table } from './lmdb-table.ts';

const ENTRY_BYTES = 48;
/** So long packs stay unpacked, ms. */
const LINGER = 5000;

/** Where packs themselves are. */
interface PackStore {
  has(pack: Digest): boolean;
  /** Undefined for one that is not there, or damaged. */
  get(pack: Digest): Uint8Array | undefined;
  put(pack: Digest, bytes: Uint8Array): void;
  delete(pack: Digest): void;
}

interface Place {
  readonly touched: number;
  readonly size: number;
  readonly raw: number;
  readonly pack: Digest;
}

interface Unpacked {
  readonly raw: number;
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
}

export class LmdbPacks implements Pending {
  readonly #env: LmdbEnv;
  readonly #table: Table;
  readonly #packs: PackStore;
  /** Entries to write, or null to remove. */
  readonly #waiting = new Map<Digest, Place | null>();
  /** The one that was used last comes last. */
  readonly #unpacked = new Map<Digest, Unpacked>();
  #size = 0;
  #due: NodeJS.Timeout | undefined;
  /** Packs that may be of no use any more. */
  readonly #doubtful = new Set<Digest>();

  constructor(env: LmdbEnv, packs: PackStore) {
    this.#env = env;
    this.#table = env.table('packed');
    this.#packs = packs;
    env.join(this);
  }

  /** Keeps a pack with all that is in it, which was verified. */
  put({ digest: pack, raw }: PackName, bytes: Uint8Array, blobs: ReadonlyMap<Digest, Uint8Array>): void {
    this.#packs.put(pack, bytes);
    const touched = this.#env.now();
    for (const [digest, { length: size }] of blobs) this.#waiting.set(digest, { touched, size, raw, pack });
    this.#env.changed(blobs.size * ENTRY_BYTES);
  }

  #wait(digest: Digest, place: Place | null): void {
    this.#waiting.set(digest, place);
    this.#env.changed(ENTRY_BYTES);
  }

  #keep(pack: Digest, unpacked: Unpacked): void {
    this.#unpacked.set(pack, unpacked);
    this.#size += unpacked.raw;
    for (const [oldest, { raw }] of this.#unpacked) {
      if (this.#size <= MOST_PACKED || oldest === pack) break;
      this.#unpacked.delete(oldest);
      this.#size -= raw;
    }
    this.#due ??= setTimeout(() => this.#forget(), LINGER).unref();
  }

  #forget(): void {
    this.#due = undefined;
    this.#unpacked.clear();
    this.#size = 0;
  }

  #find(digest: Digest): Place | undefined {
    const waiting = this.#waiting.get(digest);
    if (waiting !== undefined) return waiting ?? undefined;
    const entry = this.#table.get(digestKey(digest));
    return entry === undefined ? undefined : placeOf(entry);
  }

  #isThere({ pack }: Place): boolean {
    return this.#unpacked.has(pack) || this.#packs.has(pack);
  }

  has(digest: Digest): boolean {
    const place = this.#find(digest);
    return place !== undefined && this.#isThere(place);
  }

  /** Verified bytes, which are not to be changed. */
  get(digest: Digest): Uint8Array | undefined {
    const place = this.#find(digest);
    const bytes = place === undefined ? undefined : this.#open(place)?.get(digest);
    if (place !== undefined && bytes === undefined && !this.#env.readOnly) this.delete(digest);
    return bytes;
  }

  #open({ pack, raw }: Place): Unpacked['blobs'] | undefined {
    const known = this.#unpacked.get(pack);
    if (known !== undefined) {
      this.#unpacked.delete(pack);
      this.#unpacked.set(pack, known);
      return known.blobs;
    }
    const bytes = this.#packs.get(pack);
    const name = bytes && { digest: pack, size: bytes.length, raw };
    // A damaged entry may say that it unpacks to anything.
    const blobs = bytes && name && isPackName(name) ? unpackNow(name, bytes) : undefined;
    if (blobs !== undefined) this.#keep(pack, { raw, blobs });
    return blobs;
  }

  /** Marks a blob as used now and returns its size, or undefined if it is not here. */
  refresh(digest: Digest): number | undefined {
    const place = this.#find(digest);
    if (place === undefined || !this.#isThere(place)) return undefined;
    const now = this.#env.now();
    if (now - place.touched >= REFRESH_AFTER) this.#wait(digest, { ...place, touched: now });
    return place.size;
  }

  /** False if it was not here. */
  delete(digest: Digest): boolean {
    const place = this.#find(digest);
    if (place === undefined) return false;
    const wasThere = this.#isThere(place);
    this.#wait(digest, null);
    this.#doubtful.add(place.pack);
    return wasThere;
  }

  /** What is in packs, and the packs themselves. Sizes are those of the blobs unpacked. */
  listed(): { readonly blobs: readonly BlobInfo[]; readonly packs: ReadonlySet<Digest> } {
    this.#env.commit();
    const blobs: BlobInfo[] = [];
    const packs = new Set(this.#doubtful);
    for (const [digest, place] of this.#entries()) {
      packs.add(place.pack);
      if (this.#isThere(place)) blobs.push({ digest, size: place.size, touched: place.touched });
    }
    return { blobs, packs };
  }

  *#entries(): Generator<readonly [Digest, Place], void, undefined> {
    for (const key of this.#table.keys()) {
      const digest = keyDigest(key);
      const entry = this.#table.get(key);
      const place = entry === undefined ? undefined : placeOf(entry);
      if (digest !== undefined && place !== undefined) yield [digest, place];
    }
  }

  /** Removes packs of which nothing is left. */
  sweep(): void {
    if (this.#doubtful.size === 0) return;
    this.#env.commit();
    for (const [, { pack }] of this.#entries()) this.#doubtful.delete(pack);
    for (const pack of this.#doubtful) {
      this.#packs.delete(pack);
      this.#size -= this.#unpacked.get(pack)?.raw ?? 0;
      this.#unpacked.delete(pack);
    }
    this.#doubtful.clear();
  }

  write(): void {
    for (const [digest, place] of this.#waiting) {
      const key = digestKey(digest);
      if (place === null) this.#table.remove(key);
      else this.#table.put(key, entryOf(place));
    }
  }

  clear(): void {
    this.#waiting.clear();
  }
}

function entryOf({ touched, size, raw, pack }: Place): Buffer {
  const entry = Buffer.allocUnsafe(ENTRY_BYTES);
  entry.writeDoubleLE(touched);
  entry.writeUInt32LE(size, 8);
  entry.writeUInt32LE(raw, 12);
  entry.write(pack, 16, 'hex');
  return entry;
}

function placeOf(entry: Buffer): Place | undefined {
  const pack = entry.length === ENTRY_BYTES ? keyDigest(entry.subarray(16)) : undefined;
  if (pack === undefined) return undefined;
  return { touched: entry.readDoubleLE(), size: entry.readUInt32LE(8), raw: entry.readUInt32LE(12), pack };
}
