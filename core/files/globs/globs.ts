/**
 * Ordered patterns over relative paths: the last pattern that speaks of a path decides, `!` takes away. Knows nothing of
 * disks, so whether `app/[id]` is meant as written or as a glob is not asked: both readings hold.
 */
import picomatch from 'picomatch';
import { FlecheError } from '../../base/errors.ts';
import { byCodeUnit } from '../../base/order.ts';
import { isWithin, type RelPath } from '../../base/paths.ts';
import { expandBraces } from './braces.ts';
import { type GlobTests, globTests } from './glob-steps.ts';

/** Folders that no pattern reaches into unless it names them. */
const RESERVED: readonly string[] = ['node_modules', '.git', '.fleche', '.fleche-pack'];
const RESERVED_STEP = /(?:^|\/)(?:node_modules|\.git|\.fleche|\.fleche-pack)(?:\/|$)/;
/** What the names of reserved folders begin with. */
const RESERVED_NAME = /node_modules|\.git|\.fleche/;
const WILD = /[*?]/;
const CLASS = /\[[^[\]/]+\]/;
const GROUP = /[!*+?@]\([^()]*\)|\([^()]*\|[^()]*\)/;
/** Magic but for the wildcards. */
const BRACKETS = '{}[]()|';
/** What may have to be escaped in a glob. */
const INERT = /[{}[\]()|"!]/;
/** Braces are expanded beforehand, negation is ordered, and a path has one form on every system. */
const OPTIONS: picomatch.PicomatchOptions = { dot: true, nobrace: true, posix: true, windows: false };

/** One way to understand a pattern. Each covers everything below what it matches. */
type Reading =
  | { readonly kind: 'path'; readonly path: string }
  /** `glob` is in the syntax of picomatch; everything that it matches lies below `base`. */
  | { readonly kind: 'glob'; readonly glob: string; readonly base: string };

/** One pattern, compiled. */
interface Rule {
  readonly takes: boolean;
  /** The pattern without `!`, in normal form. */
  readonly text: string;
  /** Reserved folders that it names. */
  readonly names: readonly string[];
  readonly readings: readonly Reading[];
  /** Whether it speaks of a path. */
  test(path: string): boolean;
  /** Whether it may speak of something below a folder; false only if it cannot. */
  leads(folder: string): boolean;
}

/**
 * A pattern list. `*`, `?`, `[…]`, `**`, braces and extended globs work as in bash, with these rules: dotfiles match;
 * a pattern that matches a folder covers everything below it; brackets, parentheses and braces may also mean themselves;
 * `node_modules`, `.git`, `.fleche` and `.fleche-pack` are matched only by patterns that name them; a leading `!` always
 * takes away; a leading `/` means the root; `\` is a separator; `../` leads outside the root.
 */
export class Globs {
  /** The patterns in normal form, in order, with their `!`; they mean the same when given again. */
  readonly patterns: readonly string[];
  /** Positive patterns without magic that no later pattern takes away, sorted. */
  readonly literals: readonly RelPath[];
  /** Paths and folders at or below which everything lies that can match, sorted; `.` is the root. */
  readonly bases: readonly RelPath[];
  /** Last pattern first. */
  readonly #rules: readonly Rule[];

  /**
   * Throws `CONFIG_INVALID` for an empty pattern, one that steps up behind a wildcard, or one of too many words. With
   * `isPlain` brackets, parentheses and braces mean nothing but themselves.
   */
  constructor(patterns: readonly string[], isPlain = false) {
    const rules = patterns.map((pattern) => compile(pattern, isPlain));
    const positive = rules.filter((rule) => rule.takes);
    const literal = positive.filter((rule) =>
      rule.readings.every((one) => one.kind === 'path' && one.path === rule.text),
    );
    this.#rules = rules.toReversed();
    this.patterns = rules.map(({ takes, text }) => (takes ? text.replace(/^!/, './!') : `!${text}`));
    this.literals = sorted(literal.map((rule) => rule.text)).filter((path) => this.matches(path));
    this.bases = sorted(
      positive.flatMap((rule) => rule.readings.map((one) => (one.kind === 'path' ? one.path : one.base))),
    );
  }

  /** Whether the last pattern that speaks of `path` takes it. */
  matches(path: RelPath): boolean {
    for (const rule of this.#rules) {
      // Most paths are asked of rules that do not speak of them.
      if (!rule.test(path)) continue;
      if (!rule.takes || reservedSteps(path).every((name) => rule.names.includes(name))) return rule.takes;
    }
    return false;
  }

  /** Whether a walk has to look into `folder`; false only if nothing below it can match. */
  enters(folder: RelPath): boolean {
    const reserved = reservedSteps(folder);
    for (const rule of this.#rules) {
      if (!rule.takes && rule.test(folder)) return false;
      if (rule.takes && reserved.every((name) => rule.names.includes(name)) && rule.leads(folder)) return true;
    }
    return false;
  }

  /** Whether `folder` belongs to what the patterns describe: it matches, or is a base, or lies below one. */
  governs(folder: RelPath): boolean {
    return this.bases.some((base) => isWithin(base, folder)) || this.matches(folder);
  }
}

const shared = new WeakMap<readonly string[], Globs>();

/** The globs of a list that does not change, made once for as long as the list is there. Throws like the constructor. */
export function globsOf(patterns: readonly string[]): Globs {
  const known = shared.get(patterns);
  if (known !== undefined) return known;
  const globs = new Globs(patterns);
  shared.set(patterns, globs);
  return globs;
}

/** Whether folders of this name are passed over by patterns that do not name them. */
export function isReserved(name: string): boolean {
  return RESERVED.includes(name);
}

const NONE: readonly string[] = [];

function reservedSteps(path: string): readonly string[] {
  return RESERVED_STEP.test(path) ? path.split('/').filter(isReserved) : NONE;
}

function sorted(paths: readonly string[]): readonly RelPath[] {
  if (paths.length < 2) return paths as readonly RelPath[];
  return ([...new Set(paths)] as RelPath[]).sort(byCodeUnit);
}

function compile(pattern: string, isPlain: boolean): Rule {
  const takes = !pattern.startsWith('!');
  const slashed = (takes ? pattern : pattern.slice(1)).replaceAll('\\', '/');
  if (slashed.trim() === '') {
    throw new FlecheError('CONFIG_INVALID', 'a pattern is empty', { hint: 'Use "." for everything below the root.' });
  }
  const text = normal(slashed);
  const hasBraces = !isPlain && slashed.includes('{');
  const words = hasBraces ? [...new Set(expandBraces(slashed).map(normal))] : [text];
  const readings = isPlain ? [plainReading(text)] : words.flatMap(readingsOf);
  if (!words.includes(text) && !WILD.test(text)) readings.push({ kind: 'path', path: text });
  const names = RESERVED_NAME.test(slashed) ? slashed.split(/[/{},()|]/).filter(isReserved) : NONE;
  const tests = readings.map(testsOf);
  const [only] = tests;
  if (only !== undefined && tests.length === 1) return { takes, text, names, readings, ...only };
  return {
    takes,
    text,
    names,
    readings,
    test: (path) => tests.some((one) => one.test(path)),
    leads: (folder) => tests.some((one) => one.leads(folder)),
  };
}

/** A step that is empty, `.` or `..`. */
const EMPTY_STEP = /(?:^|\/)\.{0,2}(?:\/|$)/;

/** Without empty and `.` steps; `..` undoes the step before it, which must not be a wildcard. */
function normal(pattern: string): string {
  if (!EMPTY_STEP.test(pattern)) return pattern;
  const steps: string[] = [];
  for (const step of pattern.split('/')) {
    if (step === '' || step === '.') continue;
    const last = steps.at(-1);
    if (step !== '..' || last === undefined || last === '..') {
      steps.push(step);
    } else if (WILD.test(last)) {
      throw new FlecheError('CONFIG_INVALID', `the pattern ${pattern} steps up behind a wildcard`);
    } else {
      steps.pop();
    }
  }
  return steps.length === 0 ? '**' : steps.join('/');
}

/** How a word whose braces are expanded can be meant. */
function readingsOf(word: string): readonly Reading[] {
  const wild = WILD.test(word);
  const classes = CLASS.test(word);
  const groups = GROUP.test(word);
  const readings: Reading[] = wild ? [] : [{ kind: 'path', path: word }];
  if (wild || classes || groups) readings.push(globReading(word, `{}${classes ? '' : '[]'}${groups ? '' : '()|'}`));
  if (wild && (classes || groups)) readings.push(globReading(word, BRACKETS));
  return readings;
}

function plainReading(word: string): Reading {
  return WILD.test(word) ? globReading(word, BRACKETS) : { kind: 'path', path: word };
}

/** A word with wildcards or brackets as a glob in which the characters of `inert` mean themselves. */
function globReading(word: string, inert: string): Reading {
  if (!INERT.test(word)) {
    const end = word.lastIndexOf('/', word.search(WILD));
    return { kind: 'glob', glob: word, base: end < 0 ? '.' : word.slice(0, end) };
  }
  const steps = word.split('/');
  const isMagic = (char: string): boolean => '*?[]()|'.includes(char) && !inert.includes(char);
  const end = steps.findIndex((step) => Array.from(step).some(isMagic));
  const glob = Array.from(word, (char) => (inert.includes(char) || char === '"' ? `\\${char}` : char)).join('');
  return { kind: 'glob', glob: glob.replace(/^!(?!\()/, '\\!'), base: end === 0 ? '.' : steps.slice(0, end).join('/') };
}

function testsOf(reading: Reading): GlobTests {
  if (reading.kind === 'path') {
    const { path } = reading;
    const test = (other: string): boolean => isWithin(path, other);
    return { test, leads: (folder) => test(folder) || isWithin(folder, path) };
  }
  const { glob } = reading;
  return (
    globTests(glob) ?? { leads: leadsTo(glob), test: NOT_THESE.test(glob) ? testOfSteps(glob) : testOfWhole(glob) }
  );
}

/** A group of what must not be there. Before more steps a regular expression of it takes in more than the one step. */
const NOT_THESE = /(?<!\\)!\(/;

/** Regular expressions are made when they are first needed. */
function leadsTo(glob: string): GlobTests['leads'] {
  let steps: readonly RegExp[] | undefined;
  return (folder) => {
    steps ??= leadingShapes(glob);
    const taken = folder.split('/');
    return steps.every((step, at) => at >= taken.length || step.test(taken[at] ?? ''));
  };
}

function testOfWhole(glob: string): GlobTests['test'] {
  let shape: RegExp | undefined;
  return (path) => {
    shape ??= new RegExp(shapesOf(glob).join('|'), 's');
    return shape.test(path);
  };
}

/** Asks of the path and of every folder on the way to it whether the glob matches just that. */
function testOfSteps(glob: string): GlobTests['test'] {
  const below = glob.endsWith('/**');
  let shape: RegExp | undefined;
  return (path) => {
    shape ??= new RegExp(shapeOf(below ? glob.slice(0, -'/**'.length) : glob), 's');
    for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
      if (shape.test(path.slice(0, end))) return true;
    }
    return !below && shape.test(path);
  };
}

/** What a glob matches, and what lies below that. `a/**` is what lies below `a`, without `a`. */
function shapesOf(glob: string): readonly string[] {
  if (glob === '**') return [shapeOf(glob)];
  return glob.endsWith('/**') ? [shapeOf(`${glob}/*`)] : [shapeOf(glob), shapeOf(`${glob}/**/*`)];
}

function shapeOf(glob: string): string {
  return picomatch.makeRe(glob, OPTIONS).source;
}

/** The steps that every path begins with that the glob matches. */
function leadingShapes(glob: string): readonly RegExp[] {
  const steps = glob.split('/');
  // From a step on that can stand for several, or that is part of a group across steps, anything may follow.
  const open = steps.findIndex((step) => step.includes('**') || /(?<!\\)[(|)]/.test(step));
  return (open < 0 ? steps : steps.slice(0, open)).map((step) => new RegExp(shapeOf(step), 's'));
}
