/**
 * esbuild plugins whose `onLoad` is answered from the cache. `onResolve` is left alone: what it finds depends on files
 * that it does not name. A load is taken to depend on its arguments, on the file, and on what it says to watch.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { isAbsolute, resolve } from 'node:path';
import type {
  BuildOptions,
  OnLoadArgs,
  OnLoadResult,
  Plugin,
  PluginBuild,
  ResolveOptions,
  ResolveResult,
} from 'esbuild';
import { type Digest, digest, FlecheError, type Part } from '../core/index.ts';
import { type Form, Hooks, type Host, IDLE_WITHOUT_PARTS, type Report, reportOf, reportOn } from './cached/hooks.ts';
import { type BundlerLook, type Recording, recordings } from './cached/recording.ts';
import {
  type CachedOptions,
  configDigest,
  identityParts,
  isExcluded,
  partOf,
  requireSettings,
  rootOf,
} from './cached/settings.ts';
import { relativeTo } from './machine.ts';
import { Packages } from './packages.ts';

type Load = Parameters<PluginBuild['onLoad']>[1];

/**
 * The load that asks for a path to be resolved, however long it has waited before. Used only for plugins that resolve at
 * all: following what is asynchronous makes every promise of the process slower.
 */
const asking = new AsyncLocalStorage<Recording>();

/** Options that say what is built and where it goes, which concerns loads of plugins only that look at them. */
const ASIDE = new Set(
  [
    'absWorkingDir entryPoints stdin outfile outdir outbase write metafile plugins logLevel logLimit logOverride color',
    'banner footer allowOverwrite entryNames chunkNames assetNames publicPath external packages inject treeShaking',
  ].flatMap((names) => names.split(' ')),
);

/**
 * A plugin, or the factory of one which is called with `settings.options`, with its loads cached. Throws
 * `CODE_UNRESOLVED` or `INDIGESTIBLE` for a plugin or options that cannot be told from others.
 */
export function cached<O = unknown>(plugin: Plugin | ((options: O) => Plugin), settings: CachedOptions): Plugin {
  requireSettings(settings);
  const inner = typeof plugin === 'function' ? plugin(settings.options as O) : plugin;
  const identity = identityParts(inner.name, settings, new Packages(rootOf(settings)));
  let hooks: Hooks | undefined;
  const outer: Plugin = {
    name: inner.name,
    setup: async (build) => {
      const root = settings.root ?? build.initialOptions.absWorkingDir ?? rootOf(settings);
      hooks ??= new Hooks(inner.name, settings, root, FORM, IDLE_WITHOUT_PARTS);
      const loads = new CachedLoads(inner.name, settings, identity, hooks, build);
      await inner.setup(loads.build);
      const own = hooks;
      build.onStart(() => own.machine.renew());
      build.onEnd(() => void own.flush());
    },
  };
  const none = { hits: 0, misses: 0, uncacheable: 0, savedMs: 0, reasons: new Map<string, number>() };
  reportOn(outer, () => hooks?.report ?? none);
  return outer;
}

/** What became of the calls of a cached plugin so far. Throws `USAGE` for a plugin that is not cached. */
export function cacheReport(plugin: object): Report {
  return reportOf(plugin);
}

class CachedLoads implements Host {
  readonly #plugin: string;
  readonly #settings: CachedOptions;
  readonly #identity: readonly Part[];
  readonly #hooks: Hooks;
  readonly #build: PluginBuild;
  /** Why no load of this plugin is cached. */
  #obstacle: string | undefined;
  #constant: readonly Part[] | undefined;
  #loads = 0;
  /** Whether the plugin has taken hold of what resolves paths. */
  #resolves = false;
  /** Options among those left aside that the plugin looks at. */
  readonly #looked = new Set<string>();

  constructor(plugin: string, settings: CachedOptions, identity: readonly Part[], hooks: Hooks, build: PluginBuild) {
    this.#plugin = plugin;
    this.#settings = settings;
    this.#identity = identity;
    this.#hooks = hooks;
    this.#build = build;
  }

  /** What the plugin is given for the bundler. */
  get build(): PluginBuild {
    const stateful = (hook: string): void => {
      if (this.#settings.stateless !== true)
        this.#obstacle ??= `its ${hook} may use what loads leave behind (stateless: true says that it does not)`;
    };
    const resolve: PluginBuild['resolve'] = (path, options) => this.#resolve(path, options);
    const own: Partial<PluginBuild> = {
      onLoad: (options, load) => {
        if (options.namespace !== undefined && options.namespace !== 'file') stateful(`namespace ${options.namespace}`);
        // Of loads with the same filter a later one is asked what an earlier one left alone.
        const filter = `${this.#loads++} ${options.filter}`;
        this.#build.onLoad(options, (args) => this.#load(filter, load, args));
      },
      onEnd: (callback) => {
        stateful('onEnd');
        this.#build.onEnd(callback);
      },
      onDispose: (callback) => {
        stateful('onDispose');
        this.#build.onDispose(callback);
      },
      resolve,
      initialOptions: this.#initialOptions(),
    };
    return new Proxy(this.#build, {
      get: (build, name) => {
        if (name === 'resolve') this.#resolves = true;
        return Reflect.get(name in own ? own : build, name);
      },
    });
  }

  /** The options, with note taken of those that are looked at. */
  #initialOptions(): BuildOptions {
    return new Proxy(this.#build.initialOptions, {
      get: (options, name) => {
        if (typeof name === 'string' && ASIDE.has(name)) this.#lookedAt(name);
        return Reflect.get(options, name);
      },
    });
  }

  /** During a load it is that one's input, else it may be that of all. */
  #lookedAt(option: string): void {
    for (const recording of recordings.current) recording.told('option', option, this.#optionDigest(option));
    if (recordings.running !== undefined || this.#looked.has(option)) return;
    this.#looked.add(option);
    this.#constant = undefined;
  }

  #optionDigest(option: string): Digest {
    return configDigest(Reflect.get(this.#build.initialOptions, option) ?? null, this.#hooks.root).digest;
  }

  async #resolve(path: string, options?: ResolveOptions): ReturnType<PluginBuild['resolve']> {
    const asker = asking.getStore();
    // One that began before anything was resolved could be any of those under way.
    const askers = asker === undefined ? [...recordings.current] : [asker];
    const found = await this.#build.resolve(path, options);
    for (const recording of askers) this.#noteResolved(recording, path, options, found);
    return found;
  }

  #noteResolved(recording: Recording, path: string, options: ResolveOptions | undefined, found: ResolveResult): void {
    const { root } = this.#hooks;
    try {
      const question = JSON.stringify([path, options ?? {}]).replaceAll(JSON.stringify(root).slice(1, -1), ROOT);
      if (options?.pluginData !== undefined) throw new FlecheError('INDIGESTIBLE', 'no');
      recording.told('resolve', question, configDigest(found, root).digest);
    } catch (error) {
      if (!(error instanceof FlecheError)) throw error;
      recording.obstacles.add('it had the bundler resolve a path, with an answer that cannot be compared');
    }
  }

  readonly look: BundlerLook = async (what, argument) => {
    if (what === 'option') return this.#optionDigest(argument);
    if (what !== 'resolve') return undefined;
    const { root } = this.#hooks;
    const [path, options] = JSON.parse(argument.replaceAll(ROOT, JSON.stringify(root).slice(1, -1))) as [
      string,
      ResolveOptions,
    ];
    return configDigest(await this.#build.resolve(path, options), root).digest;
  };

  #constants(): readonly Part[] {
    if (this.#constant !== undefined) return this.#constant;
    const { initialOptions, esbuild } = this.#build;
    const chosen = Object.entries(initialOptions).filter(([name]) => !ASIDE.has(name) || this.#looked.has(name));
    const config = configDigest(Object.fromEntries(chosen.sort(([a], [b]) => (a < b ? -1 : 1))), this.#hooks.root);
    this.#constant = [
      ...this.#identity,
      partOf('tool', 'bundler', digest(['esbuild', esbuild.version])),
      partOf('option', 'config', config.digest),
    ];
    return this.#constant;
  }

  async #load(filter: string, load: Load, args: OnLoadArgs): Promise<OnLoadResult | null | undefined> {
    const { machine, root, surroundings } = this.#hooks;
    const module = relativeTo(root, args.path) + args.suffix;
    const asked = argumentsDigest(args, filter);
    const parts: Part[] = [];
    let obstacle = this.#obstacle ?? obstacleOf(this.#plugin, this.#settings, args, module, asked);
    if (obstacle === undefined) {
      try {
        const content = machine.fileContent(args.path);
        if (content === undefined) obstacle = NO_FILE;
        else
          parts.push(
            ...this.#constants(),
            ...surroundings.parts(args.path),
            partOf('identity', 'module', digest(module)),
            partOf('argument', 'arguments', asked ?? digest(null)),
            partOf('files', 'file', content),
          );
      } catch (error) {
        obstacle = `what it depends on cannot be read: ${String(error)}`;
      }
    }
    const { value } = await this.#hooks.call({
      hook: 'onLoad',
      module,
      file: args.path,
      obstacle,
      question: parts,
      host: this,
      holds: () => surroundings.hold(args.path, parts),
      make: async (recording) => {
        const run = (): ReturnType<Load> => load(args);
        const result = await recordings.run(recording, this.#resolves ? () => asking.run(recording, run) : run);
        for (const path of result?.watchFiles ?? []) recording.declared(path);
        for (const path of result?.watchDirs ?? []) recording.folder(path);
        if ((result?.errors?.length ?? 0) > 0) recording.obstacles.add('it found errors');
        return result;
      },
    });
    return value as OnLoadResult | null | undefined;
  }

  /** Loads tell nothing beside their answers. */
  replay(): void {}
}

const FORM: Form = {
  keep: (value, root) => movedResult(value as OnLoadResult | null | undefined, (path) => relativeTo(root, path)),
  restore: (kept, root) =>
    movedResult(kept as OnLoadResult | null | undefined, (path) =>
      isAbsolute(path) ? resolve(path) : resolve(root, path),
    ),
};

const NO_FILE = 'there is no file behind the module';

/** Stands for the root in questions to the bundler. */
const ROOT = '<root>';

/** A result with its paths moved. */
function movedResult(
  result: OnLoadResult | null | undefined,
  move: (path: string) => string,
): OnLoadResult | null | undefined {
  if (result === null || result === undefined) return result;
  const moved = { ...result };
  if (moved.resolveDir !== undefined) moved.resolveDir = move(moved.resolveDir);
  if (moved.watchFiles !== undefined) moved.watchFiles = moved.watchFiles.map(move);
  if (moved.watchDirs !== undefined) moved.watchDirs = moved.watchDirs.map(move);
  return moved;
}

/** What a load is asked beside its path; undefined if that has no faithful digest. */
function argumentsDigest(args: OnLoadArgs, filter: string): Digest | undefined {
  try {
    return digest([args.namespace, args.suffix, args.with ?? {}, args.pluginData, filter]);
  } catch (error) {
    if (error instanceof FlecheError) return undefined;
    throw error;
  }
}

function obstacleOf(
  plugin: string,
  settings: CachedOptions,
  args: OnLoadArgs,
  module: string,
  digested: Digest | undefined,
): string | undefined {
  if (digested === undefined) return 'its arguments have no faithful digest';
  if (args.namespace !== 'file') return NO_FILE;
  return isExcluded(plugin, settings, module) ? 'it is excluded' : undefined;
}
