/** What differs between two trees, path by path. Pure. */
import type { RelPath } from '../../base/paths.ts';
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
export function diffTreeTexts(past: Uint8Array, present: Uint8Array): readonly PathChange[] {
  const [old, now] = differing(bufferOf(past), bufferOf(present));
  return diffTrees(parseTree(lacking(old, new Set(now))), parseTree(lacking(now, new Set(old))));
}

const NEW_LINE = 0x0a;

/** The first lines of two texts, and what follows but for the lines at the beginning and the end that are the same. */
function differing(past: Buffer, present: Buffer): readonly [readonly string[], readonly string[]] {
  const shorter = Math.min(past.length, present.length);
  const header = past.indexOf(NEW_LINE) + 1;
  const start = past.subarray(0, commonStart(past, present, shorter)).lastIndexOf(NEW_LINE) + 1;
  if (header === 0 || start < header) return [past.toString().split('\n'), present.toString().split('\n')];
  const same = commonEnd(past, present, shorter - start);
  const lineEnd = same === 0 ? -1 : past.indexOf(NEW_LINE, past.length - same);
  const rest = lineEnd < 0 ? 0 : past.length - lineEnd - 1;
  const linesOf = (text: Buffer): readonly string[] =>
    (text.toString('utf8', 0, header) + text.toString('utf8', start, text.length - rest)).split('\n');
  return [linesOf(past), linesOf(present)];
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Bytes that are compared at a time. */
const CHUNK = 4096;

/** How many bytes are the same at the beginning, up to a number that both have. */
function commonStart(a: Buffer, b: Buffer, most: number): number {
  let at = 0;
  while (at + CHUNK <= most && a.compare(b, at, at + CHUNK, at, at + CHUNK) === 0) at += CHUNK;
  while (at < most && a[at] === b[at]) at++;
  return at;
}

/** The same at the end. */
function commonEnd(a: Buffer, b: Buffer, most: number): number {
  let count = 0;
  const isSame = (size: number): boolean =>
    a.compare(b, b.length - size, b.length - count, a.length - size, a.length - count) === 0;
  while (count + CHUNK <= most && isSame(count + CHUNK)) count += CHUNK;
  while (count < most && a[a.length - count - 1] === b[b.length - count - 1]) count++;
  return count;
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
