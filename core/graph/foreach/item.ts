/** The items of a task that is done for each of many: what they are called, and what placeholders stand for. Pure. */
import { posix } from 'node:path';
import { digest } from '../../base/digest.ts';
import { encode } from '../../base/encode.ts';
import { type Digest, sha256 } from '../../base/hash.ts';
import { byCodeUnit } from '../../base/order.ts';
import { folderOf, isWithin, type RelPath } from '../../base/paths.ts';
import { part } from '../../call/fingerprint.ts';
import { ITEM } from '../../call/item-name.ts';
import { makeTree, type TreeEntry, treeText } from '../../files/trees/tree.ts';
import type { Part } from '../../store/record.ts';
import type { FoundArg } from '../tasks/found-arg.ts';
import { type Fields, variablesFor } from './placeholders.ts';

/** One of the files or values that a task is done for. */
export interface Item {
  /** What people call it; no other item of the task is called so. */
  readonly name: string;
  /** What its question depends on beside what it has in common with those of others. */
  readonly part: Part;
  /** What the part names. */
  readonly blobs: ReadonlyMap<Digest, () => Uint8Array>;
  readonly fields: Fields;
  /** The environment that tells a command what the item is. */
  readonly variables: Readonly<Record<string, string>>;
  /** What a function is given. */
  readonly arg: FoundArg;
  /** The file that it is, if it is one. */
  readonly entry: TreeEntry | undefined;
}

/** Texts up to this length are the names of values. */
const LONGEST_NAME = 60;
const KEY_LENGTH = 16;

/** A file. `base` is the folder that `{dir}` is relative to, `dir` the one that commands run in. */
export function fileItem(entry: TreeEntry, base: RelPath, dir: RelPath): Item {
  const tree = makeTree([entry]);
  return {
    name: entry.path,
    part: part('files', ITEM, tree.digest, tree.digest),
    blobs: new Map([[tree.digest, () => Buffer.from(treeText(tree.entries))]]),
    get fields() {
      return fieldsOf(entry.path, base, dir);
    },
    get variables() {
      return variablesFor(this.fields);
    },
    arg: { kind: 'file', tree },
    entry,
  };
}

function fieldsOf(path: RelPath, base: RelPath, dir: RelPath): Fields {
  const { name, ext } = posix.parse(path);
  const here = posix.relative(dir, path);
  const folder = folderOf(path);
  return {
    // A name that begins like an option is none.
    path: here.startsWith('-') ? `./${here}` : here,
    dir: isWithin(base, folder) ? posix.relative(base, folder) || '.' : folder,
    name,
    ext,
  };
}

/** The folder that all files lie in which some patterns can match. `bases` are theirs, of which `literals` are files. */
export function folderAround(bases: readonly RelPath[], literals: readonly RelPath[]): RelPath {
  let common: RelPath | undefined;
  for (const base of bases) {
    const folder = literals.includes(base) ? folderOf(base) : base;
    common ??= folder;
    while (common !== '.' && !isWithin(common, folder)) common = folderOf(common);
  }
  return common ?? ('.' as RelPath);
}

/** Values, each once however often it is there, with the place of each in the list. */
export function valueItems(values: readonly unknown[]): {
  readonly items: readonly Item[];
  readonly places: readonly number[];
} {
  const items: Item[] = [];
  const known = new Map<Digest, number>();
  const names = new Set<string>();
  const places = values.map((value) => {
    const id = digest(value, ITEM);
    const place = known.get(id);
    if (place !== undefined) return place;
    known.set(id, items.length);
    const text = textOf(value);
    const json = text === undefined ? jsonOf(value) : undefined;
    const key = id.slice(0, KEY_LENGTH);
    const shown = text ?? json ?? '';
    const name = names.has(shown) || !isName(shown) ? `#${key}` : shown;
    names.add(name);
    const bytes = encode(value);
    const blob = sha256(bytes);
    const fields: Fields = { key, ...(text === undefined ? {} : { item: text }) };
    items.push({
      name,
      part: part('argument', ITEM, id, blob),
      blobs: new Map([[blob, () => bytes]]),
      fields,
      variables: variablesFor(json === undefined ? fields : { ...fields, item: json }),
      arg: { kind: 'value', value },
      entry: undefined,
    });
    return items.length - 1;
  });
  return { items, places };
}

function isName(text: string): boolean {
  return text !== '' && text.length <= LONGEST_NAME && !/\p{Cc}/u.test(text);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

/** For commands, which are given texts alone: of equal values the same. Undefined for what JSON cannot say. */
function jsonOf(value: unknown): string | undefined {
  const inOrder = (_: string, inner: unknown): unknown =>
    typeof inner !== 'object' || inner === null || Array.isArray(inner)
      ? inner
      : Object.fromEntries(Object.entries(inner).sort(([a], [b]) => byCodeUnit(a, b)));
  try {
    return JSON.stringify(value, inOrder);
  } catch {
    return undefined;
  }
}
