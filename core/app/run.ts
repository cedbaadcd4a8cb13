/** Runs of tasks for programs: what `fleche run` does, once, with what came of it as values instead of text. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { type AbsPath, toAbs } from '../base/paths.ts';
import type { RunListener, RunSummary, TaskOutcome } from '../graph/outcome.ts';
import type { Product } from '../graph/product.ts';
import type { Reads } from '../graph/reads.ts';
import type { Project } from './project.ts';
import type { Environment } from './style.ts';

/** How a program asks for a run. */
export interface RunOptions {
  /** Names of the wanted tasks; without any, those of `[default] tasks`. What they need comes along. */
  readonly tasks?: readonly string[];
  /** The project is the nearest one around this folder; by default around the current one. */
  readonly cwd?: string;
  /** The environment of tasks; by default that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How many tasks may run at once, at least 1; by default what is configured, else one a processor. */
  readonly jobs?: number;
  /** Runs every task, whatever is on file. */
  readonly force?: boolean;
  /** Runs nothing: what is not on file is skipped. */
  readonly frozen?: boolean;
  /** After a failure goes on with everything that does not need the failed task. */
  readonly keepGoing?: boolean;
  /** Ends the tasks at work and begins no more. */
  readonly signal?: AbortSignal;
  /** Told everything that happens, at once. */
  readonly onEvent?: RunListener;
}

/** What a task that is up to date made. */
export interface Made {
  /** Its outputs, absolute, sorted; they are in the workspace. */
  readonly files: readonly string[];
  /** What a function returned; undefined for a command. */
  readonly value: unknown;
  readonly isFunction: boolean;
  /** The module of a function, absolute, and its export; null for a command. */
  readonly source: { readonly module: string; readonly export: string } | null;
}

/** A run that is over. */
export interface Run {
  /** The folder of the project. */
  readonly root: string;
  /** Of the wanted tasks and what they need, each before what needs it. */
  readonly outcomes: readonly TaskOutcome[];
  readonly summary: RunSummary;
  /** What was made, by task; a task that failed or was skipped is not among them. */
  readonly made: ReadonlyMap<string, Made>;
  /** What all of these tasks read, and do not make themselves. */
  readonly reads: Reads;
  /** Whether it was ended before its end. */
  readonly interrupted: boolean;
}

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
  const { chosenTasks } = await import('./targets.ts');
  const { Live } = await import('../graph/watch/live.ts');
  const { readsOf } = await import('../graph/reads.ts');
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
    const reads = readsOf(names, live.leanings, config.files as readonly AbsPath[], engine.surroundings);
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
