/** What differs between two trees, path by path. Pure. */
import type { RelPath } from '../base/paths.ts';
import { parseTree, type Tree, type TreeEntry } from './tree.ts';

export interface PathChange {
  readonly path: RelPath;
  /** `mode` means: the same bytes, but the executable bit differs. */
  readonly change: 'added' | 'removed' | 'changed' | 'mode';
}

/**
 * The same of two trees in their text form, of which only the lines are read that the other one lacks. Throws
 * `STORE_CORRUPT` like `parseTree`, for what it reads.
 */
export function diffTreeTexts(past: string, present: string): readonly PathChange[] {
  const old = past.split('\n');
  const now = present.split('\n');
  return diffTrees(parseTree(lacking(old, new Set(now))), parseTree(lacking(now, new Set(old))));
}

/** The lines that others lack, between the header and the line break at the end. */
function lacking(lines: readonly string[], others: ReadonlySet<string>): string {
  return lines.filter((line, at) => at === 0 || at === lines.length - 1 || !others.has(line)).join('\n');
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
