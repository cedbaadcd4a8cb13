/** For which packages the lock file installs other than it did. */
import { existsSync, readFileSync } from 'node:fs';
import { type AbsPath, normalRel, type RelPath, toAbs } from '../base/paths.ts';
import { LOCK_FILES, lockSlice } from '../files/lock-file.ts';
import type { GitChanges } from './git.ts';

/** Tells of the folder of a package whether what is installed for it is other than it was. */
export function lockChanges(root: AbsPath, changes: GitChanges): (folder: RelPath) => boolean {
  const changed = LOCK_FILES.filter((path) => changes.paths.includes(path));
  const [path = normalRel('package-lock.json'), ...others] = changed;
  if (changed.length === 0) return () => false;
  const place = toAbs(root, path);
  const before = changes.before(path);
  if (others.length > 0 || before === undefined || !existsSync(place)) return () => true;
  const [then, now] = [lockSlice(path, before), lockSlice(path, readFileSync(place, 'utf8'))];
  return (folder) => then(folder) !== now(folder);
}
