/** What is remembered of paths on disk. Knows nothing of disks. */
import type { Digest } from '../../base/hash.ts';
import type { RelPath } from '../../base/paths.ts';
import type { StatKey } from './stat-key.ts';

/** `dir` is a folder that was read, or an empty one; `absent` is a path where nothing stood. */
export type PathKind = 'file' | 'link' | 'dir' | 'absent';

export interface PathState {
  readonly path: RelPath;
  readonly kind: PathKind;
  /** As it was before `digest` was taken, of a link that of what it leads to; null if nothing was taken. */
  readonly key: StatKey | null;
  /** Of a file's content, of what a link leads to, of the names in a folder; null if unknown. */
  readonly digest: Digest | null;
  /** Whether an equal key means equal content. */
  readonly trusted: boolean;
  /** Text of a link, else empty. */
  readonly target: string;
}

/** The state of a path of which no more is known than what stands there. */
export function stateOf(path: RelPath, kind: PathKind, target = ''): PathState {
  return { path, kind, key: null, digest: null, trusted: false, target };
}

/** `now`, or `before` if it says the same, so that what did not change can be told by identity. */
export function kept(before: PathState | undefined, now: PathState): PathState {
  const same =
    before !== undefined &&
    before.kind === now.kind &&
    before.digest === now.digest &&
    before.trusted === now.trusted &&
    before.target === now.target &&
    isEqualKey(before.key, now.key);
  return same ? before : now;
}

function isEqualKey(a: StatKey | null, b: StatKey | null): boolean {
  if (a === null || b === null) return a === b;
  return a.size === b.size && a.mtime === b.mtime && a.ctime === b.ctime && a.ino === b.ino && a.mode === b.mode;
}
