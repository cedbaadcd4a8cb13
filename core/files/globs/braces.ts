/** Brace expansion of glob patterns, as shells do it: `{a,b}`, nested, `{1..9}`, `{01..12}`, `{a..e}`. Pure text. */
import { FlecheError } from '../../base/errors.ts';

/** More words than this are a mistake, not a pattern. */
const LIMIT = 1000;
const NUMBERS = /^(-?\d+)\.\.(-?\d+)$/;
const LETTERS = /^([A-Za-z])\.\.([A-Za-z])$/;

/**
 * The words a pattern stands for, in order. Braces without a comma or a range stand for themselves. Throws
 * `CONFIG_INVALID` for a pattern of more than 1000 words.
 */
export function expandBraces(pattern: string): readonly string[] {
  const words: string[] = [];
  expand(pattern, 0, words);
  return words;
}

function expand(text: string, from: number, words: string[]): void {
  for (let open = text.indexOf('{', from); open >= 0; open = text.indexOf('{', open + 1)) {
    const close = closing(text, open);
    const choices = close < 0 ? undefined : choicesOf(text.slice(open + 1, close));
    if (choices === undefined) continue;
    for (const choice of choices) expand(text.slice(0, open) + choice + text.slice(close + 1), open, words);
    return;
  }
  if (words.push(text) > LIMIT) {
    throw new FlecheError('CONFIG_INVALID', `a pattern stands for more than ${LIMIT} words`, {
      hint: 'Use * or ** instead of so many alternatives in braces.',
    });
  }
}

function closing(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === '{') depth++;
    else if (text[at] === '}' && --depth === 0) return at;
  }
  return -1;
}

/** The alternatives between two braces, or undefined where the braces mean themselves. */
function choicesOf(body: string): readonly string[] | undefined {
  const choices: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < body.length; at++) {
    if (body[at] === '{') depth++;
    else if (body[at] === '}') depth--;
    else if (body[at] === ',' && depth === 0) {
      choices.push(body.slice(start, at));
      start = at + 1;
    }
  }
  return choices.length > 0 ? [...choices, body.slice(start)] : rangeOf(body);
}

function rangeOf(body: string): readonly string[] | undefined {
  const letters = LETTERS.exec(body);
  if (letters !== null) {
    const [, first = '', last = ''] = letters;
    return count(first.charCodeAt(0), last.charCodeAt(0)).map((code) => String.fromCharCode(code));
  }
  const numbers = NUMBERS.exec(body);
  if (numbers === null) return undefined;
  const [, first = '', last = ''] = numbers;
  const padded = [first, last].some((end) => /^-?0\d/.test(end));
  const width = padded ? Math.max(first.length, last.length) : 0;
  return count(Number(first), Number(last)).map((value) =>
    value < 0 ? `-${String(-value).padStart(width - 1, '0')}` : String(value).padStart(width, '0'),
  );
}

/** Whole numbers from `first` to `last`, both included, up or down; cut just past the limit. */
function count(first: number, last: number): readonly number[] {
  const step = first <= last ? 1 : -1;
  return Array.from({ length: Math.min(Math.abs(last - first), LIMIT) + 1 }, (_, at) => first + step * at);
}
