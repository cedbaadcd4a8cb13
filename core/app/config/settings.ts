/**
 * The settings around a folder: where they are found, how those of several files are merged, and that every file is
 * right. Only reads, and only configuration files; tasks are left to who loads a project. An answer is valid until one
 * of `files` changes or a nearer file appears.
 */
import { dirname } from 'node:path';
import type { ErrorCode } from '../../base/errors.ts';
import { suggest } from '../../base/nearest.ts';
import { type AbsPath, toAbs, toRel } from '../../base/paths.ts';
import { type Table, tableOf, textOf, textsOf } from '../../base/table.ts';
import type { CacheSpec } from './caches/cache-spec.ts';
import { builtInCaches, readCaches } from './caches/caches.ts';
import { Check } from './schema/check.ts';
import { DEFAULTS, OUTER_FILE, PROJECT_FILE, USER_FILE } from './schema/schema.ts';
import type { TableShape } from './schema/shape.ts';
import type { OpenFile } from './text/open-file.ts';
import { label, Problems, throwIfAny } from './text/problems.ts';
import { CONFIG_FILE, foldersUpward, readSource, type Source, userFile } from './text/source.ts';
import { foldersOf } from './workspace.ts';

export interface LoadOptions {
  /** The user's home folder, absolute: what `~` stands for, and where the user-wide file is looked for. */
  readonly home: string;
  /** The value of `XDG_CONFIG_HOME`, if it is set. */
  readonly xdgConfigHome?: string | undefined;
}

/** What holds where nothing else is said; of several files the nearest decides, key by key. */
interface Defaults {
  /** What a run without names wants; only the project's own file says it. */
  readonly tasks: readonly string[];
  /** The cache to use, a name in `caches`: what is configured, else `default`. */
  readonly cache: string;
  /** Names of metadata collectors. */
  readonly metadata: readonly string[];
  /** How many tasks may run at once, at least 1; undefined for as many as there are processors. */
  readonly jobs: number | undefined;
  /** Whether trouble with a cache is an error. */
  readonly strict: boolean;
}

/** What a program that only memoises functions needs to know. */
export interface Settings {
  /** The nearest configuration, if there is one. */
  readonly file: AbsPath | undefined;
  /** The folder of `file`. */
  readonly root: AbsPath | undefined;
  /** Every file that was read, nearest first. */
  readonly files: readonly AbsPath[];
  readonly defaults: Defaults;
  /** Configured caches, of each name the nearest, then the built-in `memory`, `void` and `default`. */
  readonly caches: ReadonlyMap<string, CacheSpec>;
}

/**
 * Loads what is set for the folder `startDir` (absolute), whether or not it lies in a project; tasks are not looked at.
 * Throws `ConfigErrors` with everything that is wrong in the rest of the files read.
 */
export function loadSettings(startDir: string, options: LoadOptions): Settings {
  return settle(projectFiles(openFiles(startDir, options)), undefined, options);
}

/**
 * The files from that of the project outward: where the nearest one belongs to a package of a workspace further out, that
 * workspace is the project.
 */
export function projectFiles(files: readonly OpenFile[]): readonly OpenFile[] {
  const [nearest] = files;
  if (nearest === undefined || nearest.source.table['workspace'] !== undefined) return files;
  const at = files.findIndex((file) => {
    if (file.isUserWide || file.source.table['workspace'] === undefined) return false;
    return foldersOf(file).includes(toRel(dirname(file.source.file), dirname(nearest.source.file)));
  });
  return at < 0 ? files : files.slice(at);
}

/** The files that say something about a folder, nearest first; the user-wide one is the last. */
export function openFiles(startDir: string, { home, xdgConfigHome }: LoadOptions): readonly OpenFile[] {
  const files: OpenFile[] = [];
  const open = (file: AbsPath, isUserWide: boolean): Source | undefined => {
    const source = readSource(file);
    if (source !== undefined) files.push({ source, problems: new Problems(source.positions), isUserWide });
    return source;
  };
  const homeFolder = toAbs(home, '.');
  for (const folder of foldersUpward(toAbs(startDir, '.'), homeFolder)) {
    const source = open(toAbs(folder, CONFIG_FILE), false);
    if (source !== undefined && settingsIn(source.table)['root'] === true) return files;
  }
  open(userFile(homeFolder, xdgConfigHome), true);
  return files;
}

function settingsIn(table: Table): Table {
  return tableOf(table['default']);
}

/** The table of caches of a file, and the path to it. */
function cachesIn({ source, isUserWide }: OpenFile): readonly [table: Table, path: readonly string[]] {
  if (!isUserWide) return [tableOf(source.table['caches']), ['caches']];
  const { default: _, ...caches } = source.table;
  return [caches, []];
}

/** Tells what is wrong with the name of a task, if anything is. */
type TaskJudge = (
  name: string,
) => { readonly code: ErrorCode; readonly says: string; readonly hint: string } | undefined;

interface SettleOptions extends LoadOptions {
  /** Files that set nothing and were checked already: what is wrong with them is told with the rest. */
  readonly inner?: readonly OpenFile[];
}

/** Checks the files and merges what they set. `judge` knows the tasks of the first file, if that is a project. */
export function settle(files: readonly OpenFile[], judge: TaskJudge | undefined, options: SettleOptions): Settings {
  const { home, inner = [] } = options;
  const [nearest] = files;
  const file = nearest?.isUserWide ? undefined : nearest?.source.file;
  const root = file === undefined ? undefined : toAbs(dirname(file), '.');
  const names = new Set(files.flatMap((each) => Object.keys(cachesIn(each)[0])));
  const builtIn = builtInCaches(root);
  for (const name of builtIn.keys()) names.add(name);

  const caches = new Map<string, CacheSpec>();
  for (const each of files) {
    const { source, problems } = each;
    const around = { file: source.file, home: toAbs(home, '.'), positions: source.positions, problems };
    for (const [name, spec] of readCaches(...cachesIn(each), around)) if (!caches.has(name)) caches.set(name, spec);
  }
  for (const [name, spec] of builtIn) caches.set(name, spec);

  for (const each of files) {
    const isProject = judge !== undefined && each === nearest;
    checkFile(
      each,
      isProject ? PROJECT_FILE : each.isUserWide ? USER_FILE : OUTER_FILE,
      names,
      caches,
      isProject ? judge : undefined,
    );
  }
  throwIfAny([...files, ...inner].map(({ problems }) => problems));

  const settings = files.map(({ source }) => settingsIn(source.table));
  const first = (key: string): unknown =>
    settings.find((table) => table[key] !== undefined)?.[key] ?? DEFAULTS.keys[key]?.default;
  const jobs = first('jobs');
  return {
    file,
    root,
    files: files.map(({ source }) => source.file),
    defaults: {
      tasks: textsOf(judge === undefined ? [] : settings[0]?.['tasks']),
      cache: textOf(first('cache')) ?? 'default',
      metadata: textsOf(first('metadata')),
      jobs: typeof jobs === 'number' ? jobs : undefined,
      strict: first('strict') === true,
    },
    caches,
  };
}

/** Notes what is wrong in a file; `names` and `caches` are those of all files, `judge` knows the tasks of a project. */
function checkFile(
  { source, problems }: OpenFile,
  shape: TableShape,
  names: ReadonlySet<string>,
  caches: ReadonlyMap<string, CacheSpec>,
  judge: TaskJudge | undefined,
): void {
  const check = new Check(problems);
  check.file(shape, source.table);
  for (const { to, name, path } of check.references) {
    const wrong = (code: ErrorCode, says: string, hint: string): void =>
      problems.add({ code, message: `${label(path)}: ${says}`, hint, path, on: 'value' });
    if (to === 'task') {
      const fault = judge?.(name);
      if (fault !== undefined) wrong(fault.code, fault.says, fault.hint);
    } else if (!names.has(name)) {
      wrong('CONFIG_UNKNOWN_CACHE', `there is no cache "${name}"`, suggest(name, names));
    } else if (to === 'member' && caches.get(name)?.kind === 'stack') {
      wrong('CONFIG_INVALID', `"${name}" is a stack itself`, 'List the caches of that stack instead.');
    }
  }
}
