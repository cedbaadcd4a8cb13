/**
 * A tree: a sorted list of paths with what stands there. Its text form is its identity: the digest of a tree is the
 * SHA-256 of that text, which the values store keeps as a blob. Knows nothing of disks.
 */
import { FlecheError } from '../../base/errors.ts';
import { type Digest, isDigest, sha256 } from '../../base/hash.ts';
import { byCodeUnit } from '../../base/order.ts';
import type { RelPath } from '../../base/paths.ts';

/**
 * One path of a tree. `link` keeps the link's own text; as an input it also has the digest of the file it leads to, and
 * whether that is executable.
 * `dir` is an empty folder. `absent` is an input that was named and is not there.
 */
export type TreeEntry =
  | {
      readonly kind: 'file';
      readonly path: RelPath;
      readonly executable: boolean;
      readonly digest: Digest;
      readonly size: number;
    }
  | {
      readonly kind: 'link';
      readonly path: RelPath;
      readonly target: string;
      readonly digest: Digest | null;
      readonly executable: boolean;
    }
  | { readonly kind: 'dir'; readonly path: RelPath }
  | { readonly kind: 'absent'; readonly path: RelPath };

/** Entries sorted by path (code units), each path once. */
export interface Tree {
  readonly digest: Digest;
  readonly entries: readonly TreeEntry[];
}

/** The first line of the text of a tree, with the version of its form. */
export const TREE_HEADER = 'fleche-tree 1\n';

/** Sorts entries and names them by their digest. Of two entries with one path the last wins. */
export function makeTree(entries: Iterable<TreeEntry>): Tree {
  const sorted = inOrder([...entries]);
  return { digest: sha256(treeText(sorted)), entries: sorted };
}

function inOrder(entries: readonly TreeEntry[]): readonly TreeEntry[] {
  // As a rule they are in order already, and to see that takes a tenth of the time.
  if (entries.every(({ path }, at) => at === 0 || (entries[at - 1]?.path ?? '') < path)) return entries;
  const byPath = new Map<RelPath, TreeEntry>();
  for (const entry of entries) byPath.set(entry.path, entry);
  return [...byPath.values()].sort((a, b) => byCodeUnit(a.path, b.path));
}

/** Whether the same stands at the same path. */
export function isSameEntry(a: TreeEntry, b: TreeEntry): boolean {
  return a === b || treeText([a]) === treeText([b]);
}

/** A tree whose digest is known; its entries are made when they are first asked for. */
export function knownTree(digest: Digest, make: () => readonly TreeEntry[]): Tree {
  let made: readonly TreeEntry[] | undefined;
  return {
    digest,
    get entries() {
      made ??= make();
      return made;
    },
  };
}

/** The text of a tree, one line an entry; paths and link targets are JSON strings, so that no name can forge a line. */
export function treeText(entries: readonly TreeEntry[]): string {
  let text = TREE_HEADER;
  for (const entry of entries) {
    switch (entry.kind) {
      case 'file':
        text += `${entry.executable ? 'x' : 'f'} ${entry.digest} ${entry.size} ${JSON.stringify(entry.path)}\n`;
        break;
      case 'link':
        text += `${entry.executable ? 'L' : 'l'} ${entry.digest ?? '-'} ${JSON.stringify(entry.target)} ${JSON.stringify(entry.path)}\n`;
        break;
      case 'dir':
        text += `d ${JSON.stringify(entry.path)}\n`;
        break;
      case 'absent':
        text += `a ${JSON.stringify(entry.path)}\n`;
        break;
    }
  }
  return text;
}

const LINE = /^(?:([fx]) ([0-9a-f]{64}) (\d+)|([lL]) ([0-9a-f]{64}|-) ("(?:[^"\\]|\\.)*")|([da])) ("(?:[^"\\]|\\.)*")$/;

/**
 * The tree of some text, whose digest may be known already. Throws `STORE_CORRUPT` for text that is not exactly what
 * `treeText` would write: entries out of order, a path twice, or a path that is absolute or leaves the root.
 */
export function parseTree(text: string, digest: Digest = sha256(text)): Tree {
  const entries: TreeEntry[] = [];
  if (!text.startsWith(TREE_HEADER) || !text.endsWith('\n')) throw corrupt('header');
  for (let start = TREE_HEADER.length; start < text.length; ) {
    const end = text.indexOf('\n', start);
    entries.push(parseLine(text.slice(start, end), entries.at(-1)?.path));
    start = end + 1;
  }
  return { digest, entries };
}

function parseLine(line: string, previous: string | undefined): TreeEntry {
  const match = LINE.exec(line);
  if (match === null) throw corrupt(line);
  const [, fileKind, fileDigest, size, linkKind, linkDigest, target, plain, quoted] = match;
  const path = unquote(quoted);
  if (previous !== undefined && byCodeUnit(previous, path) >= 0) throw corrupt(`order of ${path}`);
  if (!isConfined(path)) throw corrupt(`path ${path}`);
  if (fileDigest !== undefined && isDigest(fileDigest)) {
    return { kind: 'file', path, executable: fileKind === 'x', digest: fileDigest, size: Number(size) };
  }
  if (target !== undefined && linkDigest !== undefined) {
    const digest = isDigest(linkDigest) ? linkDigest : null;
    return { kind: 'link', path, target: unquote(target), digest, executable: linkKind === 'L' };
  }
  return { kind: plain === 'd' ? 'dir' : 'absent', path };
}

function unquote(quoted: string | undefined): RelPath {
  try {
    return JSON.parse(quoted ?? '') as RelPath;
  } catch {
    throw corrupt('quotes');
  }
}

/** A path that stays a relative path on every system, `../` for inputs outside the root included. */
function isConfined(path: string): boolean {
  if (path === '' || path.startsWith('/') || /^[A-Za-z]:/.test(path) || path.includes('\0')) return false;
  return !path
    .split('/')
    .some((step, at, all) => step === '' || step === '.' || (step === '..' && at > 0 && all[at - 1] !== '..'));
}

function corrupt(what: string): FlecheError {
  return new FlecheError('STORE_CORRUPT', `not a tree: ${what}`, {
    hint: 'It is damaged, or of another version; the task that made it makes it anew.',
  });
}
