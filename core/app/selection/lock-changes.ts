/** For which packages the lock file installs other than it did. */
import { existsSync, readFileSync } from 'node:fs';
import { type AbsPath, normalRel, type RelPath, toAbs } from '../../base/paths.ts';
import { filesBeside, LOCK_FILES, readLock } from '../../files/lock/formats.ts';
import type { Member } from '../../files/lock/lock.ts';
import type { GitChanges } from './git.ts';

/**
 * Tells of the folder of a package whether what is installed for it is other than it was. `members` are the root and the
 * packages as they are now: a manifest that was another one concerns its packages anyway.
 */
export function lockChanges(
  root: AbsPath,
  changes: GitChanges,
  members: readonly Member[],
): (folder: RelPath) => boolean {
  const isThere = (path: RelPath): boolean => existsSync(toAbs(root, path));
  const changed = LOCK_FILES.filter((path) => changes.paths.includes(path));
  const path = changed[0] ?? LOCK_FILES.find(isThere);
  if (path === undefined) return () => false;
  const beside = filesBeside(path, members).filter((one) => changes.paths.includes(one));
  if (changed.length === 0 && beside.length === 0) return () => false;
  const contentOf = (one: RelPath): string | undefined =>
    isThere(one) ? readFileSync(toAbs(root, one), 'utf8') : undefined;
  const contentBefore = (one: RelPath): string | undefined =>
    changes.paths.includes(one) ? changes.before(one) : contentOf(one);
  const [then, now] = [contentBefore, contentOf].map((content) => {
    const text = content(path);
    const fileAt = (one: string): string | undefined => content(normalRel(one));
    return text === undefined ? undefined : readLock(path, text, { members, fileAt });
  });
  if (changed.length > 1 || then === undefined || now === undefined) return () => true;
  // What a file holds that is no text is not what git gave.
  if (then.trouble !== undefined || now.trouble !== undefined) return () => true;
  return (folder) => then.slice(folder) !== now.slice(folder);
}
