/** Paths: absolute inside the program, relative with forward slashes at rest and in every key. */
import { isAbsolute, posix, relative, resolve, sep } from 'node:path';

declare const relBrand: unique symbol;
/** A path relative to the project root, with `/` between its parts and no `.` or `..` but leading ones. */
export type RelPath = string & { readonly [relBrand]: 'RelPath' };

declare const absBrand: unique symbol;
/** An absolute path in the form of this machine. */
export type AbsPath = string & { readonly [absBrand]: 'AbsPath' };

/** Makes `path` absolute against `base` (absolute itself). */
export function toAbs(base: string, path: string): AbsPath {
  return resolve(base, path) as AbsPath;
}

/** `path` as seen from `root`. Paths outside begin with `../`; the root itself is `.`. */
export function toRel(root: string, path: string): RelPath {
  const found = relative(root, path);
  return (found === '' ? '.' : sep === '/' ? found : found.split(sep).join('/')) as RelPath;
}

/** A relative path as a person writes it, in normal form: `./a//b/../c` is `a/c`. */
export function normalRel(path: string): RelPath {
  const slashes = sep === '/' ? path : path.replaceAll('\\', '/');
  const normal = posix.normalize(slashes).replace(/(?<=.)\/$/, '');
  return normal as RelPath;
}

/** Whether a relative path leaves the folder it is relative to. */
export function escapes(path: string): boolean {
  return isAbsolute(path) || path === '..' || path.startsWith('../');
}

/** Whether `path` is `folder` or lies below it; both relative to the same root. */
export function isWithin(folder: string, path: string): boolean {
  if (folder === '.') return true;
  return path.startsWith(folder) && (path.length === folder.length || path[folder.length] === '/');
}

/** The path of what is called `name` in a folder. */
export function pathIn(folder: RelPath, name: string): RelPath {
  return (folder === '.' ? name : `${folder}/${name}`) as RelPath;
}

/** The folder that a path is in; `.` for one at the top. */
export function folderOf(path: RelPath): RelPath {
  const end = path.lastIndexOf('/');
  return (end < 0 ? '.' : path.slice(0, end)) as RelPath;
}
