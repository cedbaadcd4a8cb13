/**
 * The scripts of package.json as tasks. Taken over as they are they are never cached, for nothing is known of what they
 * read and write; a fresh configuration guesses by their names, and says so.
 */
import { tableOf } from '../../base/table.ts';
import type { Draft, DraftTable } from './draft.ts';
import { commandOf, type Member, type Repository } from './repository.ts';
import { type ImportedTask, keysOf, NOTHING, npmRemarks } from './task-keys.ts';

/** Scripts that npm runs by itself on certain occasions. */
const LIFECYCLE =
  /^(?:(?:pre|post)?(?:install|pack|publish|prepare|version|uninstall|restart)|prepublishOnly|dependencies|shrinkwrap)$/;
/** What `npm init` writes for want of tests. */
const PLACEHOLDER = 'echo "Error: no test specified" && exit 1';
/** Scripts that go on until they are stopped. */
const ENDLESS = /^(?:start|dev|serve|watch|preview)(?::|$)|:(?:dev|watch|serve)$/;
/** Scripts that look and write nothing; of these, those that may run what was built. */
const LOOKS =
  /^(?:lint|check|typecheck|type-check|types|tsc|test|spec|unit|format:check)(?::(?!watch|update|fix)\S+)?$/;
const TESTS = /^(?:test|spec|unit)(?::|$)/;
/** Commands that run scripts of packages. */
const DELEGATES = /\s(?:-ws|-w|-r|--workspaces?|--recursive|--filter)\b|\b(?:turbo|nx|lerna|workspaces?)\s/;
const MAKES = /^(?:build|compile|bundle)$/;

type Guess = (name: string, one: Member, repository: Repository, names: ReadonlySet<string>) => ImportedTask;

/** Every script as a task that always runs, as npm does. */
export function fromScripts(repository: Repository): readonly Draft[] {
  const remark =
    'Made from the scripts of package.json by fleche init --from npm. Name inputs and outputs of a task, and take';
  const head = [remark, 'away "cache = false", to have it answered from the cache.'];
  return drafts(repository, head, () => plain);
}

/** A small configuration to begin with. */
export function fresh(repository: Repository): readonly Draft[] {
  const isEmpty = [repository.root, ...repository.packages].every((one) => scriptsOf(one).length === 0);
  if (isEmpty) return [EXAMPLE];
  return drafts(repository, ['What tasks read and write was guessed by their names: look it over.'], () => guessed);
}

const EXAMPLE: Draft = {
  folder: '.',
  comments: [],
  tables: [
    { path: ['default'], keys: { tasks: ['hello'] } },
    {
      path: ['tasks', 'hello'],
      comments: ['Runs again only if README.md, or the command, becomes another one.'],
      keys: { run: 'echo hello', inputs: ['README.md'] },
    },
  ],
};

function drafts(repository: Repository, comments: readonly string[], guessOf: () => Guess): readonly Draft[] {
  const { root, packages, workspace, runsPreAndPost } = repository;
  const guess = guessOf();
  const names = new Set(packages.flatMap(scriptsOf));
  // In the root of a workspace scripts run those of packages, where packages have any, or look at everything.
  const isOfRoot = workspace === undefined || names.size === 0;
  const isOwn = (name: string): boolean =>
    LOOKS.test(name) && !names.has(name) && !DELEGATES.test(` ${root.scripts[name]} `);
  const rootNames = isOfRoot ? scriptsOf(root) : scriptsOf(root).filter(isOwn);
  const rootTables = rootNames.map((name) =>
    taskTable(name, root, repository, guess, isOfRoot ? new Set(scriptsOf(root)) : names),
  );
  const templates = [...names].map((name): DraftTable => {
    const [first = root] = packages.filter(({ scripts }) => scripts[name] !== undefined);
    const task = guess(name, first, repository, names);
    return { path: ['templates', name], comments: task.comments, keys: keysOf(task) };
  });
  const wanted = isOfRoot ? scriptsOf(root) : [...names];
  const tasks = wanted.filter((name) => MAKES.test(name));
  const head: DraftTable[] = [{ path: ['default'], keys: { tasks: tasks.length === 0 ? wanted.slice(0, 1) : tasks } }];
  if (workspace !== undefined) head.push({ path: ['workspace'], keys: { packages: workspace } });
  const files = packages.flatMap((one): Draft[] => {
    const tables = scriptsOf(one).flatMap((name): DraftTable[] => {
      const run = commandOf(one, name, runsPreAndPost);
      return run === one.scripts[name] ? [] : [{ path: ['tasks', name], keys: { run } }];
    });
    return tables.length === 0 ? [] : [{ folder: one.folder, comments: [], tables }];
  });
  return [{ folder: '.', comments, tables: [...head, ...rootTables, ...templates] }, ...files];
}

/** The scripts that are tasks: not those that npm runs around others, or by itself. */
function scriptsOf({ scripts }: Member): readonly string[] {
  return Object.keys(scripts).filter((name) => {
    const around = /^(?:pre|post)(.+)$/.exec(name)?.[1];
    if (LIFECYCLE.test(name) || scripts[name] === PLACEHOLDER) return false;
    return around === undefined || scripts[around] === undefined;
  });
}

function taskTable(
  name: string,
  one: Member,
  repository: Repository,
  guess: Guess,
  names: ReadonlySet<string>,
): DraftTable {
  const run = commandOf(one, name, repository.runsPreAndPost);
  const task = guess(name, one, repository, names);
  return { path: ['tasks', name], comments: [...task.comments, ...npmRemarks(run)], keys: keysOf({ ...task, run }) };
}

/** npm passes on every variable. */
const ALWAYS: ImportedTask = { needs: [], outputs: [], env: [], passEnv: ['*'], cache: false, comments: [] };

function plain(name: string): ImportedTask {
  return ENDLESS.test(name) ? endless : ALWAYS;
}

const endless: ImportedTask = { ...ALWAYS, persistent: true };

function guessed(name: string, one: Member, repository: Repository, names: ReadonlySet<string>): ImportedTask {
  if (ENDLESS.test(name)) return endless;
  const isShared = repository.workspace !== undefined;
  const build = [...names].find((name) => MAKES.test(name));
  const outputs = outputsOf(one, repository);
  if (MAKES.test(name) && outputs.length > 0) {
    return { ...NOTHING, cache: true, needs: isShared ? [`^${name}`] : [], outputs };
  }
  if (!LOOKS.test(name))
    return { ...NOTHING, comments: ['Say what it reads and writes, then take "cache = false" away.'] };
  const [maker = one] = build === undefined ? [] : repository.packages.filter(({ scripts }) => build in scripts);
  if (build === undefined || outputsOf(maker, repository).length === 0) return { ...NOTHING, cache: true };
  const isRoot = isShared && one.folder === '.';
  const needs = [...(isShared ? [`^${build}`] : []), ...(TESTS.test(name) && !isRoot ? [build] : [])];
  return { ...NOTHING, cache: true, needs };
}

/** Where a build most likely writes: as TypeScript is told, else a folder of a usual name that git ignores. */
function outputsOf({ folder }: Member, repository: Repository): readonly string[] {
  const options = tableOf(repository.json(`${folder}/tsconfig.json`)?.['compilerOptions']);
  const outDir = options['outDir'];
  if (typeof outDir === 'string' && /^(?:\.\/)?[\w-][\w./-]*$/.test(outDir) && !outDir.includes('..')) {
    return [`${outDir.replace(/^\.\/|\/$/g, '')}/**`];
  }
  const ignored = repository.ignored;
  return ['dist', 'build', 'lib', 'out', '.next', '.output']
    .filter((name) => ignored.has(name))
    .map((name) => `${name}/**`);
}
