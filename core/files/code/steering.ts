/**
 * The files that steer how compilers and bundlers read other files: the manifest of the package that a file belongs to,
 * the configuration of TypeScript above it, and where a package is found by its name: the link that leads to it may come to
 * lead elsewhere. Tools that tell which sources they read leave these out.
 */
import { dirname } from 'node:path/posix';
import { type AbsPath, escapes, type RelPath, toAbs, toRel } from '../../base/paths.ts';
import { textAt } from '../inputs/report-file.ts';
import { lookThrough } from '../look.ts';
import { installedHome } from './manifest.ts';
import { readTsconfig } from './tsconfig.ts';

/** The files that steer how these are read, there or not. Above the root nothing is looked for. */
export function steeringFiles(root: AbsPath, paths: Iterable<RelPath>): ReadonlySet<RelPath> {
  const found = new Set<RelPath>();
  const folders = new Set<string>();
  const packages = new Set<string>();
  for (const path of paths) {
    const home = installedHome(toAbs(root, path));
    if (home !== undefined) {
      found.add(toRel(root, `${home}/package.json`));
      packages.add(home.replace(/^.*[/\\]node_modules[/\\]/, ''));
    } else for (let at = dirname(path); !folders.has(at) && !escapes(at); at = dirname(at)) folders.add(at);
  }
  for (const folder of folders) {
    const installed = toAbs(root, `${folder}/node_modules`);
    if (lookThrough(installed)?.isDirectory() !== true) found.add(toRel(root, installed));
    else for (const name of packages) found.add(toRel(root, `${installed}/${name}/package.json`));
    found.add(toRel(root, toAbs(root, `${folder}/package.json`)));
    const config = toAbs(root, `${folder}/tsconfig.json`);
    for (const file of readTsconfig(config, (place) => textAt(place)?.text).files) found.add(toRel(root, file));
  }
  return found;
}
