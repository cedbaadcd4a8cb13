/** The command line, read and checked against the table of verbs. Every fault is a `USAGE` error with a way out. */
import parseArguments from 'yargs-parser';
import { FlecheError } from '../../base/errors.ts';
import { suggest } from '../../base/nearest.ts';
import { GLOBAL_OPTIONS, type OptionSpec } from './options.ts';

/** What a verb must say of itself to be called. */
export interface VerbShape {
  readonly name: string;
  /** How its arguments are written in the help; empty if it takes none. */
  readonly args: string;
  readonly least: number;
  readonly most: number;
  /** What its first argument can be, with what that does; undefined where it can be anything. */
  readonly actions?: readonly (readonly [action: string, text: string])[];
  /** Beside the global ones. */
  readonly options: readonly OptionSpec[];
  /** Nobody calls it by hand. */
  readonly hidden?: true;
}

/** Values by the name of the option; true for one without. */
type Given = ReadonlyMap<string, readonly string[] | true>;

export class Invocation {
  /** Undefined for a command line that asks for help or the version without a verb. */
  readonly verb: string | undefined;
  readonly args: readonly string[];
  readonly #given: Given;

  constructor(verb: string | undefined, args: readonly string[], given: Given) {
    this.verb = verb;
    this.args = args;
    this.#given = given;
  }

  /** The options that are given. */
  get names(): readonly string[] {
    return [...this.#given.keys()];
  }

  flag(name: string): boolean {
    return this.#given.has(name);
  }

  /** The value of an option; of several the last. */
  text(name: string): string | undefined {
    return this.texts(name).at(-1);
  }

  /** All values of an option, in their order. */
  texts(name: string): readonly string[] {
    const value = this.#given.get(name) ?? true;
    return value === true ? [] : value;
  }

  /** The value of an option among its choices, which the parser has checked. */
  choice<C extends string>(name: string, choices: readonly C[]): C | undefined {
    const value = this.text(name);
    return choices.find((choice) => choice === value);
  }
}

const CONFIGURATION = {
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'duplicate-arguments-array': true,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'populate--': true,
  'strip-aliased': true,
};

/** Reads the words after `fleche`. Throws `USAGE`. */
export function parseInvocation(argv: readonly string[], verbs: readonly VerbShape[]): Invocation {
  const all = new Map(
    [...GLOBAL_OPTIONS, ...verbs.flatMap((verb) => verb.options)].map((option) => [option.name, option]),
  );
  const options = [...all.values()];
  const names = (chosen: readonly OptionSpec[]): string[] => chosen.map((option) => option.name);
  const parsed = parseArguments([...argv], {
    boolean: names(options.filter((option) => option.value === undefined)),
    string: names(options.filter((option) => option.value !== undefined)),
    alias: Object.fromEntries(
      options.flatMap(({ name, short }) => (short === undefined ? [] : [[name, [short]] as const])),
    ),
    configuration: CONFIGURATION,
  });
  const { _: words, '--': rest = [], ...found } = parsed;
  // An option of this name lands among the words: the parser has no other place for it.
  const ends = argv.indexOf('--');
  const isUnderscore = (word: string, at: number): boolean => (ends < 0 || at < ends) && /^--_(?:=|$)/.test(word);
  if (!Array.isArray(words) || words.some((word: unknown) => word === true) || argv.some(isUnderscore)) {
    throw unknownOption('_', undefined, GLOBAL_OPTIONS);
  }
  const asked = words[0] === 'help';
  const [word, ...args] = [...(asked ? words.slice(1) : words), ...rest].map(String);
  const verb = verbs.find((verb) => verb.name === word);
  if (asked) {
    if (word !== undefined && verb === undefined) throw unknownVerb(word, verbs);
    return new Invocation(verb?.name, [], new Map([...checkedOptions(found, verb, all), ['help', true]]));
  }
  const onlyAsks = found['help'] === true || found['version'] === true;
  if (word !== undefined && verb === undefined && !onlyAsks) throw unknownVerb(word, verbs);
  const given = checkedOptions(found, verb, all);
  if (onlyAsks) return new Invocation(verb?.name, args, given);
  if (verb === undefined) return new Invocation(undefined, [], new Map([...given, ['help', true]]));
  checkCount(verb, args);
  return new Invocation(verb.name, args, given);
}

function unknownVerb(word: string, verbs: readonly VerbShape[]): FlecheError {
  const names = verbs.flatMap((verb) => (verb.hidden ? [] : verb.name));
  return usage(`there is no verb "${word}"`, suggest(word, names));
}

function checkedOptions(
  found: Readonly<Record<string, unknown>>,
  verb: VerbShape | undefined,
  all: ReadonlyMap<string, OptionSpec>,
): Given {
  const given = new Map<string, readonly string[] | true>();
  const known = verb === undefined ? [...all.values()] : [...GLOBAL_OPTIONS, ...verb.options];
  for (const [name, value] of Object.entries(found)) {
    const option = known.find((option) => option.name === name);
    if (option === undefined) throw unknownOption(name, verb, known);
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    const counted = option.many ? values : values.slice(-1);
    if (option.value === undefined || (option.optional && counted[0] === '')) {
      if (option.optional || counted[0] === true) given.set(name, true);
    } else {
      given.set(
        name,
        counted.map((value) => checkedText(option, value)),
      );
    }
  }
  return given;
}

function checkedText({ name, value: shown, choices }: OptionSpec, value: unknown): string {
  if (typeof value !== 'string' || value === '') {
    throw usage(`--${name} needs a value`, `Write --${name}=${choices?.join('|') ?? shown}.`);
  }
  if (choices === undefined || choices.includes(value)) return value;
  throw usage(`--${name} cannot be "${value}"`, suggest(value, choices));
}

function unknownOption(name: string, verb: VerbShape | undefined, known: readonly OptionSpec[]): FlecheError {
  const written = name.length === 1 ? `-${name}` : `--${name}`;
  const about = verb === undefined ? '' : ` of ${verb.name}`;
  const positive = name.startsWith('no-') ? known.find((option) => option.name === name.slice(3)) : undefined;
  if (positive !== undefined) return usage(`there is no option ${written}${about}`, `Leave out --${positive.name}.`);
  const spellings = known.map((option) => `--${option.name}`);
  return usage(`there is no option ${written}${about}`, suggest(written, spellings));
}

function checkCount(verb: VerbShape, args: readonly string[]): void {
  if (args.length < verb.least) {
    const known = verb.actions?.map(([action]) => action).join(', ');
    const hint = known === undefined ? `Write fleche ${verb.name} ${verb.args}.` : `Known: ${known}.`;
    throw usage(`${verb.name} needs more arguments`, hint);
  }
  if (args.length > verb.most) {
    throw usage(
      `"${args[verb.most]}" is one argument too many`,
      `Write fleche ${[verb.name, verb.args].join(' ').trim()}.`,
    );
  }
}

function usage(message: string, hint: string): FlecheError {
  return new FlecheError('USAGE', message, { hint });
}
