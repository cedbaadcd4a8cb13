/**
 * Watches folders with all wanted folders below them, one watch of the system each, and tells places where something
 * happened. What happened is not told: whoever is told looks for himself, after the turn of the event loop.
 *
 * Nothing is missed of a folder that comes to be: its watch begins before it is read, and what happened in it earlier is
 * covered by the folder itself being told in the same turn. (chokidar reads first and watches then, and loses for good what
 * comes to be in between: its issue 1471. It also looks at every file of a folder for each event in it.)
 */
import { existsSync, type FSWatcher, readdirSync, watch } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { AbsPath } from '../base/paths.ts';
import { isGone, lookAt } from './look.ts';

export interface FolderListener {
  /** Something may have happened at this place, or below it. */
  happened(place: AbsPath): void;
  /** A folder where watching began is gone, and was told as a place. */
  lost(folder: AbsPath): void;
  /** A folder that is there cannot be watched. */
  failed(error: unknown): void;
}

/** One watch of the system. Throws what makes it impossible. */
export type OpenWatch = (
  folder: AbsPath,
  onEvent: (type: string, name: string | null) => void,
  onError: (error: unknown) => void,
) => Pick<FSWatcher, 'close'>;

/** A folder that is watched. */
interface Watched {
  readonly watch: Pick<FSWatcher, 'close'>;
  /** What tells the folder from another one of the same name. */
  readonly identity: string;
  /** Names of the folders in it that are watched. */
  readonly below: Set<string>;
}

export class FolderWatches {
  readonly #wants: (folder: AbsPath) => boolean;
  readonly #listener: FolderListener;
  readonly #openWatch: OpenWatch;
  readonly #watched = new Map<AbsPath, Watched>();
  /** Folders where watching begins. */
  readonly #roots = new Set<AbsPath>();
  #isClosed = false;

  constructor(wants: (folder: AbsPath) => boolean, listener: FolderListener, openWatch: OpenWatch = openNodeWatch) {
    this.#wants = wants;
    this.#listener = listener;
    this.#openWatch = openWatch;
  }

  /** Watches a folder and all wanted folders below it, as long as there is one. When this returns nothing is missed. */
  begin(folder: AbsPath): void {
    this.#roots.add(folder);
    this.#open(folder);
  }

  close(): void {
    this.#isClosed = true;
    for (const { watch } of this.#watched.values()) watch.close();
    this.#watched.clear();
  }

  #open(folder: AbsPath): void {
    // A stack of our own, for folders can be nested more deeply than calls.
    const folders = [folder];
    for (let next = folders.pop(); next !== undefined && !this.#isClosed; next = folders.pop()) {
      const identity = identityOf(next);
      const known = this.#watched.get(next);
      if (identity === undefined || known?.identity === identity) continue;
      if (known !== undefined) this.#forget(next);
      for (const name of this.#openOne(next, identity)) folders.push(join(next, name) as AbsPath);
    }
  }

  /** Watches one folder, and then reads which folders in it are to be watched too. */
  #openOne(folder: AbsPath, identity: string): readonly string[] {
    try {
      const watch = this.#openWatch(
        folder,
        (type, name) => this.#onEvent(folder, type, name),
        (error) => this.#onError(folder, error),
      );
      this.#watched.set(folder, { watch, identity, below: new Set() });
      this.#watched.get(dirname(folder) as AbsPath)?.below.add(basename(folder));
      const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
      return folders.map(({ name }) => name).filter((name) => this.#wants(join(folder, name) as AbsPath));
    } catch (error) {
      this.#onError(folder, error);
      return [];
    }
  }

  /** What goes away while it is looked at is told by the folder that it was in. */
  #onError(folder: AbsPath, error: unknown): void {
    if (this.#isClosed) return;
    if (isGone(error) || identityOf(folder) === undefined) this.#drop(folder);
    else this.#listener.failed(error);
  }

  #onEvent(folder: AbsPath, type: string, name: string | null): void {
    if (this.#isClosed) return;
    if (name === null || name === '') return this.#reopen(folder);
    const place = join(folder, name) as AbsPath;
    this.#listener.happened(place);
    if (type !== 'rename') return;
    this.#check(place);
    // A folder that goes away says so under its own name, as does what is in it under the same name.
    if (name === basename(folder) && !existsSync(place)) this.#reopen(folder);
  }

  /** Begins to watch what has become a folder that is wanted, and no longer watches what was one. */
  #check(place: AbsPath): void {
    const identity = identityOf(place);
    const known = this.#watched.get(place);
    if (known !== undefined && known.identity !== identity) this.#drop(place);
    if (identity === undefined || known?.identity === identity) return;
    if (this.#roots.has(place) || this.#wants(place)) this.#open(place);
  }

  /** Begins anew: the watch may be dead although there is a folder. */
  #reopen(folder: AbsPath): void {
    this.#drop(folder);
    this.#open(folder);
  }

  #drop(folder: AbsPath): void {
    this.#forget(folder);
    this.#listener.happened(folder);
    if (this.#roots.has(folder) && identityOf(folder) === undefined) this.#listener.lost(folder);
  }

  #forget(folder: AbsPath): void {
    this.#watched.get(dirname(folder) as AbsPath)?.below.delete(basename(folder));
    const folders = [folder];
    for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
      const known = this.#watched.get(next);
      if (known === undefined) continue;
      this.#watched.delete(next);
      known.watch.close();
      for (const name of known.below) folders.push(join(next, name) as AbsPath);
    }
  }
}

/**
 * What tells a folder from another one of the same path; undefined if there is none that can be looked at. The number of
 * a file that is gone is soon given to another one, so the time of birth belongs to it.
 */
function identityOf(folder: AbsPath): string | undefined {
  try {
    const stats = lookAt(folder);
    return stats?.isDirectory() === true ? `${stats.dev} ${stats.ino} ${stats.birthtimeMs}` : undefined;
  } catch {
    // The folder that it is in may no longer be entered, which is told of that folder.
    return undefined;
  }
}

const openNodeWatch: OpenWatch = (folder, onEvent, onError) => {
  const watcher = watch(folder, onEvent);
  watcher.on('error', onError);
  return watcher;
};
