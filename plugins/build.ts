/** Whole builds as calls: made only if something that they read is not as it was, else put back from the cache. */
import type { BuildOptions } from 'esbuild';
import type { InlineConfig } from 'vite';
import { buildWithEsbuild } from './build/esbuild.ts';
import { buildWithVite } from './build/vite.ts';
import type { BuildReport, BuildSettings } from './build/whole-build.ts';

/** Rejects as the build does; with `USAGE` for plugins that cannot be told from others. */
export const cachedBuild: {
  esbuild(options: BuildOptions, settings?: BuildSettings): Promise<BuildReport>;
  vite(config?: InlineConfig, settings?: BuildSettings): Promise<BuildReport>;
} = { esbuild: buildWithEsbuild, vite: buildWithVite };
