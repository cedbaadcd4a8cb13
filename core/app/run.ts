/** Runs of tasks for programs: what `fleche run` does, once, with what came of it as values instead of text. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { type AbsPath, toAbs } from '../base/paths.ts';
import type { Made, Run, RunOptions } from '../graph/run-once.ts';
import type { Product } from '../graph/tasks/product.ts';
import type { Project } from './project.ts';
import type { Environment } from './terminal/style.ts';

/**
 * Brings tasks up to date. A failed task is an outcome. Rejects with what is wrong with the configuration (`CONFIG_…`,
 * `USAGE`), and with `STORE_UNUSABLE` under `strict`.
 */
export async function runProject(
  options: RunOptions,
  around: { readonly cwd: string; readonly env: Environment },
): Promise<Run> {
  const { openProject } = await import('./project.ts');
  const { onEvent = () => {} } = options;
  const project = openProject({
    cwd: resolve(around.cwd, options.cwd ?? '.'),
    env: options.env ?? around.env,
    config: undefined,
    strict: false,
    warn: (message) => onEvent({ type: 'warning', name: null, message }),
  });
  try {
    return await runIn(project, options);
  } finally {
    await project.close();
  }
}

async function runIn(project: Project, options: RunOptions): Promise<Run> {
  const { chosenTasks } = await import('./selection/targets.ts');
  const { Live } = await import('../graph/watch/live.ts');
  const { readsOf } = await import('../graph/watch/reads.ts');
  const { tasks = [], signal = new AbortController().signal, onEvent = () => {} } = options;
  const targets = chosenTasks(tasks, project);
  const { root, config, graph } = project;
  const engine = project.engine();
  const jobs = options.jobs ?? project.jobs ?? availableParallelism();
  const live = new Live(jobs);
  const end = (): void => void live.endAll();
  signal.addEventListener('abort', end, { once: true });
  const { force = false, frozen = false, keepGoing = false } = options;
  try {
    const request = { targets, jobs, force, frozen, keepGoing, signal, listener: onEvent };
    const { outcomes, summary, interrupted } = await engine.round(live, request);
    await live.endAll();
    const names = graph.closure(targets);
    const made = new Map<string, Made>();
    for (const name of names) {
      const found = live.recall(name, 0);
      const product = found !== undefined && 'outcome' in found ? found.product : undefined;
      if (product !== undefined) made.set(name, await madeOf(name, product, project));
    }
    const reads = readsOf(names, live.dependencies.all, config.files as readonly AbsPath[], engine.surroundings);
    return { root, outcomes, summary, made, reads, interrupted };
  } finally {
    signal.removeEventListener('abort', end);
  }
}

async function madeOf(name: string, { value, outputs }: Product, project: Project): Promise<Made> {
  const { body } = project.graph.task(name);
  const files = (outputs?.entries ?? []).map(({ path }) => toAbs(project.root, path));
  const isFunction = body.kind === 'function';
  const source = isFunction ? { module: toAbs(project.root, body.module), export: body.export } : null;
  const bytes = value === null ? undefined : project.stores().values.get(value.blob);
  if (bytes === undefined) return { files, value: undefined, isFunction, source };
  const { decodeValue } = await import('../store/codecs/value-codec.ts');
  return { files, value: decodeValue(bytes), isFunction, source };
}
