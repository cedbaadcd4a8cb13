/** `fleche clean`: removes what tasks have written here, and on demand the cache. Files that no task wrote are kept. */
import { lstatSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FlecheError } from '../../base/errors.ts';
import { byCodeUnit } from '../../base/order.ts';
import { escapes, type RelPath, toAbs, toRel } from '../../base/paths.ts';
import { Globs } from '../../files/globs/globs.ts';
import { EXIT } from '../cli/exit-code.ts';
import type { VerbContext } from '../cli/verb.ts';
import type { Project } from '../project.ts';
import { counted } from '../reporters/task-line.ts';
import { chosenTasks, tasksHere } from '../selection/targets.ts';
import { harmless } from '../terminal/text.ts';

interface Cleaned {
  readonly type: 'clean';
  /** Relative to the project, sorted. */
  readonly outputs: readonly string[];
  /** The folder of the cache, relative to the project; null if it stays. */
  readonly cache: string | null;
  readonly dryRun: boolean;
}

export async function clean(context: VerbContext): Promise<number> {
  const { invocation, machine } = context;
  const dryRun = invocation.flag('dry-run');
  const project = await context.open();
  try {
    const names = invocation.args.length > 0 ? chosenTasks(invocation.args, project) : tasksHere(project);
    const cache = invocation.flag('cache') ? ownCache(project) : null;
    const outputs = removeOutputs(names, project, dryRun);
    if (cache !== null && !dryRun) {
      await project.close();
      removeCache(toAbs(project.root, cache));
    }
    const cleaned: Cleaned = { type: 'clean', outputs, cache, dryRun };
    machine.stdout.write(invocation.flag('json') ? `${JSON.stringify(cleaned)}\n` : cleanedText(cleaned));
    return EXIT.done;
  } finally {
    await project.close();
  }
}

/** Removes what each task is known to have written; of a task that never finished here nothing is known. */
function removeOutputs(names: readonly string[], project: Project, dryRun: boolean): readonly RelPath[] {
  const outputs = project.outputs();
  const removed = names.flatMap((name) => {
    const owned = outputs.owners.owned(name);
    if (owned === undefined || owned.size === 0) return [];
    const present = [...owned].filter((path) => isThere(toAbs(project.root, path)));
    if (!dryRun) outputs.abandon(outputs.prepare(name, new Globs(project.graph.task(name).outputs), true));
    return present;
  });
  return removed.sort(byCodeUnit);
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** The folder of the cache, if it is this project's and there. Throws `USAGE` for a cache that others may use. */
function ownCache(project: Project): RelPath | null {
  const folder = project.cacheFolder();
  if (folder === undefined || !isThere(folder)) return null;
  const path = toRel(project.root, folder);
  if (!escapes(path) && path !== '.') return path;
  throw new FlecheError('USAGE', `the cache is at ${folder}, outside the project`, {
    hint: 'Other projects may use it. Remove the folder by hand if none does.',
  });
}

/**
 * Moves the cache out of the way before removing it, so that no process finds half of one. What is in its trash was put
 * there because nobody knew whose it was, and stays.
 */
function removeCache(folder: string): void {
  const doomed = `${folder}.removed-${process.pid}`;
  renameSync(folder, doomed);
  const trash = join(doomed, 'trash');
  if (isThere(trash) && readdirSync(trash).length > 0) {
    mkdirSync(folder);
    renameSync(trash, join(folder, 'trash'));
  }
  rmSync(doomed, { recursive: true, force: true });
}

function cleanedText({ outputs, cache, dryRun }: Cleaned): string {
  const would = dryRun ? 'would remove' : 'removed';
  const lines = outputs.map((path) => `- ${harmless(path)}\n`);
  if (cache !== null) lines.push(`- ${harmless(cache)}/\n`);
  const what = [
    ...(outputs.length === 0 ? [] : [counted(outputs.length, 'output')]),
    ...(cache === null ? [] : ['the cache']),
  ].join(' and ');
  return lines.length === 0 ? 'nothing to remove\n' : `${lines.join('')}${would} ${what}\n`;
}
