/**
 * `yarn.lock` as yarn 1 writes it: a format of its own, lines that are indented by what they belong to. Pure.
 */
import type { Illegible, Lock, Member } from './lock.ts';
import { type YarnEntry, YarnLock } from './yarn.ts';

const BLOCKS: ReadonlySet<string> = new Set(['dependencies', 'optionalDependencies']);

/** An entry in the making. */
interface Reading {
  readonly keys: readonly string[];
  readonly values: Map<string, string>;
  readonly dependencies: [string, string][];
}

export function readClassicLock(text: string, members: readonly Member[]): Lock | Illegible {
  const entries: Reading[] = [];
  let block = '';
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(?:#.*)?$/.test(line)) continue;
    const words = wordsIn(line.trim());
    const depth = line.search(/\S/);
    const entry = entries.at(-1);
    const isHead = line.endsWith(':');
    const [name = '', value] = words ?? [];
    if (depth === 0 && isHead && words !== undefined)
      entries.push({ keys: words, values: new Map(), dependencies: [] });
    else if (depth === 2 && isHead && words?.length === 1) block = name;
    else if (depth === 2 && entry !== undefined && value !== undefined) entry.values.set(name, value);
    else if (depth === 4 && entry !== undefined && value !== undefined) {
      if (BLOCKS.has(block)) entry.dependencies.push([name, value]);
    } else return { trouble: `cannot be read in line ${index + 1}` };
  }
  return new YarnLock(entries.map(entryOf), members, true);
}

function entryOf({ keys, values, dependencies }: Reading): YarnEntry {
  const resolved = values.get('resolved') ?? '';
  // A registry may have more than one name; the rest of an address is of the package.
  const place = resolved.replace(/^https?:\/\/[^/]*/, '');
  const content = `${place}\t${values.get('integrity') ?? ''}`;
  return { keys, version: values.get('version') ?? '', content, dependencies };
}

/** The words of a line, quoted or not, without commas and a colon at the end; undefined if there is something else. */
function wordsIn(line: string): readonly string[] | undefined {
  const words = line.match(/"(?:[^"\\]|\\.)*"|[^\s",]+/g) ?? [];
  const bare = words.map((word, index) => (index === words.length - 1 ? word.replace(/:$/, '') : word));
  try {
    return bare.filter((word) => word !== '').map((word) => (word.startsWith('"') ? String(JSON.parse(word)) : word));
  } catch {
    return undefined;
  }
}
