/** Looking at paths that code may mean, which need not be paths at all. */
import { realpathSync, type Stats, statSync } from 'node:fs';
import { messageOf, systemCode } from '../../base/errors.ts';
import type { AbsPath } from '../../base/paths.ts';

/** The real path of something that exists, links followed. Throws what the system throws. */
export function realPath(path: string): AbsPath {
  return realpathSync(path) as AbsPath;
}

/** What a path leads to; undefined if nothing can be there. Throws other failures. */
export function stat(path: AbsPath): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENAMETOOLONG') return undefined;
    throw error;
  }
}

/** As `realPath`; undefined if the path leads nowhere. */
export function resolveLinks(path: AbsPath): AbsPath | undefined {
  try {
    return realPath(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined;
    throw new Error(`cannot follow ${path}: ${messageOf(error)}`, { cause: error });
  }
}
