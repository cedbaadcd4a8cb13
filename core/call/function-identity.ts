/**
 * What a function is called and what it is made of, for its fingerprint: name, module, version, source text and
 * parameter names. Looked at once, when the function is wrapped.
 */
import { FlecheError } from '../base/errors.ts';
import { type Digest, sha256 } from '../base/hash.ts';
import { fileDigest, modulePath } from '../files/source-file.ts';

// biome-ignore lint/suspicious/noExplicitAny: any function can be wrapped
export type AnyFunction = (...args: any[]) => any;

/**
 * How the code of a function enters its key. `body`: its own source text. `module`: the file it is defined in.
 * `manual`: not at all; `version` says when old answers no longer hold.
 */
export type CodeMode = 'body' | 'module' | 'manual';

export interface IdentityOptions {
  readonly name?: string | undefined;
  /** Module path; null leaves it out of the key. */
  readonly module?: string | null | undefined;
  readonly version?: string | number | undefined;
  readonly code?: CodeMode | undefined;
  readonly args?: readonly string[] | undefined;
}

export interface FunctionIdentity {
  readonly name: string;
  readonly module: string | null;
  readonly version: string | number | null;
  readonly code: Digest | null;
  readonly parameters: Parameters;
  /** Whether the source mentions `this`. */
  readonly usesThis: boolean;
}

/** Declared parameters in order. */
export interface Parameters {
  /** A name for each declared parameter; a pattern or unknown one is called by its position. */
  readonly names: readonly string[];
  /** Whether the last one gathers all further arguments. */
  readonly rest: boolean;
  /** Whether an argument left out and one given as undefined are the same to the function. */
  readonly closed: boolean;
}

/** Throws `USAGE` for a function without a name. `definedIn` is the file of the wrapping call, if it could be told. */
export function identityOf(fn: AnyFunction, options: IdentityOptions, definedIn: string | undefined): FunctionIdentity {
  const name = options.name ?? fn.name;
  if (name === '') {
    throw new FlecheError('USAGE', 'a memoised function needs a name: it is what its answers are filed under', {
      hint: "Name the function, or pass { name: '…' }.",
    });
  }
  const source = Function.prototype.toString.call(fn);
  const mode = options.code ?? 'body';
  return {
    name,
    module: options.module !== undefined ? options.module : definedIn === undefined ? null : modulePath(definedIn),
    version: options.version ?? null,
    code: codeDigest(mode, source, definedIn, name),
    parameters:
      options.args === undefined
        ? parametersOf(source, fn.length)
        : { names: options.args, rest: false, closed: false },
    usesThis: /\bthis\b/.test(source),
  };
}

function codeDigest(mode: CodeMode, source: string, definedIn: string | undefined, name: string): Digest | null {
  if (mode === 'manual') return null;
  if (mode === 'body') return sha256(source);
  if (definedIn === undefined) {
    throw new FlecheError('CODE_UNRESOLVED', `the module of "${name}" could not be told`, {
      hint: "Use code: 'body', or code: 'manual' with a version.",
    });
  }
  return fileDigest(definedIn);
}

/**
 * Parameter names from source text. Only a plain list is understood (`a, b = 1, ...rest`); anything else is named by
 * position, which is safe and merely less readable.
 */
export function parametersOf(source: string, length: number): Parameters {
  const byPosition: Parameters = { names: Array.from({ length }, (_, i) => String(i)), rest: false, closed: false };
  const arrow = /^(?:async\s*)?([A-Za-z_$][\w$]*)\s*=>/.exec(source);
  const list = arrow?.[1] ?? listBetweenParentheses(source);
  if (list === undefined) return byPosition;
  const pieces = splitTopLevel(list);
  if (pieces === undefined) return byPosition;
  const names: string[] = [];
  let rest = false;
  for (const [at, piece] of pieces.entries()) {
    const match = /^(\.\.\.)?\s*([A-Za-z_$][\w$]*)\s*(?:=(?![=>])|$)/.exec(piece);
    rest ||= piece.startsWith('...');
    names.push(match?.[2] ?? String(at));
  }
  return { names, rest, closed: !rest && !/\barguments\b/.test(source) };
}

/** The text of the first balanced parentheses, if that is where the parameters must be. */
function listBetweenParentheses(source: string): string | undefined {
  const open = source.indexOf('(');
  if (open < 0 || /[={[]/.test(source.slice(0, open)) || source.slice(0, open).includes('/*')) return undefined;
  const end = balancedEnd(source, open);
  return end === undefined ? undefined : source.slice(open + 1, end);
}

const CLOSER: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** Where the bracket at `start` closes; undefined for text that needs a real parser (comments, templates, regexps). */
function balancedEnd(text: string, start: number): number | undefined {
  const open: string[] = [];
  for (let i = start; i < text.length; i++) {
    const char = text[i] ?? '';
    if (char === '/' || char === '`') return undefined;
    if (char === '"' || char === "'") {
      i = text.indexOf(char, i + 1);
      if (i < 0 || text[i - 1] === '\\') return undefined;
    } else if (char in CLOSER) {
      open.push(CLOSER[char] ?? '');
    } else if (char === ')' || char === ']' || char === '}') {
      if (open.pop() !== char) return undefined;
      if (open.length === 0) return i;
    }
  }
  return undefined;
}

function splitTopLevel(list: string): string[] | undefined {
  const pieces: string[] = [];
  let from = 0;
  for (let i = 0; i < list.length; i++) {
    const char = list[i] ?? '';
    if (char === ',') {
      pieces.push(list.slice(from, i).trim());
      from = i + 1;
    } else if (char in CLOSER) {
      const end = balancedEnd(list, i);
      if (end === undefined) return undefined;
      i = end;
    } else if (char === '"' || char === "'") {
      i = list.indexOf(char, i + 1);
      if (i < 0) return undefined;
    }
  }
  pieces.push(list.slice(from).trim());
  if (pieces.at(-1) === '') pieces.pop();
  return pieces;
}
