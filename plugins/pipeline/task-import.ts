/** What follows `fleche:` in an import: the name of a task, and the end of the path of one of its outputs. Pure. */
import { FlecheError } from '../../core/index.ts';

export const PREFIX = 'fleche:';
/** Of imports; esbuild tests it too. */
export const IMPORT: RegExp = /^fleche:/;

export interface TaskImport {
  /** As imported. */
  readonly source: string;
  readonly task: string;
  /** Undefined for what the task's function returns. */
  readonly path: string | undefined;
}

/** `fleche:task`, `fleche:task/schema.json`, `fleche:package#task/schema.json`. */
export function parseImport(source: string): TaskImport {
  const rest = source.slice(PREFIX.length).replace(/[?].*$/s, '');
  // The names of packages have slashes.
  const slash = rest.indexOf('/', rest.lastIndexOf('#') + 1);
  const task = slash < 0 ? rest : rest.slice(0, slash);
  const path = slash < 0 ? undefined : rest.slice(slash + 1);
  if (task !== '' && path !== '') return { source, task, path };
  throw new FlecheError('USAGE', `"${source}" names no task`, {
    hint: 'Write fleche:task/file for an output of a task, fleche:task for what its function returns.',
  });
}

/** The one file that is meant: of this path, or else the only one that ends so. Throws `USAGE`. */
export function chosenFile({ source, task, path = '' }: TaskImport, files: readonly string[], root: string): string {
  const names = files.map((file) => file.slice(root.length + 1).replaceAll('\\', '/'));
  const exact = names.indexOf(path);
  const ending = exact >= 0 ? [exact] : names.flatMap((name, at) => (name.endsWith(`/${path}`) ? [at] : []));
  const [at, other] = ending;
  const found = at === undefined || other !== undefined ? undefined : files[at];
  if (found !== undefined) return found;
  const some = (ending.length > 0 ? ending.map((at) => names[at]) : names).slice(0, 8).join(', ');
  throw new FlecheError(
    'USAGE',
    `"${source}" leads to ${ending.length > 0 ? 'several outputs' : 'no output'} of "${task}"`,
    {
      hint:
        names.length === 0
          ? 'The task has no outputs.'
          : `Name one of its files: ${some}${names.length > 8 ? ', …' : ''}.`,
    },
  );
}
