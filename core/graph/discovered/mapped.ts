/**
 * Imports whose names a tsconfig.json maps to paths: what would have been found in place of the file that was, had it been
 * there.
 */

import { type AbsPath, escapes, folderOf, type RelPath, toAbs, toRel } from '../../base/paths.ts';
import { installedHome } from '../../files/code/manifest.ts';
import { readTsconfig, type Tsconfig } from '../../files/code/tsconfig.ts';
import { textAt } from '../../files/inputs/report-file.ts';
import type { Import } from './mention.ts';
import { preferred } from './preferred.ts';

/** Paths that decide by being there or not. */
export function mappedPaths(root: AbsPath, imports: Iterable<Import<RelPath>>): ReadonlySet<RelPath> {
  const configs = new Map<RelPath, Tsconfig>();
  const configIn = (folder: RelPath): Tsconfig => {
    const known =
      configs.get(folder) ?? readTsconfig(toAbs(root, `${folder}/tsconfig.json`), (file) => textAt(file)?.text);
    configs.set(folder, known);
    return known;
  };
  const paths = new Set<RelPath>();
  for (const { from, specifier, found } of imports) {
    if (escapes(from) || installedHome(toAbs(root, from)) !== undefined) continue;
    for (let at = folderOf(from); ; at = folderOf(at)) {
      for (const place of configIn(at).places(specifier)) {
        const { others, isFound } = preferred(toRel(root, place), found);
        for (const other of others) paths.add(other as RelPath);
        if (isFound) break;
      }
      if (at === '.') break;
    }
  }
  return paths;
}
