/**
 * Watches the folders of a workspace and tells the paths where something happened. What happened is not told: whoever is
 * told looks for himself. Only folders are watched; the system tells of the files in them, which takes a tenth of the
 * watches and misses no change of mode or time. Where watching is not possible, "anything" is told at intervals.
 *
 * Of a folder that comes to be, or is replaced, it is not known when its watch begins; so it is told again some times.
 */
import { readFileSync, statfsSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import type { FSWatcher } from 'chokidar';
import { messageOf, systemCode } from '../base/errors.ts';
import { type AbsPath, escapes, type RelPath, toAbs } from '../base/paths.ts';
import { lookAt } from './look.ts';
import { WatchPlaces, type WatchScope } from './watch-places.ts';

export interface WatchListener {
  /** Something may have happened at this path, or below it. */
  path(path: RelPath): void;
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
  close(): Promise<void>;
}

export interface WatcherOptions {
  /** Real path. */
  readonly root: AbsPath;
  readonly listener: WatchListener;
  /** Watches nothing and tells "anything" at this interval, ms. */
  readonly poll?: number | undefined;
  /** Loads chokidar 5 or 6. */
  readonly load?: () => Promise<Pick<typeof import('chokidar'), 'watch'>>;
}

/** The interval where watching turns out to be impossible, ms. */
export const POLL_INTERVAL = 500;
/** When a folder that is new, or was replaced, is told again, ms. */
const LOOKS: readonly number[] = [30, 120, 500, 1500];

export class Watcher implements WatchSource {
  readonly #root: AbsPath;
  readonly #listener: WatchListener;
  readonly #load: () => Promise<Pick<typeof import('chokidar'), 'watch'>>;
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Folders whose watch is dead, unless chokidar noticed by itself. */
  readonly #replaced = new Set<string>();
  #scope: WatchScope | undefined;
  #places: WatchPlaces | undefined;
  #watcher: FSWatcher | undefined;
  #poll: number | undefined;
  #turn: Promise<void> = Promise.resolve();
  #closed = false;

  constructor({ root, listener, poll, load = () => import('chokidar') }: WatcherOptions) {
    this.#root = root;
    this.#listener = listener;
    this.#load = load;
    if (poll !== undefined) this.#startPolling(poll);
    else this.#refuseRemote();
  }

  async follow(scope: WatchScope): Promise<boolean> {
    if (this.#closed || this.#poll !== undefined || (this.#scope !== undefined && covers(this.#scope, scope))) {
      return false;
    }
    this.#scope = scope;
    await this.#beginInTurn();
    return true;
  }

  #beginInTurn(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#begin());
    return this.#turn;
  }

  /** Watches anew beside the watcher that there is, which then ends, so that nothing is missed in between. */
  async #begin(): Promise<void> {
    const { watch } = await this.#load();
    if (this.#closed || this.#scope === undefined) return;
    const places = new WatchPlaces(this.#root, this.#scope);
    const watcher = watch([...places.folders], {
      ignoreInitial: true,
      atomic: false,
      followSymlinks: false,
      ignored: (path, stats) => (stats === undefined || stats.isDirectory() ? !places.wants(path) : true),
    });
    const before = this.#watcher;
    this.#watcher = watcher;
    this.#places = places;
    watcher.on('raw', (_, name: string | null, details) => this.#onRaw(name, details));
    watcher.on('addDir', (path) => this.#onFolder(path));
    watcher.on('unlinkDir', (path) => {
      this.#replaced.delete(path);
      this.#tell(path);
    });
    watcher.on('error', (error) => this.#onError(error));
    await new Promise<void>((resolve) => {
      watcher.once('ready', resolve);
      this.#onPolling = resolve;
    });
    await before?.close();
  }

  /** Called when polling begins while the watcher is not ready. */
  #onPolling: () => void = () => {};

  #onRaw(name: string | null, details: unknown): void {
    const folder = watchedPath(details);
    if (folder === undefined) return;
    if (name === null || name === '') this.#tell(folder);
    else if (isAbsolute(name)) this.#tell(name);
    else if (name !== basename(folder)) this.#tell(join(folder, name));
    else {
      // A watched folder that goes away says so under its own name, as does what is in it under the same name. If there is
      // another folder at once, chokidar may take it for the one before, whose watch is dead.
      this.#tell(folder);
      this.#onGone(folder);
    }
  }

  #onGone(folder: string): void {
    this.#replaced.add(folder);
    for (const delay of LOOKS) this.#after(delay, () => this.#revive(folder));
  }

  #revive(folder: string): void {
    if (!this.#replaced.has(folder)) return;
    const isThere = lookAt(folder as AbsPath)?.isDirectory() === true;
    if (isThere) {
      this.#watcher?.unwatch(folder).add(folder);
      this.#onFolder(folder);
    } else if (this.#places?.folders.includes(folder as AbsPath)) {
      // Watching began here; now it must begin further up.
      this.#replaced.delete(folder);
      void this.#beginInTurn().then(() => this.#listener.anything());
    }
  }

  /** A folder that is watched from a moment on that is not known. */
  #onFolder(folder: string): void {
    this.#replaced.delete(folder);
    this.#tell(folder);
    for (const delay of LOOKS) this.#after(delay, () => this.#tell(folder));
  }

  #tell(place: string): void {
    for (const path of this.#places?.pathsOf(place) ?? []) this.#listener.path(path);
  }

  #after(delay: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, delay);
    this.#timers.add(timer);
  }

  #onError(error: unknown): void {
    if (this.#closed || this.#poll !== undefined) return;
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
    this.#poll = interval;
    this.#onPolling();
    const watcher = this.#watcher;
    this.#watcher = undefined;
    void watcher?.close();
    const timer = setInterval(() => this.#listener.anything(), interval);
    this.#timers.add(timer);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#onPolling();
    await this.#watcher?.close();
  }
}

function watchedPath(details: unknown): string | undefined {
  const isObject = typeof details === 'object' && details !== null && 'watchedPath' in details;
  return isObject && typeof details.watchedPath === 'string' ? details.watchedPath : undefined;
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
