/** One pattern of a list, compiled: of which paths it speaks, whatever other patterns say. */
import { FlecheError } from '../../base/errors.ts';
import { isWithin } from '../../base/paths.ts';
import { expandBraces } from './braces.ts';
import { shapeTests } from './glob-shapes.ts';
import { type GlobTests, stepTests } from './glob-steps.ts';
import { reservedNames } from './reserved.ts';

const WILD = /[*?]/;
/** What every pattern has that is not just a path. */
const MAGIC = /[*?{}[\]()]/;
const CLASS = /\[[^[\]/]+\]/;
const GROUP = /[!*+?@]\([^()]*\)|\([^()]*\|[^()]*\)/;
/** Magic but for the wildcards. */
const BRACKETS = '{}[]()|';
/** What may have to be escaped in a glob. */
const INERT = /[{}[\]()|"!]/;
/** One way to understand a pattern. Each covers everything below what it matches. */
type Reading =
  | { readonly kind: 'path'; readonly path: string }
  /** `glob` is in the syntax of picomatch; everything that it matches lies below `base`. */
  | { readonly kind: 'glob'; readonly glob: string; readonly base: string };

/** One pattern, compiled. */
export interface Rule {
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
 * Throws `CONFIG_INVALID` for an empty pattern, one that steps up behind a wildcard, or one of too many words. With
 * `isPlain` brackets, parentheses and braces mean nothing but themselves.
 */
export function compileRule(pattern: string, isPlain: boolean): Rule {
  const takes = !pattern.startsWith('!');
  const slashed = (takes ? pattern : pattern.slice(1)).replaceAll('\\', '/');
  if (slashed.trim() === '') {
    throw new FlecheError('CONFIG_INVALID', 'a pattern is empty', { hint: 'Use "." for everything below the root.' });
  }
  const text = normal(slashed);
  const names = reservedNames(slashed);
  const hasBraces = !isPlain && slashed.includes('{');
  if (!hasBraces && !MAGIC.test(text)) {
    return { takes, text, names, readings: [{ kind: 'path', path: text }], ...pathTests(text) };
  }
  const words = hasBraces ? [...new Set(expandBraces(slashed).map(normal))] : [text];
  const readings = isPlain ? [plainReading(text)] : words.flatMap(readingsOf);
  if (!words.includes(text) && !WILD.test(text)) readings.push({ kind: 'path', path: text });
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
      throw new FlecheError('CONFIG_INVALID', `the pattern ${pattern} steps up behind a wildcard`, {
        hint: 'Write .. before the first * only.',
      });
    } else {
      steps.pop();
    }
  }
  return steps.length === 0 ? '**' : steps.join('/');
}

/** How a word whose braces are expanded can be meant. */
function readingsOf(word: string): readonly Reading[] {
  const wild = WILD.test(word);
  const hasBrackets = INERT.test(word);
  const classes = hasBrackets && CLASS.test(word);
  const groups = hasBrackets && GROUP.test(word);
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
  if (reading.kind === 'path') return pathTests(reading.path);
  return stepTests(reading.glob) ?? shapeTests(reading.glob);
}

function pathTests(path: string): GlobTests {
  const test = (other: string): boolean => isWithin(path, other);
  return { test, leads: (folder) => test(folder) || isWithin(folder, path) };
}
