/**
 * Walks the workspace for what a pattern list can match, and notes every folder it read: as long as none of them has
 * other names in it, another walk would find the same. fast-glob walks, `Globs` decides: of what fast-glob itself would find
 * names with a line break are missing. Links met on the way are found but not followed.
 */
import { type Dirent, readdirSync, type Stats } from 'node:fs';
import { createRequire } from 'node:module';
import { FlecheError } from '../../base/errors.ts';
import { type Digest, sha256 } from '../../base/hash.ts';
import { byCodeUnit } from '../../base/order.ts';
import { type AbsPath, pathIn, type RelPath, toRel } from '../../base/paths.ts';
import type { Globs } from '../globs/globs.ts';
import { isReserved } from '../globs/reserved.ts';
import { isGone, lookAt, lookThrough, placeOf, unreadable } from '../look.ts';
import { type PathState, stateOf } from '../states/path-states.ts';
import { isRacy, statKey } from '../states/stat-key.ts';

/** A path that matches. `dir` is a folder, empty or not. */
export interface Found {
  readonly path: RelPath;
  readonly kind: 'file' | 'link' | 'dir';
}

export interface Scan {
  /** Sorted by path, each once. */
  readonly found: readonly Found[];
  /** Sockets, pipes and devices that match. */
  readonly odd: readonly RelPath[];
  /** Every folder that was read (`dir`), and every place a pattern names where nothing is (`absent`). */
  readonly folders: readonly PathState[];
  /** What stood at paths that patterns name, as far as something did. */
  readonly named: ReadonlyMap<RelPath, Stats>;
}

interface ScanOptions {
  /** Whether a folder that the fixed part of a pattern names is read even if it is a link. */
  readonly through: boolean;
  readonly clock: () => number;
}

/** Digest of the names in a folder with nothing in it. */
export const EMPTY_FOLDER: Digest = sha256('');

/** What is in a folder, with the digest of names and kinds; reserved folders that no pattern enters do not count. */
interface FolderEntries {
  readonly entries: readonly Dirent[];
  readonly digest: Digest;
}

/** Walks. Throws `INPUT_UNREADABLE` with the path of a folder that cannot be read or a name that is not UTF-8. */
export function scan(root: AbsPath, globs: Globs, options: ScanOptions): Scan {
  return new Walk(root, globs, options).result();
}

/** The names in a folder, or undefined if it is none. A link to a folder is one. */
export function entriesIn(root: AbsPath, folder: RelPath, globs: Globs): FolderEntries | undefined {
  let all: Dirent[];
  try {
    all = readdirSync(placeOf(root, folder), { withFileTypes: true });
  } catch (error) {
    if (isGone(error)) return undefined;
    throw unreadable(folder, error);
  }
  const entries = all.filter(({ name }) => !isReserved(name) || globs.enters(pathIn(folder, name)));
  const lines = entries.map((entry) => `${kindOf(entry)?.[0] ?? 'o'}${entry.name}\0`);
  return { entries, digest: sha256(lines.sort(byCodeUnit).join('')) };
}

/** What is remembered of a folder that was looked at before its names were read. */
export function folderState(path: RelPath, looked: Stats, digest: Digest, at: number): PathState {
  const key = statKey(looked);
  return { path, kind: 'dir', key, digest, trusted: !isRacy(key, at), target: '' };
}

type FastGlob = Pick<typeof import('fast-glob'), 'sync'>;

declare const FLECHE_FAST_GLOB: string | undefined;

let loaded: FastGlob | undefined;

/** Loading takes longer than most walks, so it waits until there is a folder to walk. In a build it is a file of its own. */
function fastGlob(): FastGlob {
  const name = typeof FLECHE_FAST_GLOB === 'string' ? FLECHE_FAST_GLOB : 'fast-glob';
  loaded ??= createRequire(import.meta.url)(name) as FastGlob;
  return loaded;
}

class Walk {
  readonly #root: AbsPath;
  readonly #globs: Globs;
  readonly #options: ScanOptions;
  readonly #found = new Map<RelPath, Found>();
  readonly #folders = new Map<RelPath, PathState>();
  readonly #named = new Map<RelPath, Stats>();
  readonly #odd: RelPath[] = [];

  constructor(root: AbsPath, globs: Globs, options: ScanOptions) {
    this.#root = root;
    this.#globs = globs;
    this.#options = options;
  }

  result(): Scan {
    for (const base of this.#globs.bases) {
      if (!this.#folders.has(base) && this.#isFolder(base)) this.#walk(base);
    }
    const found = [...this.#found.values()].sort((a, b) => byCodeUnit(a.path, b.path));
    return { found, odd: this.#odd, folders: [...this.#folders.values()], named: this.#named };
  }

  /** Looks at a path that a pattern names; true if it is to be walked. */
  #isFolder(base: RelPath): boolean {
    const place = placeOf(this.#root, base);
    const stats = lookAt(place);
    if (stats === undefined) {
      this.#folders.set(base, stateOf(base, 'absent'));
      return false;
    }
    this.#named.set(base, stats);
    this.#take(base, stats);
    if (stats.isDirectory()) return true;
    if (this.#options.through && stats.isSymbolicLink() && lookThrough(place)?.isDirectory() === true) return true;
    // Something else stands where a folder is expected; that one is not there.
    if (!this.#found.has(base)) this.#folders.set(base, stateOf(base, 'absent'));
    return false;
  }

  /** Of a folder without folders to enter there is nothing to walk. */
  #walk(base: RelPath): void {
    const cwd = placeOf(this.#root, base);
    const first = this.#read(cwd);
    if (first.length === 0) return;
    const read = (place: string): Dirent[] => (place === cwd ? first : this.#read(place));
    fastGlob().sync('**', {
      cwd,
      dot: true,
      followSymbolicLinks: false,
      fs: { readdirSync: read as unknown as typeof readdirSync },
    });
  }

  /** Stands in for readdir: notes the folder, takes what matches, and tells of the folders in which something can match. */
  #read(place: string): Dirent[] {
    const folder = toRel(this.#root, place);
    const at = this.#options.clock();
    const looked = lookThrough(place as AbsPath);
    const names = looked?.isDirectory() === true ? entriesIn(this.#root, folder, this.#globs) : undefined;
    if (looked === undefined) refuseMangled(folder);
    if (looked === undefined || names === undefined) return [];
    this.#folders.set(folder, folderState(folder, looked, names.digest, at));
    return names.entries.filter((entry) => {
      const path = pathIn(folder, entry.name);
      const isFolder = entry.isDirectory();
      if (isFolder && !this.#enters(path)) return false;
      this.#take(path, entry);
      return isFolder;
    });
  }

  /** A pattern that leads outside the root does not lead back in: what the root's folder is called does not matter. */
  #enters(folder: RelPath): boolean {
    return this.#globs.enters(folder) && placeOf(this.#root, folder) !== this.#root;
  }

  #take(path: RelPath, stats: Kinds): void {
    if (!this.#globs.matches(path)) return;
    const kind = kindOf(stats);
    if (kind === undefined) {
      this.#odd.push(path);
      return;
    }
    if (isMangled(path) && lookAt(placeOf(this.#root, path)) === undefined) refuseMangled(path);
    this.#found.set(path, { path, kind });
  }
}

/** Stands in a name for what is not valid UTF-8; under such a name nothing can be found. */
const MANGLED = '\ufffd';

/** Whether a name may stand for one that is not valid UTF-8. */
export function isMangled(path: string): boolean {
  return path.includes(MANGLED);
}

/** To be called of a name under which nothing is found although it was read from a folder. */
function refuseMangled(path: RelPath): void {
  if (!isMangled(path)) return;
  throw new FlecheError('INPUT_UNREADABLE', `the name of ${path} is not valid UTF-8`, {
    hint: 'Rename it, or take it out with a pattern that begins with "!".',
  });
}

/** What `Stats` and `Dirent` have in common. */
type Kinds = Pick<Stats, 'isFile' | 'isDirectory' | 'isSymbolicLink'>;

function kindOf(stats: Kinds): Found['kind'] | undefined {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'dir';
  return stats.isSymbolicLink() ? 'link' : undefined;
}
