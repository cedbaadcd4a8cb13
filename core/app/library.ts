/**
 * Where the memoised functions of a program get their caches: from the configuration around its working folder, as the
 * command would read it there; and where its shelves are. The composition root of the library; nothing is read before a
 * cache is first needed.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { BaseCache } from '../call/caches/base-cache.ts';
import { ReservedCaches } from '../call/caches/reserved-caches.ts';
import type { CacheResolver } from '../call/context.ts';
import type { CodeFinder } from '../call/memo/function/code-finder.ts';
import type { Collector } from '../call/metadata.ts';
import type { Run, RunOptions } from '../graph/run-once.ts';
import type { Watcher, WatchOptions } from '../graph/watch/watch-events.ts';
import { type ShelfHost, systemHost, userCacheFolder } from '../store/shelf-host.ts';
import { isCachingOn } from './caches/cache-switch.ts';
import { ConfiguredCaches } from './caches/caches.ts';
import { loadSettings } from './config/settings.ts';
import { CodeOnDemand } from './library-code.ts';
import { runProject } from './run.ts';
import { watchProject } from './watch.ts';

/** Reads the configuration at the first question. Without one, answers are kept in memory, which is told once. */
class CachesOnDemand implements CacheResolver {
  #caches: CacheResolver | undefined;

  /** Throws `ConfigErrors` for a configuration with faults, each time until it is right. */
  #resolver(): CacheResolver {
    this.#caches ??= configured();
    return this.#caches;
  }

  get isConfigured(): boolean {
    return this.#resolver().isConfigured ?? true;
  }

  named(name: string): BaseCache {
    return this.#resolver().named(name);
  }

  standard(): BaseCache {
    return this.#resolver().standard();
  }

  collectors(): readonly Collector[] {
    return this.#resolver().collectors();
  }
}

function configured(): CacheResolver {
  const { env } = process;
  const home = env['HOME'] || env['USERPROFILE'] || homedir();
  const settings = loadSettings(process.cwd(), { home, xdgConfigHome: env['XDG_CONFIG_HOME'] });
  const warn = (message: string): void => process.emitWarning(message, 'FlecheWarning');
  return settings.files.length === 0 ? new ReservedCaches(warn) : new ConfiguredCaches(settings, warn, env);
}

/**
 * Brings tasks of a project up to date. A failed task is an outcome. Rejects with what is wrong with the configuration
 * (`CONFIG_…`, `USAGE`), and with `STORE_UNUSABLE` under `strict`.
 */
export function run(options: RunOptions = {}): Promise<Run> {
  return runProject(options, { cwd: process.cwd(), env: process.env });
}

/** Begins to watch a project. What is wrong with it is thrown to who iterates. */
export function watch(options: WatchOptions = {}): Watcher {
  return watchProject(options, { cwd: process.cwd(), env: process.env });
}

/** The caches of this process. */
export const libraryCaches: CacheResolver = new CachesOnDemand();

/** What the functions of this process are made of. */
export const libraryCode: CodeFinder = new CodeOnDemand(
  () => join(userCacheFolder(process.env, process.platform, homedir()), 'fleche', 'code'),
  performance.timeOrigin,
);

/** Where the shelves of this process are that are given no folder. */
export const libraryHost: ShelfHost = systemHost(process.env);

/** Whether the environment of this process lets its functions use caches. */
export function isCachingWanted(): boolean {
  return isCachingOn(process.env);
}
