/**
 * Watches folders with all wanted folders below them, one watch of the system each, and tells places where something
 * happened. What happened is not told: whoever is told looks for himself, after the turn of the event loop.
 *
 * Nothing is missed of a folder that comes to be: it is told when its watch and those below it have begun. (Left to
 * itself chokidar 5 reads first and watches then, and loses for good what comes to be in between: its issue 1471.)
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { AbsPath } from '../../base/paths.ts';
import { isGone, lookAt } from '../look.ts';

interface FolderListener {
  /** Something may have happened at this place. */
  happened(place: AbsPath): void;
  /** This folder came to be, is gone, or is another one: anything may have happened below it. */
  replaced(folder: AbsPath): void;
  /** A folder where watching began is gone, and was told as a place. */
  lost(folder: AbsPath): void;
  /** A folder that is there cannot be watched. */
  failed(error: unknown): void;
}

/** The watch of one folder, without what is below it. */
export interface FolderWatch {
  /** Resolves when everything that happens from then on is told, or nothing ever will be. */
  readonly ready: Promise<void>;
  close(): void;
}

export type OpenWatch = (
  folder: AbsPath,
  onEvent: (type: string, name: string | null) => void,
  onError: (error: unknown) => void,
) => FolderWatch;

/** A folder that is watched. */
interface Watched {
  readonly watch: FolderWatch;
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

  constructor(wants: (folder: AbsPath) => boolean, listener: FolderListener, openWatch: OpenWatch) {
    this.#wants = wants;
    this.#listener = listener;
    this.#openWatch = openWatch;
  }

  /** Watches a folder and all wanted folders below it, as long as there is one. Resolves when nothing is missed. */
  begin(folder: AbsPath): Promise<void> {
    this.#roots.add(folder);
    return this.#open(folder);
  }

  close(): void {
    this.#isClosed = true;
    for (const { watch } of this.#watched.values()) watch.close();
    this.#watched.clear();
  }

  async #open(folder: AbsPath): Promise<void> {
    const identity = identityOf(folder);
    const known = this.#watched.get(folder);
    if (this.#isClosed || identity === undefined || known?.identity === identity) return;
    if (known !== undefined) this.#forget(folder);
    try {
      const watched = { watch: this.#openOne(folder), identity, below: new Set<string>() };
      this.#watched.set(folder, watched);
      this.#watched.get(dirname(folder) as AbsPath)?.below.add(basename(folder));
      await watched.watch.ready;
      if (this.#watched.get(folder) !== watched) return;
      if (identityOf(folder) !== identity) return this.#reopen(folder);
      await Promise.all(this.#wantedIn(folder).map((below) => this.#open(below)));
    } catch (error) {
      this.#onError(folder, error);
    }
  }

  #openOne(folder: AbsPath): FolderWatch {
    return this.#openWatch(
      folder,
      (type, name) => this.#onEvent(folder, type, name),
      (error) => this.#onError(folder, error),
    );
  }

  #wantedIn(folder: AbsPath): readonly AbsPath[] {
    const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return folders.map(({ name }) => join(folder, name) as AbsPath).filter((below) => this.#wants(below));
  }

  /** Watches what has come to be, and tells it when nothing below it is missed any more. */
  async #openLate(folder: AbsPath): Promise<void> {
    await this.#open(folder);
    if (!this.#isClosed) this.#listener.replaced(folder);
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
    if (type === 'rename' && this.#isNew(place)) return void this.#openLate(place);
    this.#listener.happened(place);
    // A folder that goes away says so under its own name, as does what is in it under the same name.
    if (type === 'rename' && name === basename(folder) && !existsSync(place)) this.#reopen(folder);
  }

  /** Whether a wanted folder has come to be here. What was watched here before is gone and watched no longer. */
  #isNew(place: AbsPath): boolean {
    const identity = identityOf(place);
    const known = this.#watched.get(place);
    if (known !== undefined && known.identity !== identity) this.#drop(place);
    return identity !== undefined && known?.identity !== identity && (this.#roots.has(place) || this.#wants(place));
  }

  /** Begins anew: the watch may be dead although there is a folder. */
  #reopen(folder: AbsPath): void {
    this.#drop(folder);
    void this.#openLate(folder);
  }

  #drop(folder: AbsPath): void {
    this.#forget(folder);
    this.#listener.replaced(folder);
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
