/**
 * A values store in one HDF5 file, for values that are to be looked at with the tools of science: any of them shows the
 * blobs below `/values` and their names below `/names` (see `hdf5-file.ts`). The optional peer package `h5wasm` is loaded
 * when a blob is first read or written; until then answers are promises, so a synchronous function can be memoised on this
 * store only after `ready()`.
 *
 * HDF5 has no transactions, so every write makes a new file and renames it over the old one, under a lease that other
 * processes wait for. What is put is found here at once, and is written with all that waits at the end of the turn, at
 * `flush`, and at the end of the process; writing takes at most a fifth of the time. What a killed process had not written
 * is absent. A file that is damaged is set aside by the next write, as `<file>.damaged-<time>`, and costs its answers.
 *
 * 1 000 values of 300 bytes with a name each: 0.6 s to put in one turn (plain files: 0.7 s), 0.1 to 0.2 s to get (plain files:
 * 0.02 s), 0.9 MB; one more put and flush is 22 ms, removing one 0.5 s. For a write copies the file, and one that takes a value
 * away or turns a name makes every value anew: not for many puts in small portions, for files of more than some 100 MB, or
 * where nobody looks into them. A value of 400 MB takes 2.5 GB of memory while it is put.
 */
import { mkdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Awaitable, chain, isPromise } from '../../base/awaitable.ts';
import { asDigest, type Digest } from '../../base/hash.ts';
import { byCodeUnit } from '../../base/order.ts';
import { REFRESH_AFTER } from '../folder/blob-files.ts';
import { notWritten } from '../folder/digest-files.ts';
import type { FolderOptions } from '../folder/folder-values.ts';
import { holdSync } from '../hold.ts';
import type { LeaseStore } from '../leases.ts';
import { openLeases } from '../lmdb/lmdb-leases.ts';
import { onProcessEnd } from '../process-end.ts';
import { type BlobInfo, type ValueStore, verified } from '../values.ts';
import { Changes } from './hdf5-changes.ts';
import { Hdf5File } from './hdf5-file.ts';
import { type Hdf5, loadedHdf5, loadHdf5 } from './hdf5-library.ts';
import { changeFile } from './hdf5-rewrite.ts';

const FILE = 'values.h5';
/** A root that ends so is the file. */
const FILE_NAME = /\.(?:h5|hdf5)$/i;
/** Other writers are waited for this long, ms. */
const LONGEST_WAIT = 30_000;
/** Between two looks whether another process still writes, ms. */
const NEXT_LOOK = 20;
/** Of leases held on other machines, ms; on this one a dead holder is noticed at once. */
const LEASE_TTL = 60_000;
/** After a write nothing is written for this many times as long as it took. */
const PAUSE = 4;
/** What waits is written when it is more than this many bytes. */
const MOST_WAITING = 64 << 20;

/** Rejects with `PEER_MISSING` without `h5wasm`, and with `STORE_UNUSABLE` when the file cannot be written. */
export class Hdf5ValueStore implements ValueStore {
  /** The file. */
  readonly location: string;
  readonly #now: () => number;
  #leases: LeaseStore | undefined;
  /** The file as last seen, and what told it from others; without `file` it is damaged. */
  #seen: { readonly identity: string; readonly file: Hdf5File | undefined } | undefined;
  #waiting = new Changes();
  #timer: NodeJS.Timeout | undefined;
  #pause = 0;
  /** What went wrong with a write that nobody asked for. */
  #failure: unknown;
  #unlisten: (() => void) | undefined;

  /** `root` is a folder, or a file whose name ends with `.h5` or `.hdf5`. */
  constructor({ root, now = Date.now }: FolderOptions) {
    this.location = FILE_NAME.test(root) ? root : join(root, FILE);
    this.#now = now;
  }

  /** Loads the package: from then on the store answers at once. */
  async ready(): Promise<void> {
    await loadHdf5();
  }

  has(digest: Digest): Awaitable<boolean> {
    return this.#asked(false, (library) => this.#has(library, asDigest(digest)));
  }

  #has(library: Hdf5, digest: Digest): boolean {
    return (
      this.#waiting.put.has(digest) ||
      (this.#file(library)?.values.has(digest) && !this.#waiting.deleted.has(digest)) === true
    );
  }

  get(digest: Digest): Awaitable<Uint8Array | undefined> {
    asDigest(digest);
    return this.#asked(undefined, (library) => {
      if (!this.#has(library, digest)) return undefined;
      const waiting = this.#waiting.put.get(digest);
      const bytes = verified(
        digest,
        waiting === undefined ? this.#file(library)?.read(digest) : new Uint8Array(waiting),
      );
      // What is there is not it, and must not keep a good one from being put.
      if (bytes === undefined) this.#delete(library, digest);
      return bytes;
    });
  }

  put(digest: Digest, bytes: Uint8Array): Awaitable<void> {
    asDigest(digest);
    return chain(loadHdf5(), (library) => {
      this.#prepare();
      if (!this.#has(library, digest)) this.#waiting.add(digest, new Uint8Array(bytes), this.#now());
      else this.#refresh(library, digest);
      this.#changed(library);
    });
  }

  #refresh(library: Hdf5, digest: Digest): void {
    const touched = this.#touched(library, digest);
    if (this.#now() - touched >= REFRESH_AFTER) this.#waiting.touched.set(digest, this.#now());
  }

  #touched(library: Hdf5, digest: Digest): number {
    return this.#waiting.touched.get(digest) ?? this.#file(library)?.touched(digest) ?? 0;
  }

  delete(digest: Digest): Awaitable<boolean> {
    asDigest(digest);
    return this.#asked(false, (library) => this.#delete(library, digest));
  }

  #delete(library: Hdf5, digest: Digest): boolean {
    const there = this.#has(library, digest);
    if (there) {
      this.#waiting.remove(digest);
      this.#changed(library);
    }
    return there;
  }

  alias(value: Digest, blob: Digest): Awaitable<void> {
    asDigest(value);
    return chain(loadHdf5(), (library) => {
      this.#prepare();
      if (this.#target(library, value) === blob) return;
      this.#waiting.names.set(value, asDigest(blob));
      this.#changed(library);
    });
  }

  target(value: Digest): Awaitable<Digest | undefined> {
    return this.#asked(undefined, (library) => this.#target(library, asDigest(value)));
  }

  #target(library: Hdf5, value: Digest): Digest | undefined {
    const { names } = this.#waiting;
    return names.has(value) ? names.get(value) : this.#file(library)?.target(value);
  }

  unalias(value: Digest): Awaitable<boolean> {
    return this.#asked(false, (library) => {
      if (!this.#names(library).has(asDigest(value))) return false;
      this.#waiting.names.set(value, undefined);
      this.#changed(library);
      return true;
    });
  }

  #names(library: Hdf5): Set<Digest> {
    const names = new Set(this.#file(library)?.names);
    for (const [name, blob] of this.#waiting.names) {
      if (blob === undefined) names.delete(name);
      else names.add(name);
    }
    return names;
  }

  /** Sizes are those of the content, which has to be read for them. */
  list(): AsyncIterable<BlobInfo> | Iterable<BlobInfo> {
    return listed(this.#asked<Iterable<BlobInfo>>([], (library) => this.#list(library)));
  }

  *#list(library: Hdf5): Generator<BlobInfo, void, undefined> {
    for (const digest of new Set([...(this.#file(library)?.values ?? []), ...this.#waiting.put.keys()])) {
      if (!this.#has(library, digest)) continue;
      const bytes = this.#waiting.put.get(digest) ?? this.#file(library)?.read(digest);
      yield { digest, size: bytes?.length ?? 0, touched: this.#touched(library, digest) };
    }
  }

  aliases(): AsyncIterable<readonly [Digest, Digest]> | Iterable<readonly [Digest, Digest]> {
    return listed(this.#asked<Iterable<readonly [Digest, Digest]>>([], (library) => this.#aliases(library)));
  }

  *#aliases(library: Hdf5): Generator<readonly [Digest, Digest], void, undefined> {
    for (const name of this.#names(library)) {
      const blob = this.#target(library, name);
      if (blob !== undefined) yield [name, blob];
    }
  }

  matching(prefix: string, limit: number): Awaitable<readonly Digest[]> {
    return this.#asked<readonly Digest[]>([], (library) => {
      const found = [...this.#names(library)].filter((name) => name.startsWith(prefix));
      return found.sort(byCodeUnit).slice(0, limit);
    });
  }

  /** Writes what waits. Throws `STORE_UNUSABLE` if that, or a write before, failed; what waited is lost then. */
  flush(): Awaitable<void> {
    const library = loadedHdf5();
    if (library !== undefined) this.#write(library);
    this.#tell();
  }

  /** What cannot be written any more is absent; `flush` tells. */
  close(): Awaitable<void> {
    const library = loadedHdf5();
    if (library !== undefined) this.#try(() => this.#write(library));
    this.#unlisten?.();
    this.#unlisten = undefined;
    this.#forget();
    const leases = this.#leases;
    this.#leases = undefined;
    return leases?.close();
  }

  /** Answers at once about a store that has nothing, and when the package is loaded. */
  #asked<T>(nothing: T, answer: (library: Hdf5) => T): Awaitable<T> {
    if (loadedHdf5() === undefined && identityOf(this.location) === undefined) return nothing;
    return chain(loadHdf5(), answer);
  }

  /** The file as it is now; undefined if there is none or it is damaged. */
  #file(library: Hdf5): Hdf5File | undefined {
    const identity = identityOf(this.location);
    if (identity === undefined || identity !== this.#seen?.identity) {
      this.#forget();
      if (identity !== undefined) this.#seen = { identity, file: opened(library, this.location) };
    }
    return this.#seen?.file;
  }

  #forget(): void {
    this.#seen?.file?.close();
    this.#seen = undefined;
  }

  /** Finds out before something is taken in whether it can be written, and tells of what could not. */
  #prepare(): void {
    this.#tell();
    this.#lockable();
  }

  /** Throws what went wrong when nobody was asking, once. */
  #tell(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
  }

  #lockable(): LeaseStore {
    if (this.#leases !== undefined) return this.#leases;
    const folder = dirname(this.location);
    try {
      mkdirSync(folder, { recursive: true });
      this.#leases = openLeases(folder, { now: this.#now, ttlMs: LEASE_TTL });
      return this.#leases;
    } catch (error) {
      throw notWritten(folder, error);
    }
  }

  #changed(library: Hdf5): void {
    if (this.#waiting.bytes > MOST_WAITING) return this.#write(library);
    const end = (): void => this.#try(() => this.#write(library));
    this.#unlisten ??= onProcessEnd({ idle: end, exit: end });
    // The end of the process is told: it need not stay alive for this.
    this.#timer ??= setTimeout(() => this.#writeSoon(library), this.#pause).unref();
  }

  /** Writes unless another process does, and then later: nobody is to be kept waiting. */
  #writeSoon(library: Hdf5): void {
    this.#timer = undefined;
    this.#try(() => {
      if (!this.#isWritten(library, 0)) this.#timer = setTimeout(() => this.#writeSoon(library), NEXT_LOOK).unref();
    });
  }

  /** Keeps what goes wrong for the next who asks. */
  #try(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#failure = error;
    }
  }

  #write(library: Hdf5): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isWritten(library, LONGEST_WAIT)) return;
    this.#waiting = new Changes();
    const reason = `another process has been writing for ${LONGEST_WAIT / 1000} s`;
    throw notWritten(dirname(this.location), new Error(reason));
  }

  /** False if another process kept writing. What cannot be written waits no longer. */
  #isWritten(library: Hdf5, waitMs: number): boolean {
    if (this.#waiting.isEmpty) return true;
    const held = holdSync(this.#lockable(), basename(this.location), { now: this.#now, waitMs });
    if (held === undefined) return false;
    const began = performance.now();
    const changes = this.#waiting;
    this.#waiting = new Changes();
    // Windows does not replace a file that is open.
    this.#forget();
    try {
      changeFile(library, this.location, changes);
      return true;
    } catch (error) {
      throw notWritten(dirname(this.location), error);
    } finally {
      held.release();
      this.#pause = PAUSE * (performance.now() - began);
    }
  }
}

/** Tells a file from every other that ever had its name; undefined if there is none. */
function identityOf(path: string): string | undefined {
  try {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stat?.isFile() ? [stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(' ') : undefined;
  } catch {
    return undefined;
  }
}

function opened(library: Hdf5, path: string): Hdf5File | undefined {
  try {
    return new Hdf5File(library, path);
  } catch {
    // Damaged: the next write sets it aside.
    return undefined;
  }
}

function listed<T>(answer: Awaitable<Iterable<T>>): AsyncIterable<T> | Iterable<T> {
  return isPromise(answer) ? later(answer) : answer;
}

async function* later<T>(answer: Promise<Iterable<T>>): AsyncGenerator<T, void, undefined> {
  yield* await answer;
}
