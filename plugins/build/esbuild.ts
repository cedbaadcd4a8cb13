/** Builds of esbuild as one call: its metafile says what was read, plugins say what they have watched. */
import { join, resolve } from 'node:path';
import type { BuildOptions, Metafile, OnLoadResult, OnResolveResult, Plugin } from 'esbuild';
import { digest, FlecheError } from '../../core/index.ts';
import { partOf } from '../cached/settings.ts';
import { workingFolder } from '../machine.ts';
import { Packages } from '../packages.ts';
import type { BuildInputs } from './inputs.ts';
import { type BuildReport, type BuildSettings, optionsPart, wholeBuild } from './whole-build.ts';

/** How the build reports, not what it makes. */
const ASIDE = new Set(['absWorkingDir', 'plugins', 'logLevel', 'logLimit', 'logOverride', 'color', 'metafile']);

/**
 * A build that is made only if something that it read, or would read now, is not as it was. Rejects as the build does;
 * with `USAGE` for plugins without `settings.identity`, and for a build that does not write.
 */
export async function buildWithEsbuild(options: BuildOptions, settings: BuildSettings = {}): Promise<BuildReport> {
  const root = resolve(options.absWorkingDir ?? workingFolder());
  const plugins = options.plugins ?? [];
  if (options.write === false)
    throw new FlecheError('USAGE', 'only builds that write can be answered from the cache', {
      hint: 'Leave out write: false, or call esbuild itself.',
    });
  if (plugins.length > 0 && settings.identity === undefined) {
    throw new FlecheError('USAGE', 'the plugins of a build have to be told from others', {
      hint: 'Give settings.identity, to be changed with their code or options.',
    });
  }
  const told = Object.entries(options).filter(([name, value]) => !ASIDE.has(name) && value !== undefined);
  return wholeBuild({
    name: 'esbuild build',
    root,
    settings,
    usualEnv: undefined,
    parts: [
      partOf('tool', 'bundler', digest(new Packages(root).identity('esbuild')?.text ?? null)),
      partOf('option', 'plugins', digest(plugins.map(({ name }) => name))),
      optionsPart(Object.fromEntries(told.sort(([a], [b]) => (a < b ? -1 : 1))), root),
    ],
    make: async (inputs) => {
      const { build } = await import('esbuild');
      const noting = plugins.map((plugin) => notingPlugin(plugin, inputs));
      const { metafile, warnings } = await build({ ...options, absWorkingDir: root, plugins: noting, metafile: true });
      noteAll(metafile, root, options, inputs);
      if (plugins.length > 0) inputs.installed(root);
      return {
        files: Object.keys(metafile.outputs).map((path) => join(root, path)),
        whole: undefined,
        warnings: warnings.map(({ text }) => text),
      };
    },
  });
}

function noteAll({ inputs: modules }: Metafile, root: string, options: BuildOptions, inputs: BuildInputs): void {
  inputs.environment('NODE_PATH');
  if (options.tsconfig !== undefined) inputs.file(resolve(root, options.tsconfig));
  for (const [path, { imports }] of Object.entries(modules)) {
    // Of other namespaces the plugins know what they read.
    if (/^[\w-]{2,}:/.test(path)) continue;
    const file = resolve(root, path);
    inputs.module(file);
    for (const { original } of imports) if (original !== undefined) inputs.import(original, file);
  }
}

/** A plugin whose answers say what it reads. */
function notingPlugin(plugin: Plugin, inputs: BuildInputs): Plugin {
  const note = (result: OnLoadResult | OnResolveResult | null | undefined): typeof result => {
    for (const file of result?.watchFiles ?? []) inputs.file(file);
    for (const folder of result?.watchDirs ?? []) inputs.list(folder);
    return result;
  };
  return {
    name: plugin.name,
    setup: (build) =>
      plugin.setup({
        ...build,
        onLoad: (options, load) => build.onLoad(options, async (args) => note(await load(args)) as OnLoadResult),
        onResolve: (options, find) =>
          build.onResolve(options, async (args) => note(await find(args)) as OnResolveResult),
      }),
  };
}
