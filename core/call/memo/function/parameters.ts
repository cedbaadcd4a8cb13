/**
 * The names of a function's parameters, from its source text. Only what can be understood without a parser is: a plain
 * list, with defaults, patterns and a rest. Anything else is named by position, which is safe and merely less readable.
 */
import { FlecheError } from '../../../base/errors.ts';

/** Declared parameters in order. */
export interface Parameters {
  /** A unique name for each; a pattern is called by its position. */
  readonly names: readonly string[];
  /** Whether the last one gathers all further arguments. */
  readonly rest: boolean;
  /**
   * Whether the function sees its arguments through these parameters alone. Then one left out is the same as one given
   * as undefined, and arguments beyond the declared ones do not exist for it.
   */
  readonly closed: boolean;
}

const NAME = String.raw`[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*`;
const ARROW = new RegExp(String.raw`^(?:async\s+)?(${NAME})\s*=>`, 'u');
const PIECE = new RegExp(String.raw`^(?:\.\.\.)?\s*(${NAME})\s*(?:=(?![=>])|$)`, 'u');
/** What lets a function see arguments that it does not declare. */
const OPEN = /\b(?:arguments|eval)\b/;

/** `source` is the text of the function, `length` its number of parameters before the first default or rest. */
export function parametersOf(source: string, length: number): Parameters {
  const byPosition: Parameters = { names: Array.from({ length }, (_, i) => String(i)), rest: false, closed: false };
  const list = ARROW.exec(source)?.[1] ?? listInParentheses(source);
  const pieces = list === undefined ? undefined : splitTopLevel(list);
  if (pieces === undefined) return byPosition;
  const names = pieces.map((piece, at) => PIECE.exec(piece)?.[1] ?? String(at));
  if (new Set(names).size < names.length) return byPosition;
  const rest = pieces.at(-1)?.startsWith('...') ?? false;
  return { names, rest, closed: !OPEN.test(source) };
}

/** The same parameters under names that were given. Throws `USAGE` if there are more names than parameters can take. */
export function renamed(parameters: Parameters, given: readonly string[]): Parameters {
  const { names, rest, closed } = parameters;
  if (new Set(given).size < given.length)
    throw new FlecheError('USAGE', `args names one argument twice: ${given.join(', ')}`, {
      hint: 'Give each a name of its own.',
    });
  if (given.length > names.length && (rest || closed)) {
    throw new FlecheError('USAGE', `args has ${given.length} names for ${names.length} parameters`, {
      hint: `The parameters are: ${names.join(', ') || 'none'}.`,
    });
  }
  return { names: [...given, ...names.slice(given.length)], rest, closed };
}

/** The text of the first parentheses, if that is where the parameters must be. */
function listInParentheses(source: string): string | undefined {
  const open = source.indexOf('(');
  if (open < 0 || /[={[/'"`]/.test(source.slice(0, open))) return undefined;
  const end = closingAt(source, open);
  return end === undefined ? undefined : source.slice(open + 1, end);
}

const CLOSER: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** Where the bracket at `start` closes; undefined for text that needs a parser (comments, templates, expressions). */
function closingAt(text: string, start: number): number | undefined {
  const open: string[] = [];
  for (let at = start; at < text.length; at++) {
    const char = text[at] ?? '';
    if (char === '/' || char === '`') return undefined;
    if (char === '"' || char === "'") {
      at = text.indexOf(char, at + 1);
      if (at < 0 || text[at - 1] === '\\') return undefined;
    } else if (char in CLOSER) {
      open.push(CLOSER[char] ?? '');
    } else if (char === ')' || char === ']' || char === '}') {
      if (open.pop() !== char) return undefined;
      if (open.length === 0) return at;
    }
  }
  return undefined;
}

/** The pieces between the commas of a list that `closingAt` has been through. */
function splitTopLevel(list: string): readonly string[] | undefined {
  const pieces: string[] = [];
  let from = 0;
  for (let at = 0; at < list.length; at++) {
    const char = list[at] ?? '';
    if (char === ',') {
      pieces.push(list.slice(from, at).trim());
      from = at + 1;
    } else if (char in CLOSER) {
      const end = closingAt(list, at);
      if (end === undefined) return undefined;
      at = end;
    } else if (char === '"' || char === "'") {
      at = list.indexOf(char, at + 1);
    }
  }
  pieces.push(list.slice(from).trim());
  if (pieces.at(-1) === '') pieces.pop();
  return pieces;
}
