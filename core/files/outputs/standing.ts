/**
 * What some tasks wrote, as another task finds it: whether it is what it should be when the other begins, and whether it
 * was left alone until the other has ended. Looks, and changes nothing.
 */
import { readlinkSync } from 'node:fs';
import type { AbsPath, RelPath } from '../../base/paths.ts';
import { lookAt, placeOf } from '../look.ts';
import { type Content, type Glimpse, readContent } from '../states/contents.ts';
import type { FileClock } from '../states/file-clock.ts';
import type { PathState } from '../states/path-states.ts';
import { isExecutable, sameKey, statKey } from '../states/stat-key.ts';
import type { TreeEntry } from '../trees/tree.ts';

interface StandingContext {
  readonly root: AbsPath;
  /** What was last known of a path; its key vouches for its content. */
  known(path: RelPath): PathState | undefined;
  readonly clock: FileClock;
}

type FileEntry = TreeEntry & { readonly kind: 'file' };

export class Standing {
  /** Paths that are not as the entries say, in the order of the entries. */
  readonly wrong: readonly RelPath[];
  readonly #context: StandingContext;
  readonly #entries: readonly TreeEntry[];
  /** Files that were found right. */
  readonly #seen = new Map<RelPath, Content>();

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
        if (stats?.isFile() !== true || stats.size !== entry.size) return false;
        const content = this.#contentOf(entry, place, { stats, at });
        if (content?.digest !== entry.digest || isExecutable(content.key) !== entry.executable) return false;
        this.#seen.set(entry.path, content);
        return true;
      }
    }
  }

  #contentOf({ path, digest }: FileEntry, place: AbsPath, seen: Glimpse): Content | undefined {
    const known = this.#context.known(path);
    const isSame = known?.digest === digest && known.trusted && known.key !== null && sameKey(known.key, seen.stats);
    return isSame ? { key: statKey(seen.stats), digest, trusted: true } : readContent(place, this.#context.clock, seen);
  }

  #isUntouched(entry: TreeEntry): boolean {
    if (entry.kind !== 'file') return this.#isRight(entry);
    const seen = this.#seen.get(entry.path);
    const place = placeOf(this.#context.root, entry.path);
    const stats = lookAt(place);
    if (seen === undefined || stats?.isFile() !== true) return false;
    const { key } = seen;
    if (key.mtime !== stats.mtimeMs || key.size !== stats.size || key.ino !== stats.ino) return false;
    if (sameKey(key, stats) && seen.trusted) return true;
    // Moved away and back, or written and its time put back: what was read in between is not known.
    if (key.ctime !== stats.ctimeMs && key.mode === stats.mode && stats.nlink === 1) return false;
    // A link to it was made, its mode was set, or it is too young to be sure.
    return (
      isExecutable(statKey(stats)) === entry.executable &&
      readContent(place, this.#context.clock)?.digest === entry.digest
    );
  }
}
