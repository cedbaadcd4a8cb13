/**
 * What the lock file at the root of a project installs for each of its packages. As long as the lock file stays as it is,
 * slices are known from the state store without reading it.
 */
import { readFileSync } from 'node:fs';
import { type Digest, sha256 } from '../base/hash.ts';
import { type AbsPath, normalRel, type RelPath, toAbs } from '../base/paths.ts';
import type { StateStore } from '../store/state.ts';
import { lookAt, placeOf } from './look.ts';
import { npmSlice } from './npm-lock.ts';
import { isRacy, type StatKey, sameKey, statKey } from './stat-key.ts';
import type { InputListing, Workspace } from './workspace.ts';

/** Where package managers write down what they install; the first that is there counts. */
export const LOCK_FILES: readonly RelPath[] = [
  'npm-shrinkwrap.json',
  'package-lock.json',
  'pnpm-lock.yaml',
  'yarn.lock',
  'bun.lock',
].map(normalRel);

export interface LockSlice {
  readonly digest: Digest;
  /** A line for each installed package: name, version and more, separated by tabs. */
  text(): string;
  readonly listing: InputListing;
}

interface LockContent {
  readonly path: RelPath;
  readonly digest: Digest;
}

/** What is known of one listing of lock files. */
class Slices {
  readonly listing: InputListing;
  /** The lock file that counts. */
  readonly file: LockContent | undefined;
  readonly known = new Map<RelPath, LockSlice>();

  constructor(listing: InputListing) {
    this.listing = listing;
    const found = new Map<RelPath, Digest>();
    for (const entry of listing.tree.entries) {
      if ((entry.kind === 'file' || entry.kind === 'link') && entry.digest !== null)
        found.set(entry.path, entry.digest);
    }
    const path = LOCK_FILES.find((name) => found.has(name));
    const digest = path === undefined ? undefined : found.get(path);
    this.file = path === undefined || digest === undefined ? undefined : { path, digest };
  }
}

const NOTHING_HIDDEN = (): boolean => false;
const ROOT = normalRel('.');

export class LockFile {
  readonly #root: AbsPath;
  readonly #workspace: Workspace;
  readonly #state: StateStore;
  readonly #clock: () => number;
  /** What was last listed, and the lock file that vouches for it. */
  #listed: { readonly path: RelPath; readonly key: StatKey; readonly listing: InputListing } | undefined;
  #slices: Slices | undefined;
  /** The last lock file that was read, parsed. */
  #read: { readonly digest: Digest; readonly slice: (folder: RelPath) => string } | undefined;

  /** `clock` gives ms since the epoch, by the clock that stamps files. */
  constructor(root: AbsPath, workspace: Workspace, state: StateStore, clock: () => number) {
    this.#root = root;
    this.#clock = clock;
    this.#workspace = workspace;
    this.#state = state;
  }

  /**
   * What is installed for the package in `folder`, and for the root, whose tools every package can run. Of a lock file that
   * cannot be told apart it is all. Undefined if there is no lock file.
   */
  slice(folder: RelPath): LockSlice | undefined {
    const listing = this.#listing();
    const slices = this.#slices?.listing === listing ? this.#slices : new Slices(listing);
    this.#slices = slices;
    if (slices.file === undefined) return undefined;
    const known = slices.known.get(folder) ?? this.#slice(folder, slices.file, listing);
    slices.known.set(folder, known);
    return known;
  }

  #slice(folder: RelPath, { path, digest: content }: LockContent, listing: InputListing): LockSlice {
    const text = (): string => this.#text(path, content, folder);
    const name = `lock/${folder}`;
    const known = this.#state.get(name);
    const of = Buffer.from(sha256(`f1${path}\0${content}`), 'hex');
    if (known?.length === 64 && of.equals(known.subarray(0, 32))) {
      return { digest: Buffer.from(known.subarray(32)).toString('hex') as Digest, text, listing };
    }
    const digest = sha256(text());
    if (this.#read?.digest === content) this.#state.put(name, Buffer.concat([of, Buffer.from(digest, 'hex')]));
    return { digest, text, listing };
  }

  /** All tasks ask for it: while the lock file has its stat key it is listed once. */
  #listing(): InputListing {
    const at = this.#clock();
    for (const path of LOCK_FILES) {
      const stats = lookAt(placeOf(this.#root, path));
      if (stats === undefined) continue;
      const known = this.#listed;
      if (known?.path === path && sameKey(known.key, stats)) return known.listing;
      const listing = this.#workspace.inputs(LOCK_FILES, NOTHING_HIDDEN);
      const key = statKey(stats);
      this.#listed = stats.isFile() && !isRacy(key, at) ? { path, key, listing } : undefined;
      return listing;
    }
    return this.#workspace.inputs(LOCK_FILES, NOTHING_HIDDEN);
  }

  #text(path: RelPath, content: Digest, folder: RelPath): string {
    if (this.#read?.digest !== content) {
      const bytes = readFileSync(toAbs(this.#root, path));
      this.#read = { digest: sha256(bytes), slice: lockSlice(path, bytes.toString('utf8')) };
    }
    return this.#read.slice(folder);
  }
}

/** The text of a slice, by the folder of its package, of a lock file with this path and content. */
export function lockSlice(path: RelPath, content: string): (folder: RelPath) => string {
  const lock = path.endsWith('.json') ? parsed(content) : undefined;
  const whole = sha256(content);
  return (folder) => {
    const slice = lock === undefined ? undefined : npmSlice(lock, folder === ROOT ? [ROOT] : [ROOT, folder]);
    return (slice ?? [`${path}\t${whole.slice(0, 12)}\t\t${whole}`]).join('\n');
  };
}

/** Undefined for what is no JSON, which counts as a whole like any other lock file that cannot be told apart. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
