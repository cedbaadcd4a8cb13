/** The projects of an Nx repository: folders with a project.json, and packages of the workspace. Only reads. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { byCodeUnit } from '../../base/order.ts';
import { type Table, tableOf, textsOf } from '../../base/table.ts';
import type { Repository } from './repository.ts';

export interface Project {
  /** What Nx calls it. */
  readonly name: string;
  /** What it is called here: by its manifest, else by its folder; `//` for the root. */
  readonly packageName: string;
  /** Relative to the repository; `.` for the root. */
  readonly folder: string;
  readonly scripts: Readonly<Record<string, string>>;
  /** By name, without their defaults. */
  readonly targets: Table;
  readonly namedInputs: Table;
  /** Names of packages that it depends on by its manifest. */
  readonly dependencies: readonly string[];
  /** Names of projects that it says it depends on. */
  readonly implicit: readonly string[];
}

/** Sorted by folder. */
export function nxProjects(repository: Repository): readonly Project[] {
  const root = 'nx' in repository.root.manifest ? ['.'] : [];
  const packages = repository.packages.map(({ folder }) => String(folder));
  const folders = new Set([...root, ...projectFolders(repository), ...packages]);
  return [...folders].sort(byCodeUnit).map((folder) => projectAt(repository, folder));
}

function projectAt(repository: Repository, folder: string): Project {
  const file = repository.json(`${folder}/project.json`) ?? {};
  const manifest = repository.json(`${folder}/package.json`) ?? {};
  const nx = tableOf(manifest['nx']);
  const scripts = Object.fromEntries(
    Object.entries(tableOf(manifest['scripts'])).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );
  const base = folder.slice(folder.lastIndexOf('/') + 1);
  const packageName = folder === '.' ? '//' : textOr(manifest['name'], base);
  const included = nx['includedScripts'] === undefined ? Object.keys(scripts) : textsOf(nx['includedScripts']);
  const fromScripts = included
    .filter((name) => scripts[name] !== undefined && !/^(?:pre|post)/.test(name))
    .map((name) => [name, { executor: 'nx:run-script' }] as const);
  const hasFile = Object.keys(file).length > 0;
  return {
    name: textOr(file['name'], textOr(nx['name'], textOr(manifest['name'], base))),
    packageName,
    folder,
    scripts,
    targets: {
      ...(folder === '.' && !hasFile && !('nx' in manifest) ? {} : Object.fromEntries(fromScripts)),
      ...merged(fromScripts, tableOf(nx['targets'])),
      ...merged(fromScripts, tableOf(file['targets'])),
    },
    namedInputs: { ...tableOf(nx['namedInputs']), ...tableOf(file['namedInputs']) },
    dependencies: ['dependencies', 'devDependencies', 'peerDependencies'].flatMap((key) =>
      Object.keys(tableOf(manifest[key])),
    ),
    implicit: [...textsOf(nx['implicitDependencies']), ...textsOf(file['implicitDependencies'])],
  };
}

/** A target that says nothing of what it does is that of the script of its name. */
function merged(scripts: readonly (readonly [string, Table])[], targets: Table): Table {
  const byName = new Map(scripts);
  return Object.fromEntries(
    Object.entries(targets).map(([name, target]) => {
      const own = tableOf(target);
      const isSaid = 'executor' in own || 'command' in own;
      return [name, isSaid ? own : { ...byName.get(name), ...own }];
    }),
  );
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' && value !== '' ? value : otherwise;
}

const PASSED_OVER: ReadonlySet<string> = new Set(['node_modules', '.git', '.nx', '.fleche', 'dist', 'tmp']);

function projectFolders(repository: Repository): readonly string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(repository.folder, folder), { withFileTypes: true })) {
      if (entry.isFile() && entry.name === 'project.json') found.push(folder);
      if (!entry.isDirectory() || PASSED_OVER.has(entry.name)) continue;
      walk(folder === '.' ? entry.name : `${folder}/${entry.name}`);
    }
  };
  walk('.');
  return found;
}
