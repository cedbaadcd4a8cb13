/**
 * Lists of files: one that the task writes itself, and what TypeScript prints with `--listFiles`. Pure.
 */
import { broken, looked, type Mention, type Mentions, read } from './mention.ts';

/**
 * One path a line; `?path` was looked for, and may be there or not. Empty lines do not count. A path that begins with a
 * question mark is written as `./?path`.
 */
export function readList(text: string): Mentions {
  if (text.includes('\0')) return broken('is not a list: it has bytes that are no text');
  const mentions = text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line): Mention => (line.startsWith('?') ? looked(line.slice(1)) : read(line)));
  return { kind: 'read', mentions };
}

/**
 * The absolute paths among the lines, each on a line of its own, which is what `--listFiles` prints; messages of the
 * compiler begin otherwise.
 */
export function readTsc(text: string): Mentions {
  const mentions = text
    .split(/\r?\n/)
    .filter((line) => /^(?:\/|[A-Za-z]:[\\/])[^\0]*$/.test(line))
    .map(read);
  return mentions.length === 0
    ? broken('names no files: does the command have --listFiles?')
    : { kind: 'read', mentions };
}
