/** `fleche init`: writes a configuration, fresh or from what another tool is told. Asks nothing, and replaces nothing. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { ConfigErrors, FlecheError } from '../../base/errors.ts';
import { type AbsPath, toAbs } from '../../base/paths.ts';
import { EXIT } from '../cli/exit-code.ts';
import type { VerbContext } from '../cli/verb.ts';
import { type SchemaName, schemaFile } from '../config/schema/json-schema.ts';
import { CONFIG_FILE } from '../config/text/source.ts';
import { type Draft, draftText } from '../import/draft.ts';
import { Repository } from '../import/repository.ts';
import { homeIn } from '../project.ts';
import { counted } from '../reporters/task-line.ts';
import type { Environment } from '../terminal/style.ts';

/** What a configuration can be made from. */
export const SOURCES = ['npm', 'nx', 'turbo', 'wireit'] as const;

type Source = (typeof SOURCES)[number];
type Importer = (repository: Repository) => readonly Draft[];

const IMPORTERS: Readonly<Record<Source, () => Promise<Importer>>> = {
  npm: async () => (await import('../import/scripts.ts')).fromScripts,
  nx: async () => (await import('../import/nx.ts')).fromNx,
  turbo: async () => (await import('../import/turbo.ts')).fromTurbo,
  wireit: async () => (await import('../import/wireit.ts')).fromWireit,
};

export async function init({ invocation, machine }: VerbContext): Promise<number> {
  const folder = toAbs(machine.cwd, '.');
  const repository = new Repository(folder);
  const source = invocation.choice('from', SOURCES);
  const importer = source === undefined ? (await import('../import/scripts.ts')).fresh : await IMPORTERS[source]();
  const drafts = importer(repository);
  const files = drafts.map((draft) => posix.join(draft.folder, CONFIG_FILE));
  if (!invocation.flag('force')) refuseToReplace(folder, files);
  for (const [at, draft] of drafts.entries()) {
    writeFileSync(join(folder, files[at] ?? ''), draftText(draft, schemaOf(folder, draft)));
  }
  const ignored = ignoreCache(folder);
  const faults = await faultsIn(folder, machine.env);
  const more = source === undefined ? otherSource(repository) : undefined;
  machine.stdout.write(
    [
      ...files.map((file) => `wrote ${file}`),
      ...(ignored ? ['added .fleche to .gitignore'] : []),
      ...(more === undefined
        ? []
        : [`${more.file} is here too: fleche init --from ${more.source} --force takes it over`]),
      faults === 0
        ? 'see what a run would do: fleche plan'
        : `${counted(faults, 'thing')} cannot be taken over as said, and must be settled first: fleche plan tells`,
      '',
    ].join('\n'),
  );
  return EXIT.done;
}

/** How many errors the configuration has: what another tool allows may have no equal, which only all of it shows. */
async function faultsIn(folder: AbsPath, env: Environment): Promise<number> {
  const { loadConfig } = await import('../config/load.ts');
  try {
    loadConfig(folder, { home: homeIn(env), xdgConfigHome: env['XDG_CONFIG_HOME'] });
    return 0;
  } catch (error) {
    if (error instanceof ConfigErrors) return error.errors.length;
    throw error;
  }
}

function refuseToReplace(folder: AbsPath, files: readonly string[]): void {
  const existing = files.filter((file) => existsSync(join(folder, file)));
  if (existing.length === 0) return;
  throw new FlecheError('USAGE', `${existing.join(' and ')} ${existing.length === 1 ? 'is' : 'are'} there already`, {
    hint: 'Nothing was written. Use --force to replace.',
  });
}

/** Where the package is installed an editor finds the schema in it. */
function schemaOf(folder: AbsPath, draft: Draft): string | undefined {
  const name: SchemaName = draft.folder === '.' ? 'project' : 'package';
  const file = `node_modules/fleche/${schemaFile(name)}`;
  if (!existsSync(join(folder, 'node_modules/fleche/package.json'))) return undefined;
  const path = posix.relative(draft.folder, file);
  return path.startsWith('.') ? path : `./${path}`;
}

const IGNORES_CACHE = /^\s*\/?(?:\*\*\/)?\.fleche\/?(?:\*\*?)?\s*$/m;

/** Where git is used, the cache is none of its business. True if that had to be said. */
function ignoreCache(folder: AbsPath): boolean {
  const file = join(folder, '.gitignore');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  if (text === undefined && !existsSync(join(folder, '.git'))) return false;
  if (text !== undefined && IGNORES_CACHE.test(text)) return false;
  appendFileSync(file, `${text === undefined || text === '' || text.endsWith('\n') ? '' : '\n'}.fleche\n`);
  return true;
}

function otherSource(repository: Repository): { readonly source: Source; readonly file: string } | undefined {
  if (repository.has('turbo.json')) return { source: 'turbo', file: 'turbo.json' };
  if (repository.has('nx.json')) return { source: 'nx', file: 'nx.json' };
  const all = [repository.root, ...repository.packages];
  return all.some(({ manifest }) => 'wireit' in manifest) ? { source: 'wireit', file: 'wireit' } : undefined;
}
