/**
 * What a tsconfig.json can lead a compiler to. Reads just enough of it: where it extends others, which paths it maps, and
 * where it lets sources be searched. Errors in it are the compiler's to report; here an unreadable one maps nothing.
 */
import { dirname, isAbsolute, join } from 'node:path';
import { parseJsonc } from '../../base/jsonc.ts';
import { type AbsPath, toAbs } from '../../base/paths.ts';
import { isTable, type Table } from '../../base/table.ts';

export interface Tsconfig {
  /** Every file that was read or looked for, whether it exists or not. */
  readonly files: readonly AbsPath[];
  /** The paths, without regard for extensions, at which an import that is not relative may be looked for. */
  readonly places: (specifier: string) => readonly AbsPath[];
  readonly search: Search;
}

/** Where a compiler searches for sources that nobody names. */
export interface Search {
  /** Folders, with all that is below them, and single files. */
  readonly places: readonly AbsPath[];
  /** Patterns of what is left out of that, absolute. */
  readonly leftOut: readonly string[];
  /** Whether the configuration does not say: then it is its folder. */
  readonly isDefault: boolean;
}

/** Reads the configuration at `path` and those it extends. `read` gives a file's text, or undefined if there is none. */
export function readTsconfig(path: AbsPath, read: (path: AbsPath) => string | undefined): Tsconfig {
  const files = new Set<AbsPath>();
  const mappings: Mapping[] = [];
  const searched: AbsPath[] = [];
  const leftOut: AbsPath[] = [];
  let isDefault = true;
  const queue = [path];
  for (const file of queue) {
    if (files.has(file)) continue;
    files.add(file);
    const config = parse(read(file));
    if (config === undefined) continue;
    for (const other of strings(config['extends'])) queue.push(...placesOfConfig(dirname(file), other));
    mappings.push(...mappingsOf(config['compilerOptions'], dirname(file), dirname(path)));
    const placed = (text: string): AbsPath =>
      toAbs(
        dirname(file),
        text.replace(/\$\{configDir\}/g, () => dirname(path)),
      );
    if ('include' in config || 'files' in config) isDefault = false;
    // What an inheriting configuration says replaces what it inherits; to search both is never less.
    for (const text of strings(config['include']))
      searched.push(placed(text.replace(/(?:^|[/\\])[^/\\]*[*?].*$/s, '')));
    if (file === path) for (const text of strings(config['exclude'])) leftOut.push(placed(text));
  }
  return {
    files: [...files],
    places: (specifier) => [...new Set(mappings.flatMap((mapping) => apply(mapping, specifier)))],
    search: { places: isDefault ? [toAbs(dirname(path), '.')] : searched, leftOut, isDefault },
  };
}

/** Where an `extends` may be meant to lead; a package is looked for in every folder above. */
function placesOfConfig(from: string, name: string): AbsPath[] {
  const variants = (path: string): AbsPath[] =>
    [path, `${path}.json`, join(path, 'tsconfig.json')].map((file) => toAbs(from, file));
  if (isAbsolute(name) || name === '.' || name === '..' || /^\.\.?[/\\]/.test(name)) return variants(name);
  const places: AbsPath[] = [];
  const [scope, short] = name.split('/', 2);
  const packageName = name.startsWith('@') ? `${scope}/${short}` : `${scope}`;
  for (let folder = from; ; folder = dirname(folder)) {
    places.push(...variants(join(folder, 'node_modules', name)));
    places.push(toAbs(folder, join('node_modules', packageName, 'package.json')));
    if (dirname(folder) === folder) return places;
  }
}

/** A pattern with at most one `*`, and what it stands for. */
interface Mapping {
  readonly pattern: string;
  readonly target: string;
  readonly base: string;
}

function mappingsOf(options: unknown, dir: string, configDir: string): Mapping[] {
  if (!isTable(options)) return [];
  const found: Mapping[] = [];
  const base = typeof options['baseUrl'] === 'string' ? toAbs(dir, options['baseUrl']) : undefined;
  if (base !== undefined) found.push({ pattern: '*', target: '*', base });
  const paths = options['paths'];
  for (const [pattern, targets] of Object.entries(isTable(paths) ? paths : {})) {
    for (const target of strings(targets)) {
      found.push({ pattern, target: target.replace(/\$\{configDir\}/g, () => configDir), base: base ?? dir });
    }
  }
  return found;
}

function apply({ pattern, target, base }: Mapping, specifier: string): AbsPath[] {
  const [before = '', after] = pattern.split('*', 2);
  if (after === undefined) return specifier === pattern ? [toAbs(base, target)] : [];
  const fits = specifier.startsWith(before) && specifier.endsWith(after);
  if (!fits || specifier.length < before.length + after.length) return [];
  const star = specifier.slice(before.length, specifier.length - after.length);
  return [
    toAbs(
      base,
      target.replace('*', () => star),
    ),
  ];
}

function strings(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter((item) => typeof item === 'string');
}

/** JSON with comments and trailing commas. */
function parse(text: string | undefined): Table | undefined {
  if (text === undefined) return undefined;
  try {
    const value = parseJsonc(text);
    return isTable(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
