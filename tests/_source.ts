/**
 * Reads TypeScript text just far enough to tell code from comments, strings, templates and regular expressions. Knows
 * no grammar: a slash is taken for a division after a name, a number or a closing bracket, else for a regular
 * expression, which is right for formatted code.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A keyword after which a slash begins a regular expression, although a name stands before it. */
const BEFORE_REGEXP = /(?:^|[^\w$.])(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield)$/;

/**
 * `text` with everything but code replaced by spaces, so that every offset and line stays what it was. Quotes and the
 * expressions inside templates are kept.
 */
export function codeOf(text: string): string {
  let out = '';
  let at = 0;
  /** For every template that is open around `at`: the depth of braces inside its current expression. */
  const templates: number[] = [];

  const blank = (end: number): void => {
    out += text.slice(at, end).replace(/[^\n]/g, ' ');
    at = end;
  };
  const keep = (count: number): void => {
    out += text.slice(at, at + count);
    at += count;
  };
  /** Blanks the text of a template up to its end or its next expression. */
  const template = (): void => {
    let end = at;
    while (end < text.length && text[end] !== '`' && !text.startsWith('${', end)) end += text[end] === '\\' ? 2 : 1;
    blank(Math.min(end, text.length));
    if (text[at] === '`') keep(1);
    else if (at < text.length) {
      keep(2);
      templates.push(0);
    }
  };

  while (at < text.length) {
    const char = text[at];
    if (text.startsWith('//', at) || (at === 0 && text.startsWith('#!'))) {
      const end = text.indexOf('\n', at);
      blank(end < 0 ? text.length : end);
    } else if (text.startsWith('/*', at)) {
      const end = text.indexOf('*/', at + 2);
      blank(end < 0 ? text.length : end + 2);
    } else if (char === "'" || char === '"') {
      let end = at + 1;
      while (end < text.length && text[end] !== char && text[end] !== '\n') end += text[end] === '\\' ? 2 : 1;
      keep(1);
      blank(Math.min(end, text.length));
      if (text[at] === char) keep(1);
    } else if (char === '`') {
      keep(1);
      template();
    } else if (char === '/' && startsRegExp(out)) {
      blank(regExpEnd(text, at));
    } else if (char === '{' && templates.length > 0) {
      templates.push((templates.pop() ?? 0) + 1);
      keep(1);
    } else if (char === '}' && templates.length > 0) {
      const depth = templates.pop() ?? 0;
      keep(1);
      if (depth === 0) template();
      else templates.push(depth - 1);
    } else {
      keep(1);
    }
  }
  return out;
}

function startsRegExp(before: string): boolean {
  const code = before.slice(-200).trimEnd();
  return !/[\w$)\]}'"`]$/.test(code) || BEFORE_REGEXP.test(code);
}

/** Where a regular expression that begins at `start` ends, its flags included. */
function regExpEnd(text: string, start: number): number {
  let inClass = false;
  let end = start + 1;
  for (; end < text.length && text[end] !== '\n'; end++) {
    const char = text[end];
    if (char === '\\') end++;
    else if (char === '[') inClass = true;
    else if (char === ']') inClass = false;
    else if (char === '/' && !inClass) break;
  }
  for (end++; /[a-z]/.test(text[end] ?? ''); end++);
  return Math.min(end, text.length);
}

/** An import or re-export of a module: its specifier and the statement's own words before it. */
interface ImportStatement {
  readonly specifier: string;
  readonly statement: string;
}

/** Every static import, re-export and `import()` of a literal, in the order of the text; type imports are included. */
export function importsOf(text: string): ImportStatement[] {
  const found = codeOf(text).matchAll(/\b(?:import|export)\b[^'";()]*?\bfrom\s*['"]( *)|\bimport\s*\(?\s*['"]( *)/g);
  return [...found].map((match) => {
    const length = (match[1] ?? match[2] ?? '').length;
    const end = match.index + match[0].length;
    return { specifier: text.slice(end - length, end), statement: text.slice(match.index, end - length) };
  });
}

/** Paths of the files below some folders of a root that end as `ending` says, relative to it with `/`, sorted. */
export function filesBelow(root: string, folders: readonly string[], ending: RegExp): string[] {
  return folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
    )
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => ending.test(path))
    .sort();
}
