/**
 * The text of a tree as bytes, line by line, so that some entries can be replaced without writing all the others again.
 * Knows nothing of disks.
 */
import { sha256 } from '../../base/hash.ts';
import { placeAmong } from '../../base/order.ts';
import { type Tree, type TreeEntry, treeText } from './tree.ts';

interface Lines {
  readonly bytes: Buffer;
  /** Where the line of each entry begins, and where the last one ends. */
  readonly starts: Uint32Array;
}

/** Of trees that were made from others, which are likely to be followed by more. */
const known = new WeakMap<Tree, Lines>();

const NEW_LINE = 0x0a;

/** What `treeText` writes, in UTF-8. Not to be written to. */
export function treeBytes(tree: Tree): Uint8Array {
  return known.get(tree)?.bytes ?? Buffer.from(treeText(tree.entries));
}

/**
 * The tree with these entries, in any order, in the place of those it has of the same paths; the same object if they are
 * the same. Undefined if it lacks one of the paths.
 */
export function withEntries(tree: Tree, replacements: readonly TreeEntry[]): Tree | undefined {
  const { bytes, starts } = known.get(tree) ?? linesOf(tree);
  const changes: { readonly at: number; readonly entry: TreeEntry; readonly line: Buffer }[] = [];
  for (const entry of replacements) {
    const at = placeAmong(tree.entries.length, (at) => tree.entries[at]?.path ?? '', entry.path);
    if (at < 0) return undefined;
    const line = lineOf(entry);
    if (!line.equals(bytes.subarray(starts[at], starts[at + 1]))) changes.push({ at, entry, line });
  }
  if (changes.length === 0) return tree;
  changes.sort((a, b) => a.at - b.at);
  const entries = [...tree.entries];
  const moved = Uint32Array.from(starts);
  const pieces: Buffer[] = [];
  let done = 0;
  let shift = 0;
  for (const [index, { at, entry, line }] of changes.entries()) {
    entries[at] = entry;
    const [start = 0, end = 0] = [starts[at], starts[at + 1]];
    pieces.push(bytes.subarray(done, start), line);
    done = end;
    shift += line.length - (end - start);
    const until = changes[index + 1]?.at ?? starts.length - 1;
    for (let next = at + 1; shift !== 0 && next <= until; next++) moved[next] = (starts[next] ?? 0) + shift;
  }
  const text = Buffer.concat([...pieces, bytes.subarray(done)]);
  const made = { digest: sha256(text), entries };
  known.set(made, { bytes: text, starts: moved });
  return made;
}

function linesOf(tree: Tree): Lines {
  const bytes = Buffer.from(treeText(tree.entries));
  const starts = new Uint32Array(tree.entries.length + 1);
  let start = bytes.indexOf(NEW_LINE) + 1;
  for (let at = 0; at < starts.length; at++) {
    starts[at] = start;
    start = bytes.indexOf(NEW_LINE, start) + 1;
  }
  const lines = { bytes, starts };
  known.set(tree, lines);
  return lines;
}

function lineOf(entry: TreeEntry): Buffer {
  const text = treeText([entry]);
  return Buffer.from(text.slice(text.indexOf('\n') + 1));
}
