/**
 * Watches the folders of a workspace and tells the paths where something happened. What happened is not told: whoever is
 * told looks for himself. Only folders are watched; the system tells of the files in them, which takes a tenth of the
 * watches and misses no change of mode or time. Where watching is not possible, "anything" is told at intervals.
 */
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf, systemCode } from '../../base/errors.ts';
import { type AbsPath, escapes, type RelPath, toAbs } from '../../base/paths.ts';
import { FolderWatches, type OpenWatch } from './folder-watches.ts';
import { gitLock } from './git-lock.ts';
import { WatchPlaces, type WatchScope } from './watch-places.ts';

export interface WatchListener {
  /** Something may have happened at this path, or below it. */
  path(path: RelPath): void;
  /** The same of a folder that came to be, is gone, or is another one. */
  folder(path: RelPath): void;
  /** Anything may have happened. */
  anything(): void;
  /** Watching does not work as it should; in a sentence with a way out. */
  trouble(message: string): void;
}

/** Where paths come from that may have changed. */
export interface WatchSource {
  /**
   * Watches what is in the scope. Resolves when all of it is watched; true if some of it was not before, so that
   * something may have happened there unnoticed.
   */
  follow(scope: WatchScope): Promise<boolean>;
  /** A mark of the lock of who is changing many files just now, each lock one of its own; undefined if there is none. */
  lock(): string | undefined;
  close(): Promise<void>;
}

export interface WatcherOptions {
  /** Real path. */
  readonly root: AbsPath;
  readonly listener: WatchListener;
  /** Watches nothing and tells "anything" at this interval, ms. */
  readonly poll?: number | undefined;
  /** How one folder is watched; by default by chokidar. */
  readonly openWatch?: OpenWatch;
}

/** The interval where watching turns out to be impossible, ms. */
export const POLL_INTERVAL = 500;
/** Time until a folder where watching should begin is looked for again, ms. */
const LOOK_AGAIN = 500;

export class Watcher implements WatchSource {
  readonly #root: AbsPath;
  readonly #listener: WatchListener;
  readonly #openWatch: OpenWatch | undefined;
  readonly lock: () => string | undefined;
  #scope: WatchScope | undefined;
  #folders: FolderWatches | undefined;
  #poll: NodeJS.Timeout | undefined;
  #looking: NodeJS.Timeout | undefined;
  /** One beginning after the other. */
  #turn: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor({ root, listener, poll, openWatch }: WatcherOptions) {
    this.#root = root;
    this.#listener = listener;
    this.#openWatch = openWatch;
    this.lock = gitLock(root);
    if (poll !== undefined) this.#startPolling(poll);
    else this.#refuseRemote();
  }

  async follow(scope: WatchScope): Promise<boolean> {
    const isCovered = this.#scope !== undefined && covers(this.#scope, scope);
    if (this.#isClosed || this.#poll !== undefined || isCovered) return false;
    this.#scope = scope;
    await this.#begin(scope);
    return true;
  }

  /** Watches anew, and only then no longer as before, so that nothing is missed in between. */
  #begin(scope: WatchScope): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      const openWatch = this.#openWatch ?? (await import('./chokidar-watch.ts')).openChokidar;
      if (this.#isClosed || this.#poll !== undefined) return;
      const before = this.#folders;
      const places = new WatchPlaces(this.#root, scope);
      const listener = {
        happened: (place: AbsPath) => {
          for (const path of places.pathsOf(place)) this.#listener.path(path);
        },
        replaced: (folder: AbsPath) => {
          for (const path of places.pathsOf(folder)) this.#listener.folder(path);
        },
        lost: () => this.#beginAgain(0),
        failed: (error: unknown) => this.#onError(error),
      };
      const folders = new FolderWatches((folder) => places.wants(folder), listener, openWatch);
      this.#folders = folders;
      await Promise.all(places.folders.map((folder) => folders.begin(folder)));
      before?.close();
    });
    return this.#turn;
  }

  /** A folder where watching began is gone: it begins further up, or, without the root, as soon as that is there. */
  #beginAgain(ms: number): void {
    clearTimeout(this.#looking);
    this.#looking = setTimeout(() => {
      if (this.#isClosed || this.#poll !== undefined || this.#scope === undefined) return;
      if (!existsSync(this.#root)) return this.#beginAgain(LOOK_AGAIN);
      void this.#begin(this.#scope).then(() => this.#listener.anything());
    }, ms);
  }

  #onError(error: unknown): void {
    if (this.#isClosed || this.#poll !== undefined) return;
    const obstacle = obstacleOf(error);
    if (obstacle === undefined) {
      this.#listener.trouble(`watching went wrong (${messageOf(error)}); everything is looked at again`);
      this.#listener.anything();
    } else {
      this.#listener.trouble(
        `${obstacle.what}; everything is looked at every ${POLL_INTERVAL} ms instead: ${obstacle.remedy}, or choose this with --poll`,
      );
      this.#startPolling(POLL_INTERVAL);
    }
  }

  #refuseRemote(): void {
    const name = remoteKind(this.#root);
    if (name === undefined) return;
    this.#listener.trouble(
      `this folder is on ${name}, which does not tell of changes made elsewhere; everything is looked at every ${POLL_INTERVAL} ms (see --poll)`,
    );
    this.#startPolling(POLL_INTERVAL);
  }

  #startPolling(interval: number): void {
    this.#folders?.close();
    this.#poll = setInterval(() => this.#listener.anything(), interval);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#poll);
    clearTimeout(this.#looking);
    this.#folders?.close();
  }
}

/** Whether all folders of a scope are watched under another one. */
function covers(before: WatchScope, scope: WatchScope): boolean {
  for (const text of scope.patterns) if (!before.patterns.has(text)) return false;
  const links = new Set(before.links);
  const paths = new Set(before.paths);
  const isCovered = (path: RelPath): boolean => {
    const folder = dirname(path) as RelPath;
    return paths.has(path) || (!escapes(path) && (folder === '.' || before.enters(folder)));
  };
  return scope.links.every((link) => links.has(link)) && scope.paths.every(isCovered);
}

/** What makes watching impossible, and what can be done about it; undefined for what does not. */
function obstacleOf(error: unknown): { readonly what: string; readonly remedy: string } | undefined {
  switch (systemCode(error)) {
    case 'ENOSPC':
      return {
        what: `the system allows no more watches${limitText('max_user_watches')}`,
        remedy: 'raise fs.inotify.max_user_watches',
      };
    case 'EMFILE':
    case 'ENFILE':
      return {
        what: `the system allows no more open files or watchers${limitText('max_user_instances')}`,
        remedy: 'raise the limit (ulimit -n, fs.inotify.max_user_instances)',
      };
    case 'EACCES':
    case 'EPERM':
      return { what: `a folder may not be watched (${messageOf(error)})`, remedy: 'set its permissions' };
    default:
      return undefined;
  }
}

function limitText(name: string): string {
  try {
    return ` (fs.inotify.${name} is ${readFileSync(`/proc/sys/fs/inotify/${name}`, 'utf8').trim()})`;
  } catch {
    // Not Linux, or no /proc: the number is only part of the message.
    return '';
  }
}

/** File systems by their magic numbers in statfs(2). */
const REMOTE: ReadonlyMap<number, string> = new Map([
  [0x6969, 'a network file system (NFS)'],
  [0x517b, 'a network file system (SMB)'],
  [0xfe534d42, 'a network file system (SMB)'],
  [0xff534d42, 'a network file system (CIFS)'],
  [0x01021997, 'a file system of another machine (9p)'],
  [0x00c36400, 'a network file system (Ceph)'],
  [0x0bd00bd0, 'a network file system (Lustre)'],
]);

function remoteKind(root: AbsPath): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return REMOTE.get(statfsSync(toAbs(root, '.')).type);
  } catch {
    return undefined;
  }
}
