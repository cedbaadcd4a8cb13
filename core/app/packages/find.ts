/**
 * Where the packages of a workspace are. Reads the folders that the patterns lead through, nothing else; an answer holds
 * until a folder appears there or goes.
 */
import { type Dirent, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type AbsPath, pathIn, type RelPath } from '../../base/paths.ts';
import { Globs } from '../../files/globs/globs.ts';
import { MANIFEST } from './manifest.ts';

/**
 * The folders that match the patterns and are packages: those with a manifest, or with a file called `marker`. As npm
 * does, a pattern speaks of folders, not of what is below them; "!" takes away. Sorted by the order of the disk's names.
 */
export function packageFolders(root: AbsPath, patterns: readonly string[], marker: string): readonly RelPath[] {
  const globs = new Globs(filesOfPackages(patterns, marker));
  const found: RelPath[] = [];
  const walk = (folder: RelPath): void => {
    for (const entry of foldersIn(join(root, folder))) {
      const path = pathIn(folder, entry.name);
      if (globs.matches(`${path}/${MANIFEST}` as RelPath) && isPackage(join(root, path), marker)) found.push(path);
      if (globs.enters(path)) walk(path);
    }
  };
  if (patterns.length > 0) walk('.' as RelPath);
  return found;
}

/** Patterns of the files that make a folder a package. What takes a folder away takes away what is in it. */
export function filesOfPackages(patterns: readonly string[], marker: string): readonly string[] {
  return patterns.flatMap((pattern) => {
    const bare = pattern.replace(/[\\/]+$/, '');
    return bare.startsWith('!') ? [bare] : [`${bare}/${MANIFEST}`, `${bare}/${marker}`];
  });
}

function isPackage(folder: string, marker: string): boolean {
  return existsSync(join(folder, MANIFEST)) || existsSync(join(folder, marker));
}

function foldersIn(place: string): readonly Dirent[] {
  try {
    return readdirSync(place, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  } catch {
    // What cannot be read has no packages that could be.
    return [];
  }
}
