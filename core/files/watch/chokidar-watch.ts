/**
 * One watched folder by chokidar: what the system tells of it is told at once. What is in the folder, and what is below
 * it, is not looked at here. Loaded when watching begins.
 */
import { FSWatcher } from 'chokidar';
import type { AbsPath } from '../../base/paths.ts';
import type { FolderWatch } from './folder-watches.ts';

/**
 * chokidar would look at each file of a folder at the beginning and for every event in it, 130 ms of processor time among
 * 10 000 files, to find out what happened; here whoever is told finds out by himself. Should chokidar come to read folders
 * in another way, this only costs that time.
 */
class UnreadFolder extends FSWatcher {
  override _readdirp(): undefined {
    return undefined;
  }
}

export function openChokidar(
  folder: AbsPath,
  onEvent: (type: string, name: string | null) => void,
  onError: (error: unknown) => void,
): FolderWatch {
  const watcher = new UnreadFolder({ depth: 0, ignoreInitial: true, atomic: false, followSymlinks: false });
  const { promise: ready, resolve } = settled();
  watcher.once('ready', resolve);
  watcher.on('raw', (type, name: string | null, details) => {
    if (isAbout(details, folder)) onEvent(type, name);
  });
  watcher.on('error', onError);
  watcher.add(folder);
  const close = (): void => {
    void watcher.close();
    resolve();
  };
  return { ready, close };
}

function settled(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** chokidar waits for a folder that is gone by watching the one around it, which is told of elsewhere. */
function isAbout(details: unknown, folder: AbsPath): boolean {
  const isObject = typeof details === 'object' && details !== null && 'watchedPath' in details;
  return isObject && details.watchedPath === folder;
}
