/**
 * The configuration of a project: found, checked as a whole, and given out as plain descriptions. Only reads, and only
 * configuration files; whether an input, a module or a store that they name is there is found out by who uses it.
 */
import { dirname } from 'node:path';
import { FlecheError } from '../../base/errors.ts';
import { type AbsPath, toAbs, toRel } from '../../base/paths.ts';
import { type Table, tableOf, textsOf } from '../../base/table.ts';
import type { Task } from '../../graph/tasks/task.ts';
import type { Package, Packages } from '../packages/packages.ts';
import { Check } from './schema/check.ts';
import { PACKAGE_FILE } from './schema/schema.ts';
import { type LoadOptions, openFiles, projectFiles, type Settings, settle } from './settings.ts';
import { Ignored } from './tasks/ignored.ts';
import { InputLists } from './tasks/inputs.ts';
import { noteOverlaps } from './tasks/outputs.ts';
import { withLimits } from './tasks/scheduling.ts';
import { readTasks, type Variables } from './tasks/tasks.ts';
import { CONFIG_FILE } from './text/source.ts';
import { readWorkspace, textsOfTasks } from './workspace.ts';

/** A project: its tasks and the settings around them. */
export interface Config extends Settings {
  readonly file: AbsPath;
  readonly root: AbsPath;
  /** Those of the root in the order of the file, then those of each package. */
  readonly tasks: ReadonlyMap<string, Task>;
  readonly packages: Packages;
  /** Patterns of the folders of packages. */
  readonly packagePatterns: readonly string[];
  /** The package that was started in; undefined for the root. */
  readonly here: Package | undefined;
}

/**
 * Loads the project that `startDir` (absolute) lies in. Throws `CONFIG_NOT_FOUND`, or `ConfigErrors` with everything
 * that is wrong in the files read.
 */
export function loadConfig(startDir: string, options: LoadOptions): Config {
  const files = projectFiles(openFiles(startDir, options));
  const [project] = files;
  if (project === undefined || project.isUserWide) {
    throw new FlecheError('CONFIG_NOT_FOUND', `there is no ${CONFIG_FILE} in ${startDir} or a folder above`, {
      hint: 'Make one with "fleche init", or go to the folder of a project.',
    });
  }
  const { file } = project.source;
  const root = toAbs(dirname(file), '.');
  const workspace = readWorkspace(project);
  const { packages, configurations, manifests, patterns } = workspace;
  const texts = textsOfTasks(project, workspace);
  const ignored = new Ignored(
    root,
    packages.all.map(({ folder }) => folder),
  );
  const lists = new InputLists(packages, ignored, { root: project, configurations });
  const { tasks, names, origins } = readTasks(texts, packages, lists, variablesIn(project.source.table));
  noteOverlaps(tasks, texts, origins);
  const inner = [...configurations.values()];
  for (const { source, problems } of inner) new Check(problems).file(PACKAGE_FILE, source.table);
  const settings = settle(files, (name) => names.faultOf(name), { ...options, inner });
  return {
    ...settings,
    files: [...settings.files, ...inner.map(({ source }) => source.file), ...manifests, ...ignored.files],
    file,
    root,
    tasks: withLimits(tasks, project.source.table),
    packages,
    packagePatterns: patterns,
    here: packages.around(toRel(root, toAbs(startDir, '.'))),
  };
}

/** What `[default]` of the project says for all tasks. */
function variablesIn(table: Table): Variables {
  const defaults = tableOf(table['default']);
  return { env: textsOf(defaults['env']), passEnv: textsOf(defaults['pass_env']) };
}
