/** Outputs of tasks for esbuild: `import data from 'fleche:codegen/schema.json'`. */
import type { OnResolveResult, Plugin } from 'esbuild';
import { FlecheError } from '../../core/index.ts';
import { IMPORT } from './task-import.ts';
import { type Output, Pipeline, type PipelineOptions, valueText } from './task-outputs.ts';

const VALUES = 'fleche';

/**
 * Runs or restores the tasks that modules import from, and watches what these tasks read. A task that fails is an error
 * of the build, with what it printed.
 */
export function pipelineForEsbuild(options: PipelineOptions = {}): Plugin {
  return {
    name: 'fleche:pipeline',
    setup: (build) => {
      const tasks = new Pipeline(options);
      const { absWorkingDir } = build.initialOptions;
      if (absWorkingDir !== undefined) tasks.settle(absWorkingDir);
      const watched = (): Pick<OnResolveResult, 'watchFiles' | 'watchDirs'> => {
        const { files, folders } = tasks.watched;
        return { watchFiles: [...files], watchDirs: [...folders] };
      };
      build.onStart(() => tasks.renew());
      build.onResolve({ filter: IMPORT }, async ({ path }) => {
        try {
          const output = await tasks.output(path);
          const found =
            output.file === undefined
              ? { path: output.task, namespace: VALUES, pluginData: output }
              : { path: output.file };
          return { ...found, ...watched() };
        } catch (error) {
          return { errors: [messageOf(error)], ...watched() };
        }
      });
      build.onLoad({ filter: /.*/, namespace: VALUES }, ({ pluginData }) => {
        try {
          return { contents: valueText(pluginData as Output), loader: 'json', ...watched() };
        } catch (error) {
          return { errors: [messageOf(error)], ...watched() };
        }
      });
    },
  };
}

function messageOf(error: unknown): { readonly text: string; readonly notes?: { readonly text: string }[] } {
  if (!(error instanceof FlecheError)) throw error;
  const { message, hint } = error;
  return { text: message, ...(hint === undefined ? {} : { notes: [{ text: hint }] }) };
}
