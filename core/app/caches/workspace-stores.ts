/**
 * The stores that tasks use: the configured cache folder, or, where that cannot be used, memory, which costs the answers
 * and nothing else. Opened when they are first needed.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FlecheError, messageOf } from '../../base/errors.ts';
import { type AbsPath, escapes, toAbs, toRel } from '../../base/paths.ts';
import type { SyncCallStore } from '../../store/calls.ts';
import { CACHE_FOLDER, layoutOf, runsFile } from '../../store/layout.ts';
import type { LeaseStore } from '../../store/leases.ts';
import { openLmdb } from '../../store/lmdb/lmdb.ts';
import { openLeases } from '../../store/lmdb/lmdb-leases.ts';
import { MemoryCallStore, MemoryStateStore, MemoryValueStore } from '../../store/memory.ts';
import { MemoryLeases } from '../../store/memory-leases.ts';
import { SELF } from '../../store/owner.ts';
import type { StateStore } from '../../store/state.ts';
import type { FileValueStore } from '../../store/values.ts';
import type { SharedCacheSpec } from '../config/caches/cache-spec.ts';
import type { Config } from '../config/load.ts';

export interface WorkspaceStores {
  readonly values: FileValueStore;
  readonly calls: SyncCallStore;
  readonly state: StateStore;
  /** Opens the leases when they are first asked for. Where that cannot be done they are this process's own. */
  readonly leases: () => LeaseStore;
  /** Makes visible what other processes have filed meanwhile. */
  readonly refresh: () => void;
  /** For logs of running tasks and code that is run; it is there. */
  readonly tempDir: AbsPath;
  /** For files of people that stand in the way of outputs; made by whoever needs it. */
  readonly trashDir: AbsPath;
  /** Where it is noted how runs went; undefined where nothing is kept. */
  readonly runsFile: string | undefined;
  readonly close: () => Promise<void>;
}

interface StoreOptions {
  /** Told what went wrong beside the answers. */
  readonly onTrouble: (message: string) => void;
  /** Whether a cache that cannot be used is an error. */
  readonly strict: boolean;
  /** ms since the epoch. */
  readonly now: () => number;
}

/** How long another process on another machine may stay silent before its task is taken over, ms. */
const LEASE_TTL = 30_000;

/**
 * The folder of the cache that tasks use, or undefined for one in memory. Of a stack it is the first member. Throws
 * `CONFIG_INVALID` for a storage that cannot keep output files.
 */
export function cacheFolder({ caches, defaults }: Pick<Config, 'caches' | 'defaults'>): AbsPath | undefined {
  let spec = caches.get(defaults.cache);
  if (spec?.kind === 'stack') spec = caches.get(spec.members[0] ?? '');
  if (spec?.kind === 'single' && spec.storage.type === 'Lmdb') return spec.storage.root;
  if (spec?.kind === 'single' && (spec.storage.type === 'Memory' || spec.storage.type === 'Void')) return undefined;
  throw new FlecheError('CONFIG_INVALID', `tasks cannot use the cache "${spec?.name ?? defaults.cache}"`, {
    at: spec?.at,
    hint:
      spec?.kind === 'shared'
        ? 'Put it into a stack behind a cache of this machine: [caches.team] stack = ["local", "shared"].'
        : 'The cache of tasks, or the first of a stack, must have the type "Lmdb", "Memory" or "Void".',
  });
}

/** The shared caches of the stack that tasks use, in their order. */
export function sharedCaches({ caches, defaults }: Pick<Config, 'caches' | 'defaults'>): readonly SharedCacheSpec[] {
  const spec = caches.get(defaults.cache);
  if (spec?.kind !== 'stack') return [];
  return spec.members.map((name) => caches.get(name)).filter((member) => member?.kind === 'shared');
}

/** Opens the stores. Throws `STORE_UNUSABLE` under `strict`. */
export function openStores(config: Config, options: StoreOptions): WorkspaceStores {
  const folder = cacheFolder(config);
  const home = toAbs(config.root, CACHE_FOLDER);
  if (folder === undefined) return memoryStores(home, options);
  try {
    return isOwn(config.root, folder) ? ownStores(folder, options) : sharedStores(folder, home, options);
  } catch (error) {
    if (options.strict || !(error instanceof FlecheError) || error.code !== 'STORE_UNUSABLE') throw error;
    options.onTrouble(`${error.message}; nothing is kept`);
    return memoryStores(home, options);
  }
}

/** Whether nobody but this project has its cache there. */
function isOwn(root: AbsPath, folder: AbsPath): boolean {
  return !escapes(toRel(root, folder));
}

/** Everything in one folder. */
function ownStores(folder: AbsPath, { onTrouble, strict, now }: StoreOptions): WorkspaceStores {
  const { values, calls, state, tmpDir, trashDir, refresh, close } = openLmdb(folder, { onTrouble, now });
  mkdirSync(tmpDir, { recursive: true });
  let leases: LeaseStore | undefined;
  return {
    values,
    calls,
    state,
    leases() {
      if (leases !== undefined) return leases;
      try {
        leases = openLeases(folder, { now, ttlMs: LEASE_TTL, onTrouble });
      } catch (error) {
        if (strict) throw error;
        onTrouble(`other processes cannot be heard of: ${messageOf(error)}`);
        leases = new MemoryLeases(SELF, { now, ttlMs: LEASE_TTL });
      }
      return leases;
    },
    refresh,
    tempDir: toAbs(folder, tmpDir),
    trashDir: toAbs(folder, trashDir),
    runsFile: runsFile(layoutOf(folder)),
    async close() {
      await leases?.close();
      await close();
    },
  };
}

/** Answers in a folder that other projects use too; what this workspace remembers of itself in its own. */
function sharedStores(folder: AbsPath, home: AbsPath, options: StoreOptions): WorkspaceStores {
  const shared = openLmdb(folder, options);
  const own = ownStores(home, options);
  return {
    ...own,
    values: shared.values,
    calls: shared.calls,
    refresh() {
      shared.refresh();
      own.refresh();
    },
    async close() {
      await shared.close();
      await own.close();
    },
  };
}

function newTempDir(): string {
  try {
    return mkdtempSync(join(tmpdir(), 'fleche-'));
  } catch (error) {
    throw new FlecheError('STORE_UNUSABLE', `there is no place for temporary files: ${messageOf(error)}`, {
      hint: 'Let TMPDIR name a folder that can be written, or free some space there.',
      cause: error,
    });
  }
}

function memoryStores(home: AbsPath, { now }: StoreOptions): WorkspaceStores {
  const leases = new MemoryLeases(SELF, { now, ttlMs: LEASE_TTL });
  const tempDir = toAbs(home, newTempDir());
  return {
    values: new MemoryValueStore(now),
    calls: new MemoryCallStore(),
    state: new MemoryStateStore(),
    leases: () => leases,
    refresh: () => {},
    tempDir,
    trashDir: toAbs(home, 'trash'),
    runsFile: undefined,
    async close() {
      rmSync(tempDir, { recursive: true, force: true });
    },
  };
}
