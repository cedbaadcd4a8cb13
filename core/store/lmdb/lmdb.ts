/**
 * A cache folder (normally `.fleche`): values, records and state in one LMDB environment, with large blobs as files
 * beside it. Opened by one process as often as it likes and by many processes at once, on a local file system.
 */
import type { SyncCallStore } from '../calls.ts';
import { layoutOf } from '../layout.ts';
import type { StateStore } from '../state.ts';
import type { FileValueStore } from '../values.ts';
import { LmdbCalls } from './lmdb-calls.ts';
import { LmdbEnv } from './lmdb-env.ts';
import { LmdbState } from './lmdb-state.ts';
import { LmdbValues } from './lmdb-values.ts';
import { Visibility } from './visibility.ts';

export interface LmdbOptions {
  /** Told in one sentence, at most once for each kind of trouble, what went wrong beside the answers. Must not throw. */
  readonly onTrouble: (message: string) => void;
  /** ms since the epoch. */
  readonly now?: () => number;
  /** Puts and deletions then throw `CACHE_READ_ONLY`, state is not kept, and a folder that is not there is empty. */
  readonly readOnly?: boolean;
  /** One that is not there is made when something is written first, which is 20 ms less for who only looks into it. */
  readonly isMadeLater?: boolean;
}

/** The stores of one folder. Closing one of them writes what waits; only `close` here closes the folder. */
export interface LmdbStores {
  readonly values: FileValueStore;
  readonly calls: SyncCallStore;
  readonly state: StateStore;
  /** As given. */
  readonly root: string;
  /** For files in the making. These folders are made with the cache, and may have been removed since. */
  readonly tmpDir: string;
  readonly logsDir: string;
  /** What was set aside instead of being deleted. Not there until something was. */
  readonly trashDir: string;
  /** Writes what waits. On return it has survived a crash of the process, and a power cut as far as the disk tells. */
  flush(): void;
  /** Makes visible what a process wrote that started and ended within this turn of the event loop. */
  refresh(): void;
  /** Calls back once other processes can see what was put before, or it is lost. Must not throw. */
  whenVisible(then: () => void): void;
  /**
   * Writes what waits and gives the files back. Afterwards nothing is found and nothing is kept. Does not wait until large
   * blobs are on the disk: a power cut may take the last of them, which will be absent then.
   */
  close(): Promise<void>;
}

/**
 * Opens the cache in `root` (absolute), making it if it is not there. A damaged one is set aside and told of. Throws
 * `STORE_UNUSABLE` where no cache can be: no permission, a full disk, not a folder, no binary for this platform.
 */
export function openLmdb(root: string, options: LmdbOptions): LmdbStores {
  const { onTrouble, now = Date.now, readOnly = false, isMadeLater = false } = options;
  const layout = layoutOf(root);
  const env = new LmdbEnv(layout, { onTrouble, now, readOnly, isMadeLater });
  // In the order in which they are written: values before the records that name them.
  const values = new LmdbValues(env);
  const calls = new LmdbCalls(env);
  const state = new LmdbState(env);
  const visibility = new Visibility();
  env.join(visibility);
  return {
    values,
    calls,
    state,
    root,
    tmpDir: layout.tmp,
    logsDir: layout.logs,
    trashDir: layout.trash,
    flush: () => {
      values.flush();
      visibility.clear();
    },
    refresh: () => env.refresh(),
    whenVisible: (then) => visibility.add(then),
    close: () => {
      env.commit();
      visibility.clear();
      return env.close();
    },
  };
}
