/**
 * Puts the program together for one project: configuration, graph, stores, workspace, engine. The one place that knows
 * them all. Nothing is opened that is not asked for: the graph needs no cache.
 */
import { existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { FlecheError } from '../base/errors.ts';
import type { AbsPath } from '../base/paths.ts';
import { type LocalSide, sideOfStores } from '../call/shared/local-side.ts';
import { Workspace } from '../files/inputs/workspace.ts';
import { LockFile } from '../files/lock/lock-file.ts';
import { Outputs } from '../files/outputs/outputs.ts';
import { fileClock } from '../files/states/file-clock.ts';
import { CodeIndex } from '../graph/code/code.ts';
import { Engine } from '../graph/engine.ts';
import { TaskGraph } from '../graph/tasks/graph.ts';
import { Writers } from '../graph/tasks/writers.ts';
import { ArrivingValues } from '../store/arriving.ts';
import { scratchFile } from '../store/layout.ts';
import { isCachingOn } from './caches/cache-switch.ts';
import { Refusals } from './caches/refusals.ts';
import { TierLine } from './caches/shared-line.ts';
import { cacheFolder, openStores, sharedCaches, type WorkspaceStores } from './caches/workspace-stores.ts';
import { type Config, loadConfig } from './config/load.ts';
import { CONFIG_FILE } from './config/text/source.ts';
import type { Package, Packages } from './packages/packages.ts';
import type { Environment } from './terminal/style.ts';

export interface OpenOptions {
  /** Absolute; the project is the nearest one around it. */
  readonly cwd: string;
  readonly env: Environment;
  /** A configuration file, or its folder, to be used instead of the nearest; absolute or relative to `cwd`. */
  readonly config: string | undefined;
  /** Makes trouble with the cache an error, as the configuration can too. */
  readonly strict: boolean;
  /** Told what went wrong beside the answers, in a sentence. */
  readonly warn: (message: string) => void;
  /** Whether somebody wants it to end soon: then what is being sent to shared caches is not waited for. */
  readonly isHurried?: () => boolean;
}

export interface Project {
  readonly root: AbsPath;
  readonly config: Config;
  readonly graph: TaskGraph;
  readonly packages: Packages;
  /** The package one is in; undefined in the root or where there are none. */
  readonly here: Package | undefined;
  /** Tasks that are meant when none is named. */
  readonly defaults: readonly string[];
  /** Tasks that may run at once where nothing else is said; undefined for one a processor. */
  readonly jobs: number | undefined;
  /** Where the cache is, or undefined if it is in memory. Throws `CONFIG_INVALID` for one that tasks cannot use. */
  cacheFolder(): AbsPath | undefined;
  /** Opens the cache at the first call. Throws `STORE_UNUSABLE` under `strict`. */
  engine(): Engine;
  /** What tasks wrote here. Opens the cache as `engine` does. */
  outputs(): Outputs;
  /** Where values and records are. Opens the cache as `engine` does. */
  stores(): WorkspaceStores;
  /**
   * The same for who asks about the cache itself. It, and `close`, throw `STORE_UNUSABLE` if it cannot be read or written,
   * strict or not.
   */
  usableStores(): WorkspaceStores;
  /**
   * Takes over the open cache of another project, if this one has the same; the other must not be used any more. Returns
   * whether it did.
   */
  inherit(earlier: Project): boolean;
  /** Tells what went wrong beside the answers, in a sentence. */
  warn(message: string): void;
  /** The shared caches that tasks use, in their order; undefined if there are none. */
  shared(): TierLine | undefined;
  /** ms since the epoch. */
  now(): number;
  /** Writes what waits and closes the cache. Throws `STORE_UNUSABLE` under `strict` if there was any trouble. */
  close(): Promise<void>;
}

/** Finds and reads the project. Throws `CONFIG_NOT_FOUND`, `USAGE`, or `ConfigErrors` with everything that is wrong. */
export function openProject(options: OpenOptions): Project {
  const { env } = options;
  const config = loadConfig(startFolder(options), { home: homeIn(env), xdgConfigHome: env['XDG_CONFIG_HOME'] });
  const tasks = isCachingOn(env) ? config.tasks : uncached(config.tasks);
  return new OpenProject(config, new TaskGraph(tasks), options);
}

/** Where the user-wide configuration is looked for. */
export function homeIn(env: Environment): string {
  return env['HOME'] || env['USERPROFILE'] || homedir();
}

/** The same tasks, none of which is answered from the cache or filed in it. */
function uncached(tasks: Config['tasks']): Config['tasks'] {
  return new Map([...tasks].map(([name, task]) => [name, { ...task, cache: false }]));
}

function startFolder({ cwd, config }: OpenOptions): string {
  if (config === undefined) return cwd;
  const path = resolve(cwd, config);
  const folder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? path : dirname(path);
  if ((folder === path || basename(path) === CONFIG_FILE) && existsSync(resolve(folder, CONFIG_FILE))) return folder;
  throw new FlecheError('USAGE', `--config: there is no project at "${config}"`, {
    hint: `Name a ${CONFIG_FILE}, or the folder of one.`,
  });
}

class OpenProject implements Project {
  readonly config: Config;
  readonly graph: TaskGraph;
  readonly #options: OpenOptions;
  readonly #strict: boolean;
  readonly #troubles: string[] = [];
  /** Whether the cache is not a help, but what was asked for. */
  #isCacheWanted = false;
  #stores: WorkspaceStores | undefined;
  #outputs: Outputs | undefined;
  #arriving: ArrivingValues | undefined;
  #shared: TierLine | undefined;

  constructor(config: Config, graph: TaskGraph, options: OpenOptions) {
    this.config = config;
    this.graph = graph;
    this.#options = options;
    this.#strict = options.strict || config.defaults.strict;
  }

  get root(): AbsPath {
    return this.config.root;
  }

  get packages(): Packages {
    return this.config.packages;
  }

  get here(): Package | undefined {
    return this.config.here;
  }

  get defaults(): readonly string[] {
    return this.config.defaults.tasks;
  }

  get jobs(): number | undefined {
    return this.config.defaults.jobs;
  }

  cacheFolder(): AbsPath | undefined {
    return cacheFolder(this.config);
  }

  engine(): Engine {
    const { root, graph } = this;
    const stores = this.#open();
    const workspace = new Workspace(root, stores.state, this.now);
    const { values, calls, state, tempDir } = stores;
    return new Engine({
      around: {
        root,
        graph,
        writers: new Writers(graph),
        workspace,
        lock: new LockFile({
          root,
          workspace,
          state,
          clock: this.now,
          members: this.packages.members,
          warn: this.#options.warn,
        }),
        outputs: this.outputs(),
        state,
        values,
        code: new CodeIndex(root, state, this.now),
        env: this.#options.env,
        runtime: `node ${process.version} ${process.platform} ${process.arch}`,
      },
      values,
      calls,
      shared: this.shared(),
      get leases() {
        return stores.leases();
      },
      refresh: stores.refresh,
      tempDir,
      now: this.now,
    });
  }

  outputs(): Outputs {
    const { state, trashDir, tempDir } = this.#open();
    this.#outputs ??= new Outputs(this.root, state, this.#values(), {
      trashDir,
      onWarning: this.#options.warn,
      clock: fileClock(this.now, join(tempDir, 'moment')),
    });
    return this.#outputs;
  }

  stores(): WorkspaceStores {
    return this.#open();
  }

  usableStores(): WorkspaceStores {
    this.#isCacheWanted = true;
    return this.#open(true);
  }

  shared(): TierLine | undefined {
    const specs = sharedCaches(this.config);
    if (specs.length === 0) return undefined;
    const { calls, state } = this.#open();
    const values = this.#values();
    const side = (): LocalSide => sideOfStores(values, calls);
    const { env } = this.#options;
    const refusals = new Refusals(state);
    this.#shared ??= new TierLine(specs, { env, strict: this.#strict, onTrouble: this.#onTrouble, side, refusals });
    return this.#shared;
  }

  inherit(earlier: Project): boolean {
    if (!(earlier instanceof OpenProject) || this.#stores !== undefined) return false;
    const isSame = this.#strict === earlier.#strict && this.cacheFolder() === earlier.cacheFolder();
    // What is under way to shared caches is ended in peace by who began it.
    if (earlier.#shared !== undefined) return false;
    if (!isSame || this.cacheFolder() === undefined || this.root !== earlier.root) return false;
    this.#stores = earlier.#stores;
    earlier.#stores = undefined;
    return true;
  }

  warn(message: string): void {
    this.#options.warn(message);
  }

  readonly now = (): number => Date.now();

  async close(): Promise<void> {
    const [stores, shared] = [this.#stores, this.#shared];
    this.#outputs?.tell();
    this.#stores = undefined;
    this.#shared = undefined;
    try {
      await shared?.close(this.#options.isHurried?.());
    } finally {
      this.#arriving?.letGo();
      await stores?.close();
    }
    const [trouble] = this.#troubles;
    if (trouble === undefined) return;
    this.#troubles.length = 0;
    const hint = this.#isCacheWanted
      ? 'Free some space, or give yourself access to it, and do this again.'
      : 'Without --strict this costs answers and is no error.';
    throw new FlecheError('STORE_UNUSABLE', trouble, { hint });
  }

  #open(strict: boolean = this.#strict): WorkspaceStores {
    this.#stores ??= openStores(this.config, { onTrouble: this.#onStoreTrouble, strict, now: this.now });
    return this.#stores;
  }

  /** Those of the stores, with what is put into the workspace next at hand. */
  #values(): ArrivingValues {
    if (this.#arriving !== undefined) return this.#arriving;
    const { values, tempDir } = this.#open();
    const { root } = this;
    let isNear: boolean | undefined;
    this.#arriving = new ArrivingValues(values, {
      path: () => scratchFile({ tmp: tempDir }),
      get isNear() {
        isNear ??= deviceOf(tempDir) === deviceOf(root);
        return isNear;
      },
    });
    return this.#arriving;
  }

  readonly #onStoreTrouble = (message: string): void => {
    if (this.#isCacheWanted) this.#troubles.push(message);
    else this.#onTrouble(message);
  };

  readonly #onTrouble = (message: string): void => {
    if (this.#strict) this.#troubles.push(message);
    else this.#options.warn(message);
  };
}

/** The device of a path that may not be there yet. */
function deviceOf(path: string): number | undefined {
  const device = statSync(path, { throwIfNoEntry: false })?.dev;
  return device === undefined && dirname(path) !== path ? deviceOf(dirname(path)) : device;
}
