/** What differs between two trees, path by path. Pure. */
import type { RelPath } from '../base/paths.ts';
import type { Tree, TreeEntry } from './tree.ts';

export interface PathChange {
  readonly path: RelPath;
  /** `mode` means: the same bytes, but the executable bit differs. */
  readonly change: 'added' | 'removed' | 'changed' | 'mode';
}

/** Changes from `past` to `present`, sorted by path. An absent entry counts as no entry. */
export function diffTrees(past: Tree, present: Tree): readonly PathChange[] {
  const changes: PathChange[] = [];
  const old = past.entries.filter((entry) => entry.kind !== 'absent');
  const now = present.entries.filter((entry) => entry.kind !== 'absent');
  let i = 0;
  let j = 0;
  while (i < old.length || j < now.length) {
    const before = old[i];
    const after = now[j];
    if (after === undefined || (before !== undefined && before.path < after.path)) {
      if (before !== undefined) changes.push({ path: before.path, change: 'removed' });
      i++;
    } else if (before === undefined || after.path < before.path) {
      changes.push({ path: after.path, change: 'added' });
      j++;
    } else {
      const change = changeOf(before, after);
      if (change !== undefined) changes.push({ path: after.path, change });
      i++;
      j++;
    }
  }
  return changes;
}

function changeOf(before: TreeEntry, after: TreeEntry): PathChange['change'] | undefined {
  if (before.kind === 'file' && after.kind === 'file') {
    if (before.digest !== after.digest) return 'changed';
    return before.executable === after.executable ? undefined : 'mode';
  }
  if (before.kind === 'link' && after.kind === 'link') {
    if (before.target !== after.target || before.digest !== after.digest) return 'changed';
    return before.executable === after.executable ? undefined : 'mode';
  }
  return before.kind === after.kind ? undefined : 'changed';
}
