/**
 * What stands for an item in the texts of a task that is done for each of many: `{name}` in outputs and commands. A command
 * never has the item in its text: placeholders become references to variables of its environment, whose content no shell
 * reads as part of the command. Pure.
 */
import { posix } from 'node:path';
import { FlecheError } from '../../base/errors.ts';

/** Of a file: `{dir}` is its folder below the fixed part of the patterns, `{name}` is without `{ext}`, which begins with a dot. */
export const FILE_PLACEHOLDERS = ['path', 'dir', 'name', 'ext'] as const;
/** Of a value: its text, and the beginning of its digest. */
export const VALUE_PLACEHOLDERS = ['item', 'key'] as const;

type Placeholder = (typeof FILE_PLACEHOLDERS)[number] | (typeof VALUE_PLACEHOLDERS)[number];

/** What placeholders stand for; one that an item does not have is missing. */
export type Fields = Readonly<Partial<Record<Placeholder, string>>>;

const ALL: readonly Placeholder[] = [...FILE_PLACEHOLDERS, ...VALUE_PLACEHOLDERS];
/** Not `${name}`, which is the shell's. */
const PLACEHOLDER = new RegExp(`(?<!\\$)\\{(${ALL.join('|')})\\}`, 'g');
/** Anything that looks like one: a single word in braces. */
const LIKE_ONE = /(?<!\$)\{([\w-]*)\}/g;

/** The placeholders of a text, in order; also words in braces that are none. */
export function placeholdersIn(text: string): readonly string[] {
  return Array.from(text.matchAll(LIKE_ONE), ([, name = '']) => name);
}

/** The pattern for what a pattern with placeholders can be for all items. */
export function patternForAll(template: string): string {
  return template.replace(PLACEHOLDER, (_, name: Placeholder) =>
    name === 'dir' ? '**' : name === 'path' ? '**/*' : '*',
  );
}

/**
 * A pattern with placeholders for one item. Throws `CONFIG_INVALID` for an item whose text would not mean itself there, or
 * would lead somewhere else.
 */
export function patternFor(template: string, fields: Fields, item: string): string {
  const refuse = (placeholder: string, why: string, hint: string): never => {
    throw new FlecheError('CONFIG_INVALID', `"${template}" cannot be a path for the item "${item}": ${why}`, {
      hint: `${hint} It stands for {${placeholder}}.`,
    });
  };
  const filled = template.replace(PLACEHOLDER, (_, name: Placeholder) => {
    const text = fields[name];
    if (text === undefined) return refuse(name, 'it has no such text', 'Use {key}, or give it a text or a number.');
    const isPath = name === 'path' || name === 'dir';
    if (/[*?\\\p{Cc}]/u.test(text) || (!isPath && (text.includes('/') || /^\.{0,2}$/.test(text)) && name !== 'ext'))
      return refuse(name, `${JSON.stringify(text)} is not the name of a file`, 'Use another placeholder.');
    return text;
  });
  const path = posix.normalize(filled);
  return filled.startsWith('!') && !template.startsWith('!') ? `./${path}` : path;
}

/** The variable of a command's environment that has the text of a placeholder. */
function variableOf(name: Placeholder): string {
  return `FLECHE_${name.toUpperCase()}`;
}

/** The variables that a command has for an item. */
export function variablesFor(fields: Fields): Readonly<Record<string, string>> {
  return Object.fromEntries(
    ALL.flatMap((name) => (fields[name] === undefined ? [] : [[variableOf(name), fields[name]]])),
  );
}

/** The state of a shell at some place of a command: outside of quotes, or inside of double ones. */
type Mode = 'plain' | 'double' | 'backtick';

/**
 * A command whose placeholders are references to variables, each quoted as it must be where it stands. In single quotes
 * nothing is replaced, which `isQuoted` tells.
 */
export function commandWithVariables(
  command: string,
  windows: boolean = process.platform === 'win32',
): { readonly command: string; readonly isQuoted: boolean } {
  const modes: Mode[] = ['plain'];
  let text = '';
  let isQuoted = false;
  for (let at = 0; at < command.length; ) {
    const mode = modes.at(-1) ?? 'plain';
    const found = placeholderAt(command, at);
    if (found !== undefined) {
      const variable = windows ? `%${variableOf(found)}%` : `\${${variableOf(found)}}`;
      text += mode === 'double' ? variable : `"${variable}"`;
      at += found.length + 2;
      continue;
    }
    const char = command[at] ?? '';
    let length = 1;
    if (windows) {
      if (char === '"') modes[0] = mode === 'double' ? 'plain' : 'double';
    } else if (char === '\\') {
      length = 2;
    } else if (char === "'" && mode !== 'double') {
      const end = command.indexOf("'", at + 1);
      length = end < 0 ? command.length - at : end + 1 - at;
      isQuoted ||= PLACEHOLDER_ONCE.test(command.slice(at, at + length));
    } else {
      step(modes, char, command[at - 1]);
    }
    text += command.slice(at, at + length);
    at += length;
  }
  return { command: text, isQuoted };
}

const PLACEHOLDER_ONCE = new RegExp(PLACEHOLDER.source);

function placeholderAt(command: string, at: number): Placeholder | undefined {
  if (command[at] !== '{' || command[at - 1] === '$') return undefined;
  return ALL.find((name) => command.startsWith(`${name}}`, at + 1));
}

/** What a character means for what follows: quotes, and commands inside of others. */
function step(modes: Mode[], char: string, before: string | undefined): void {
  const mode = modes.at(-1);
  if (char === '"') {
    if (mode === 'double') modes.pop();
    else modes.push('double');
  } else if (char === '`') {
    if (modes.includes('backtick')) while (modes.pop() !== 'backtick');
    else modes.push('backtick');
  } else if (char === '(' && (mode !== 'double' || before === '$')) {
    modes.push('plain');
  } else if (char === ')' && mode === 'plain' && modes.length > 1) {
    modes.pop();
  }
}
