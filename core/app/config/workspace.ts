/**
 * `[workspace]`: the packages of a project, and which tasks each of them has by its own configuration and by the templates
 * of the root. Only reads: configuration files, manifests, and the folders between them.
 */
import { dirname } from 'node:path';
import { suggest } from '../../base/nearest.ts';
import { type AbsPath, type RelPath, toAbs } from '../../base/paths.ts';
import { tableOf, textOf, textsOf } from '../../base/table.ts';
import { packageFolders } from '../packages/find.ts';
import { MANIFEST, NO_MANIFEST, readManifest } from '../packages/manifest.ts';
import { PackagePatterns } from '../packages/package-patterns.ts';
import { type Package, Packages, ROOT } from '../packages/packages.ts';
import { readPnpmWorkspace } from '../packages/pnpm-workspace.ts';
import { PACKAGES_FILES } from './schema/schema.ts';
import { type Entry, TaskText } from './tasks/task-text.ts';
import { brokenRule } from './text/formats.ts';
import type { OpenFile } from './text/open-file.ts';
import type { KeyPath } from './text/positions.ts';
import { label, Problems } from './text/problems.ts';
import { CONFIG_FILE, readSource } from './text/source.ts';

export interface Workspace {
  readonly packages: Packages;
  /** The configuration of each package that has one, by the package's name. */
  readonly configurations: ReadonlyMap<string, OpenFile>;
  /** Files beside the configuration by which all this was found. */
  readonly manifests: readonly AbsPath[];
  /** Where packages may be. */
  readonly patterns: readonly string[];
}

const ROOT_FOLDER = '.' as RelPath;

/** Patterns of the folders of packages; none if it is not of a workspace. Notes where they cannot be told. */
function patternsOf(file: OpenFile): readonly string[] {
  const { source, problems } = file;
  const root = toAbs(dirname(source.file), '.');
  const written = tableOf(source.table['workspace'])['packages'];
  const path = ['workspace', 'packages'];
  const note = (message: string, hint: string): void =>
    problems.add({ code: 'CONFIG_INVALID', message: `${label(path)}: ${message}`, hint, path, on: 'value' });
  let patterns = textsOf(written);
  const list = listOf(file);
  if (list === PACKAGES_FILES.npm) {
    patterns = readManifest(toAbs(root, MANIFEST))?.workspaces ?? [];
    if (patterns.length === 0) note(`${MANIFEST} names no workspaces`, 'Name the folders here: ["packages/*"].');
  } else if (list === PACKAGES_FILES.pnpm) {
    const read = readPnpmWorkspace(toAbs(root, PACKAGES_FILES.pnpm));
    if (read === undefined)
      note(`no list of packages can be read from ${PACKAGES_FILES.pnpm}`, 'Name the folders here: ["packages/*"].');
    patterns = read ?? [];
  }
  return patterns.filter((pattern) => brokenRule('output', pattern) === undefined);
}

/** The file that lists the folders of packages, if one does. */
function listOf({ source }: OpenFile): string | undefined {
  return textOf(tableOf(source.table['workspace'])['packages']);
}

/** The folders of the packages of a configuration. */
export function foldersOf(file: OpenFile): readonly RelPath[] {
  return packageFolders(toAbs(dirname(file.source.file), '.'), patternsOf(file), CONFIG_FILE);
}

/** The packages of a project. Notes names that two of them have. */
export function readWorkspace(file: OpenFile): Workspace {
  const root = toAbs(dirname(file.source.file), '.');
  const rootManifest = toAbs(root, MANIFEST);
  const isWorkspace = file.source.table['workspace'] !== undefined;
  const rootPackage: Package = { ...packageAt(ROOT_FOLDER, isWorkspace ? rootManifest : undefined), name: ROOT };
  const manifests: AbsPath[] = isWorkspace ? [rootManifest] : [];
  if (listOf(file) === PACKAGES_FILES.pnpm) manifests.push(toAbs(root, PACKAGES_FILES.pnpm));
  const configurations = new Map<string, OpenFile>();
  const found = new Map<string, Package>();
  const patterns = patternsOf(file);
  for (const folder of packageFolders(root, patterns, CONFIG_FILE)) {
    const manifest = toAbs(root, `${folder}/${MANIFEST}`);
    manifests.push(manifest);
    const one = packageAt(folder, manifest);
    const other = found.get(one.name);
    if (other !== undefined || !isUsable(one.name)) {
      noteName(file, one, other);
      continue;
    }
    found.set(one.name, one);
    const source = readSource(toAbs(root, `${folder}/${CONFIG_FILE}`));
    if (source === undefined) continue;
    configurations.set(one.name, { source, problems: new Problems(source.positions), isUserWide: false });
  }
  return { packages: new Packages(rootPackage, found.values()), configurations, manifests, patterns };
}

function packageAt(folder: RelPath, file: AbsPath | undefined): Package {
  const { name, ...rest } = (file === undefined ? undefined : readManifest(file)) ?? NO_MANIFEST;
  return { ...rest, name: name ?? folder.slice(folder.lastIndexOf('/') + 1), folder };
}

function isUsable(name: string): boolean {
  return name !== ROOT && brokenRule('task', name) === undefined;
}

function noteName({ problems }: OpenFile, { name, folder }: Package, other: Package | undefined): void {
  const path = ['workspace', 'packages'];
  problems.add({
    code: other === undefined ? 'CONFIG_INVALID' : 'DUPLICATE_NAME',
    message:
      other === undefined
        ? `${folder}: "${name}" cannot be the name of a package`
        : `two packages have the name "${name}": ${other.folder} and ${folder}`,
    hint: `Give ${folder} another name in its package.json, or take it out with "!${folder}".`,
    path,
    on: 'value',
  });
}

/** The tasks of the root, then those of each package, as they are written. Notes what templates are used by nobody. */
export function textsOfTasks(file: OpenFile, { packages, configurations }: Workspace): readonly TaskText[] {
  const entryAt = ({ source, problems }: OpenFile, path: KeyPath, written: unknown): Entry => ({
    table: typeof written === 'string' ? { run: written } : tableOf(written),
    path,
    positions: source.positions,
    problems,
  });
  const entries = (of: OpenFile, key: string): ReadonlyMap<string, Entry> =>
    new Map(
      Object.entries(tableOf(of.source.table[key])).map(([name, written]) => [name, entryAt(of, [key, name], written)]),
    );
  const texts = [...entries(file, 'tasks')].map(([name, own]) => new TaskText(packages.root, name, own, undefined));
  const templates = [...entries(file, 'templates')].map(([name, entry]) => new Template(name, entry, packages));
  for (const one of packages.all) {
    const configuration = configurations.get(one.name);
    const own = configuration === undefined ? new Map<string, Entry>() : entries(configuration, 'tasks');
    for (const template of templates) {
      if (!own.has(template.name) && template.applies(one))
        texts.push(new TaskText(one, template.name, undefined, template.entry));
    }
    for (const [name, entry] of own) {
      const template = templates.find((template) => template.name === name);
      template?.use();
      const text = new TaskText(one, name, entry, template?.entry);
      noteEmpty(text, entry);
      texts.push(text);
    }
  }
  for (const template of templates) template.noteUnused();
  return texts;
}

/** A task of a package must be told what to do by itself, by a template or by a script of its name. */
function noteEmpty(text: TaskText, { path, problems }: Entry): void {
  if (text.value('run') !== undefined || text.value('call') !== undefined) return;
  if (text.home.scripts[text.local] !== undefined) return;
  problems.add({
    code: 'CONFIG_INVALID',
    message: `${label(path)} has neither "run" nor "call", and no template and no script of its name gives it one`,
    hint: `Add a command, such as run = "tsc --noEmit", or a script "${text.local}" to the package.json beside.`,
    path,
    on: 'key',
  });
}

/**
 * What packages share. With a command of its own it makes a task in every package, without one in those that have a script
 * of its name; `packages` narrows both.
 */
class Template {
  readonly name: string;
  readonly entry: Entry;
  readonly #packages: Packages;
  readonly #wanted: PackagePatterns | undefined;
  #isUsed = false;

  constructor(name: string, entry: Entry, packages: Packages) {
    this.name = name;
    this.entry = entry;
    this.#packages = packages;
    const patterns = entry.table['packages'];
    this.#wanted = patterns === undefined ? undefined : new PackagePatterns(textsOf(patterns));
  }

  use(): void {
    this.#isUsed = true;
  }

  applies(one: Package): boolean {
    const { table } = this.entry;
    const hasBody = table['run'] !== undefined || table['call'] !== undefined;
    const applies = (hasBody || one.scripts[this.name] !== undefined) && this.#wanted?.matches(one) !== false;
    this.#isUsed ||= applies;
    return applies;
  }

  noteUnused(): void {
    if (this.#isUsed) return;
    const { path, problems } = this.entry;
    const scripts = new Set(this.#packages.all.flatMap(({ scripts }) => Object.keys(scripts)));
    const hint =
      this.#packages.all.length === 0
        ? 'Say where the packages are: [workspace] packages = ["packages/*"].'
        : this.#wanted !== undefined
          ? 'Correct its "packages", or remove it.'
          : `${suggest(this.name, scripts)} Scripts of packages give templates without "run" their command.`;
    problems.add({ code: 'CONFIG_INVALID', message: `${label(path)}: no package uses it`, hint, path, on: 'key' });
  }
}
