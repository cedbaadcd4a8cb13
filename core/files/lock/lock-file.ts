/**
 * What the lock file at the root of a project installs for each of its packages. As long as the lock file stays as it is,
 * slices are known from the state store without reading it.
 */
import { readFileSync } from 'node:fs';
import { type Digest, sha256 } from '../../base/hash.ts';
import { type AbsPath, type RelPath, toAbs } from '../../base/paths.ts';
import type { StateStore } from '../../store/state.ts';
import type { InputListing, Workspace } from '../inputs/workspace.ts';
import { isGone, lookAt, placeOf } from '../look.ts';
import { isRacy, statKey } from '../states/stat-key.ts';
import { filesBeside, LOCK_FILES, manifestsBehind, readLock } from './formats.ts';
import type { Member } from './lock.ts';

interface LockSlice {
  readonly digest: Digest;
  /** A line for each installed package: name, version and more, separated by tabs. */
  text(): string;
  readonly listing: InputListing;
}

interface LockFileOptions {
  readonly root: AbsPath;
  readonly workspace: Workspace;
  readonly state: StateStore;
  /** ms since the epoch, by the clock that stamps files. */
  readonly clock: () => number;
  /** The root and the packages, as their manifests are. */
  readonly members: readonly Member[];
  /** Told when a lock file is read that cannot be told apart, once for each content. */
  readonly warn: (message: string) => void;
}

/** The lock file that counts, and the digest of all that its slices depend on. */
interface LockContent {
  readonly path: RelPath;
  readonly digest: Digest;
}

/** What is known of one listing of lock files. */
interface Known {
  readonly listing: InputListing;
  readonly content: LockContent | undefined;
  readonly slices: Map<RelPath, LockSlice>;
}

const NOTHING_HIDDEN = (): boolean => false;

export class LockFile {
  readonly #options: LockFileOptions;
  /** What was last listed, and how the files looked that vouch for it. */
  #listed: { readonly vouching: string; readonly listing: InputListing } | undefined;
  #known: Known | undefined;
  /** The last lock file that was read. */
  #read: { readonly digest: Digest; readonly slice: (folder: RelPath) => string } | undefined;

  constructor(options: LockFileOptions) {
    this.#options = options;
  }

  /** Everything that is looked at, there or not. */
  get paths(): readonly RelPath[] {
    return LOCK_FILES.flatMap((path) => [path, ...filesBeside(path, this.#options.members)]);
  }

  /**
   * What is installed for the package in `folder`, and for the root, whose tools every package can run. Of a lock file that
   * cannot be told apart it is all. Undefined if there is no lock file.
   */
  slice(folder: RelPath): LockSlice | undefined {
    const listing = this.#listing();
    if (this.#known?.listing !== listing) {
      this.#known = { listing, content: this.#contentIn(listing), slices: new Map() };
    }
    const { content, slices } = this.#known;
    if (content === undefined) return undefined;
    const known = slices.get(folder) ?? this.#slice(folder, content, listing);
    slices.set(folder, known);
    return known;
  }

  #contentIn(listing: InputListing): LockContent | undefined {
    const digests = new Map<RelPath, Digest>();
    for (const entry of listing.tree.entries) {
      if ((entry.kind === 'file' || entry.kind === 'link') && entry.digest !== null)
        digests.set(entry.path, entry.digest);
    }
    const path = LOCK_FILES.find((name) => digests.has(name));
    return path === undefined ? undefined : { path, digest: this.#digestOf(path, (one) => digests.get(one)) };
  }

  /** Of all that a slice depends on. */
  #digestOf(path: RelPath, digestAt: (path: RelPath) => Digest | undefined): Digest {
    const { members } = this.#options;
    const beside = filesBeside(path, members).map((one) => `\0${one}\0${digestAt(one) ?? ''}`);
    return sha256(`f2${path}\0${digestAt(path) ?? ''}\0${manifestsBehind(path, members) ?? ''}${beside.join('')}`);
  }

  #slice(folder: RelPath, { path, digest: content }: LockContent, listing: InputListing): LockSlice {
    const { state } = this.#options;
    const text = (): string => this.#text(path, content, folder);
    const name = `lock/${folder}`;
    const known = state.get(name);
    const of = Buffer.from(content, 'hex');
    if (known?.length === 64 && of.equals(known.subarray(0, 32))) {
      return { digest: Buffer.from(known.subarray(32)).toString('hex') as Digest, text, listing };
    }
    const digest = sha256(text());
    if (this.#read?.digest === content) state.put(name, Buffer.concat([of, Buffer.from(digest, 'hex')]));
    return { digest, text, listing };
  }

  /** All tasks ask for it: while the files have their stat keys they are listed once. */
  #listing(): InputListing {
    const { root, workspace, clock, members } = this.#options;
    const at = clock();
    const path = LOCK_FILES.find((one) => lookAt(placeOf(root, one)) !== undefined);
    const beside = path === undefined ? [] : filesBeside(path, members);
    const looks = [...(path === undefined ? [] : [path]), ...beside].map((one) => lookAt(placeOf(root, one)));
    const keys = looks.map((stats) => (stats === undefined ? undefined : statKey(stats)));
    const vouching = JSON.stringify([path, beside, keys]);
    if (this.#listed?.vouching === vouching) return this.#listed.listing;
    const listing = workspace.inputs([...LOCK_FILES, ...beside], NOTHING_HIDDEN);
    const isTrusted = looks.every((stats) => stats?.isFile() ?? true) && keys.every((key) => !key || !isRacy(key, at));
    this.#listed = isTrusted && path !== undefined ? { vouching, listing } : undefined;
    return listing;
  }

  #text(path: RelPath, content: Digest, folder: RelPath): string {
    if (this.#read?.digest === content) return this.#read.slice(folder);
    const { members, warn } = this.#options;
    const files = new Map<string, Buffer | undefined>();
    for (const one of [path, ...filesBeside(path, members)]) files.set(one, this.#bytesAt(one));
    const fileAt = (one: string): string | undefined => files.get(one)?.toString();
    const { slice, trouble } = readLock(path, files.get(path) ?? '', { members, fileAt });
    const digest = this.#digestOf(path, (one) => {
      const bytes = files.get(one);
      return bytes === undefined ? undefined : sha256(bytes);
    });
    this.#read = { digest, slice };
    if (trouble !== undefined) warn(trouble);
    return slice(folder);
  }

  #bytesAt(path: RelPath): Buffer | undefined {
    try {
      return readFileSync(toAbs(this.#options.root, path));
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }
}
