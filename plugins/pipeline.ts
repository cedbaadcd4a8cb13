/** Outputs of tasks in applications, for each bundler: `import data from 'fleche:codegen/schema.json'`. */
import type { Plugin } from 'esbuild';
import { pipelineForEsbuild } from './pipeline/esbuild.ts';
import type { PipelineOptions } from './pipeline/task-outputs.ts';
import { type PipelinePlugin, pipelineForVite } from './pipeline/vite.ts';

/**
 * Plugins that run or restore the tasks that modules import from, and watch what these tasks read. A task that fails is an
 * error of the build, with what it printed.
 */
export const pipeline: {
  esbuild(options?: PipelineOptions): Plugin;
  vite(options?: PipelineOptions): PipelinePlugin;
  rollup(options?: PipelineOptions): PipelinePlugin;
} = { esbuild: pipelineForEsbuild, vite: pipelineForVite, rollup: pipelineForVite };
