/**
 * What could stand next on a command line: verbs, options, their values, tasks, packages. Pure; names of the project are
 * asked for only where they can stand.
 */
import { GLOBAL_OPTIONS, type OptionSpec } from '../cli/options.ts';
import type { VerbSpec } from '../cli/verb.ts';

/** A whole word, with what it means; the text may be empty. */
export type Offer = readonly [word: string, text: string];

export interface Offers {
  readonly words: readonly Offer[];
  /** What of the file system can stand there too; the shell knows it better. */
  readonly paths?: 'files' | 'folders';
}

/** What can be named in the project. */
export interface Names {
  /** Tasks as they can be called from here; `package#task` for those of single packages. */
  readonly tasks: readonly Offer[];
  readonly packages: readonly Offer[];
}

const NONE: Offers = { words: [] };
/** Words of the help that stand for what cannot be listed. */
const OPEN = new Set(['key', 'digest', 'what', 'words']);

/** What could stand in the place of the last of `words`, which is what was typed of it. The first follows `fleche`. */
export async function offersFor(
  words: readonly string[],
  verbs: readonly VerbSpec[],
  names: () => Promise<Names>,
): Promise<Offers> {
  const typed = words.at(-1) ?? '';
  const line = new Line(words.slice(0, -1), verbs);
  const [, option = '', begun] = /^(--[^=]+)=(.*)$/s.exec(typed) ?? [];
  const found =
    begun === undefined || line.isOver
      ? await wordsFor(typed, line, verbs, names)
      : after(`${option}=`, await valuesOf(line.option(option), names));
  return { ...found, words: found.words.filter(([word]) => word.startsWith(typed)) };
}

function after(prefix: string, { words, ...rest }: Offers): Offers {
  return { ...rest, words: words.map(([word, text]) => [prefix + word, text]) };
}

async function wordsFor(
  typed: string,
  line: Line,
  verbs: readonly VerbSpec[],
  names: () => Promise<Names>,
): Promise<Offers> {
  if (line.open !== undefined) return valuesOf(line.open, names);
  if (!line.isOver && typed.startsWith('-'))
    return { words: line.optionsLeft.map(({ name, text }) => [`--${name}`, text]) };
  const { verb, args } = line;
  if (verb === undefined) return { words: verbOffers(verbs, line.isHelp) };
  if (line.isHelp || args.length >= verb.most) return NONE;
  const [action] = args;
  if (verb.actions === undefined) return argumentsOf(verb.args, typed, names);
  if (action === undefined) return { words: verb.actions.map(([usage, text]) => [firstWord(usage), text]) };
  const usage = verb.actions.find(([usage]) => firstWord(usage) === action)?.[0] ?? action;
  return argumentsOf(usage.slice(action.length), typed, names);
}

function verbOffers(verbs: readonly VerbSpec[], isHelp: boolean): readonly Offer[] {
  const shown = verbs.filter((verb) => !verb.hidden).map(({ name, text }): Offer => [name, text]);
  return isHelp ? shown : [...shown, ['help', 'show help about a verb']];
}

/** Of arguments as the help writes them: `[tasks…]` and `<file|task|key>`, and `<bash|zsh|fish>` for those very words. */
async function argumentsOf(usage: string, typed: string, names: () => Promise<Names>): Promise<Offers> {
  const kinds = usage.match(/\w+/g) ?? [];
  const words: Offer[] = [];
  let paths: Offers['paths'];
  for (const kind of kinds) {
    if (/^(tasks?|name)$/.test(kind)) words.push(...tasksFor(typed, (await names()).tasks));
    else if (kind === 'file') paths = 'files';
    else if (kind === 'FOLDER') paths = 'folders';
    else if (!OPEN.has(kind)) words.push([kind, '']);
  }
  return { words, ...(paths && { paths }) };
}

/** Those of single packages are many: they are offered where they are begun, or nothing else is. */
function tasksFor(typed: string, tasks: readonly Offer[]): readonly Offer[] {
  const near = tasks.filter(([name]) => !name.includes('#') && name.startsWith(typed));
  return near.length > 0 ? near : tasks;
}

async function valuesOf(option: OptionSpec | undefined, names: () => Promise<Names>): Promise<Offers> {
  if (option?.choices !== undefined) return { words: option.choices.map((choice) => [choice, '']) };
  if (option?.value === 'FILE') return { words: [], paths: 'files' };
  if (option?.value === 'DIR') return { words: [], paths: 'folders' };
  return option?.value === 'FILTER' ? { words: (await names()).packages } : NONE;
}

function firstWord(usage: string): string {
  return usage.split(' ')[0] ?? '';
}

/** The words before the one that is typed. */
class Line {
  readonly args: string[] = [];
  verb: VerbSpec | undefined;
  /** Whether help is asked for, about the verb if there is one. */
  isHelp = false;
  /** An option that waits for its value. */
  open: OptionSpec | undefined;
  /** Whether nothing more is an option. */
  isOver = false;
  readonly #verbs: readonly VerbSpec[];
  readonly #given = new Set<OptionSpec>();

  constructor(words: readonly string[], verbs: readonly VerbSpec[]) {
    this.#verbs = verbs;
    for (const word of words) this.#read(word);
  }

  #read(word: string): void {
    const option = this.isOver || !word.startsWith('-') ? undefined : this.option(word.split('=', 1)[0] ?? '');
    if (this.open !== undefined) this.open = undefined;
    else if (word === '--') this.isOver = true;
    else if (option !== undefined) {
      this.#given.add(option);
      this.open = option.value === undefined || option.optional || word.includes('=') ? undefined : option;
    } else if (this.verb !== undefined) this.args.push(word);
    else if (word === 'help') this.isHelp = true;
    else this.verb = this.#verbs.find(({ name }) => name === word);
  }

  /** The option that is written so. */
  option(written: string): OptionSpec | undefined {
    return this.#options.find(({ name, short }) => written === `--${name}` || written === `-${short}`);
  }

  get optionsLeft(): readonly OptionSpec[] {
    return this.#options.filter((option) => option.many || !this.#given.has(option));
  }

  get #options(): readonly OptionSpec[] {
    return [...(this.verb?.options ?? []), ...GLOBAL_OPTIONS];
  }
}
