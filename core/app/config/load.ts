/**
 * The configuration of a project: found, checked as a whole, and given out as plain descriptions. Only reads, and only
 * configuration files; whether an input, a module or a store that they name is there is found out by who uses it.
 */
import { basename, dirname } from 'node:path';
import { FlecheError } from '../../base/errors.ts';
import { type AbsPath, toAbs } from '../../base/paths.ts';
import type { Task } from '../../graph/task.ts';
import { noteOverlaps } from './outputs.ts';
import { type LoadOptions, openFiles, type Settings, settle } from './settings.ts';
import { CONFIG_FILE } from './source.ts';
import { noteCycles, readTasks } from './tasks.ts';
import { tableOf } from './values.ts';

/** A project: its tasks and the settings around them. */
export interface Config extends Settings {
  readonly file: AbsPath;
  readonly root: AbsPath;
  /** In the order of the file. */
  readonly tasks: ReadonlyMap<string, Task>;
}

/**
 * Loads the project that `startDir` (absolute) lies in. Throws `CONFIG_NOT_FOUND`, or `ConfigErrors` with everything
 * that is wrong in the files read.
 */
export function loadConfig(startDir: string, options: LoadOptions): Config {
  const files = openFiles(startDir, options);
  const [project] = files;
  if (project === undefined || project.isUserWide) {
    throw new FlecheError('CONFIG_NOT_FOUND', `there is no ${CONFIG_FILE} in ${startDir} or a folder above`, {
      hint: 'Make one with "fleche init", or go to the folder of a project.',
    });
  }
  const { source, problems } = project;
  const written = tableOf(source.table['tasks']);
  const tasks = readTasks(written, source.positions, problems);
  noteCycles(tasks, written, problems);
  noteOverlaps(tasks, basename(source.file), problems);
  const settings = settle(files, written, options);
  return { ...settings, file: source.file, root: toAbs(dirname(source.file), '.'), tasks };
}
