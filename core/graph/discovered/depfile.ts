/**
 * Depfiles: the rules for make that compilers write (`gcc -MD -MF`, `clang`, `swc`, `cargo`). Only prerequisites are taken,
 * of all rules. Escapes are those that compilers write: `\ ` and `\#` are the character, `$$` is `$`, 2n + 1 backslashes
 * before a space or `#` are n backslashes and the character; `\:` is a colon; any other backslash is one, as in the paths
 * of Windows. A backslash at the end of a line continues it. Pure.
 */
import { broken, type Mentions, read } from './mention.ts';

/** Reads the text of a depfile. */
export function readDepfile(text: string): Mentions {
  if (text.includes('\0')) return broken('is not a depfile: it has bytes that are no text');
  if (/\\\r?\n?$/.test(text)) return broken('is cut short: its last line is to be continued');
  const found = new Set<string>();
  let rules = 0;
  for (const line of text.replace(/\\\r?\n/g, ' ').split(/\r?\n/)) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const strict = wordsOf(line, isFollowedByBlank);
    const words = strict.some(({ endsTarget }) => endsTarget) ? strict : wordsOf(line, () => true);
    const colon = words.findIndex(({ endsTarget }) => endsTarget);
    if (colon < 0) return broken(`is not a depfile: there is no colon in "${line.trim().slice(0, 60)}"`);
    rules++;
    for (const { text } of words.slice(colon + 1)) found.add(text);
  }
  if (rules === 0) return broken('is empty');
  return { kind: 'read', mentions: [...found].map(read) };
}

interface Word {
  readonly text: string;
  /** Whether the colon stood behind it that ends the targets. */
  readonly endsTarget: boolean;
}

/** `mayEnd`: whether the colon at a place may be the one that ends the targets. */
function wordsOf(line: string, mayEnd: (line: string, at: number) => boolean): readonly Word[] {
  const words: Word[] = [];
  let word = '';
  let isTarget = true;
  const end = (endsTarget = false): void => {
    if (word !== '' || endsTarget) words.push({ text: word, endsTarget });
    word = '';
  };
  for (let at = 0; at < line.length; at++) {
    const char = line[at] ?? '';
    if (char === '\\') {
      const [run = ''] = /^\\+/.exec(line.slice(at)) ?? [];
      const next = line[at + run.length] ?? '';
      const isEscape = next === ' ' || next === '#' || (next === ':' && !isFollowedByBlank(line, at + run.length));
      if (!isEscape) word += run;
      else if (run.length % 2 === 1) word += '\\'.repeat((run.length - 1) / 2) + next;
      else word += '\\'.repeat(run.length / 2);
      at += run.length - 1 + (isEscape && run.length % 2 === 1 ? 1 : 0);
    } else if (char === '$' && line[at + 1] === '$') {
      word += '$';
      at++;
    } else if (char === ' ' || char === '\t') {
      end();
    } else if (char === ':' && isTarget && mayEnd(line, at) && !(isDrive(word) && /[\\/]/.test(line[at + 1] ?? ''))) {
      isTarget = false;
      end(true);
    } else {
      word += char;
    }
  }
  end();
  return words;
}

/** As a rule a colon that ends the targets has something blank, or nothing, behind it. */
function isFollowedByBlank(line: string, at: number): boolean {
  return /^:?(?:\s|$)/.test(line.slice(at + 1));
}

function isDrive(word: string): boolean {
  return /^[A-Za-z]$/.test(word);
}
