/**
 * Transforms written for the cache: `defineTransform` gives one as a plugin for esbuild, Vite, Rolldown and Rollup. The
 * context through which a transform reads is the recorder of its dependencies, so an answer is valid as long as what was
 * read, listed, resolved, probed in vain and taken from the environment is as it was. A transform must not read anything
 * by other ways; its own code counts by `version`.
 */
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Loader, OnLoadResult, Plugin } from 'esbuild';
import { cached as cachedEsbuild } from './esbuild.ts';
import { environmentValue, Machine, workingFolder } from './machine.ts';
import { type Recording, recordings } from './recording.ts';
import type { CachedOptions } from './settings.ts';
import { cached as cachedVite } from './vite.ts';

/** What a transform reads through. Paths may be relative to the module's folder; those given back are absolute. */
export interface TransformContext<O> {
  readonly options: O;
  /** The text of a file, or undefined if there is none. */
  read(path: string): Promise<string | undefined>;
  /** The sorted names in a folder; none if there is no folder. */
  list(path: string): readonly string[];
  /** Whether there is a file. */
  has(path: string): boolean;
  /** The nearest file of this name in the module's folder and those above it, up to the root. */
  near(name: string): string | undefined;
  /** The value of an environment variable, or undefined. */
  env(name: string): string | undefined;
  /** What the bundler finds for an import in this module, or undefined. */
  resolve(request: string): Promise<string | undefined>;
  /** Shows a warning, also when the answer comes from the cache. */
  warn(message: string): void;
}

export interface TransformResult {
  readonly code: string;
  /** A source map as JSON text or object. */
  readonly map?: string | object;
  /** What the code is for esbuild; `js` by default. */
  readonly loader?: Loader;
}

type Answer = TransformResult | string | undefined;

export interface TransformDefinition<O> {
  readonly name: string;
  /** Stands for the code of the transform: to be changed with it. */
  readonly version: string | number;
  /** The modules' paths; of what regular expressions of Go and JavaScript have in common, because esbuild tests it too. */
  readonly filter: RegExp;
  /** Undefined leaves the module as it is. */
  readonly transform: (context: TransformContext<O>, code: string, id: string) => Answer | Promise<Answer>;
}

/** How one use of a transform is set up. */
export type TransformSettings = Pick<
  CachedOptions,
  'cache' | 'root' | 'portable' | 'functions' | 'onDecision' | 'onWarning'
>;

/** A plugin for Vite, Rolldown and Rollup, as far as these need to know it. */
export interface TransformPlugin {
  readonly name: string;
  readonly transform: {
    readonly filter: { readonly id: RegExp };
    readonly handler: (
      this: TransformHost,
      code: string,
      id: string,
    ) => Promise<{ code: string; map: string | null } | null>;
  };
}

/** What a transform needs of a bundler. */
export interface TransformHost {
  addWatchFile(path: string): void;
  warn(message: string): void;
  resolve(request: string, importer: string): Promise<{ readonly id: string } | null>;
}

export interface Transform<O> {
  esbuild(options?: O, settings?: TransformSettings): Plugin;
  vite(options?: O, settings?: TransformSettings): TransformPlugin;
  rollup(options?: O, settings?: TransformSettings): TransformPlugin;
}

/** One definition, a plugin for each bundler. Options must have a digest; functions among them are to be identified. */
export function defineTransform<O = undefined>(definition: TransformDefinition<O>): Transform<O> {
  const { name, version, filter } = definition;
  const wrapping = (options: O | undefined, settings: TransformSettings): CachedOptions => ({
    ...settings,
    options,
    identity: `${name}@${version}`,
    stateless: true,
  });
  const vite = (options?: O, settings: TransformSettings = {}): TransformPlugin => {
    const run = running(definition, options as O, settings);
    const plugin: TransformPlugin = {
      name,
      transform: {
        filter: { id: filter },
        async handler(code, id) {
          const answer = await run(code, id, {
            recording: recordings.running,
            watch: (path) => this.addWatchFile(path),
            watchFolder: (path) => this.addWatchFile(path),
            warn: (message) => this.warn(message),
            resolve: async (request) => (await this.resolve(request, id))?.id,
          });
          return answer === undefined ? null : { code: answer.code, map: mapText(answer) ?? null };
        },
      },
    };
    return cachedVite(plugin, wrapping(options, settings));
  };
  return {
    esbuild: (options, settings = {}) =>
      cachedEsbuild(esbuildPlugin(definition, options as O, settings), wrapping(options, settings)),
    vite,
    rollup: vite,
  };
}

function esbuildPlugin<O>(definition: TransformDefinition<O>, options: O, settings: TransformSettings): Plugin {
  return {
    name: definition.name,
    setup: (build) => {
      const root = settings.root ?? build.initialOptions.absWorkingDir;
      const run = running(definition, options, root === undefined ? settings : { ...settings, root });
      build.onLoad({ filter: definition.filter }, async ({ path }): Promise<OnLoadResult | undefined> => {
        const recording = recordings.running;
        const watchFiles = new Set<string>();
        const watchDirs = new Set<string>();
        const warnings: { text: string }[] = [];
        const answer = await run(await readFile(path, 'utf8'), path, {
          recording,
          watch: (file) => watchFiles.add(file),
          watchFolder: (folder) => watchDirs.add(folder),
          warn: (text) => warnings.push({ text }),
          resolve: async (request) => {
            const found = await build.resolve(request, {
              resolveDir: dirname(path),
              importer: path,
              kind: 'import-statement',
            });
            return found.errors.length > 0 ? undefined : found.path;
          },
        });
        if (answer === undefined) return undefined;
        return {
          contents: withMap(answer),
          loader: answer.loader ?? 'js',
          resolveDir: dirname(path),
          watchFiles: [...watchFiles],
          watchDirs: [...watchDirs],
          warnings,
        };
      });
    },
  };
}

function mapText({ map }: TransformResult): string | undefined {
  return typeof map === 'object' ? JSON.stringify(map) : map;
}

function withMap(answer: TransformResult): string {
  const map = mapText(answer);
  if (map === undefined) return answer.code;
  const url = `data:application/json;base64,${Buffer.from(map).toString('base64')}`;
  return answer.loader === 'css'
    ? `${answer.code}\n/*# sourceMappingURL=${url} */`
    : `${answer.code}\n//# sourceMappingURL=${url}`;
}

/** What a call tells the bundler. */
interface Host {
  /** Undefined for a call that is not cached. */
  readonly recording: Recording | undefined;
  watch(path: string): void;
  watchFolder(path: string): void;
  warn(message: string): void;
  resolve(request: string): Promise<string | undefined>;
}

type Run = (code: string, id: string, host: Host) => Promise<TransformResult | undefined>;

function running<O>(definition: TransformDefinition<O>, options: O, settings: Pick<TransformSettings, 'root'>): Run {
  const root = settings.root ?? workingFolder();
  const machine = new Machine();
  return async (code, id, host) => {
    const context = contextOf(options, id, root, machine, host, host.recording);
    const answer = await definition.transform(context, code, id);
    return typeof answer === 'string' ? { code: answer } : answer;
  };
}

function contextOf<O>(
  options: O,
  id: string,
  root: string,
  machine: Machine,
  host: Host,
  recording: Recording | undefined,
): TransformContext<O> {
  const folder = dirname(id);
  const has = (path: string): boolean => {
    recording?.probe(path);
    host.watch(path);
    return machine.hasFile(path);
  };
  return {
    options,
    read: async (path) => {
      const file = resolve(folder, path);
      recording?.file(file);
      host.watch(file);
      return machine.hasFile(file) ? readFile(file, 'utf8') : undefined;
    },
    list: (path) => {
      const found = resolve(folder, path);
      recording?.folder(found);
      host.watchFolder(found);
      return machine.names(found);
    },
    has: (path) => {
      return has(resolve(folder, path));
    },
    near: (name) => {
      for (let at = folder; ; at = dirname(at)) {
        const file = join(at, name);
        if (has(file)) return file;
        if (at === root || dirname(at) === at) return undefined;
      }
    },
    env: (name) => {
      recording?.environment(name);
      return environmentValue(name);
    },
    resolve: (request) => host.resolve(request),
    warn: (message) => host.warn(message),
  };
}
