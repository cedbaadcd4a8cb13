/**
 * Transforms written for the cache: `defineTransform` gives one as a plugin for esbuild, Vite, Rolldown, Rollup, webpack and
 * Rspack. The context through which a transform reads is the recorder of its dependencies, so an answer is valid as long as
 * what was read, listed, resolved, probed in vain and taken from the environment is as it was. A transform must not read
 * anything by other ways; its own code counts by `version`.
 */
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { OnLoadResult, Plugin } from 'esbuild';
import { type Report, reportOf } from './cached/hooks.ts';
import { recordings } from './cached/recording.ts';
import { type CachedOptions, NO_CONFIGURATIONS, rootOf } from './cached/settings.ts';
import { cached as cachedEsbuild } from './esbuild.ts';
import {
  type TransformContext as Context,
  type TransformDefinition as Definition,
  mapText,
  type TransformResult as Result,
  running,
} from './transform/context.ts';
import { type WebpackTransform, webpackTransform } from './transform/webpack.ts';
import { cached as cachedVite } from './vite.ts';

/** What a transform reads through. */
export type TransformContext<O> = Context<O>;
/** What a transform is. */
export type TransformDefinition<O> = Definition<O>;
/** What a transform makes of a module. */
export type TransformResult = Result;

/** What became of the calls of a transform so far. Throws `USAGE` for another plugin. */
export function cacheReport(plugin: object): Report {
  return reportOf(plugin);
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
  /** For webpack 5 and Rspack. */
  webpack(options?: O, settings?: TransformSettings): WebpackTransform;
}

/** One definition, a plugin for each bundler. Options must have a digest; functions among them are to be identified. */
export function defineTransform<O = undefined>(definition: TransformDefinition<O>): Transform<O> {
  const { name, version, filter } = definition;
  const wrapping = (options: O | undefined, settings: TransformSettings): CachedOptions => ({
    ...settings,
    options,
    identity: `${name}@${version}`,
    stateless: true,
    configurations: NO_CONFIGURATIONS,
  });
  const vite = (options?: O, settings: TransformSettings = {}): TransformPlugin => {
    const run = running(definition, options as O, rootOf(settings));
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
    webpack: (options, settings = {}) =>
      webpackTransform({
        name,
        filter,
        settings: wrapping(options, settings),
        running: (root) => running(definition, options as O, root),
      }),
  };
}

function esbuildPlugin<O>(definition: TransformDefinition<O>, options: O, settings: TransformSettings): Plugin {
  return {
    name: definition.name,
    setup: (build) => {
      const run = running(definition, options, settings.root ?? build.initialOptions.absWorkingDir ?? rootOf(settings));
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

function withMap(answer: TransformResult): string {
  const map = mapText(answer);
  if (map === undefined) return answer.code;
  const url = `data:application/json;base64,${Buffer.from(map).toString('base64')}`;
  return answer.loader === 'css'
    ? `${answer.code}\n/*# sourceMappingURL=${url} */`
    : `${answer.code}\n//# sourceMappingURL=${url}`;
}
