/**
 * The stores that tasks use: the configured cache folder, or, where that cannot be used, memory, which costs the answers
 * and nothing else. Opened when they are first needed.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FlecheError } from '../base/errors.ts';
import type { AbsPath } from '../base/paths.ts';
import type { SyncCallStore } from '../store/calls.ts';
import type { LeaseStore } from '../store/leases.ts';
import { openLmdb } from '../store/lmdb.ts';
import { openLeases } from '../store/lmdb-leases.ts';
import { MemoryCallStore, MemoryStateStore, MemoryValueStore } from '../store/memory.ts';
import type { StateStore } from '../store/state.ts';
import type { FileValueStore } from '../store/values.ts';
import type { Config } from './config/load.ts';

export interface WorkspaceStores {
  readonly values: FileValueStore;
  readonly calls: SyncCallStore;
  readonly state: StateStore;
  /** Opens the leases when they are first asked for; undefined where there are none. */
  readonly leases: () => LeaseStore | undefined;
  /** For logs of running tasks and code that is run; it is there. */
  readonly tempDir: AbsPath;
  /** For files of people that stand in the way of outputs; made by whoever needs it. */
  readonly trashDir: AbsPath;
  readonly close: () => Promise<void>;
}

export interface StoreOptions {
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
  if (spec?.kind === 'single' && spec.storage.type === 'Memory') return undefined;
  throw new FlecheError('CONFIG_INVALID', `tasks cannot use the cache "${spec?.name ?? defaults.cache}"`, {
    at: spec?.at,
    hint: 'The cache of tasks, or the first of a stack, must have the type "Lmdb" or "Memory".',
  });
}

/** Opens the stores. Throws `STORE_UNUSABLE` under `strict`. */
export function openStores(config: Config, options: StoreOptions): WorkspaceStores {
  const folder = cacheFolder(config);
  const own = join(config.root, '.fleche') as AbsPath;
  const trashDir = join(own, 'trash') as AbsPath;
  if (folder === undefined) return memoryStores(trashDir, options);
  try {
    return folderStores(folder, own, options);
  } catch (error) {
    if (options.strict || !(error instanceof FlecheError) || error.code !== 'STORE_UNUSABLE') throw error;
    options.onTrouble(`${error.message}; nothing is kept`);
    return memoryStores(trashDir, options);
  }
}

/**
 * `own` is the workspace's own folder: answers may be shared by many workspaces, but what one remembers of itself, and
 * who works in it, is its own.
 */
function folderStores(folder: AbsPath, own: AbsPath, { onTrouble, strict, now }: StoreOptions): WorkspaceStores {
  const answers = openLmdb(folder, { onTrouble, now });
  const memory = folder === own ? answers : openLmdb(own, { onTrouble, now });
  const { values, calls } = answers;
  const { state, tmpDir, trashDir } = memory;
  mkdirSync(tmpDir, { recursive: true });
  let leases: LeaseStore | undefined;
  let opened = false;
  return {
    values,
    calls,
    state,
    leases() {
      if (opened) return leases;
      opened = true;
      try {
        leases = openLeases(own, { now, ttlMs: LEASE_TTL });
      } catch (error) {
        if (strict) throw error;
        onTrouble(`other processes cannot be heard of: ${error instanceof Error ? error.message : String(error)}`);
      }
      return leases;
    },
    tempDir: tmpDir as AbsPath,
    trashDir: trashDir as AbsPath,
    async close() {
      await leases?.close();
      await answers.close();
      if (memory !== answers) await memory.close();
    },
  };
}

function memoryStores(trashDir: AbsPath, { now }: StoreOptions): WorkspaceStores {
  const tempDir = mkdtempSync(join(tmpdir(), 'fleche-')) as AbsPath;
  return {
    values: new MemoryValueStore(now),
    calls: new MemoryCallStore(),
    state: new MemoryStateStore(),
    leases: () => undefined,
    tempDir,
    trashDir,
    async close() {
      rmSync(tempDir, { recursive: true, force: true });
    },
  };
}
