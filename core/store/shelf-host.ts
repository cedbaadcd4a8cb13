/** The machine as the shelves see it: folders, stores, time and the end of the process. Reads no environment. */
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { folderName } from '../base/folder-name.ts';
import { haveShelves, openShelves } from './lmdb/lmdb-shelves.ts';
import { type EndListener, onProcessEnd } from './process-end.ts';
import type { ShelfStore } from './shelf-store.ts';

export interface ShelfHost extends Clock {
  /** The folder (absolute) of a manager: in `dir`, or where managers are that are given none. */
  folderOf(manager: string, dir: string | undefined): string;
  /** Whether something is kept in the folder. */
  exists(folder: string): boolean;
  /** Opens what is kept in the folder, making it if it is not there. Throws `STORE_UNUSABLE`. */
  open(folder: string, onTrouble: (message: string) => void): ShelfStore;
  onEnd(listener: EndListener): () => void;
}

/** The longest that a timer of Node can wait, ms. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Time that does not keep the process alive. */
const clock: Clock = {
  now: () => performance.now(),
  after(ms, call) {
    // A call that comes too early is told by the clock that it did.
    const timer = setTimeout(call, Math.min(ms, LONGEST_TIMER)).unref();
    return () => clearTimeout(timer);
  },
};

/** Environment variables that say where the user's caches are. */
interface FolderVariables {
  readonly XDG_CACHE_HOME?: string | undefined;
  readonly LOCALAPPDATA?: string | undefined;
}

/** This machine. Managers that are given no folder are kept in the user's own folder for caches. */
export function systemHost(variables: FolderVariables): ShelfHost {
  return {
    ...clock,
    folderOf(manager, dir) {
      const parent = dir ?? join(userCacheFolder(variables, process.platform, homedir()), 'fleche', 'shelves');
      return resolve(parent, folderName(manager));
    },
    exists: haveShelves,
    open: openShelves,
    onEnd: onProcessEnd,
  };
}

/** The user's own folder for caches, by the custom of the system; a relative `XDG_CACHE_HOME` says nothing. */
export function userCacheFolder(variables: FolderVariables, platform: NodeJS.Platform, home: string): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = variables;
  if (XDG_CACHE_HOME && isAbsolute(XDG_CACHE_HOME)) return XDG_CACHE_HOME;
  if (platform === 'win32') return LOCALAPPDATA || join(home, 'AppData', 'Local');
  return platform === 'darwin' ? join(home, 'Library', 'Caches') : join(home, '.cache');
}
