/**
 * What some tasks wrote, as another task finds it: whether it is what it should be when the other begins, and whether it
 * was left alone until the other has ended. Looks, and changes nothing.
 */
import { readlinkSync, type Stats } from 'node:fs';
import type { AbsPath, RelPath } from '../../base/paths.ts';
import { lookAt, placeOf } from '../look.ts';
import { readContent } from '../states/contents.ts';
import type { PathState } from '../states/path-states.ts';
import { isExecutable, isRacy, type StatKey, sameKey, statKey } from '../states/stat-key.ts';
import type { TreeEntry } from '../trees/tree.ts';

interface StandingContext {
  readonly root: AbsPath;
  /** What was last known of a path; its key vouches for its content. */
  known(path: RelPath): PathState | undefined;
  readonly clock: () => number;
}

type FileEntry = TreeEntry & { readonly kind: 'file' };

/** A file as it was found right. `racy`: it may change without its key telling. */
interface Seen {
  readonly key: StatKey;
  readonly racy: boolean;
}

export class Standing {
  /** Paths that are not as the entries say, in the order of the entries. */
  readonly wrong: readonly RelPath[];
  readonly #context: StandingContext;
  readonly #entries: readonly TreeEntry[];
  readonly #seen = new Map<RelPath, Seen>();

  constructor(entries: readonly TreeEntry[], context: StandingContext) {
    this.#context = context;
    this.#entries = entries;
    this.wrong = entries.filter((entry) => !this.#isRight(entry)).map(({ path }) => path);
  }

  /**
   * Paths that are no longer as the entries say, or were written since this was made even if they are right again: what
   * was read in between is not known. In the order of the entries.
   */
  changes(): readonly RelPath[] {
    return this.#entries.filter((entry) => !this.#isUntouched(entry)).map(({ path }) => path);
  }

  #isRight(entry: TreeEntry): boolean {
    const place = placeOf(this.#context.root, entry.path);
    const at = this.#context.clock();
    const stats = lookAt(place);
    switch (entry.kind) {
      case 'absent':
        return stats === undefined;
      case 'dir':
        return stats?.isDirectory() === true;
      case 'link':
        return stats?.isSymbolicLink() === true && readlinkSync(place) === entry.target;
      case 'file': {
        if (stats?.isFile() !== true) return false;
        const key = statKey(stats);
        if (isExecutable(key) !== entry.executable || !this.#hasContent(entry, place, stats)) return false;
        this.#seen.set(entry.path, { key, racy: isRacy(key, at) });
        return true;
      }
    }
  }

  #hasContent({ path, size, digest }: FileEntry, place: AbsPath, stats: Stats): boolean {
    if (stats.size !== size) return false;
    const known = this.#context.known(path);
    if (known?.digest === digest && known.trusted && known.key !== null && sameKey(known.key, stats)) return true;
    return readContent(place, this.#context.clock)?.digest === digest;
  }

  #isUntouched(entry: TreeEntry): boolean {
    if (entry.kind !== 'file') return this.#isRight(entry);
    const seen = this.#seen.get(entry.path);
    const place = placeOf(this.#context.root, entry.path);
    const stats = lookAt(place);
    if (seen === undefined || stats?.isFile() !== true) return false;
    const { key } = seen;
    if (key.mtime !== stats.mtimeMs || key.size !== stats.size || key.ino !== stats.ino) return false;
    if (sameKey(key, stats) && !seen.racy) return true;
    // Moved away and back, or written and its time put back: what was read in between is not known.
    if (key.ctime !== stats.ctimeMs && key.mode === stats.mode && stats.nlink === 1) return false;
    // A link to it was made, its mode was set, or it is too young to be sure.
    return (
      isExecutable(statKey(stats)) === entry.executable &&
      readContent(place, this.#context.clock)?.digest === entry.digest
    );
  }
}
