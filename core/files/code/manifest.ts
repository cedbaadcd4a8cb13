/** What a package.json says that matters to the lookup of modules, and which one a file belongs to. */
import { dirname } from 'node:path';
import type { AbsPath } from '../../base/paths.ts';

export interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly main?: string;
}

/** The manifest in some text; what does not parse says nothing. */
export function parseManifest(text: string | undefined): Manifest {
  if (text === undefined) return {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null) return {};
    return Object.fromEntries(Object.entries(parsed).filter(([, value]) => typeof value === 'string'));
  } catch {
    return {};
  }
}

/** The folder of the installed package that a file (by its real path) belongs to; undefined for a project's own file. */
export function installedHome(file: string): AbsPath | undefined {
  const [, home] = /^(.*[/\\]node_modules[/\\](?:@[^/\\]+[/\\])?[^/\\]+)[/\\]/.exec(file) ?? [];
  return home as AbsPath | undefined;
}

/** The name of the package in an import by name, and what follows it, with its slash. */
export function splitSpecifier(specifier: string): { readonly name: string; readonly subpath: string } {
  const [, name = specifier, subpath = ''] = /^((?:@[^/]+\/)?[^/]+)(\/.*)?$/.exec(specifier) ?? [];
  return { name, subpath };
}

/** A folder and all above it, nearest first. */
export function* upward(folder: string): Generator<string> {
  for (let at = folder; ; at = dirname(at)) {
    yield at;
    if (dirname(at) === at) return;
  }
}
